from gateway.accounts.throttle import CountsInMemory, Throttle
from screens.guessing import Count, Patience

SECOND_NS = 1_000_000_000
HOUR_NS = 3600 * SECOND_NS


def test_a_wait_ends_to_the_nanosecond() -> None:
    throttle = Throttle(Patience(free=1, longest_s=10))
    throttle.failed("10.0.0.1", 0)
    assert [throttle.wait_s("10.0.0.1", at) for at in (0, SECOND_NS, 2 * SECOND_NS - 1, 2 * SECOND_NS)] == [2, 1, 1, 0]
    assert throttle.wait_s("10.0.0.2", 0) == 0


def test_an_hour_without_failure_forgets() -> None:
    throttle = Throttle(Patience(free=1, longest_s=900))
    for _ in range(6):
        throttle.failed("10.0.0.1", 0)
    throttle.failed("10.0.0.1", HOUR_NS + 1)
    assert throttle.wait_s("10.0.0.1", HOUR_NS + 1) == 2


def test_one_line_of_ipv6_cannot_guess_under_many_addresses() -> None:
    throttle = Throttle(Patience(free=3, longest_s=900))
    for n in range(3):
        throttle.failed(f"2001:db8:0:1::{n}", 0)
    assert throttle.wait_s("2001:db8:0:1::ffff", 0) == 2
    assert throttle.wait_s("2001:db8:0:2::1", 0) == 0


def test_memory_is_bounded_and_a_crowd_of_new_keys_frees_nobody_who_waits() -> None:
    counts = CountsInMemory(most_keys=3)
    counts.put("guessed", Count(9, 0, 900))
    for n in range(10):
        counts.put(f"new-{n}", Count(1, n, n))
    assert counts.get("guessed").failed == 9
    assert [n for n in range(10) if counts.get(f"new-{n}").failed] == [8, 9]
