"""`sitewarden replay`: a recorded series through the line that live samples take, and the alarms it would have raised.

    recording --polls--> simulated clock, Pipeline.step --> rules, asset models, alarm table, recorder --> alarms told
                              ^
                 moments between the polls at which the passing of time says something

In: a site's settings and a recording (`sitewarden.replay.series`, `sitewarden.replay.history`). Out: every transition
in order, and figures. Works in a folder of its own: the site's data folder is not touched, nothing is sent, nobody
sleeps. Starts from nothing: no alarm is open, no baseline and no state of an asset model is taken over.
"""

import asyncio
import itertools
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gateway.alarms import AlarmTable
from gateway.line.deriving import Deriving
from gateway.line.intake import Arrival, Intake
from gateway.line.pipeline import TICK_S, Line, Pipeline
from gateway.line.quarantine import Quarantine
from gateway.line.recorder import Recorder, Told
from gateway.model.alarm import Transition
from gateway.model.derivation import Derivation
from gateway.model.reading import Readings
from gateway.model.rule import ResolvedRule, RuleFamily
from gateway.rules.table import RuleTable
from gateway.rules.window import Window
from gateway.settings import Settings
from gateway.store.alert_store import AlertStore
from gateway.store.history_store import Bounds, HistoryStore
from kit.clock import SimulatedClock, SystemClock
from sitewarden.replay.history import read_history
from sitewarden.replay.moments import Moments, Now, Plan
from sitewarden.replay.series import Recording, ReplayError, read_csv
from sitewarden.replay.tables import DeviceTables
from sitewarden.replay.unknown import Heard, Reasons, UnknownRule

FLUSH_MS = 600_000
POLLS_BETWEEN_YIELDS = 64
RESERVE_BYTES = 2**20
MAX_BUFFERED_POLLS = 10_000_000
HISTORY_SUFFIXES = (".db",)


@dataclass(frozen=True, slots=True)
class ReplaySource:
    """What to replay. `utc_offset_minutes` is meant by CSV times without an offset; `span_ns` (UTC) cuts the series.

    `every_tick` looks four times a second of recorded time, as a running box does, however long it takes.
    `silence` False leaves silence rules out: a series that was thinned out looks silent all the time. `keep` is a
    folder that is not there yet and stays afterwards, to look into with `verify` and `export`.
    """

    file: Path
    utc_offset_minutes: int = 0
    span_ns: tuple[int, int] = (0, 2**63 - 1)
    silence: bool = True
    every_tick: bool = False
    keep: Path | None = None


@dataclass(frozen=True, slots=True)
class Replayed:
    """What came of it. Times are UTC ns, 0 when there was no reading; `seconds` is how long the replay took.

    `not_in_recording` are devices and points without a single reading: that they are silent says nothing of the site,
    so their silence rules were left out. `unknown` are the rules that were never judged, with the reason;
    `unknown_polls` says of every rule and subject after how many of the polls it was UNKNOWN. `without_fault_bit` are
    points of the recording whose fault bits it does not have.
    """

    transitions: tuple[Transition, ...]
    not_in_recording: tuple[str, ...]
    unknown: tuple[UnknownRule, ...]
    unknown_polls: Mapping[tuple[str, str], int]
    without_fault_bit: Mapping[str, tuple[str, ...]]
    recording: Recording
    readings: int
    polls: int
    from_ns: int
    to_ns: int
    seconds: float


