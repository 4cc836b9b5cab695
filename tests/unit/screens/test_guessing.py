"""Guessers are slowed, and nobody is kept out by them. Time is an argument."""

import heapq
from collections.abc import Iterator

import pytest

from screens.guessing import ELSEWHERE, SECOND_NS, Attempt, Count, Guesses, Pace, Patience, network_of

HOUR_NS = 3600 * SECOND_NS
ADDRESS = Patience(free=40, longest_s=900)
NOW_NS = 1_772_323_200 * SECOND_NS
OWN_SEAT = "address:10.0.0.5"


class InMemory(dict[str, Count]):
    """Counts as a dictionary."""

    def get(self, key: str) -> Count:  # type: ignore[override]
        return super().get(key, Count())

    def put(self, key: str, count: Count) -> None:
        self[key] = count


@pytest.fixture
def guesses() -> Guesses:
    return Guesses(InMemory(), ADDRESS)


def waits(guesses: Guesses, attempt: Attempt, number: int) -> list[int]:
    """The wait after each of so many tries, each made as early as it may be."""
    now_ns, found = NOW_NS, []
    for _ in range(number):
        assert guesses.begin(attempt, now_ns) == 0
        found.append(wait_now(guesses, attempt, now_ns))
        now_ns += found[-1] * SECOND_NS
    return found


def wait_now(guesses: Guesses, attempt: Attempt, now_ns: int) -> int:
    """Asked without making a try of it."""
    wait_s = guesses.begin(attempt, now_ns)
    if not wait_s:
        guesses.not_tried(attempt, now_ns)
    return wait_s


def attack(guesses: Guesses, login: str, addresses: int, from_ns: int, until_ns: int) -> Iterator[int]:
    """A guesser with so many addresses who never asks too early: the time of each guess that was looked at."""
    line = [(from_ns, f"198.51.{n // 250}.{n % 250}") for n in range(addresses)]
    heapq.heapify(line)
    while line[0][0] < until_ns:
        now_ns, address = line[0]
        wait_s = guesses.begin(Attempt(login, address), now_ns)
        heapq.heapreplace(line, (now_ns + max(1, wait_s * SECOND_NS), address))
        if not wait_s:
            yield now_ns


