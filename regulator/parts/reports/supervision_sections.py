"""Supervision in a report: coverage of the set, rounds, the key-risk list with its month, the highest risks."""

import json
from collections.abc import Mapping

from sqlalchemy import Connection, func, select

from kit.words import Words
from regulator.base.coverage.ladder import Rung
from regulator.base.coverage.standings import standing_on
from regulator.base.kinds import RiskKind, Word
from regulator.base.model.actor import Scope
from regulator.base.records.tables.coverage import asset_days
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.registry import firms, project_firms, projects
from regulator.base.records.tables.reports import statistics_alarm_days
from regulator.base.records.tables.rounds import key_risk_checks, key_risks, rounds
from regulator.base.records.tables.supervision import risk_scores
from regulator.parts.hazards.stock import DAY_NS
from regulator.parts.registry.rounds.coverage import coverage_of
from regulator.parts.reports.paper import UNKNOWN, Section, Text, TextSection, grid
from regulator.parts.reports.statistics.making import Span
from regulator.parts.reports.statistics.selection import Selection
from screens.formats import local_day

TOP_RISKS = 10
BANDS = {"high": Words("高", "high"), "medium": Words("中", "medium"), "low": Words("低", "low")}
LEVELS = {"firm": Words("企业", "firm"), "project": Words("项目", "project")}
PROJECT = Words("项目", "Project")
COVERAGE = Words("三、项目名单覆盖", "3. Coverage of the project set")
ROUNDS = Words("四、全覆盖检查", "4. Full-coverage rounds")
KEY_RISKS = Words("五、重点风险企业项目", "5. Firms and projects of key risk")
HIGHEST = Words("六、风险最高的项目", "6. The highest risks")


def coverage_section(db: Connection, scope: Scope, span: Span) -> tuple[TextSection, list[tuple[Words, Words]]]:
    """The set as its last day ended, and the rest with the reason of each; what is not known of it."""
    standing = standing_on(db, scope, span.last_day)
    if standing is None:
        why = Words(
            f"{span.last} 日终的覆盖情况未冻结（平台未启用，或名单为空）",
            f"coverage at the end of {span.last} was not frozen (the desk did not run, or the set was empty)",
        )
        return Section(COVERAGE, (_nobody_knows(why),)), [(Words("项目名单覆盖", "Coverage of the set"), why)]
    names = _names(db, list(standing.ladders))
    rungs = [rung for rung in Rung if rung is not Rung.NOWHERE]
    counts = tuple(str(standing.on_rung[rung]) for rung in rungs)
    rest: list[tuple[Text, ...]] = [
        (code, names.get(code, ""), _of(ladder.reached), _of(stop.rung), Words(stop.zh, stop.en))
        for code, ladder in standing.ladders.items()
        if (stop := ladder.stopped_at) is not None
    ]
    said = Words(
        f"{span.last} 日终在册 {len(standing.ladders)} 个，达到末级 {standing.covered} 个（{standing.headline} %），"
        f"情况未知 {standing.unknown} 个。监控主机失联即为未知，不作零计。",
        f"At the end of {span.last} the set held {len(standing.ladders)} projects; {standing.covered} reached the last "
        f"rung ({standing.headline} %), of {standing.unknown} it is unknown. A silent box is unknown, never zero.",
    )
    heads = (
        Words("项目编号", "Project code"),
        PROJECT,
        Words("已达", "Reached"),
        Words("止于", "Stopped at"),
        Words("原因", "Why"),
    )
    grids = [grid(Words("各级达到数", "Projects on each rung"), tuple(_of(rung) for rung in rungs), [counts])]
    if rest:
        grids.append(grid(Words("未达末级的项目", "Projects below the last rung"), heads, rest, (16, 26, 14, 16, 28)))
    return Section(COVERAGE, (said,), tuple(grids)), []


