"""The story: each chapter happens, at its time, with the same figures for the same seed."""

import math
from dataclasses import asdict
from itertools import pairwise

import pytest

from drivers.sim.afternoon import CRANES, FAILING_PIT, PERIOD_S, TOP_OVER_MAST, Story, jib_to_line_m
from drivers.sim.crane import CraneModel, CraneState, CraneTwin
from drivers.sim.pit import PitState, PitTwin
from drivers.sim.weather import Weather

STEP_S = 0.05
STORY = Story()
NAMES = ("crane-1", "crane-2", "crane-3")
CHAPTERS = {chapter.name: chapter for chapter in STORY.chapters}


class Told:
    """The story as the field steps it: what every crane shows at every step."""

    def __init__(self, seed: int, seconds: float = PERIOD_S) -> None:
        weather = Weather(f"{seed}:weather", STORY.climate)
        self.twins = {name: CraneTwin(f"{seed}:{name}", CRANES[name]) for name in NAMES}
        self.at_s: list[float] = []
        self.states: dict[str, list[CraneState]] = {name: [] for name in NAMES}
        self.line_m: list[float] = []
        for i in range(round(seconds / STEP_S)):
            story_s = i * STEP_S
            weather.mean_m_s = STORY.mast_wind_m_s(story_s)
            wind_m_s = weather.step(STEP_S).wind_m_s
            self.at_s.append(story_s)
            for name, twin in self.twins.items():
                twin.sent_to_deg, twin.climbing = STORY.sent_to_deg(name, story_s), STORY.climbs(name, story_s)
                self.states[name].append(twin.step(STEP_S, wind_m_s))
            lower, upper = self.twins["crane-1"], self.twins["crane-2"]
            self.line_m.append(jib_to_line_m(lower.model, lower.slew.position, upper.model, upper.state))

    def wind_3s(self) -> list[float]:
        """Running mean at the top of crane 1."""
        wind, n = [state.wind_ms for state in self.states["crane-1"]], round(3 / STEP_S)
        return [sum(wind[max(0, i - n + 1) : i + 1]) / min(n, i + 1) for i in range(len(wind))]

    def first_s(self, true: list[bool]) -> float:
        return next((at_s for at_s, each in zip(self.at_s, true, strict=True) if each), math.inf)


@pytest.fixture(scope="module", params=[1, 2, 7])
def told(request: pytest.FixtureRequest) -> Told:
    return Told(request.param)


def test_the_wind_passes_its_limits_one_after_the_other_and_falls_again(told: Told) -> None:
    wind = told.wind_3s()
    passed_s = [told.first_s([each >= limit for each in wind]) for limit in (9.0, 10.8, 12.0, 14.0)]
    chapter = CHAPTERS["wind"]
    assert all(earlier + 1 < later for earlier, later in pairwise(passed_s))
    assert chapter.begins_s <= passed_s[0]
    assert passed_s[-1] < chapter.ends_s
    assert max(wind) < 20
    assert all(each < 8.5 for at_s, each in zip(told.at_s, wind, strict=True) if not 8 < at_s < 52)


def test_the_jib_closes_on_the_hook_line_only_in_its_chapter(told: Told) -> None:
    chapter = CHAPTERS["closing"]
    inside = [
        near for at_s, near in zip(told.at_s, told.line_m, strict=True) if chapter.begins_s <= at_s < chapter.ends_s
    ]
    outside = [near for at_s, near in zip(told.at_s, told.line_m, strict=True) if at_s < chapter.begins_s]
    assert min(inside) < 2.0
    assert min(outside) > 5.0
    assert told.line_m[-1] > 5.0
    warned_s = told.first_s([near < 5 for near in told.line_m])
    near_s = told.first_s([near < 2 for near in told.line_m])
    assert 0.3 < near_s - warned_s < 10, "a warning comes before the alarm"


