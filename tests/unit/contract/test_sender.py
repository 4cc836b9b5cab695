"""Who sends, before the body: the header proves itself, and the end of a canonical envelope says the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.envelope import MAX_INTEGER, Envelope, seal
from contract.faults import BadSignature, ContractFault, Malformed
from contract.sender import Claim, claim_at_end, claim_of, read_sender, sender_text
from contract.signing import generate_key
from regulator.base.intake.opening import claim_in, open_checked

KEY = generate_key()
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=200)


def envelope(key: str = "k", seq: int = 7, kind: str = "heartbeat", **body: object) -> Envelope:
    public = KEY.public
    known = {"alg": public.alg, "key_id": public.key_id, "box_id": "box-1", "seq": seq, "key": key}
    return Envelope(kind=kind, sent_at_ns=1, body=body, **known)


def test_a_header_proves_its_sender_and_a_changed_one_does_not() -> None:
    text = sender_text(envelope(), KEY)
    sender = read_sender(text)
    assert sender.claim == Claim("box-1", KEY.public.key_id, 7)
    sender.prove(KEY.public)
    for other in (text.replace("box-1", "box-2"), text.replace(" 7 ", " 8 ")):
        with pytest.raises(BadSignature):
            read_sender(other).prove(KEY.public)
    with pytest.raises(BadSignature):
        sender.prove(generate_key().public)


@pytest.mark.parametrize("text", ["", "box-1", " ".join("abcd"), "\n", "x" * 2000, "box-1 ed25519:00 1 AAAA"])
def test_what_is_no_header_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        read_sender(text)


@given(key=TEXT, seq=st.integers(1, MAX_INTEGER), body=st.dictionaries(TEXT, TEXT, max_size=3))
def test_every_canonical_envelope_names_its_sender_at_its_end(key: str, seq: int, body: dict[str, str]) -> None:
    said = envelope(key, seq, **{f"b{name}": value for name, value in body.items()})
    assert claim_at_end(seal(said, KEY).raw) == claim_of(said)


@given(raw=st.binary(max_size=300))
def test_other_bytes_name_nobody_or_are_refused_when_they_are_read(raw: bytes) -> None:
    claim = claim_in(raw)
    if claim is not None:
        with pytest.raises(ContractFault):
            open_checked(raw, KEY.sign(raw), claim, KEY.public)


@pytest.mark.parametrize("seq", [MAX_INTEGER, MAX_INTEGER + 1, 10**19 - 1])
def test_a_number_beyond_the_last_one_names_nobody(seq: int) -> None:
    """It has as many digits as the last one."""
    text = sender_text(envelope(seq=MAX_INTEGER), KEY).replace(str(MAX_INTEGER), str(seq))
    end = seal(envelope(seq=MAX_INTEGER), KEY).raw.replace(b'"seq":%d' % MAX_INTEGER, b'"seq":%d' % seq)
    if seq == MAX_INTEGER:
        assert read_sender(text).claim == claim_at_end(end) == Claim("box-1", KEY.public.key_id, seq)
        return
    with pytest.raises(Malformed):
        read_sender(text)
    assert claim_at_end(end) is None


def test_a_body_that_imitates_an_end_moves_no_claim() -> None:
    inner = seal(envelope("inner"), KEY).raw.decode()
    said = envelope("outer", 9, kind="order_reply", words=inner, nested={"zz": {"box_id": "box-2", "version": 1}})
    raw = seal(said, KEY).raw
    assert claim_at_end(raw) == Claim("box-1", KEY.public.key_id, 9)
    assert open_checked(raw, KEY.sign(raw), claim_of(said), KEY.public) == said
