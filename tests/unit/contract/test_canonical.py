"""The canonical form is one: the fast way to write it gives the bytes that its definition gives, or is not taken."""

import json
import sys
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.canonical import canonical_bytes

SURROGATES = range(0xD800, 0xE000)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | TEXTS,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(TEXTS, inner),
)


def by_definition(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


class Colour(IntEnum):
    RED = 4


@dataclass
class Fields:
    name: str = "a"


@given(VALUES)
def test_any_value_is_written_as_the_definition_says(value: Any) -> None:
    assert canonical_bytes(value) == by_definition(value)


def test_every_character_is_written_as_the_definition_says() -> None:
    text = "".join(chr(code) for code in range(sys.maxunicode + 1) if code not in SURROGATES)
    assert canonical_bytes([text]) == by_definition([text])


def test_keys_stand_in_the_order_of_their_code_points() -> None:
    assert canonical_bytes({"\U0001f3d7": 1, "\uffee": 2, "z": 3, "Z": 4}) == (
        b'{"Z":4,"z":3,"' + "\uffee".encode() + b'":2,"' + "\U0001f3d7".encode() + b'":1}'
    )


@pytest.mark.parametrize("value", [2**64, [-(2**63) - 1], OrderedDict(b=1, a=Colour.RED)])
def test_what_the_fast_way_does_not_write_is_written_all_the_same(value: Any) -> None:
    assert canonical_bytes(value) == by_definition(value)


def test_deep_nesting_is_written_all_the_same() -> None:
    value: Any = "end"
    for _ in range(300):
        value = [value]
    assert canonical_bytes(value) == by_definition(value)


@pytest.mark.parametrize(
    "value",
    [
        *(1.5, [float("nan")], {"a": {"b": 0.0}}, {1: "a"}, {None: 1}, {"a": [{True: 1}]}, b"a", {"a"}, object()),
        *(Fields(), UUID(int=1), datetime(2026, 1, 1, tzinfo=UTC), {"a": (1, {"b": [UUID(int=1)]})}),
        MappingProxyType({}),
    ],
)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        canonical_bytes(value)


def test_a_lone_surrogate_is_refused() -> None:
    with pytest.raises(UnicodeError):
        canonical_bytes({"a": "\ud800"})


def test_what_contains_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(RecursionError):
        canonical_bytes(value)
