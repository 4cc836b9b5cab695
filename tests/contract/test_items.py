"""Items are kept once, under their key, and answered with the same signed receipt for ever."""

import base64

import pytest

from tests.fakes.contract_box import ContractBox, alarm_body, canonical, sha256

SUMMARY = {
    "minute_at_ns": 1_700_000_040_000_000_000,
    "asset": "crane-1",
    "points": [
        {
            "point_id": "crane-1.wind",
            "unit": "m/s",
            "min": "3.1",
            "max": "9.25",
            "mean": "5.0",
            "count": 60,
            "quality": 0,
        },
        {"point_id": "crane-1.load", "unit": "t", "min": None, "max": None, "mean": None, "count": 0, "quality": 2},
    ],
}
ORDER_REPLY = {
    "order_id": "order-1",
    "answer": "rectified",
    "words": "已整改",
    "user": "safety officer",
    "answered_at_ns": 1_700_000_000_000_000_000,
    "blob_sha256": [],
}
PIXELS = b"\xff\xd8 a very small picture"
THUMBNAIL = {
    "camera_id": "cam-1",
    "captured_at_ns": 1_700_000_000_000_000_000,
    "media_type": "image/jpeg",
    "width_px": 320,
    "height_px": 180,
    "sha256": sha256(PIXELS),
    "data_base64": base64.b64encode(PIXELS).decode(),
    "event_id": "",
}


@pytest.mark.parametrize(
    ("kind", "body"), [("minute_summary", SUMMARY), ("order_reply", ORDER_REPLY), ("thumbnail", THUMBNAIL)]
)
def test_every_item_gets_a_signed_receipt(box: ContractBox, fresh_key: str, kind: str, body: dict[str, object]) -> None:
    receipt = box.checked(box.say(kind, fresh_key, body).body["receipt"])
    assert (receipt["box_id"], receipt["key"], receipt["kind"]) == (box.box_id, fresh_key, kind)
    assert receipt["body_sha256"] == sha256(canonical(body))


def test_a_retry_is_a_duplicate_with_the_same_receipt(box: ContractBox, fresh_key: str) -> None:
    first = box.say("alarm_transition", fresh_key, alarm_body(fresh_key)).body
    again = box.say("alarm_transition", fresh_key, alarm_body(fresh_key), late=True).body
    assert (first["duplicate"], again["duplicate"]) == (False, True)
    assert again["receipt"] == first["receipt"]


def test_replaying_the_exact_bytes_does_no_harm(box: ContractBox, fresh_key: str) -> None:
    raw = canonical(box.envelope("alarm_transition", fresh_key, alarm_body(fresh_key)))
    first = box.post("/v1/messages", raw, box.sign(raw)).body
    replayed = box.post("/v1/messages", raw, box.sign(raw)).body
    assert replayed == first | {"duplicate": True}


def test_what_a_person_hands_over_is_held_once(box: ContractBox, fresh_key: str) -> None:
    said = alarm_body(fresh_key, transition="handed_over", user="safety officer", reason="现场属实")
    first = box.say("alarm_transition", fresh_key, said).body
    again = box.say("alarm_transition", fresh_key, said).body
    assert (first["duplicate"], again["duplicate"]) == (False, True)
    assert box.checked(first["receipt"])["key"] == fresh_key


def test_another_body_under_the_same_key_is_refused(box: ContractBox, fresh_key: str) -> None:
    first = box.say("alarm_transition", fresh_key, alarm_body(fresh_key)).body
    changed = box.say("alarm_transition", fresh_key, alarm_body(fresh_key, measured="12.5"))
    assert (changed.status, changed.error["code"]) == (409, "conflicting_body")
    kept = box.say("alarm_transition", fresh_key, alarm_body(fresh_key)).body
    assert kept["receipt"] == first["receipt"]


def test_sendings_may_overtake_each_other(box: ContractBox) -> None:
    raws = [
        canonical(box.envelope("alarm_transition", f"over-{box.seq}", alarm_body(f"over-{box.seq}"))) for _ in "123"
    ]
    keyed = []
    for raw in reversed(raws):
        keyed.append(box.post("/v1/messages", raw, box.sign(raw)).status)
    assert keyed == [200, 200, 200]


def test_a_used_sequence_number_with_something_new_is_refused_and_the_highest_is_named(
    box: ContractBox, fresh_key: str
) -> None:
    box.say("alarm_transition", fresh_key, alarm_body(fresh_key))
    answer = box.say("alarm_transition", fresh_key + "b", alarm_body(fresh_key + "b"), seq=box.seq)
    assert (answer.status, answer.error["code"]) == (409, "stale_sequence")
    assert answer.error["expected"] == str(box.seq - 1)


def test_a_number_far_below_the_window_is_refused(box: ContractBox, fresh_key: str) -> None:
    low = box.seq + 1
    box.seq += 5000
    assert box.say("alarm_transition", fresh_key, alarm_body(fresh_key)).status == 200
    answer = box.say("alarm_transition", fresh_key + "b", alarm_body(fresh_key + "b"), seq=low)
    assert (answer.status, answer.error["code"]) == (409, "stale_sequence")


def test_media_needs_its_bytes_first(box: ContractBox, fresh_key: str) -> None:
    clip = fresh_key.encode() * 100
    segment = {
        "segment_id": fresh_key,
        "camera_id": "cam-1",
        "started_at_ns": 1_700_000_000_000_000_000,
        "duration_ms": 4000,
        "media_type": "video/mp4",
        "blob_sha256": sha256(clip),
        "size_bytes": len(clip),
        "event_id": "",
    }
    early = box.say("media_segment", fresh_key, segment)
    assert (early.status, early.error["code"]) == (409, "blob_missing")
    assert box.put_blob(clip, clip).body["complete"] is True
    assert box.say("media_segment", fresh_key, segment).body["duplicate"] is False
