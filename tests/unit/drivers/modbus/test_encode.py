"""What encode refuses, and how it places what it takes."""

import math
from typing import Any

import numpy as np
import pytest

from drivers.modbus.decode import compile_table
from drivers.modbus.encode import encode_point, encode_table
from gateway.model.reading import Quality
from tests.fakes.modbus_binding import point, table


def test_points_that_share_a_register_are_merged() -> None:
    device_table = table([point("low", 3, "bits", bit=0, bit_count=4), point("high", 3, "bit", bit=15)])
    assert encode_table(device_table, {"low": 9, "high": 1}) == {3: {3: 0x8009}}


def test_bits_have_a_map_of_their_own() -> None:
    device_table = table([point("coil", 5, "bit", 1), point("word", 5, "uint16", 4)])
    assert encode_table(device_table, {"coil": 1, "word": 7}) == {1: {5: 1}, 4: {5: 7}}


def test_missing_values_leave_zeros() -> None:
    assert encode_table(table([point("a", 0), point("b", 2)]), {"b": 1.0}) == {3: {0: 0, 1: 0, 2: 0x3F80, 3: 0}}


def test_nan_is_the_first_sentinel_where_the_type_has_no_nan() -> None:
    device_table = table([point("p", 0, "int16", sentinels=[0x8000, 32767]), point("f", 1)])
    image = encode_table(device_table, {"p": math.nan, "f": math.nan})[3]
    assert image[0] == 0x8000
    block = np.array([image[0], image[1], image[2]], dtype=np.uint16)
    _, quality = compile_table(device_table).decode([block])
    assert quality.tolist() == [Quality.BAD, Quality.BAD]


@pytest.mark.parametrize(
    ("type_", "more", "value"),
    [
        ("uint16", {}, -1),
        ("uint16", {}, 65536),
        ("int16", {"scale": 0.1}, 3276.8),
        ("bcd16", {}, 10000),
        ("bits", {"bit": 0, "bit_count": 3}, 8),
        ("bit", {"bit": 0}, 2),
        ("float32", {}, 1e39),
        ("float16", {}, 70000),
        ("uint16", {}, math.inf),
        ("uint16", {}, math.nan),
    ],
)
def test_what_the_type_cannot_hold_is_refused(type_: str, more: dict[str, Any], value: float) -> None:
    device_table = table([point("p", 0, type_, **more)])
    with pytest.raises(ValueError, match="point p"):
        encode_point(device_table, device_table.points[0], value)


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(KeyError, match="nobody"):
        encode_table(table([point("a", 0)]), {"nobody": 1})
