"""Coalescing: as few requests as the limits allow."""

import pytest

from drivers.modbus.plan import Request, plan_requests, request_of
from tests.fakes.modbus_binding import float_table, point, shipped_table, table


def test_neighbours_become_one_request() -> None:
    assert plan_requests(float_table(50)) == (Request(3, 0, 100),)


def test_a_request_never_exceeds_the_limit_nor_cuts_a_point() -> None:
    assert plan_requests(float_table(63)) == (Request(3, 0, 124), Request(3, 124, 2))


@pytest.mark.parametrize(
    ("max_gap", "expected"),
    [(2, (Request(3, 0, 2), Request(3, 5, 2))), (3, (Request(3, 0, 7),))],
)
def test_gaps_are_read_over_up_to_the_limit(max_gap: int, expected: tuple[Request, ...]) -> None:
    assert plan_requests(table([point("b", 5), point("a", 0)], max_gap=max_gap)) == expected


def test_functions_are_never_mixed() -> None:
    points = [point("w", 1, "uint16", 3), point("i", 0, "uint16", 4), point("c", 0, "bit", 1), point("d", 1, "bit", 2)]
    planned = plan_requests(table(points, max_gap=10))
    assert planned == (Request(1, 0, 1), Request(2, 1, 1), Request(3, 1, 1), Request(4, 0, 1))


def test_bits_are_limited_to_two_thousand() -> None:
    points = [point("a", 0, "bit", 2), point("b", 1999, "bit", 2), point("c", 2000, "bit", 2)]
    bits = [point(f"x{i}", i * 100, "bit", 2) for i in range(1, 20)]
    assert plan_requests(table(points + bits, max_gap=125)) == (Request(2, 0, 2000), Request(2, 2000, 1))


def test_points_may_overlap() -> None:
    points = [point("flag", 4, "bit", bit=0), point("word", 4, "uint16"), point("pair", 3, "uint32")]
    assert plan_requests(table(points)) == (Request(3, 3, 2),)


def test_the_pit_logger_is_one_request() -> None:
    assert plan_requests(shipped_table("pit-logger-modbus")) == (Request(3, 0, 25),)


def test_a_stranger_has_no_request() -> None:
    requests = plan_requests(float_table(2))
    with pytest.raises(StopIteration):
        request_of(requests, table([point("p", 50)]).points[0])
