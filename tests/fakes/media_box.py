"""What keeps pictures, over real stores in a folder: a recorder, the shelf, the index, and eyes that a test fills."""

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path

from gateway.line.recorder import Recorder
from gateway.media.catching_up import Chain
from gateway.media.desk import MediaDesk
from gateway.media.index import MediaIndex
from gateway.media.keeper import CAMERA_KIND, MediaKeeper
from gateway.media.rendition import SmallPicture
from gateway.media.shelf import MediaShelf
from gateway.media.stores import MediaStores
from gateway.model.alarm import Alarm, Transition, TransitionKind
from gateway.model.picture import FiredScene, Picture
from gateway.model.quantity import Point, PointTable
from gateway.store.alert_store import AlertStore
from kit.clock import SimulatedClock
from tests.fakes.made_alarm import alarm as made_alarm
from tests.fakes.site import BOX, NOW_NS, REGULATOR

NS = 1_000_000_000
CAMERA = "cam-1-eye"
POINTS = PointTable(
    tuple(Point(f"cam-1.{key}", "cam-1", key, "", CAMERA, key, key) for key in ("bare_head_1", "edge_open_1", "black"))
)
BOX_ROW = (100.4, 50.0, 140.0, 95.6, 1, 0.913, 17)


def picture(said: str, at_ns: int = NOW_NS, media_type: str = "image/jpeg") -> Picture:
    body = f"a picture: {said}".encode()
    digest = hashlib.sha256(body).hexdigest()
    return Picture(CAMERA, at_ns, 7, 1920, 1080, media_type, body, digest, (BOX_ROW,))


def scene(key: str = "bare_head_1", at_ns: int = NOW_NS) -> FiredScene:
    strip = tuple(picture(f"{key} still {n}", at_ns - (8 - n) * NS) for n in range(8))
    versions = {"model": "site_heads 1", "survey": "3"}
    return FiredScene(
        CAMERA, key, at_ns, picture(f"{key} frame", at_ns), strip, {"track": 17, "since_s": 5.25}, versions
    )


def camera_alarm(key: str = "bare_head_1", at_ns: int = NOW_NS, reportable: bool = True) -> Alarm:
    made = made_alarm(at_ns, f"vision.{key}", f"cam-1.{key}", asset="cam-1", asset_kind=CAMERA_KIND)
    return replace(made, rule=replace(made.rule, reportable=reportable))


class FilledEyes:
    """Answers what a keeper asks. A clip without an entry waits until `release` is set, then is there."""

    def __init__(self) -> None:
        self.scenes: dict[tuple[str, str], FiredScene] = {}
        self.no_clip = ""
        self.newest: Picture | None = None
        self.release = asyncio.Event()
        self.asked: list[tuple[str, int, int]] = []

    def fired(self, camera: str, key: str) -> FiredScene | None:
        return self.scenes.get((camera, key))

    def still(self, camera: str) -> Picture | None:
        return self.newest

    async def clip(self, camera: str, from_ns: int, to_ns: int) -> Picture:
        self.asked.append((camera, from_ns, to_ns))
        if self.no_clip:
            raise LookupError(self.no_clip)
        await self.release.wait()
        return picture(f"clip from {from_ns}", from_ns - NS, "video/mp4")


def not_blurred(body: bytes, _item: object) -> bytes:
    return b"faces blurred: " + body


def small_picture(_body: bytes, _item: object) -> SmallPicture:
    return SmallPicture(b"a small picture", 480, 270)


class MediaBox:
    """Open one on a folder again and it is the box after a restart."""

    def __init__(
        self,
        folder: Path,
        max_bytes: int = 10**9,
        shelf: type[MediaShelf] = MediaShelf,
        index: type[MediaIndex] = MediaIndex,
    ) -> None:
        self.clock = SimulatedClock(NOW_NS)
        self.alerts = AlertStore(folder, 4096)
        self.recorder = Recorder(self.alerts, BOX, "PROJECT-1", (REGULATOR,), self.clock)
        self.eyes = FilledEyes()
        self.room = True
        self.shelf = shelf(folder, max_bytes, lambda: self.room)
        self.index = index(folder)
        self.chain = Chain(self.alerts.path)
        self.stores = MediaStores(self.index, self.shelf, self.chain, self.recorder, self.clock)
        self.keeper = MediaKeeper(self.stores, lambda: self.eyes, lambda: POINTS, small_picture)  # type: ignore[arg-type,return-value]
        self.desk = MediaDesk(self.stores, not_blurred, self.alerts)
        self._tasks: list[asyncio.Task[None]] = []

    def start(self, *, keeping: bool = True) -> None:
        self._tasks.append(asyncio.create_task(self.recorder.run()))
        if keeping:
            self.recorder.listeners.append(self.keeper.told)
            self._tasks.append(asyncio.create_task(self.keeper.run()))

    async def raise_alarm(self, alarm: Alarm) -> None:
        transition = Transition(TransitionKind.RAISED, alarm, alarm.raised_at_ns, alarm.measured)
        await self.recorder.record_transition(transition, None, ())

    async def stop(self) -> None:
        """As a kill would: nothing is finished that was not."""
        for task in reversed(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.index.close()
        self.alerts.close()
