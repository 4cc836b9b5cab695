"""The risk score of a project: R = 100 * (1 - product of (1 - w_k * s_k)), with what each factor brought. Pure.

    inputs (s_k seen, or not known) --> severities --> score 0..100, band, shares, the three that weigh most

A factor's **share** is its part of R in points: R * ln(1 - w_k s_k) / ln(product). The shares add up to R, whatever the
order. An input that is not known counts as max(what was last seen of it, the file's `unknown`), so that not knowing
never lowers a score. Arithmetic is decimal; the score is rounded half up.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import Enum

from regulator.base.kinds import Word
from regulator.parts.supervision.risk_file import RiskFile

TOP = 3
_ONE, _HUNDRED, _TENTH = Decimal(1), Decimal(100), Decimal("0.1")


class Band(Word):
    """The band of a risk score: 高 high, 中 medium or 低 low."""

    HIGH = "high", "高", "high"
    MEDIUM = "medium", "中", "medium"
    LOW = "low", "低", "low"


class Factor(Enum):
    """What the score is made of (the product's formula, after the notice that asks for a comprehensive assessment)."""

    CRANE = "crane_state"
    PIT = "pit_state"
    WEATHER = "weather"
    OVERDUE = "hazards_overdue"
    PEOPLE = "key_people"
    PAST = "past_score"
    WORKS = "works_grade"


class Footing(Enum):
    """What a severity rests on. ABSENT: the project has nothing of the kind, which is known."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Input:
    """One factor of one project. `severity` 0 to 1: what is seen, or, when `footing` is UNKNOWN, what was last seen."""

    severity: Decimal
    footing: Footing
    zh: str
    en: str

    def __post_init__(self) -> None:
        """Raises ValueError outside 0 to 1."""
        if not 0 <= self.severity <= 1:
            raise ValueError(f"a severity of {self.severity}; expected 0 to 1")


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a factor brought: the severity that counted, its weight, and its share of the score in points."""

    factor: Factor
    weight: Decimal
    severity: Decimal
    footing: Footing
    share: Decimal
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Assessment:
    """A score with everything that made it. `exact`: before rounding."""

    score: int
    exact: Decimal
    band: Band
    contributions: tuple[Contribution, ...]
    version: str

    @property
    def reasons(self) -> tuple[Contribution, ...]:
        """The three that weigh most, without those that weigh nothing."""
        weighing = [each for each in self.contributions if each.share > 0]
        return tuple(sorted(weighing, key=lambda each: -each.share)[:TOP])


def assess(file: RiskFile, inputs: Mapping[Factor, Input]) -> Assessment:
    """The score. Raises KeyError when an input is missing: not known is an input too."""
    counted = {factor: counted_severity(file, factor, inputs[factor]) for factor in Factor}
    left = {factor: _ONE - file.rule(factor.value).weight * counted[factor] for factor in Factor}
    product = _ONE
    for each in left.values():
        product *= each
    exact = _HUNDRED * (_ONE - product)
    contributions = tuple(
        Contribution(
            factor,
            file.rule(factor.value).weight,
            counted[factor],
            inputs[factor].footing,
            _share(exact, left[factor], product),
            inputs[factor].zh,
            inputs[factor].en,
        )
        for factor in Factor
    )
    score = int(exact.quantize(_ONE, ROUND_HALF_UP))
    return Assessment(score, exact, band_of(file, score), contributions, file.edition)


def counted_severity(file: RiskFile, factor: Factor, given: Input) -> Decimal:
    """The severity that counts: of what is not known at least the file's `unknown`."""
    if given.footing is Footing.UNKNOWN:
        return max(given.severity, file.rule(factor.value).unknown)
    return given.severity


def band_of(file: RiskFile, score: int) -> Band:
    """The band in which a score lies by the file."""
    if score >= file.bands.high:
        return Band.HIGH
    return Band.MEDIUM if score >= file.bands.medium else Band.LOW


def points(share: Decimal) -> str:
    """A share as it is printed: one decimal, rounded half up."""
    return str(share.quantize(_TENTH, ROUND_HALF_UP))


def _share(exact: Decimal, left: Decimal, product: Decimal) -> Decimal:
    if left == _ONE:
        return Decimal(0)
    return exact * left.ln() / product.ln()
