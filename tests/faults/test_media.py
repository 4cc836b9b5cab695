"""Pictures of an alarm under kill -9 at every step, and on a full disk: finished or named missing, never twice."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from gateway.evidence.evidence import RecordKind
from gateway.media.index import MediaIndex
from gateway.media.keeper import RESTART
from gateway.media.kept import MediaItem, MediaState
from gateway.media.sealing import read_media
from gateway.model.errors import StoreError
from tests.fakes.media_box import CAMERA, MediaBox, camera_alarm, scene
from tests.fakes.site import until

ROOT = Path(__file__).parents[2]
ALARM = camera_alarm().alarm_id


def killed_at(folder: Path, step: str) -> None:
    arguments = [sys.executable, "-m", "tests.fakes.media_dying", str(folder), step]
    run = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=100, check=False)
    assert run.returncode == -signal.SIGKILL, run.stderr


def sealed(box: MediaBox) -> list[tuple[str, int]]:
    """Every item that the chain holds, in order."""
    records = [record for record in box.alerts.all_evidence() if record.kind == RecordKind.MEDIA]
    return [(str(item.media_class), item.place) for record in records for item in read_media(record).items]


@pytest.mark.parametrize(
    ("step", "kept", "missing"),
    [("begun", 0, 2), ("body", 0, 2), ("noted", 1, 1), ("record", 9, 1), ("clip", 9, 1)],
)
async def test_kill_nine_at_any_step_leaves_nothing_half_said(
    tmp_path: Path, step: str, kept: int, missing: int
) -> None:
    await asyncio.to_thread(killed_at, tmp_path, step)
    box = MediaBox(tmp_path)
    box.start()
    await until(
        lambda: {item.state for item in box.desk.of_alarm(ALARM)} - {MediaState.KEPT, MediaState.MISSING} == set(), 30
    )
    items = box.desk.of_alarm(ALARM)
    assert [sum(item.state is state for item in items) for state in (MediaState.KEPT, MediaState.MISSING)] == [
        kept,
        missing,
    ]
    assert {item.reason for item in items if item.state is MediaState.MISSING} == {RESTART}
    for item in items:
        if item.state is MediaState.KEPT:
            assert box.shelf.read(item.sha256)
    assert len(sealed(box)) == len(set(sealed(box))) == kept + missing
    assert len(box.alerts.pending("regulator", 100, media=True)) == kept
    assert box.alerts.verify() == box.alerts.head()
    await box.stop()


class FullIndex(MediaIndex):
    """An index that cannot be written while there is no room."""

    room = False

    def keep(self, items: Sequence[MediaItem], chain_seq: int = 0) -> "Future[None]":
        return super().keep(items, chain_seq) if self.room else no_room()

    def begin(self, items: Sequence[MediaItem]) -> "Future[bool]":
        return super().begin(items) if self.room else no_room()


def no_room() -> "Future[Any]":
    future: Future[Any] = Future()
    future.set_exception(StoreError("database or disk is full"))
    return future


async def test_a_disk_without_room_costs_pictures_and_no_alarm(tmp_path: Path) -> None:
    """Nothing for the shelf, and an index that cannot be written: the chain alone says what is missing, and why."""
    box = MediaBox(tmp_path, index=FullIndex)
    box.eyes.scenes[CAMERA, "bare_head_1"] = scene()
    box.eyes.no_clip = "none"
    box.room = False
    box.start()
    await box.raise_alarm(camera_alarm())
    await until(lambda: len(sealed(box)) == 10, 30)

    assert box.desk.of_alarm(ALARM) == []
    assert box.alerts.pending("regulator", 100)[0].kind == "alarm_transition"
    assert list(box.shelf.bodies()) == []

    FullIndex.room = box.room = True
    await box.raise_alarm(camera_alarm(at_ns=camera_alarm().raised_at_ns + 1))
    await until(lambda: len(box.desk.of_alarm(ALARM)) == 10, 30)
    assert "almost full" in box.desk.of_alarm(ALARM)[0].reason
    await box.stop()
