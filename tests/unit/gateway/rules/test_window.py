import numpy as np
import pytest

from gateway.model.reading import Quality, Readings
from gateway.rules.window import LATE_AFTER_NS, Window
from tests.fakes.site import NOW_NS, SECOND_NS, layout, points, poll

LAYOUT = layout()
HOUR_NS = 3600 * SECOND_NS


@pytest.fixture
def window() -> Window:
    return Window(points(), 0, depth=3)


def test_before_the_first_sample_everything_is_bad_and_never_seen(window: Window) -> None:
    assert np.isnan(window.value).all()
    assert (window.quality == Quality.BAD).all()
    assert list(window.observed_at_ns) == [0, 0, 0, 0]


def test_the_last_values_and_the_last_polls_are_remembered_within_bounds(window: Window) -> None:
    for n in range(5):
        assert window.remember(poll(LAYOUT, float(n), NOW_NS + n), mono_ns=n)
    assert list(window.value) == [4.0] * 4
    assert [float(seen.value[0]) for seen in window.recent("host-1")] == [2.0, 3.0, 4.0]
    assert window.recent("nobody") == ()


def test_a_sample_that_was_overtaken_is_late_and_changes_nothing(window: Window) -> None:
    window.remember(poll(LAYOUT, 1.0, NOW_NS), mono_ns=1)
    late = poll(LAYOUT, 2.0, NOW_NS - SECOND_NS, received_at_ns=NOW_NS - SECOND_NS + LATE_AFTER_NS + 1)
    assert not window.remember(late, mono_ns=2)
    assert list(window.value) == [1.0] * 4
    assert list(window.good_mono_ns) == [1] * 4
    assert len(window.recent("host-1")) == 1


def test_a_sample_that_was_overtaken_within_seconds_is_news(window: Window) -> None:
    window.remember(poll(LAYOUT, 1.0, NOW_NS), mono_ns=1)
    just = poll(LAYOUT, 2.0, NOW_NS - SECOND_NS, received_at_ns=NOW_NS - SECOND_NS + LATE_AFTER_NS)
    assert window.remember(just, mono_ns=2)
    assert list(window.value) == [2.0] * 4


def test_a_box_clock_that_jumps_back_an_hour_does_not_silence_the_site(window: Window) -> None:
    window.remember(poll(LAYOUT, 1.0, NOW_NS), mono_ns=1)
    assert window.remember(poll(LAYOUT, 2.0, NOW_NS - HOUR_NS), mono_ns=2)
    assert list(window.observed_at_ns) == [NOW_NS - HOUR_NS] * 4


def test_a_device_with_a_slow_clock_is_heard_again_after_a_failed_poll(window: Window) -> None:
    slow_ns = NOW_NS - HOUR_NS
    assert window.remember(poll(LAYOUT, 1.0, slow_ns, received_at_ns=NOW_NS), mono_ns=1)
    window.remember(Readings.unreadable("host-1", LAYOUT, NOW_NS + SECOND_NS), mono_ns=2)
    back = poll(LAYOUT, 2.0, slow_ns + 2 * SECOND_NS, received_at_ns=NOW_NS + 2 * SECOND_NS)
    assert window.remember(back, mono_ns=3)
    assert list(window.value) == [2.0] * 4


def test_a_failed_poll_is_seen_but_is_no_usable_value(window: Window) -> None:
    window.remember(poll(LAYOUT, 1.0), mono_ns=SECOND_NS)
    window.remember(Readings.unreadable("host-1", LAYOUT, NOW_NS + SECOND_NS), mono_ns=3 * SECOND_NS)
    assert (window.quality == Quality.BAD).all()
    assert list(window.seen_mono_ns) == [3 * SECOND_NS] * 4
    assert list(window.age_s(3 * SECOND_NS)) == [2.0] * 4
    assert list(window.observed_at_ns) == [NOW_NS] * 4


def test_forgotten_points_are_unknown_until_their_next_sample(window: Window) -> None:
    window.remember(poll(LAYOUT, 1.0), mono_ns=1)
    window.forget(np.array([1, 2], dtype=np.int32))
    assert list(window.quality) == [Quality.GOOD, Quality.BAD, Quality.BAD, Quality.GOOD]
    window.remember(poll(LAYOUT, 1.0, NOW_NS + 1), mono_ns=2)
    assert (window.quality == Quality.GOOD).all()


def test_each_point_grows_stale_by_its_own_time() -> None:
    window = Window(points(2, stale_after_s=2.0), 0)
    window.remember(poll(layout(2), [1.0, 2.0], quality=[Quality.SUSPECT, Quality.BAD]), mono_ns=SECOND_NS)
    assert list(window.stale(2 * SECOND_NS + 1)) == [False, True]
    assert list(window.stale(3 * SECOND_NS + 1)) == [True, True]
