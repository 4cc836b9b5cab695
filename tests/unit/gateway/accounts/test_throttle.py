from gateway.accounts.throttle import LoginThrottle, Patience, Throttle

SECOND_NS = 1_000_000_000
HOUR_NS = 3600 * SECOND_NS


def test_waits_grow_twofold_up_to_the_longest() -> None:
    throttle = Throttle(Patience(free=3, first_s=2.0, longest_s=10.0))
    now_ns, waits = 0, []
    for _ in range(8):
        now_ns += throttle.wait_s("a", now_ns) * SECOND_NS
        throttle.begin("a", now_ns)
        waits.append(throttle.wait_s("a", now_ns))
    assert waits == [0, 0, 2, 4, 8, 10, 10, 10]


def test_a_wait_ends_to_the_nanosecond() -> None:
    throttle = Throttle(Patience(free=1, first_s=2.0, longest_s=10.0))
    throttle.begin("a", 0)
    assert [throttle.wait_s("a", at) for at in (0, SECOND_NS, 2 * SECOND_NS - 1, 2 * SECOND_NS)] == [2, 1, 1, 0]


def test_many_tries_at_once_count_from_their_beginning() -> None:
    throttle = LoginThrottle()
    waits = [throttle.begin("li", "10.0.0.1", 0) for _ in range(8)]
    assert waits[:5] == [0] * 5
    assert all(waits[5:])


def test_a_success_clears_the_name_and_not_what_the_address_guessed_elsewhere() -> None:
    throttle = LoginThrottle()
    for n in range(19):
        assert throttle.begin(f"guess-{n}", "10.0.0.1", 0) == 0
    assert throttle.begin("own", "10.0.0.1", 0) == 0
    throttle.succeeded("own", "10.0.0.1")
    assert throttle.begin("guess-20", "10.0.0.1", 0) == 0
    assert throttle.begin("guess-21", "10.0.0.1", 0) > 0
    assert throttle.begin("guess-21", "10.0.0.2", 0) == 0, "another address is not held up"


def test_a_name_is_never_held_up_for_more_than_a_minute() -> None:
    throttle, now_ns, longest = LoginThrottle(), 0, 0
    for n in range(40):
        wait_s = throttle.begin("li", f"10.0.0.{n}", now_ns)
        longest = max(longest, wait_s)
        now_ns += wait_s * SECOND_NS
    assert longest == 60


def test_an_hour_without_failure_forgets() -> None:
    throttle = Throttle(Patience(free=1, first_s=60.0, longest_s=900.0))
    for _ in range(6):
        throttle.begin("a", 0)
    throttle.begin("a", HOUR_NS + 1)
    assert throttle.wait_s("a", HOUR_NS + 1) == 60


def test_memory_is_bounded_and_the_newest_failures_stay() -> None:
    throttle = Throttle(Patience(free=0, first_s=60.0, longest_s=900.0), most_keys=3)
    for n in range(10):
        throttle.begin(f"name-{n}", n)
    assert [n for n in range(10) if throttle.wait_s(f"name-{n}", 10)] == [7, 8, 9]


def test_a_guesser_who_tries_every_second_of_a_day_gets_few_guesses() -> None:
    throttle, one_name, one_address = LoginThrottle(), 0, 0
    for second in range(24 * 3600):
        one_name += throttle.begin("li", f"10.0.{second % 250}.{second // 250 % 250}", second * SECOND_NS) == 0
    throttle = LoginThrottle()
    for second in range(24 * 3600):
        one_address += throttle.begin(f"name-{second}", "10.0.0.1", second * SECOND_NS) == 0
    assert one_name < 1500, "from many addresses at one name: one a minute"
    assert one_address < 130, "from one address at many names: one in a quarter of an hour"
