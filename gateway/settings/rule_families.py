"""The shape of every rule in a pack, one model a family. The docstrings below are what editors show.

In: plain data. Out: frozen models, each with the limit, direction, deadband and delays that a row is made of. Knows
nothing of files, points and devices.
"""

import math
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.model.rule import Direction
from gateway.settings.rule_shape import Conditions, PointKey, RuleSettings, check_gap, one_of, side_of
from gateway.settings.schema import Seconds, SettingsModel

MOST_CHANGES = 10_000


class ThresholdSettings(RuleSettings):
    """A value at or beyond a limit."""

    family: Literal["threshold"]
    """Chooses this shape."""
    key: PointKey
    """The point it judges, by its key in the device table."""
    unit: str | None = None
    """Unit of the limit; a point in another unit is then refused."""
    high: float | None = None
    """Upper limit: at or above it is wrong."""
    low: float | None = None
    """Lower limit: at or below it is wrong."""
    either: Annotated[float, Field(gt=0)] | None = None
    """Limit of the value's size: at or above it is wrong, whatever its sign."""
    only_when: Conditions | None = None
    """Count only while other points of the asset are above or below a value, such as a crane that lifts: one condition
    or a list, all of which must hold. While one is not known, a value beyond the limit is UNKNOWN."""
    deadband: Annotated[float, Field(ge=0)] = 0.0
    """How far back behind the limit a value must go before the condition ends, in the point's unit."""
    on_delay_s: Seconds = 0.0
    """How long the condition must hold before the alarm, seconds."""
    off_delay_s: Seconds = 0.0
    """How long the condition must be gone before the alarm returns, seconds."""

    @model_validator(mode="after")
    def _one_limit(self) -> "ThresholdSettings":
        given = sum(limit is not None for limit in (self.high, self.low, self.either))
        if given != 1:
            raise PydanticCustomError("rule.one_limit", "give one of high, low and either", {"found": given})
        return self

    @property
    def limit(self) -> float:
        """The one limit."""
        return one_of(self.high, self.low, self.either)

    @property
    def direction(self) -> Direction:
        """Which side of the limit is wrong."""
        return side_of(self.high, self.either)


class SilenceSettings(RuleSettings):
    """Nothing usable heard for too long, from a device or from single points."""

    family: Literal["silence"]
    """Chooses this shape."""
    after_s: Annotated[float, Field(gt=0, le=604_800)]
    """Age of the last good value that counts as silence, seconds."""
    per: Literal["device", "point"] = "device"
    """One alarm for a device, or one for each point."""
    keys: Annotated[tuple[PointKey, ...], Field(min_length=1)] | None = None
    """With per: point, only these keys."""
    off_delay_s: Seconds = 0.0
    """How long values must be back before the alarm returns, seconds."""

    @model_validator(mode="after")
    def _keys_need_points(self) -> "SilenceSettings":
        if self.keys is not None and self.per != "point":
            raise PydanticCustomError("rule.keys_need_points", "keys go with per: point")
        return self

    @property
    def limit(self) -> float:
        """The age that counts as silence, seconds."""
        return self.after_s

    @property
    def direction(self) -> Direction:
        """An age is wrong when it is high."""
        return Direction.HIGH

    @property
    def deadband(self) -> float:
        """None: one good value ends a silence."""
        return 0.0

    @property
    def on_delay_s(self) -> float:
        """None: the age is the delay."""
        return 0.0


class RateOfChangeSettings(RuleSettings):
    """A value that moves too fast: the robust slope (Theil-Sen) over a window, at or beyond a limit."""

    family: Literal["rate_of_change"]
    """Chooses this shape."""
    key: PointKey
    """The point it judges, by its key in the device table."""
    unit: str | None = None
    """Unit of the point, without the time; a point in another unit is then refused."""
    per: Literal["second", "minute", "hour", "day"]
    """The time of the rate: high: 2 with unit mm and per: day is 2 mm/d."""
    high: float | None = None
    """Upper limit of the rate: at or above it is wrong."""
    low: float | None = None
    """Lower limit of the rate: at or below it is wrong (a fall is negative)."""
    either: Annotated[float, Field(gt=0)] | None = None
    """Limit of the rate's size: at or above it is wrong, rising or falling."""
    window_s: Annotated[float, Field(gt=0, le=604_800)]
    """Over how long the slope is taken, seconds. Until the window is full the rule is UNKNOWN."""
    gap_s: Annotated[float, Field(gt=0)]
    """Longest time between good samples, seconds; a window with a longer hole is UNKNOWN."""
    min_samples: Annotated[int, Field(ge=3, le=30)] = 5
    """Fewest good samples in the window."""
    deadband: Annotated[float, Field(ge=0)] = 0.0
    """How far back behind the limit the rate must go before the condition ends, in the limit's unit."""
    on_delay_s: Seconds = 0.0
    """How long the condition must hold before the alarm, seconds."""
    off_delay_s: Seconds = 0.0
    """How long the condition must be gone before the alarm returns, seconds."""

    @model_validator(mode="after")
    def _one_limit(self) -> "RateOfChangeSettings":
        given = sum(limit is not None for limit in (self.high, self.low, self.either))
        if given != 1:
            raise PydanticCustomError("rule.one_rate_limit", "give one of high, low and either", {"found": given})
        check_gap(self.gap_s, self.window_s)
        return self

    @property
    def limit(self) -> float:
        """The one limit."""
        if self.high is not None:
            return self.high
        return self.either if self.either is not None else float(self.low or 0.0)

    @property
    def direction(self) -> Direction:
        """Which side of the limit is wrong."""
        return Direction.LOW if self.low is not None else Direction.HIGH


