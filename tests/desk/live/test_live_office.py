"""Live views: who may ask, what is refused, one session for all who watch, every view in the ledger with its times."""

import hashlib
import json
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import Connection, insert, select

from contract.mailbox import LiveViewRequest
from contract.messages import LivePart, LiveState, LiveViewAnswer, UpMessage
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.heard import Heard
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.ledger import ledger_entries
from regulator.base.records.tables.live import live_parts
from regulator.base.records.tables.registry import projects
from regulator.parts.live.office import LiveOffice, View, Wish
from regulator.parts.live.relay import MemoryRelay, Relay, relay_for
from regulator.parts.live.states import (
    GIVE_UP_NS,
    HEARD_WITHIN_NS,
    LEASE_NS,
    MOST_NS,
    MOST_OF_A_BOX,
    MOST_OF_A_PERSON,
    LiveReason,
    LiveStage,
)
from regulator.parts.live.taking import LiveTaking
from tests.fakes.desk_database import DeskClock

BOX, PROJECT, CAMERA = "box-1", "P-1", "cam-1"
COUNTY = Scope(Level.COUNTY, "440105")


def person(name: str, scope: Scope = COUNTY) -> Actor:
    return Actor(name, name.upper(), scope, frozenset({Duty.REVIEWER}))


class LiveDesk:
    """An office with a relay, a mailbox that is only looked at, and a box that speaks."""

    def __init__(self, database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> None:
        self.database, self.clock = database, clock
        self.relay: Relay = relay_for(database)
        self.mail: list[LiveViewRequest] = []
        self.office = LiveOffice(ledger, self.relay, self._post)
        self.taking = LiveTaking(self.office, self.relay)
        with database.transaction() as db:
            where = {"city_code": "4401", "county_code": COUNTY.code}
            db.execute(insert(projects).values(project_code=PROJECT, name="一号工地", **where))
            box = {"box_id": BOX, "project_code": PROJECT, "verified_sha256": "0" * 64, "last_seen_ns": clock()}
            db.execute(insert(boxes).values(**box))

    def _post(self, db: Connection, box_id: str, kind: str, body: BaseModel, now_ns: int) -> str:
        assert (db.in_transaction(), box_id, kind, now_ns) == (True, BOX, "live_view_request", self.clock())
        assert isinstance(body, LiveViewRequest)
        self.mail.append(body)
        return f"m{len(self.mail)}"

    def ask(self, who: Actor, camera: str = CAMERA, reason: str = "复核") -> str:
        with self.database.transaction() as db:
            return self.office.ask(db, Wish(who, f"s-{who.user_id}", PROJECT, camera, reason), self.clock())

    def view(self, who: Actor, viewer: str) -> View:
        with self.database.reading() as db:
            return self.office.view(db, who, viewer)

    def do(self, method: str, *args: Any) -> Any:
        with self.database.transaction() as db:
            return getattr(self.office, method)(db, *args, self.clock())

    def answer(self, request_id: str, answer: str, reason: str = "", box: str = BOX) -> bool:
        said = {"request_id": request_id, "answer": answer, "reason": reason, "words": "why" if reason else ""}
        return self._take(self.taking.answer, LiveViewAnswer.model_validate(said), b"", box)

    def part(self, request_id: str, number: int, key: bool = True, box: str = BOX) -> bool:
        body = f"part {number}".encode()
        digest = hashlib.sha256(body).hexdigest()
        said = LivePart(request_id=request_id, number=number, key=key, part_sha256=digest)
        return self._take(self.taking.part, said, body, box)

    def _take(self, taker: Any, said: UpMessage, body: bytes, box: str) -> bool:
        with self.database.transaction() as db:
            state = taker(db, Heard(box, PROJECT, said, body), self.clock())
        assert isinstance(state, LiveState)
        return state.wanted

    def deeds(self) -> list[tuple[str, str, dict[str, Any]]]:
        at = ledger_entries.c
        with self.database.reading() as db:
            rows = db.execute(select(ledger_entries).where(at.kind.like("live%")).order_by(at.seq))
            return [(row.kind, row.user_id, json.loads(row.body)["content"]) for row in rows]


@pytest.fixture
def desk(database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> LiveDesk:
    return LiveDesk(database, ledger, clock)


def test_a_view_from_asking_to_its_end_is_in_the_ledger(desk: LiveDesk) -> None:
    who = person("jia")
    viewer = desk.ask(who)
    request = desk.mail[0]
    assert (request.camera_id, request.reason, request.duration_s) == (CAMERA, "复核", 600)
    assert "jia" not in request.requested_by_role
    assert desk.view(who, viewer).stage is LiveStage.ASKED
    assert desk.answer(request.request_id, "opening")
    assert desk.view(who, viewer).stage is LiveStage.OPENING
    desk.clock.move(seconds=2)
    assert desk.part(request.request_id, 0)
    assert desk.view(who, viewer).stage is LiveStage.PLAYING
    began_ns = desk.clock()
    desk.do("begin", who, viewer)
    ended_ns = desk.clock.move(seconds=5)
    desk.do("stop", who, viewer)
    kinds = [(kind, user) for kind, user, _ in desk.deeds()]
    assert kinds == [("live_view_asked", "jia"), ("live_viewed", "jia"), ("live_view_ended", "jia")]
    content = desk.deeds()[2][2]
    assert (content["from_ns"], content["to_ns"], content["why"]) == (began_ns, ended_ns, "stopped")


def test_the_box_stops_when_nobody_renews_and_the_ledger_says_until_when_at_most(desk: LiveDesk) -> None:
    who = person("jia")
    viewer = desk.ask(who)
    request_id = desk.mail[0].request_id
    desk.part(request_id, 0)
    desk.do("begin", who, viewer)
    last_ns = desk.clock.move(seconds=4)
    desk.do("renew", who, viewer)
    desk.clock.move(seconds=LEASE_NS / 1e9 + 1)
    assert not desk.part(request_id, 1)
    with desk.database.reading() as db:
        assert not desk.office.is_held(db, who, viewer, desk.clock())
    assert desk.do("sweep") == 2
    assert desk.do("sweep") == 0
    assert desk.deeds()[-1][2]["to_ns"] == last_ns + LEASE_NS
    assert desk.view(who, viewer).reason is LiveReason.LEFT
    assert desk.relay.after(request_id, None) == []


def test_two_who_watch_one_camera_share_what_the_box_sends(desk: LiveDesk) -> None:
    first, second = desk.ask(person("jia")), desk.ask(person("yi"))
    assert len(desk.mail) == 1
    request_id = desk.mail[0].request_id
    desk.do("stop", person("jia"), first)
    assert desk.part(request_id, 0)
    desk.do("stop", person("yi"), second)
    assert not desk.part(request_id, 1)


def test_a_view_ends_after_its_time_however_often_it_is_renewed(desk: LiveDesk) -> None:
    who = person("jia")
    viewer = desk.ask(who)
    desk.part(desk.mail[0].request_id, 0)
    desk.clock.move(seconds=MOST_NS / 1e9 + 1)
    desk.do("renew", who, viewer)
    assert not desk.part(desk.mail[0].request_id, 1)
    desk.do("sweep")
    assert desk.view(who, viewer).reason is LiveReason.TIME_UP
    with pytest.raises(RefusedError) as refused:
        desk.do("begin", who, viewer)
    assert refused.value.code == "view_ended"


@pytest.mark.parametrize("reason", [LiveReason.NOT_PLAYABLE, LiveReason.OFFLINE, LiveReason.BUSY])
def test_what_the_box_refuses_is_told_with_its_reason(desk: LiveDesk, reason: LiveReason) -> None:
    viewer = desk.ask(person("jia"))
    assert not desk.answer(desk.mail[0].request_id, "refused", reason.value)
    view = desk.view(person("jia"), viewer)
    assert (view.stage, view.reason, view.words, view.ended) == (LiveStage.REFUSED, reason, "why", True)
    assert desk.deeds()[-1][2]["seen"] is False


def test_an_old_box_that_never_answers_is_given_up(desk: LiveDesk) -> None:
    who = person("jia")
    viewer = desk.ask(who)
    desk.clock.move(seconds=GIVE_UP_NS / 1e9 + 1)
    desk.do("renew", who, viewer)
    assert desk.do("sweep") == 1
    assert desk.view(who, viewer).reason is LiveReason.NO_ANSWER
    assert not desk.answer(desk.mail[0].request_id, "opening")


def test_limits_of_a_box_and_of_a_person(desk: LiveDesk) -> None:
    for number in range(MOST_OF_A_BOX):
        desk.ask(person(f"p{number}"), f"cam-{number}")
    with pytest.raises(RefusedError) as refused:
        desk.ask(person("late"), "cam-9")
    assert (refused.value.status, refused.value.code) == (429, "box_busy")
    for _ in range(MOST_OF_A_PERSON):
        desk.ask(person("much"), "cam-0")
    with pytest.raises(RefusedError) as too_many:
        desk.ask(person("much"), "cam-0")
    assert too_many.value.code == "too_many_views"


@pytest.mark.parametrize(("scope", "status"), [(Scope(Level.COUNTY, "440106"), 404), (Scope(Level.CITY, "4403"), 404)])
def test_nobody_asks_for_what_is_outside_the_scope(desk: LiveDesk, scope: Scope, status: int) -> None:
    with pytest.raises(RefusedError) as refused:
        desk.ask(person("else", scope))
    assert refused.value.status == status
    assert desk.mail == []
    assert desk.deeds() == []


def test_a_silent_box_is_not_asked_and_a_reason_is_needed(desk: LiveDesk) -> None:
    with pytest.raises(RefusedError):
        desk.ask(person("jia"), reason=" ")
    desk.clock.move(seconds=HEARD_WITHIN_NS / 1e9 + 1)
    with pytest.raises(RefusedError) as refused:
        desk.ask(person("jia"))
    assert refused.value.code == "box_silent"


def test_another_box_and_another_person_get_nothing(desk: LiveDesk) -> None:
    viewer = desk.ask(person("jia"))
    request_id = desk.mail[0].request_id
    assert not desk.part(request_id, 0, box="box-2")
    assert not desk.answer(request_id, "opening", box="box-2")
    assert desk.view(person("jia"), viewer).stage is LiveStage.ASKED
    with pytest.raises(RefusedError) as refused:
        desk.view(person("yi"), viewer)
    assert refused.value.status == 404


def test_a_part_whose_reply_was_lost_is_taken_once(desk: LiveDesk) -> None:
    desk.ask(person("jia"))
    request_id = desk.mail[0].request_id
    for number in (0, 0, 1, 1, 2):
        assert desk.part(request_id, number)
    assert [part.number for part in desk.relay.after(request_id, None)] == [0, 2]
    assert [part.number for part in desk.relay.after(request_id, 1)] == [2]


def test_parts_of_several_processes_are_in_no_log_of_the_database(desk: LiveDesk) -> None:
    desk.ask(person("jia"))
    desk.part(desk.mail[0].request_id, 0)
    with desk.database.reading() as db:
        rows = db.execute(select(live_parts.c.number)).all()
        if desk.database.is_sqlite:
            assert isinstance(desk.relay, MemoryRelay)
            assert rows == []
        else:
            assert len(rows) == 1
            kind = db.exec_driver_sql("SELECT relpersistence FROM pg_class WHERE relname = 'live_parts'").scalar()
            assert kind in ("u", b"u")
    other = desk.relay if desk.database.is_sqlite else relay_for(desk.database)
    assert [part.number for part in other.after(desk.mail[0].request_id, None)] == [0]
