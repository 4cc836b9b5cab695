"""What is measured at a pit, and at what: the items and structures of GB 50497-2019, with titles and units.

In: nothing. Out: enums that settings, models and rules share, and one line of facts for each item. Items: Table 4.2.1
(certainty V1 for the items that every grade or grade 1 must measure, M-M for the rest). Knows no limits.

Which way is positive: towards the pit for horizontal displacements; downwards for settlements and vertical
displacements; upwards for base heave and for the groundwater level (a rise); compression for struts, tension for
anchors; opening for cracks. A point's `sign` turns an instrument that sees it the other way round. Vertical
displacements and the groundwater level can be wrong both ways.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class PitItem(StrEnum):
    """A monitored item (监测项目); the value is what rules call it (`Point.item`)."""

    WALL_TOP_HORIZONTAL = "wall_top_horizontal_displacement"
    WALL_TOP_VERTICAL = "wall_top_vertical_displacement"
    DEEP_HORIZONTAL = "deep_horizontal_displacement"
    COLUMN_VERTICAL = "column_vertical_displacement"
    WALL_FORCE = "wall_internal_force"
    STRUT_FORCE = "support_axial_force"
    COLUMN_FORCE = "column_internal_force"
    ANCHOR_FORCE = "anchor_axial_force"
    BASE_HEAVE = "basal_heave"
    EARTH_PRESSURE = "earth_pressure"
    PORE_PRESSURE = "pore_pressure"
    GROUNDWATER = "groundwater_level"
    LAYERED_SOIL = "soil_layered_vertical_displacement"
    GROUND_SETTLEMENT = "surface_settlement"
    BUILDING_SETTLEMENT = "building_settlement"
    BUILDING_TILT = "building_inclination"
    BUILDING_HORIZONTAL = "building_horizontal_displacement"
    BUILDING_CRACK = "crack_width_building"
    GROUND_CRACK = "crack_width_surface"
    PIPELINE_SETTLEMENT = "pipeline_settlement"
    PIPELINE_HORIZONTAL = "pipeline_horizontal_displacement"
    ROAD_SETTLEMENT = "road_settlement"


class PitStructure(StrEnum):
    """What the point sits on, as far as a limit table tells kinds apart (GB 50497-2019 Tables 8.0.4 and 8.0.5)."""

    SOIL_NAIL = "soil_nail_wall"
    COMPOSITE_SOIL_NAIL = "composite_soil_nail_wall"
    ANCHOR_SHOTCRETE = "anchor_shotcrete"
    CEMENT_SOIL_WALL = "cement_soil_wall"
    BORED_PILES = "bored_piles"
    DIAPHRAGM_WALL = "diaphragm_wall"
    SHEET_PILES = "sheet_piles"
    SMW_WALL = "smw_wall"
    RIGID_PRESSURE_PIPE = "rigid_pressure_pipe"
    RIGID_GRAVITY_PIPE = "rigid_non_pressure_pipe"
    FLEXIBLE_PIPE = "flexible_pipe"
    TRUNK_ROAD = "trunk_road"
    CITY_ROAD = "city_road"
    EXISTING_CRACK = "existing_crack"
    NEW_CRACK = "new_crack"
    OTHER = "other"


class ItemNature(StrEnum):
    """MOVEMENT counts from a zero survey. LOAD (a force, a pressure) has the zero of its calibration sheet."""

    MOVEMENT = "movement"
    LOAD = "load"


class DesignShare(StrEnum):
    """A design value that a load is a share of, as Table 8.0.4 names it: the end of the derived item's name."""

    F1 = "f1"
    """Design value of the load (荷载设计值)."""
    F2 = "f2"
    """Capacity of the member (构件承载能力设计值)."""
    FY = "fy"
    """Preload of a strut or an anchor (预应力设计值)."""


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """One item: titles, unit of the cumulative value, nature, and the design values its load is compared with.

    `noise` is what its instruments scatter by, `rising_per_day` from which rate on it is said to rise: both in the
    item's unit and PD (the noise of displacements after the accuracies of GB 50497-2019 ch. 6, M-M); a point may say
    its own.
    """

    title_zh: str
    title_en: str
    unit: str
    nature: ItemNature = ItemNature.MOVEMENT
    shares: tuple[DesignShare, ...] = ()
    noise: float = 0.5
    rising_per_day: float = 0.5

    @property
    def rate_unit(self) -> str:
        """Unit of the rate."""
        return f"{self.unit}/d"


_LOAD = ItemNature.LOAD
_MEMBER = (DesignShare.F2,)
_TENSIONED = (DesignShare.F2, DesignShare.FY)
_SOIL = (DesignShare.F1,)

