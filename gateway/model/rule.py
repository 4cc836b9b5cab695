"""A rule bound to one subject: the row that the rules engine judges.

In: built by the settings from rule packs, the site's overrides and the configured points. Out: read by the rules
engine and the evidence. Knows nothing of YAML, files or wires.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.model.alarm import RuleInfo


class RuleFamily(StrEnum):
    """THRESHOLD: a value beyond a limit. SILENCE: nothing heard for too long."""

    THRESHOLD = "threshold"
    SILENCE = "silence"


class Direction(StrEnum):
    """HIGH: at or above the limit is wrong. LOW: at or below it is. A silence is HIGH: its age reaches the limit."""

    HIGH = "high"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class ResolvedRule:
    """One rule on one subject, with the limit in force there. One row, one possible alarm.

    `subject` is a point id (threshold, or silence per point) or a device id (silence per device).
    `point_index` is the subject's position in the PointTable, -1 when the subject is a device.
    `device_points` are the positions of all points whose age counts for a silence; empty for a threshold.
    `limit` is in the point's unit for a threshold, in seconds for a silence; `deadband` in the same unit.
    `suspected` says that a hit alone proves nothing: a person or a deadline confirms.
    `origin` names where the limit comes from: `file:line` of the pack, or the override with its reason.
    """

    info: RuleInfo
    family: RuleFamily
    subject: str
    asset: str
    asset_kind: str
    point_index: int
    device_points: tuple[int, ...]
    direction: Direction
    limit: float
    deadband: float
    on_delay_s: float
    off_delay_s: float
    suspected: bool
    origin: str