def replay(settings: Settings, source: ReplaySource, models: Sequence[Derivation] | None = None) -> Replayed:
    """Replay a recording by these settings; `models` are the site's own asset models unless given, fresh.

    No driver's papers are known to them: what depends on those is UNKNOWN. Raises ReplayError.
    """
    models = settings.plan.models() if models is None else models
    with tempfile.TemporaryDirectory(prefix="sitewarden-replay-") as scratch:
        folder = source.keep or Path(scratch) / "box"
        try:
            folder.mkdir(parents=True, exist_ok=False)
        except OSError as error:
            raise ReplayError(f"{folder}: {error.strerror}, expected a folder that is not there yet") from None
        began_ns = SystemClock().monotonic_ns()
        recording = _recording(settings, source, models, Path(scratch))
        tables = DeviceTables(settings.links, settings.points)
        recording.polls = map(tables.judged, recording.polls)
        fed = _fed(models, recording, settings)
        rules, absent = _split(settings, source, recording, fed)
        run = _Run(settings, rules, fed, folder, every_tick=source.every_tick)
        asyncio.run(run.through(_within(recording.polls, source.span_ns)))
        seconds = (SystemClock().monotonic_ns() - began_ns) / 1e9
    return Replayed(
        transitions=tuple(run.transitions),
        not_in_recording=tuple(sorted(absent)),
        unknown=run.unknown(models),
        unknown_polls=run.unknown_polls(),
        without_fault_bit=tables.without_bits(recording.present),
        recording=recording,
        readings=run.readings,
        polls=run.polls,
        from_ns=run.from_ns,
        to_ns=run.to_ns,
        seconds=seconds,
    )


def _recording(settings: Settings, source: ReplaySource, models: Sequence[Derivation], scratch: Path) -> Recording:
    points = settings.points
    outputs = (point.point_id for model in models for point in model.outputs)
    derived = frozenset(points.index_of[point_id] for point_id in outputs)
    if source.file.is_dir() or source.file.suffix in HISTORY_SUFFIXES:
        return read_history(source.file, points, derived, scratch / "copy", source.span_ns)
    return read_csv(source.file, points, derived, source.utc_offset_minutes)


def _within(polls: Iterator[Readings], span_ns: tuple[int, int]) -> Iterator[Readings]:
    return (readings for readings in polls if span_ns[0] <= readings.observed_at_ns <= span_ns[1])


