"""What every rule of a pack says of itself, and the parts that several families share: conditions, sides, gaps.

In: plain data. Out: frozen models and their small helpers. Knows nothing of files, points, devices and families. The
docstrings below are what editors show.
"""

import math
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from gateway.model.alarm import Severity
from gateway.model.rule import Direction
from gateway.settings.schema import (
    Certainty,
    LimitSource,
    Name,
    SettingsModel,
    Title,
    certainty_fits,
)

PointKey = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
HazardCode = Annotated[str, Field(pattern=r"^MH\d{2}(-\d{1,2}){1,3}$")]


def _listed(value: Any) -> Any:
    """One entry may stand without a list."""
    return (value,) if isinstance(value, dict) else tuple(value) if isinstance(value, list) else value


class Suppressor(SettingsModel):
    """A rule whose active alarm on the same asset keeps this rule's alarm from being raised."""

    rule: Name
    """The rule's id."""


Suppressors = Annotated[
    tuple[Suppressor, ...],
    BeforeValidator(_listed, json_schema_input_type=Suppressor | Annotated[list[Suppressor], Field(min_length=1)]),
    Field(min_length=1, max_length=16),
]


class RuleSettings(SettingsModel):
    """What every rule says of itself: whom it is for, how grave it is, and where its limit comes from."""

    id: Name
    """Unique; `<asset family>.<quantity>.<step>` by habit."""
    kind: str
    """The kind of asset it is for, or "*" for all."""
    replaces: bool = False
    """Whether it takes the place of an earlier pack's rule of the same id."""
    severity: Severity
    """P1 is the gravest; log is recorded and shown, and never sounds."""
    reportable: bool
    """Whether its alarms go to the regulator as suspected hazards."""
    latching: bool = False
    """Whether its alarm waits for a reset by a person after the condition has gone."""
    suppressed_while: Suppressors | None = None
    """Suppressed by design while an alarm of another rule (or of one of a list) is active on the asset. Never a P1."""
    suspected: bool = False
    """Whether a hit alone proves nothing and a second fact is needed (major-hazard clauses)."""
    optional: bool = False
    """Whether it is nothing to warn of when an asset has no such point: not every crane has a travel gear."""
    undescribed: bool = False
    """Only for assets that the site file does not describe: a pit with points of its own has rules of its own."""
    hazard: HazardCode | None = None
    """The major accident hazard that a hit makes suspected, by its code in the catalogue of the 2024 edition."""
    title_zh: Title
    """Chinese title."""
    title_en: Title
    """English title."""
    limit_source: LimitSource
    """Who set the limit."""
    clause: Annotated[str, Field(min_length=1, max_length=300)]
    """Standard and clause, or the document."""
    certainty: Certainty
    """How sure the clause is: V1 read in it, V2 second-hand, M-H, M-M, M-L from memory, PD product design, SITE given
    by the designer, the maker or the site."""

    @model_validator(mode="after")
    def _certainty_fits_source(self) -> "RuleSettings":
        if not certainty_fits(self.limit_source, self.certainty):
            context = {"source": self.limit_source.value, "certainty": self.certainty}
            raise PydanticCustomError("rule.certainty", "certainty and limit_source disagree", context)
        return self

    @model_validator(mode="after")
    def _hazards_are_suspected(self) -> "RuleSettings":
        if self.hazard is not None and not self.suspected:
            raise PydanticCustomError("rule.hazard_suspected", "a hazard is suspected", {"hazard": self.hazard})
        return self


class While(SettingsModel):
    """A condition: another point of the same asset is above or below a value; at the value it is neither."""

    key: PointKey
    """The point, by its key in the device table or by its item."""
    above: float | None = None
    """The condition holds while the point is above this."""
    below: float | None = None
    """The condition holds while the point is below this."""

    @model_validator(mode="after")
    def _one_bound(self) -> "While":
        given = (self.above is not None) + (self.below is not None)
        if given != 1:
            raise PydanticCustomError("rule.one_bound", "give exactly one of above and below", {"found": given})
        return self

    @property
    def direction(self) -> Direction:
        """HIGH: above the bound."""
        return Direction.HIGH if self.above is not None else Direction.LOW

    @property
    def bound(self) -> float:
        """The one bound."""
        return self.above if self.above is not None else float(self.below or 0.0)


Conditions = Annotated[
    tuple[While, ...],
    BeforeValidator(_listed, json_schema_input_type=While | Annotated[list[While], Field(min_length=1)]),
    Field(min_length=1),
]


def one_of(high: float | None, low: float | None, either: float | None) -> float:
    """The one limit that is given."""
    given = [limit for limit in (high, low, either) if limit is not None]
    return given[0] if given else math.nan


def side_of(high: float | None, either: float | None) -> Direction:
    """Which side of the one limit is wrong."""
    if either is not None:
        return Direction.EITHER
    return Direction.HIGH if high is not None else Direction.LOW


def check_gap(gap_s: float, window_s: float) -> None:
    """A window has to be longer than the longest hole in it."""
    if gap_s >= window_s:
        raise PydanticCustomError("rule.gap", "gap_s is not shorter", {"found": gap_s, "window": window_s})
