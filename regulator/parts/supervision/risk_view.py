"""What pages show of scores: the list by score, the counts of each band, one project's factors and history."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy import Connection, Select, func, or_, select

from regulator.base.model.actor import Actor, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.scope import in_scope, require_project
from regulator.base.records.tables.registry import projects, regions
from regulator.base.records.tables.supervision import risk_latest, risk_scores
from regulator.parts.supervision.risk import Band, Factor, Footing
from regulator.parts.supervision.risk_office import SCORED

PAGE, HISTORY = 100, 60


@dataclass(frozen=True, slots=True)
class RiskFilters:
    """Empty or None: no filter. `words`: part of a name or the beginning of a code. `region`: of a city or county."""

    band: Band | None = None
    region: str = ""
    factor: Factor | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """One of the three that weigh most. `share`: points of the score, one decimal."""

    factor: Factor
    share: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Part:
    """One factor of a kept score, as it was computed."""

    factor: Factor
    weight: str
    severity: Decimal
    footing: Footing
    share: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Scored:
    """A project's newest score. `scored_at_ns`: UTC ns."""

    code: str
    name: str
    region: str
    score: int
    band: Band
    reasons: tuple[Reason, ...]
    version: str
    scored_at_ns: int

    @property
    def key(self) -> str:
        """Where the next page of the list begins."""
        return f"{self.score}.{self.code}"


@dataclass(frozen=True, slots=True)
class RiskPage:
    """`after` empty on the last page. `counts` by band, of the whole scope; `unscored`: projects without any score."""

    rows: tuple[Scored, ...]
    after: str
    counts: dict[Band, int]
    unscored: int


@dataclass(frozen=True, slots=True)
class RiskDossier:
    """One project: its newest score with all factors, and earlier ones, newest first."""

    latest: Scored
    parts: tuple[Part, ...]
    history: Sequence[Any]


def risk_page(db: Connection, actor: Actor, filters: RiskFilters, after: str = "") -> RiskPage:
    """The next scores from the highest down. Raises RefusedError 422 for an `after` that no page gave."""
    found = _filtered(_scored(actor.scope), filters)
    if after:
        found = found.where(_below(after))
    at = risk_latest.c
    rows = db.execute(found.order_by(at.score.desc(), at.project_code).limit(PAGE + 1)).all()
    shown = tuple(_row(row) for row in rows[:PAGE])
    return RiskPage(shown, shown[-1].key if len(rows) > PAGE else "", *_counts(db, actor.scope))


def risk_of(db: Connection, actor: Actor, project_code: str) -> RiskDossier | None:
    """One project; None while it was never scored. Raises RefusedError 404 outside the scope."""
    require_project(db, actor, project_code)
    row = db.execute(_scored(actor.scope).where(risk_latest.c.project_code == project_code)).first()
    if row is None:
        return None
    at = risk_scores.c
    earlier = select(at.scored_at_ns, at.score, at.band, at.version).where(at.project_code == project_code)
    history = db.execute(earlier.order_by(at.scored_at_ns.desc()).limit(HISTORY)).all()
    return RiskDossier(_row(row), _parts(row.factors), history)


def bands_of(db: Connection, codes: Sequence[str]) -> dict[str, tuple[Band, int]]:
    """Band and score of projects that have one."""
    at = risk_latest.c
    rows = db.execute(select(at.project_code, at.band, at.score).where(at.project_code.in_(codes)))
    return {row[0]: (Band.of(row[1]), row[2]) for row in rows}


def _scored(scope: Scope) -> "Select[tuple[Any, ...]]":
    at = projects.c
    columns = (risk_latest, at.name, at.city_code, at.county_code, regions.c.name.label("region_name"))
    joined = risk_latest.join(projects, at.project_code == risk_latest.c.project_code)
    joined = joined.outerjoin(regions, regions.c.code == at.county_code)
    mine = (in_scope(scope, risk_latest.c.project_code), at.status.in_(SCORED))
    return select(*columns).select_from(joined).where(*mine)


def _filtered(found: "Select[tuple[Any, ...]]", filters: RiskFilters) -> "Select[tuple[Any, ...]]":
    at = projects.c
    if filters.band is not None:
        found = found.where(risk_latest.c.band == filters.band.value)
    if filters.region:
        found = found.where(or_(at.city_code == filters.region, at.county_code == filters.region))
    if filters.factor is not None:
        found = found.where(risk_latest.c.reasons.contains(f'"factor": "{filters.factor.value}"', autoescape=True))
    if words := filters.words:
        part = at.name.contains(words, autoescape=True)
        found = found.where(part | at.project_code.startswith(words, autoescape=True))
    return found


def _below(after: str) -> Any:
    score, _, code = after.partition(".")
    if not (score.isdecimal() and len(score) <= 3 and code):
        raise RefusedError(422, "bad_page", "没有这一页", "no such page", "after")
    at = risk_latest.c
    return (at.score < int(score)) | ((at.score == int(score)) & (at.project_code > code))


def _counts(db: Connection, scope: Scope) -> tuple[dict[Band, int], int]:
    at = projects.c
    joined = projects.outerjoin(risk_latest, risk_latest.c.project_code == at.project_code)
    counted = select(risk_latest.c.band, func.count()).select_from(joined)
    rows = db.execute(counted.where(in_scope(scope, at.project_code), at.status.in_(SCORED)).group_by("band"))
    found = {row[0]: row[1] for row in rows}
    return {band: found.get(band.value, 0) for band in Band}, found.get(None, 0)


def _row(row: Any) -> Scored:
    reasons = tuple(
        Reason(Factor(each["factor"]), each["share"], each["zh"], each["en"]) for each in orjson.loads(row.reasons)
    )
    region = row.region_name or row.county_code or row.city_code
    whole = (row.score, Band.of(row.band), reasons, row.version, row.scored_at_ns)
    return Scored(row.project_code, row.name, region, *whole)


def _parts(text: str) -> tuple[Part, ...]:
    return tuple(
        Part(
            factor=Factor(each["factor"]),
            weight=each["weight"],
            severity=Decimal(each["severity"]),
            footing=Footing(each["footing"]),
            share=each["share"],
            zh=each["zh"],
            en=each["en"],
        )
        for each in orjson.loads(text)
    )
