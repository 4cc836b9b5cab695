"""Reports: drafted at the month's end in Shanghai, frozen, issued by one, printed again byte for byte."""

import hashlib
import io
import json
import re
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pypdf import PdfReader
from sqlalchemy import Connection, insert, select, update

from contract.chain import ChainHead
from contract.signing import SignKey, generate_key
from regulator.base.desk import Desk
from regulator.base.intake.disk_shelf import DiskShelf
from regulator.base.model.actor import SYSTEM, Actor, Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import entries_about, verify_ledger
from regulator.base.records.tables.coverage import coverage_days
from regulator.base.records.tables.hazards import hazard_orders, hazards
from regulator.base.records.tables.reports import reports
from regulator.base.records.tables.rounds import key_risks, round_items, rounds
from regulator.base.records.tables.supervision import risk_scores
from regulator.base.settings import DeskSettings
from regulator.parts.reports.paper import PaperLanguage
from regulator.parts.reports.periods import PeriodKind, ended_last, month_of, read_period
from regulator.parts.reports.regions import ReportRegion
from regulator.parts.reports.report_office import Report, ReportOffice, list_reports
from regulator.parts.reports.statistics.roll_up import run_roll_up
from tests.fakes.statistics_month import StatisticsMonth, at

NUMBER = "YB-44-2026-03-1"
PROVINCE = Actor("u-province", "省审批员", Scope(Level.PROVINCE, "44"), frozenset({Duty.APPROVER}))
CITY = Actor("u-city", "市审批员", Scope(Level.CITY, "4401"), frozenset({Duty.APPROVER}))
COUNTY = Actor("u-county", "县审批员", Scope(Level.COUNTY, "440105"), frozenset({Duty.APPROVER}))
NEXT_DAY = at(4, 1, 0, 10)


class BrokenShelf(DiskShelf):
    """A disk that cannot be reached."""

    def put(self, content: bytes, media_type: str) -> str:
        raise OSError(5, "Input/output error")

    def read(self, sha256: str) -> bytes:
        raise OSError(5, "Input/output error")


def desk_of(month: StatisticsMonth, key: SignKey, folder: Path) -> Desk:
    """A desk with March in it, the day after."""
    settings = DeskSettings(database="sqlite://", blobs=str(folder), key_file=folder / "key", province_code="44")
    desk = Desk(settings, month.database, key, lambda: NEXT_DAY)
    desk.shelf = DiskShelf(folder / "blobs", 2**26)
    return desk


def rolled(desk: Desk) -> ReportOffice:
    """Its office, with all that arrived rolled up."""
    run_roll_up(desk.database, NEXT_DAY)
    return ReportOffice(desk)


@pytest.fixture
def desk(file_month: StatisticsMonth, desk_key: SignKey, tmp_path: Path) -> Desk:
    return desk_of(file_month, desk_key, tmp_path)


@pytest.fixture
def office(desk: Desk) -> ReportOffice:
    return rolled(desk)


@pytest.fixture
def drafted(office: ReportOffice) -> ReportOffice:
    assert office.draft_due(NEXT_DAY) == 5  # a province, two cities, two counties
    return office


def body_of(desk: Desk, number: str) -> dict[str, object]:
    with desk.database.reading() as db:
        return json.loads(str(db.scalar(select(reports.c.body).where(reports.c.number == number))))


def read(
    office: ReportOffice,
    desk: Desk,
    number: str,
    *,
    pdf: bool,
    actor: Actor = PROVINCE,
    language: PaperLanguage = "zh",
) -> bytes:
    with desk.database.reading() as db:
        return office.paper(db, actor, number, pdf=pdf, language=language)


def listed(desk: Desk, actor: Actor) -> list[Report]:
    with desk.database.reading() as db:
        return list_reports(db, actor, "", 100)


