"""A scan shows what a bus has, whatever it refuses, and never waits twice for a silent unit."""

import numpy as np
import pytest

from drivers.modbus.plan import Request
from drivers.modbus.registers import Words
from drivers.modbus.replies import ExceptionReplyError
from gateway.model.errors import LinkError
from sitewarden.commissioning.scan import UnitFound, number_range, scan


class ScriptedBus:
    """Units by id: the addresses that they have, an exception code for everything, or silence."""

    replies_may_be_late = False
    on_standby = False
    address = "bus"

    def __init__(self, units: dict[int, range | int]) -> None:
        self.units = units
        self.asked: list[tuple[int, Request]] = []

    async def read(self, unit_id: int, request: Request) -> Words:
        self.asked.append((unit_id, request))
        unit = self.units.get(unit_id)
        if unit is None:
            raise LinkError("no reply within 100 ms")
        if isinstance(unit, int):
            raise ExceptionReplyError(f"exception {unit}", unit)
        if request.function != 3:
            raise ExceptionReplyError("exception 1", 1)
        if request.address not in unit or request.end - 1 not in unit:
            raise ExceptionReplyError("exception 2", 2)
        return np.arange(request.address, request.end, dtype=np.uint16)

    def close(self) -> None:
        """Nothing to let go of."""


async def scanned(bus: ScriptedBus, units: range, addresses: range) -> list[UnitFound]:
    return [found async for found in scan(bus, units, addresses)]


async def test_words_are_found_inside_a_range_that_is_refused_as_a_whole() -> None:
    (found,) = await scanned(ScriptedBus({7: range(10, 14)}), range(7, 8), range(0, 101))
    ((function, first, words),) = found.runs
    assert (function, first, words.tolist()) == (3, 10, [10, 11, 12, 13])
    assert found.lines() == ["unit 7: answers", "  function 3 address    10: 000A 000B 000C 000D"]


async def test_a_silent_unit_costs_one_request() -> None:
    bus = ScriptedBus({2: range(0, 4)})
    first, second = await scanned(bus, range(1, 3), range(0, 4))
    assert [unit for unit, _ in bus.asked].count(1) == 1
    assert not first.answered
    assert second.answered
    assert first.lines() == ["unit 1: silent (no reply within 100 ms)"]


async def test_a_unit_that_is_absent_behind_a_gateway_is_left_alone() -> None:
    bus = ScriptedBus({5: 11})
    (found,) = await scanned(bus, range(5, 6), range(0, 101))
    assert not found.answered
    assert len(bus.asked) == 2


async def test_a_unit_that_refuses_everything_is_not_asked_for_ever() -> None:
    bus = ScriptedBus({5: 4})
    (found,) = await scanned(bus, range(5, 6), range(0, 2000))
    assert found.lines()[0].startswith("unit 5: refuses everything asked for")
    assert len(bus.asked) <= 128


async def test_only_reads_are_sent() -> None:
    bus = ScriptedBus({1: range(0, 300), 2: 4, 3: 2})
    await scanned(bus, range(1, 5), range(0, 300))
    assert {request.function for _, request in bus.asked} <= {3, 4}
    assert max(request.count for _, request in bus.asked) <= 125


@pytest.mark.parametrize(("text", "expected"), [("1-32", range(1, 33)), ("7", range(7, 8)), ("0-0", range(0, 1))])
def test_ranges(text: str, expected: range) -> None:
    assert number_range(text, 0, 255) == expected


@pytest.mark.parametrize("text", ["", "a", "1-", "-3", "5-1", "1-256", "1,2", "１-2"])
def test_ranges_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match="expected"):
        number_range(text, 0, 255)
