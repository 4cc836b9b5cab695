from dataclasses import replace
from math import isnan

import pytest

from gateway.parts.pit.model.baseline import BaselineChange, BaselineKeeper
from gateway.parts.pit.model.description import Baseline, BaselineKind, PitPoint
from gateway.parts.pit.model.instrument import DirectReading
from gateway.parts.pit.model.items import PitItem

INITIAL = Baseline(BaselineKind.INITIAL, 100, "第三方监测", "初始值")
RE_ZERO = Baseline(BaselineKind.RE_ZERO, 200, "测量员", "底板浇筑后重新归零")
REPLACED = Baseline(BaselineKind.REPLACED, 300, "测量员", "传感器损坏，更换", readings=1)


def keeper(*baselines: Baseline, item: PitItem = PitItem.WALL_TOP_HORIZONTAL, sign: int = 1) -> BaselineKeeper:
    return BaselineKeeper(
        "pit-1", PitPoint("zq-1", item, DirectReading("p"), "测点", "point", sign=sign, baselines=baselines)
    )


def read(each: BaselineKeeper, at_ns: int, *measured: float) -> tuple[float, list[BaselineChange]]:
    """Cumulative value of the last reading, and the changes on the way; readings are 1 ns apart."""
    changes = []
    cumulative = float("nan")
    for i, value in enumerate(measured):
        each.begin(at_ns + i)
        change = each.settle(at_ns + i, value)
        changes += [change] if change else []
        cumulative = each.cumulative(value)
    return cumulative, changes


def test_a_movement_without_a_baseline_is_unknown() -> None:
    assert isnan(read(keeper(), 100, 5.0)[0])


def test_a_load_counts_from_the_zero_of_its_sheet() -> None:
    assert read(keeper(item=PitItem.STRUT_FORCE), 100, 850.0)[0] == 850.0


def test_the_zero_survey_is_the_mean_of_its_readings() -> None:
    each = keeper(INITIAL)
    assert isnan(read(each, 100, 10.0, 10.2)[0])
    cumulative, (change,) = read(each, 110, 10.4)
    assert cumulative == pytest.approx(0.2)
    assert isnan(change.shift)
    assert read(each, 120, 13.2)[0] == pytest.approx(3.0)


def test_a_spike_is_no_part_of_the_zero_survey() -> None:
    each = keeper(INITIAL)
    cumulative, changes = read(each, 100, 10.0, 10.2, 60.0, 10.1, 10.0)
    assert isnan(cumulative)
    assert changes == []
    cumulative, (change,) = read(each, 110, 10.2)
    assert change.event.content["new_zero"] == pytest.approx(10.1)
    assert cumulative == pytest.approx(0.1)


def test_readings_before_the_survey_do_not_count_for_it() -> None:
    each = keeper(INITIAL)
    read(each, 90, 99.0, 99.0, 99.0)
    assert read(each, 100, 10.0, 10.0, 10.0)[0] == 0.0


def test_a_given_zero_counts_from_the_first_reading() -> None:
    assert read(keeper(replace(INITIAL, zero=8.0)), 100, 10.0)[0] == 2.0


def test_the_sign_turns_the_instrument() -> None:
    assert read(keeper(replace(INITIAL, zero=8.0), sign=-1), 100, 10.0)[0] == -2.0


def test_a_re_zero_counts_on_from_the_old_zero_until_it_is_complete() -> None:
    each = keeper(replace(INITIAL, zero=0.0), RE_ZERO)
    assert read(each, 100, 30.0)[0] == 30.0
    assert read(each, 200, 31.0, 32.0)[0] == 32.0
    cumulative, (change,) = read(each, 210, 33.0)
    assert cumulative == pytest.approx(1.0)
    assert change.shift == pytest.approx(-32.0)


def test_a_changed_sensor_goes_on_where_the_old_one_stopped() -> None:
    each = keeper(replace(INITIAL, zero=0.0), REPLACED)
    read(each, 100, 30.0)
    each.begin(300)
    assert isnan(each.cumulative(30.0))
    cumulative, (change,) = read(each, 301, 1000.0)
    assert cumulative == 30.0
    assert change.shift == 0.0
    assert read(each, 310, 1002.0)[0] == 32.0


def test_what_moved_while_there_was_no_sensor_can_be_given() -> None:
    each = keeper(replace(INITIAL, zero=0.0), replace(REPLACED, carried=35.0))
    read(each, 100, 30.0)
    assert read(each, 300, 1000.0)[0] == 35.0


