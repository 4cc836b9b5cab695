"""What the history says of a pit's points on one day: rows of the daily report, and the forecasts.

In: the history, the records of asset events, a pit, the day's ladder. Out: `PointRow`s and `ForecastRow`s. The day's
last usable reading is the point's reading; a day without one is said as such, never filled from another day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from math import isfinite, isnan, nan

from gateway.model.reading import Quality
from gateway.parts.pit.forecast.forecast import Forecast, ForecastSettings, Stage
from gateway.parts.pit.ladder import Ladder
from gateway.parts.pit.model.baseline import EVENT_KIND as BASELINE_EVENT
from gateway.parts.pit.model.description import PitPoint
from gateway.parts.pit.model.instrument import DEFECT_TITLES, Defect, DirectReading
from gateway.parts.pit.model.outputs import Ending, forecasts
from gateway.parts.pit.report.daily_report import ForecastRow, Level, PointRow, ReadingState
from gateway.store.asset_reader import MAX_ROWS, AssetReader
from gateway.store.history_reader import MAX_SAMPLES, HistoryReader
from screens.formats import SITE_ZONE

BEFORE_NS = 30 * 86_400_000_000_000
"""How far back the reading before the day's is looked for: nothing on a site is read more rarely (PD)."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SUSPECT = (Defect.OUTLIER, Defect.FLAT_LINE, Defect.WRONG_UNIT)
_REMARK_ZERO = "基准变更，本次变化不可比"
_REMARK_NO_RATE = "变化速率未知，不能判为正常"
_REMARK_NO_RAW = "上次值、本次值为累计量"


@dataclass(frozen=True, slots=True)
class DaySpan:
    """A local day (UTC+8) as UTC ns, the end excluded."""

    day: date
    from_ns: int
    to_ns: int


