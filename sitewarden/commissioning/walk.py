"""The walk through a site: every device is read, every crane is moved and loaded, and the outcome is written down.

In: settings, an operator, a clock. Out: a `Commissioning`. Reads the field only. Must not know files, stores or chains.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from contract import __version__
from drivers.frames.settings import FramePoint
from drivers.modbus.settings import ModbusTable, RegisterPoint
from drivers.modbus.standby import WordSource
from drivers.mqtt.settings import MessagePoint
from gateway.line.arming import Arming
from gateway.model.reading import Quality
from gateway.parts.camera.survey_store import SurveyStore
from gateway.parts.crane.kind import TOWER_CRANE
from gateway.ports import BoundDevice, BoundLink, Clock
from gateway.settings import Settings
from sitewarden.commissioning.bench import DeviceOnBench, Sample, Shows, Silent, open_link
from sitewarden.commissioning.camera_trial import CameraOnTrial, CameraTrials
from sitewarden.commissioning.findings import CameraFinding, Commissioning, CraneFinding, DeviceFinding, PointFinding
from sitewarden.commissioning.known_load import LIMIT_PCT, NEEDED, KnownLoad, LoadCheck, check_known_load
from sitewarden.commissioning.listening import DeviceHeard, Heard, Listening, calls_itself, place_of, speaks_by_itself
from sitewarden.commissioning.movement import MOVEMENTS, Finding, Movement, MovementCheck, judge_movement
from sitewarden.commissioning.operator import Operator
from sitewarden.commissioning.orders import device_order, guess_orders, moment_disagrees
from vision.camera.settings import CameraLinkSettings
from vision.survey.parsing import read_survey

NOT_DONE = ("未做已知载荷校核", "not commissioned: no known-load check was done")


@dataclass(frozen=True, slots=True)
class Pacing:
    """How many samples are read of a device, and the pause between them; of one that speaks by itself, how long it is
    waited for."""

    samples: int = 5
    pause_s: float = 0.3
    listen_s: float = 30.0


class Walk:
    """One commissioning. `say` gets every finding as a line of text, as it is made."""

    def __init__(
        self,
        settings: Settings,
        arming: Arming,
        operator: Operator,
        clock: Clock,
        pacing: Pacing,
        say: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._arming = arming
        self._operator = operator
        self._clock = clock
        self._pacing = pacing
        self._say = say

    async def run(self) -> Commissioning:
        """Every device of every link in the site's order. Raises InputEndedError when the operator goes away."""
        name = self._operator.words("operator", "调试人员姓名 / your name")
        devices: list[DeviceFinding] = []
        cranes: list[CraneFinding] = []
        cameras: list[CameraFinding] = []
        for link in self._settings.links:
            async for device, crane in self._walk_link(link):
                devices.append(device)
                cranes += [crane] if crane else []
            cameras += await self._try_cameras(link)
        site = self._settings.site
        return Commissioning(
            box=self._settings.box.id,
            project_code=site.project_code,
            site_zh=site.title_zh,
            site_en=site.title_en,
            software=__version__,
            settings_digest=self._settings.digest,
            at_ns=self._clock.now_ns(),
            operator=name,
            devices=tuple(devices),
            cranes=tuple(cranes),
            cameras=tuple(cameras),
        )

    async def _try_cameras(self, link: BoundLink) -> Sequence[CameraFinding]:
        """The checks that a camera of this link is asked for; cameras without any are not opened."""
        asked = [device for device in link.devices if any(point.on_request for point in device.table.points)]
        if not asked or not isinstance(link.settings, CameraLinkSettings):
            return ()
        surveys = SurveyStore(self._settings.storage.folder, read_survey)
        trials = CameraTrials(self._operator, self._clock, self._pacing.listen_s, self._say)
        async with CameraOnTrial(link, surveys, self._clock) as trial:
            return [await trials.of(device, trial, self._confirmed(device)) for device in asked]

    def _confirmed(self, device: BoundDevice) -> Sequence[str]:
        entry = self._arming.assets.get(device.settings.asset)
        return entry.checks if entry is not None else ()

    async def _walk_link(self, link: BoundLink) -> AsyncIterator[tuple[DeviceFinding, CraneFinding | None]]:
        words = open_link(link.settings, self._clock)
        if words is not None:
            async for found in self._walk_registers(link, words):
                yield found
        elif speaks_by_itself(link.settings):
            async with Listening(link, self._clock) as listening:
                for device in link.devices:
                    ears = DeviceHeard(listening, device, self._clock, self._pacing.listen_s)
                    finding = self._told(await self._hear_device(ears, device, listening))
                    yield finding, await self._crane_of(device, ears, finding)
        else:
            for device in link.devices:
                yield self._told(_without_registers(device, link.settings)), None

    async def _walk_registers(
        self, link: BoundLink, words: WordSource
    ) -> AsyncIterator[tuple[DeviceFinding, CraneFinding | None]]:
        try:
            for device in link.devices:
                bench = DeviceOnBench(words, device.settings.unit_id, device.table, self._clock)
                finding = self._told(await self._read_device(bench, device, words.address))
                yield finding, await self._crane_of(device, bench, finding)
        finally:
            words.close()

    async def _crane_of(self, device: BoundDevice, bench: Shows, finding: DeviceFinding) -> CraneFinding | None:
        """A device that said nothing at all is not asked again: on a bus each silence costs everybody's time."""
        if not self._is_crane(device):
            return None
        silent = not any(point.words for point in finding.points)
        return await self._prove_crane(Silent(bench.keys) if silent else bench, device.settings.asset)

    def _is_crane(self, device: BoundDevice) -> bool:
        kinds = {asset.id: asset.kind for asset in self._settings.assets}
        keys = {point.key for point in device.table.points}
        return kinds.get(device.settings.asset) == TOWER_CRANE.id and bool(keys & set(NEEDED))

    async def _read_device(self, bench: DeviceOnBench, device: BoundDevice, address: str) -> DeviceFinding:
        samples = [await bench.read()]
        if any(block is not None for block in samples[0].blocks):
            samples += await bench.read_often(self._pacing.samples - 1, self._pacing.pause_s)
        table, newest = bench.table, samples[-1]
        guesses = {guess.key: guess for guess in guess_orders(table, [sample.blocks for sample in samples])}
        points = tuple(
            point_finding(table, point, newest, i, guesses.get(point.key)) for i, point in enumerate(table.points)
        )
        return DeviceFinding(
            device=device.settings.id,
            asset=device.settings.asset,
            address=f"{address} unit {device.settings.unit_id}",
            table=table.model,
            certainty=table.certainty,
            samples=len(samples),
            points=points,
            refused=tuple(error for error in newest.errors if error),
            looks_like=device_order(tuple(guesses.values())),
            moment_off_pct=moment_disagrees(bench.values(newest)),
        )

    async def _hear_device(self, ears: DeviceHeard, device: BoundDevice, listening: Listening) -> DeviceFinding:
        """As many messages as samples; the newest is shown. Who falls silent is waited for once."""
        heard = [await ears.hear()]
        while heard[-1].messages and len(heard) < self._pacing.samples:
            heard.append(await ears.hear())
        newest, settings = next((each for each in reversed(heard) if each.messages), heard[-1]), device.settings
        silent = () if newest.messages else (_silence(self._pacing.listen_s, listening.trouble(settings.id)),)
        aside = dict.fromkeys(why for each in heard for why in each.aside)
        points = tuple(_heard_point(point, newest, i) for i, point in enumerate(ears.table.points))
        values = {p.key: float(v) for p, v in zip(ears.table.points, newest.value, strict=True)}
        return DeviceFinding(
            device=settings.id,
            asset=settings.asset,
            address=calls_itself(settings),
            table=ears.table.model,
            certainty=ears.table.certainty,
            samples=sum(each.messages for each in heard),
            points=points,
            refused=(*silent, *(f"message set aside: {why}" for why in aside)),
            moment_off_pct=moment_disagrees(values),
        )

    async def _prove_crane(self, bench: Shows, asset: str) -> CraneFinding:
        movements = [await self._move(bench, asset, one) for one in MOVEMENTS if one.key in bench.keys]
        load = await self._load(bench, asset)
        finding = self._armed(asset, tuple(movements), load)
        state = "armed" if finding.armed else f"NOT ARMED: {finding.reason_en} / {finding.reason_zh}"
        self._say(f"{asset}: load alarms {state}")
        return finding

    async def _move(self, bench: Shows, asset: str, movement: Movement) -> MovementCheck:
        if isinstance(bench, Silent):
            return self._moved(asset, MovementCheck(movement, Finding.BLIND))
        before = await bench.shown()
        question = f"{asset}: {movement.ask_zh} / {movement.ask_en}; Enter when it stands, s to skip"
        if not self._operator.done(f"{asset}.{movement.name}", question):
            check = MovementCheck(movement, Finding.SKIPPED)
        else:
            check = judge_movement(movement, before, await bench.shown())
        return self._moved(asset, check)

    def _moved(self, asset: str, check: MovementCheck) -> MovementCheck:
        movement = check.movement
        instead = f", {check.instead} changed instead" if check.instead else ""
        change = f", {movement.key} changed by {check.change:.2f}" if np.isfinite(check.change) else ""
        self._say(f"{asset}: {movement.name}: {check.finding}{change}{instead}")
        return check

    async def _load(self, bench: Shows, asset: str) -> LoadCheck | None:
        question = f"{asset}: 已知载荷(t)，吊起静止后输入 / known load in t, hanging still; s to skip"
        load_t = self._operator.number(f"{asset}.known_load_t", question)
        if load_t is None:
            return None
        radius_m = self._operator.number(
            f"{asset}.known_radius_m", f"{asset}: 实测幅度(m) / measured radius in m; s: as displayed"
        )
        rated_t = self._operator.number(
            f"{asset}.chart_rated_t",
            f"{asset}: 起重性能表额定起重量(t) / rated load by the chart in t; s: as displayed",
        )
        samples = await bench.shown_often(self._pacing.samples, self._pacing.pause_s)
        check = check_known_load(KnownLoad(load_t, radius_m, rated_t), samples)
        self._say(f"{asset}: load {_signed(check.load_error_pct)}, moment {_signed(check.moment_error_pct)}")
        return check

    def _armed(self, asset: str, movements: tuple[MovementCheck, ...], load: LoadCheck | None) -> CraneFinding:
        """A check that passed arms, one that failed disarms; without one an earlier pass counts, and nothing else."""
        if load is None:
            before = self._arming.assets.get(asset)
            if before is not None and before.armed:
                return CraneFinding(asset, movements, None, armed=True, kept_from=before.sheet_sha256)
            return CraneFinding(asset, movements, None, False, *NOT_DONE)
        if load.passed:
            return CraneFinding(asset, movements, load, armed=True)
        return CraneFinding(asset, movements, load, False, *_failure(load))

    def _told(self, finding: DeviceFinding) -> DeviceFinding:
        for line in device_lines(finding):
            self._say(line)
        return finding


