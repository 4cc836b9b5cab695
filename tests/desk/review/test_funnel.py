"""Who comes before a reviewer: each stage of the funnel, at its edge, once, and by configured data alone."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import Connection, insert, update

from contract.messages import AlarmTransition
from contract.signing import SignKey
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import entries_about, verify_ledger
from regulator.base.records.tables.intake import alarms
from regulator.parts.review import arrivals
from regulator.parts.review.funnel import Funnel, load_funnel
from tests.fakes.review_world import ReviewWorld, heard_of


def _stages(world: ReviewWorld) -> dict[str, str]:
    return {row.alarm_id: row.stage for row in world.items()}


def test_a_p1_comes_at_once_and_once(world: ReviewWorld) -> None:
    world.hear("a1", severity="P1")
    world.hear("a1", severity="P1")
    world.hear("a1", "acknowledged", severity="P1")
    assert _stages(world) == {"a1": "priority"}
    with world.database.reading() as db:
        (entry,) = entries_about(db, world.items()[0].item_id)
    assert entry.fields["kind"] == "review_queued"


def test_a_p2_comes_when_nobody_acknowledged_it_for_ten_minutes(world: ReviewWorld) -> None:
    world.hear("a1", severity="P2")
    world.hear("a2", severity="P2", subject="cam-2.bare_head_1")
    assert _stages(world) == {}
    with world.database.transaction() as db:
        db.execute(update(alarms).where(alarms.c.alarm_id == "a2").values(acknowledged=1))
    assert world.arrivals.sweep(world.database, world.clock.move(seconds=599)) == 0
    assert world.arrivals.sweep(world.database, world.clock.move(seconds=1)) == 1
    assert world.arrivals.sweep(world.database, world.clock.move(seconds=30)) == 0
    assert _stages(world) == {"a1": "unacknowledged"}


def test_what_stood_unacknowledged_while_no_desk_ran_is_never_forgotten(world: ReviewWorld) -> None:
    for number in range(3):
        world.hear(f"a{number}", severity="P2", subject=f"s{number}", accepted_at_ns=world.clock.move(seconds=1))
    world.hear("answered", severity="P2", subject="s9", acknowledged=1)
    assert world.arrivals.sweep(world.database, world.clock.move(days=40)) == 3
    assert _stages(world) == dict.fromkeys(("a0", "a1", "a2"), "unacknowledged")
    world.hear("late", severity="P2", subject="s8", accepted_at_ns=world.clock())
    assert world.arrivals.sweep(world.database, world.clock.move(days=8)) == 1
    assert world.arrivals.sweep(world.database, world.clock.move(days=8)) == 0


def test_older_ones_are_caught_up_with_in_bites(world: ReviewWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrivals, "OLDER_LIMIT", 2)
    for number in range(5):
        world.hear(f"a{number}", severity="P2", subject=f"s{number}", accepted_at_ns=world.clock.move(seconds=1))
    world.clock.move(days=40)
    made = [world.arrivals.sweep(world.database, world.clock.move(seconds=30)) for _ in range(4)]
    assert made == [2, 2, 1, 0]


def test_a_sweep_that_died_half_way_is_done_again(world: ReviewWorld) -> None:
    for number, project in enumerate(("p1", "p2")):
        world.hear(f"a{number}", severity="P2", project_code=project, box_id=f"box-{number}")
    world.clock.move(days=40)
    broken = DyingDatabase(world.database, lives=1)
    with pytest.raises(SystemExit):
        world.arrivals.sweep(cast(DeskDatabase, broken), world.clock())
    assert list(_stages(world)) == ["a0"]
    assert world.arrivals.sweep(world.database, world.clock()) == 1


@dataclass
class DyingDatabase:
    """The desk is killed after so many transactions."""

    whole: DeskDatabase
    lives: int

    @property
    def reading(self) -> Callable[[], AbstractContextManager[Connection]]:
        return self.whole.reading

    def transaction(self) -> AbstractContextManager[Connection]:
        if self.lives == 0:
            raise SystemExit
        self.lives -= 1
        return self.whole.transaction()


def test_the_third_within_a_day_comes_at_once(world: ReviewWorld) -> None:
    for number, hours in enumerate((0, 12, 11.9)):
        world.clock.move(hours=hours)
        world.hear(f"a{number}", severity="P2")
    assert _stages(world) == {"a2": "repeated"}
    assert world.items()[0].risk_reasons == "repeated"


def test_what_is_elsewhere_or_too_old_is_no_repetition(world: ReviewWorld) -> None:
    world.hear("a0", severity="P2")
    world.clock.move(hours=12)
    world.hear("a1", severity="P2", subject="cam-2.bare_head_1")
    world.hear("a2", severity="P2", rule_id="vision.edge_open")
    world.hear("a3", severity="P2", box_id="box-2")
    world.hear("a4", severity="P2")
    world.clock.move(hours=12)
    world.hear("a5", severity="P2")
    assert _stages(world) == {}


def test_what_a_site_hands_over_always_comes(world: ReviewWorld) -> None:
    world.hear("a1", "raised", severity="P3")
    assert _stages(world) == {}
    world.hear("a1", "handed_over", severity="P3")
    assert _stages(world) == {"a1": "handed_over"}


def test_a_blind_camera_comes_after_half_an_hour_whatever_its_priority(world: ReviewWorld) -> None:
    for number, rule in enumerate(("vision.camera.covered", "vision_camera_covered", "crane.sensor.silence")):
        world.hear(f"a{number}", severity="P3", rule_id=rule, subject=f"cam-1.{number}")
    world.hear("back", severity="P3", rule_id="vision.camera.moved", active=0)
    world.arrivals.sweep(world.database, world.clock.move(seconds=1799))
    assert _stages(world) == {}
    world.arrivals.sweep(world.database, world.clock.move(seconds=1))
    assert _stages(world) == {"a0": "blinded", "a2": "blinded"}


def test_one_alarm_stands_for_a_flood(world: ReviewWorld) -> None:
    for number in range(13):
        world.clock.move(seconds=20)
        world.hear(f"a{number:02}", severity="P3", subject=f"s{number}")
    world.hear("elsewhere", severity="P3", project_code="p2", box_id="box-2")
    assert _stages(world) == {"a10": "flood"}
    world.clock.move(hours=1)
    for number in range(20, 31):
        world.hear(f"a{number}", severity="P3", subject=f"s{number}")
    assert _stages(world) == {"a10": "flood", "a30": "flood"}


def test_priorities_that_the_settings_leave_out_do_not_come(world: ReviewWorld) -> None:
    world.use(load_funnel(), to_review=("P1",))
    for number in range(3):
        world.hear(f"a{number}", severity="P2")
    world.arrivals.sweep(world.database, world.clock.move(hours=1))
    assert _stages(world) == {}


def test_the_stages_are_data(world: ReviewWorld) -> None:
    stages = {"unacknowledged": {"severities": ["P2"], "after_min": 1}}
    world.use(Funnel.model_validate({"version": 1, "stages": stages}))
    world.hear("a1", severity="P1")
    world.hear("a2", severity="P2")
    world.arrivals.sweep(world.database, world.clock.move(seconds=60))
    assert _stages(world) == {"a2": "unacknowledged"}


def test_two_replicas_that_sweep_make_one_item(world: ReviewWorld) -> None:
    world.hear("a1", severity="P2")
    now_ns = world.clock.move(hours=1)
    assert [world.arrivals.sweep(world.database, now_ns) for _ in range(2)] == [1, 0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version: 2\nstages: {}", "version"),
        ("version: 1\nstages: {priority: {severities: [P0]}}", "severities"),
        ("version: 1\nstages: {repeated: {severities: [P1], times: 1, within_h: 2}}", "times"),
        ("version: 1\nstages: {blinded: {rules: ['a;b'], after_min: 3}}", "rules"),
        ("version: 1\nstages: {speed: {}}", "speed"),
        ("version: [", "funnel.yaml"),
    ],
)
def test_a_funnel_with_a_fault_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "funnel.yaml"
    path.write_text(text)
    with pytest.raises(ValueError, match=said) as refused:
        load_funnel(path)
    assert "funnel.yaml" in str(refused.value)


def _crowd(world: ReviewWorld, project: str) -> list[tuple[dict[str, object], AlarmTransition]]:
    """A minute of one project: grave ones, one place again and again, what nobody puts forward, and a flood."""
    kinds = [("P1", "s0"), *[("P2", "s1")] * 3, ("P3", "s1"), *[("P3", f"t{number}") for number in range(9)]]
    rows = []
    for number, (severity, subject) in enumerate([*kinds, ("P2", "s1"), ("P3", "t20"), ("P1", "s0")]):
        said = {"box_id": f"box-{project}", "project_code": project, "severity": severity, "subject": subject}
        rows.append(world._alarm_row(f"a{number:02}", {**said, "raised_at_ns": world.clock.move(seconds=1)}))
    return [(row, world.transition(row, "raised")) for row in rows]


def test_many_at_once_come_as_they_come_one_by_one(world: ReviewWorld, desk_key: SignKey) -> None:
    alone, together = _crowd(world, "p1"), _crowd(world, "p2")
    for row, _ in alone:
        world.hear(**row)
    now_ns = world.clock()
    for some in (together[:7], together[7:], together[:1]):
        with world.database.transaction() as db:
            for row, _ in some:
                if some != together[:1]:
                    db.execute(insert(alarms).values(**row))
            world.arrivals.hear_all(db, [heard_of(*each) for each in some], now_ns)
    own = ("item_id", "project_code", "box_id", "group_key", "raised_at_ns", "queued_at_ns", "aged_min", "sampled")
    held: dict[str, list[dict[str, object]]] = {"p1": [], "p2": []}
    for row in sorted(world.items(), key=lambda row: str(row.alarm_id)):
        held[row.project_code].append({name: value for name, value in row._mapping.items() if name not in own})
    assert held["p2"] == held["p1"]
    stages = [row["stage"] for row in held["p2"]]
    assert stages == ["priority", "repeated", "flood", "repeated", "priority"]
    with world.database.reading() as db:
        keys = {desk_key.public.key_id: desk_key.public}
        heads = [verify_ledger(db, f"project:{code}", keys) for code in ("p1", "p2")]
    assert [head.seq for head in heads] == [5, 5]
