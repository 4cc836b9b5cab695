import asyncio
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from gateway.alarms import AlarmTable
from gateway.line.intake import Intake
from gateway.line.quarantine import Quarantine
from gateway.line.reload import LinkSink, carry_alarms, carry_truths, difference, moved_to
from gateway.model.quantity import PointTable
from gateway.model.verdict import Truth
from gateway.rules.table import RuleTable
from gateway.rules.window import Window
from gateway.settings import Settings, load
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.field_site import CRANE_RULE, write_site
from tests.fakes.site import BOX, NOW_NS, SECOND_NS, layout, points, poll, threshold
from tests.fakes.windowed_rules import flat_line

NAMES = [f"q{i}" for i in range(8)]


def table(names: list[str]) -> PointTable:
    by_name = {point.quantity: point for point in points(8).points}
    return PointTable(tuple(by_name[name] for name in names))


@pytest.fixture(scope="module")
def quarantine(tmp_path_factory: pytest.TempPathFactory) -> Quarantine:
    return Quarantine(tmp_path_factory.mktemp("aside"))


@given(
    first=st.permutations(NAMES),
    second=st.permutations(NAMES),
    driver_points=st.integers(1, 7),
    dropped=st.integers(1, 7),
)
def test_however_points_are_renumbered_every_value_stays_on_its_point(
    quarantine: Quarantine, first: list[str], second: list[str], driver_points: int, dropped: int
) -> None:
    """A driver was started under `first` with some points; the box now numbers by `second`, without some others."""
    mine = first[:driver_points]
    now = table([name for name in second if name in mine or second.index(name) >= dropped])
    intake = Intake(10, quarantine)
    sink = LinkSink(table(first), intake, intake)
    index = np.arange(driver_points, dtype=np.int32)

    sink.retarget(now, intake)
    assert sink.offer(poll(index, [float(name[1:]) for name in mine]))

    (arrival,) = intake.take_now()
    named = {now[int(i)].quantity: v for i, v in zip(arrival.readings.point_index, arrival.readings.value, strict=True)}
    assert named == {name: float(name[1:]) for name in mine}


def test_a_translated_layout_is_one_object_at_every_poll_and_an_unmoved_one_is_handed_through(
    quarantine: Quarantine,
) -> None:
    intake = Intake(10, quarantine)
    sink = LinkSink(table(NAMES), intake, intake)
    index = layout(2)
    sink.offer(poll(index, 1.0))
    sink.retarget(table(NAMES[::-1]), intake)
    sink.offer(poll(index, 2.0))
    sink.offer(poll(index, 3.0))
    sink.retarget(table(NAMES), intake)
    sink.offer(poll(index, 4.0))

    before, moved, again, back = [arrival.readings.point_index for arrival in intake.take_now()]
    assert before is index is back
    assert moved is again
    assert moved.tolist() == [7, 6]


async def test_a_message_that_waits_for_room_is_numbered_when_it_gets_in(quarantine: Quarantine) -> None:
    intake = Intake(1, quarantine)
    sink = LinkSink(table(NAMES), intake, intake)
    intake.offer(poll(layout(1), 0.0))
    waiting = asyncio.create_task(sink.put(poll(layout(1), 5.0)))
    await asyncio.sleep(0)

    sink.retarget(table(NAMES[::-1]), intake)
    intake.take_now()
    kept = await waiting

    (arrival,) = intake.take_now()
    assert arrival.kept is kept
    assert arrival.readings.point_index.tolist() == [7]


def test_the_window_goes_on_by_point_and_a_point_of_another_meaning_starts_anew() -> None:
    old = Window(table(NAMES[:4]), 0)
    old.remember(poll(layout(4), [0.0, 1.0, 2.0, 3.0]), 5)
    changed = table(["q3", "q1", "q7"]).points
    changed_unit = PointTable((changed[0], *(_in_feet(p) if p.quantity == "q1" else p for p in changed[1:])))
    new = Window(changed_unit, 9)

    new.carry_over(old, moved_to(old.points, new.points))

    assert new.value[0] == 3.0
    assert np.isnan(new.value[1:]).all()
    assert new.heard.tolist() == [True, False, False]
    assert new.good_mono_ns.tolist() == [5, 9, 9]
    (recent,) = new.recent("host-1")
    assert (recent.point_index.tolist(), recent.value.tolist()) == ([0], [3.0])


def _in_feet(point: Any) -> Any:
    return type(point)(point.point_id, point.asset, point.quantity, "ft", point.device, "量", "quantity")


def test_an_open_alarm_goes_on_under_its_rule_and_as_an_orphan_without_it() -> None:
    rules = [threshold(0, deadband=10.0), threshold(1)]
    before, alarms = RuleTable(rules), AlarmTable(BOX, rules)
    alarms.step(before.on_readings(poll(layout(2), 120.0)))
    stays, goes = (next(a for a in alarms.open_alarms() if a.subject == f"crane-1.q{i}") for i in (0, 1))

    after = RuleTable([threshold(2), threshold(0, deadband=10.0)])
    carried = AlarmTable(BOX, after.rules)
    carry_alarms(alarms, after, carried)
    carry_truths(before, alarms, after, carried)

    found = {alarm.alarm_id: alarm for alarm in carried.open_alarms()}
    assert found.keys() == {stays.alarm_id, goes.alarm_id}
    assert (found[goes.alarm_id].active, found[goes.alarm_id].unknown) == (True, True)
    assert (found[stays.alarm_id].active, found[stays.alarm_id].unknown) == (True, False)
    assert carried.step(after.on_readings(poll(layout(2), 95.0, NOW_NS + SECOND_NS))) == [], "the deadband goes on"
    (returned,) = carried.step(after.on_readings(poll(layout(2), 80.0, NOW_NS + 2 * SECOND_NS)))
    assert returned.alarm.alarm_id == stays.alarm_id