class _Run:
    """The line of a gateway without its edges: no driver, no uplink, no screen, and a clock that is moved by hand."""

    def __init__(
        self,
        settings: Settings,
        rules: Sequence[ResolvedRule],
        models: Sequence[Derivation],
        folder: Path,
        *,
        every_tick: bool,
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._models = models
        self._folder = folder
        self._every_tick = every_tick
        self._silences = [row for row, rule in enumerate(rules) if rule.family is RuleFamily.SILENCE]
        self._heard = Heard.nothing(len(settings.points), len(rules))
        self.transitions: list[Transition] = []
        self.readings = self.polls = self.from_ns = self.to_ns = 0

    async def through(self, polls: Iterator[Readings]) -> None:
        """Take every poll at its own time; the stores are closed when it returns."""
        first = next(polls, None)
        if first is None:
            return
        self.from_ns = first.observed_at_ns
        self._build(SimulatedClock(first.observed_at_ns))
        recording = asyncio.create_task(self._line.recorder.run())
        try:
            await self._take_all(itertools.chain([first], polls))
            recording.cancel()
            await asyncio.gather(recording, return_exceptions=True)
            await self._pipeline.stop()
            await self._line.recorder.drain()
        finally:
            self._line.history.close(self._clock.now_ns())
            self._alerts.close()

    def _build(self, clock: SimulatedClock) -> None:
        settings, self._clock = self._settings, clock
        points = settings.points
        self._alerts = AlertStore(self._folder, RESERVE_BYTES)
        recorder = Recorder(self._alerts, settings.box.id, settings.site.project_code, (), clock)
        recorder.listeners.append(self._told)
        device_of = {point.point_id: point.device for point in points.points}
        self._line = Line(
            intake=Intake(1, Quarantine(self._folder / "aside")),
            history=HistoryStore(self._folder, points, Bounds(2**62, 36_500), clock.now_ns()),
            window=Window(points, clock.monotonic_ns()),
            rules=RuleTable(self._rules),
            alarms=AlarmTable(settings.box.id, self._rules, settings.alarms.bounds, device_of),
            recorder=recorder,
            clock=clock,
            deriving=Deriving(self._models, points),
        )
        self._pipeline = Pipeline(self._line, FLUSH_MS, MAX_BUFFERED_POLLS, lambda: True, lambda: None)
        self._moments = Moments(self._rules, points, self._models, int(TICK_S * 1e9), every_tick=self._every_tick)

    async def _take_all(self, polls: Iterator[Readings]) -> None:
        for readings in polls:
            self._pass_time(readings.observed_at_ns - self.from_ns)
            self._clock.move_to(readings.observed_at_ns)
            self._pipeline.step([Arrival(readings)])
            self._heard.take(readings, self._line.alarms.truth)
            self.to_ns = readings.observed_at_ns
            self.polls += 1
            self.readings += len(readings.point_index)
            if self.polls % POLLS_BETWEEN_YIELDS == 0:
                await asyncio.sleep(0)

    def _pass_time(self, until_mono_ns: int) -> None:
        """Look at every moment up to the next sample; what is found at one may bring others."""
        arrived_ns = self._clock.monotonic_ns()
        while True:
            plan = self._plan(arrived_ns, until_mono_ns)
            for mono_ns in plan.moments:
                if self._look_at(mono_ns) or mono_ns >= plan.again_ns:
                    break
            else:
                self._pipeline.ticked_mono_ns = max(self._pipeline.ticked_mono_ns, plan.ticked_ns)
                return

    def _plan(self, arrived_ns: int, until_mono_ns: int) -> Plan:
        alarms = self._line.alarms
        silent = bool(alarms.phase[self._silences].any())
        delays_end_ns = alarms.delays_end_ns() - self.from_ns
        ticked = self._pipeline.ticked_mono_ns == arrived_ns
        now = Now(self._line.window, self.from_ns, arrived_ns, delays_end_ns, silent, ticked)
        return self._moments.plan(now, self._clock.monotonic_ns(), until_mono_ns)

    def _look_at(self, mono_ns: int) -> bool:
        """What the passing of time says; whether an alarm's condition or delay took another turn."""
        alarms, before = self._line.alarms, self._line.alarms.phase.copy()
        self._clock.move_to(self.from_ns + mono_ns)
        self._pipeline.step(())
        self._heard.look(alarms.truth)
        return not np.array_equal(alarms.phase, before)

    def unknown(self, models: Sequence[Derivation]) -> tuple[UnknownRule, ...]:
        """The rules that were never judged; `models` are all of the site. Nothing when nothing was replayed."""
        if not self.polls:
            return ()
        return Reasons(self._settings.points, models, self._heard, self._line.window.heard).unknown(self._rules)

    def unknown_polls(self) -> dict[tuple[str, str], int]:
        """After how many polls each rule on each subject was UNKNOWN."""
        counts = self._heard.unknown_polls.tolist()
        return {(rule.info.rule_id, rule.subject): n for rule, n in zip(self._rules, counts, strict=True)}

    def _told(self, told: Sequence[Told]) -> None:
        self.transitions += [entry.transition for entry in told if entry.transition is not None]


def _split(
    settings: Settings, source: ReplaySource, recording: Recording, fed: Sequence[Derivation]
) -> tuple[list[ResolvedRule], set[str]]:
    """The rules to judge by, and the subjects of silence rules that the recording and its models never speak of."""
    derived = {settings.points.index_of[point.point_id] for model in fed for point in model.outputs}
    present = recording.present | derived
    kept, absent = [], set[str]()
    for rule in settings.rules:
        if rule.family is not RuleFamily.SILENCE:
            kept.append(rule)
        elif present.isdisjoint(rule.device_points or (rule.point_index,)):
            absent.add(rule.subject)
        elif source.silence:
            kept.append(rule)
    return kept, absent


def _fed(models: Sequence[Derivation], recording: Recording, settings: Settings) -> list[Derivation]:
    """The models that the recording feeds, also through others; the rest would say UNKNOWN, and take their time."""
    known = {settings.points[index].point_id for index in recording.present}
    found = []
    for model in models:
        if not known.isdisjoint(model.inputs):
            found.append(model)
            known.update(point.point_id for point in model.outputs)
    return found
