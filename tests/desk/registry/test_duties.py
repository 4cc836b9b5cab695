"""Three guarantors of each hazard source, and the monthly report of whoever is on the key-risk list."""

import pytest
from sqlalchemy import insert, select

from regulator.base.intake.findings import Finding, FindingKind, open_finding
from regulator.base.kinds import ItemLevel, WorkStage, WorkType
from regulator.base.listed import Listed
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger, entries_about
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.intake import alarms, boxes, findings
from regulator.base.records.tables.people import accounts
from regulator.parts.registry.projects.device_office import DangerousWork, put_work
from regulator.parts.registry.projects.guarantors import GuarantorRole, count_lacking, hazard_sources, name_guarantor
from regulator.parts.registry.rounds.key_risk import list_by_hand
from regulator.parts.registry.rounds.risk_reports import (
    MISSING,
    figures_of,
    open_missing,
    owed_months,
    reports_of,
    submit_report,
)
from tests.fakes.desk_database import DAY_NS, HOUR_NS, DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.registry_desk import ADMIN, CITY_ADMIN, PROVINCE, VIEWER, RegistryDesk, person

PROJECT, FIRM = Listed(ItemLevel.PROJECT, "p-001"), Listed(ItemLevel.FIRM, "f-1")
SITE = person("site", Scope(Level.PROJECT, "p-001"), Duty.RESPONDER)
CITY = Scope(Level.CITY, "4403")


