"""The kind `deep-pit`: what a site file and a rule pack know of deep pits."""

from gateway.parts.pit.settings.limit_rows import DEEP_PIT_ID
from gateway.parts.pit.settings.limit_tables import PitTables
from gateway.parts.pit.settings.merged_tables import merge_tables
from gateway.parts.pit.settings.pit import PitSettings
from gateway.parts.pit.settings.plan import PitPlanner, measured_by_hand
from gateway.settings.kind import AssetKind, PackTable, Section

DEEP_PIT = AssetKind(
    DEEP_PIT_ID,
    ("深基坑", "deep pit"),
    sections=(
        Section("pit", PitSettings, "A deep pit: its papers, instruments and monitoring points.", before="plan"),
    ),
    pack_tables=(
        PackTable(
            "pit_limits",
            PitTables,
            PitTables(),
            "Limits of pits, and the rows that are made of them.",
            merge_tables,
            before="deadlines",
        ),
    ),
    planner=PitPlanner,
    measured_by_hand=measured_by_hand,
)