class WhileAbove(SettingsModel):
    """A condition: another point of the same asset is above a value."""

    key: PointKey
    """The point, by its key in the device table."""
    above: float
    """The condition holds while the point is above this."""


class FlatLineSettings(RuleSettings):
    """A value that does not move for too long, though samples arrive."""

    family: Literal["flat_line"]
    """Chooses this shape."""
    key: PointKey
    """The point it judges, by its key in the device table."""
    unit: str | None = None
    """Unit of the tolerance; a point in another unit is then refused."""
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    """How far a value may move and still count as unchanged, in the point's unit."""
    for_s: Annotated[float, Field(gt=0, le=604_800)]
    """How long it must be unchanged, seconds."""
    gap_s: Annotated[float, Field(gt=0)]
    """Longest time between good samples, seconds; after a longer hole the watch begins anew."""
    min_samples: Annotated[int, Field(ge=2, le=1_000_000)] = 5
    """Fewest good samples in that time."""
    only_when: WhileAbove | None = None
    """Judge only while another point of the asset is above a value, such as a motor that runs."""
    off_delay_s: Seconds = 0.0
    """How long the value must be moving again before the alarm returns, seconds."""

    @model_validator(mode="after")
    def _gap_within(self) -> "FlatLineSettings":
        check_gap(self.gap_s, self.for_s)
        return self

    @property
    def limit(self) -> float:
        """The time that counts as flat, seconds."""
        return self.for_s

    @property
    def direction(self) -> Direction:
        """A time is wrong when it is high."""
        return Direction.HIGH

    @property
    def deadband(self) -> float:
        """None: one movement ends a flat line."""
        return 0.0

    @property
    def on_delay_s(self) -> float:
        """None: the time is the delay."""
        return 0.0


class ImpossibleSettings(RuleSettings):
    """A value that cannot be: out of the point's range, a sentinel, no number, or a step faster than possible."""

    family: Literal["impossible"]
    """Chooses this shape."""
    keys: Annotated[tuple[PointKey, ...], Field(min_length=1)] | None = None
    """The points it judges; without it, every point of the asset (only without max_step_per_s)."""
    unit: str | None = None
    """Unit of the points, for the step; a point in another unit is then refused."""
    max_step_per_s: Annotated[float, Field(gt=0)] | None = None
    """The fastest that the value can really move, in the point's unit per second."""
    on_delay_s: Seconds = 0.0
    """How long the condition must hold before the alarm, seconds."""
    off_delay_s: Seconds = 0.0
    """How long the condition must be gone before the alarm returns, seconds."""

    @model_validator(mode="after")
    def _step_needs_keys(self) -> "ImpossibleSettings":
        if self.max_step_per_s is not None and self.keys is None:
            raise PydanticCustomError("rule.step_needs_keys", "max_step_per_s goes with keys")
        return self

    @property
    def limit(self) -> float:
        """The fastest possible step, in the point's unit per second; infinite when steps are not judged."""
        return math.inf if self.max_step_per_s is None else self.max_step_per_s

    @property
    def direction(self) -> Direction:
        """A step is wrong when it is high."""
        return Direction.HIGH

    @property
    def deadband(self) -> float:
        """None: a value is possible or it is not."""
        return 0.0


class ChangeCountSettings(RuleSettings):
    """A value that changes, or crosses a level, too often in a time."""

    family: Literal["change_count"]
    """Chooses this shape."""
    key: PointKey
    """The point it judges, by its key in the device table."""
    unit: str | None = None
    """Unit of min_change and level; a point in another unit is then refused."""
    more_than: Annotated[int, Field(ge=1, le=MOST_CHANGES)]
    """So many changes are still allowed; one more is wrong."""
    window_s: Annotated[float, Field(gt=0, le=604_800)]
    """In how long they are counted, seconds."""
    gap_s: Annotated[float, Field(gt=0)]
    """Longest time between good samples, seconds; with a longer hole in the window, few changes prove nothing."""
    min_change: Annotated[float, Field(ge=0)] = 0.0
    """How far the value must move to count as a change, or beyond the level on either side, in the point's unit."""
    level: float | None = None
    """Count crossings of this level instead of changes."""
    on_delay_s: Seconds = 0.0
    """How long the condition must hold before the alarm, seconds."""
    off_delay_s: Seconds = 0.0
    """How long the condition must be gone before the alarm returns, seconds."""

    @model_validator(mode="after")
    def _gap_within(self) -> "ChangeCountSettings":
        check_gap(self.gap_s, self.window_s)
        return self

    @property
    def limit(self) -> float:
        """The count that is still allowed."""
        return float(self.more_than)

    @property
    def direction(self) -> Direction:
        """A count is wrong when it is high."""
        return Direction.HIGH

    @property
    def deadband(self) -> float:
        """None: the window is what makes it slow."""
        return 0.0