def test_periods_are_those_of_the_calendar() -> None:
    assert [period.label for period in ended_last(at(4, 1))] == ["2026-03"]
    assert [period.label for period in ended_last(at(4, 1) - 1)] == ["2026-02"]  # midnight of Shanghai decides
    assert [period.label for period in ended_last(at(7, 1))] == ["2026-06", "2026-H1"]
    assert [period.label for period in ended_last(at(1, 1))] == ["2025-12", "2025-H2", "2025"]
    half = read_period("2026-H1")
    assert (half.first_day, half.last_day, half.zh) == (date(2026, 1, 1), date(2026, 6, 30), "2026年上半年")
    assert month_of(date(2024, 2, 10)).last_day == date(2024, 2, 29)


@pytest.mark.parametrize("label", ["2026-13", "2026-H3", "26-01", "0000-01", "2026-3", ""])
def test_a_period_that_is_none_is_refused(label: str) -> None:
    with pytest.raises(RefusedError, match="no_such_period"):
        read_period(label)


def test_no_draft_before_the_month_is_over_and_rolled_up(desk: Desk) -> None:
    office = ReportOffice(desk)
    assert office.draft_due(NEXT_DAY) == 0  # nothing is rolled up
    run_roll_up(desk.database, at(3, 31, 23, 59))
    assert office.draft_due(NEXT_DAY) == 0  # what came in the last minute is not
    run_roll_up(desk.database, NEXT_DAY)
    assert office.draft_due(NEXT_DAY) == 5
    assert office.draft_due(NEXT_DAY) == 0
    with pytest.raises(RefusedError, match="not_over"):
        office.draft(ReportRegion(Level.PROVINCE, "44", "测试省"), read_period("2026-04"), SYSTEM, NEXT_DAY)


def test_a_draft_holds_the_figures_and_lists_of_its_region(desk: Desk, drafted: ReportOffice) -> None:
    said = body_of(desk, NUMBER)
    figures = {each["key"]: each for each in said["figures"]}  # type: ignore[attr-defined, index]
    assert float(figures["on_time"]["value"]) == 50
    assert figures["mtta_p2_p95"]["value"] is None
    sections = {each["title"][2:]: each for each in said["sections"]}  # type: ignore[attr-defined, index]
    stock = sections["隐患"]["grids"][0]["rows"]
    # h7 stood on 1 March; h1 to h6 were entered on 1 March, five of them confirmed, three closed; two are overdue.
    assert stock[-1] == ["合计", "1", "6", "5", "3", "3", "2", "1"]
    paired = sections["两个清单（隐患、整改措施）"]
    assert [row[-1] for row in paired["grids"][0]["rows"]] == ["【无整改措施】"] * 3
    duties = sections["三张清单（风险、问题、责任）"]["grids"][-1]["rows"]
    assert [(row[0], row[2], row[3], row[4]) for row in duties] == [
        ("h3", "市", "2026-03-19", "12 天"), ("h5", "县", "2026-03-30", "1 天"), ("h4", "县", "2026-04-09", ""),
    ]  # fmt: skip
    unknown = {row[0] for row in sections["未知事项及原因"]["grids"][0]["rows"]}
    assert {"P2 确认时间 p95", "项目名单覆盖", "项目风险评分"} <= unknown
    rail = body_of(desk, "YB-4403-2026-03-1")
    assert {each["key"]: each["n"] for each in rail["figures"]}["site_rate"] == 2  # type: ignore[attr-defined, index]


