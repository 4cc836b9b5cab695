"""The ladder of a day: the gravest alarm counts, a limit is told with its source, and NORMAL is proved or not said."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateway.model.alarm import Alarm, RuleInfo, Severity
from gateway.parts.pit.hand_points import pit_of
from gateway.parts.pit.ladder import Ladder
from gateway.parts.pit.report.daily_report import Control, Level
from gateway.settings import Settings, load
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.pit_box import write_pit_site
from tests.fakes.site import NOW_NS, info

ITEM = "pit.surface_settlement"


def settings(folder: Path, *points: dict[str, Any], **pit: Any) -> Settings:
    return load(str(write_pit_site(folder, points=list(points), **pit)), DRIVERS, UPLINKS, KINDS)


def point(name: str = "p-1", item: str = "surface_settlement", **said: Any) -> dict[str, Any]:
    return {"name": name, "item": item, "by_hand": True, "already_cumulative": True, **said}


def alarm(rule_id: str, severity: Severity, subject: str = "pit-1.p-1") -> Alarm:
    rule: RuleInfo = replace(info(rule_id, severity))
    return Alarm("a", rule, subject, "pit-1", "deep-pit", False, NOW_NS, 1.0, 1.0)


def level(box: Settings, *alarms: Alarm) -> Level:
    pit = pit_of(box, "pit-1")
    assert pit is not None
    return Ladder("pit-1", box.rules, alarms).level(pit.points[0])


def control(box: Settings) -> Control:
    pit = pit_of(box, "pit-1")
    assert pit is not None
    return Ladder("pit-1", box.rules, ()).control(pit.points[0])


DESIGNED = {"cumulative": 30, "rate_per_day": 3, "clause": "设计 5.2"}


@pytest.mark.parametrize(
    ("severity", "expected"),
    [
        (Severity.LOG, Level.ATTENTION),
        (Severity.P3, Level.WARNING),
        (Severity.P2, Level.ALARM),
        (Severity.P1, Level.DANGER),
    ],
)
def test_each_step_is_told_by_its_severity(tmp_path: Path, severity: Severity, expected: Level) -> None:
    box = settings(tmp_path, point(control=DESIGNED))
    assert level(box, alarm(f"{ITEM}.cumulative.x", severity)) is expected


def test_the_gravest_of_several_counts_on_whichever_of_the_points_values(tmp_path: Path) -> None:
    box = settings(tmp_path, point(control=DESIGNED))
    light = alarm(f"{ITEM}.cumulative.warn", Severity.P3)
    grave = alarm(f"{ITEM}.rate.alarm", Severity.P2, "pit-1.p-1_rate")
    assert level(box, light, grave) is level(box, grave, light) is Level.ALARM


def test_an_overdue_reading_and_another_points_alarm_are_no_step_of_the_ladder(tmp_path: Path) -> None:
    box = settings(tmp_path, point(control=DESIGNED))
    overdue = alarm("pit.reading.overdue_long", Severity.P2, "pit-1.p-1_overdue")
    other = alarm(f"{ITEM}.cumulative.alarm", Severity.P2, "pit-1.p-11")
    assert level(box, overdue, other) is Level.NORMAL


def test_an_upper_bound_proves_nothing_below_it(tmp_path: Path) -> None:
    share = point(control={"cumulative": 30, "cumulative_pct_depth": 0.2, "clause": "设计 5.2"})
    assert level(settings(tmp_path, share)) is Level.NORMAL
    assert level(settings(tmp_path, share, design_depth_m=None)) is Level.UNKNOWN


def test_a_point_that_nothing_judges_is_unknown_and_has_no_control_value(tmp_path: Path) -> None:
    box = settings(tmp_path, point(item="wall_internal_force"))
    assert level(box) is Level.UNKNOWN
    assert not control(box).is_set


def test_the_waters_rise_and_drop_are_two_limits(tmp_path: Path) -> None:
    said = control(
        settings(tmp_path, point(item="groundwater_level", control={"cumulative": 1000, "clause": "设计 6"}))
    )
    assert (said.cumulative, said.lower) == (1000.0, -1000.0)


def test_a_loads_limits_are_told_in_its_own_unit(tmp_path: Path) -> None:
    strut = point(item="support_axial_force", control={"design_f2": 4000, "preload_fy": 1000, "clause": "设计 S-07"})
    box = settings(tmp_path, strut)
    said = control(box)
    shares = {rule.subject: rule.limit for rule in box.rules if rule.info.rule_id.endswith((".load_high.alarm",))}
    assert said.cumulative == pytest.approx(40.0 * shares["pit-1.p-1_pct_f2"])
    low = {rule.subject: rule.limit for rule in box.rules if rule.info.rule_id.endswith(".load_low.alarm")}
    assert said.lower == pytest.approx(10.0 * low["pit-1.p-1_pct_fy"])
    assert (said.source, "GB 50497-2019" in said.clause) == ("national_code", True)


def test_sources_that_differ_are_each_named(tmp_path: Path) -> None:
    said = control(settings(tmp_path, point(control={"rate_per_day": 2, "clause": "设计 5.3"})))
    assert said.rate_per_day == 2.0
    assert "设计 5.3" in said.clause
    assert set(said.source.split("；")) == {"设计文件", "国家标准"}
