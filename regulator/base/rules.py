"""What a region's rules say: deadlines, counts, listing, escalation and legal basis. Pure; filled from rule packs.

A pack (规则包) is a province's or city's own word; the national one is the default. For one project the last pack of
the list counts whose regions take the project in, rule by rule. Nothing of this is code: two notices of two places say
two different things, and every deadline is shown with the words it comes from.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from kit.words import Words
from regulator.base.model.actor import Level


class RuleId(Enum):
    """The deadlines that the desk knows how to start."""

    RECTIFY_GENERAL = "rectify.general"
    RECTIFY_MAJOR = "rectify.major"
    LISTING_COUNTY = "listing.county"
    LISTING_CITY = "listing.city"
    LISTING_PROVINCE = "listing.province"
    SITE_CHECK = "site_check"
    ANALOGY = "analogy"
    LOOK_BACK_FIRST = "look_back.first"
    LOOK_BACK_SECOND = "look_back.second"
    ACCIDENT_PROVINCE = "accident.province"
    ACCIDENT_NATIONAL = "accident.national"
    SUPERVISION_PROPOSAL = "supervision.proposal"


class Document(Enum):
    """What is issued, each on a legal basis."""

    RECTIFY = "rectify"
    STOP_WORK = "stop_work"
    SUPERVISE = "supervise"
    CLOSE = "close"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class DeadlineRule:
    """`days` are calendar days of Shanghai, the day of the start not counted; `hours` run from the very moment.

    One of both is 0. `warn_percent` belongs to days, `warn_before_h` to hours. `rule_zh`, `rule_en`: shown beside every
    deadline. `certainty` as in the standards' notes: V1, V2, M-H, M-M, PD (the product's own proposal).
    """

    rule_id: RuleId
    pack: str
    days: int
    hours: int
    warn_percent: tuple[int, ...]
    warn_before_h: tuple[int, ...]
    rule_zh: str
    rule_en: str
    clause: str
    certainty: str


@dataclass(frozen=True, slots=True)
class CountRule:
    """So many of something in a period: `key_risk.inspection` at least 1 per `month` (or `year`, `half_year`)."""

    count_id: str
    pack: str
    at_least: int
    per: str
    rule_zh: str
    rule_en: str
    clause: str
    certainty: str


@dataclass(frozen=True, slots=True)
class Escalation:
    """Days after a deadline has passed until the city, and the province, holds a hazard."""

    city_after_days: int
    province_after_days: int


@dataclass(frozen=True, slots=True)
class RulePack:
    """One pack as it stands in its file. What it does not say is None or missing: an earlier pack's word counts."""

    pack: str
    title_zh: str
    title_en: str
    regions: tuple[str, ...]
    deadlines: tuple[DeadlineRule, ...]
    counts: tuple[CountRule, ...]
    legal_basis: tuple[tuple[Document, Words], ...]
    listing: tuple[Level, ...] | None = None
    escalation: Escalation | None = None
    quiet_hours: int | None = None
    back_dated_days: int | None = None

    def covers(self, regions: Iterable[str]) -> bool:
        """Whether it speaks for a project in these regions (province, city, county codes)."""
        held = tuple(regions)
        return not self.regions or any(code.startswith(prefix) for prefix in self.regions for code in held if code)


@dataclass(frozen=True, slots=True)
class RegionRules:
    """All packs that count for one project, the later the stronger."""

    packs: tuple[RulePack, ...]

    def deadline(self, rule_id: RuleId) -> DeadlineRule | None:
        """The rule, or None where no pack has one: then there is no such deadline, and the page says so."""
        found = [rule for pack in self.packs for rule in pack.deadlines if rule.rule_id is rule_id]
        return found[-1] if found else None

    def count(self, count_id: str) -> CountRule | None:
        """How often something is due, if any pack says so."""
        found = [rule for pack in self.packs for rule in pack.counts if rule.count_id == count_id]
        return found[-1] if found else None

    def basis(self, document: Document) -> Words:
        """The legal basis of a document; empty when no pack names one (then nothing is issued)."""
        found = [words for pack in self.packs for kind, words in pack.legal_basis if kind is document]
        return found[-1] if found else Words("", "")

    @property
    def listing(self) -> tuple[Level, ...]:
        """At which levels a confirmed major hazard is listed at once (挂牌督办)."""
        return next((pack.listing for pack in reversed(self.packs) if pack.listing is not None), ())

    @property
    def escalation(self) -> Escalation:
        """When an overdue hazard goes up."""
        return next((pack.escalation for pack in reversed(self.packs) if pack.escalation is not None), Escalation(0, 7))

    @property
    def quiet_hours(self) -> int:
        """How long the rule that raised a hazard must have been false before it is closed without an override."""
        return next((pack.quiet_hours for pack in reversed(self.packs) if pack.quiet_hours is not None), 0)

    @property
    def back_dated_days(self) -> int:
        """After how many days a late entry needs a reason."""
        return next((pack.back_dated_days for pack in reversed(self.packs) if pack.back_dated_days is not None), 7)


@dataclass(frozen=True, slots=True)
class RulePacks:
    """The packs of a desk, in the order in which its settings list them."""

    packs: tuple[RulePack, ...]

    def of(self, regions: Iterable[str]) -> RegionRules:
        """What counts for a project in these regions."""
        held = tuple(regions)
        return RegionRules(tuple(pack for pack in self.packs if pack.covers(held)))
