"""A box that keeps an alarm's pictures and is killed (SIGKILL, by itself) at a named step.

python -m tests.fakes.media_dying FOLDER STEP      STEP: begun body noted record clip
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Told
from gateway.media.index import MediaIndex
from gateway.media.kept import MediaItem, MediaState
from gateway.media.shelf import MediaShelf
from tests.fakes.media_box import CAMERA, MediaBox, camera_alarm, scene

LIMIT_S = 60.0


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class DyingShelf(MediaShelf):
    """Dies once the first body has its name."""

    step = ""

    def put(self, body: bytes) -> str:
        if self.step == "begun":
            die()
        sha256 = super().put(body)
        if self.step == "body":
            die()
        return sha256


class DyingIndex(MediaIndex):
    """Dies once the first body has been noted."""

    step = ""

    def keep(self, items: Sequence[MediaItem], chain_seq: int = 0) -> "Future[None]":
        future = super().keep(items, chain_seq)
        if self.step == "noted" and any(item.state is MediaState.STORED for item in items):
            future.result()
            die()
        return future


def dying_listener(told: Sequence[Told]) -> None:
    """Called after the commit, before the index knows of it."""
    if any(each.record.kind is RecordKind.MEDIA for each in told):
        die()


async def main(folder: Path, step: str) -> None:
    DyingShelf.step = DyingIndex.step = step
    box = MediaBox(folder, shelf=DyingShelf, index=DyingIndex)
    box.eyes.scenes[CAMERA, "bare_head_1"] = scene()
    if step == "record":
        box.recorder.listeners.append(dying_listener)
    box.start()
    await box.raise_alarm(camera_alarm())
    async with asyncio.timeout(LIMIT_S):
        while not (step == "clip" and box.eyes.asked):
            await asyncio.sleep(0.005)
    die()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
