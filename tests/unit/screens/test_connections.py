from dataclasses import dataclass, field

import pytest

from screens.connections import MOST_AT_ONCE, NO_ROOM, TOO_LARGE, TOO_SLOW, Door, Limits, Phase

LIMITS = Limits(in_all=4, an_address=2, header_s=10, header_bytes=100, body_grace_s=20, body_bytes_s=500)


@dataclass(eq=False)
class Caller:
    """A connection whose peer does what the test says."""

    address: str
    phase: Phase = Phase.HEADER
    waited_s: float = 0.0
    received_bytes: int = 0
    is_read: bool = True
    ended: list[int | None] = field(default_factory=list)

    def end(self, status: int | None) -> None:
        self.ended.append(status)


def entered(door: Door, *callers: Caller) -> list[list[int | None]]:
    for caller in callers:
        door.enter(caller)
    return [caller.ended for caller in callers]


def swept(caller: Caller, seconds: float) -> list[int | None]:
    door = Door(LIMITS)
    door.sweep(100.0)
    door.enter(caller)
    door.sweep(100.0 + seconds)
    door.close_slow()
    return caller.ended


@pytest.mark.parametrize(
    ("phase", "received_bytes", "seconds", "ended"),
    [
        (Phase.HEADER, 0, 10.0, []),
        (Phase.HEADER, 0, 10.1, [None]),
        (Phase.HEADER, 3, 10.1, [TOO_SLOW]),
        (Phase.REST, 3, 10.0, []),
        (Phase.REST, 3, 10.1, [TOO_SLOW]),
        (Phase.BODY, 0, 20.0, []),
        (Phase.BODY, 0, 20.1, [None]),
        (Phase.BODY, 5_000, 30.0, []),
        (Phase.BODY, 5_000, 30.1, [TOO_SLOW]),
        (Phase.IDLE, 0, 1e6, []),
        (Phase.RUNNING, 0, 1e6, []),
    ],
)
def test_only_a_request_that_does_not_end_is_cut(
    phase: Phase, received_bytes: int, seconds: float, ended: list[int | None]
) -> None:
    assert swept(Caller("a", phase, received_bytes=received_bytes), seconds) == ended


def test_many_slow_ones_are_closed_a_few_at_a_time() -> None:
    door, callers = Door(Limits(1_000, 1_000)), [Caller("a") for _ in range(MOST_AT_ONCE + 1)]
    door.sweep(0.0)
    entered(door, *callers)
    door.sweep(11.0)
    callers[0].phase = Phase.RUNNING
    open_after = []
    for _ in range(2):
        door.close_slow()
        open_after.append(door.open)
    assert open_after == [2, 1], "the first has asked meanwhile, and stays"


def test_time_in_which_we_do_not_read_is_not_the_peers() -> None:
    assert swept(Caller("a", Phase.BODY, is_read=False), 1e6) == []


@pytest.mark.parametrize(
    ("phase", "size", "ended"),
    [(Phase.HEADER, 100, []), (Phase.HEADER, 101, [TOO_LARGE]), (Phase.BODY, 10**9, []), (Phase.REST, 10**9, [])],
)
def test_a_header_has_a_measure(phase: Phase, size: int, ended: list[int | None]) -> None:
    door, caller = Door(LIMITS), Caller("a", phase, received_bytes=size)
    door.enter(caller)
    door.measure(caller)
    assert caller.ended == ended
    assert door.open == 1 - len(ended)


def test_when_all_have_a_request_one_more_is_refused_and_those_that_are_in_stay() -> None:
    door = Door(LIMITS)
    inside = [Caller(name, phase) for name, phase in zip("abcd", [Phase.RUNNING, Phase.BODY] * 2, strict=True)]
    assert entered(door, *inside, Caller("e")) == [[], [], [], [], [NO_ROOM]]
    assert door.open == 4
    door.leave(inside[0])
    assert entered(door, Caller("e")) == [[]]


def test_the_oldest_idle_one_gives_way_before_one_that_is_only_to_ask() -> None:
    door = Door(LIMITS)
    inside = [Caller("a"), Caller("b", Phase.RUNNING), Caller("c", Phase.IDLE), Caller("d", Phase.IDLE)]
    entered(door, *inside)
    order = []
    for name in "efgh":
        entered(door, Caller(name, Phase.RUNNING))
        order.append([caller.address for caller in inside if caller.ended])
    assert order == [["c"], ["c", "d"], ["a", "c", "d"], ["a", "c", "d"]]
    assert door.open == 4


def test_an_address_has_its_share_and_makes_room_among_its_own() -> None:
    door = Door(LIMITS)
    other, old, new = Caller("b", Phase.IDLE), Caller("a", Phase.RUNNING), Caller("a", Phase.IDLE)
    assert entered(door, other, old, new, Caller("a", Phase.RUNNING)) == [[], [], [None], []]
    assert entered(door, Caller("a")) == [[NO_ROOM]]
    assert entered(door, Caller("c")) == [[]]
    assert other.ended == []


def test_the_addresses_of_one_line_share_what_an_address_has() -> None:
    """IPv6 gives a line 2^64 addresses."""
    door, stranger = Door(LIMITS), Caller("2001:db8:0:1::1")
    first, second, third = (Caller(f"2001:db8::{last}") for last in (1, 2, 3))
    assert entered(door, first, second, stranger, third) == [[None], [], [], []]
    for each in (second, third, stranger):
        door.leave(each)
    assert entered(door, *(Caller("2001:db8::9") for _ in range(2))) == [[], []]


def test_a_proxy_may_have_all() -> None:
    door = Door(LIMITS, lambda address: address == "proxy")
    inside = [Caller("proxy", Phase.RUNNING) for _ in range(5)]
    assert entered(door, *inside) == [[], [], [], [], [NO_ROOM]]


def test_one_that_gave_way_is_not_counted_twice() -> None:
    door = Door(Limits(in_all=1, an_address=1))
    first, second = Caller("a"), Caller("a")
    entered(door, first, second)
    door.leave(first)
    assert (first.ended, door.open) == ([None], 1)
    door.leave(second)
    assert door.open == 0
