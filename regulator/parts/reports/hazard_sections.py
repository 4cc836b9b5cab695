"""Hazards in a report: found, closed, overdue, listed; the two lists (C1); the three lists of the month (E11).

The lists hold what stood at the end of the period. **Two lists**: each hazard with its rectification measure, so that
both are equally long; a hazard without one says so. **Three lists**: risks (dangerous works that run), problems (open
hazards) and responsibilities (for each problem who rectifies, who holds it, by when).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, and_, func, or_, select

from kit.words import Words
from regulator.base.kinds import FirmRole, WorkStage, WorkType
from regulator.base.records.tables.hazards import hazard_deadlines, hazard_orders, hazards
from regulator.base.records.tables.registry import dangerous_works, firms, project_firms, projects
from regulator.base.rules import Document
from regulator.parts.hazards.deadlines import URGING, DeadlineKind
from regulator.parts.reports.paper import Section, Text, TextGrid, TextSection, grid
from regulator.parts.reports.statistics.hazard_figures import overdue_at
from regulator.parts.reports.statistics.making import Span
from regulator.parts.reports.statistics.selection import Selection
from screens.formats import local_day

GRADES = {"general": Words("一般", "general"), "major": Words("重大", "major")}
LEVELS = {"county": Words("县", "county"), "city": Words("市", "city"), "province": Words("省", "province")}
NO_MEASURE = Words("【无整改措施】", "[no measure]")
NO_CONTRACTOR = Words("未登记施工单位", "no contractor registered")
HAZARD, PROJECT, TITLE = Words("隐患编号", "Hazard no."), Words("项目", "Project"), Words("隐患", "Hazard")
GRADE, DUE = Words("级别", "Grade"), Words("期限", "Due")


@dataclass(frozen=True, slots=True)
class OpenHazard:
    """One hazard that stood at the end. `measure` is empty without one, `due` without a deadline."""

    hazard_id: str
    number: str
    project: str
    title: Words
    grade: Words
    place: str
    found_day: str
    firm: Text
    level: str
    due: str
    overdue_days: int
    measure: str


def hazard_section(db: Connection, selection: Selection, span: Span) -> TextSection:
    """Counts of the period by grade, and what stood overdue and listed at its end."""
    rows: list[tuple[Text, ...]] = [(GRADES[grade], *_counts(db, selection, span, grade)) for grade in GRADES]
    total: tuple[Text, ...] = (
        Words("合计", "all"),
        *(str(sum(int(str(row[place])) for row in rows)) for place in range(1, 8)),
    )
    heads = (
        GRADE,
        Words("期初存量", "Stock at the start"),
        Words("新登记", "Entered"),
        Words("认定属实", "Confirmed"),
        Words("销号", "Closed"),
        Words("期末存量", "Stock at the end"),
        Words("期末逾期", "Overdue at the end"),
        Words("期末挂牌", "Listed at the end"),
    )
    listed_heads = (HAZARD, PROJECT, TITLE, Words("挂牌层级", "Listed by"), DUE)
    listed = _listed(db, selection, span)
    more = (
        (grid(Words("期末挂牌督办", "Listed for supervision at the end"), listed_heads, listed, (24, 22, 28, 10, 16)),)
        if listed
        else ()
    )
    caption = Words("隐患存量与流量", "Stock and flow of hazards")
    return Section(Words("二、隐患", "2. Hazards"), (), (grid(caption, heads, [*rows, total]), *more))


def paired_section(standing: list[OpenHazard]) -> TextSection:
    """C1: hazards and measures, one beside the other."""
    rows = [(each.number, each.project, each.title, each.grade, each.measure or NO_MEASURE) for each in standing]
    missing = sum(not each.measure for each in standing)
    said = Words(
        f"动态隐患清单 {len(rows)} 项，整改措施清单 {len(rows) - missing} 项有措施，{missing} 项无措施（须补）。",
        f"{len(rows)} hazards on the list; {len(rows) - missing} of them have a measure, {missing} have none "
        "and need one.",
    )
    heads = (HAZARD, PROJECT, TITLE, GRADE, Words("整改措施", "Measure"))
    title = Words("七、两个清单（隐患、整改措施）", "7. The two lists (hazards, measures)")
    caption = Words("两个清单", "The two lists")
    return Section(title, (said,), _unless_empty(caption, heads, rows, (20, 18, 24, 8, 30)))


def three_lists_section(db: Connection, selection: Selection, span: Span, standing: list[OpenHazard]) -> TextSection:
    """E11: risk, problem, responsibility, as they stood at the end; the signature of the report is theirs."""
    risks = _risks(db, selection, span)
    problems = [(each.number, each.project, each.title, each.grade, each.place, each.found_day) for each in standing]
    duties = [(each.number, each.firm, LEVELS[each.level], each.due, _late(each)) for each in standing]
    said = Words(
        f"风险 {len(risks)} 项，问题 {len(problems)} 项，责任 {len(duties)} 项；随本报告签发一并核定。",
        f"{len(risks)} risks, {len(problems)} problems, {len(duties)} responsibilities; approved with this report.",
    )
    risk_heads = (
        PROJECT,
        Words("危大工程", "Dangerous work"),
        Words("类型", "Type"),
        Words("超规模", "Over scale"),
        Words("起", "From"),
        Words("止", "To"),
    )
    problem_heads = (HAZARD, PROJECT, TITLE, GRADE, Words("部位", "Place"), Words("发现日", "Found on"))
    duty_heads = (
        HAZARD,
        Words("整改责任单位", "Who rectifies"),
        Words("督办层级", "Held by"),
        DUE,
        Words("逾期", "Overdue"),
    )
    return Section(
        Words("八、三张清单（风险、问题、责任）", "8. The three lists (risks, problems, responsibilities)"),
        (said,),
        (
            *_unless_empty(Words("风险清单", "Risks"), risk_heads, risks, (24, 28, 20, 8, 10, 10)),
            *_unless_empty(Words("问题清单", "Problems"), problem_heads, problems, (20, 20, 26, 8, 14, 12)),
            *_unless_empty(Words("责任清单", "Responsibilities"), duty_heads, duties, (24, 32, 12, 18, 14)),
        ),
    )


def open_hazards(db: Connection, selection: Selection, span: Span) -> list[OpenHazard]:
    """What was confirmed and not closed at the end, by project and when it was found."""
    at, names = hazards.c, projects.c
    stood = (
        select(hazards, names.name.label("project_name"))
        .join(projects, names.project_code == at.project_code, isouter=True)
        .where(*_standing(selection, span.to_ns))
        .order_by(at.project_code, at.observed_at_ns, at.hazard_id)
    )
    rows = db.execute(stood).all()
    late = {each.hazard_id: each for each in overdue_at(db, selection, span.to_ns)}
    measures, due = _measures(db, selection, span), _due(db, selection, span)
    firms_of = _contractors(db, selection)
    return [
        OpenHazard(
            row.hazard_id, row.number or row.hazard_id, row.project_name or row.project_code,
            Words(row.title_zh, row.title_en or row.title_zh),
            GRADES[row.grade], row.place_id, local_day(row.observed_at_ns),
            firms_of.get(row.project_code, NO_CONTRACTOR),
            late[row.hazard_id].level if row.hazard_id in late else row.held_by_level,
            due.get(row.hazard_id, ""), late[row.hazard_id].days if row.hazard_id in late else 0,
            measures.get(row.hazard_id, ""),
        )
        for row in rows
    ]  # fmt: skip


def _late(each: OpenHazard) -> Text:
    return Words(f"{each.overdue_days} 天", f"{each.overdue_days} days") if each.overdue_days else ""


def _unless_empty(
    caption: Text, heads: tuple[Text, ...], rows: Sequence[tuple[Text, ...]], widths: tuple[int, ...]
) -> tuple[TextGrid, ...]:
    return (grid(caption, heads, rows, widths),) if rows else ()


def _counts(db: Connection, selection: Selection, span: Span, grade: str) -> tuple[str, ...]:
    at = hazards.c
    mine = (at.grade == grade, selection.covers(at.project_code))

    def count(*where: Any) -> int:
        return db.scalar(select(func.count()).select_from(hazards).where(*mine, *where)) or 0

    late = {each.hazard_id for each in overdue_at(db, selection, span.to_ns)}
    of_grade = set(db.scalars(select(at.hazard_id).where(*mine))) & late if late else set()
    opening = count(*_standing(selection, span.from_ns))
    closing = count(*_standing(selection, span.to_ns))
    within = (count(_within(column, span)) for column in (at.opened_at_ns, at.confirmed_at_ns, at.closed_at_ns))
    listed = count(at.hazard_id.in_(_listed_ids(span.to_ns)))
    return tuple(str(number) for number in (opening, *within, closing, len(of_grade), listed))


def _standing(selection: Selection, at_ns: int) -> tuple[Any, ...]:
    at = hazards.c
    left = or_(at.closed_at_ns == 0, at.closed_at_ns >= at_ns)
    return at.confirmed_at_ns > 0, at.confirmed_at_ns < at_ns, left, selection.covers(at.project_code)


def _within(column: Any, span: Span) -> Any:
    return and_(column >= span.from_ns, column < span.to_ns)


def _listed_ids(at_ns: int) -> Any:
    at = hazard_deadlines.c
    running = or_(at.ended_at_ns == 0, at.ended_at_ns > at_ns)
    return select(at.hazard_id).where(at.what == DeadlineKind.LISTING.value, at.started_at_ns < at_ns, running)


def _listed(db: Connection, selection: Selection, span: Span) -> list[tuple[Text, ...]]:
    at, due = hazards.c, hazard_deadlines.c
    running = or_(due.ended_at_ns == 0, due.ended_at_ns > span.to_ns)
    found = (
        select(at.number, at.hazard_id, at.project_code, at.title_zh, at.title_en, due.level, due.due_at_ns)
        .join(hazard_deadlines, due.hazard_id == at.hazard_id)
        .where(due.what == DeadlineKind.LISTING.value, due.started_at_ns < span.to_ns, running)
        .where(selection.covers(at.project_code))
        .order_by(due.due_at_ns, at.hazard_id)
    )
    return [
        (
            row.number or row.hazard_id,
            row.project_code,
            Words(row.title_zh, row.title_en or row.title_zh),
            LEVELS.get(row.level, "–"),
            local_day(row.due_at_ns - 1),
        )
        for row in db.execute(found)
    ]


def _measures(db: Connection, selection: Selection, span: Span) -> dict[str, str]:
    """The words of the last order to rectify before the end."""
    at = hazard_orders.c
    ordered = (
        select(at.hazard_id, at.words)
        .where(at.kind == Document.RECTIFY.value, at.issued_at_ns < span.to_ns, selection.covers(at.project_code))
        .order_by(at.issued_at_ns)
    )
    return {row.hazard_id: row.words for row in db.execute(ordered)}


def _due(db: Connection, selection: Selection, span: Span) -> dict[str, str]:
    """The first deadline that ran at the end, as its last day."""
    at = hazard_deadlines.c
    running = or_(at.ended_at_ns == 0, at.ended_at_ns > span.to_ns)
    found = (
        select(at.hazard_id, func.min(at.due_at_ns).label("due_at_ns"))
        .where(at.what.in_([kind.value for kind in URGING]), at.started_at_ns < span.to_ns, running)
        .where(selection.covers(at.project_code))
        .group_by(at.hazard_id)
    )
    return {row.hazard_id: local_day(row.due_at_ns - 1) for row in db.execute(found)}


def _contractors(db: Connection, selection: Selection) -> dict[str, str]:
    at = project_firms.c
    found = (
        select(at.project_code, firms.c.name)
        .join(firms, firms.c.firm_code == at.firm_code)
        .where(at.role == FirmRole.CONTRACTOR.value, at.status == "active", selection.covers(at.project_code))
        .order_by(at.project_code, at.firm_code.desc())
    )
    return {row.project_code: row.name for row in db.execute(found)}


def _risks(db: Connection, selection: Selection, span: Span) -> list[tuple[Text, ...]]:
    at = dangerous_works.c
    running = (
        select(dangerous_works, projects.c.name.label("project_name"))
        .join(projects, projects.c.project_code == at.project_code)
        .where(at.stage == WorkStage.RUNNING.value, at.from_day <= span.last, selection.covers(at.project_code))
        .where(or_(at.to_day == "", at.to_day >= span.last))
        .order_by(at.project_code, at.work_code)
    )
    return [
        (
            row.project_name,
            row.name,
            Words(WorkType.of(row.type).zh, WorkType.of(row.type).en),
            Words("是", "yes") if row.over_scale else Words("否", "no"),
            row.from_day or "–",
            row.to_day or "–",
        )
        for row in db.execute(running)
    ]