def test_hazards_with_an_order_are_paired_with_its_measure(desk: Desk, office: ReportOffice) -> None:
    with desk.database.transaction() as db:
        order = {"hazard_id": "h3", "project_code": "p1", "kind": "rectify", "legal_basis": "x", "issued_by": "u"}
        for number, (words, day) in enumerate((("加固护栏", 11), ("更换护栏并复测", 20))):
            row = {"order_id": f"o{number}", "number": f"ZG-{number}", "words": words, "issued_at_ns": at(3, day)}
            db.execute(insert(hazard_orders).values(**order, **row))
        entry = {"level": "project", "code": "p1", "ground": "stop_order", "from_day": "2026-03-02", "entered_by": "u"}
        db.execute(insert(key_risks).values(entry_id="k", **entry))
    office.draft_due(NEXT_DAY)
    sections = {each["title"][2:]: each for each in body_of(desk, NUMBER)["sections"]}  # type: ignore[attr-defined, index]
    measures = [row[-1] for row in sections["两个清单（隐患、整改措施）"]["grids"][0]["rows"]]
    assert measures == ["更换护栏并复测", "【无整改措施】", "【无整改措施】"]
    listed = sections["重点风险企业项目"]["grids"][0]["rows"]
    # 27 alarms of b1; five of 31 days heard of: 744 - 120 h; 3 closed, 4 of p1 confirmed
    assert listed == [["项目", "工程 p1", "曾因突出隐患停工整改", "2026-03-02", "【本期未查】", "27", "3/4", "624"]]


def supervise(db: Connection) -> None:
    """A round, scores and the coverage of one day."""
    reasons = [{"factor": "hazards_overdue", "share": "40.0", "zh": "逾期未整改隐患", "en": "overdue hazards"}]
    rungs = (
        ("listed", "yes", ""),
        ("box", "yes", ""),
        ("heartbeat", "no", "监控主机失联"),
        ("cameras", "unknown", "未知"),
    )
    steps = [{"rung": rung, "footing": footing, "zh": zh, "en": "why " + rung} for rung, footing, zh in rungs]
    about = {"name": "第一轮", "level": "county", "scope_code": "440105", "opened_by": "u"}
    db.execute(insert(rounds).values(round_id="r1", starts_on="2026-03-01", due_on="2026-03-31", **about))
    for device, check in (("d1", "c1"), ("d2", "")):
        thing = {"level": "device", "firm_code": "", "project_code": "p1", "device_code": device, "sheet": "site"}
        db.execute(insert(round_items).values(round_id="r1", **thing, check_id=check))
    scored = {"project_code": "p1", "band": "high", "version": "risk-2026.1", "day": "2026-03-31"}
    for score, at_ns in ((40, at(3, 10)), (72, at(3, 31)), (10, at(4, 1, 0, 5))):
        row = {"reasons": json.dumps(reasons), "score": score, "scored_at_ns": at_ns}
        db.execute(insert(risk_scores).values(**scored, **row))
    kept = {"day": "2026-03-31", "member": 1, "reached": "box", "steps": json.dumps(steps)}
    db.execute(insert(coverage_days).values(project_code="p1", **kept))


def test_supervision_is_told_where_it_belongs(desk: Desk, office: ReportOffice) -> None:
    with desk.database.transaction() as db:
        supervise(db)
    office.draft_due(NEXT_DAY)
    ours, theirs = (
        {each["title"][2:]: each for each in body_of(desk, number)["sections"]}  # type: ignore[attr-defined, index]
        for number in ("YB-440105-2026-03-1", "YB-440303-2026-03-1")
    )
    row = ours["全覆盖检查"]["grids"][0]["rows"][0]
    assert row == ["第一轮", "2026-03-01 至 2026-03-31", "– %（0/0）", "– %（0/0）", "50.00 %（1/2）", "逾期"]
    assert theirs["全覆盖检查"]["grids"] == []
    assert ours["风险最高的项目"]["grids"][0]["rows"] == [
        ["工程 p1", "72", "高", "逾期未整改隐患（40.0 分）", "risk-2026.1", "2026-03-31"]
    ]
    assert "未知" in theirs["风险最高的项目"]["sentences"][0]
    rest = ours["项目名单覆盖"]["grids"][-1]["rows"]
    assert rest == [["p1", "工程 p1", "已装监控主机", "心跳", "监控主机失联"]]
    assert "情况未知 1 个" in ours["项目名单覆盖"]["sentences"][0]


