"""What a regulator must not take, and how it says so."""

import base64
from typing import Any

import httpx
import pytest

from tests.fakes.contract_box import ContractBox, alarm_body, canonical

SHAPE = {"code", "message_zh", "message_en", "field"}


def test_a_changed_byte_is_noticed(box: ContractBox, fresh_key: str) -> None:
    raw = canonical(box.envelope("alarm_transition", fresh_key, alarm_body(fresh_key)))
    answer = box.post("/v1/messages", raw.replace(b'"112.5"', b'"102.5"'), box.sign(raw))
    assert (answer.status, answer.error["code"]) == (401, "bad_signature")


@pytest.mark.parametrize("signature", ["", "not base64!", "AAAA", "签名"])
def test_a_signature_that_is_none_is_refused(box: ContractBox, fresh_key: str, signature: str) -> None:
    raw = canonical(box.envelope("alarm_transition", fresh_key, alarm_body(fresh_key)))
    headers = {b"Sitewarden-Signature": signature.encode()}
    answer = box.read(box.client.post("/v1/messages", content=raw, headers=headers), raw)
    assert (answer.status, answer.error["code"]) == (401, "bad_signature")


def test_another_boxs_name_does_not_pass_with_ones_own_key(box: ContractBox, fresh_key: str) -> None:
    answer = box.say("alarm_transition", fresh_key, alarm_body(fresh_key), box_id="contract-neighbour")
    assert (answer.status, answer.error["code"]) == (401, "unknown_sender")


@pytest.mark.parametrize("version", [2, 0, "1", True, None])
def test_another_version_is_refused_and_the_right_one_named(box: ContractBox, fresh_key: str, version: Any) -> None:
    answer = box.say("alarm_transition", fresh_key, alarm_body(fresh_key), version=version)
    assert (answer.status, answer.error["code"]) == (400, "wrong_version")
    assert (answer.error["field"], answer.error["expected"]) == ("version", "1")


def test_an_unknown_algorithm_is_refused_and_the_known_ones_named(box: ContractBox, fresh_key: str) -> None:
    answer = box.say("alarm_transition", fresh_key, alarm_body(fresh_key), alg="none")
    assert (answer.status, answer.error["code"]) == (400, "unknown_algorithm")
    assert "Ed25519" in answer.error["expected"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"severity": "P9"}, "body.severity"),
        ({"measured": "1,5"}, "body.measured"),
        ({"measured": 1}, "body.measured"),
        ({"observed_at_ns": "now"}, "body.observed_at_ns"),
        ({"observed_at_ns": 2**63}, "body.observed_at_ns"),
        ({"observed_at_ns": -1}, "body.observed_at_ns"),
        ({"suspected": 1}, "body.suspected"),
        ({"surprise": "x"}, "body.surprise"),
        ({"evidence_sha256": "0" * 63}, "body.evidence_sha256"),
        ({"event_id": "another"}, "body.event_id"),
    ],
)
def test_a_body_that_does_not_fit_is_refused_and_the_field_named(
    box: ContractBox, fresh_key: str, changes: dict[str, Any], field: str
) -> None:
    answer = box.say("alarm_transition", fresh_key, alarm_body(fresh_key) | changes)
    assert (answer.status, answer.error["code"], answer.error["field"]) == (422, "invalid_body", field)


def test_an_unknown_kind_is_refused(box: ContractBox, fresh_key: str) -> None:
    answer = box.say("weather_forecast", fresh_key, {})
    assert (answer.status, answer.error["code"]) == (422, "unknown_kind")


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("alarm_transition", "/v1/enrol"),
        ("alarm_transition", "/v1/mailbox"),
        ("enrol", "/v1/messages"),
        ("mailbox_poll", "/v1/messages"),
        ("blob", "/v1/messages"),
    ],
)
def test_a_kind_at_the_wrong_address_is_refused(box: ContractBox, fresh_key: str, kind: str, address: str) -> None:
    answer = box.say(kind, fresh_key, alarm_body(fresh_key), address)
    assert (answer.status, answer.error["code"]) == (422, "unknown_kind")


def test_a_picture_that_is_not_its_digest_is_refused(box: ContractBox, fresh_key: str) -> None:
    body = {"camera_id": "cam-1", "captured_at_ns": 1, "media_type": "image/jpeg", "width_px": 1, "height_px": 1}
    answer = box.say("thumbnail", fresh_key, body | {"sha256": "0" * 64, "data_base64": "AAAA", "event_id": ""})
    assert (answer.status, answer.error["code"]) == (422, "digest_mismatch")


def test_a_new_key_without_proof_of_having_it_is_refused(box: ContractBox, fresh_key: str) -> None:
    public = base64.b64encode(bytes(32)).decode()
    body = {"rotation_id": "r", "whose": "box", "public_key": public, "proof": box.sign(b"r:other:key")}
    answer = box.say("key_rotation_reply", fresh_key, body)
    assert (answer.status, answer.error["code"], answer.error["field"]) == (422, "invalid_body", "body.proof")


def test_a_blob_at_anothers_address_is_refused(box: ContractBox, fresh_key: str) -> None:
    raw = canonical(box.envelope("blob_query", fresh_key, {"sha256": "0" * 64}))
    headers = {"Sitewarden-Envelope": base64.b64encode(raw).decode(), "Sitewarden-Signature": box.sign(raw)}
    answer = box.read(box.client.get(f"/v1/blobs/{'1' * 64}", headers=headers), raw)
    assert (answer.status, answer.error["code"], answer.error["field"]) == (422, "invalid_body", "body.sha256")


def test_a_blob_without_an_envelope_is_refused(box: ContractBox) -> None:
    answer = box.read(box.client.put(f"/v1/blobs/{'1' * 64}", content=b"x"), b"")
    assert (answer.status, answer.error["code"]) == (400, "malformed")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"version":1,"version":1}',
        b'{"version":1,"seq":1.5}',
        b'{"version":1,"body":NaN}',
        b'{"version":1,"key":"\\ud800"}',
        b'{"version":1,"key":"\\u0000"}',
        b"[" * 100_000,
        b'{"version":1,"seq":' + b"9" * 5000 + b"}",
    ],
)
def test_bytes_that_are_no_envelope_are_refused(box: ContractBox, raw: bytes) -> None:
    answer = box.post("/v1/messages", raw, box.sign(raw))
    assert (answer.status, answer.error["code"]) == (400, "malformed")


def test_a_message_over_the_limit_is_refused(box: ContractBox, fresh_key: str) -> None:
    answer = box.say("order_reply", fresh_key, {"words": "x" * (3 * 1024 * 1024)})
    assert (answer.status, answer.error["code"]) == (413, "too_large")
    assert int(answer.error["expected"]) == 2 * 1024 * 1024


@pytest.mark.parametrize(("method", "address", "status"), [("GET", "/v1/messages", 405), ("GET", "/v1/nothing", 404)])
def test_every_error_has_the_contracts_shape(box: ContractBox, method: str, address: str, status: int) -> None:
    response = httpx.request(method, box.url + address, trust_env=False)
    assert response.status_code == status
    error = response.json()["error"]
    assert set(error) >= SHAPE
    assert error["message_zh"]
    assert error["message_en"]