class ConsecutiveSettings(RuleSettings):
    """Readings in a row at or beyond a share of a limit, such as three times 70 % of a rate."""

    family: Literal["consecutive"]
    """Chooses this shape."""
    key: PointKey
    """The point it judges, by its key in the device table or by its item."""
    unit: str | None = None
    """Unit of the limit; a point in another unit is then refused."""
    high: float | None = None
    """Upper limit: readings at or above `ratio` times it count."""
    low: float | None = None
    """Lower limit: readings at or below `ratio` times it count."""
    either: Annotated[float, Field(gt=0)] | None = None
    """Limit of a reading's size: at or above `ratio` times it counts, whatever its sign."""
    ratio: Annotated[float, Field(gt=0, le=10)] = 1.0
    """The share of the limit that is compared. An override's limit is what is compared, share included."""
    times: Annotated[int, Field(ge=2, le=100)]
    """So many readings in a row are wrong."""
    spacing_s: Annotated[float, Field(ge=0, le=604_800)]
    """Values closer than this to the last reading that counted are the same reading, seconds."""
    gap_s: Annotated[float, Field(gt=0, le=2_419_200)]
    """Longest time between good values, seconds; after a longer hole it is not known how the row began."""
    off_delay_s: Seconds = 0.0
    """How long readings must be back before the alarm returns, seconds."""

    @model_validator(mode="after")
    def _one_limit(self) -> "ConsecutiveSettings":
        given = sum(limit is not None for limit in (self.high, self.low, self.either))
        if given != 1:
            raise PydanticCustomError("rule.one_limit", "give one of high, low and either", {"found": given})
        if self.gap_s <= self.spacing_s:
            context = {"found": self.gap_s, "spacing": self.spacing_s}
            raise PydanticCustomError("rule.gap_spacing", "gap_s is not longer", context)
        return self

    @property
    def limit(self) -> float:
        """What readings are compared with."""
        return self.ratio * one_of(self.high, self.low, self.either)

    @property
    def direction(self) -> Direction:
        """Which side of the limit is wrong."""
        return side_of(self.high, self.either)

    @property
    def deadband(self) -> float:
        """None: one reading that is back ends the row."""
        return 0.0

    @property
    def on_delay_s(self) -> float:
        """None: the readings are the delay."""
        return 0.0


class LossSettings(RuleSettings):
    """A device that answers, and leaves too many requests unanswered. Only for devices that are asked."""

    family: Literal["loss"]
    """Chooses this shape."""
    lost_pct: Annotated[float, Field(gt=0, lt=100)]
    """Share of requests without an answer that is wrong, per cent."""
    window_s: Annotated[float, Field(ge=60, le=86_400)]
    """Over how long requests are counted, seconds; longer where there were fewer than min_requests."""
    min_requests: Annotated[int, Field(ge=20, le=10_000)]
    """Fewest requests that prove a loss; with fewer the rule is UNKNOWN, unless enough came without any."""
    outage_s: Annotated[float, Field(gt=0, le=3600)]
    """Without any answer for so long it is an outage and no loss, seconds: another rule tells that. UNKNOWN then."""
    deadband: Annotated[float, Field(ge=0, lt=100)] = 0.0
    """How far back behind the limit the share must go before the condition ends, per cent of all requests."""
    on_delay_s: Seconds = 0.0
    """How long the condition must hold before the alarm, seconds."""
    off_delay_s: Seconds = 0.0
    """How long the condition must be gone before the alarm returns, seconds."""

    @property
    def limit(self) -> float:
        """The share, per cent."""
        return self.lost_pct

    @property
    def direction(self) -> Direction:
        """A loss is wrong when it is high."""
        return Direction.HIGH


OnePointRule = ThresholdSettings | RateOfChangeSettings | FlatLineSettings | ChangeCountSettings | ConsecutiveSettings
AnyRule = OnePointRule | SilenceSettings | ImpossibleSettings | LossSettings
FAMILIES: Mapping[str, type[AnyRule]] = {
    "threshold": ThresholdSettings,
    "silence": SilenceSettings,
    "rate_of_change": RateOfChangeSettings,
    "flat_line": FlatLineSettings,
    "impossible": ImpossibleSettings,
    "change_count": ChangeCountSettings,
    "consecutive": ConsecutiveSettings,
    "loss": LossSettings,
}