def test_issued_once_and_printed_again_byte_for_byte(desk: Desk, drafted: ReportOffice, desk_key: SignKey) -> None:
    draft = read(drafted, desk, NUMBER, pdf=False).decode()
    assert "草稿，尚未签发" in draft
    issued = drafted.issue(NUMBER, PROVINCE, at(4, 2, 9))
    assert issued.issued
    with desk.database.transaction() as db:  # whatever changes later
        db.execute(update(hazards).values(title_zh="改过的名称", closed_at_ns=at(3, 15)))
    desk.shelf.put(b"another", "text/plain")
    html, pdf = (read(drafted, desk, NUMBER, pdf=pdf) for pdf in (False, True))
    assert hashlib.sha256(html).hexdigest() == issued.html_sha256
    assert hashlib.sha256(pdf).hexdigest() == issued.pdf_sha256
    assert "签发人：省审批员" in html.decode()
    assert "改过的名称" not in html.decode()
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages).replace("\n", "")
    assert "测试省2026年3月房屋市政工程安全监管月报" in text
    assert issued.digest in text
    with desk.database.reading() as db:
        told = [(entry.fields["kind"], entry.fields["content"]) for entry in entries_about(db, NUMBER)]
        keys = {desk_key.public.key_id: desk_key.public}
        assert isinstance(verify_ledger(db, "report:province:44", keys), ChainHead)
    assert [kind for kind, _ in told] == ["report_drafted", "report_issued"]
    assert told[1][1]["pdf_sha256"] == issued.pdf_sha256  # type: ignore[index, call-overload]


NAMES = ("测试省", "工程 p", "第一轮")
"""What the month's data calls things."""
CHINESE = re.compile(r"[\u3400-\u9fff\uff00-\uffef\u3000-\u303f]")


def test_the_english_paper_is_whole_and_printed_again_byte_for_byte(desk: Desk, drafted: ReportOffice) -> None:
    with desk.database.transaction() as db:
        supervise(db)
        db.execute(update(hazards).values(title_en="A hazard", place_id="P"))
        db.execute(update(hazard_orders).values(words="mend it"))
    again = drafted.correct(NUMBER, "more", replace(PROVINCE, name="Chen"), at(4, 2, 8)).number
    assert "Draft, not signed yet" in read(drafted, desk, again, pdf=False, language="en").decode()
    issued = drafted.issue(again, replace(PROVINCE, name="Chen"), at(4, 2, 9))
    with desk.database.transaction() as db:  # whatever changes later
        db.execute(update(hazards).values(title_en="another name"))
    html, pdf = (read(drafted, desk, again, pdf=pdf, language="en") for pdf in (False, True))
    with desk.database.reading() as db:
        told = entries_about(db, again)[-1].fields["content"]
    assert (told["html_en_sha256"], told["pdf_en_sha256"]) == tuple(  # type: ignore[index, call-overload]
        hashlib.sha256(paper).hexdigest() for paper in (html, pdf)
    )
    page = html.decode()
    assert '<html lang="en">' in page
    assert "monthly report: 测试省, March 2026" in page
    for name in NAMES:
        page = page.replace(name, "")
    assert [line for line in page.splitlines() if CHINESE.search(line)] == []
    said = body_of(desk, again)
    shapes = [
        [(len(section["sentences"]), [len(grid["rows"]) for grid in section["grids"]]) for section in said[language]]  # type: ignore[attr-defined]
        for language in ("sections", "sections_en")
    ]
    assert shapes[0] == shapes[1]
    text = "".join(each.extract_text() for each in PdfReader(io.BytesIO(pdf)).pages)
    assert "Issued by: Chen" in text
    assert issued.digest in text.replace("\n", "")
    words = [word for each in said["sections_en"][0]["sentences"] for word in each.split()]  # type: ignore[index]
    assert [word for word in words if word not in text.split()] == []  # no word is cut at a line's end


