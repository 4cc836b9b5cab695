"""A made-up daily report with a point of every item. No real place, unit or person."""

from datetime import UTC, date, datetime

from gateway.parts.pit.forecast.forecast import Forecast, Stage
from gateway.parts.pit.model.items import PitItem
from gateway.parts.pit.report.daily_report import (
    Control,
    DailyReport,
    ForecastRow,
    Heading,
    ItemTable,
    Level,
    PointRow,
    ReadingState,
    Weather,
    Works,
)

HEADING = Heading(
    project="示范商务楼一期",
    pit="pit-1",
    pit_title="1 号基坑",
    day=date(2026, 11, 22),
    number=37,
    prepared_at=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
    project_code="DEMO-0001",
    monitoring_unit="示范监测单位",
    box="box-1",
)
DESIGN = Control(30.0, rate_per_day=3.0, source="design", clause="监测方案 3.2", certainty="SITE")


def good_row(name: str) -> PointRow:
    """A point that was read today and is far from its limits."""
    return PointRow(
        name, Level.NORMAL, ReadingState.GOOD, 11.2, 12.35, 1.15, 12.35, 1.15, control=DESIGN, remark="自动采集"
    )


def full_report() -> DailyReport:
    """A point of each item."""
    tables = tuple(ItemTable(item, (good_row(f"{item.name}-1"),), instrument="自动化采集") for item in PitItem)
    forecast = Forecast(20.2, 41.7, 82.0, 1.25, Stage.MEDIUM_ACCELERATION, clear=True)
    return DailyReport(
        heading=HEADING,
        weather=Weather("小雨", 9.0, 15.0, 6.5),
        works=Works("第三层土方开挖，第二道支撑已完成", 9.2, 14.6, "一级"),
        tables=tables,
        forecasts=(ForecastRow("S1", PitItem.WALL_TOP_HORIZONTAL, forecast),),
    )
