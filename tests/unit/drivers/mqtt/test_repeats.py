from drivers.mqtt.repeats import MOST_KEPT, Repeats

SECOND_NS = 1_000_000_000


def test_what_is_the_same_is_heard_once_within_the_time() -> None:
    repeats = Repeats(600)
    assert not repeats.heard(b"a", 0)
    assert repeats.heard(b"a", 599 * SECOND_NS)
    assert not repeats.heard(b"b", 599 * SECOND_NS)


def test_the_time_counts_from_the_first_so_that_a_counter_at_rest_does_not_silence_a_device() -> None:
    repeats = Repeats(600)
    heard = [repeats.heard(b"a", second * SECOND_NS) for second in range(0, 1801, 300)]
    assert heard == [False, True, False, True, False, True, False]


def test_what_was_not_kept_is_new_when_it_comes_again() -> None:
    repeats = Repeats(600)
    repeats.heard(b"a", 0)
    repeats.forget(b"a")
    repeats.forget(b"never heard")
    assert not repeats.heard(b"a", SECOND_NS)


def test_a_clock_that_was_set_back_makes_nothing_a_repeat() -> None:
    repeats = Repeats(600)
    repeats.heard(b"a", 10_000 * SECOND_NS)
    assert not repeats.heard(b"a", 0)
    assert repeats.heard(b"a", SECOND_NS)


def test_no_more_is_kept_than_the_bound_and_the_oldest_goes_first() -> None:
    repeats = Repeats(86_400)
    for i in range(MOST_KEPT + 1):
        assert not repeats.heard(str(i).encode(), i)
    assert repeats.heard(b"1", MOST_KEPT)
    assert not repeats.heard(b"0", MOST_KEPT)
