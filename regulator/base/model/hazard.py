"""What opens a hazard (隐患): one record for all channels (notice B5), a machine's alarm only proposes it."""

from dataclasses import dataclass
from enum import Enum


class Channel(Enum):
    """Where a hazard came from (notice B5). The product's own: device, and round (a sheet of a full-coverage round)."""

    DEVICE = "device"
    SELF_CHECK = "self"
    INSPECTION = "inspection"
    PUBLIC_REPORT = "public_report"
    ROUND = "round"


class HazardKind(Enum):
    """The three ledgers in one model (notice A3: 重大事故隐患、非亡人事故、重大险情台账)."""

    HAZARD = "hazard"
    NON_FATAL_ACCIDENT = "non_fatal_accident"
    DANGEROUS_SITUATION = "dangerous_situation"


class Grade(Enum):
    """一般 or 重大 (the national criteria; a person confirms, a machine only suspects)."""

    GENERAL = "general"
    MAJOR = "major"


@dataclass(frozen=True, slots=True)
class NewHazard:
    """What is known when a hazard is opened. Times UTC ns. Codes may be empty.

    `event_key` is the idempotency key of the cause (for the device channel `<box_id>/<alarm_id>`): a second opening
    with the same key returns the first one's id. `place_id` names the place as the rule does (edge, crane, point).
    """

    project_code: str
    channel: Channel
    kind: HazardKind
    grade: Grade
    title_zh: str
    title_en: str
    place_id: str
    observed_at_ns: int
    event_key: str
    rule_id: str = ""
    box_id: str = ""
    alarm_id: str = ""
    catalogue_code: str = ""
    catalogue_edition: str = ""
    other_code: str = ""
    other_edition: str = ""
    words: str = ""
    blobs: tuple[str, ...] = ()
