"""What boxes answer: it moves the hazard, is kept where it moves nothing, and refused where it is not theirs."""

import hashlib
from typing import Any

import pytest
from sqlalchemy import insert, select

from contract.mailbox import OrderState
from contract.messages import OrderReply
from regulator.base.model.actor import Actor
from regulator.base.model.hazard_states import HazardAction
from regulator.base.model.heard import Heard
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.hazards import hazard_evidence, hazard_orders, hazard_replies
from regulator.base.records.tables.intake import blob_senders, blobs
from regulator.parts.hazards.replies import ReplyListener
from tests.fakes.hazard_bench import BOX, LI, WANG, HazardBench

A = HazardAction


def reply(bench: HazardBench, order_id: str, answer: str, *sha256: str, box_id: str = BOX, key: str = "r1") -> None:
    body: dict[str, Any] = {"order_id": order_id, "answer": answer, "words": "现场回复", "user": "zhang"}
    body |= {"answered_at_ns": bench.clock(), "blob_sha256": list(sha256)}
    told = OrderReply.model_validate(body)
    with bench.database.transaction() as db:
        ReplyListener(bench.office)(db, Heard(box_id, "p1", told, key), bench.clock())


def arrived(bench: HazardBench, content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    row = {"sha256": sha256, "media_type": "image/jpeg", "size_bytes": len(content), "box_id": BOX}
    with bench.database.transaction() as db:
        db.execute(insert(blobs).values(**row, completed_at_ns=bench.clock()))
        db.execute(insert(blob_senders).values(sha256=sha256, box_id=BOX))
    return sha256


def ordered(bench: HazardBench) -> tuple[str, str]:
    hazard_id = bench.open()
    bench.act(hazard_id, A.CONFIRM, LI)
    bench.act(hazard_id, A.ORDER, LI)
    return hazard_id, bench.posted.orders[-1].order_id


def test_a_box_answers_and_whoever_answered_there_does_not_recheck(bench: HazardBench) -> None:
    hazard_id, order_id = ordered(bench)
    reply(bench, order_id, "seen", key="r1")
    reply(bench, order_id, "accepted", key="r2")
    assert bench.value(hazard_id, "state") == "rectifying"
    sha256 = arrived(bench, b"photo of the rail")
    reply(bench, order_id, "rectified", sha256, key="r3")
    assert bench.value(hazard_id, "state") == "awaiting_recheck"
    states = [body for _, kind, body in bench.posted.messages if kind == "order_state"]
    assert [each.state for each in states if isinstance(each, OrderState)] == ["awaiting_recheck"]
    with bench.database.reading() as db:
        assert db.scalar(select(hazard_orders.c.seen_at_ns)) == bench.clock()
        assert db.scalar(select(hazard_evidence.c.sha256)) == sha256
    same_name = Actor("zhang", "张", WANG.scope, WANG.duties)
    with pytest.raises(RefusedError, match="same_person"):
        bench.act(hazard_id, A.CLOSE, same_name, evidence=(bench.photo(),))
    bench.act(hazard_id, A.CLOSE, WANG, evidence=(bench.photo(),))


def test_an_answer_that_moves_nothing_is_kept_with_its_reason(bench: HazardBench) -> None:
    hazard_id, order_id = ordered(bench)
    reply(bench, order_id, "rectified", key="r1")
    with bench.database.reading() as db:
        assert db.execute(select(hazard_replies.c.answer, hazard_replies.c.outcome)).one() == (
            "rectified",
            "no_new_evidence",
        )
    assert bench.value(hazard_id, "state") == "ordered"


@pytest.mark.parametrize(("what", "code"), [("order", "no_such_order"), ("box", "no_such_order"), ("blob", "evidence")])
def test_what_is_not_theirs_or_not_there_is_refused(bench: HazardBench, what: str, code: str) -> None:
    hazard_id, order_id = ordered(bench)
    asked = "another" if what == "order" else order_id
    box_id = "box-of-others" if what == "box" else BOX
    digests = ("0" * 64,) if what == "blob" else ()
    with pytest.raises(RefusedError, match=code):
        reply(bench, asked, "rectified", *digests, box_id=box_id)
    assert bench.value(hazard_id, "state") == "ordered"
