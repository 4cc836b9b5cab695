"""The kind `tower-crane`: what a site file, a rule pack, the box's memory and the site plan know of tower cranes."""

from gateway.parts.crane.settings.crane import CraneSettings
from gateway.parts.crane.settings.groups import CraneGroupSettings
from gateway.parts.crane.settings.papers import PapersSettings
from gateway.parts.crane.settings.plan import TOWER_CRANE_ID, CranePlanner, crane_shapes
from gateway.parts.crane.settings.zones import (
    PowerLineSettings,
    VoltageClearanceSettings,
    ZoneSettings,
    merge_clearances,
)
from gateway.settings.kind import AssetKind, PackTable, Section

HISTORY_DAYS = 42
"""30 working days, GB/T 28264-2017 acceptance (V2), as calendar days."""

TOWER_CRANE = AssetKind(
    TOWER_CRANE_ID,
    ("塔式起重机", "tower crane"),
    sections=(
        Section(
            "crane",
            CraneSettings,
            "A tower crane as built; without it nothing is derived that needs its load chart or its place.",
            before="plan",
        ),
        Section(
            "papers",
            PapersSettings,
            "A tower crane's registration, checks, ties; what is not filed is unknown, never in order.",
            before="plan",
        ),
    ),
    site_sections=(
        Section("crane_groups", CraneGroupSettings, "Cranes that can meet each other.", before="identity"),
        Section(
            "zones", ZoneSettings, "No-lift and forbidden zones (禁吊区, 禁入区) on the site plan.", before="identity"
        ),
        Section("power_lines", PowerLineSettings, "Overhead lines over or beside the site.", before="identity"),
    ),
    pack_tables=(
        PackTable(
            "line_clearances",
            tuple[VoltageClearanceSettings, ...],
            (),
            "How far cranes must stay from overhead lines; a later pack's figure for a voltage replaces an earlier"
            " one's.",
            merge_clearances,
        ),
    ),
    planner=CranePlanner,
    history_days=HISTORY_DAYS,
    drawn=crane_shapes,
)
