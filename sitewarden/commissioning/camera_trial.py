"""The checks on people that a camera is asked for, tried out: somebody does it, the eye says so; ends it, the eye says
that too. Only what was seen both ways is confirmed.

    ask: somebody steps into the danger zone  -> in_danger_zone_1 becomes 1        within `within_s`
    ask: everybody leaves it                  -> every place of it becomes 0       confirmed
    under the hook: somebody stands on a spot whose east and north are typed in; in the figures alone the hook is put
    there, then away. That proves the ground; the crane's own walk proves the hook.

In: a bound camera, its survey, an operator, a clock. Out: a `CameraFinding`. Runs its own capture and its own eye.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import numpy as np

from gateway.model.hook import HookPose
from gateway.model.reading import Quality, Readings
from gateway.parts.camera.survey_store import SurveyStore
from gateway.ports import BoundDevice, BoundLink, Clock
from sitewarden.commissioning.findings import CameraFinding, CheckOutcome, CheckTrial
from sitewarden.commissioning.operator import Operator
from vision.driver import CameraDriver
from vision.eye_hub import EyeHub

UNDER_HOOK: Final = "under_hook"
ASK: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "no_work_clothes": (
        "请一名未穿工作服或反光衣的人站到画面中",
        "somebody without work clothes or vest stands in view",
        "请其离开画面",
        "they leave the view",
    ),
    "in_danger_zone": (
        "请一人进入画定的危险区站住",
        "somebody steps into the danger zone and stands",
        "请全部离开危险区",
        "everybody leaves the zone",
    ),
    UNDER_HOOK: (
        "请一人站到已知坐标的地面点上",
        "somebody stands on a spot of the ground with known coordinates",
        "请保持不动",
        "they stay where they are",
    ),
    "person_down": (
        "请一人在画面中躺下不动",
        "somebody lies down in view and does not move",
        "请其站起",
        "they stand up",
    ),
}
"""Chinese and English of what is to be done, and of what ends it."""
EVERY_S, AWAY_M = 0.3, 1000.0


class CameraOnTrial:
    """One camera link, captured and judged within the block; the newest value of every key by device."""

    def __init__(self, link: BoundLink, surveys: SurveyStore, clock: Clock) -> None:
        self._clock = clock
        self._driver = CameraDriver(link, clock)
        self._hub = EyeHub(clock)
        self._driver.hub = self._hub
        self._keys = {str(device.settings.id): [point.key for point in device.table.points] for device in link.devices}
        self._tasks: list[asyncio.Task[None]] = []
        self.values: dict[str, dict[str, float]] = {camera: {} for camera in self._keys}
        for camera in self._keys:
            kept = surveys.newest(camera)
            if kept is not None:
                reference = surveys.reference(camera, kept.survey.reference_sha256)
                self._hub.use_survey(kept.survey, reference)

    async def __aenter__(self) -> Self:
        self._tasks = [asyncio.create_task(self._hub.run()), asyncio.create_task(self._driver.run(self))]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def offer(self, readings: Readings) -> bool:
        """What the eye said, or that it is lost."""
        good = np.where(readings.quality == Quality.GOOD, readings.value, np.nan).tolist()
        self.values[readings.device] = dict(zip(self._keys[readings.device], good, strict=True))
        return True

    async def put(self, readings: Readings) -> Awaitable[None]:
        """Never called: a camera sends no messages to keep."""
        raise TypeError(f"{readings.device}: a camera sends no messages")

    def set_aside(self, device: str, payload: bytes, reason: str) -> None:
        """Never called: a camera sends nothing that is set aside."""
        raise TypeError(f"{device}: {len(payload)} bytes: {reason}")

    def put_hook(self, cranes: Sequence[str], x_m: float, y_m: float) -> None:
        """Every hook is at this place, with a load, as far as the eye is told."""
        now_ns = self._clock.monotonic_ns()
        self._hub.use_hooks([HookPose(crane, x_m, y_m, math.nan, 1.0, now_ns) for crane in cranes])


@dataclass(frozen=True, slots=True)
class CameraTrials:
    """Tries the checks of cameras. `say` gets a line for each."""

    operator: Operator
    clock: Clock
    within_s: float
    say: Callable[[str], None]

    async def of(self, device: BoundDevice, trial: CameraOnTrial, before: Sequence[str]) -> CameraFinding:
        """Every check that the camera is asked for. One that is skipped stays as it was `before`."""
        camera, asset = str(device.settings.id), str(device.settings.asset)
        checks = dict.fromkeys(point.item for point in device.table.points if point.on_request)
        usable = not checks or await self._until(lambda: trial.values[camera].get("usable") == 1.0)
        trials = []
        for check in checks:
            outcome = await self._try(check, device, trial) if usable else CheckOutcome.BLIND
            self.say(f"{asset}: {check}: {outcome}")
            trials.append(CheckTrial(check, outcome))
        kept = {one.check for one in trials if one.outcome is CheckOutcome.SKIPPED} & set(before)
        confirmed = [one.check for one in trials if one.outcome is CheckOutcome.CONFIRMED or one.check in kept]
        return CameraFinding(asset, camera, tuple(trials), tuple(confirmed))

    async def _try(self, check: str, device: BoundDevice, trial: CameraOnTrial) -> CheckOutcome:
        settings = device.settings
        begin_zh, begin_en, end_zh, end_en = ASK[check]
        name = f"{settings.asset}.{check}"
        spot = self._spot(name) if check == UNDER_HOOK else None
        if check == UNDER_HOOK and spot is None:
            return CheckOutcome.SKIPPED
        if not self.operator.done(name, f"{settings.asset}: {begin_zh} / {begin_en}; Enter, s to skip"):
            return CheckOutcome.SKIPPED

        def hook(away_m: float) -> Callable[[], None]:
            at = spot or (0.0, 0.0)
            return lambda: trial.put_hook(settings.hook_cranes, at[0] + away_m, at[1])

        def places() -> list[float]:
            return [value for key, value in trial.values[settings.id].items() if key.startswith(f"{check}_")]

        if not await self._until(lambda: 1.0 in places(), hook(0.0) if spot else None):
            return CheckOutcome.NOT_SEEN
        if not self.operator.done(f"{name}_ends", f"{settings.asset}: {end_zh} / {end_en}; Enter"):
            return CheckOutcome.NOT_CLEARED
        clear = await self._until(lambda: set(places()) == {0.0}, hook(AWAY_M) if spot else None)
        return CheckOutcome.CONFIRMED if clear else CheckOutcome.NOT_CLEARED

    def _spot(self, name: str) -> tuple[float, float] | None:
        """East and north as typed; None when it is skipped or is no place."""
        text = self.operator.words(f"{name}_spot", "该点的东、北坐标(m) / east, north of the spot in m; s to skip")
        parts = text.replace(",", " ").replace("，", " ").split()
        try:
            east, north = (float(part) for part in parts)
        except ValueError:
            return None
        return (east, north) if math.isfinite(east) and math.isfinite(north) else None

    async def _until(self, fits: Callable[[], bool], also: Callable[[], None] | None = None) -> bool:
        """Whether it comes to fit within the time; `also` is done again and again meanwhile."""
        end_ns = self.clock.monotonic_ns() + round(self.within_s * 1e9)
        while not fits():
            if self.clock.monotonic_ns() >= end_ns:
                return False
            if also is not None:
                also()
            await self.clock.sleep(EVERY_S)
        return True
