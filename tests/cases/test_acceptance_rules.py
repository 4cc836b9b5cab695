"""The acceptance checks that rules answer for (requirements 6, numbers 1 to 7 and 16), on the shipped packs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from math import isfinite

import numpy as np
import pytest

from gateway.model.alarm import Alarm, Severity
from gateway.model.quantity import Point
from gateway.model.rule import ResolvedRule
from gateway.model.verdict import Truth
from gateway.parts.pit.model.description import Baseline, BaselineKind, PitDescription, SafetyGrade
from gateway.parts.pit.model.items import PitItem, PitStructure
from gateway.parts.pit.model.outputs import pit_outputs, point_outputs
from gateway.parts.pit.model.point import PitPointDerivation
from gateway.settings.hazard_catalogue import read_hazards
from gateway.settings.library import Library, config_root
from tests.cases.test_pack_cases import pit_of
from tests.fakes.pack_line import ASSET, JudgingLine, point, resolved, shipped

T0_NS = 1_700_000_000_000_000_000
DAY_NS = 86_400_000_000_000
WIND = [point("wind_3s_ms", "m/s"), point("lifting"), point("climbing")]


def _crane(points: list[Point], prefix: str) -> JudgingLine:
    rows, _ = resolved(shipped("national"), "tower-crane", points)
    return JudgingLine(points, [row for row in rows if row.info.rule_id.startswith(prefix)])


def _pit(item: PitItem, depth_m: float | None = 15.0) -> tuple[list[Point], dict[str, ResolvedRule]]:
    pit = pit_of(item, PitStructure.DIAPHRAGM_WALL, depth_m=depth_m)
    points = [*point_outputs(ASSET, pit.points[0]), *pit_outputs(pit)]
    rows, _ = resolved(shipped("national"), "deep-pit", points, [pit])
    return points, {row.info.rule_id: row for row in rows}


def _raised(line: JudgingLine) -> dict[str, Alarm]:
    return {each.alarm.rule.rule_id: each.alarm for each in line.transitions if each.kind == "raised"}


def _hold(line: JudgingLine, levels: Mapping[str, float], from_s: int, to_s: int) -> None:
    for at_s in range(from_s, to_s + 1):
        line.poll(at_s, levels)


def test_1_a_cycle_in_strong_wind_is_an_alarm_and_going_on_is_suspected_never_confirmed() -> None:
    line = _crane(WIND, "crane.wind")
    _hold(line, {"wind_3s_ms": 12.1, "lifting": 0, "climbing": 0}, 0, 9)
    assert "crane.wind.lifting_stop" not in _raised(line)
    _hold(line, {"wind_3s_ms": 12.1, "lifting": 1, "climbing": 0}, 10, 69)
    stop = _raised(line)["crane.wind.lifting_stop"]
    assert stop.rule.severity is Severity.P2
    assert "JGJ 33-2012 4.1.15" in stop.rule.clause
    assert "JGJ 196-2010 4.0.9" in stop.rule.clause
    assert stop.rule.limit_source == "national_code"
    assert "crane.wind.lifting_goes_on" not in _raised(line), "not before a minute has passed"
    line.poll(70, {"wind_3s_ms": 12.1, "lifting": 1, "climbing": 0})
    goes_on = _raised(line)["crane.wind.lifting_goes_on"]
    assert (goes_on.rule.hazard, goes_on.suspected) == ("MH24-15-2", True)


def test_1_a_gust_that_ends_with_the_cycle_suspects_nobody() -> None:
    line = _crane(WIND, "crane.wind")
    _hold(line, {"wind_3s_ms": 12.1, "lifting": 1, "climbing": 0}, 0, 59)
    _hold(line, {"wind_3s_ms": 12.1, "lifting": 0, "climbing": 0}, 60, 300)
    assert "crane.wind.lifting_goes_on" not in _raised(line)


def test_1_an_alarm_clears_only_after_ten_minutes_below_nine_tenths() -> None:
    line = _crane(WIND, "crane.wind.design_limit")
    _hold(line, {"wind_3s_ms": 20.0}, 0, 1)
    _hold(line, {"wind_3s_ms": 18.0}, 2, 700)
    assert line.active, "nine tenths themselves clear nothing"
    _hold(line, {"wind_3s_ms": 17.9}, 701, 1300)
    assert line.active
    line.poll(1301, {"wind_3s_ms": 17.9})
    assert not line.active


def test_2_wind_while_climbing_says_stop_by_the_mandatory_code() -> None:
    line = _crane(WIND, "crane.wind")
    _hold(line, {"wind_3s_ms": 9.1, "lifting": 0, "climbing": 1}, 0, 1)
    assert "GB 55034-2022 3.4.7" in _raised(line)["crane.wind.climbing_stop"].rule.clause
    calm = _crane(WIND, "crane.wind")
    _hold(calm, {"wind_3s_ms": 9.1, "lifting": 1, "climbing": 0}, 0, 1)
    assert list(_raised(calm)) == ["crane.wind.notice"], "the same wind does not stop lifting"


def test_3_use_without_registration_is_suspected() -> None:
    line = _crane([point("unregistered_use")], "crane.papers")
    _hold(line, {"unregistered_use": 1}, 0, 5)
    alarm = _raised(line)["crane.papers.unregistered_use"]
    assert (alarm.rule.hazard, alarm.suspected) == ("MH24-8-1", True)


def test_4_without_a_depth_a_point_is_over_its_bound_or_unknown_never_normal() -> None:
    points, rows = _pit(PitItem.WALL_TOP_HORIZONTAL, depth_m=None)
    row = rows["pit.wall_top_horizontal_displacement.cumulative.alarm"]
    for value, truth in ((20.4, Truth.TRUE), (19.9, Truth.UNKNOWN), (0.0, Truth.UNKNOWN)):
        line = JudgingLine(points, [row])
        line.poll(0, {"p": value})
        assert line.truth is truth, value


def test_5_three_readings_at_three_quarters_of_the_rate_warn_on_the_third() -> None:
    points, rows = _pit(PitItem.WALL_TOP_HORIZONTAL)
    line = JudgingLine(points, [row for row in rows.values() if row.subject == f"{ASSET}.p_rate"])
    raised_at = []
    for reading in range(3):
        line.poll(reading * 86_400, {"p_rate": 1.5})
        raised_at.append([rule for rule, alarm in _raised(line).items() if alarm.rule.severity is not Severity.LOG])
    assert raised_at == [[], [], ["pit.wall_top_horizontal_displacement.rate.three_in_a_row"]]


@pytest.mark.parametrize(
    ("last_change_mm", "raised"),
    [
        (1.9, []),
        (2.0, ["measure_again"]),
        (3.5, ["alarm"]),
        (3.9, ["alarm"]),
        (4.1, ["danger"]),
        (12.0, ["danger"]),  # so far off that the reading itself is not believed until it is measured again
    ],
)
def test_one_days_movement_beyond_the_rate_is_told_on_that_reading(last_change_mm: float, raised: list[str]) -> None:
    """GB 50497-2019 8.0.3: crossing either limit triggers; the limit is 2 mm/d, the background 0.8 mm/d."""
    moved = [0.8 * day for day in range(10)]
    assert _told_by_changes([*enumerate(moved), (10.0, moved[-1] + last_change_mm)]) == raised


@pytest.mark.parametrize(
    ("jump_mm", "raised"), [(1.9, []), (2.0, ["measure_again"]), (3.9, ["alarm"]), (12.0, ["danger"])]
)
def test_a_jump_from_rest_is_told_on_that_reading(jump_mm: float, raised: list[str]) -> None:
    """Ten equal readings are a flat line and not believed; what comes after is compared with them all the same."""
    assert _told_by_changes([*((float(day), 5.0) for day in range(10)), (10.0, 5.0 + jump_mm)]) == raised


def test_a_misreading_far_off_returns_when_it_is_measured_again() -> None:
    moved = [(float(day), 0.8 * day) for day in range(10)]
    again = [*moved, (10.0, 7.2 + 12.0), (10.1, 8.1), (11.0, 8.9)]
    assert _told_by_changes(again) == ["danger"]
    assert _told_by_changes(again, "returned") == ["danger"]


def test_a_misreading_that_is_measured_again_returns_and_is_not_told_the_next_day() -> None:
    moved = [(float(day), 0.8 * day) for day in range(10)]
    misread = [*moved, (10.0, 7.2 + 3.5), (10.1, 8.1)]
    assert _told_by_changes(misread) == ["alarm"]
    assert _told_by_changes([*misread, (11.0, 8.9), (12.0, 9.7)]) == ["alarm"], "told once, on the misreading"
    assert _told_by_changes([*misread, (11.0, 8.9)], "returned") == ["alarm"]


def _told_by_changes(readings: Sequence[tuple[float, float]], kind: str = "raised") -> list[str]:
    """Which rows of the change since the last reading were raised by these readings (day, mm), in order."""
    own = pit_of(PitItem.WALL_TOP_HORIZONTAL, PitStructure.DIAPHRAGM_WALL).points[0]
    zero = Baseline(BaselineKind.INITIAL, 0, "third party", "zero survey", zero=0.0)
    pit = PitDescription(ASSET, (replace(own, baselines=(zero,)),), 15.0, SafetyGrade.FIRST)
    model = PitPointDerivation(pit, pit.points[0])
    points, rows = _pit(PitItem.WALL_TOP_HORIZONTAL)
    line = JudgingLine(points, [row for row in rows.values() if ".day_change." in row.info.rule_id])
    for day, moved_mm in readings:
        at_ns = T0_NS + int(day * DAY_NS)
        said = model.step(np.array([moved_mm]), np.array([at_ns]), at_ns)
        assert said is not None
        value = dict(zip([each.quantity for each in model.outputs], said.tolist(), strict=True))["p_day_rate"]
        line.poll(day * 86_400, {"p_day_rate": value}, bad=() if isfinite(value) else ("p_day_rate",))
    return [each.alarm.rule.rule_id.rpartition(".")[2] for each in line.transitions if each.kind == kind]


def test_6_a_strut_below_its_preload_is_an_alarm() -> None:
    points, rows = _pit(PitItem.STRUT_FORCE)
    line = JudgingLine(points, [row for row in rows.values() if row.subject == f"{ASSET}.p_pct_fy"])
    line.poll(0, {"p_pct_fy": 78.0})
    assert list(_raised(line)) == ["pit.support_axial_force.load_low.alarm"]


def test_7_a_value_that_its_model_calls_unusable_is_unknown_in_every_row() -> None:
    points, rows = _pit(PitItem.WALL_TOP_HORIZONTAL)
    for row in rows.values():
        if row.subject in (f"{ASSET}.p", f"{ASSET}.p_rate", f"{ASSET}.p_day_rate") and "rising" not in row.info.rule_id:
            line = JudgingLine(points, [row])
            line.poll(0, {"p": 0.0, "p_rate": 0.0, "p_day_rate": 0.0}, bad=("p", "p_rate", "p_day_rate"))
            assert line.truth is Truth.UNKNOWN, row.info.rule_id


def test_16_a_hazard_before_the_2024_edition_is_judged_under_2022_with_both_codes() -> None:
    catalogue = read_hazards(Library((config_root(),)), {}).catalogue
    assert catalogue is not None
    found = catalogue.reference("MH24-8-4", date(2024, 3, 1))
    assert (found.code, found.edition) == ("MH22-8-5", "2022")
    assert (found.other_code, found.other_edition) == ("MH24-8-4", "2024")