def test_a_changed_sensor_at_a_point_that_nobody_knows_stays_unknown() -> None:
    assert isnan(read(keeper(replace(INITIAL, zero=0.0), REPLACED), 400, 1000.0, 1001.0)[0])


def test_a_re_zero_of_a_changed_sensor_in_the_same_moment_is_of_the_new_sensor() -> None:
    each = keeper(replace(INITIAL, zero=0.0), REPLACED, replace(RE_ZERO, at_ns=310))
    read(each, 100, 30.0)
    assert each.begin(320) is BaselineKind.REPLACED
    assert isnan(each.cumulative(30.0))
    assert read(each, 320, 1000.0, 1000.0, 1000.0)[0] == 0.0


def test_every_change_is_recorded_with_who_when_why_old_and_new() -> None:
    each = keeper(replace(INITIAL, zero=0.0), RE_ZERO)
    _, changes = read(each, 100, 30.0)
    _, later = read(each, 200, 31.0, 32.0, 33.0)
    (event,) = [change.event for change in later]
    assert len(changes) == 1
    assert (event.asset, event.kind, event.at_ns) == ("pit-1", "pit_baseline", 202)
    assert event.content == {
        "point": "zq-1",
        "kind": "re_zero",
        "by": "测量员",
        "reason": "底板浇筑后重新归零",
        "since_ns": 200,
        "unit": "mm",
        "old_zero": 0.0,
        "old_carried": 0.0,
        "old_cumulative": 32.0,
        "new_zero": 32.0,
        "new_carried": 0.0,
        "readings": 3,
    }


def test_a_person_orders_a_re_zero() -> None:
    each = keeper(replace(INITIAL, zero=0.0))
    read(each, 100, 30.0)
    assert each.order(replace(RE_ZERO, zero=30.0))
    assert read(each, 200, 31.0)[0] == 1.0


def test_an_order_that_a_later_baseline_has_overtaken_is_refused() -> None:
    each = keeper(replace(INITIAL, zero=0.0), replace(RE_ZERO, zero=1.0))
    read(each, 250, 30.0)
    assert not each.order(replace(RE_ZERO, at_ns=150))


def test_a_restart_does_not_begin_a_known_baseline_again() -> None:
    baselines = (replace(INITIAL, zero=0.0), RE_ZERO)
    each, after = keeper(*baselines), keeper(*baselines)
    read(each, 100, 30.0)
    read(each, 200, 31.0, 32.0)
    after.restore(each.saved())
    assert after.begin(205) is None
    assert read(after, 210, 33.0)[0] == read(each, 210, 33.0)[0] == pytest.approx(1.0)
    assert after.saved() == each.saved()


def test_an_ordered_baseline_outlives_a_restart() -> None:
    each, after = keeper(replace(INITIAL, zero=0.0)), keeper(replace(INITIAL, zero=0.0))
    read(each, 100, 30.0)
    each.order(replace(REPLACED, carried=40.0))
    after.restore(each.saved())
    assert read(after, 300, 5.0)[0] == 40.0


def test_a_corrected_zero_takes_effect_after_a_restart() -> None:
    each, after = keeper(replace(INITIAL, zero=0.0)), keeper(replace(INITIAL, zero=1.5))
    read(each, 100, 30.0)
    after.restore(each.saved())
    cumulative, (change,) = read(after, 200, 31.0)
    assert cumulative == 29.5
    assert (change.event.content["old_zero"], change.event.content["new_zero"]) == (0.0, 1.5)


def test_a_corrected_change_of_sensor_carries_what_was_carried_then() -> None:
    first = replace(INITIAL, zero=0.0)
    each, after = keeper(first, REPLACED), keeper(first, replace(REPLACED, zero=998.0))
    read(each, 100, 30.0)
    read(each, 300, 1000.0, 1005.0)
    after.restore(each.saved())
    cumulative, (change,) = read(after, 310, 1006.0)
    assert cumulative == 38.0
    assert isnan(change.shift)


@pytest.mark.parametrize("saved", [None, [], {"zero": 1.0}])
def test_what_is_no_kept_state_is_refused(saved: object) -> None:
    with pytest.raises(ValueError, match="not the state"):
        keeper().restore(saved)  # type: ignore[arg-type]
