"""A rule bound to one subject: the row that the rules engine judges.

In: built by the settings from rule packs, the site's overrides and the configured points. Out: read by the rules
engine and the evidence. Knows nothing of YAML, files or wires.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.model.alarm import RuleInfo


class RuleFamily(StrEnum):
    """What a rule looks at; each family has its file in `gateway.rules` and its line in the table there."""

    THRESHOLD = "threshold"
    SILENCE = "silence"
    RATE_OF_CHANGE = "rate_of_change"
    FLAT_LINE = "flat_line"
    IMPOSSIBLE = "impossible"
    CHANGE_COUNT = "change_count"
    CONSECUTIVE = "consecutive"
    LOSS = "loss"


class Direction(StrEnum):
    """HIGH: at or above the limit is wrong. LOW: at or below it is. EITHER: a size at or above it is, whatever its
    sign. A silence is HIGH: its age reaches the limit."""

    HIGH = "high"
    LOW = "low"
    EITHER = "either"

    def reach(self, value: float) -> float:
        """How far a value goes towards what is wrong: the greater, the worse."""
        if self is Direction.EITHER:
            return abs(value)
        return value if self is Direction.HIGH else -value


@dataclass(frozen=True, slots=True)
class RateParameters:
    """A slope over `window_s`, in units per `per_s` seconds. `either`: its size counts, not its sign.

    Good samples further apart than `gap_s` leave a hole; with a hole, or fewer than `min_samples`, nothing is known.
    """

    window_s: float
    gap_s: float
    min_samples: int
    per_s: float
    either: bool


@dataclass(frozen=True, slots=True)
class FlatLineParameters:
    """A value that stays within `tolerance` of what it last was, in at least `min_samples` samples.

    With a `condition_point` (-1: none) only while that point is above `condition_above`. The rule's limit is the time.
    """

    tolerance: float
    gap_s: float
    min_samples: int
    condition_point: int
    condition_above: float


@dataclass(frozen=True, slots=True)
class ChangeCountParameters:
    """Changes by more than `min_change`, or crossings of `level` by more than it (NaN: no level), within `window_s`.

    The rule's limit is the count that is still allowed.
    """

    window_s: float
    gap_s: float
    min_change: float
    level: float


@dataclass(frozen=True, slots=True)
class Condition:
    """Another point of the asset is above (HIGH) or below (LOW) a bound; at the bound it is not.

    What was last said of it holds for `stale_after_s`; then it is not known.
    """

    point_index: int
    direction: Direction
    bound: float
    stale_after_s: float


@dataclass(frozen=True, slots=True)
class GateParameters:
    """A threshold that counts only while every condition holds. The value's last word holds for `stale_after_s`.

    `exact` False: the limit is an upper bound of the true one, so that a value below it proves nothing.
    """

    conditions: tuple[Condition, ...]
    stale_after_s: float
    exact: bool = True


@dataclass(frozen=True, slots=True)
class ConsecutiveParameters:
    """`times` readings in a row at or beyond the limit. Readings closer than `spacing_s` to the last that counted are
    one reading. After a hole longer than `gap_s` it is not known how the row began."""

    times: int
    spacing_s: float
    gap_s: float


@dataclass(frozen=True, slots=True)
class LossParameters:
    """Requests of one device that were not answered, of the last `window_s` and of at least `min_requests`.

    Without an answer for `outage_s` it is an outage, which counts as nothing. The rule's limit is a share in per cent.
    """

    window_s: float
    min_requests: int
    outage_s: float


Parameters = (
    RateParameters
    | FlatLineParameters
    | ChangeCountParameters
    | GateParameters
    | ConsecutiveParameters
    | LossParameters
)


@dataclass(frozen=True, slots=True)
class ResolvedRule:
    """One rule on one subject, with the limit in force there. One row, one possible alarm.

    `subject` is a device id for a silence per device and for a loss, and a point id for everything else.
    `point_index` is the subject's position in the PointTable, -1 when the subject is a device.
    `device_points` are the positions of all points of the device, or whose age counts for a silence; else empty.
    `limit` is in `info.unit`: the point's unit for a threshold and for readings in a row, that unit per time for a
    rate, seconds for a silence and a flat line, a count for changes, per cent for a loss, unit per second for an
    impossible step (infinite: no step is impossible).
    `deadband` is in the same unit. `parameters` is what the family needs beyond that.
    `suspected` says that a hit alone proves nothing: a person or a deadline confirms.
    `latching` says that its alarm waits for a reset after it has returned.
    `suppressed_while` names the rules whose active alarm on the same asset suppresses this one's by design;
    `suppressed_here` those whose alarm has to be on the same subject: a graver band of the same point.
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
    latching: bool = False
    parameters: Parameters | None = None
    suppressed_while: tuple[str, ...] = ()
    suppressed_here: tuple[str, ...] = ()
