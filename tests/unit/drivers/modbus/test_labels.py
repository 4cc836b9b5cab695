"""Texts in registers."""

from typing import Any

import numpy as np
import pytest

from drivers.modbus.labels import text_of
from drivers.modbus.settings import LabelRegisters


def label(**more: Any) -> LabelRegisters:
    return LabelRegisters.model_validate({"key": "model", "function": 3, "address": 0, "registers": 8} | more)


def words(data: bytes) -> np.ndarray[Any, np.dtype[np.uint16]]:
    return np.frombuffer(data.ljust(16, b"\0"), dtype=">u2").astype(np.uint16)


@pytest.mark.parametrize(
    ("data", "settings", "expected"),
    [
        (b"TC-6012", {}, "TC-6012"),
        (b"CT6-10\0 2", {"swapped": True}, "TC-601"),
        (b"  v1.2   ", {}, "v1.2"),
        (b"AB\0garbage", {}, "AB"),
        (b"", {}, ""),
        (b"\xff" * 16, {}, "�" * 16),
        (b"a\x07b", {}, "a�b"),
        ("塔机".encode("gb18030"), {"encoding": "gb18030"}, "塔机"),
        ("塔机".encode(), {"encoding": "utf-8"}, "塔机"),
        ("塔机".encode(), {"encoding": "ascii"}, "�" * 6),
    ],
)
def test_texts(data: bytes, settings: dict[str, Any], expected: str) -> None:
    assert text_of(words(data), label(**settings)) == expected
