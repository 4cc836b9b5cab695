"""Searching for refused gaps: every register that exists is read, no request is wasted, the number is bounded."""

import asyncio
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from drivers.modbus.gap_search import SPARE_REQUESTS, pieces_of
from drivers.modbus.plan import Request

widths = st.lists(st.integers(1, 3), min_size=2, max_size=30)
gaps = st.lists(st.integers(1, 4), min_size=30, max_size=30)


def runs_of(sizes: Sequence[int], between: Sequence[int]) -> tuple[Request, ...]:
    runs: list[Request] = []
    address = 0
    for size, gap in zip(sizes, between, strict=False):
        runs.append(Request(3, address, size))
        address += size + gap
    return tuple(runs)


class Device:
    """Refuses what touches a missing address."""

    def __init__(self, missing: set[int]) -> None:
        self.missing = missing
        self.asked: list[Request] = []

    async def answers(self, request: Request) -> bool:
        self.asked.append(request)
        return self.missing.isdisjoint(range(request.address, request.end))


def searched(runs: Sequence[Request], missing: set[int]) -> tuple[tuple[Request, ...], Device]:
    device = Device(missing)
    return asyncio.run(pieces_of(runs, device.answers)), device


@given(widths, gaps, st.data())
def test_every_run_that_exists_is_answered_within_the_bound(
    sizes: list[int], between: list[int], data: st.DataObject
) -> None:
    runs = runs_of(sizes, between)
    missing = data.draw(st.sets(st.integers(0, runs[-1].end - 1), min_size=1))
    pieces, device = searched(runs, missing)
    there = [run for run in runs if missing.isdisjoint(range(run.address, run.end))]
    answered = [piece for piece in pieces if missing.isdisjoint(range(piece.address, piece.end))]
    for run in there:
        assert sum(piece.address <= run.address and run.end <= piece.end for piece in answered) == 1
    assert set(pieces) <= set(device.asked)
    assert len(device.asked) <= len(runs) + SPARE_REQUESTS
    assert [piece for piece in pieces if piece not in answered] == [run for run in runs if run not in there]


@given(widths, gaps, st.data())
def test_one_refused_gap_leaves_two_pieces(sizes: list[int], between: list[int], data: st.DataObject) -> None:
    runs = runs_of(sizes, between)
    cut = data.draw(st.integers(1, len(runs) - 1))
    pieces, device = searched(runs, {runs[cut].address - 1})
    assert [(piece.address, piece.end) for piece in pieces] == [
        (runs[0].address, runs[cut - 1].end),
        (runs[cut].address, runs[-1].end),
    ]
    assert len(device.asked) <= 2 + (len(runs) - 1).bit_length()


def test_a_device_that_refuses_everything_is_asked_a_bounded_number_of_times() -> None:
    runs = runs_of([1] * 60, [1] * 60)
    pieces, device = searched(runs, set(range(200)))
    assert pieces == runs
    assert len(device.asked) == 60 + SPARE_REQUESTS
