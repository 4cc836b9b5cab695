"""Working cycles: when they begin and end, what their records hold, what becomes of holes and restarts."""

import json
from math import nan

import pytest

from gateway.parts.crane.model.cycle_record import DOCKING_NAMES, CycleSample, FinishedCycle
from gateway.parts.crane.model.cycles import Phase, WorkingCycles
from gateway.parts.crane.model.parameters import CycleMarks, LoadParameters
from tests.fakes.tower_crane import START_NS, Bench, tuned

S = 1_000_000_000
CALM = CycleSample(
    load_t=2.0,
    rated_t=4.0,
    moment_pct=50.0,
    radius_m=20.0,
    hook_m=10.0,
    slew_deg=90.0,
    luff_deg=nan,
    wind_3s_ms=5.0,
    tilt_permille=2.0,
    hook_top_clearance_m=38.0,
    radius_out_margin_m=30.0,
    radius_in_margin_m=18.0,
    slew_left_margin_deg=300.0,
    slew_right_margin_deg=300.0,
    environment=0.0,
    multi_crane=0.0,
    driver_no=7.0,
)


class Feed:
    """Steps of one crane's cycles; time is in seconds."""

    def __init__(self) -> None:
        self.cycles = WorkingCycles(LoadParameters(), CycleMarks())
        self.finished: list[FinishedCycle] = []

    def step(self, t_s: float, loaded: bool | None, **changes: float) -> None:
        t_ns = round(t_s * S)
        done = self.cycles.step(t_ns, START_NS + t_ns, loaded, CALM._replace(**changes))
        if done is not None:
            self.finished.append(done)

    def run(self, from_s: float, to_s: float, loaded: bool | None, **changes: float) -> None:
        for tenth in range(round(from_s * 10), round(to_s * 10)):
            self.step(tenth / 10, loaded, **changes)

    def restart(self) -> None:
        kept = json.loads(json.dumps(self.cycles.saved()))
        self.cycles = WorkingCycles(LoadParameters(), CycleMarks())
        self.cycles.restore(kept)


def test_a_load_held_three_seconds_is_a_cycle_from_its_first_to_its_last_moment() -> None:
    feed = Feed()
    feed.run(0, 1, False)
    feed.run(1, 61, True)
    feed.run(61, 70, False)
    (done,) = feed.finished
    assert (done.start_ns, done.end_ns) == (START_NS + S, START_NS + 61 * S)
    assert done.content["end_seen"] is True
    assert done.content["missing_s"] == 0
    assert done.content["not_always_known"] == []


@pytest.mark.parametrize(("held_s", "count"), [(2.9, 0), (3.0, 0), (3.1, 1), (4.0, 1)])
def test_a_shorter_touch_is_none(held_s: float, count: int) -> None:
    """The last loaded sample of 3.1 s at 10 Hz is 3.0 s after the first."""
    feed = Feed()
    feed.run(0, held_s, True)
    feed.run(held_s, held_s + 5, False)
    assert len(feed.finished) == count


def test_a_load_that_bounces_on_the_ground_is_one_cycle() -> None:
    feed = Feed()
    feed.run(0, 20, True)
    feed.run(20, 20.8, False)
    feed.run(20.8, 40, True)
    feed.run(40, 45, False)
    (done,) = feed.finished
    assert done.end_ns == START_NS + 40 * S


def test_the_record_has_every_field_of_the_docking_practice() -> None:
    feed = Feed()
    feed.step(0, True, hook_m=5.0, slew_deg=350.0, luff_deg=60.0)
    feed.step(2, True, hook_m=30.0, moment_pct=96.0, radius_m=30.0, load_t=2.4, rated_t=2.5, wind_3s_ms=11.0)
    feed.step(4, True, hook_m=20.0, moment_pct=80.0, multi_crane=1.0, radius_out_margin_m=-0.1)
    feed.step(6, False, hook_m=3.0, slew_deg=10.0, radius_m=25.0, luff_deg=55.0)
    feed.step(8, False)
    content = feed.finished[0].content
    assert {ours for ours, _ in DOCKING_NAMES} <= content.keys()
    assert content["load_t"] == 2.4
    assert content["max_moment_pct"] == 96.0
    assert content["max_moment_t_m"] == pytest.approx(72.0)
    assert (content["max_moment_radius_m"], content["max_moment_rated_t"]) == (30.0, 2.5)
    assert (content["max_wind_ms"], content["wind_level"]) == (11.0, 2)
    assert (content["wind_prealarm"], content["wind_alarm"]) == (True, False)
    assert content["height_change_m"] == 25.0
    assert (content["start_slew_deg"], content["end_slew_deg"]) == (350.0, 10.0)
    assert (content["start_hook_m"], content["end_hook_m"]) == (5.0, 3.0)
    assert (content["start_luff_deg"], content["end_luff_deg"]) == (60.0, 55.0)
    assert (content["moment_prealarm"], content["moment_alarm"]) == (True, False)
    assert (content["radius_out_alarm"], content["radius_in_alarm"]) == (True, False)
    assert (content["multi_crane_alarm"], content["environment_alarm"]) == (True, False)
    assert content["tilt_alarm"] is None
    assert content["driver_no"] == "7"