def round_section(db: Connection, selection: Selection, span: Span) -> TextSection:
    """Full-coverage rounds that ran in the period, with their shares as they are when this is made."""
    at = rounds.c
    scope = selection.region or selection.scope
    ran = select(rounds).where(at.starts_on <= span.last, (at.closed_at_ns == 0) | (at.closed_at_ns >= span.from_ns))
    rows: list[tuple[Text, ...]] = []
    for row in db.execute(ran.order_by(at.starts_on, at.round_id)):
        shares = coverage_of(db, row.round_id, scope)
        if not any(each.all or each.dropped for each in shares):
            continue  # a round elsewhere
        told = (
            Words(f"{each.percent} %（{each.checked}/{each.all}）", f"{each.percent} % ({each.checked}/{each.all})")
            for each in shares
        )
        day = local_day(row.closed_at_ns) if row.closed_at_ns else ""
        state = Words(f"{day} 办结", f"closed on {day}") if day else _round_state(row.due_on, span)
        rows.append(
            (row.name, Words(f"{row.starts_on} 至 {row.due_on}", f"{row.starts_on} to {row.due_on}"), *told, state)
        )
    heads = (
        Words("轮次", "Round"),
        Words("起止", "From, to"),
        Words("企业", "Firms"),
        Words("项目", "Projects"),
        Words("设备", "Devices"),
        Words("状态", "State"),
    )
    said = () if rows else (Words("本期没有进行中的全覆盖检查轮次。", "No full-coverage round ran in this period."),)
    table = grid(Words("轮次进度", "How far the rounds are"), heads, rows, (20, 22, 16, 16, 16, 10))
    return Section(ROUNDS, said, (table,) if rows else ())


def key_risk_section(db: Connection, selection: Selection, span: Span) -> TextSection:
    """The key-risk list at the end (A7), with the month's check and what the devices say of each project (A8)."""
    listed = _listed(db, selection, span)
    checked = _checked(db, span)
    alarmed, heard = _alarms(db, selection, span), _heard(db, selection, span)
    flow = _flow(db, selection, span)
    span_h = (span.to_ns - span.from_ns) / DAY_NS * 24
    rows: list[tuple[Text, ...]] = []
    for (level, code), (name, grounds, since) in listed.items():
        told: tuple[Text, Text, Text] = (UNKNOWN, "–", "–")
        if level == "project":
            confirmed, closed = flow.get(code, (0, 0))
            off = f"{span_h - heard[code] / 60:.0f}" if code in heard else UNKNOWN
            told = (str(alarmed.get(code, 0)) if code in heard else UNKNOWN, f"{closed}/{confirmed}", off)
        elif level == "firm":
            told = ("–", "–", "–")
        days = checked.get((level, code), 0)
        seen = Words(f"{days} 次", f"{days} times") if days else Words("【本期未查】", "[not checked]")
        rows.append((LEVELS[level], name, grounds, since, seen, *told))
    heads = (
        Words("类别", "Kind"),
        Words("名称", "Name"),
        Words("列入原因", "Why listed"),
        Words("列入日", "Since"),
        Words("本期检查", "Checked"),
        Words("报警数", "Alarms"),
        Words("销号/属实", "Closed / confirmed"),
        Words("离线小时", "Hours silent"),
    )
    said = Words(
        f"期末在列 {len(rows)} 个；在列企业、项目每月至少检查一次。",
        f"{len(rows)} listed at the end; whoever is listed is checked at least once a month.",
    )
    widths = (8, 22, 22, 12, 12, 8, 9, 9)
    table = grid(Words("重点风险台账", "Key-risk list"), heads, rows, widths)
    return Section(KEY_RISKS, (said,), (table,) if rows else ())


def risk_section(db: Connection, selection: Selection, span: Span) -> tuple[TextSection, list[tuple[Words, Words]]]:
    """The highest scores at the end of the period with their reasons, and the formula's version."""
    at = risk_scores.c
    last = (
        select(at.project_code, func.max(at.scored_at_ns).label("last_ns"))
        .where(at.scored_at_ns < span.to_ns, selection.covers(at.project_code))
        .group_by(at.project_code)
        .subquery()
    )
    same = (at.project_code == last.c.project_code) & (at.scored_at_ns == last.c.last_ns)
    found = (
        select(risk_scores, projects.c.name)
        .join(last, same)
        .join(projects, projects.c.project_code == at.project_code, isouter=True)
        .order_by(at.score.desc(), at.project_code)
        .limit(TOP_RISKS)
    )
    rows: list[tuple[Text, ...]] = [
        (row.name or row.project_code, str(row.score), BANDS.get(row.band, row.band), _reasons(row.reasons),
         row.version, local_day(row.scored_at_ns))
        for row in db.execute(found)
    ]  # fmt: skip
    if not rows:
        why = Words("期末之前没有风险评分", "no risk was scored before the end of the period")
        return Section(HIGHEST, (_nobody_knows(why),)), [(Words("项目风险评分", "Risk scores of projects"), why)]
    heads = (
        PROJECT,
        Words("分值", "Score"),
        Words("等级", "Band"),
        Words("主要原因", "Main reasons"),
        Words("公式版本", "Formula"),
        Words("评分日", "Scored on"),
    )
    table = grid(Words("风险最高的项目", "The highest risks"), heads, rows, (24, 8, 8, 36, 12, 12))
    said = Words(
        "分值按同一公式计算；情况未知只会抬高分值。", "One formula for all; what is unknown can only raise a score."
    )
    return Section(HIGHEST, (said,), (table,)), []


