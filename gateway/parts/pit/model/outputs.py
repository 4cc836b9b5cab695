"""What the models of a pit say: the derived points of each monitoring point and of the pit, with titles and units.

In: a description. Out: `Point`s. Rules name them by `item`; the quantity is the point's name with an ending. What a
point says is unknown once it is older than the point's `valid_for_s`.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.model.quantity import Point
from gateway.parts.pit.model.description import PitDescription, PitPoint
from gateway.parts.pit.model.items import DesignShare, ItemNature, PitItem, rate_item, share_item
from gateway.parts.pit.model.strut_load import StrutLoad

SOURCE = "derived by the box from the pit's monitoring points"
PIT_PERIOD_S = 60.0
_PIT_STALE_S = 5 * PIT_PERIOD_S


class Ending(StrEnum):
    """The endings of a monitoring point's derived quantities; the cumulative value has none."""

    RATE = "_rate"
    DAY_RATE = "_day_rate"
    QUALITY = "_quality"
    GAUGES = "_gauges"
    PCT_F1 = "_pct_f1"
    PCT_F2 = "_pct_f2"
    PCT_FY = "_pct_fy"
    TANGENT = "_tangent_deg"
    FAILURE_LOW = "_failure_low_h"
    FAILURE_HIGH = "_failure_high_h"
    DAYS_TO_LIMIT = "_days_to_limit"
    FAILURE_CLEAR = "_failure_clear_h"
    RISING = "_rising"
    OVERDUE = "_overdue"


@dataclass(frozen=True, slots=True)
class _Said:
    """One thing said of a point: what it is called and measured in."""

    ending: Ending
    item: str
    unit: str
    title_zh: str
    title_en: str


_FORECASTS = (
    _Said(Ending.TANGENT, "pit_tangent_deg", "deg", "改进切线角", "improved tangent angle"),
    _Said(Ending.FAILURE_LOW, "pit_failure_low_h", "h", "距失稳时间（下限）", "time to failure, lower bound"),
    _Said(Ending.FAILURE_HIGH, "pit_failure_high_h", "h", "距失稳时间（上限）", "time to failure, upper bound"),
    _Said(Ending.DAYS_TO_LIMIT, "pit_days_to_limit", "d", "达到控制值天数", "days to the control value"),
    _Said(
        Ending.FAILURE_CLEAR,
        "pit_failure_clear_h",
        "h",
        "距失稳时间（下限，证据明确）",
        "time to failure, lower bound, on clear evidence",
    ),
)
_QUALITY = _Said(Ending.QUALITY, "pit_reading_quality", "", "数据质量", "reading quality")
_GAUGES = _Said(Ending.GAUGES, "pit_gauge_count", "", "有效传感器数", "gauges alive")
_RISING = _Said(Ending.RISING, "pit_rising_together", "", "同步上升", "rising together")
_OVERDUE = _Said(Ending.OVERDUE, "pit_reading_overdue_h", "h", "监测超期", "reading overdue")


def shares_known(point: PitPoint) -> tuple[DesignShare, ...]:
    """The design values that this point's load can be compared with."""
    control = point.control
    return tuple(share for share in point.facts.shares if control is not None and control.design(share) is not None)


def forecasts(point: PitPoint) -> bool:
    """Whether the point's movement is one that creeps towards failure or a limit: displacements, not the water."""
    moves = point.facts.nature is ItemNature.MOVEMENT and point.facts.unit == "mm"
    return moves and point.item is not PitItem.GROUNDWATER


def point_outputs(asset: str, point: PitPoint) -> tuple[Point, ...]:
    """What the model of one monitoring point says, in the order in which it says it."""
    own = _made(asset, point, "", point.item, point.facts.unit, (point.title_zh, point.title_en))
    return (own, *(_derived(asset, point, said) for said in _said_of(point)))


def pit_outputs(pit: PitDescription) -> tuple[Point, ...]:
    """What the model of the pit says: rising together and overdue for each point, then of the pit as a whole."""
    device = pit_device(pit.asset)
    rising = [_of_pit(pit.asset, point, _RISING, device) for point in pit.points]
    overdue = [_of_pit(pit.asset, point, _OVERDUE, device) for point in pit.points]
    whole = (
        ("no_third_party", "", "无第三方监测", "No third-party monitoring"),
        ("base_slab_cast", "", "底板已浇筑", "Base slab cast"),
        ("excavated_share", "", "开挖深度与设计深度之比", "Excavated depth over design depth"),
    )
    own = [
        Point(f"{pit.asset}.{key}", pit.asset, key, unit, device, zh, en, stale_after_s=_PIT_STALE_S, source=SOURCE)
        for key, unit, zh, en in whole
    ]
    return (*rising, *overdue, *own)


def point_device(asset: str, point: PitPoint) -> str:
    """The virtual device that delivers a monitoring point."""
    return f"{asset}:{point.name}"


def pit_device(asset: str) -> str:
    """The virtual device that delivers what is said of the pit."""
    return f"{asset}:pit"


def _said_of(point: PitPoint) -> list[_Said]:
    facts = point.facts
    said = [
        _Said(Ending.RATE, rate_item(point.item), facts.rate_unit, "变化速率", "rate"),
        _Said(Ending.DAY_RATE, f"{point.item}_day_rate", facts.rate_unit, "日变化量", "change over a day"),
        _QUALITY,
    ]
    if isinstance(point.source, StrutLoad):
        said.append(_GAUGES)
    for share in shares_known(point):
        words = (f"占设计值 {share} 百分比", f"per cent of {share}")
        said.append(_Said(Ending(f"_pct_{share}"), share_item(point.item, share), "%", *words))
    return said + list(_FORECASTS if forecasts(point) else ())


def _derived(asset: str, point: PitPoint, said: _Said) -> Point:
    titles = (f"{point.title_zh} {said.title_zh}", f"{point.title_en}, {said.title_en}")
    return _made(asset, point, said.ending, said.item, said.unit, titles)


def _made(asset: str, point: PitPoint, ending: str, item: str, unit: str, titles: tuple[str, str]) -> Point:
    quantity = point.name + ending
    device = point_device(asset, point)
    return Point(
        point_id=f"{asset}.{quantity}",
        asset=asset,
        quantity=quantity,
        unit=unit,
        device=device,
        title_zh=titles[0],
        title_en=titles[1],
        stale_after_s=point.valid_for_s,
        source=SOURCE,
        item=item,
    )


def _of_pit(asset: str, point: PitPoint, said: _Said, device: str) -> Point:
    quantity = point.name + said.ending
    return Point(
        point_id=f"{asset}.{quantity}",
        asset=asset,
        quantity=quantity,
        unit=said.unit,
        device=device,
        title_zh=f"{point.title_zh} {said.title_zh}",
        title_en=f"{point.title_en}, {said.title_en}",
        stale_after_s=_PIT_STALE_S,
        source=SOURCE,
        item=said.item,
    )
