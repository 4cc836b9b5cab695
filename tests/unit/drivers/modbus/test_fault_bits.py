"""A device that says of its own sensors that they are in fault, over Modbus."""

from typing import Any

import numpy as np
import pytest

from drivers.modbus.decode import compile_table
from drivers.modbus.settings import ModbusTable
from gateway.model.reading import Quality
from gateway.parts.crane.model.safety_device import MEASURED_BY
from tests.fakes.modbus_binding import point, shipped_table, table

GOOD, SUSPECT, BAD = Quality.GOOD, Quality.SUSPECT, Quality.BAD
WIND_ERROR = point("wind_error", 10, "bit", bit=0)
RANGE_ERROR = point("range_error", 10, "bit", bit=1)


def host(fault: Any = "wind_error", **more: Any) -> ModbusTable:
    measured = point("wind", 0, "int16", fault=fault, sentinels=[0x7FFF], **more)
    return table([measured, point("load", 1, "int16"), WIND_ERROR, RANGE_ERROR])


def read(device_table: ModbusTable, *blocks: list[int] | None) -> tuple[list[float], list[int]]:
    words = [None if block is None else np.array(block, np.uint16) for block in blocks]
    value, quality = compile_table(device_table).decode(words)
    return value.tolist(), quality.tolist()


def test_a_bit_that_is_set_makes_what_it_names_suspect_and_keeps_the_value() -> None:
    assert read(host(), [12, 34], [0b01]) == ([12.0, 34.0, 1.0, 0.0], [SUSPECT, GOOD, GOOD, GOOD])


def test_a_clear_bit_and_another_points_bit_say_nothing() -> None:
    assert read(host(), [12, 34], [0b00])[1] == [GOOD] * 4
    assert read(host(), [12, 34], [0b10])[1] == [GOOD] * 4


def test_a_bit_that_could_not_be_read_casts_no_doubt() -> None:
    assert read(host(), [12, 34], None)[1] == [GOOD, GOOD, BAD, BAD]


def test_a_bit_that_is_no_bit_casts_no_doubt() -> None:
    flag = point("wind_error", 2, "uint16", max=1)
    device_table = table([point("wind", 0, fault="wind_error"), flag])
    assert read(device_table, [0, 0, 1])[1] == [SUSPECT, GOOD]
    assert read(device_table, [0, 0, 2])[1] == [GOOD, BAD]


def test_what_is_bad_stays_bad() -> None:
    assert read(host(), [0x7FFF, 34], [0b01])[1] == [BAD, GOOD, GOOD, GOOD]
    assert read(host(), None, [0b01])[1] == [BAD, BAD, GOOD, GOOD]


@pytest.mark.parametrize(("bits", "expected"), [(0b00, GOOD), (0b01, SUSPECT), (0b10, SUSPECT), (0b11, SUSPECT)])
def test_of_a_list_of_bits_one_is_enough(bits: int, expected: Quality) -> None:
    assert read(host(["wind_error", "range_error"]), [12, 34], [bits])[1] == [expected, GOOD, GOOD, GOOD]


def test_a_flag_that_is_itself_doubted_still_speaks_in_its_own_poll() -> None:
    device_table = table(
        [point("wind", 0, "uint16", fault="a"), point("a", 1, "uint16", fault="b"), point("b", 2, "uint16")]
    )
    assert read(device_table, [5, 1, 1])[1] == [SUSPECT, SUSPECT, GOOD]


@pytest.mark.parametrize("fault", ["nobody", "wind", ["wind_error", "nobody"]])
def test_a_fault_that_leads_nowhere_is_refused(fault: Any) -> None:
    with pytest.raises(ValueError, match="no other point of this table"):
        host(fault)


@pytest.mark.parametrize("model", ["crane-host-modbus", "crane-host-luffing-modbus"])
def test_the_crane_hosts_name_what_the_crane_model_doubts(model: str) -> None:
    points = {each.key: each for each in shipped_table(model).points}
    expected = {(key, bit) for bit, measured in MEASURED_BY.items() for key in measured if key in points}
    assert {(key, bit) for key, each in points.items() for bit in each.fault} == expected