@pytest.fixture
def desk(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> RegistryDesk:
    made = RegistryDesk(database, ledger, clock)
    plant(made)
    return made


def plant(made: RegistryDesk) -> None:
    made.plant(1)
    made.plant(1, city="4403", county="440303", first=2)
    stages = {"w-1": WorkStage.PLANNED, "w-2": WorkStage.FINISHED}
    with made.act(ADMIN) as act:
        for code, stage in stages.items():
            put_work(act, DangerousWork("p-001", code, next(iter(WorkType)), f"危大 {code}", stage, "2026-01-01"))
        act.db.execute(insert(accounts).values(user_id="u-1", login="ju1", name="局领导", home_level="province"))


def test_each_source_needs_all_three_and_every_change_is_on_record(desk: RegistryDesk) -> None:
    with desk.database.reading() as db:
        (source,) = hazard_sources(db, PROVINCE)
        assert (source.work_code, source.missing) == ("w-1", tuple(GuarantorRole))
        assert hazard_sources(db, CITY) == []
        assert (count_lacking(db, PROVINCE), count_lacking(db, CITY)) == (1, 0)
    for role in GuarantorRole:
        with desk.act(ADMIN) as act:
            name_guarantor(act, "p-001", "w-1", role, f"某{role.zh}", "ju1" if role is GuarantorRole.LEADER else "")
    with desk.act(ADMIN, "调岗") as act:
        name_guarantor(act, "p-001", "w-1", GuarantorRole.FIRM, "另一人")
    with desk.database.reading() as db:
        assert hazard_sources(db, PROVINCE, lacking=True) == []
        assert count_lacking(db, PROVINCE) == 0
        (source,) = hazard_sources(db, PROVINCE, "p-001")
        leader, firm = source.holder(GuarantorRole.LEADER), source.holder(GuarantorRole.FIRM)
        told = [entry.fields["content"] for entry in entries_about(db, "w-1")][-1]
    assert (leader and leader.user_id, firm and firm.name) == ("u-1", "另一人")
    assert isinstance(told, dict)
    assert (told["before"], told["after"], told["reason"]) == ("某企业责任人", "另一人", "调岗")


def test_a_guarantor_is_named_by_who_may_for_a_work_that_is_there(desk: RegistryDesk) -> None:
    leader = GuarantorRole.LEADER
    for actor, work, name, login, code in (
        (VIEWER, "w-1", "甲", "", "not_your_duty"),
        (person("far", CITY, Duty.ADMINISTRATOR), "w-1", "甲", "", "no_such_project"),
        (CITY_ADMIN, "w-9", "甲", "", "no_such_work"),
        (CITY_ADMIN, "w-1", " ", "", "missing"),
        (CITY_ADMIN, "w-1", "甲", "nobody", "no_such_account"),
    ):
        with pytest.raises(RefusedError, match=code), desk.act(actor) as act:
            name_guarantor(act, "p-001", work, leader, name, login)
    with desk.act(CITY_ADMIN) as act:
        name_guarantor(act, "p-001", "w-1", leader, "甲")
    with pytest.raises(RefusedError, match="nothing_changed"), desk.act(CITY_ADMIN) as act:
        name_guarantor(act, "p-001", "w-1", leader, "甲")


def a_month(desk: RegistryDesk) -> None:
    """Listed on 1 March; then alarms, two hazards, a day of silence; now it is 3 April."""
    with desk.act(ADMIN) as act:
        list_by_hand(act, PROJECT)
        list_by_hand(act, FIRM)
        now_ns = desk.clock()
        act.db.execute(insert(boxes).values(box_id="b1", project_code="p-001", verified_sha256="0" * 64))
        usual = {"box_id": "b1", "rule_id": "r", "subject": "s", "asset": "a", "asset_kind": "k", "title_zh": "t"}
        for number, severity in enumerate(("P1", "P2", "P2")):
            row = {"alarm_id": f"a{number}", "severity": severity, "raised_at_ns": now_ns + DAY_NS}
            act.db.execute(insert(alarms).values(**_filled(usual | row | {"project_code": "p-001"})))
        for number, state in enumerate(("closed", "rectifying")):
            row = {
                "hazard_id": f"h{number}",
                "event_key": f"k{number}",
                "state": state,
                "opened_at_ns": now_ns + DAY_NS,
            }
            row |= {"closed_at_ns": now_ns + 2 * DAY_NS if state == "closed" else 0, "due_at_ns": now_ns + 9 * DAY_NS}
            plain = {"channel": "inspection", "kind": "hazard", "grade": "general", "title_zh": "t"}
            act.db.execute(insert(hazards).values(**row, **plain, project_code="p-001"))
        silent = Finding(FindingKind.SILENT_BOX, "b1", "失联", "silent", "p-001", "b1")
        finding_id = open_finding(act.db, act.ledger, silent, now_ns + 5 * DAY_NS)
        ended = findings.update().where(findings.c.finding_id == finding_id)
        act.db.execute(ended.values(closed_at_ns=now_ns + 5 * DAY_NS + 26 * HOUR_NS))
    desk.clock.move(days=33)


def _filled(row: dict[str, object]) -> dict[str, object]:
    bare = [column for column in alarms.columns if column.server_default is None and column.name not in row]
    return row | {column.name: "" for column in bare}


def test_the_draft_says_what_the_month_brought_and_what_nobody_knows(desk: RegistryDesk) -> None:
    a_month(desk)
    with desk.database.reading() as db:
        figures = figures_of(db, PROJECT, PROVINCE, "2026-03", desk.clock())
        elsewhere = figures_of(db, FIRM, CITY, "2026-03", desk.clock())
        assert owed_months(db, PROJECT, desk.today) == ("2026-03",)
    assert (figures.p1, figures.p2, figures.p3) == (1, 2, 0)
    assert (figures.opened, figures.closed, figures.overdue, figures.closure_percent) == (2, 1, 1, 50)
    assert figures.offline_h == 26
    assert (elsewhere.p1, elsewhere.opened, elsewhere.closure_percent, elsewhere.offline_h) == (0, 0, None, None)


def test_a_report_is_handed_in_once_and_a_missing_one_is_a_finding(desk: RegistryDesk) -> None:
    a_month(desk)
    assert missing(desk) == []
    desk.clock.move(days=3)
    assert missing(desk) == ["firm/f-1/2026-03", "project/p-001/2026-03"]
    with desk.act(SITE) as act:
        handed_in = submit_report(act, PROJECT, "2026-03", "已整改一项，余一项限期完成")
    assert handed_in.figures.p2 == 2
    assert missing(desk) == ["firm/f-1/2026-03"]
    with desk.database.reading() as db:
        (report,) = reports_of(db, PROJECT)
        assert (report.figures, report.words) == (handed_in.figures, handed_in.words)
    with pytest.raises(RefusedError, match="not_owed"), desk.act(SITE) as act:
        submit_report(act, PROJECT, "2026-03", "再报一次")


@pytest.mark.parametrize(
    ("actor", "thing", "month", "words", "code"),
    [
        (VIEWER, PROJECT, "2026-03", "已办", "not_your_duty"),
        (person("far", CITY, Duty.RESPONDER), PROJECT, "2026-03", "已办", "no_such_project"),
        (SITE, PROJECT, "2026-04", "已办", "not_a_month"),
        (SITE, PROJECT, "03/2026", "已办", "not_a_month"),
        (SITE, PROJECT, "2026-02", "已办", "not_owed"),
        (SITE, PROJECT, "2026-03", " ", "missing"),
    ],
)
def test_what_is_no_report_is_refused(desk: RegistryDesk, actor, thing, month: str, words: str, code: str) -> None:
    a_month(desk)
    with pytest.raises(RefusedError, match=code), desk.act(actor) as act:
        submit_report(act, thing, month, words)


def missing(desk: RegistryDesk) -> list[str]:
    with desk.database.transaction() as db:
        open_missing(db, desk.ledger, desk.clock())
    at = findings.c
    with desk.database.reading() as db:
        return list(db.scalars(select(at.subject).where(at.kind == MISSING, at.closed_at_ns == 0).order_by(at.subject)))


def test_both_on_their_pages(tmp_path, desk_url: str, clock: DeskClock) -> None:
    with DeskFace(tmp_path, clock, url=desk_url) as face:
        desk = RegistryDesk(face.database, face.desk.ledger, clock)
        plant(desk)
        a_month(desk)
        client = face.client(Duty.REVIEWER, PROVINCE)
        page = "/guarantors?missing=yes"
        assert client.get(page).text.count("无人") == 3
        hostile = "<script>alert(1)</script>"
        fields = {"role": "leader", "name": hostile, "login": "ju1", "reason": "指定"}
        named = client.submit(page, "/projects/p-001/works/w-1/guarantors", **fields)
        assert (named.status_code, named.headers["location"]) == (303, "/guarantors?project=p-001")
        text = client.get(page).text
        assert (text.count("无人"), hostile in text) == (2, False)
        report = "/key-risks/project/p-001/report"
        assert "50 %" in client.get(report).text
        assert client.submit(report, report, month="2026-03", words="已办理").status_code == 303
        assert "没有应报的月报" in client.get(report).text
        assert face.client(Duty.REVIEWER, CITY).get(report).status_code == 404
        assert "p-001" not in face.client(Duty.REVIEWER, CITY).get("/guarantors").text
