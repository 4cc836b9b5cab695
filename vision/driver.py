"""The camera driver: one camera's capture process and its place in the box's eye, as `Readings` like any device's.

    CaptureHandle --frame slot--> eye process --Observation--> CameraDriver --Readings--> sink

In: `BoundLink` of one camera and the hub of the box's eye. Out: readings at every judged frame, unreadable ones when
the eye is lost. What was seen travels in `raw.payload`, so that it is in the evidence. Imports no OpenCV and no libav.
"""

import asyncio
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gateway.model.picture import CameraLink, FiredScene, Picture
from gateway.model.reading import Quality, RawBlock, Readings
from gateway.ports import BoundDevice, BoundLink, Clock, Driver, DriverKind, LinkHealth, LinkState, ReadingSink
from vision.camera.capture_handle import CaptureHandle
from vision.camera.settings import CameraLinkSettings
from vision.eye.settings import CameraDeviceSettings, CameraTable
from vision.eye_hub import EyeHub, Listener
from vision.sight.keeping import SightBooks
from vision.sight.observation import Observation

log = logging.getLogger(__name__)
BELIEVED_OFFSET_NS = 5_000_000_000
"""A stream's own time that is farther from the box's is not the time of the readings (CLOCK_WRONG says so)."""
KEEP_SIGHT_S = 60.0
LONGEST_GAP_S, LONGEST_GAP_FRAMES = 2.5, 2.5


@dataclass(slots=True)
class SeenCamera:
    """What is known of one device of the link. `fired` holds the newest scene of each finding's key."""

    device: BoundDevice
    newest: Observation | None = None
    still: Picture | None = None
    fired: dict[str, FiredScene] = field(default_factory=dict)
    observations: int = 0
    losses: int = 0
    last_error: str = ""
    last_observed_ns: int = 0

    @property
    def camera(self) -> str:
        """The id of the camera, as the site file has it."""
        return str(self.device.settings.id)


class CameraDriver:
    """One camera. `hub` is the box's eye, `books` what it can judge of whom it sees; without them (a bench, a
    commissioning run) the driver has its own."""

    def __init__(self, link: BoundLink, clock: Clock) -> None:
        settings: CameraLinkSettings = link.settings
        self.name = settings.id
        self.settings = settings
        self.hub: EyeHub | None = None
        self.books = SightBooks()
        self.capture: CaptureHandle | None = None
        self.seen = {str(device.settings.id): SeenCamera(device) for device in link.devices}
        self._clock = clock

    async def run(self, sink: ReadingSink) -> None:
        """Capture and judge until cancelled. A dead camera or a lost eye is waited for; only a bug escapes."""
        hub = self.hub or EyeHub(self._clock)
        self.capture = capture = CaptureHandle(self.settings, self._clock)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(capture.run(), name=f"{self.name}: capture")
                tasks.create_task(self._keep_books(), name=f"{self.name}: sight")
                if hub is not self.hub:
                    tasks.create_task(hub.run(), name=f"{self.name}: eye")
                for seen in self.seen.values():
                    hub.watch(seen.camera, str(capture.slot_path), seen.device.settings, self._listener(seen, sink))
        finally:
            for seen in self.seen.values():
                hub.forget(seen.camera)
            self.capture = None
            capture.close()

    def health(self) -> Sequence[LinkHealth]:
        """One entry a device: `polls` counts observations, `failures` losses of the eye and killed captures."""
        return [self._health_of(seen) for seen in self.seen.values()]

    @property
    def link(self) -> CameraLink:
        """How the camera's stream is at this moment."""
        return self.capture.state().link if self.capture is not None else CameraLink.CONNECTING

    def _health_of(self, seen: SeenCamera) -> LinkHealth:
        state = self.capture.state() if self.capture is not None else None
        if state is None or state.link is CameraLink.CONNECTING or seen.newest is None:
            link = LinkState.STARTING
        else:
            link = LinkState.UP if state.link is CameraLink.LIVE and not seen.last_error else LinkState.DOWN
        failures = seen.losses + (state.kills + state.garbage if state is not None else 0)
        error = seen.last_error or (state.last_error if state is not None else "")
        address = state.address if state is not None else ""
        return LinkHealth(seen.camera, link, seen.observations, failures, 0, error, address)

    def _listener(self, seen: SeenCamera, sink: ReadingSink) -> Listener:
        def hear(observation: Observation) -> None:
            self._remember(seen, observation)
            sink.offer(self._readings(seen, observation))

        def lost(reason: str) -> None:
            seen.losses += 1
            seen.last_error = reason
            now_ns = self._clock.now_ns()
            sink.offer(Readings.unreadable(seen.camera, seen.device.point_index, now_ns))

        return Listener(hear, lost)

    async def _keep_books(self) -> None:
        while True:
            await self._clock.sleep(KEEP_SIGHT_S)
            self.books.stage(self.seen)
            await asyncio.to_thread(self.books.flush)

    def _remember(self, seen: SeenCamera, observation: Observation) -> None:
        seen.newest, seen.observations, seen.last_error = observation, seen.observations + 1, ""
        if observation.still is not None:
            seen.still = observation.still
        for scene in observation.fired:
            seen.fired[scene.key] = scene
        longest_gap_s = max(LONGEST_GAP_S, LONGEST_GAP_FRAMES / seen.device.settings.analyse_fps)
        now_ns, mono_ns = self._clock.now_ns(), self._clock.monotonic_ns()
        self.books.of(seen.camera).take(observation.people, longest_gap_s, now_ns, mono_ns)

    def _readings(self, seen: SeenCamera, observation: Observation) -> Readings:
        share = self.books.of(seen.camera).day(self._clock.now_ns()).share
        values = dict(observation.values) | {"judged_share": 100 * share}
        if self.capture is not None:
            values["frames_per_s"] = self.capture.state().report.frames_per_s
        table: CameraTable = seen.device.table
        value = np.array([values.get(point.key, math.nan) for point in table.points], dtype=np.float64)
        low, high = np.array([(point.min, point.max) for point in table.points]).T
        good = (low <= value) & (value <= high)  # no number is neither
        quality = np.where(good, Quality.GOOD, Quality.BAD).astype(np.uint8)
        return Readings(
            seen.camera,
            seen.device.point_index,
            np.where(good, value, np.nan),
            quality,
            self._observed_ns(seen, observation),
            self._received_ns(observation),
            RawBlock(payload=observation.said),
        )

    def _observed_ns(self, seen: SeenCamera, observation: Observation) -> int:
        """When the picture was taken, where that can be believed; never before the readings before it."""
        received_ns = self._received_ns(observation)
        believed = abs(observation.captured_at_ns - received_ns) <= BELIEVED_OFFSET_NS
        at_ns = observation.captured_at_ns if believed else received_ns
        if seen.last_observed_ns - at_ns < BELIEVED_OFFSET_NS:  # else the box's own clock was set back
            at_ns = max(at_ns, seen.last_observed_ns + 1)
        seen.last_observed_ns = at_ns
        return at_ns

    def _received_ns(self, observation: Observation) -> int:
        """As the eye says; never after now."""
        return min(observation.received_at_ns, self._clock.now_ns())


def camera_drivers(drivers: Sequence[Driver]) -> list[CameraDriver]:
    """Those that are cameras, in order."""
    return [driver for driver in drivers if isinstance(driver, CameraDriver)]


def _build(link: BoundLink, clock: Clock) -> Driver:
    return CameraDriver(link, clock)


KIND = DriverKind("camera", CameraLinkSettings, CameraDeviceSettings, CameraTable, _build)
