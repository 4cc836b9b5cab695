"""Who speaks for a device when two say that they are it; allowances; strangers."""

from drivers.frames.roster import Allowance, Claim, Roster, Strangers

S = 1_000_000_000


def roster() -> Roster:
    return Roster(takeover_s=10, contest_s=60)


def test_the_first_has_the_device_and_keeps_it() -> None:
    one = roster()
    assert one.claim(0, 1, 0) is Claim.HAS
    assert one.heard(0, 1, 0)
    assert one.claim(0, 1, 5 * S) is Claim.HAS
    assert one.holder(0) == 1
    assert not one.contested(0, 5 * S)


def test_a_second_one_takes_over_from_one_that_is_silent_and_nothing_is_in_doubt() -> None:
    one = roster()
    one.claim(0, 1, 0)
    one.heard(0, 1, 0)
    assert one.claim(0, 2, 10 * S) is Claim.TAKES_OVER
    assert one.heard(0, 2, 10 * S)
    assert not one.heard(0, 1, 11 * S)
    assert one.holder(0) == 2
    assert not one.contested(0, 11 * S)


def test_a_second_one_beside_one_that_speaks_is_refused_and_the_values_are_in_doubt() -> None:
    one = roster()
    one.claim(0, 1, 0)
    one.heard(0, 1, 9 * S)
    assert one.claim(0, 2, 10 * S) is Claim.REFUSED
    assert not one.contested(0, 10 * S)
    assert one.heard(0, 1, 11 * S)
    assert one.contested(0, 11 * S)
    assert one.contested(0, 70 * S)
    assert not one.contested(0, 71 * S)


def test_a_unit_that_calls_again_is_let_in_when_its_old_connection_stays_silent() -> None:
    one = roster()
    one.claim(0, 1, 0)
    one.heard(0, 1, 2 * S)
    assert one.claim(0, 2, 6 * S) is Claim.REFUSED
    assert one.claim(0, 3, 12 * S) is Claim.TAKES_OVER
    assert one.heard(0, 3, 12 * S)
    assert not one.contested(0, 12 * S)


def test_too_long_follows_the_rhythm_of_the_device() -> None:
    one = roster()
    one.claim(0, 1, 0)
    for at_s in (0, 20, 40):
        one.heard(0, 1, at_s * S)
    assert one.claim(0, 2, 99 * S) is Claim.REFUSED
    assert one.claim(0, 2, 100 * S) is Claim.TAKES_OVER


def test_frames_that_arrive_together_do_not_hide_the_rhythm() -> None:
    one = roster()
    one.claim(0, 1, 0)
    one.heard(0, 1, 0)
    for n in range(20):
        one.heard(0, 1, 20 * S + n)
    assert one.claim(0, 2, 79 * S) is Claim.REFUSED


def test_a_long_gap_is_forgotten_after_a_while() -> None:
    one = roster()
    one.claim(0, 1, 0)
    for at_s in (0, 100, *range(101, 110)):
        one.heard(0, 1, at_s * S)
    assert one.claim(0, 2, 119 * S) is Claim.TAKES_OVER


def test_doubt_outlasts_the_one_who_raised_it() -> None:
    """Whoever has the device next may be the wrong one too."""
    one = roster()
    one.claim(0, 1, 0)
    one.heard(0, 1, 0)
    one.claim(0, 2, 1 * S)
    one.heard(0, 1, 2 * S)
    assert one.leave(0, 1)
    assert one.claim(0, 2, 3 * S) is Claim.HAS
    assert one.contested(0, 3 * S)


def test_one_that_was_taken_over_takes_nothing_with_it_when_it_leaves() -> None:
    one = roster()
    one.claim(0, 1, 0)
    one.claim(0, 2, 10 * S)
    assert not one.leave(0, 1)
    assert one.holder(0) == 2


def test_devices_do_not_know_each_other() -> None:
    one = roster()
    one.claim(0, 1, 0)
    assert one.claim(1, 2, 0) is Claim.HAS
    one.claim(0, 3, 1)
    one.heard(0, 1, 2)
    assert one.contested(0, 3)
    assert not one.contested(1, 3)


def test_an_allowance_lets_a_burst_through_and_then_so_many_a_second() -> None:
    bound = Allowance(rate_per_s=10, burst=20, now_ns=0)
    assert [bound.take(1, 0) for _ in range(21)] == [0.0] * 20 + [0.1]
    assert bound.take(1, 0) == 0.2
    assert bound.take(1, 10 * S) == 0


def test_strangers_are_told_newest_first_and_forgotten_from_the_oldest() -> None:
    seen = Strangers(most=2, shown_s=600)
    assert seen.note("A", "10.0.0.1:1", 0) == 1
    assert seen.note("B", "10.0.0.2:1", S) == 1
    assert seen.note("A", "10.0.0.3:1", 2 * S) == 2
    assert seen.shown(3 * S) == "'A' from 10.0.0.3:1 (frames: 2), 'B' from 10.0.0.2:1 (frames: 1)"
    seen.note("C", "10.0.0.4:1", 4 * S)
    assert "'B'" not in seen.shown(5 * S)
    assert seen.shown(605 * S) == ""
