"""How many event streams: the last that fits, the first that does not, and room again when one leaves."""

import pytest

from screens.stream_quota import NOBODY, Room, StreamQuota, Watcher

ROOM = Room(in_all=10, a_login=2, an_address=4)


@pytest.mark.parametrize(
    ("crowd", "fits", "one_more"),
    [
        ([Watcher("li", "a"), Watcher("li", "b")], Watcher("wang", "a"), Watcher("li", "c")),
        ([Watcher(str(number), "a") for number in range(4)], Watcher("5", "b"), Watcher("5", "a")),
        ([Watcher("", "a") for _ in range(4)], Watcher("", "b"), Watcher("", "a")),
        (
            [Watcher("", f"2001:db8::{number}") for number in range(4)],
            Watcher("", "2001:db8:0:1::1"),
            Watcher("", "2001:db8::ffff"),
        ),
        ([NOBODY for _ in range(9)], NOBODY, Watcher("li", "a")),
    ],
    ids=["a login", "an address", "nobody's login is no login", "a line of IPv6", "in all"],
)
def test_the_last_that_fits_enters_and_one_more_does_not(
    crowd: list[Watcher], fits: Watcher, one_more: Watcher
) -> None:
    quota = StreamQuota(ROOM)
    assert all(quota.enter(who) for who in crowd)
    assert quota.refusal(fits) is None
    assert quota.enter(fits)
    refusal = quota.refusal(one_more)
    assert refusal is not None
    assert all(refusal)
    assert not quota.enter(one_more)
    assert quota.open == len(crowd) + 1
    for who in [*crowd, fits]:
        quota.leave(who)
    assert quota.open == 0
    assert quota.enter(one_more)
