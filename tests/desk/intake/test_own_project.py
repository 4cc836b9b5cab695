"""A box is heard for its own project only: every kind of message, whatever it names of another site, on both ways in.

    alone       one message, one transaction
    together    beside an honest box's message, in one batch

What is refused is refused with 403 before anything is kept. What a box may say of anything (its chain, its minutes) is
kept as its own. Either way not one row of the other project is another one afterwards.
"""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from contract.messages import UP_KINDS
from contract.signing import SignKey
from regulator.base.intake.reception import Answer
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.docking import docking_outbox
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.intake import alarms, alerts, box_counters, findings, items
from regulator.base.records.tables.review import review_items
from regulator.base.records.tables.supervision import risk_dirty
from tests.fakes.desk_database import DeskClock
from tests.fakes.sending_box import SendingBox, code_of, reply_of
from tests.fakes.two_sites import (
    CLIP,
    CLIP_SHA256,
    HONEST,
    OFFER,
    ORDER,
    VIEW,
    WARNING,
    TwoSites,
    alarm_of,
    beside,
    picture,
    sealed,
)

SEGMENT = {"segment_id": "s", "camera_id": "cam-1", "started_at_ns": 1, "duration_ms": 1, "media_type": "video/mp4"}
STATE = {"software": "1", "started_at_ns": 1, "settings_sha256": "a" * 64, "rule_packs": [], "models": []}
POINT = {"point_id": "crane-1.p", "unit": "", "min": "1", "max": "1", "mean": "1", "count": 60, "quality": 0}
REPLY = {"order_id": ORDER, "words": "整改完成", "user": "zhang", "answered_at_ns": 1, "blob_sha256": []}
PART = {"sha256": CLIP_SHA256, "size_bytes": len(CLIP), "offset_bytes": 0, "part_sha256": CLIP_SHA256}

Body = Callable[[TwoSites, SendingBox], dict[str, Any]]


def said(**body: Any) -> Body:
    return lambda _site, _box: body


def record(kind: str, **content: object) -> Body:
    return lambda _site, box: sealed(box, kind, **content)


ALARMS = [
    (f"alarm {each}", "alarm_transition", said(**alarm_of(HONEST, each)[1]), "other_project")
    for each in ("raised", "acknowledged", "returned", "handed_over")
]
MESSAGES: list[tuple[str, str, Body, str]] = [
    *ALARMS,
    ("its own project, the other's alarm", "alarm_transition", said(**alarm_of("P-2", "returned", "a")[1]), ""),
    ("record of the other box", "evidence_record", lambda _s, b: _of_box_1(b), "invalid_body"),
    ("answer to the other's pack", "evidence_record", record("rule_pack", offer_id=OFFER, outcome="active"), ""),
    (
        "notice of the other's warning",
        "evidence_record",
        record("weather_warning", event="acknowledged", warning_id=WARNING, version=1, user="x"),
        "",
    ),
    ("permit of the other", "evidence_record", record("work_permit", permit_id=WARNING, project_code=HONEST), ""),
    (
        "safety log of the other",
        "evidence_record",
        record("safety_log", stage="signed", filed_under="safety_log:2026-03-01", project_code=HONEST, user="x"),
        "",
    ),
    ("handover of the other", "evidence_record", record("shift_handover", stage="taken", project_code=HONEST), ""),
    ("shelved alarm of the other", "evidence_record", record("alarm_transition", transition="shelved", target="a"), ""),
    (
        "boxes on the other's picture",
        "evidence_record",
        record("media", alarm_id="a", items=[{"class": "clip", "place": 0, "sha256": CLIP_SHA256}]),
        "",
    ),
    ("minute of the other's crane", "minute_summary", said(minute_at_ns=60, asset="crane-1", points=[POINT]), ""),
    ("picture of the other's alarm", "thumbnail", said(**picture("a:raised")), ""),
    (
        "clip that only the other has",
        "media_segment",
        said(**SEGMENT, blob_sha256=CLIP_SHA256, size_bytes=len(CLIP), event_id="a:raised"),
        "blob_missing",
    ),
    *((f"{each} to the other's order", "order_reply", said(**REPLY, answer=each), "other_project")
      for each in ("seen", "accepted", "rectified", "disputed")),
    ("heartbeat with the other's head", "heartbeat", lambda s, _b: _head_of(s.honest), ""),
    ("state", "box_state", said(**STATE, clock="kept"), ""),
    (
        "still of the other's camera",
        "camera_still",
        said(**{name: value for name, value in picture("").items() if name != "event_id"}),
        "",
    ),
    ("end of the other's live view", "live_view_answer", said(request_id=VIEW, answer="ended", reason="ended"), ""),
    (
        "receipt of the other's order",
        "mailbox_ack",
        lambda s, _b: {"messages": [{"message_id": s.message_id, "outcome": "kept"}]},
        "",
    ),
    ("key rotation", "key_rotation_reply", said(rotation_id="r", whose="regulator", public_key="", proof=""), ""),
]  # fmt: skip


