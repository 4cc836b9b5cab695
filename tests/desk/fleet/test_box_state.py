"""What a box says of itself at the desk: kept, its changes for good, and never made up."""

import json
from typing import Any

from sqlalchemy import select, update

from regulator.base.records.tables.fleet import box_state_changes, box_states
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.ledger import ledger_entries
from tests.fakes.sending_box import DeskIntake, SendingBox, code_of, reply_of

PACK = {"name": "national", "sha256": "a" * 64, "origin": "shipped"}
STATE: dict[str, Any] = {
    "software": "0.1.0",
    "started_at_ns": 1,
    "settings_sha256": "b" * 64,
    "rule_packs": [PACK],
    "models": [],
    "clock": "kept",
}


def rows(intake: DeskIntake, table: Any) -> list[Any]:
    with intake.desk.database.reading() as db:
        return list(db.execute(select(table)).all())


def told(intake: DeskIntake) -> list[Any]:
    with intake.desk.database.reading() as db:
        return list(db.execute(select(ledger_entries).where(ledger_entries.c.kind == "box_state_changed")).all())


async def test_a_state_is_kept_and_only_a_change_of_it_is_a_new_record(intake: DeskIntake, box: SendingBox) -> None:
    assert reply_of(await box.say("box_state", "box_state", STATE)).kind == "done"
    first_ns = intake.clock()
    intake.clock.move(hours=24)
    await box.say("box_state", "box_state", STATE | {"started_at_ns": 2, "clock": "free"})
    (state,) = rows(intake, box_states)
    assert (state.changed_at_ns, state.heard_at_ns) == (first_ns, intake.clock())
    assert json.loads(state.body)["clock"] == "free"
    assert len(rows(intake, box_state_changes)) == len(told(intake)) == 1
    intake.clock.move(hours=1)
    await box.say("box_state", "box_state", STATE | {"software": "0.2.0"})
    assert [json.loads(row.body)["software"] for row in rows(intake, box_state_changes)] == ["0.1.0", "0.2.0"]
    assert {entry.project_code for entry in told(intake)} == {box.project}


async def test_a_replayed_or_malformed_state_changes_nothing(intake: DeskIntake, box: SendingBox) -> None:
    await box.say("box_state", "box_state", STATE)
    replayed = await box.reception.message(box.sent[-1])
    assert code_of(replayed) == "stale_sequence"
    refused = await box.say("box_state", "box_state", STATE | {"rule_packs": [PACK | {"sha256": "no digest"}]})
    assert code_of(refused) == "invalid_body"
    assert len(rows(intake, box_state_changes)) == 1


async def test_the_clocks_offset_is_what_the_heartbeat_says_against_ours(intake: DeskIntake, box: SendingBox) -> None:
    assert [(row.clock_offset_ns, row.clock_heard_at_ns) for row in rows(intake, boxes)] == [(0, 0)]
    late = box.request(
        "heartbeat", "heartbeat", {"chain": {"seq": 0, "sha256": "0" * 64}, "started_at_ns": 1, "counters": {}}
    )
    intake.clock.move(seconds=5)
    await box.reception.message(late)
    assert [(row.clock_offset_ns, row.clock_heard_at_ns) for row in rows(intake, boxes)] == [
        (-5_000_000_000, intake.clock())
    ]


async def test_a_clock_in_another_age_is_kept_as_far_as_it_can_be_counted(intake: DeskIntake, box: SendingBox) -> None:
    with intake.desk.database.transaction() as db:
        db.execute(update(boxes).values(clock_offset_ns=0))
    now = intake.clock.at_ns
    intake.clock.at_ns = 2**63 - 1
    early = box.request(
        "heartbeat", "heartbeat", {"chain": {"seq": 0, "sha256": "0" * 64}, "started_at_ns": 1, "counters": {}}
    )
    intake.clock.at_ns = now
    assert reply_of(await box.reception.message(early)).kind == "heartbeat_seen"
    assert rows(intake, boxes)[0].clock_offset_ns == 2**62
