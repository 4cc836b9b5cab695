"""On PostgreSQL: transactions that take the same rows take them in one order, so that none is ended as a deadlock."""

from pathlib import Path

import pytest
from pydantic import BaseModel
from sqlalchemy import Connection

from contract.chain import ChainHead
from contract.envelope import Envelope
from contract.faults import CodeRefused
from contract.messages import Enrol
from contract.signing import SignKey, generate_key
from regulator.base.act import Act
from regulator.base.documents.documents import issue_document
from regulator.base.documents.paper import DocumentKind, DocumentRequest
from regulator.base.intake import mailbox
from regulator.base.intake.admission import lock_box
from regulator.base.intake.codes import Wanted, issue_codes
from regulator.base.intake.disk_shelf import DiskShelf
from regulator.base.intake.enrolment import Enrolment
from regulator.base.model.actor import CONSOLE, SYSTEM
from regulator.base.model.hazard_states import HazardAction
from regulator.base.records.box_standing import assigned_box
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Deed, verify_ledger
from regulator.parts.fleet.enrolling import revoke_box
from tests.fakes.desk_database import DeskClock
from tests.fakes.hazard_bench import BOX, CITY, LI, HazardBench, register
from tests.fakes.rival import Rival

pytestmark = pytest.mark.parametrize("desk_url", ["postgresql"], indirect=True)


@pytest.fixture
def bench(database: DeskDatabase, desk_key: SignKey, clock: DeskClock, tmp_path: Path) -> HazardBench:
    register(database)
    made = HazardBench(database, desk_key, clock)
    made.desk.shelf = DiskShelf(tmp_path, 2**20)
    return made


def test_an_order_and_an_alarm_of_the_same_box(bench: HazardBench, desk_key: SignKey) -> None:
    """The order posts to the box after its ledger entry; the alarm's transaction holds the box before its entry."""

    def alarm(db: Connection) -> None:
        lock_box(db, BOX)
        bench.desk.ledger.append(db, Deed("noted", BOX, {}, "p1"), SYSTEM, bench.clock())

    rival = Rival.transaction(bench.database, alarm)

    def post(db: Connection, box_id: str, kind: str, body: BaseModel, now_ns: int) -> str:
        rival.begin()
        return mailbox.post(db, box_id, kind, body, desk_key, now_ns)

    hazard_id = bench.open()
    bench.act(hazard_id, HazardAction.CONFIRM)
    bench.desk.post = post
    bench.act(hazard_id, HazardAction.ORDER, LI)
    rival.end()
    _whole(bench)


def test_a_document_and_an_order_of_the_same_project(bench: HazardBench) -> None:
    """Both take the ledger's end before the number of the document."""

    def request(key: str) -> DocumentRequest:
        words = ("p1", "项目 p1", key, "第一建筑公司", "整改", ("加装护栏",))
        return DocumentRequest(key, DocumentKind.RECTIFICATION, CITY.code, *words)

    def issue(db: Connection) -> None:
        issue_document(db, bench.desk, request("rival"), LI, bench.clock())

    rival = Rival.transaction(bench.database, issue)
    with bench.database.transaction() as db:
        bench.desk.ledger.append(db, Deed("noted", "p1", {}, "p1"), LI, bench.clock())
        rival.begin()
        ours = issue_document(db, bench.desk, request("ours"), LI, bench.clock())
    rival.end()
    assert ours.number.endswith("0001")
    _whole(bench)


def test_ends_of_chains_are_taken_by_name(bench: HazardBench) -> None:
    """Two that will write into the same two chains, in either order."""
    ledger, chains = bench.desk.ledger, ("firm:f1", "project:p1")

    def backwards(db: Connection) -> None:
        ledger.hold(db, *reversed(chains))
        for chain in reversed(chains):
            ledger.append(db, Deed("noted", chain, {}, chain=chain), SYSTEM, bench.clock())

    rival = Rival.transaction(bench.database, backwards)
    with bench.database.transaction() as db:
        ledger.hold(db, *chains)
        ledger.append(db, Deed("noted", chains[0], {}, chain=chains[0]), SYSTEM, bench.clock())
        rival.begin()
        ledger.append(db, Deed("noted", chains[1], {}, chain=chains[1]), SYSTEM, bench.clock())
    rival.end()
    _whole(bench)


def enrolment(bench: HazardBench, db: Connection, box_id: str, code: str) -> Enrolment:
    key = generate_key().public
    body = Enrol(code=code, public_key=key.public_text, project_code="p4")
    named = {"alg": key.alg, "key_id": key.key_id, "box_id": box_id, "seq": 1, "key": "enrol", "kind": "enrol"}
    envelope = Envelope.model_validate(named | {"sent_at_ns": 1, "body": body.model_dump()})
    return Enrolment(db, bench.desk.ledger, envelope, body, bench.clock())


def codes_for(bench: HazardBench, *box_ids: str) -> list[str]:
    with bench.database.transaction() as db:
        wanted = [Wanted("p4", box_id) for box_id in box_ids]
        return [each.code for each in issue_codes(db, bench.desk.ledger, wanted, CONSOLE, bench.clock())]


def test_of_two_first_boxes_of_a_moment_one_is_the_second(bench: HazardBench) -> None:
    first, second = codes_for(bench, "box-a", "box-b")
    waits: list[bool] = []
    rival = Rival.transaction(bench.database, lambda db: waits.append(enrolment(bench, db, "box-b", second).take()))
    with bench.database.transaction() as db:
        assert enrolment(bench, db, "box-a", first).take() is False
        rival.begin()
    rival.end()
    assert waits == [True]


def test_a_box_is_revoked_while_it_enrols_anew(bench: HazardBench) -> None:
    """Both take the box, then its codes, then the ledger."""
    (code,) = codes_for(bench, "box-a")
    with bench.database.transaction() as db:
        enrolment(bench, db, "box-a", code).take()
    (again,) = codes_for(bench, "box-a")
    rival = Rival.transaction(bench.database, lambda db: enrolment(bench, db, "box-a", again).take())
    with bench.database.transaction() as db:
        lock_box(db, "box-a")
        rival.begin()
        revoke_box(Act(db, bench.desk.ledger, CONSOLE, bench.clock(), "遗失"), "box-a")
    rival._thread.join(30)
    assert isinstance(rival.error, CodeRefused)
    with bench.database.reading() as db:
        assert assigned_box(db, "p4") == ""


def _whole(bench: HazardBench) -> None:
    key = bench.desk.key.public
    with bench.database.reading() as db:
        end = verify_ledger(db, "project:p1", {key.key_id: key})
    assert isinstance(end, ChainHead), end
