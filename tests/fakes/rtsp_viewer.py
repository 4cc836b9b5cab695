"""A capture under test: a real `CaptureHandle` with its process, short timeouts, and waiting with a deadline.

async with Viewer(source=camera.url) as viewer:
    await viewer.until(lambda: viewer.state.link is CameraLink.LIVE, "live")
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gateway.model.picture import CameraLink
from kit.clock import SystemClock
from vision.camera.capture_handle import CaptureHandle
from vision.camera.capture_state import CaptureState
from vision.camera.frame_slot import FrameSlotReader
from vision.camera.settings import CameraLinkSettings
from vision.picture.frame import Frame

READ_TIMEOUT_S = 1.0
_PAUSE_S = 0.01
_DEADLINE_S = 20.0


def camera_settings(source: str, camera: str = "cam-1", **more: Any) -> CameraLinkSettings:
    quick = {"read_timeout_s": READ_TIMEOUT_S, "reconnect_min_s": 0.1, "reconnect_max_s": 0.4, "fps_cap": 60.0}
    return CameraLinkSettings(id=camera, source=source, **{**quick, **more})


class Viewer:
    """One camera; keeps every frame's number and times that it saw, and the newest frame."""

    def __init__(self, source: str, camera: str = "cam-1", folder: Path | None = None, **more: Any) -> None:
        self.handle = CaptureHandle(
            camera_settings(source, camera, **more), SystemClock(), [folder] if folder is not None else None
        )
        self.newest: Frame | None = None
        self.seen: list[tuple[int, int]] = []
        self.links: list[CameraLink] = []
        self._reader = FrameSlotReader(self.handle.slot_path, camera)

    @property
    def state(self) -> CaptureState:
        return self.handle.state()

    async def __aenter__(self) -> Self:
        self._running = asyncio.create_task(self.handle.run())
        self._looking = asyncio.create_task(self._look())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in (self._running, self._looking):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._reader.close()
        self.handle.close()

    async def _look(self) -> None:
        while True:
            frame = self._reader.newest(self.newest.seq if self.newest else 0)
            if frame is not None:
                self.newest = frame
                self.seen.append((frame.seq, frame.captured_at_ns))
            if not self.links or self.links[-1] is not self.state.link:
                self.links.append(self.state.link)
            await asyncio.sleep(_PAUSE_S)

    async def until(self, condition: Callable[[], object], what: str, within_s: float = _DEADLINE_S) -> float:
        """Seconds until it held. TimeoutError with the capture's state when it does not."""
        began_s = time.monotonic()
        while not condition():
            if self._running.done():
                await self._running
            if time.monotonic() - began_s > within_s:
                raise TimeoutError(f"{what}: not within {within_s} s; {self.state}")
            await asyncio.sleep(_PAUSE_S)
        return time.monotonic() - began_s

    async def live(self) -> None:
        """Until pictures arrive."""
        await self.until(lambda: self.newest is not None and self.state.link is CameraLink.LIVE, "live")

    async def more_frames(self, count: int) -> None:
        """Until so many more pictures were decoded."""
        target = self.state.report.frames + count
        await self.until(lambda: self.state.report.frames >= target, f"{count} more frames")

    async def offline(self, within_s: float = _DEADLINE_S) -> float:
        return await self.until(lambda: self.state.link is CameraLink.OFFLINE, "offline", within_s)