def test_waits_double_up_to_the_longest() -> None:
    patience = Patience(free=3, longest_s=10)
    assert [patience.pause_ns(failed) // SECOND_NS for failed in range(9)] == [0, 0, 0, 2, 4, 8, 10, 10, 10]
    assert patience.pause_ns(10_000) == 10 * SECOND_NS


def test_a_pace_gives_its_burst_at_once_and_then_one_by_one() -> None:
    pace, due_ns, begins = Pace(burst=3, every_s=2, horizon_s=60), 0, []
    for _ in range(5):
        due_ns, begin_ns = pace.taken(due_ns, NOW_NS)
        begins.append((begin_ns - NOW_NS) // SECOND_NS)
    assert begins == [0, 0, 0, 2, 4]
    assert pace.taken(due_ns, NOW_NS + HOUR_NS)[1] == NOW_NS + HOUR_NS


def test_a_stranger_waits_up_to_a_quarter_of_an_hour_and_a_person_at_their_seat_a_minute(guesses: Guesses) -> None:
    assert waits(guesses, Attempt("li", "203.0.113.7"), 14)[:3] == [0, 0, 2]
    assert max(waits(guesses, Attempt("wang", "203.0.113.8"), 14)) == 900
    assert waits(guesses, Attempt("li", "10.0.0.5", OWN_SEAT), 12) == [0, 0, 0, 0, 2, 4, 8, 16, 32, 60, 60, 60]


def test_many_tries_at_once_count_from_their_beginning(guesses: Guesses) -> None:
    assert [guesses.begin(Attempt("li", "203.0.113.7"), NOW_NS) for _ in range(6)] == [0, 0, 0, 2, 2, 2]


def test_200_addresses_that_guess_for_an_hour_have_few_guesses_and_keep_nobody_out(guesses: Guesses) -> None:
    """The rightful person logs in at once all the time: at their own seat, and at a new one."""
    count = longest_s = 0
    for at_ns in attack(guesses, "li", 200, NOW_NS, NOW_NS + HOUR_NS):
        count += 1
        if count % 50 == 0:
            own, new = Attempt("li", "10.0.0.5", OWN_SEAT), Attempt("li", f"192.0.2.{count // 50}")
            for attempt in (own, new):
                longest_s = max(longest_s, guesses.begin(attempt, at_ns))
                guesses.succeeded(attempt, at_ns)
    assert longest_s == 0
    assert count == 2800
    later = NOW_NS + HOUR_NS
    assert sum(1 for _ in attack(guesses, "li", 200, later, later + HOUR_NS)) <= 1000


def test_however_many_addresses_guess_there_is_a_bound(guesses: Guesses) -> None:
    """The person at their own seat is never slowed; somebody new among 5,000 guessers is told at most a minute."""
    count = longest_s = 0
    for at_ns in attack(guesses, "li", 5000, NOW_NS, NOW_NS + HOUR_NS):
        count += 1
        assert guesses.begin(Attempt("li", "10.0.0.5", OWN_SEAT), at_ns) == 0
        guesses.succeeded(Attempt("li", "10.0.0.5", OWN_SEAT), at_ns)
        longest_s = max(longest_s, wait_now(guesses, Attempt("li", "192.0.2.1"), at_ns))
    assert count <= ELSEWHERE.burst + HOUR_NS // SECOND_NS // ELSEWHERE.every_s + 1 == 3801
    assert longest_s <= ELSEWHERE.horizon_s


def test_a_place_that_was_given_is_kept_for_its_address_and_used_once(guesses: Guesses) -> None:
    for n in range(ELSEWHERE.burst):
        assert guesses.begin(Attempt("li", f"198.51.{n // 250}.{n % 250}"), NOW_NS) == 0
    newcomer = Attempt("li", "192.0.2.1")
    assert guesses.begin(newcomer, NOW_NS) == 2
    others = [guesses.begin(Attempt("li", f"198.18.0.{n}"), NOW_NS) for n in range(40)]
    assert (others[0], others[28], others[29:]) == (4, 60, [60] * 11)
    assert guesses.begin(newcomer, NOW_NS + 1) == 2
    assert guesses.begin(newcomer, NOW_NS + 2 * SECOND_NS) == 0
    assert guesses.begin(newcomer, NOW_NS + 2 * SECOND_NS) == 60, "used once"
    assert guesses.begin(Attempt("wang", "192.0.2.1"), NOW_NS + 2 * SECOND_NS) == 0, "another login is not slowed"


def test_guesses_at_many_names_from_one_address_wait(guesses: Guesses) -> None:
    found = [guesses.begin(Attempt(f"name-{n}", "203.0.113.7"), NOW_NS) for n in range(42)]
    assert found == [0] * 40 + [2, 2]
    assert guesses.begin(Attempt("li", "203.0.113.7", "browser:of li"), NOW_NS) == 0


def test_one_account_does_not_pay_for_guesses_at_others(guesses: Guesses) -> None:
    for n in range(39):
        guesses.begin(Attempt(f"name-{n}", "203.0.113.7"), NOW_NS)
        own = Attempt("mine", "203.0.113.7")
        guesses.begin(own, NOW_NS)
        guesses.succeeded(own, NOW_NS)
    assert guesses.begin(Attempt("name-40", "203.0.113.7"), NOW_NS) == 0
    assert guesses.begin(Attempt("name-41", "203.0.113.7"), NOW_NS) > 0


def test_an_hour_without_a_failure_forgets(guesses: Guesses) -> None:
    stranger = Attempt("li", "203.0.113.7")
    waits(guesses, stranger, 8)
    assert guesses.begin(stranger, NOW_NS + 3 * HOUR_NS) == 0
    assert guesses.begin(stranger, NOW_NS + 3 * HOUR_NS) == 0


def test_a_try_that_nobody_looked_at_does_not_count(guesses: Guesses) -> None:
    stranger = Attempt("li", "203.0.113.7")
    for _ in range(100):
        assert guesses.begin(stranger, NOW_NS) == 0
        guesses.not_tried(stranger, NOW_NS)


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::ffff", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_one_line_of_ipv6_is_one_network(address: str, network: str) -> None:
    assert network_of(address) == network
