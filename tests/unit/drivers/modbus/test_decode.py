"""Decoding against words worked out by hand, and every way in which a value can be BAD."""

import math
import struct

import numpy as np
import pytest

from drivers.modbus.decode import compile_table
from drivers.modbus.registers import Words
from drivers.modbus.settings import ModbusTable
from gateway.model.errors import DecodeError
from gateway.model.reading import Quality
from tests.fakes.modbus_binding import float_table, point, table

# 123.456 in float32 is 0x42F6E979 (IEEE 754 calculator); 0x11223344 and 0x1122334455667788 name their bytes.
GOLDEN = [
    ("float32", "ABCD", [0x42F6, 0xE979], 123.45600128173828),
    ("float32", "CDAB", [0xE979, 0x42F6], 123.45600128173828),
    ("float32", "BADC", [0xF642, 0x79E9], 123.45600128173828),
    ("float32", "DCBA", [0x79E9, 0xF642], 123.45600128173828),
    ("uint32", "ABCD", [0x1122, 0x3344], 0x11223344),
    ("uint32", "CDAB", [0x3344, 0x1122], 0x11223344),
    ("uint32", "BADC", [0x2211, 0x4433], 0x11223344),
    ("uint32", "DCBA", [0x4433, 0x2211], 0x11223344),
    ("int32", "CDAB", [0xFFFE, 0xFFFF], -2),
    ("uint16", "ABCD", [0x1122], 0x1122),
    ("uint16", "CDAB", [0x1122], 0x1122),
    ("uint16", "BADC", [0x2211], 0x1122),
    ("uint16", "DCBA", [0x2211], 0x1122),
    ("int16", "ABCD", [0x8000], -32768),
    ("float16", "ABCD", [0x3E00], 1.5),
    ("float16", "BADC", [0x003E], 1.5),
    ("float64", "ABCD", [0x3FF8, 0, 0, 0], 1.5),
    ("float64", "CDAB", [0, 0, 0, 0x3FF8], 1.5),
    ("float64", "DCBA", [0, 0, 0, 0xF83F], 1.5),
    ("int64", "ABCD", [0x0000, 0x2233, 0x4455, 0x6677], 0x223344556677),
    ("int64", "CDAB", [0x6677, 0x4455, 0x2233, 0x0000], 0x223344556677),
    ("int64", "BADC", [0x0000, 0x3322, 0x5544, 0x7766], 0x223344556677),
    ("uint64", "DCBA", [0x7766, 0x5544, 0x3322, 0x0000], 0x223344556677),
    ("bcd16", "ABCD", [0x9876], 9876),
    ("bcd32", "ABCD", [0x1234, 0x5678], 12345678),
    ("bcd32", "CDAB", [0x5678, 0x1234], 12345678),
]


def words(*values: int) -> Words:
    return np.array(values, dtype=np.uint16)


def decode(device_table: ModbusTable, *blocks: Words | None) -> tuple[list[float], list[int]]:
    value, quality = compile_table(device_table).decode(blocks)
    return value.tolist(), quality.tolist()


@pytest.mark.parametrize("order", ["ABCD", "CDAB", "BADC", "DCBA"])
def test_a_coil_is_read_whatever_the_order_of_the_tables_registers(order: str) -> None:
    device_table = table([point("fault", 3, "bit", 1), point("wind", 0, "uint16")], order=order)
    value, quality = decode(device_table, words(1), words(0))
    assert (value[0], quality[0]) == (1.0, Quality.GOOD)


@pytest.mark.parametrize(("type_", "order", "wire", "expected"), GOLDEN)
def test_known_words_give_known_values(type_: str, order: str, wire: list[int], expected: float) -> None:
    by_point = table([point("p", 100, type_, order=order)])
    by_table = table([point("p", 100, type_)], order=order)
    assert decode(by_point, words(*wire)) == ([expected], [Quality.GOOD])
    assert decode(by_table, words(*wire)) == ([expected], [Quality.GOOD])


def test_mixed_types_and_orders_come_back_in_table_order() -> None:
    device_table = table(
        [
            point("low_word_first", 4, "int32", order="CDAB", scale=0.1),
            point("plain", 0, "float32"),
            point("swapped", 2, "uint16", order="BADC"),
            point("flag", 3, "bit", bit=15),
            point("nibble", 3, "bits", bit=4, bit_count=4),
            point("swapped_flag", 3, "bit", bit=7, order="BADC"),
        ]
    )
    block = words(0x42F6, 0xE979, 0x2211, 0x80A0, 0xFF9C, 0xFFFF)
    value, quality = decode(device_table, block)
    assert value == pytest.approx([-10.0, 123.456, 0x1122, 1, 10, 1], rel=1e-6)
    assert quality == [Quality.GOOD] * 6


