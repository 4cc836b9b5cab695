"""The points of a crane: what its models read, and what they derive.

In: an asset id and which inputs exist on this crane. Out: `Point`s with titles, units and bounds. Only what can ever be
known on this crane becomes a point: a crane without an anemometer has no derived wind.
"""

from collections.abc import Collection
from dataclasses import dataclass
from math import inf

from gateway.model.quantity import Point
from gateway.parts.crane.model.description import CraneDescription

CRANE_INPUTS = (
    "load_t",
    "rated_t",
    "moment_pct",
    "radius_m",
    "hook_m",
    "crane_h_m",
    "slew_deg",
    "wind_ms",
    "tilt_deg",
    "tilt_x_deg",
    "tilt_y_deg",
    "multiple",
    "motor",
    "work_status",
    "driver_no",
    "multi_alarm",
    "travel_m",
    "no_lift_zone",
    "forbidden_zone",
    "line_margin_m",
    "weight_error",
    "wind_error",
    "range_error",
    "height_error",
    "angle_error",
    "tilt_error",
    "id_error",
)
"""Point keys that the model reads, in this order. Any may be absent. Zones and line margin are derived by a model of
their own; all others come from the crane's devices."""
SURROUNDINGS = ("no_lift_zone", "forbidden_zone", "line_margin_m")

PAPERS, SLEW_LIMITS, RAILS = "(papers)", "(slew limits)", "(rails)"
DESCRIPTION = "(description)"
_OF_THE_DESCRIPTION = frozenset(
    {
        "rated_load_t",
        "load_pct",
        "chart_moment_pct",
        "hook_x_m",
        "hook_y_m",
        "hook_z_m",
        "load_spectrum_factor",
        "limit_uncut_s",
        "swing_deg",
        "side_pull_deg",
        "hook_top_clearance_m",
        "radius_out_margin_m",
        "radius_in_margin_m",
    }
)
"""What nobody can know of a crane whose place, build and load chart were never said."""
_TILT = (("tilt_deg",), ("tilt_x_deg", "tilt_y_deg"))
_POSE = ("radius_m", "slew_deg")
_COMPARED = ("load_t", "slew_deg", "radius_m", "wind_ms")


@dataclass(frozen=True, slots=True)
class DerivedQuantity:
    """One thing that a crane's model can say. `needs`: ways to know it, each a set of inputs that it takes."""

    key: str
    unit: str
    title_zh: str
    title_en: str
    needs: tuple[tuple[str, ...], ...]
    minimum: float = 0.0
    maximum: float = inf


