"""Check 19: the safety log of yesterday is missing when somebody checks in today: it is flagged (notice D19).

The box is the real office of a site with its real chain; its records go to a real desk through the contract.
"""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select, update

from gateway.parts.shift.safety_log import LogField
from regulator.base.days import day_of
from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.ledger import entries_about
from regulator.base.records.tables.intake import findings
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.supervision import check_ins, safety_log_flags, safety_logs
from tests.fakes.contract_box import ContractBox
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.office import Office
from tests.fakes.site import BOX

PROJECT = "CONTRACT-1"
SITE = Scope(Level.PROJECT, PROJECT)
HOUR_NS = 3_600_000_000_000
TEXTS = {LogField.INSPECTION: "巡查塔机与基坑，未见异常"}


class Site:
    """One site: its office at the box, and the desk that hears of it. Both clocks are moved together."""

    def __init__(self, face: DeskFace, clock: DeskClock, office: Office, box: ContractBox) -> None:
        self.face, self.clock, self.office, self.box = face, clock, office, box
        self._sent = 0

    @property
    def today(self) -> date:
        """On the site's calendar."""
        return day_of(self.clock())

    def move(self, hours: float) -> None:
        """Forward, at both ends."""
        self.office.clock.move_to(self.clock() + int(hours * HOUR_NS))
        self.clock.at_ns = self.office.clock.now_ns()

    async def signs(self, day: date) -> None:
        """The officer signs the day's log at the box."""
        await self.office.logs.sign(day, TEXTS, "officer-1", 0)

    async def takes_over(self) -> None:
        """Somebody hands the shift over, another takes it over: the check-in at the box."""
        await self.office.handovers.hand("", "out-1", 0)
        await self.office.handovers.take((await self.office.handovers.open()).number, "", "in-1")

    def delivers(self) -> None:
        """What the chain got since the last time, in order, through the contract."""
        for record in self.office.chain.records(("safety_log", "shift_handover"), 0, 2**62):
            if record.seq > self._sent:
                body = {"record": record.body.decode(), "sha256": record.sha256}
                assert self.box.say("evidence_record", f"rec-{record.seq}", body).status == 200
                self._sent = record.seq

    def flags(self) -> list[tuple[str, str, bool]]:
        """Day, ground, and whether the log has come since."""
        with self.face.database.reading() as db:
            rows = db.execute(select(safety_log_flags).order_by(safety_log_flags.c.day)).all()
        return [(row.day, row.ground, row.came_at_ns > 0) for row in rows]

    def open_findings(self) -> list[str]:
        """Words of what stands open at the desk because of a log."""
        at = findings.c
        with self.face.database.reading() as db:
            open_ones = select(at.words_zh).where(at.kind == "safety_log_missing", at.closed_at_ns == 0)
            return list(db.scalars(open_ones))


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    office = Office(tmp_path / "box")
    clock = DeskClock(office.clock.now_ns())
    with DeskFace(tmp_path, clock) as face, ContractBox(face.url, BOX) as box:
        with face.database.transaction() as db:
            row = {"project_code": PROJECT, "name": "一号工地", "status": "running", "city_code": "4401"}
            db.execute(insert(projects).values(**row))
        assert box.enrol(face.code_for(BOX, PROJECT)).status == 200
        yield Site(face, clock, office, box)
    await office.close()


async def test_a_shift_is_taken_over_and_yesterdays_log_is_missing(site: Site) -> None:
    yesterday = site.today
    await site.office.logs.save(yesterday, TEXTS, "officer-1", 0)
    site.move(24)
    await site.takes_over()
    site.delivers()
    assert site.flags() == [(yesterday.isoformat(), "check_in", False)], "a draft is no log"
    assert site.open_findings() == [f"{yesterday} 的安全日志在次日到岗打卡时仍未提交"]
    viewer = site.face.client(Duty.REVIEWER)
    assert "次日打卡时未提交" in viewer.get("/safety-logs").text
    await site.office.logs.sign(yesterday, TEXTS, "officer-1", 1)
    site.delivers()
    assert site.flags() == [(yesterday.isoformat(), "check_in", True)], "the flag stays, and says that the log has come"
    assert site.open_findings() == []
    with site.face.database.reading() as db:
        kinds = [entry.fields["kind"] for entry in entries_about(db, PROJECT)]
    assert {"checked_in", "safety_log_missing", "safety_log_signed"} <= set(kinds)