def test_what_was_never_known_is_null_and_not_a_number_or_a_no() -> None:
    feed = Feed()
    missing = {"moment_pct": nan, "wind_3s_ms": nan, "rated_t": nan, "driver_no": nan, "environment": nan}
    feed.run(0, 5, True, **missing)
    feed.run(5, 8, False, **missing)
    content = feed.finished[0].content
    for name in ("max_moment_pct", "max_wind_ms", "wind_level", "moment_alarm", "environment_alarm", "driver_no"):
        assert content[name] is None, name
    assert content["load_t"] == 2.0
    assert content["not_always_known"] == ["rated_t", "moment_pct", "wind_3s_ms", "environment", "driver_no"]


def test_a_hole_in_a_cycle_is_stated_and_what_was_missing_in_between_too() -> None:
    feed = Feed()
    feed.run(0, 10, True)
    feed.run(10, 40, None)
    feed.step(40, True, wind_3s_ms=nan)
    feed.run(40.1, 45, False)
    content = feed.finished[0].content
    assert content["missing_s"] == pytest.approx(30.1)
    assert content["not_always_known"] == ["wind_3s_ms"]
    assert content["end_seen"] is True


def test_a_cycle_that_nobody_saw_the_end_of_ends_where_its_load_was_last_known() -> None:
    feed = Feed()
    feed.run(0, 10, True)
    feed.step(610, None)
    (done,) = feed.finished
    assert done.end_ns == START_NS + round(9.9 * S)
    assert (done.content["end_seen"], done.content["end_radius_m"]) == (False, None)
    assert feed.cycles.phase is Phase.EMPTY


def test_after_a_long_silence_a_loaded_hook_begins_a_new_cycle() -> None:
    feed = Feed()
    feed.run(0, 10, True)
    feed.run(2000, 2010, True)
    feed.run(2010, 2015, False)
    assert [done.start_ns - START_NS for done in feed.finished] == [0, 2000 * S]


def test_a_hole_before_three_seconds_are_over_begins_the_hold_anew() -> None:
    feed = Feed()
    feed.run(0, 2, True)
    feed.run(8, 10, True)
    feed.run(10, 15, False)
    assert feed.finished == []


@pytest.mark.parametrize("at_s", [1.5, 2.5, 20.0, 60.5, 62.0])
def test_a_restart_in_the_middle_changes_nothing(at_s: float) -> None:
    whole, broken = Feed(), Feed()
    for feed in (whole, broken):
        for tenth in range(700):
            t_s = tenth / 10
            if feed is broken and t_s == at_s:
                feed.restart()
            feed.step(
                t_s, 1 <= t_s < 61, moment_pct=40 + t_s % 7, hook_m=10 + t_s / 10, wind_3s_ms=nan if tenth % 9 else 4.0
            )
    assert whole.finished == broken.finished
    assert len(whole.finished) == 1


@pytest.mark.parametrize("kept", [None, [], {"phase": 2, "open": None}, {"phase": 9, "open": None}, {"phase": 0}])
def test_a_state_that_is_none_is_refused_before_anything_is_taken(kept: object) -> None:
    cycles = WorkingCycles(LoadParameters(), CycleMarks())
    with pytest.raises(ValueError, match=r"kept|valid"):
        cycles.restore(kept)  # type: ignore[arg-type]


def test_the_ledger_counts_by_driver_and_shift_and_is_bounded() -> None:
    bench = Bench(tuned(load=LoadParameters(hold_s=1.0, unload_hold_s=0.5)))
    for number in range(100):
        bench.run(3, 0.5, load_t=3.0, moment_pct=95.0, driver_no=float(number), hook_m=20.0)
        bench.step(0.5, hook_m=30.0)
        bench.run(3, 0.5, load_t=0.0, moment_pct=0.0)
        bench.now_ns += 12 * 3600 * S
    ledger = bench.model.ledger
    assert ledger.total.cycles == len(bench.of_kind("crane_cycle")) == 100
    assert ledger.total.moment_prealarms == 100
    assert ledger.total.moment_alarms == 0
    assert ledger.total.load_height_t_m == pytest.approx(100 * 3.0 * 10.0)
    assert (len(ledger.by_driver), len(ledger.by_shift)) == (64, 62)
    assert "99" in ledger.by_driver
    assert "0" not in ledger.by_driver
    kept = bench.model.saved()
    bench.restart()
    assert bench.model.saved() == kept


@pytest.mark.parametrize(
    ("utc_h", "shift"),
    [(0, "2026-03-01/1"), (10.9, "2026-03-01/1"), (11, "2026-03-01/2"), (22.9, "2026-03-01/2"), (23, "2026-03-02/1")],
)
def test_a_shift_belongs_to_the_local_day_on_which_it_began(utc_h: float, shift: str) -> None:
    midnight_utc_ns = 1_772_323_200 * S
    assert Bench().model.ledger.shift_of(midnight_utc_ns + round(utc_h * 3600 * S)) == shift