DERIVED = (
    DerivedQuantity("rated_load_t", "t", "额定起重量（特性表）", "Rated load by the chart", (("radius_m",),)),
    DerivedQuantity("load_pct", "%", "起重量百分比", "Load, share of the largest rated load", (("load_t",),), -inf),
    DerivedQuantity(
        "chart_moment_pct", "%", "力矩百分比（特性表）", "Load moment by the chart", (("load_t", "radius_m"),), -inf
    ),
    DerivedQuantity("hook_x_m", "m", "吊钩东向坐标", "Hook, east", (_POSE,), -inf),
    DerivedQuantity("hook_y_m", "m", "吊钩北向坐标", "Hook, north", (_POSE,), -inf),
    DerivedQuantity("hook_z_m", "m", "吊钩标高", "Hook, level", (("hook_m",),), -inf),
    DerivedQuantity("wind_1s_ms", "m/s", "瞬时风速（1秒平均）", "Wind, 1 s mean", (("wind_ms",),)),
    DerivedQuantity("wind_3s_ms", "m/s", "阵风（3秒滑动平均）", "Wind, 3 s running mean", (("wind_ms",),)),
    DerivedQuantity("gust_3s_ms", "m/s", "10分钟最大阵风", "Largest 3 s gust in 10 minutes", (("wind_ms",),)),
    DerivedQuantity("wind_2min_ms", "m/s", "2分钟平均风速", "Wind, 2 minute mean", (("wind_ms",),)),
    DerivedQuantity("wind_10min_ms", "m/s", "10分钟平均风速", "Wind, 10 minute mean", (("wind_ms",),)),
    DerivedQuantity("beaufort", "", "风力等级（2分钟平均）", "Wind force, 2 minute mean", (("wind_ms",),), 0, 12),
    DerivedQuantity(
        "operating_state",
        "",
        "作业状态（0空闲 1吊装 2顶升 3停用）",
        "Operating state (0 idle, 1 lifting, 2 climbing, 3 out of service)",
        (("load_t",),),
        0,
        3,
    ),
    DerivedQuantity("lifting", "", "吊装中", "Lifting", (("load_t",),), 0, 1),
    DerivedQuantity("climbing", "", "顶升中", "Climbing", (("work_status",), ("crane_h_m",)), 0, 1),
    DerivedQuantity("cycle_count", "", "工作循环次数", "Working cycles", (("load_t",),)),
    DerivedQuantity("load_spectrum_factor", "", "载荷谱系数", "Load spectrum factor", (("load_t",),)),
    DerivedQuantity(
        "fatigue_damage",
        "",
        "疲劳损伤（占设计寿命）",
        "Fatigue, share of life",
        (("moment_pct",), ("load_t", "radius_m")),
    ),
    DerivedQuantity("tilt_permille", "‰", "塔身倾斜", "Mast tilt", _TILT),
    DerivedQuantity(
        "tilt_drift_permille",
        "‰",
        "塔身倾斜漂移（空载、同方位）",
        "Mast tilt drift (no load, same sector)",
        tuple((*each, *_COMPARED) for each in _TILT),
    ),
    DerivedQuantity(
        "tilt_drift_bearing_deg",
        "deg",
        "倾斜漂移方向",
        "Bearing of the tilt drift",
        (("tilt_x_deg", "tilt_y_deg", *_COMPARED),),
        0,
        360,
    ),
    DerivedQuantity(
        "tilt_drift_cause",
        "",
        "倾斜漂移类型（0固定方向 1随臂架转动）",
        "Tilt drift (0 fixed: base, 1 turns with the jib: structure)",
        (("tilt_x_deg", "tilt_y_deg", *_COMPARED),),
        0,
        1,
    ),
    DerivedQuantity(
        "limit_uncut_s",
        "s",
        "超限未切断时长",
        "Motion beyond its limit, for",
        (("moment_pct", "hook_m"), ("load_t", "hook_m"), ("radius_m",)),
    ),
    DerivedQuantity(
        "sensor_fault",
        "",
        "传感器故障",
        "Sensor fault",
        tuple((key,) for key in CRANE_INPUTS if key.endswith("_error")),
        0,
        1,
    ),
    DerivedQuantity(
        "climbing_unchecked",
        "",
        "顶升前未检查",
        "Climbing without a filed check",
        (("work_status", PAPERS), ("crane_h_m", PAPERS)),
        0,
        1,
    ),
    DerivedQuantity(
        "unregistered_use", "", "未办理使用登记使用", "In use without registration", (("load_t", PAPERS),), 0, 1
    ),
    DerivedQuantity(
        "driver_uncertified",
        "",
        "司机无有效证书",
        "Driver without a valid certificate",
        (("load_t", "driver_no", PAPERS),),
        0,
        1,
    ),
    DerivedQuantity("swing_deg", "deg", "吊重摆角（估算）", "Load swing, estimated", (("load_t", *_POSE),), 0, 180),
    DerivedQuantity(
        "side_pull_deg", "deg", "斜拉角（估算）", "Side pull, estimated", (("load_t", "hook_m", *_POSE),), 0, 90
    ),
    DerivedQuantity("hook_top_clearance_m", "m", "吊钩至臂架距离", "Hook to jib", (("hook_m",),), -inf),
    DerivedQuantity("radius_out_margin_m", "m", "幅度外限余量", "Radius margin, outwards", (("radius_m",),), -inf),
    DerivedQuantity("radius_in_margin_m", "m", "幅度内限余量", "Radius margin, inwards", (("radius_m",),), -inf),
    DerivedQuantity("slew_turn_deg", "deg", "累计回转角", "Slew from zero, with turns", (("slew_deg",),), -inf),
    DerivedQuantity("slew_left_margin_deg", "deg", "左转余量", "Slew margin, left", (("slew_deg", SLEW_LIMITS),), -inf),
    DerivedQuantity(
        "slew_right_margin_deg", "deg", "右转余量", "Slew margin, right", (("slew_deg", SLEW_LIMITS),), -inf
    ),
    DerivedQuantity("travel_margin_m", "m", "行走余量", "Travel to the end of the rails", (("travel_m", RAILS),), -inf),
)
"""Everything a crane's model can say, in the order in which it says it."""


def derivable(present: Collection[str]) -> tuple[int, ...]:
    """Positions in `DERIVED` of what can be known when these inputs and features exist."""
    return tuple(
        i
        for i, quantity in enumerate(DERIVED)
        if any(all(key in present for key in way) for way in quantity.needs)
        and (DESCRIPTION in present or quantity.key not in _OF_THE_DESCRIPTION)
    )


def derived_point(crane: CraneDescription, quantity: DerivedQuantity, device: str) -> Point:
    """The point of one derived quantity of one crane."""
    return Point(
        f"{crane.asset}.{quantity.key}",
        crane.asset,
        quantity.key,
        quantity.unit,
        device,
        quantity.title_zh,
        quantity.title_en,
        quantity.minimum,
        quantity.maximum,
        crane.parameters.stale_after_s,
        "derived",
    )
