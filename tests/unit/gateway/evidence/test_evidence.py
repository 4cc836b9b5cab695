import hashlib
import json

import numpy as np
import pytest

from contract.chain import ChainHead
from gateway.alarms import AlarmTable
from gateway.evidence.evidence import (
    MAX_POINTS_A_SAMPLE,
    MAX_RAW_PAYLOAD_BYTES,
    RecordKind,
    record_message,
    seal,
    seen_content,
    transition_content,
    transition_key,
    transition_message,
)
from gateway.model.alarm import Transition
from gateway.model.reading import Quality, RawBlock, Readings
from gateway.model.verdict import Truth, Verdicts
from tests.fakes.site import BOX, NOW_NS, layout, points, poll, threshold

RULE = threshold(1, limit=0.1, on_delay_s=2.5)


def _raised(measured: float = 0.30000000000000004) -> Transition:
    table = AlarmTable(BOX, [threshold(1, limit=0.1)])
    verdicts = Verdicts(
        np.array([0], dtype=np.int32), np.array([Truth.TRUE], dtype=np.uint8), np.array([measured]), NOW_NS
    )
    return table.step(verdicts)[0]


def test_a_sealed_record_names_its_place_and_reads_back() -> None:
    first = seal(ChainHead(), BOX, RecordKind.STARTED, NOW_NS, {"version": "1"})
    second = seal(first.head, BOX, RecordKind.STOPPED, NOW_NS + 1, {})
    body = json.loads(second.body)
    assert (body["seq"], body["prev"], body["box_id"], body["kind"]) == (2, first.sha256, BOX, "gateway_stopped")
    assert second.sha256 == hashlib.sha256(second.body).hexdigest()


def test_a_measured_float_is_refused_in_a_record() -> None:
    with pytest.raises(TypeError, match=r"\$\.content\.measured: float"):
        seal(ChainHead(), BOX, RecordKind.STARTED, NOW_NS, {"measured": 1.5})  # type: ignore[dict-item]


def test_a_transition_keeps_every_digit_and_the_rule_as_it_was_set() -> None:
    content = transition_content(_raised(), RULE, ())
    assert (content["measured"], content["transition"]) == ("0.30000000000000004", "raised")
    assert content["rule"] == {
        "family": "threshold",
        "direction": "high",
        "limit": "0.1",
        "deadband": "0.0",
        "on_delay_s": "2.5",
        "off_delay_s": "0.0",
        "origin": "test.yaml:1",
    }


def test_without_a_number_there_is_none_in_the_record() -> None:
    assert transition_content(_raised(float("nan")), None, ())["measured"] is None


def test_the_polls_of_a_small_device_are_kept_whole_with_the_newest_raw_words() -> None:
    older, newest = poll(layout(2), [1.0, 2.0]), poll(layout(2), [3.0, np.nan], NOW_NS + 1, quality=[1, Quality.BAD])
    first, last = seen_content([older, newest], points(2), 1)
    assert isinstance(first, dict)
    assert isinstance(last, dict)
    assert (first["point"], first["value"]) == (["crane-1.q0", "crane-1.q1"], ["1.0", "2.0"])
    assert (last["value"], last["quality"]) == (["3.0", None], [1, 2])
    assert last["raw_words"] == [[0, [1, 65535]]]
    assert "raw_words" not in first


def test_of_a_large_device_only_the_point_in_question_is_kept() -> None:
    n = MAX_POINTS_A_SAMPLE + 1
    large = poll(layout(n), np.arange(n, dtype=np.float64).tolist())
    (sample,) = seen_content([large], points(n), 7)
    assert isinstance(sample, dict)
    assert (sample["point"], sample["value"], sample["quality"]) == (["crane-1.q7"], ["7.0"], [0])


def test_of_a_large_payload_the_length_the_digest_and_the_beginning_are_kept() -> None:
    payload = bytes(range(256)) * 100
    message = Readings(
        "host-1", layout(1), np.array([1.0]), np.zeros(1, np.uint8), NOW_NS, NOW_NS, RawBlock((), payload)
    )
    (sample,) = seen_content([message], points(1), 0)
    assert isinstance(sample, dict)
    assert sample["raw_payload_bytes"] == len(payload)
    assert sample["raw_payload_sha256"] == hashlib.sha256(payload).hexdigest()
    assert sample["raw_payload_hex"] == payload[:MAX_RAW_PAYLOAD_BYTES].hex()


def test_a_message_names_its_evidence_and_its_key() -> None:
    raised = _raised()
    record = seal(ChainHead(), BOX, RecordKind.TRANSITION, NOW_NS, transition_content(raised, RULE, ()))
    body = json.loads(transition_message(raised, transition_key(raised), "PROJECT-1", record))
    assert body["event_id"] == f"{raised.alarm.alarm_id}:raised"
    assert (body["evidence_seq"], body["evidence_sha256"]) == (1, record.sha256)
    assert (body["measured"], body["limit"], body["project_code"]) == ("0.30000000000000004", "0.1", "PROJECT-1")
    assert json.loads(record_message(record)) == {"record": record.body.decode(), "sha256": record.sha256}
