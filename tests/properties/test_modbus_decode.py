"""For every table and every content: decode undoes encode, plans are sound and minimal, garbage never gets through."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.modbus.decode import compile_table
from drivers.modbus.encode import encode_point, encode_table
from drivers.modbus.plan import Request, plan_requests
from drivers.modbus.registers import RegisterType, Words
from drivers.modbus.settings import ModbusTable
from drivers.numbers.types import ByteOrder
from gateway.model.reading import Quality
from tests.fakes.modbus_binding import point, table

WORDS_TYPES = [type_ for type_ in RegisterType if not type_.is_field]
EVERY_TYPE_AND_ORDER = [(type_, order) for type_ in WORDS_TYPES for order in ByteOrder]


def raw_values(type_: RegisterType) -> st.SearchStrategy[float]:
    if type_.is_float:
        return st.floats(width=16 * type_.words, allow_nan=False, allow_infinity=False)  # type: ignore[arg-type]
    low, high = type_.bounds
    return st.integers(max(int(low), -(2**53)), min(int(high), 2**53)).map(float)


@st.composite
def table_points(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Points of every kind, in any order of addresses, with gaps, over all four functions."""
    points: list[dict[str, Any]] = []
    for function in (1, 2, 3, 4):
        address = draw(st.integers(0, 20))
        for i in range(draw(st.integers(0, 6))):
            key = f"f{function}_{i}"
            if function < 3:
                points.append(point(key, address, "bit", function))
                address += 1
            else:
                type_ = draw(st.sampled_from(list(RegisterType)))
                more: dict[str, Any] = {"order": draw(st.sampled_from(list(ByteOrder))).value}
                if type_ is RegisterType.BIT:
                    more["bit"] = draw(st.integers(0, 15))
                if type_ is RegisterType.BITS:
                    more["bit"] = draw(st.integers(0, 12))
                    more["bit_count"] = draw(st.integers(1, 16 - more["bit"]))
                points.append(point(key, address, type_.value, function, **more))
                address += type_.words
            address += draw(st.integers(0, 12))
    return draw(st.permutations(points))


@st.composite
def tables(draw: st.DrawFn) -> ModbusTable:
    points = draw(table_points().filter(bool))
    return table(points, max_gap=draw(st.integers(0, 10)), max_registers=draw(st.integers(4, 20)))


def replies(device_table: ModbusTable, values: dict[str, float]) -> list[Words]:
    image = encode_table(device_table, values)
    return [
        np.array([image[r.function].get(a, 0xDEAD) for a in range(r.address, r.end)], dtype=np.uint16)
        for r in plan_requests(device_table)
    ]


@pytest.mark.parametrize(("type_", "order"), EVERY_TYPE_AND_ORDER)
@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_decode_undoes_encode_for_every_type_and_order(
    type_: RegisterType, order: ByteOrder, data: st.DataObject
) -> None:
    value = data.draw(raw_values(type_).filter(lambda raw: abs(raw) <= 1.79e308))
    device_table = table([point("p", 7, type_.value, order=order.value, min=-1.79e308, max=1.79e308)])
    words = encode_point(device_table, device_table.points[0], value)
    decoded, quality = compile_table(device_table).decode([words])
    assert decoded.tolist() == [value]
    assert quality.tolist() == [Quality.GOOD]


@given(device_table=tables(), data=st.data())
@settings(max_examples=150, deadline=None)
def test_decode_undoes_encode_for_whole_tables(device_table: ModbusTable, data: st.DataObject) -> None:
    values = {}
    for p in device_table.points:
        low, high = p.raw_bounds
        in_range = st.integers(int(low), int(high)).map(float) if p.type.is_field else raw_values(p.type)
        values[p.key] = data.draw(in_range.filter(lambda value: abs(value) <= 1e300))
    value, quality = compile_table(device_table).decode(replies(device_table, values))
    assert value.tolist() == [values[p.key] for p in device_table.points]
    assert not quality.any()


@given(device_table=tables(), data=st.data())
@settings(max_examples=150, deadline=None)
def test_no_content_gets_through_as_a_wrong_number(device_table: ModbusTable, data: st.DataObject) -> None:
    decoder = compile_table(device_table)
    seed = data.draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    blocks = [
        random.integers(0, 2 if request.function < 3 else 65536, request.count).astype(np.uint16)
        for request in decoder.requests
    ]
    value, quality = decoder.decode(blocks)
    assert set(quality.tolist()) <= {Quality.GOOD, Quality.BAD}
    assert np.array_equal(np.isnan(value), quality == Quality.BAD)
    assert not np.isinf(value).any()


@given(device_table=tables(), data=st.data())
@settings(max_examples=100, deadline=None)
def test_a_failed_block_spoils_exactly_its_points(device_table: ModbusTable, data: st.DataObject) -> None:
    decoder = compile_table(device_table)
    fails = data.draw(st.lists(st.booleans(), min_size=len(decoder.requests), max_size=len(decoder.requests)))
    blocks = [None if fail else block for fail, block in zip(fails, replies(device_table, {}), strict=True)]
    _, quality = decoder.decode(blocks)
    for p, q in zip(device_table.points, quality, strict=True):
        owners = [fail for fail, request in zip(fails, decoder.requests, strict=True) if request.covers(p)]
        assert (q == Quality.BAD) == owners[0]


@given(device_table=tables())
@settings(max_examples=200, deadline=None)
def test_plans_are_sound_and_minimal(device_table: ModbusTable) -> None:
    requests = plan_requests(device_table)
    for p in device_table.points:
        assert sum(request.covers(p) for request in requests) == 1
    for request in requests:
        assert request.count <= device_table.max_registers * (16 if request.function < 3 else 1)
        assert _largest_gap(device_table, request) <= device_table.max_gap
    assert len(requests) == sum(_fewest(device_table, function) for function in (1, 2, 3, 4))


def _largest_gap(device_table: ModbusTable, request: Request) -> int:
    used = sorted(
        address
        for p in device_table.points
        if request.covers(p)
        for address in range(p.address, p.address + p.type.words)
    )
    return max((later - earlier - 1 for earlier, later in pairwise(used)), default=0)


def _fewest(device_table: ModbusTable, function: int) -> int:
    """The least number of runs of neighbouring points, by trying every way to cut them (points do not overlap)."""
    spans = sorted((p.address, p.address + p.type.words) for p in device_table.points if p.function == function)
    limit = device_table.max_registers * (16 if function < 3 else 1)
    best = [0] + [len(spans)] * len(spans)
    for end in range(1, len(spans) + 1):
        for start in range(end):
            run = spans[start:end]
            gaps = [after[0] - before[1] for before, after in pairwise(run)]
            if run[-1][1] - run[0][0] <= limit and all(gap <= device_table.max_gap for gap in gaps):
                best[end] = min(best[end], best[start] + 1)
    return best[-1]
