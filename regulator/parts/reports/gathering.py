"""The whole content of a report, gathered once from one consistent view of the database."""

from dataclasses import dataclass

from sqlalchemy import Connection

from regulator.base.model.actor import Scope
from regulator.parts.reports.figure_sections import figure_body, figure_section, unknown_section
from regulator.parts.reports.hazard_sections import hazard_section, open_hazards, paired_section, three_lists_section
from regulator.parts.reports.paper import Head, TextSection, body_of
from regulator.parts.reports.periods import Period
from regulator.parts.reports.statistics.gathering import statistics_of
from regulator.parts.reports.statistics.making import span_of
from regulator.parts.reports.statistics.selection import Selection
from regulator.parts.reports.supervision_sections import coverage_section, key_risk_section, risk_section, round_section


@dataclass(frozen=True, slots=True)
class Gathered:
    """`body`: canonical bytes. `unknown`: how many things are not known."""

    body: bytes
    unknown: int


def gather_report(db: Connection, scope: Scope, period: Period, head: Head) -> Gathered:
    """A region's report on a period that is over."""
    selection = Selection(scope)
    span = span_of(db, selection, period.first_day, period.last_day)
    found = statistics_of(db, selection, span)
    standing = open_hazards(db, selection, span)
    coverage, not_covered = coverage_section(db, scope, span)
    risks, not_scored = risk_section(db, selection, span)
    more = not_covered + not_scored
    sections: tuple[TextSection, ...] = (
        figure_section(found),
        hazard_section(db, selection, span),
        coverage,
        round_section(db, selection, span),
        key_risk_section(db, selection, span),
        risks,
        paired_section(standing),
        three_lists_section(db, selection, span, standing),
        unknown_section(found, more),
    )
    body = body_of(head, sections, [figure_body(figure) for figure in found.figures])
    return Gathered(body, sum(figure.unknown for figure in found.figures) + len(more))