async def test_with_the_log_nothing_is_flagged(site: Site) -> None:
    yesterday = site.today
    await site.signs(yesterday)
    site.move(24)
    await site.takes_over()
    site.delivers()
    assert (site.flags(), site.open_findings()) == ([], [])
    with site.face.database.reading() as db:
        log = db.execute(select(safety_logs)).one()
        came = db.execute(select(check_ins)).one()
    assert (log.day, log.box_id, log.signed_by) == (yesterday.isoformat(), BOX, "officer-1")
    (kept,) = (each for each in site.office.store.versions(f"safety_log:{yesterday}") if each.stage == "signed")
    assert log.sha256 == kept.sha256, "the desk holds the digest of what the box keeps"
    assert (came.role, came.person, came.box_id) == ("shift", "in-1", BOX)


async def test_at_a_site_without_a_box_the_firms_people_check_in_and_sign_at_the_desk(site: Site) -> None:
    yesterday = site.today
    site.move(24)
    with site.face.client(Duty.RESPONDER, SITE) as person:
        form = {"project_code": PROJECT, "role": "safety_officer", "person": "安全员"}
        answer = person.submit("/safety-logs", "/safety-logs/check-ins", **form)
        assert answer.headers["location"] == "/safety-logs?late=1"
        assert "昨日安全日志未提交" in person.get("/safety-logs?late=1").text
        log = {"project_code": PROJECT, "day": str(yesterday)}
        again = person.submit("/safety-logs", "/safety-logs", **log, words="巡查正常")
        assert again.headers["location"] == f"/safety-logs/{PROJECT}"
        twice = person.submit("/safety-logs", "/safety-logs", **log, words="改一改")
        assert twice.status_code == 409
    assert site.flags() == [(yesterday.isoformat(), "check_in", True)]
    assert site.open_findings() == []


async def test_nobody_checks_in_and_the_due_time_passes(site: Site) -> None:
    yesterday = site.today
    (job,) = (each for each in site.face.desk.jobs if each.name == "safety-logs")
    midnight = (24 - _hour(site)) % 24
    site.move(midnight + 8)
    job.run(site.clock())
    assert site.flags() == []
    site.move(1.1)
    job.run(site.clock())
    job.run(site.clock())
    day = site.today - timedelta(days=1)
    assert day >= yesterday
    assert site.flags() == [(day.isoformat(), "due_time", False)]
    assert site.open_findings() == [], "a list for the day, and no finding for every quiet site"


async def test_a_stopped_project_and_a_foreign_hand(site: Site) -> None:
    with site.face.database.transaction() as db:
        db.execute(update(projects).values(status="stopped"))
    site.move(24)
    await site.takes_over()
    site.delivers()
    assert site.flags() == []
    other = Scope(Level.PROJECT, "ELSEWHERE")
    with site.face.client(Duty.RESPONDER, other) as person:
        form = {"project_code": PROJECT, "role": "safety_officer", "person": "x"}
        assert person.submit("/safety-logs", "/safety-logs/check-ins", **form).status_code == 404
    with site.face.client(Duty.REVIEWER) as person:
        form = {"project_code": PROJECT, "role": "safety_officer", "person": "x"}
        assert person.submit("/me", "/safety-logs/check-ins", **form).status_code == 403


def _hour(site: Site) -> float:
    """Hours since midnight in Shanghai."""
    return (site.clock() // 10**9 + 8 * 3600) % 86_400 / 3600