def point_finding(table: ModbusTable, point: RegisterPoint, sample: Sample, column: int, guess: Any) -> PointFinding:
    """One point of a sample, as text."""
    words = sample.words_of(point)
    return PointFinding(
        key=point.key,
        title_zh=point.title_zh,
        title_en=point.title_en,
        place=f"F{point.function} {point.address} {point.type} {table.order_of(point)}",
        words=" ".join(f"{int(word):04X}" for word in words) if words is not None else "",
        value=f"{sample.value[column]:.6g}" if np.isfinite(sample.value[column]) else "-",
        unit=point.unit,
        quality=Quality(int(sample.quality[column])).name,
        guess=guess,
    )


def device_lines(finding: DeviceFinding) -> list[str]:
    """What a terminal shows of a device."""
    lines = [f"{finding.device} ({finding.asset}) at {finding.address}, table {finding.table}"]
    if finding.reason_en:
        return [*lines, f"  {finding.reason_en} / {finding.reason_zh}"]
    lines += [f"  refused: {error}" for error in finding.refused]
    lines += [point_line(point) for point in finding.points]
    if finding.looks_like:
        lines.append(f"  this looks like {finding.looks_like} / 字序疑为 {finding.looks_like}")
    if finding.moment_off_pct is not None:
        off = finding.moment_off_pct
        lines.append(f"  moment_pct is {off:+.1f} points off 100 x load / rated / 力矩百分比与载荷不符")
    return lines


