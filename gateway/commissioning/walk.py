"""The walk through a site: every device is read, every crane is moved and loaded, and the outcome is written down.

In: settings, an operator, a clock. Out: a `Commissioning`. Reads the field only. Must not know files, stores or chains.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from drivers.modbus.settings import ModbusTable, RegisterPoint
from gateway import __version__
from gateway.arming import Arming
from gateway.commissioning.bench import DeviceOnBench, Sample, open_link
from gateway.commissioning.findings import Commissioning, CraneFinding, DeviceFinding, PointFinding
from gateway.commissioning.known_load import LIMIT_PCT, NEEDED, KnownLoad, LoadCheck, check_known_load
from gateway.commissioning.movement import MOVEMENTS, Finding, Movement, MovementCheck, judge_movement
from gateway.commissioning.operator import Operator
from gateway.commissioning.orders import device_order, guess_orders, moment_disagrees
from gateway.model.reading import Quality
from gateway.ports import BoundDevice, Clock
from gateway.settings import AssetKind, Settings

NOT_DONE = ("未做已知载荷校核", "not commissioned: no known-load check was done")


@dataclass(frozen=True, slots=True)
class Pacing:
    """How many samples are read of a device, and the pause between them."""

    samples: int = 5
    pause_s: float = 0.3


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
        for link in self._settings.links:
            words = open_link(link.settings, self._clock)
            try:
                for device in link.devices:
                    if words is None:
                        devices.append(self._told(_without_registers(device, link.settings)))
                        continue
                    bench = DeviceOnBench(words, device.settings.unit_id, device.table, self._clock)
                    devices.append(self._told(await self._read_device(bench, device, words.address)))
                    if self._is_crane(device):
                        cranes.append(await self._prove_crane(bench, device.settings.asset))
            finally:
                if words is not None:
                    words.close()
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
        )

    def _is_crane(self, device: BoundDevice) -> bool:
        kinds = {asset.id: asset.kind for asset in self._settings.assets}
        keys = {point.key for point in device.table.points}
        return kinds.get(device.settings.asset) is AssetKind.TOWER_CRANE and bool(keys & set(NEEDED))

    async def _read_device(self, bench: DeviceOnBench, device: BoundDevice, address: str) -> DeviceFinding:
        samples = await bench.read_often(self._pacing.samples, self._pacing.pause_s)
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

    async def _prove_crane(self, bench: DeviceOnBench, asset: str) -> CraneFinding:
        keys = {point.key for point in bench.table.points}
        movements = [await self._move(bench, asset, one) for one in MOVEMENTS if one.key in keys]
        load = await self._load(bench, asset)
        finding = self._armed(asset, tuple(movements), load)
        state = "armed" if finding.armed else f"NOT ARMED: {finding.reason_en} / {finding.reason_zh}"
        self._say(f"{asset}: load alarms {state}")
        return finding

    async def _move(self, bench: DeviceOnBench, asset: str, movement: Movement) -> MovementCheck:
        before = bench.values(await bench.read())
        question = f"{asset}: {movement.ask_zh} / {movement.ask_en}; Enter when it stands, s to skip"
        if not self._operator.done(f"{asset}.{movement.name}", question):
            check = MovementCheck(movement, Finding.SKIPPED)
        else:
            check = judge_movement(movement, before, bench.values(await bench.read()))
        instead = f", {check.instead} changed instead" if check.instead else ""
        change = f", {movement.key} changed by {check.change:.2f}" if np.isfinite(check.change) else ""
        self._say(f"{asset}: {movement.name}: {check.finding}{change}{instead}")
        return check

    async def _load(self, bench: DeviceOnBench, asset: str) -> LoadCheck | None:
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
        samples = await bench.read_often(self._pacing.samples, self._pacing.pause_s)
        check = check_known_load(KnownLoad(load_t, radius_m, rated_t), [bench.values(sample) for sample in samples])
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
        reason_zh="无寄存器可读（非Modbus），请在实时页面核对",
        reason_en=f"driver {link.driver} has no registers to read; compare on the live page",
    )


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
