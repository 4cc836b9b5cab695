"""Which units of a bus answer, and with which words. Reads only; one request at a time.

In: a link, units, addresses. Out: one `UnitFound` a unit. A unit that is silent costs one timeout; one that refuses a
range is asked for its halves, down to single addresses, so that the words that it does have are shown.
"""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

import numpy as np

from drivers.modbus.plan import Request
from drivers.modbus.registers import Words
from drivers.modbus.replies import ExceptionReplyError
from drivers.modbus.settings import MAX_REGISTERS
from drivers.modbus.standby import WordSource
from gateway.model.errors import DecodeError, LinkError

FUNCTIONS = (3, 4)
MAX_REFUSALS = 64
"""A unit that refuses so many ranges of a function has none of them."""


@dataclass(frozen=True, slots=True, eq=False)
class UnitFound:
    """What one unit said. `runs` are (function, first address, words); `error` is the last refusal or silence."""

    unit: int
    answered: bool
    runs: tuple[tuple[int, int, Words], ...]
    error: str

    def lines(self) -> list[str]:
        """As text: a line for the unit, a line for every eight words."""
        if not self.answered:
            return [f"unit {self.unit}: silent ({self.error})"]
        if not self.runs:
            return [f"unit {self.unit}: refuses everything asked for ({self.error})"]
        lines = [f"unit {self.unit}: answers"]
        for function, first, words in self.runs:
            for start in range(0, len(words), 8):
                shown = " ".join(f"{int(word):04X}" for word in words[start : start + 8])
                lines.append(f"  function {function} address {first + start:>5}: {shown}")
        return lines


def number_range(text: str, lowest: int, highest: int) -> range:
    """`1-32` or `7` as a range. Raises ValueError saying what was expected."""
    parts = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", text)
    if parts is None:
        raise ValueError(f"found {text!r}, expected N or N-M")
    start, end = int(parts[1]), int(parts[2] or parts[1])
    if not lowest <= start <= end <= highest:
        raise ValueError(f"found {text!r}, expected numbers from {lowest} to {highest}, the smaller one first")
    return range(start, end + 1)


async def scan(link: WordSource, units: Sequence[int], addresses: range) -> AsyncIterator[UnitFound]:
    """Every unit in order, as soon as it is known."""
    for unit in units:
        yield await _scan_unit(link, unit, addresses)


async def _scan_unit(link: WordSource, unit: int, addresses: range) -> UnitFound:
    runs: list[tuple[int, int, Words]] = []
    answered, error = False, ""
    for function in FUNCTIONS:
        waiting = [
            Request(function, start, min(MAX_REGISTERS, addresses.stop - start))
            for start in range(addresses.start, addresses.stop, MAX_REGISTERS)
        ]
        refusals = 0
        while waiting and refusals < MAX_REFUSALS:
            request = waiting.pop(0)
            try:
                runs.append((function, request.address, await link.read(unit, request)))
                answered = True
            except ExceptionReplyError as refusal:
                refusals += 1
                answered, error = answered or not refusal.unit_is_absent, str(refusal)
                waiting = _halves(request) + waiting if refusal.refuses_addresses else waiting
                if refusal.unit_is_absent or refusal.code == 1:  # a missing unit, or a function that it does not have
                    break
            except (LinkError, DecodeError) as silence:
                return UnitFound(unit, answered, tuple(runs), str(silence))
    return UnitFound(unit, answered, tuple(_joined(runs)), error)


def _joined(runs: list[tuple[int, int, Words]]) -> list[tuple[int, int, Words]]:
    """Neighbours that were asked for in parts, as one run."""
    joined: list[tuple[int, int, Words]] = []
    for function, first, words in sorted(runs, key=lambda run: run[:2]):
        if joined and joined[-1][0] == function and joined[-1][1] + len(joined[-1][2]) == first:
            joined[-1] = (function, joined[-1][1], np.concatenate([joined[-1][2], words]))
        else:
            joined.append((function, first, words))
    return joined


def _halves(request: Request) -> list[Request]:
    if request.count == 1:
        return []
    half = request.count // 2
    first = Request(request.function, request.address, half)
    return [first, Request(request.function, first.end, request.count - half)]
