"""The formula's file: weights, cut-offs and what each unknown counts as. In: YAML. Out: a frozen `RiskFile`."""

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from regulator.parts.supervision.files import Part, Words, load

FILE = "risk.yaml"
Share = Annotated[Decimal, Field(ge=0, le=1)]
Weight = Annotated[Decimal, Field(gt=0, lt=1)]
Floor = Annotated[Decimal, Field(gt=0, le=1)]
Prefix = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.]*$")]
Score = Annotated[int, Field(ge=1, le=100)]


class FactorRule(Part):
    """What all factors have: `unknown` is the least that not knowing counts as."""

    weight: Weight
    unknown: Floor
    zh: Words
    en: Words


class AlarmFactor(FactorRule):
    """Judged by standing alarms whose rule begins with one of `rules` and with none of `not_rules`."""

    rules: tuple[Prefix, ...] = Field(min_length=1)
    not_rules: tuple[Prefix, ...]

    def covers(self, rule_id: str) -> bool:
        """Whether an alarm of this rule counts."""
        return rule_id.startswith(self.rules) and not rule_id.startswith(self.not_rules)


class OverdueFactor(FactorRule):
    """How much one overdue hazard of each grade counts."""

    general: Share
    major: Share


class PeopleFactor(FactorRule):
    """Whose check-ins are expected, over how many days."""

    days: Annotated[int, Field(ge=1, le=92)]
    roles: tuple[Literal["project_manager", "safety_officer", "supervisor"], ...] = Field(min_length=1)


class PastFactor(FactorRule):
    """Over how many days points are added up, and how many are the worst."""

    days: Annotated[int, Field(ge=1, le=3650)]
    full_points: Annotated[int, Field(ge=1)]


class WorksFactor(FactorRule):
    """How grave a dangerous work is."""

    over_scale_running: Share
    over_scale: Share
    running: Share
    planned: Share


class Factors(Part):
    """All seven; none can be left out, so that the formula is the same for all."""

    crane_state: AlarmFactor
    pit_state: AlarmFactor
    weather: AlarmFactor
    hazards_overdue: OverdueFactor
    key_people: PeopleFactor
    past_score: PastFactor
    works_grade: WorksFactor


class Bands(Part):
    """The lowest scores of the bands high and medium."""

    high: Score
    medium: Score

    @model_validator(mode="after")
    def _in_order(self) -> "Bands":
        if self.medium >= self.high:
            raise ValueError("expected medium below high")
        return self


class BySeverity(Part):
    """How bad a standing alarm is."""

    P1: Share
    P2: Share
    P3: Share


class ByColour(Part):
    """How bad a weather warning in force is."""

    red: Share
    orange: Share
    yellow: Share
    blue: Share


class RiskFile(Part):
    """One edition of the formula's figures. `edition` is printed beside every score."""

    version: Literal[1]
    edition: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
    bands: Bands
    alarms: BySeverity
    warnings: ByColour
    factors: Factors

    def rule(self, name: str) -> FactorRule:
        """What the file says of one factor."""
        rule: FactorRule = getattr(self.factors, name)
        return rule


def load_risk(path: Path | None = None) -> RiskFile:
    """The product's file, or the one at `path`. Raises PackError naming every fault."""
    return load(RiskFile, FILE, path)
