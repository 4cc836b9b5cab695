"""Grave hazards are told to the platform above: each step once, in order, after an outage too, nothing made up."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from contract.signing import SignKey
from regulator.base.model.hazard import Channel
from regulator.base.model.hazard_states import HazardAction
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.docking import docking_outbox
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.intake import alarms
from regulator.parts.docking.delivering import DockingDelivery
from regulator.parts.docking.hazard_queueing import HazardFollowing
from regulator.parts.docking.places import open_places
from tests.fakes.desk_database import DeskClock
from tests.fakes.docking_desk import docking_settings
from tests.fakes.docking_patterns import PATTERNS, Docked, I
from tests.fakes.docking_server import PlatformServer
from tests.fakes.hazard_bench import BOX, CHEN, LI, WANG, HazardBench, register

A = HazardAction


class Upward:
    """Two replicas that follow the ledger and send, below one platform."""

    def __init__(self, bench: HazardBench, folder: Path, docked: Docked, platform: PlatformServer, **said: Any) -> None:
        settings = docking_settings(folder, docked, platform.url, projects={"p1": "UP-1"}, **said)
        places = open_places([settings])
        self.bench, self.clock, self.docked, self.platform = bench, bench.clock, docked, platform
        self.following = [HazardFollowing(bench.database, places) for _ in range(2)]
        self.sending = [DockingDelivery(bench.database, bench.desk.ledger, places, bench.clock) for _ in range(2)]
        self.follow()

    def follow(self, replica: int = 0) -> None:
        self.following[replica].run(self.clock.move(seconds=1))

    def send(self, replica: int = 0) -> None:
        self.sending[replica].run(self.clock())

    def told(self, name: str = "event") -> list[Any]:
        """One field of what the platform holds, in either spelling."""
        pascal = "".join(word.capitalize() for word in name.split("_"))
        return [record.get(name, record.get(pascal)) for record in self.platform.of(self.docked.hazard)]

    def waiting(self) -> list[Any]:
        with self.bench.database.reading() as db:
            return list(db.execute(select(docking_outbox).order_by(docking_outbox.c.queued_at_ns)))


@pytest.fixture
def bench(database: DeskDatabase, desk_key: SignKey, clock: DeskClock) -> HazardBench:
    register(database)
    return HazardBench(database, desk_key, clock)


@pytest.fixture
def platform(clock: DeskClock):  # type: ignore[no-untyped-def]
    with I.server(clock) as server:
        yield server


@pytest.fixture
def upward(bench: HazardBench, tmp_path: Path, platform: PlatformServer) -> Upward:
    return Upward(bench, tmp_path, I, platform)


def to_the_end(upward: Upward, hazard_id: str) -> None:
    bench = upward.bench
    for step in (lambda: bench.put_right(hazard_id), lambda: bench.sign_sections(hazard_id)):
        upward.clock.move(seconds=60)
        step()
    bench.act(hazard_id, A.CLOSE, WANG, words="复查合格", evidence=(bench.photo(),))


@pytest.mark.parametrize("pattern", sorted(PATTERNS))
def test_a_major_hazard_from_its_find_to_its_closing_on_every_pattern(
    bench: HazardBench, tmp_path: Path, pattern: str
) -> None:
    docked = PATTERNS[pattern]
    with docked.server(bench.clock) as platform:
        upward = Upward(bench, tmp_path, docked, platform)
        hazard_id = bench.major()
        to_the_end(upward, hazard_id)
        upward.follow()
        upward.send()
        assert upward.told() == ["opened", "confirmed", "ordered", "submitted", "closed"]
        assert upward.told("state") == ["pending", "confirmed", "ordered", "awaiting_recheck", "closed"]
        assert upward.told("verdict") == ["suspected"] + ["confirmed"] * 4
        assert set(upward.told("major_code")) == {"MH24-8-4"}
        assert set(upward.told("project_code")) == {"UP-1"}
        assert [at is not None for at in upward.told("closed_at")] == [False] * 4 + [True]
        assert upward.told("event_at") == sorted(upward.told("event_at"))
        assert (platform.refusals, platform.duplicates) == ([], 0)


def test_a_general_hazard_is_told_only_where_the_settings_ask_for_it(
    bench: HazardBench, tmp_path: Path, platform: PlatformServer
) -> None:
    upward = Upward(bench, tmp_path, I, platform)
    everything = Upward(bench, tmp_path, I, platform, name="town", hazard_grades=("general", "major"))
    bench.act(bench.open(), A.CONFIRM)
    upward.follow()
    assert upward.waiting() == []
    everything.follow()
    assert [row.platform for row in everything.waiting()] == ["town", "town"]


def test_what_became_major_is_told_from_then_on_and_to_its_end(upward: Upward) -> None:
    bench = upward.bench
    hazard_id = bench.open()
    upward.clock.move(hours=2)
    upward.follow()
    bench.act(hazard_id, A.CONFIRM, LI, grade_major=True)
    upward.follow()
    bench.act(hazard_id, A.ASK_REGRADE, LI, words="经复核不构成重大")
    bench.act(hazard_id, A.DECIDE_REGRADE, CHEN, grant=True, words="同意")
    bench.act(hazard_id, A.ORDER, LI)
    upward.follow()
    upward.send()
    assert upward.told() == ["confirmed", "regrade_decided", "ordered"]
    assert upward.told("grade") == ["major", "general", "general"], "the platform is not left with the first word"


def test_two_desks_tell_each_step_once_and_in_order(upward: Upward) -> None:
    hazard_id = upward.bench.major()
    to_the_end(upward, hazard_id)
    now_ns = upward.clock.move(seconds=1)
    with ThreadPoolExecutor(2) as pool:
        for _ in range(2):
            list(pool.map(lambda each: each.run(now_ns), upward.following))
            list(pool.map(upward.send, (0, 1)))
    assert upward.told() == ["opened", "confirmed", "ordered", "submitted", "closed"]
    assert (len(upward.platform.requests), upward.platform.duplicates) == (5, 0)


def test_after_an_outage_all_steps_follow_in_order_with_their_own_times(upward: Upward) -> None:
    upward.platform.down = True
    hazard_id = upward.bench.major()
    upward.follow()
    upward.send()
    upward.clock.move(hours=30)
    to_the_end(upward, hazard_id)
    upward.follow(1)
    upward.platform.down = False
    upward.clock.move(hours=1)
    upward.send(1)
    assert upward.told() == ["opened", "confirmed", "ordered", "submitted", "closed"]
    assert upward.told("event_at")[0].startswith("2026-03-01T08:00:0")
    assert upward.told("event_at")[-1].startswith("2026-03-02T14:02")
    assert {row.state for row in upward.waiting()} == {"accepted"}


def test_a_desk_that_stood_still_reads_on_where_it_was(upward: Upward) -> None:
    upward.bench.major()
    upward.clock.move(days=3)
    upward.follow()
    upward.follow(1)
    upward.send()
    assert upward.told() == ["opened", "confirmed", "ordered"]


def test_a_platform_that_is_new_hears_of_what_happens_from_then_on(
    bench: HazardBench, tmp_path: Path, platform: PlatformServer
) -> None:
    hazard_id = bench.major()
    bench.clock.move(hours=1)
    upward = Upward(bench, tmp_path, I, platform)
    bench.put_right(hazard_id)
    upward.follow()
    upward.send()
    assert upward.told() == ["submitted"]


def test_what_nobody_knows_is_left_out_and_no_clause_is_made_up(upward: Upward) -> None:
    upward.bench.major()
    upward.follow()
    upward.send()
    held = upward.platform.of(I.hazard)[-1]
    assert held["source"] == "manual"
    assert (
        not {"standard_ref", "standard_certainty", "level", "value", "limit", "limit_source", "object_sn", "closed_at"}
        & held.keys()
    )


def test_what_an_alarm_said_goes_with_it_and_no_person_does(upward: Upward) -> None:
    row = {"box_id": BOX, "alarm_id": "a-1", "project_code": "p1", "rule_id": "crane.moment", "severity": "P1"}
    row |= {"asset": "tc-1", "asset_kind": "tower-crane", "measured": "112", "limit_value": "100", "unit": "%"}
    with upward.bench.database.transaction() as db:
        db.execute(insert(alarms).values(**row, clause="GB 5144-2006 6.2.2", certainty="M-H", limit_source="maker"))
    device = {"channel": Channel.DEVICE, "box_id": BOX, "alarm_id": "a-1", "event_key": f"{BOX}/a-1"}
    upward.bench.major(**device, rule_id="crane.moment")
    upward.follow()
    upward.send()
    held = upward.platform.of(I.hazard)[-1]
    told = ("source", "level", "standard_ref", "value", "limit", "unit", "limit_source", "standard_certainty")
    assert [held[name] for name in told] == [*("crane", "L4", "GB 5144-2006 6.2.2", "112", "100", "%", "maker", "M-H")]
    written = json.dumps([row.body for row in upward.waiting()], ensure_ascii=False)
    assert not [actor.name for actor in (LI, WANG, CHEN) if actor.name in written]


def test_what_the_platform_refuses_waits_with_its_words(upward: Upward) -> None:
    upward.platform.refuse_fields = {"verdict"}
    upward.bench.major()
    upward.follow()
    upward.send()
    assert {(row.state, "field not allowed: verdict" in row.words) for row in upward.waiting()} == {("refused", True)}


def test_nothing_is_written_while_nothing_happens(upward: Upward) -> None:
    class Silent:
        reading = upward.bench.database.reading

    HazardFollowing(Silent(), upward.following[0].places).run(upward.clock.move(seconds=5))  # type: ignore[arg-type]
    with upward.bench.database.reading() as db:
        assert db.execute(select(hazards)).all() == []
