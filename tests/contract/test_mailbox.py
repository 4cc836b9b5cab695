"""The mailbox: signed, in order, again and again until acknowledged."""

import threading
import time
from typing import Any

from tests.fakes.contract_box import ContractBox, canonical


def poll(box: ContractBox, wait_s: int = 0) -> list[dict[str, Any]]:
    batch = box.say("mailbox_poll", "poll", {"wait_s": wait_s, "limit": 100}, "/v1/mailbox").body
    return [box.checked(signed) for signed in batch["messages"]]


def acknowledge(box: ContractBox, messages: list[dict[str, Any]]) -> None:
    if messages:
        acks = [{"message_id": message["message_id"], "outcome": "kept"} for message in messages]
        assert box.say("mailbox_ack", "ack", {"messages": acks}).status == 200


def empty(box: ContractBox) -> None:
    while messages := poll(box):
        acknowledge(box, messages)


def test_a_receipt_for_evidence_comes_down_until_it_is_acknowledged(box: ContractBox, fresh_key: str) -> None:
    empty(box)
    said = box.say("evidence_record", fresh_key, box.seal_record(fresh_key)).body
    first, again = poll(box), poll(box)
    assert again == first
    assert [message["kind"] for message in first] == ["receipt"]
    assert first[0]["body"]["receipt"] == said["receipt"]
    assert box.checked(first[0]["body"]["receipt"])["key"] == fresh_key
    acknowledge(box, first)
    acknowledge(box, first)
    assert poll(box) == []


def test_messages_come_in_the_order_of_their_numbers(box: ContractBox, fresh_key: str) -> None:
    empty(box)
    for number in range(3):
        box.say("evidence_record", f"{fresh_key}-{number}", box.seal_record(str(number)))
    messages = poll(box)
    numbers = [message["mailbox_seq"] for message in messages]
    assert numbers == list(range(numbers[0], numbers[0] + 3))
    acknowledge(box, messages[:1])
    assert poll(box) == messages[1:]


def test_a_long_poll_answers_when_something_arrives(box: ContractBox, fresh_key: str) -> None:
    empty(box)
    got: list[list[dict[str, Any]]] = []
    raw = canonical(box.envelope("mailbox_poll", "poll", {"wait_s": 30, "limit": 10}))
    waiting = threading.Thread(target=lambda: got.append(box.post("/v1/mailbox", raw, box.sign(raw)).body["messages"]))
    waiting.start()
    box.say("evidence_record", fresh_key, box.seal_record(fresh_key))
    waiting.join(15)
    assert len(got[0]) == 1


def test_a_long_poll_with_no_mail_waits_and_comes_back_empty(box: ContractBox) -> None:
    empty(box)
    began = time.monotonic()
    assert poll(box, wait_s=1) == []
    assert time.monotonic() - began >= 0.9


def test_a_replayed_poll_shows_nothing(box: ContractBox) -> None:
    raw = canonical(box.envelope("mailbox_poll", "poll", {"wait_s": 0, "limit": 10}))
    assert box.post("/v1/mailbox", raw, box.sign(raw)).status == 200
    replayed = box.post("/v1/mailbox", raw, box.sign(raw))
    assert (replayed.status, replayed.error["code"]) == (409, "stale_sequence")