def _of_box_1(box: SendingBox) -> dict[str, Any]:
    own, box.box_id = box.box_id, "box-1"
    body = sealed(box, "safety_log", stage="signed", filed_under="safety_log:2026-03-01", user="x")
    box.box_id = own
    return body


def _head_of(box: SendingBox) -> dict[str, Any]:
    return {"chain": {"seq": 1, "sha256": box.records[-1][1]}, "started_at_ns": 1, "counters": {}}


@pytest.fixture
async def site(database: DeskDatabase, desk_key: SignKey, clock: DeskClock, tmp_path: Path) -> AsyncIterator[TwoSites]:
    made = TwoSites(database, desk_key, clock, tmp_path)
    await made.open()
    yield made
    made.close()


def rows(site: TwoSites, table: Any) -> list[dict[str, Any]]:
    with site.database.reading() as db:
        return [dict(row._mapping) for row in db.execute(select(table))]


def opened(site: TwoSites, kind: str) -> list[dict[str, Any]]:
    return [row for row in rows(site, findings) if row["kind"] == kind and not row["closed_at_ns"]]


def without_notes(held: dict[str, Any]) -> dict[str, Any]:
    """Without what the desk notes down of a claim to be that box."""
    notes = {"findings", "ledger_entries", "ledger_heads", "box_counters", "kept_aside"}
    return {name: rows for name, rows in held.items() if name not in notes}


async def alone(site: TwoSites, kind: str, key: str, body: dict[str, Any]) -> Answer:
    return await site.other.say(kind, key, body)


async def together(site: TwoSites, kind: str, key: str, body: dict[str, Any]) -> Answer:
    """Beside two honest messages of a third box, so that there is a batch."""
    third = site._box("box-3", "P-3")
    assert (await third.enrol()).status == 200
    sending = [lambda: third.alarm("c"), lambda: site.other.say(kind, key, body), lambda: third.alarm("d")]
    first, answer, last = await site.together(sending)
    assert (first.status, last.status) == (200, 200), "the honest box is heard beside it"
    return answer


@pytest.mark.parametrize("way", [alone, together])
@pytest.mark.parametrize(("kind", "body", "code"), [each[1:] for each in MESSAGES], ids=[each[0] for each in MESSAGES])
async def test_what_is_said_of_another_site_changes_nothing_there(
    site: TwoSites, way: Any, kind: str, body: Body, code: str
) -> None:
    before = site.of_the_honest()
    content = body(site, site.other)
    answer = await way(site, kind, content.get("event_id") or "k", content)
    assert code_of(answer) == code, reply_of(answer).error
    assert answer.status == {"": 200, "other_project": 403, "blob_missing": 409, "invalid_body": 422}[code]
    assert site.of_the_honest() == before
    held = [row for row in rows(site, items) if row["box_id"] == "box-2"]
    assert bool(held) == (code == "" and kind in ("alarm_transition", "evidence_record", "minute_summary", "thumbnail"))


def test_every_kind_is_asked() -> None:
    apart = {"enrol", "mailbox_poll", "blob", "blob_query", "live_part"}
    assert {kind for _, kind, _, _ in MESSAGES} | apart == set(UP_KINDS)


@pytest.mark.parametrize("way", [alone, together])
async def test_an_alarm_of_another_project_reaches_no_queue_no_docking_and_no_score(site: TwoSites, way: Any) -> None:
    tables = (alarms, alerts, items, review_items, docking_outbox, hazards, risk_dirty)
    key, body = alarm_of(HONEST, "raised")
    before = [[row for row in rows(site, table) if row.get("project_code") != "P-3"] for table in tables]
    answer = await way(site, "alarm_transition", key, body)
    error = reply_of(answer).error
    assert error is not None
    assert (answer.status, error.code, error.field, error.expected) == (
        403, "other_project", "body.project_code", "P-2",
    )  # fmt: skip
    after = [[row for row in rows(site, table) if row.get("project_code") != "P-3"] for table in tables]
    assert [[row for row in some if row.get("box_id") != "box-3"] for some in after] == before
    assert len(before[3]) == len(before[4]) == 1, "the honest site's own P1 is in the queue and in the docking lane"


