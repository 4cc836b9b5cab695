"""A full disk: history stops, alerts go on, and afterwards the box says what it lost.

The databases lie on a small tmpfs that the test mounts and fills to the last byte.
"""

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regulator.base.intake.holdings import Holdings
from tests.fakes.demo_box import DemoBox, alerts_per_overload
from tests.fakes.regulator_process import regulator_process
from tests.fakes.reporting_box import reporting_box
from tests.fakes.sim_field import sim_field
from tests.fakes.waiting import wait_until

pytestmark = pytest.mark.alone

DISK = "24m"
OVERLOAD = (
    "--overload-first-s",
    "4",
    "--overload-every-s",
    "8.5",
    "--overload-jitter-s",
    "0.5",
    "--overload-for-s",
    "3",
)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """A tmpfs of 24 MiB; mounting needs root, and without it this test fails and says so."""
    if os.geteuid() != 0:
        pytest.fail("mounting a small tmpfs needs root: run `sudo make test`")
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(path: Path) -> None:
    """Write until not one more block fits."""
    with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 4096)


def test_alerts_leave_a_box_with_a_full_disk(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk") as disk,
        sim_field(tmp_path, *OVERLOAD) as field,
        regulator_process(tmp_path, "demo-box", "DEMO-0001") as regulator,
        DemoBox(tmp_path, field, regulator.url, tmp_path / "code", disk / "box") as box,
    ):
        box.gateway.start()
        wait_until(lambda: box.gateway.metric("sitewarden_polls") > 20, "polls before the disk fills")
        watched_from_ns = time.time_ns()
        fill(disk / "filler")
        seen = len(field.overloads())
        wait_until(lambda: len(ended(field)) >= seen + 3, "overloads on the full disk", 60)
        health = box.gateway.get("/api/health")
        assert not health["store_failing"]
        full_time = ended(field)[seen : seen + 3]
        wait_until(lambda: alerts_per_overload(full_time, alerts(tmp_path)) == [1, 1, 1], "their alerts, still full")
        (disk / "filler").unlink()
        wait_until(lambda: gaps_of_the_disk(box), "the gap admitted")
        wait_until(lambda: box.pending() == 0, "an empty outbox")
        box.gateway.stop()
        watched = [overload for overload in ended(field) if overload.started_at_ns > watched_from_ns]
        counts = alerts_per_overload(watched, alerts(tmp_path))
        assert counts == [1] * len(counts)
        gap = gaps_of_the_disk(box)[0]
        assert gap["to_ns"] - gap["from_ns"] > 3_000_000_000
        box.assert_chain_holds()


def test_alerts_leave_after_a_restart_on_a_disk_without_a_byte(tmp_path: Path) -> None:
    """The reserve is used up as well: numbers of the messages to the regulator, and everything else, are in memory."""
    with small_disk(tmp_path / "disk") as disk, reporting_box(tmp_path, disk / "box") as box:
        box.gateway.start()
        box.raise_alarm()
        box.return_alarm()
        box.gateway.kill()
        (box.storage / "alerts.reserve").unlink()
        fill(disk / "filler")
        box.gateway.start()
        beats = box.counters()
        box.raise_alarm()
        wait_until(lambda: box.counters()["accepted"] not in (0, beats["accepted"]), "a heartbeat of this run")
        (disk / "filler").unlink()
        box.return_alarm()
        wait_until(lambda: not box.failing(), "the records kept again")
        box.gateway.stop()
        assert len(box.raised()) == len(set(box.raised())) == 2
        box.assert_chain_holds()


def gaps_of_the_disk(box: DemoBox) -> list[dict[str, Any]]:
    """Not those in which a busy machine stood still."""
    return [gap for gap in box.records("history_gap") if gap["reason"] == "history could not be written"]


def ended(field):
    return [overload for overload in field.overloads() if overload.ended_at_ns]


def alerts(folder: Path):
    store = Holdings.at(folder / "regulator.db")
    try:
        return store.alerts()
    finally:
        store.close()
