"""Strict JSON: the round trip is exact, and whatever two parsers could read differently is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.canonical import canonical_bytes
from contract.faults import Malformed
from contract.strict_json import parse_object

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
leaves = texts | st.integers() | st.booleans() | st.none()
values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(texts, inner), max_leaves=15)


@given(st.dictionaries(texts, values))
def test_canonical_bytes_read_back_as_the_same_value(value: dict[str, Any]) -> None:
    assert parse_object(canonical_bytes(value)) == value


@given(st.binary(max_size=100).filter(lambda raw: b"}" not in raw))
def test_garbage_is_refused_by_this_one_fault(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse_object(b"\xff" + raw)
    with pytest.raises(Malformed):
        parse_object(b"{" + raw)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"a":1,"a":2}', "once"),
        (b'{"a":{"b":1,"b":1}}', "once"),
        (b'{"a":1.0}', "1.0"),
        (b'{"a":1e3}', "1e3"),
        (b'{"a":-Infinity}', "Infinity"),
        (b'{"a":"\\ud800"}', "surrogates"),
        (b'{"\\ud800":1}', "surrogates"),
        (b'{"a":["\\u0000"]}', r"U\+0000"),
        (b'{"\\u0000":1}', r"U\+0000"),
        (b"\xef\xbb\xbf{}", "JSON"),
        (b"{} {}", "JSON"),
        (b"[]", "object"),
        (b'{"a":' * 5000, "nesting"),
    ],
)
def test_what_is_ambiguous_is_refused_and_said(raw: bytes, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        parse_object(raw)


def test_an_escaped_escape_is_no_null_character() -> None:
    assert parse_object(b'{"a":"\\\\u0000"}') == {"a": "\\u0000"}