async def test_one_finding_a_box_and_day_that_counts(site: TwoSites, clock: DeskClock) -> None:
    for number in range(5):
        key, body = alarm_of(HONEST, "raised", f"n{number}")
        await site.other.say("alarm_transition", key, body)
    await site.other.say("order_reply", "reply", REPLY | {"answer": "seen"})
    (finding,) = opened(site, "other_project")
    assert (finding["box_id"], finding["project_code"], finding["again"]) == ("box-2", "P-2", 5)
    assert "P-1" in finding["words_zh"]
    clock.move(days=1)
    key, body = alarm_of(HONEST, "raised", "later")
    await site.other.say("alarm_transition", key, body)
    assert sorted(row["again"] for row in opened(site, "other_project")) == [0, 5]
    counted = {(row["box_id"], row["name"]): row["count"] for row in rows(site, box_counters)}
    assert counted["box-2", "refused_other_project"] == 7


async def test_what_was_refused_is_taken_once_it_names_its_own_project(site: TwoSites) -> None:
    key, body = alarm_of(HONEST, "raised")
    assert (await site.other.say("alarm_transition", key, body)).status == 403
    assert (await site.other.say("alarm_transition", key, body | {"project_code": "P-2"})).status == 200


@pytest.mark.parametrize("kind", sorted(UP_KINDS))
async def test_in_another_boxs_name_nothing_is_heard(site: TwoSites, kind: str) -> None:
    before = site.of_the_honest()
    site.other.box_id = "box-1"
    answer = await site.other.say(kind, "k", {})
    assert (answer.status, code_of(answer)) == (401, "unknown_sender")
    assert without_notes(site.of_the_honest()) == without_notes(before)


async def test_a_file_that_only_another_box_has_is_neither_told_nor_taken_for_sent(site: TwoSites) -> None:
    before = site.of_the_honest()
    asked = await site.reception.blob_state(beside(site.other, "blob_query", {"sha256": CLIP_SHA256}, CLIP_SHA256))
    assert reply_of(asked).body == {"sha256": CLIP_SHA256, "received_bytes": 0, "complete": False}
    empty = PART | {"size_bytes": 5, "part_sha256": "0" * 64, "media_type": "video/mp4"}
    answer = await site.reception.blob(beside(site.other, "blob", empty, CLIP_SHA256, b"xxxxx"))
    assert code_of(answer) == "digest_mismatch"
    key, body = "s", SEGMENT | {"blob_sha256": CLIP_SHA256, "size_bytes": len(CLIP), "event_id": ""}
    assert code_of(await site.other.say("media_segment", key, body)) == "blob_missing"
    reply = REPLY | {"answer": "rectified", "order_id": "own", "blob_sha256": [CLIP_SHA256]}
    assert (await site.other.say("order_reply", "own", reply)).status == 422
    assert site.of_the_honest() == before


async def test_a_box_that_has_the_same_file_sends_it_whole_and_may_show_it(site: TwoSites) -> None:
    part = PART | {"media_type": "video/mp4"}
    answer = await site.reception.blob(beside(site.other, "blob", part, CLIP_SHA256, CLIP))
    assert reply_of(answer).body == {"sha256": CLIP_SHA256, "received_bytes": len(CLIP), "complete": True}
    key, body = "s", SEGMENT | {"blob_sha256": CLIP_SHA256, "size_bytes": len(CLIP), "event_id": ""}
    assert (await site.other.say("media_segment", key, body)).status == 200


async def test_mail_and_live_video_of_another_box_are_not_its_own(site: TwoSites) -> None:
    before = site.of_the_honest()
    polled = await site.reception.mailbox(site.other.request("mailbox_poll", "poll", {"wait_s": 0, "limit": 10}))
    assert reply_of(polled).body == {"messages": []}
    part = {"request_id": VIEW, "number": 0, "key": False, "part_sha256": CLIP_SHA256}
    answer = await site.reception.live_part(beside(site.other, "live_part", part, VIEW, CLIP))
    assert reply_of(answer).body == {"request_id": VIEW, "wanted": False}
    assert site.of_the_honest() == before


async def test_a_code_of_one_project_enrols_nobody_for_another(site: TwoSites) -> None:
    before = site.of_the_honest()
    for box_id in ("box-2", "box-9", "box-1"):
        thief = site._box("box-9", "P-9")
        thief.box_id, thief.project = box_id, HONEST
        answer = await thief.enrol()
        assert (answer.status, code_of(answer)) == (403, "code_refused")
    assert without_notes(site.of_the_honest()) == without_notes(before)


async def test_a_box_that_names_the_honest_head_learns_nothing_of_it(site: TwoSites) -> None:
    answer = reply_of(await site.other.say("heartbeat", "heartbeat", _head_of(site.honest)))
    assert answer.body is not None
    assert (answer.body["chain"]["verified_seq"], answer.body["messages_waiting"]) == (0, 0)
