"""One day of one pit as a report: works, weather, a table of each item, forecasts, the day's alarms.

In: the settings in force and the stores, read when the report is printed first. Out: a `DailyReport`. What nobody has
said or measured stays unknown. Runs in a thread; writes nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import nan

import numpy as np

from gateway.model.alarm import Alarm
from gateway.parts.pit.day_rows import DayRows, DaySpan
from gateway.parts.pit.hand_points import hand_points
from gateway.parts.pit.ladder import LEVEL_OF, Ladder
from gateway.parts.pit.model.description import PitDescription, PitPoint
from gateway.parts.pit.model.hydrostatic_level import HydrostaticLevel
from gateway.parts.pit.model.inclinometer import InclinometerDepth
from gateway.parts.pit.model.instrument import DirectReading
from gateway.parts.pit.model.items import ITEMS
from gateway.parts.pit.model.strut_load import StrutLoad
from gateway.parts.pit.model.vibrating_wire import VibratingWire
from gateway.parts.pit.model.water_level import WaterLevel
from gateway.parts.pit.report.daily_report import DailyReport, Heading, ItemTable, Weather, Works
from gateway.parts.weather.kind import WEATHER_MAST
from gateway.settings import Settings
from gateway.store.alert_store import AlertStore
from gateway.store.asset_reader import AssetReader
from gateway.store.history_reader import HistoryReader
from screens.formats import SITE_ZONE

MINUTES_A_DAY = 1440
MOST_ALARMS = 12
"""How many of a day's alarms are named; of the others it says how many."""
TEMPERATURE = ("temp", "degC")
"""What weather masts call the air temperature, and its unit (config/devices/weather-mast-mqtt.yaml)."""
DECIMALS = {"mm": 2, "kN": 1, "kPa": 1, "‰": 2}
GRADES = {1: "一级", 2: "二级", 3: "三级"}
_INSTRUMENTS: Sequence[tuple[type, str]] = (
    (VibratingWire, "振弦式传感器"),
    (InclinometerDepth, "固定式测斜仪"),
    (HydrostaticLevel, "静力水准仪"),
    (StrutLoad, "振弦式轴力计（组）"),
    (WaterLevel, "水位计"),
)


@dataclass(frozen=True, slots=True)
class DayStores:
    """What is asked for a day."""

    history: HistoryReader
    records: AssetReader
    alerts: AlertStore


@dataclass(frozen=True, slots=True)
class Print:
    """Which report of the pit it is, and when it is made (UTC ns)."""

    number: int
    prepared_at_ns: int


def day_report(settings: Settings, pit: PitDescription, span: DaySpan, stores: DayStores, how: Print) -> DailyReport:
    """The report of a finished day."""
    rows = DayRows(pit.asset, span, stores.history, stores.records)
    alarms = stores.alerts.active_between(pit.asset, span.from_ns, span.to_ns)
    ladder = Ladder(pit.asset, settings.rules, alarms)
    said = [rows.forecast(point) for point in pit.points]
    return DailyReport(
        heading=_heading(settings, pit, span, how),
        weather=_weather(settings, span, stores.history),
        works=_works(pit, span, rows),
        tables=tuple(_tables(pit, rows, ladder)),
        forecasts=tuple(each for each in said if each is not None),
        remarks=_remarks(alarms),
    )


def _heading(settings: Settings, pit: PitDescription, span: DaySpan, how: Print) -> Heading:
    title = next((asset.title_zh for asset in settings.assets if asset.id == pit.asset), pit.asset)
    return Heading(
        project=settings.site.title_zh,
        pit=pit.asset,
        pit_title=title,
        day=span.day,
        number=how.number,
        prepared_at=datetime.fromtimestamp(how.prepared_at_ns / 1e9, UTC),
        project_code=settings.site.project_code,
        box=settings.box.id,
    )


def _works(pit: PitDescription, span: DaySpan, rows: DayRows) -> Works:
    stage = pit.stage
    if stage.excavated_point:
        excavated_m = rows.last_known(stage.excavated_point)
    else:
        excavated_m = nan if stage.excavated_m is None else stage.excavated_m
    cast = stage.base_slab_cast_ns is not None and stage.base_slab_cast_ns < span.to_ns
    return Works(
        stage="底板已浇筑" if cast else "",
        excavated_m=excavated_m,
        design_depth_m=nan if pit.design_depth_m is None else pit.design_depth_m,
        grade="" if pit.grade is None else GRADES[int(pit.grade)],
    )


def _weather(settings: Settings, span: DaySpan, history: HistoryReader) -> Weather:
    """The air temperature of the first mast that said any; the rest is for people to say."""
    masts = {asset.id for asset in settings.assets if asset.kind == WEATHER_MAST.id}
    for point in settings.points.points:
        if point.asset not in masts or (point.quantity, point.unit) != TEMPERATURE:
            continue
        minutes = history.minutes(point.point_id, span.from_ns, span.to_ns - 1, MINUTES_A_DAY)
        known = (minutes.count[:, 0] > 0) & (minutes.minute_ns >= span.from_ns)
        if known.any():
            lowest, highest = np.nanmin(minutes.low[known, 0]), np.nanmax(minutes.high[known, 0])
            return Weather(lowest_c=float(lowest), highest_c=float(highest))
    return Weather()


def _tables(pit: PitDescription, rows: DayRows, ladder: Ladder) -> Iterator[ItemTable]:
    for item, facts in ITEMS.items():
        points = [point for point in pit.points if point.item is item]
        if points:
            lines = tuple(rows.row(point, ladder) for point in points)
            yield ItemTable(item, lines, DECIMALS.get(facts.unit, 2), _instrument(pit, points))


def _instrument(pit: PitDescription, points: Sequence[PitPoint]) -> str:
    by_hand = {each.point.name for each in hand_points(pit).values()}
    names = [_instrument_of(point, point.name in by_hand) for point in points]
    return "、".join(dict.fromkeys(names))


def _instrument_of(point: PitPoint, by_hand: bool) -> str:
    if isinstance(point.source, DirectReading):
        return "人工测量" if by_hand else "自动采集"
    return next((name for kind, name in _INSTRUMENTS if isinstance(point.source, kind)), "")


def _remarks(alarms: Sequence[Alarm]) -> str:
    """The alarms whose condition held on the day, the gravest first."""
    if not alarms:
        return "当日无报警记录"
    order = list(LEVEL_OF)
    gravest = sorted(alarms, key=lambda alarm: -order.index(alarm.rule.severity))
    words = [_alarm_words(alarm) for alarm in gravest[:MOST_ALARMS]]
    more = f"；另有 {len(alarms) - MOST_ALARMS} 条" if len(alarms) > MOST_ALARMS else ""
    return f"当日报警 {len(alarms)} 条：" + "；".join(words) + more


def _alarm_words(alarm: Alarm) -> str:
    since = datetime.fromtimestamp(alarm.raised_at_ns / 1e9, UTC).astimezone(SITE_ZONE)
    state = "（当前无法判断）" if alarm.unknown else ""
    return f"[{alarm.rule.severity}] {alarm.rule.title_zh} {alarm.subject} 自 {since:%m-%d %H:%M}{state}"
