"""A level whose decimal places stand in a register of their own."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.decode import compile_table
from drivers.modbus.encode import encode_table
from drivers.modbus.settings import ModbusTable
from gateway.model.reading import Quality
from tests.fakes.modbus_binding import point, table

PLACES = point("places", 0, "uint16", min=0, max=4)


def gauge(gap: int = 0, **more: Any) -> ModbusTable:
    return table([PLACES, point("level", 1 + gap, "int16", decimals="places", **more)])


def read(device_table: ModbusTable, *blocks: list[int] | None) -> tuple[list[float], list[int]]:
    words = [None if block is None else np.array(block, np.uint16) for block in blocks]
    value, quality = compile_table(device_table).decode(words)
    return value.tolist(), quality.tolist()


@pytest.mark.parametrize(("places", "expected"), [(0, 1234.0), (1, 123.4), (2, 12.34), (3, 1.234), (4, 0.1234)])
def test_the_value_is_divided_by_ten_to_the_places(places: int, expected: float) -> None:
    value, quality = read(gauge(), [places, 1234])
    assert (value[1], quality) == (expected, [Quality.GOOD] * 2)


def test_scale_and_offset_come_on_top() -> None:
    assert read(gauge(scale=0.01, offset=5.0), [1, 1234])[0][1] == pytest.approx(6.234)


@pytest.mark.parametrize("places", [5, 0xFFFF])
def test_without_believable_places_there_is_no_value(places: int) -> None:
    value, quality = read(gauge(), [places, 1234])
    assert all(math.isnan(each) for each in value)
    assert quality == [Quality.BAD] * 2


def test_a_block_that_failed_takes_the_value_in_another_block_with_it() -> None:
    device_table = gauge(gap=50)
    assert len(compile_table(device_table).requests) == 2
    assert read(device_table, None, [1234])[1] == [Quality.BAD, Quality.BAD]
    assert read(device_table, [1], None)[1] == [Quality.GOOD, Quality.BAD]


def test_sentinels_and_range_hold_as_for_any_point() -> None:
    device_table = gauge(sentinels=[0x7FFF], max=10.0)
    assert read(device_table, [2, 0x7FFF])[1] == [Quality.GOOD, Quality.BAD]
    assert read(device_table, [1, 1234])[1] == [Quality.GOOD, Quality.BAD]


@given(st.integers(0, 4), st.integers(-32768, 32767))
def test_what_is_encoded_is_decoded(places: int, raw: int) -> None:
    device_table = gauge()
    level = raw / 10**places
    words = encode_table(device_table, {"places": places, "level": level})[3]
    assert read(device_table, [words[0], words[1]])[0] == [places, level]


@pytest.mark.parametrize(
    "points",
    [
        [point("level", 1, "int16", decimals="nobody")],
        [point("level", 1, "int16", decimals="level", min=0, max=4)],
        [point("places", 0, "uint16"), point("level", 1, "int16", decimals="places")],
        [point("places", 0, "uint16", min=0, max=10), point("level", 1, "int16", decimals="places")],
    ],
)
def test_decimals_that_lead_nowhere_or_anywhere_are_refused(points: list[dict[str, Any]]) -> None:
    with pytest.raises(ValueError, match="another point of this table, with min and max within 0 and 9"):
        table(points)