def test_a_rule_that_looks_back_goes_on_when_it_did_not_change_and_begins_anew_when_it_did() -> None:
    old = RuleTable([flat_line(0)])
    index = layout(2)
    for second in range(24):
        old.on_readings(poll(index, 7.0, NOW_NS + second * SECOND_NS))
    same = RuleTable([threshold(1), flat_line(0)])
    changed = RuleTable([threshold(1), flat_line(0, for_s=21.0)])
    for fresh in (changed, same):
        fresh.on_readings(poll(index, 7.0, NOW_NS + 23 * SECOND_NS))
        fresh.carry_over(old)

    said = [table.on_readings(poll(index, 7.0, NOW_NS + 24 * SECOND_NS)) for table in (same, changed)]

    truths = [dict(zip(verdicts.row.tolist(), verdicts.truth.tolist(), strict=True)) for verdicts in said]
    assert truths == [{0: Truth.FALSE, 1: Truth.TRUE}, {0: Truth.FALSE, 1: Truth.UNKNOWN}]


class Edited:
    """A site file, as it is and as it becomes."""

    def __init__(self, folder: Path) -> None:
        self.path = write_site(folder, crane_port=1502, broker_port=1883, web_port=8080, uplinks=[])
        self.before = self.load()

    def load(self) -> Settings:
        return load(self.path, DRIVERS, UPLINKS, KINDS)

    def after(self, section: str, entry: int | None, **changes: Any) -> Settings:
        site = yaml.safe_load(self.path.read_text())
        (site[section] if entry is None else site[section][entry]).update(changes)
        self.path.write_text(yaml.safe_dump(site))
        return self.load()


@pytest.fixture
def edited(tmp_path: Path) -> Edited:
    return Edited(tmp_path)


def test_the_same_file_differs_in_nothing(edited: Edited) -> None:
    found = difference(edited.before, edited.load())
    assert not any(getattr(found, name) for name in found.__slots__)


@pytest.mark.parametrize(
    ("section", "changes"),
    [
        ("box", {"id": "another-box"}),
        ("site", {"project_code": "OTHER"}),
        ("storage", {"reserve_mib": 3}),
        ("web", {"port": 8081}),
    ],
)
def test_a_section_that_the_running_box_is_built_on_needs_a_restart(
    edited: Edited, section: str, changes: dict[str, Any]
) -> None:
    assert difference(edited.before, edited.after(section, None, **changes)).needs_restart == (section,)


def test_a_new_uplink_needs_a_restart(edited: Edited) -> None:
    site = yaml.safe_load(edited.path.read_text())
    site["uplinks"] = [{"name": "x", "kind": "influx", "url": "http://127.0.0.1:8086", "api": "v1", "database": "d"}]
    edited.path.write_text(yaml.safe_dump(site))
    assert difference(edited.before, edited.load()).needs_restart == ("uplinks",)


def test_only_the_link_whose_device_changed_is_named(edited: Edited) -> None:
    found = difference(edited.before, edited.after("devices", 0, poll_ms=500))
    assert (found.links_changed, found.links_added, found.links_removed) == (("crane-tcp",), (), ())
    assert (found.needs_restart, found.rules_changed, found.points_added) == ((), (), ())


def test_a_rule_that_only_moved_in_its_file_did_not_change(edited: Edited) -> None:
    pack = edited.path.parent / "rules" / "e2e.yaml"
    pack.write_text("# a comment\n" + pack.read_text())
    assert difference(edited.before, edited.load()).rules_changed == ()
    pack.write_text(pack.read_text().replace("high: 100", "high: 90"))
    found = difference(edited.before, edited.load())
    assert found.rules_changed == (f"{CRANE_RULE} @ crane-1.moment_pct",)
    assert found.content()["rules_changed"] == {"count": 1, "names": list(found.rules_changed)}


def test_chatter_flood_and_the_ids_of_episodes_go_on() -> None:
    rules = [threshold(0), threshold(1)]
    before, alarms = RuleTable(rules), AlarmTable(BOX, rules)
    for value in (120.0, 50.0, 120.0, 50.0):
        raised = alarms.step(before.on_readings(poll(layout(1), value, NOW_NS)))
    first_ids = {alarm.alarm_id for alarm in alarms.open_alarms()} | {each.alarm.alarm_id for each in raised}

    after = RuleTable([threshold(1), threshold(0)])
    carried = AlarmTable(BOX, after.rules)
    carry_alarms(alarms, after, carried)
    (third,) = carried.step(after.on_readings(poll(layout(1), 120.0, NOW_NS)))

    assert third.alarm.alarm_id not in first_ids, "raised a third time within one nanosecond"
    report = carried.performance(NOW_NS + SECOND_NS)
    assert [(each.rule_id, each.raises) for each in report.chattering] == [("rule-0", 3)]
    assert report.raised_in_flood_window == 3
