"""Canonical form and chain: what changes a record, or the order of records, is found."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.canonical import Canonical, canonical_bytes, decimal_text
from contract.chain import GENESIS, ChainFault, ChainHead, verify_chain
from gateway.evidence.evidence import RecordKind, seal
from tests.fakes.site import BOX, NOW_NS

Row = tuple[int, str, bytes]
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
canonical = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
contents = st.lists(st.dictionaries(texts, canonical, max_size=3), min_size=1, max_size=5)


def _chain(contents: list[dict[str, Canonical]]) -> list[Row]:
    head, rows = ChainHead(), []
    for n, content in enumerate(contents):
        record = seal(head, BOX, RecordKind.STARTED, NOW_NS + n, content)
        rows.append((record.seq, record.sha256, record.body))
        head = record.head
    return rows


@given(canonical)
def test_the_canonical_form_reads_back_as_it_was_and_is_the_same_again(value: Canonical) -> None:
    body = canonical_bytes(value)
    assert json.loads(body) == value
    assert canonical_bytes(json.loads(body)) == body


@given(st.dictionaries(texts, st.integers(), min_size=2, max_size=5))
def test_the_order_in_which_keys_were_set_does_not_matter(value: dict[str, int]) -> None:
    assert canonical_bytes(dict(reversed(value.items()))) == canonical_bytes(value)


@pytest.mark.parametrize("value", [1.0, {"a": [0, {"b": 2.5}]}, [math.nan], {"x": b"raw"}, {1: "key"}, {"s": {1, 2}}])
def test_what_has_no_canonical_form_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=r"^\$"):
        canonical_bytes(value)  # type: ignore[arg-type]


def test_the_refusal_names_the_place() -> None:
    with pytest.raises(TypeError, match=r"^\$\.alarm\.samples\[1\]: float"):
        canonical_bytes({"alarm": {"samples": [1, 2.5]}})  # type: ignore[dict-item]


@given(st.floats())
def test_decimal_text_reads_back_as_the_same_double(value: float) -> None:
    text = decimal_text(value)
    if math.isfinite(value):
        assert text is not None
        assert math.copysign(1, float(text)) == math.copysign(1, value)
        assert float(text) == value
    else:
        assert text is None


@given(contents)
def test_a_sound_chain_verifies_to_its_head(content: list[dict[str, Canonical]]) -> None:
    rows = _chain(content)
    assert verify_chain(rows) == ChainHead(rows[-1][0], rows[-1][1])
    assert verify_chain(rows[1:], ChainHead(1, rows[0][1])) == ChainHead(rows[-1][0], rows[-1][1])


def test_an_empty_chain_has_the_genesis_head() -> None:
    assert verify_chain([]) == ChainHead(0, GENESIS)


@settings(max_examples=150)
@given(contents, st.data())
def test_any_changed_byte_of_any_record_is_found(content: list[dict[str, Canonical]], data: st.DataObject) -> None:
    rows = _chain(content)
    which = data.draw(st.integers(0, len(rows) - 1))
    seq, sha256, body = rows[which]
    at = data.draw(st.integers(0, len(body) - 1))
    changed = body[:at] + bytes([body[at] ^ data.draw(st.integers(1, 255))]) + body[at + 1 :]
    assert verify_chain([*rows[:which], (seq, sha256, changed), *rows[which + 1 :]]) == ChainFault(
        seq, "the body does not match its digest"
    )


@given(contents.filter(lambda content: len(content) > 1), st.data())
def test_a_record_that_was_forged_with_its_digest_is_found_by_the_next_one(
    content: list[dict[str, Canonical]], data: st.DataObject
) -> None:
    rows = _chain(content)
    which = data.draw(st.integers(0, len(rows) - 2))
    head = ChainHead(which, rows[which - 1][1]) if which else ChainHead()
    forged = seal(head, BOX, RecordKind.STARTED, NOW_NS, {"forged": True})
    row = (forged.seq, forged.sha256, forged.body)
    outcome = verify_chain([*rows[:which], row, *rows[which + 1 :]])
    assert isinstance(outcome, ChainFault)
    assert outcome.seq == which + 2


@given(contents.filter(lambda content: len(content) > 1), st.data())
def test_a_removed_repeated_or_exchanged_record_is_found(
    content: list[dict[str, Canonical]], data: st.DataObject
) -> None:
    rows = _chain(content)
    which = data.draw(st.integers(0, len(rows) - 2))
    removed = rows[:which] + rows[which + 1 :]
    repeated = [*rows[: which + 1], rows[which], *rows[which + 1 :]]
    exchanged = [*rows[:which], rows[which + 1], rows[which], *rows[which + 2 :]]
    for broken in (removed, repeated, exchanged):
        assert isinstance(verify_chain(broken), ChainFault)


@pytest.mark.parametrize("body", [b"[]", b"{}", b"not json", b"[" * 100_000])
def test_a_body_that_is_no_record_is_a_fault_and_no_crash(body: bytes) -> None:
    import hashlib

    outcome = verify_chain([(1, hashlib.sha256(body).hexdigest(), body)])
    assert outcome == ChainFault(1, "the body is not a chain record")