def span_of(day: date) -> DaySpan:
    """The day from local midnight to the next."""
    begin = datetime.combine(day, time(), SITE_ZONE)
    ends = [(each - _EPOCH) // timedelta(microseconds=1) * 1000 for each in (begin, begin + timedelta(days=1))]
    return DaySpan(day, ends[0], ends[1])


@dataclass(frozen=True, slots=True)
class _Reading:
    """One reading of a point: NaN where it is not known."""

    at_ns: int
    value: float


class DayRows:
    """Asks for one pit and one day."""

    def __init__(self, asset: str, span: DaySpan, history: HistoryReader, records: AssetReader) -> None:
        self._asset = asset
        self._span = span
        self._history = history
        self._zeroed_ns = _baselines(asset, span, records)

    def row(self, point: PitPoint, ladder: Ladder) -> PointRow:
        """The point's line. NORMAL needs the rate as well where it has a limit: crossing either one counts."""
        state, now, bad = self._of_the_day(point)
        before = self._last_good(point.name, self._span.from_ns - BEFORE_NS, self._span.from_ns)
        changed = now.value - before.value
        zeroed = any(before.at_ns < at_ns <= now.at_ns for at_ns in self._zeroed_ns.get(point.name, ()))
        measured, previous = self._measured(point, now), self._measured(point, before)
        control, level = ladder.control(point), ladder.level(point)
        rate = self._at(f"{point.name}{Ending.RATE}", now.at_ns)
        unproven = level is Level.NORMAL and isfinite(now.value) and isfinite(control.rate_per_day) and isnan(rate)
        no_raw = isfinite(now.value) and not _says_itself(point)
        told = ((zeroed, _REMARK_ZERO), (unproven, _REMARK_NO_RATE), (no_raw, _REMARK_NO_RAW))
        remarks = [bad, *(words for applies, words in told if applies)]
        return PointRow(
            name=point.name.upper(),
            level=Level.UNKNOWN if unproven else level,
            reading=state,
            previous=previous,
            current=measured,
            change=nan if zeroed else changed,
            cumulative=now.value,
            rate_per_day=rate,
            depth_m=nan if point.depth_m is None else point.depth_m,
            control=control,
            remark="；".join(remark for remark in remarks if remark),
        )

    def forecast(self, point: PitPoint) -> ForecastRow | None:
        """The early warning as of the day's last usable reading; None for an item that is not forecast."""
        if not forecasts(point):
            return None
        at_ns = self._last_good(point.name, self._span.from_ns, self._span.to_ns).at_ns
        low, high, tangent, days, clear_h = (
            self._at(f"{point.name}{ending}", at_ns)
            for ending in (
                Ending.FAILURE_LOW,
                Ending.FAILURE_HIGH,
                Ending.TANGENT,
                Ending.DAYS_TO_LIMIT,
                Ending.FAILURE_CLEAR,
            )
        )
        said = Forecast(low, high, tangent, days, _stage(tangent), isfinite(clear_h))
        return ForecastRow(point.name.upper(), point.item, said)

    def last_known(self, point_id: str) -> float:
        """The last usable value of any point by the end of the day, not older than a month; NaN without one."""
        return self._last_of(point_id, self._span.from_ns - BEFORE_NS, self._span.to_ns).value

    def _of_the_day(self, point: PitPoint) -> tuple[ReadingState, _Reading, str]:
        """What the day's reading is worth, the reading, and words on readings that were not usable."""
        span = self._span
        said = self._history.trace(
            f"{self._asset}.{point.name}{Ending.QUALITY}", span.from_ns, span.to_ns - 1, MAX_SAMPLES
        )
        defects = [Defect(int(each)) for each in said.value if isfinite(each)]
        if not defects:
            return ReadingState.MISSING, _Reading(0, nan), ""
        bad = sum(each not in (Defect.NONE, Defect.NO_BASELINE) for each in defects)
        good = self._last_good(point.name, span.from_ns, span.to_ns)
        if isfinite(good.value):
            return ReadingState.GOOD, good, f"当日无效读数 {bad} 次" if bad else ""
        words = DEFECT_TITLES[defects[-1]][0]
        at = _Reading(int(said.t_ns[-1]), nan)
        if defects[-1] is Defect.NO_BASELINE:
            return ReadingState.GOOD, at, words
        return (ReadingState.SUSPECT if defects[-1] in _SUSPECT else ReadingState.BAD), _Reading(0, nan), words

    def _measured(self, point: PitPoint, reading: _Reading) -> float:
        """What the instrument said for a reading, in the item's unit. Of an instrument whose own number is not kept it
        is the cumulative value."""
        if not reading.at_ns or not isinstance(point.source, DirectReading) or not _says_itself(point):
            return reading.value
        raw = self._last_of(point.source.point, reading.at_ns, reading.at_ns + 1)
        return raw.value * point.source.scale

    def _last_good(self, quantity: str, from_ns: int, to_ns: int) -> _Reading:
        return self._last_of(f"{self._asset}.{quantity}", from_ns, to_ns)

    def _last_of(self, point_id: str, from_ns: int, to_ns: int) -> _Reading:
        trace = self._history.trace(point_id, from_ns, to_ns - 1, MAX_SAMPLES)
        good = (trace.quality == Quality.GOOD).nonzero()[0]
        return _Reading(int(trace.t_ns[good[-1]]), float(trace.value[good[-1]])) if len(good) else _Reading(0, nan)

    def _at(self, quantity: str, at_ns: int) -> float:
        """A value that was derived from the reading at this time."""
        return self._last_good(quantity, at_ns, at_ns + 1).value if at_ns else nan


def _says_itself(point: PitPoint) -> bool:
    return isinstance(point.source, DirectReading) and point.reading_interval_s == 0


def _stage(tangent_deg: float) -> Stage:
    """What the tangent angle alone proves. Between steady and medium acceleration it proves nothing."""
    settings = ForecastSettings()
    if tangent_deg >= settings.imminent_deg:
        return Stage.IMMINENT
    if tangent_deg >= settings.medium_deg:
        return Stage.MEDIUM_ACCELERATION
    return Stage.STEADY if tangent_deg <= settings.accelerating_deg else Stage.UNKNOWN


def _baselines(asset: str, span: DaySpan, records: AssetReader) -> Mapping[str, Sequence[int]]:
    """When baselines came into force at each point, UTC ns, as far back as readings are compared."""
    found: dict[str, list[int]] = {}
    for event in records.events(asset, BASELINE_EVENT, span.from_ns - BEFORE_NS, span.to_ns, MAX_ROWS):
        found.setdefault(str(event.content.get("point", "")), []).append(event.at_ns)
    return found
