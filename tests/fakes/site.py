"""A small site built in a line: points, rules, polls, and a pipeline over real stores, for tests of the core."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from gateway.alarms import AlarmTable
from gateway.line.deriving import Deriving
from gateway.line.intake import Intake
from gateway.line.pipeline import Line, Pipeline
from gateway.line.quarantine import Quarantine
from gateway.line.recorder import Recorder, Route
from gateway.model.alarm import RuleInfo, Severity
from gateway.model.derivation import AssetEvent, Derivation
from gateway.model.quantity import Point, PointTable
from gateway.model.reading import RawBlock, Readings
from gateway.model.rule import Direction, ResolvedRule, RuleFamily
from gateway.rules.table import RuleTable
from gateway.rules.window import Window
from gateway.store.alert_store import AlertStore
from gateway.store.history_reader import HistoryReader
from gateway.store.history_store import Bounds, HistoryStore
from kit.clock import SimulatedClock

NOW_NS = 1_700_000_000_000_000_000
SECOND_NS = 1_000_000_000
MINUTE_NS = 60 * SECOND_NS
BOX = "box-1"
BOUNDS = Bounds(2**30, 60)
REGULATOR = Route("regulator", takes_alerts=True, takes_evidence=True, reportable_only=True)


def points(count: int = 4, device: str = "host-1", stale_after_s: float = 30.0) -> PointTable:
    return PointTable(
        tuple(
            Point(
                f"crane-1.q{i}", "crane-1", f"q{i}", "m", device, f"量{i}", f"quantity {i}", stale_after_s=stale_after_s
            )
            for i in range(count)
        )
    )


def info(rule_id: str = "load.high", severity: Severity = Severity.P1, reportable: bool = True) -> RuleInfo:
    return RuleInfo(rule_id, "超载", "overload", severity, "m", "GB 1", "1.2", "M-H", reportable)


def threshold(
    point: int = 0,
    limit: float = 100.0,
    deadband: float = 0.0,
    on_delay_s: float = 0.0,
    off_delay_s: float = 0.0,
    direction: Direction = Direction.HIGH,
    rule: RuleInfo | None = None,
) -> ResolvedRule:
    return ResolvedRule(
        info=rule or info(f"rule-{point}"),
        family=RuleFamily.THRESHOLD,
        subject=f"crane-1.q{point}",
        asset="crane-1",
        asset_kind="tower-crane",
        point_index=point,
        device_points=(),
        direction=direction,
        limit=limit,
        deadband=deadband,
        on_delay_s=on_delay_s,
        off_delay_s=off_delay_s,
        suspected=False,
        origin="test.yaml:1",
    )


def latching(rule: ResolvedRule) -> ResolvedRule:
    """The same rule, whose alarm waits for a reset."""
    return replace(rule, latching=True)


def silence(device_points: Sequence[int] = (0, 1), limit_s: float = 10.0) -> ResolvedRule:
    return ResolvedRule(
        info=info("silence", Severity.P2, reportable=False),
        family=RuleFamily.SILENCE,
        subject="host-1",
        asset="crane-1",
        asset_kind="tower-crane",
        point_index=-1,
        device_points=tuple(device_points),
        direction=Direction.HIGH,
        limit=limit_s,
        deadband=0.0,
        on_delay_s=0.0,
        off_delay_s=0.0,
        suspected=True,
        origin="test.yaml:9",
    )


def layout(count: int = 4, first: int = 0) -> NDArray[np.int32]:
    return np.arange(first, first + count, dtype=np.int32)


def poll(
    point_index: NDArray[np.int32],
    value: Sequence[float] | float,
    at_ns: int = NOW_NS,
    quality: Sequence[int] | int = 0,
    received_at_ns: int | None = None,
    device: str = "host-1",
) -> Readings:
    n = len(point_index)
    return Readings(
        device,
        point_index,
        np.broadcast_to(np.asarray(value, dtype=np.float64), (n,)).copy(),
        np.broadcast_to(np.asarray(quality, dtype=np.uint8), (n,)).copy(),
        at_ns,
        at_ns if received_at_ns is None else received_at_ns,
        RawBlock(blocks=((0, np.array([1, 65535], dtype=np.uint16)),)),
    )


async def until(condition: Callable[[], bool], deadline_s: float = 10.0) -> None:
    """Let other tasks and the stores' threads work until `condition` holds. Raises TimeoutError."""
    async with asyncio.timeout(deadline_s):
        while not condition():
            await asyncio.sleep(0.001)


async def advance_until(clock: SimulatedClock, condition: Callable[[], bool], step_s: float = 0.5) -> None:
    """Let simulated time pass, with room for the stores' threads between the steps, until `condition` holds."""
    async with asyncio.timeout(10):
        while not condition():
            await clock.advance(step_s)
            await asyncio.sleep(0.001)


class Site:
    """The judging line over real stores in `folder`, on a simulated clock. `open` again after `kill` is a restart."""

    def __init__(
        self,
        folder: Path,
        table: PointTable,
        rules: Sequence[ResolvedRule],
        clock: SimulatedClock | None = None,
        routes: Sequence[Route] = (REGULATOR,),
        *,
        capacity: int = 100,
        max_buffered_polls: int = 50,
        models: Sequence[Derivation] = (),
    ) -> None:
        self.clock = clock or SimulatedClock(NOW_NS)
        self.folder = folder
        self.table = table
        self.alerts = AlertStore(folder, 2**20)
        self.history = HistoryStore(folder, table, BOUNDS, self.clock.now_ns())
        self.reader = HistoryReader(self.history.path, table)
        self.intake = Intake(capacity, Quarantine(folder / "aside"))
        self.window = Window(table, self.clock.monotonic_ns())
        self.rules = RuleTable(rules)
        device_of = {point.point_id: point.device for point in table.points}
        self.alarms = AlarmTable(BOX, rules, device_of=device_of)
        self.alarms.restore_service(self.alerts.out_of_service())
        self.rules.hold(self.alarms.restore(self.alerts.open_alarms()))
        self.recorder = Recorder(self.alerts, BOX, "PROJECT-1", routes, self.clock)
        self.history_allowed = True
        self.flushed = 0
        self.events: list[AssetEvent] = []
        judging = (self.intake, self.history, self.window, self.rules, self.alarms, self.recorder, self.clock)
        line = Line(*judging, Deriving(models, table), self.events.extend)
        self.pipeline = Pipeline(line, 200, max_buffered_polls, lambda: self.history_allowed, self._count_flush)
        self._tasks: list[asyncio.Task[None]] = []

    def _count_flush(self) -> None:
        self.flushed += 1

    def start(self) -> None:
        self._tasks = [asyncio.create_task(part()) for part in (self.recorder.run, self.pipeline.run)]

    async def cancel(self) -> None:
        """Stop the tasks and look at how they ended: only a cancellation is in order."""
        for task in self._tasks:
            task.cancel()
        for outcome in await asyncio.gather(*self._tasks, return_exceptions=True):
            assert isinstance(outcome, asyncio.CancelledError), outcome
        self._tasks = []

    async def stop(self) -> None:
        await self.cancel()
        try:
            async with asyncio.timeout(10):
                await self.pipeline.stop()
                await self.recorder.drain()
        finally:
            self.close()

    def close(self) -> None:
        self.history.close(self.clock.now_ns())
        self.alerts.close()
        self.reader.close()