def _of(word: Word) -> Words:
    return Words(word.zh, word.en)


def _nobody_knows(why: Words) -> Words:
    return Words(f"{UNKNOWN.zh}：{why.zh}。", f"{UNKNOWN.en.capitalize()}: {why.en}.")


def _round_state(due_on: str, span: Span) -> Words:
    return Words("逾期", "overdue") if due_on <= span.last else Words("进行中", "running")


def _reasons(text: str) -> Words:
    said = json.loads(text)
    zh = "；".join(f"{each['zh']}（{each['share']} 分）" for each in said)
    return Words(zh, "; ".join(f"{each['en']} ({each['share']} points)" for each in said))


def _names(db: Connection, codes: list[str]) -> dict[str, str]:
    at = projects.c
    return {
        row.project_code: row.name
        for row in db.execute(select(at.project_code, at.name).where(at.project_code.in_(codes)))
    }


def _listed(db: Connection, selection: Selection, span: Span) -> dict[tuple[str, str], tuple[str, Words, str]]:
    """Name, grounds and first day of whoever was on the list at the end."""
    at = key_risks.c
    here = select(project_firms.c.firm_code).where(selection.covers(project_firms.c.project_code))
    seen = ((at.level == "project") & selection.covers(at.code)) | ((at.level == "firm") & at.code.in_(here))
    stood = select(key_risks).where(at.from_day <= span.last, (at.until_day == "") | (at.until_day > span.last), seen)
    project_names = {row.project_code: row.name for row in db.execute(select(projects.c.project_code, projects.c.name))}
    firm_names = {row.firm_code: row.name for row in db.execute(select(firms.c.firm_code, firms.c.name))}
    names: Mapping[str, dict[str, str]] = {"project": project_names, "firm": firm_names}
    found: dict[tuple[str, str], tuple[str, Words, str]] = {}
    for row in db.execute(stood.order_by(at.level, at.code, at.from_day)):
        name, grounds, since = found.get(
            (row.level, row.code), (names[row.level].get(row.code, row.code), Words(), row.from_day)
        )
        ground = _of(RiskKind.of(row.ground))
        told = Words(f"{grounds.zh}、{ground.zh}", f"{grounds.en}, {ground.en}") if grounds.zh else ground
        found[row.level, row.code] = name, told, since
    return found


def _checked(db: Connection, span: Span) -> dict[tuple[str, str], int]:
    at = key_risk_checks.c
    counted = select(at.level, at.code, func.count().label("n")).where(at.on_day >= span.first, at.on_day <= span.last)
    return {(row.level, row.code): int(row.n) for row in db.execute(counted.group_by(at.level, at.code))}


def _alarms(db: Connection, selection: Selection, span: Span) -> dict[str, int]:
    at = statistics_alarm_days.c
    counted = (
        select(at.project_code, func.sum(at.p1 + at.p2 + at.p3).label("n"))
        .where(at.day >= span.first, at.day <= span.last, selection.covers(at.project_code))
        .group_by(at.project_code)
    )
    return {row.project_code: int(row.n) for row in db.execute(counted)}


def _heard(db: Connection, selection: Selection, span: Span) -> dict[str, int]:
    """Minutes in which a project's boxes told something: each day the one that told most."""
    at = asset_days.c
    a_day = (
        select(at.project_code, func.max(at.minutes).label("most"))
        .where(at.day >= span.first, at.day <= span.last, selection.covers(at.project_code))
        .group_by(at.project_code, at.day)
        .subquery()
    )
    counted = select(a_day.c.project_code, func.sum(a_day.c.most).label("n")).group_by(a_day.c.project_code)
    return {row.project_code: int(row.n) for row in db.execute(counted)}


def _flow(db: Connection, selection: Selection, span: Span) -> dict[str, tuple[int, int]]:
    """Confirmed and closed in the period, by project."""
    at = hazards.c
    found: dict[str, list[int]] = {}
    for place, column in enumerate((at.confirmed_at_ns, at.closed_at_ns)):
        counted = (
            select(at.project_code, func.count().label("n"))
            .where(column >= span.from_ns, column < span.to_ns, selection.covers(at.project_code))
            .group_by(at.project_code)
        )
        for row in db.execute(counted):
            found.setdefault(row.project_code, [0, 0])[place] = int(row.n)
    return {code: (counts[0], counts[1]) for code, counts in found.items()}