ITEMS: Mapping[PitItem, ItemFacts] = {
    PitItem.WALL_TOP_HORIZONTAL: ItemFacts(
        "围护墙（边坡）顶部水平位移", "Wall or slope top horizontal displacement", "mm"
    ),
    PitItem.WALL_TOP_VERTICAL: ItemFacts("围护墙（边坡）顶部竖向位移", "Wall or slope top vertical displacement", "mm"),
    PitItem.DEEP_HORIZONTAL: ItemFacts("深层水平位移", "Deep horizontal displacement", "mm"),
    PitItem.COLUMN_VERTICAL: ItemFacts("立柱竖向位移", "Column vertical displacement", "mm"),
    PitItem.WALL_FORCE: ItemFacts("围护墙内力", "Wall internal force", "kN", _LOAD, _MEMBER, 5.0, 20.0),
    PitItem.STRUT_FORCE: ItemFacts("支撑轴力", "Strut axial force", "kN", _LOAD, _TENSIONED, 5.0, 20.0),
    PitItem.COLUMN_FORCE: ItemFacts("立柱内力", "Column internal force", "kN", _LOAD, _MEMBER, 5.0, 20.0),
    PitItem.ANCHOR_FORCE: ItemFacts("锚杆轴力", "Anchor axial force", "kN", _LOAD, _TENSIONED, 5.0, 20.0),
    PitItem.BASE_HEAVE: ItemFacts("坑底隆起", "Base heave", "mm"),
    PitItem.EARTH_PRESSURE: ItemFacts("土压力", "Lateral earth pressure", "kPa", _LOAD, _SOIL, 1.0, 2.0),
    PitItem.PORE_PRESSURE: ItemFacts("孔隙水压力", "Pore water pressure", "kPa", _LOAD, _SOIL, 1.0, 2.0),
    PitItem.GROUNDWATER: ItemFacts("地下水位", "Groundwater level", "mm", noise=10.0, rising_per_day=100.0),
    PitItem.LAYERED_SOIL: ItemFacts("土体分层竖向位移", "Layered soil vertical displacement", "mm"),
    PitItem.GROUND_SETTLEMENT: ItemFacts("周边地表竖向位移", "Surrounding ground settlement", "mm"),
    PitItem.BUILDING_SETTLEMENT: ItemFacts("周边建筑竖向位移", "Building vertical displacement", "mm"),
    PitItem.BUILDING_TILT: ItemFacts("周边建筑倾斜", "Building tilt", "‰", noise=0.05, rising_per_day=0.02),
    PitItem.BUILDING_HORIZONTAL: ItemFacts("周边建筑水平位移", "Building horizontal displacement", "mm"),
    PitItem.BUILDING_CRACK: ItemFacts(
        "周边建筑裂缝宽度", "Building crack width", "mm", noise=0.05, rising_per_day=0.05
    ),
    PitItem.GROUND_CRACK: ItemFacts("周边地表裂缝宽度", "Ground crack width", "mm", noise=0.1, rising_per_day=0.2),
    PitItem.PIPELINE_SETTLEMENT: ItemFacts("周边管线竖向位移", "Pipeline vertical displacement", "mm"),
    PitItem.PIPELINE_HORIZONTAL: ItemFacts("周边管线水平位移", "Pipeline horizontal displacement", "mm"),
    PitItem.ROAD_SETTLEMENT: ItemFacts("周边道路竖向位移", "Road settlement", "mm"),
}

STRUCTURE_TITLES: Mapping[PitStructure, tuple[str, str]] = {
    PitStructure.SOIL_NAIL: ("土钉墙", "Soil-nail wall"),
    PitStructure.COMPOSITE_SOIL_NAIL: ("复合土钉墙", "Composite soil-nail wall"),
    PitStructure.ANCHOR_SHOTCRETE: ("锚喷支护", "Anchor and shotcrete"),
    PitStructure.CEMENT_SOIL_WALL: ("水泥土墙", "Cement-soil wall"),
    PitStructure.BORED_PILES: ("灌注桩", "Bored piles"),
    PitStructure.DIAPHRAGM_WALL: ("地下连续墙", "Diaphragm wall"),
    PitStructure.SHEET_PILES: ("钢板桩", "Sheet piles"),
    PitStructure.SMW_WALL: ("型钢水泥土墙", "SMW wall"),
    PitStructure.RIGID_PRESSURE_PIPE: ("刚性压力管道", "Rigid pressure pipe"),
    PitStructure.RIGID_GRAVITY_PIPE: ("刚性非压力管道", "Rigid non-pressure pipe"),
    PitStructure.FLEXIBLE_PIPE: ("柔性管线", "Flexible pipe"),
    PitStructure.TRUNK_ROAD: ("高速公路、道路主干", "Expressway or trunk road"),
    PitStructure.CITY_ROAD: ("一般城市道路", "Ordinary city road"),
    PitStructure.EXISTING_CRACK: ("既有裂缝", "Existing crack"),
    PitStructure.NEW_CRACK: ("新增裂缝", "New crack"),
    PitStructure.OTHER: ("其他", "Other"),
}


def rate_item(item: PitItem) -> str:
    """What rules call the rate of an item."""
    return f"{item}_rate"


def share_item(item: PitItem, share: DesignShare) -> str:
    """What rules call a load as per cent of a design value, such as `support_axial_force_pct_f2`."""
    return f"{item}_pct_{share}"