def test_crane_three_climbs_in_the_wind_with_its_drives_at_rest(told: Told) -> None:
    wind = told.wind_3s()
    climbing = [bool(state.work_status) for state in told.states["crane-3"]]
    assert max(each for each, on in zip(wind, climbing, strict=True) if on) >= 12.0
    later = [state for state, on in zip(told.states["crane-3"], climbing, strict=True) if on][200:]
    assert {state.motor for state in later} == {0.0}
    assert max(abs(state.load_t) for state in later) < 0.01
    assert not any(state.work_status for name in ("crane-1", "crane-2") for state in told.states[name])


def test_the_same_seed_tells_the_same_story() -> None:
    first, again, other = Told(5, 30), Told(5, 30), Told(6, 30)
    assert [asdict(state) for state in first.states["crane-1"]] == [asdict(s) for s in again.states["crane-1"]]
    assert first.states["crane-1"] != other.states["crane-1"]


def test_the_story_comes_round_again() -> None:
    assert STORY.mast_wind_m_s(20.0) == STORY.mast_wind_m_s(20.0 + PERIOD_S)
    assert STORY.sent_to_deg("crane-1", 50.0 + 3 * PERIOD_S) == STORY.sent_to_deg("crane-1", 50.0) == 88.5
    overloads = list(STORY.overload_plan("crane-1", until_s=300).schedule(1, "crane-1"))
    assert [round(each.at_s / PERIOD_S) for each in overloads] == [0, 1, 2, 3]
    assert all(
        CHAPTERS["overload"].begins_s <= each.at_s % PERIOD_S <= CHAPTERS["overload"].ends_s for each in overloads
    )
    assert list(STORY.overload_plan("crane-2").schedule(1, "crane-2")) == []


def test_winds_are_those_at_the_top() -> None:
    assert STORY.mast_wind_m_s(32.0) * TOP_OVER_MAST == pytest.approx(15.5)
    assert [STORY.mast_wind_m_s(at_s) for at_s in (0.0, PERIOD_S)] == [STORY.mast_wind_m_s(0.0)] * 2


def pit_states(days: float) -> list[PitState]:
    twin = PitTwin("1:pit-1", FAILING_PIT)
    return [twin.step(8640.0, 20.0) for _ in range(round(days * 10))]


def test_the_wall_creeps_faster_and_faster_by_voights_law() -> None:
    states = pit_states(16.8)
    wall = [state.wall_top_h for state in states]
    steps = [sum(wall[i + 20 : i + 30]) - sum(wall[i : i + 10]) for i in range(0, 130, 20)]
    assert all(later > earlier for earlier, later in pairwise(steps[2:]))
    assert wall[0] < 24 < wall[-1], "a usual limit is passed on the way"
    assert FAILING_PIT.voight_creep_mm(8.5) == pytest.approx(6.0 * math.log(2), abs=0.02)


def test_the_creep_ends_before_the_wall_does() -> None:
    late, later = pit_states(17.2)[-1], pit_states(40)[-1]
    assert abs(later.wall_top_h - late.wall_top_h) < 6
    assert later.wall_top_h < 60


@pytest.mark.parametrize(
    ("slew_deg", "hook", "expected_m"),
    [(90.0, 30.0, 0.0), (0.0, 30.0, 30.0), (270.0, 30.0, 30.0), (60.0, 30.0, 15.0), (90.0, 48.5, math.inf)],
)
def test_distance_of_a_jib_to_a_hook_line(slew_deg: float, hook: float, expected_m: float) -> None:
    """Crane 2 stands 60 m east and its hook hangs 30 m west of it: at (30, 0)."""
    twin = CraneTwin("x", CRANES["crane-2"])
    state = CraneState(**{**asdict(twin.state), "slew_deg": 270.0, "radius_m": 30.0, "hook_m": hook})
    assert jib_to_line_m(CraneModel(), slew_deg, CRANES["crane-2"], state) == pytest.approx(expected_m, abs=1e-9)
