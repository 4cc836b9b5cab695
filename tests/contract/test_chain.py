"""The regulator holds each box's chain and says at once when it does not hang together. One box, one story."""

import pytest

from tests.contract.conftest import Enrolled
from tests.fakes.contract_box import ContractBox, canonical, sha256


@pytest.fixture(scope="module")
def story(enrolled: Enrolled) -> ContractBox:
    """The enrolled box, its chain begun."""
    for words in ("one", "two"):
        number = len(enrolled.box.chain) + 1
        answer = enrolled.box.say("evidence_record", f"record-{number}", enrolled.box.seal_record(words))
        assert answer.body["chain"]["state"] == "ok"
    return enrolled.box


def beat(box: ContractBox, seq: int, digest: str) -> dict[str, object]:
    body = {"chain": {"seq": seq, "sha256": digest}, "started_at_ns": 1, "counters": {"accepted": 3}}
    return dict(box.say("heartbeat", "heartbeat", body).body["chain"])


def test_records_in_order_are_verified(story: ContractBox) -> None:
    head = len(story.chain)
    assert beat(story, head, story.chain[-1][1]) == {
        "state": "ok",
        "verified_seq": head,
        "highest_seq": head,
        "missing_from": 0,
        "missing_to": 0,
        "reason": "",
    }


def test_a_heartbeat_brings_a_signed_checkpoint_of_what_is_held(story: ContractBox) -> None:
    head = {"seq": len(story.chain), "sha256": story.chain[-1][1]}
    body = {"chain": head, "started_at_ns": 1, "counters": {}}
    checkpoint = story.checked(story.say("heartbeat", "heartbeat", body).body["checkpoint"])
    assert checkpoint.pop("at_ns") > 0
    assert checkpoint == {"box_id": story.box_id} | head


def test_a_gap_is_named_and_heals(story: ContractBox) -> None:
    bodies = [story.seal_record(words) for words in ("late", "later", "early")]
    first = len(story.chain) - 2
    early = story.say("evidence_record", f"record-{first + 2}", bodies[2]).body["chain"]
    assert (early["state"], early["missing_from"], early["missing_to"]) == ("gap", first, first + 1)
    story.say("evidence_record", f"record-{first + 1}", bodies[1])
    healed = story.say("evidence_record", f"record-{first}", bodies[0]).body["chain"]
    assert (healed["state"], healed["verified_seq"]) == ("ok", first + 2)


def test_a_record_whose_digest_is_wrong_is_refused(story: ContractBox) -> None:
    record = canonical({"seq": 900, "prev": "0" * 64, "box_id": story.box_id}).decode()
    answer = story.say("evidence_record", "record-wrong", {"record": record, "sha256": sha256(b"other")})
    assert (answer.status, answer.error["code"]) == (422, "digest_mismatch")


@pytest.mark.parametrize(
    "record",
    ["no json", '{"seq":0,"prev":"","box_id":"BOX"}', '{"seq":1,"box_id":"BOX"}', '{"seq":1,"prev":"","box_id":"y"}'],
)
def test_a_record_that_is_none_of_this_box_is_refused(story: ContractBox, record: str) -> None:
    record = record.replace("BOX", story.box_id)
    answer = story.say("evidence_record", "record-none", {"record": record, "sha256": sha256(record.encode())})
    assert (answer.status, answer.error["code"], answer.error["field"]) == (422, "invalid_body", "body.record")


def test_a_replayed_heartbeat_is_refused(story: ContractBox) -> None:
    chain = {"seq": len(story.chain), "sha256": story.chain[-1][1]}
    raw = canonical(story.envelope("heartbeat", "heartbeat", {"chain": chain, "started_at_ns": 1, "counters": {}}))
    assert story.post("/v1/messages", raw, story.sign(raw)).status == 200
    replayed = story.post("/v1/messages", raw, story.sign(raw))
    assert (replayed.status, replayed.error["code"]) == (409, "stale_sequence")


def test_a_second_record_with_the_same_number_is_kept_and_flagged_for_ever(story: ContractBox) -> None:
    twin = canonical({"seq": 1, "prev": "0" * 64, "box_id": story.box_id, "words": "another past"})
    body = {"record": twin.decode(), "sha256": sha256(twin)}
    answer = story.say("evidence_record", "record-1-twin", body).body
    assert (answer["duplicate"], answer["chain"]["state"]) == (False, "fault")
    assert "1" in answer["chain"]["reason"]
    assert beat(story, len(story.chain), story.chain[-1][1])["state"] == "fault"
