"""Envelopes, replies and signed texts: what is signed is what is read, and everything else is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.canonical import canonical_bytes
from contract.envelope import (
    Envelope,
    ErrorText,
    Reply,
    SignedText,
    error_text,
    fault_from,
    open_envelope,
    open_reply,
    open_text,
    seal,
    sign_text,
)
from contract.faults import (
    FAULTS,
    BadSignature,
    ContractFault,
    Malformed,
    StaleSequence,
    UnknownAlgorithm,
    UnknownSender,
    WrongVersion,
)
from contract.messages import ReceiptText
from contract.signing import ALGORITHMS, generate_key, sign_key, verify_key

KEY = generate_key()

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
bodies = st.dictionaries(
    texts, st.recursive(texts | st.integers(-(2**70), 2**70) | st.booleans() | st.none(), st.lists, max_leaves=8)
)


def envelope(**changes: Any) -> Envelope:
    fields: dict[str, Any] = {
        "alg": "Ed25519",
        "key_id": KEY.public.key_id,
        "box_id": "box-1",
        "seq": 7,
        "key": "k",
        "kind": "alarm_transition",
        "sent_at_ns": 1_700_000_000_000_000_000,
        "body": {"x": None},
    }
    return Envelope.model_validate(fields | changes)


def find(box_id: str, key_id: str) -> Any:
    return KEY.public if (box_id, key_id) == ("box-1", KEY.public.key_id) else None


@given(bodies)
def test_what_was_sealed_is_what_is_opened(body: dict[str, Any]) -> None:
    sealed = seal(envelope(body=body), KEY)
    opened = open_envelope(sealed.raw, sealed.signature, find)
    assert opened.body == body
    assert canonical_bytes(opened.body) == canonical_bytes(body)


@given(st.data())
def test_any_changed_byte_is_refused(data: st.DataObject) -> None:
    sealed = seal(envelope(), KEY)
    at = data.draw(st.integers(0, len(sealed.raw) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda byte: byte != sealed.raw[at]))
    changed = sealed.raw[:at] + bytes([other]) + sealed.raw[at + 1 :]
    with pytest.raises((BadSignature, Malformed, WrongVersion, UnknownAlgorithm, UnknownSender)):
        open_envelope(changed, sealed.signature, find)


@given(st.binary(max_size=200))
def test_garbage_raises_nothing_but_contract_faults(raw: bytes) -> None:
    with pytest.raises(ContractFault):
        open_envelope(raw, "", find)


def test_null_values_inside_a_body_survive() -> None:
    assert json.loads(seal(envelope(), KEY).raw)["body"] == {"x": None}


@pytest.mark.parametrize("version", [None, 0, 2, "1", True, 1.0])
def test_another_version_is_named(version: Any) -> None:
    fields = json.loads(seal(envelope(), KEY).raw) | {"version": version}
    raw = json.dumps(fields).encode()
    with pytest.raises((WrongVersion, Malformed)) as caught:
        open_envelope(raw, KEY.sign(raw), find)
    assert isinstance(caught.value, WrongVersion) or version == 1.0


def test_an_unknown_algorithm_is_named_and_the_known_ones_listed() -> None:
    sealed = seal(envelope(alg="RSA"), KEY)
    with pytest.raises(UnknownAlgorithm, match="Ed25519"):
        open_envelope(sealed.raw, sealed.signature, find)


def test_another_boxs_key_is_no_key_of_this_box() -> None:
    sealed = seal(envelope(box_id="box-2"), KEY)
    with pytest.raises(UnknownSender):
        open_envelope(sealed.raw, sealed.signature, find)


@pytest.mark.parametrize("box_id", ["", "../up", "A", "a/b", "a.", "x" * 65])
def test_a_box_id_can_be_a_folders_name(box_id: str) -> None:
    fields = json.loads(seal(envelope(), KEY).raw) | {"box_id": box_id}
    raw = canonical_bytes(fields)
    with pytest.raises(Malformed, match="box_id"):
        open_envelope(raw, KEY.sign(raw), find)


def reply(**changes: Any) -> Reply:
    public = KEY.public
    base = {"alg": public.alg, "key_id": public.key_id, "box_id": "box-1", "reply_to": 7, "kind": "done"}
    return Reply.model_validate(base | {"sent_at_ns": 1} | changes)


@pytest.mark.parametrize("changes", [{"reply_to": 6}, {"box_id": "box-2"}])
def test_a_reply_to_something_else_is_refused(changes: dict[str, Any]) -> None:
    sealed = seal(reply(**changes), KEY)
    with pytest.raises(Malformed, match="box-1 number 7"):
        open_reply(sealed.raw, sealed.signature, KEY.public, "box-1", 7)


def test_a_reply_of_a_newer_regulator_is_read() -> None:
    raw = canonical_bytes(json.loads(seal(reply(), KEY).raw) | {"news": "x"})
    assert open_reply(raw, KEY.sign(raw), KEY.public, "box-1", 7).kind == "done"


RECEIPT = ReceiptText(receipt_id="r", box_id="box-1", key="k", kind="x", body_sha256="0" * 64, accepted_at_ns=1)


def test_a_signed_text_proves_itself() -> None:
    signed = SignedText.model_validate_json(sign_text(RECEIPT, KEY).model_dump_json())
    assert open_text(signed, ReceiptText, KEY.public) == RECEIPT


@pytest.mark.parametrize("text", ['{"key":"other"}', "", "\ud800"])
def test_a_changed_signed_text_is_refused(text: str) -> None:
    with pytest.raises(BadSignature):
        open_text(sign_text(RECEIPT, KEY).model_copy(update={"text": text}), ReceiptText, KEY.public)


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_travels_and_stays_itself(code: str) -> None:
    travelled = fault_from(error_text(FAULTS[code]("body.x", "y", 3)))
    assert type(travelled) is FAULTS[code]
    assert (travelled.field, travelled.expected, travelled.retry_after_s) == ("body.x", "y", 3)


def test_an_error_code_from_the_future_never_ends_an_item() -> None:
    fault = fault_from(ErrorText(code="invented_later", message_zh="", message_en=""))
    assert fault.about_item is False


def test_stale_says_what_was_seen() -> None:
    assert "41" in str(StaleSequence("seq", "41"))


def test_a_registered_algorithm_generates_signs_and_verifies() -> None:
    for name in ALGORITHMS:
        key = generate_key(name)
        again = sign_key(key.pem())
        verify_key(name, key.public.public_text).verify(again.sign(b"x"), b"x")
        assert again.public.key_id == key.public.key_id


def test_a_private_key_does_not_print() -> None:
    secret = KEY.pem().decode().splitlines()[1]
    assert secret not in f"{KEY!r} {KEY} {KEY.public!r}"


@pytest.mark.parametrize("text", ["", "AAAA", "not base64", "签"])
def test_a_public_key_that_is_none_is_malformed(text: str) -> None:
    with pytest.raises(Malformed, match="public_key"):
        verify_key("Ed25519", text)