def point_line(point: PointFinding) -> str:
    """One point: register, raw words, value, quality, and the order that would fit better."""
    better = point.guess.better if point.guess is not None else None
    hint = f"  looks like {better}: {point.guess.tried[0].value:.6g}" if point.guess and better else ""
    raw = point.words or "(not read)"
    return f"  {point.key:<16} {point.place:<22} {raw:<20} {point.value:>12} {point.unit:<4} {point.quality}{hint}"


def _without_registers(device: BoundDevice, link: Any) -> DeviceFinding:
    return DeviceFinding(
        device=device.settings.id,
        asset=device.settings.asset,
        address=str(link.id),
        table=device.table.model,
        certainty=device.table.certainty,
        samples=0,
        reason_zh="该驱动无法在调试中读取，请在实时页面核对",
        reason_en=f"driver {link.driver} has no registers to read; compare on the live page",
    )


def _heard_point(point: MessagePoint | FramePoint, heard: Heard, column: int) -> PointFinding:
    return PointFinding(
        key=point.key,
        title_zh=point.title_zh,
        title_en=point.title_en,
        place=place_of(point),
        words=heard.text[column],
        value=f"{heard.value[column]:.6g}" if np.isfinite(heard.value[column]) else "-",
        unit=point.unit,
        quality=Quality(int(heard.quality[column])).name,
        guess=None,
    )


def _silence(listen_s: float, trouble: str) -> str:
    return f"no message within {listen_s:g} s" + (f": {trouble}" if trouble else "")


def _failure(load: LoadCheck) -> tuple[str, str]:
    if load.unreadable:
        keys = ", ".join(load.unreadable)
        return f"已知载荷校核失败：{keys} 无法读取", f"failed known-load check: {keys} could not be read"
    errors = f"{_signed(load.load_error_pct)} / {_signed(load.moment_error_pct)}"
    return (
        f"已知载荷校核失败：起重量误差/力矩误差 {errors}，限值 ±{LIMIT_PCT:g}%",
        f"failed known-load check: load / moment error {errors}, limit {LIMIT_PCT:g} %",
    )


def _signed(error_pct: float) -> str:
    return f"{error_pct:+.1f} %" if np.isfinite(error_pct) else "unknown"