def test_coils_and_registers_of_one_table_decode_together() -> None:
    device_table = table([point("coil", 10, "bit", 1), point("input", 3, "bit", 2), point("level", 0, "int16", 4)])
    assert decode(device_table, words(1), words(0), words(0xFFFF)) == ([1, 0, -1], [Quality.GOOD] * 3)


@pytest.mark.parametrize("pattern", [0x7FC00000, 0xFFC00001, 0x7F800000, 0xFF800000])
def test_nan_and_infinity_are_bad(pattern: int) -> None:
    device_table = table([point("a", 0), point("b", 2)])
    value, quality = decode(device_table, words(pattern >> 16, pattern & 0xFFFF, 0x3F80, 0))
    assert math.isnan(value[0])
    assert value[1] == 1.0
    assert quality == [Quality.BAD, Quality.GOOD]


@pytest.mark.parametrize(
    ("type_", "wire"),
    [("float16", [0x7D01]), ("float32", [0x7FA0, 1]), ("float64", [0x7FF4, 0, 0, 1]), ("float64", [0x7FEF, 0, 0, 0])],
)
def test_signalling_nan_and_overflow_are_bad_without_a_warning(type_: str, wire: list[int]) -> None:
    device_table = table([point("p", 0, type_, scale=100, offset=1, max=1.797e308)])
    assert decode(device_table, words(*wire))[1] == [Quality.BAD]


@pytest.mark.parametrize(
    ("type_", "sentinel", "wire"),
    [
        ("int16", 32767, [0x7FFF]),
        ("int16", -32768, [0x8000]),
        ("int16", 0x8000, [0x8000]),
        ("uint16", 9999, [0x270F]),
        ("int32", 0x80000000, [0x8000, 0x0000]),
        ("float32", -999.9, list(struct.unpack(">HH", struct.pack(">f", -999.9)))),
        ("uint64", 2**64 - 1, [0xFFFF] * 4),
    ],
)
def test_sentinels_are_raw_values(type_: str, sentinel: float, wire: list[int]) -> None:
    device_table = table([point("p", 0, type_, sentinels=[1, sentinel], scale=0.1, offset=5)])
    value, quality = decode(device_table, words(*wire))
    assert math.isnan(value[0])
    assert quality == [Quality.BAD]


def test_what_scales_to_the_sentinel_is_still_a_value() -> None:
    device_table = table([point("p", 0, "int16", scale=0.1, sentinels=[100])])
    assert decode(device_table, words(1000)) == ([100.0], [Quality.GOOD])


@pytest.mark.parametrize(("raw", "quality"), [(-101, 2), (-100, 0), (0, 0), (300, 0), (301, 2)])
def test_outside_the_instruments_range_is_bad(raw: int, quality: int) -> None:
    device_table = table([point("p", 0, "int16", scale=0.1, min=-10, max=30)])
    assert decode(device_table, words(raw & 0xFFFF))[1] == [quality]


def test_a_value_at_its_limit_is_not_lost_to_rounding() -> None:
    device_table = table([point("p", 0, max=0.1), point("q", 2, "uint16", scale=0.1, max=0.3)])
    above = struct.unpack(">f", struct.pack(">f", 0.1))[0]
    assert above > 0.1
    assert 3 * 0.1 > 0.3
    wire = words(*struct.unpack(">HH", struct.pack(">f", 0.1)), 3)
    assert decode(device_table, wire)[1] == [Quality.GOOD, Quality.GOOD]


@pytest.mark.parametrize("wire", [0x000A, 0xF000, 0x1B34])
def test_a_bcd_digit_above_nine_is_bad(wire: int) -> None:
    assert decode(table([point("p", 0, "bcd16")]), words(wire))[1] == [Quality.BAD]


def test_64_bit_integers_lose_only_their_lowest_bits() -> None:
    device_table = table([point("p", 0, "uint64")])
    value, quality = decode(device_table, words(0x0020, 0, 0, 1))
    assert quality == [Quality.GOOD]
    assert value == [2.0**53]


def test_a_failed_block_makes_its_points_bad_only() -> None:
    device_table = table([point("far", 100, "uint16"), point("near", 0, "uint16")])
    value, quality = decode(device_table, words(7), None)
    assert quality == [Quality.BAD, Quality.GOOD]
    assert math.isnan(value[0])
    assert value[1] == 7


@pytest.mark.parametrize("length", [0, 99, 101])
def test_a_block_of_the_wrong_length_is_refused(length: int) -> None:
    decoder = compile_table(float_table())
    with pytest.raises(DecodeError, match=f"{length} words at address 0, expected 100"):
        decoder.decode([np.zeros(length, dtype=np.uint16)])


def test_a_missing_block_is_refused() -> None:
    with pytest.raises(DecodeError, match="0 blocks for 1 requests"):
        compile_table(float_table()).decode([])


def test_decoding_leaves_the_raw_words_alone() -> None:
    device_table = table([point("p", 0, "uint16", order="BADC")])
    block = words(0x1122)
    decode(device_table, block)
    assert block.tolist() == [0x1122]