def test_a_report_from_before_english_papers_says_that_it_has_none(desk: Desk, drafted: ReportOffice) -> None:
    old = body_of(desk, NUMBER)
    del old["sections_en"]
    with desk.database.transaction() as db:
        db.execute(update(reports).where(reports.c.number == NUMBER).values(body=json.dumps(old)))
    for _ in ("draft", "issued"):
        with desk.database.reading() as db:
            assert not drafted.has_english(db, drafted.known(db, PROVINCE, NUMBER))
        with pytest.raises(RefusedError, match="no_english"):
            read(drafted, desk, NUMBER, pdf=False, language="en")
        if _ == "draft":
            drafted.issue(NUMBER, PROVINCE, at(4, 2))
    assert "签发人：省审批员" in read(drafted, desk, NUMBER, pdf=False).decode()


def both_draft(desk: Desk) -> None:
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(ReportOffice(desk).draft_due(NEXT_DAY))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sum(counts) == 5
    assert len(listed(desk, PROVINCE)) == 5


def test_of_two_replicas_one_drafts_and_one_issues(month: StatisticsMonth, desk_key: SignKey, tmp_path: Path) -> None:
    desk = desk_of(month, desk_key, tmp_path)
    drafted = rolled(desk)
    both_draft(desk)
    people = [PROVINCE, replace(PROVINCE, user_id="u-other", name="另一人")]
    outcomes: list[str] = []
    start = threading.Barrier(2)

    def issue(actor: Actor) -> None:
        start.wait()
        try:
            outcomes.append(ReportOffice(desk).issue(NUMBER, actor, at(4, 2)).issuer_name)
        except RefusedError as refused:
            outcomes.append(refused.code)

    threads = [threading.Thread(target=issue, args=(actor,)) for actor in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(outcomes) == 2
    assert "issued_already" in outcomes
    with desk.database.reading() as db:
        assert [entry.fields["kind"] for entry in entries_about(db, NUMBER)].count("report_issued") == 1
        winner = next(name for name in outcomes if name != "issued_already")
        assert drafted.known(db, PROVINCE, NUMBER).issuer_name == winner
    assert f"签发人：{winner}" in read(drafted, desk, NUMBER, pdf=False).decode()


def test_a_correction_is_a_new_edition_that_names_the_old(desk: Desk, drafted: ReportOffice) -> None:
    first = drafted.issue(NUMBER, PROVINCE, at(4, 2))
    with desk.database.transaction() as db:
        db.execute(update(hazards).where(hazards.c.hazard_id == "h2").values(round=1))
    with pytest.raises(RefusedError, match="reason_needed"):
        drafted.correct(NUMBER, " ", PROVINCE, at(4, 3))
    second = drafted.correct(NUMBER, "复查轮次登记有误", PROVINCE, at(4, 3))
    assert (second.number, second.edition, second.replaces) == ("YB-44-2026-03-2", 2, NUMBER)
    figures = {each["key"]: each["value"] for each in body_of(desk, second.number)["figures"]}  # type: ignore[attr-defined, index]
    assert float(figures["first_pass"]) == 100
    with pytest.raises(RefusedError, match="not_the_newest"):
        drafted.correct(NUMBER, "再次更正", PROVINCE, at(4, 3))
    assert drafted.issue(second.number, PROVINCE, at(4, 3)).issued
    html = read(drafted, desk, second.number, pdf=False).decode()
    assert f"本版更正 {NUMBER}，原因：复查轮次登记有误" in html
    assert hashlib.sha256(read(drafted, desk, NUMBER, pdf=True)).hexdigest() == first.pdf_sha256


def test_an_old_draft_is_not_issued_beside_a_newer_one(drafted: ReportOffice) -> None:
    drafted.correct(NUMBER, "数据迟到", PROVINCE, at(4, 3))
    with pytest.raises(RefusedError, match="not_the_newest"):
        drafted.issue(NUMBER, PROVINCE, at(4, 3))


def test_without_its_font_nothing_is_issued(desk: Desk, drafted: ReportOffice) -> None:
    with pytest.raises(RefusedError, match="font_missing") as refused:
        ReportOffice(desk, font="No-Such-Font").issue(NUMBER, PROVINCE, at(4, 2))
    assert "No-Such-Font" in refused.value.message_en
    assert not listed(desk, PROVINCE)[0].issued
    assert drafted.issue(NUMBER, PROVINCE, at(4, 2)).issued


def test_with_the_shelf_down_nothing_is_issued_or_read(desk: Desk, drafted: ReportOffice, tmp_path: Path) -> None:
    good = desk.shelf
    desk.shelf = BrokenShelf(tmp_path / "blobs", 2**26)
    with pytest.raises(RefusedError, match="shelf_down"):
        drafted.issue(NUMBER, PROVINCE, at(4, 2))
    with desk.database.reading() as db:
        assert [entry.fields["kind"] for entry in entries_about(db, NUMBER)] == ["report_drafted"]
    desk.shelf = good
    drafted.issue(NUMBER, PROVINCE, at(4, 2))
    desk.shelf = BrokenShelf(tmp_path / "blobs", 2**26)
    with pytest.raises(RefusedError, match="shelf_down"):
        read(drafted, desk, NUMBER, pdf=True)


def test_a_report_that_was_changed_on_the_disk_is_told(desk: Desk, drafted: ReportOffice) -> None:
    issued = drafted.issue(NUMBER, PROVINCE, at(4, 2))
    assert isinstance(desk.shelf, DiskShelf)
    path = desk.shelf.path(issued.pdf_sha256)
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(RefusedError, match="report_damaged"):
        read(drafted, desk, NUMBER, pdf=True)


def test_a_month_of_which_nothing_is_known_says_so(file_database: DeskDatabase, tmp_path: Path) -> None:
    settings = DeskSettings(database="sqlite://", blobs=str(tmp_path), key_file=tmp_path / "key", name_zh="某省审查台")
    desk = Desk(settings, file_database, generate_key(), lambda: NEXT_DAY)
    desk.shelf = DiskShelf(tmp_path / "blobs", 2**26)
    run_roll_up(file_database, NEXT_DAY)
    office = ReportOffice(desk)
    assert office.draft_due(NEXT_DAY) == 1  # the province alone
    anybody = replace(PROVINCE, scope=Scope(Level.PROVINCE, ""))
    issued = office.issue("YB-P-2026-03-1", anybody, at(4, 2))
    said = body_of(desk, issued.number)
    assert all(each["value"] is None for each in said["figures"])  # type: ignore[attr-defined]
    html = read(office, desk, issued.number, pdf=False, actor=anybody).decode()
    assert "某省审查台2026年3月" in html
    assert "本期没有收到任何监控主机的数据" in html


def test_each_level_reads_its_own_and_below_and_signs_its_own(desk: Desk, drafted: ReportOffice) -> None:
    firm = replace(PROVINCE, scope=Scope(Level.FIRM, "f-1"))
    seen = {actor.user_id: {each.region_code for each in listed(desk, actor)} for actor in (PROVINCE, CITY, COUNTY)}
    assert seen == {
        "u-province": {"44", "4401", "4403", "440105", "440303"}, "u-city": {"4401", "440105"}, "u-county": {"440105"},
    }  # fmt: skip
    assert listed(desk, firm) == []
    with pytest.raises(RefusedError, match="no_such_report"):
        drafted.issue(NUMBER, CITY, at(4, 2))
    with pytest.raises(RefusedError, match="not_your_duty"):
        drafted.issue("YB-4401-2026-03-1", PROVINCE, at(4, 2))
    with pytest.raises(RefusedError, match="not_your_duty"):
        drafted.issue(NUMBER, replace(PROVINCE, duties=frozenset({Duty.REVIEWER})), at(4, 2))
    assert drafted.issue("YB-4401-2026-03-1", CITY, at(4, 2)).kind is PeriodKind.MONTH
