"""A disk that takes nothing any more: alarms leave from memory, marked, and are sealed once the disk is back."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.store.alert_store import open_for_reading
from regulator.intake.holdings import Holdings
from regulator.records.tables.intake import alarms
from tests.fakes.demo_box import RULE, DemoBox, alerts_per_overload
from tests.fakes.failing_disk import failing_disk
from tests.fakes.regulator_process import regulator_process
from tests.fakes.sim_field import sim_field
from tests.fakes.waiting import wait_until

pytestmark = pytest.mark.alone

OVERLOAD = (
    "--overload-first-s",
    "3",
    "--overload-every-s",
    "8.5",
    "--overload-jitter-s",
    "0.5",
    "--overload-for-s",
    "3",
)


def test_alarms_leave_a_box_whose_disk_is_read_only_and_are_sealed_when_it_is_back(tmp_path: Path) -> None:
    with (
        failing_disk(tmp_path) as disk,
        sim_field(tmp_path, *OVERLOAD) as field,
        regulator_process(tmp_path, "demo-box", "DEMO-0001") as regulator,
        DemoBox(tmp_path, field, regulator.url, tmp_path / "code", disk.folder / "box") as box,
    ):
        box.gateway.start()
        wait_until(lambda: box.gateway.metric("sitewarden_polls") > 20, "polls before the disk fails")
        begun = len(field.overloads())
        wait_until(lambda: box.pending() == 0 and alerts(tmp_path), "everything at the regulator")
        disk.fail()
        seen = len(field.overloads())
        wait_until(lambda: len(ended(field)) >= seen + 2, "overloads on the dead disk", 60)
        dead_time = ended(field)[seen : seen + 2]
        wait_until(lambda: alerts_per_overload(dead_time, alerts(tmp_path)) == [1, 1], "their alerts, disk still dead")
        assert box.gateway.get("/api/health")["store_failing"]
        keys = {row["key"] for row in raised_in(dead_time, alerts(tmp_path))}
        assert keys <= unsealed_at_desk(tmp_path)
        disk.come_back()
        wait_until(lambda: not box.gateway.get("/api/health")["store_failing"], "the disk taken up again")
        wait_until(lambda: box.pending() == 0, "an empty outbox")
        told = told_unsealed(box)
        assert {each["event_id"] for each in told} >= keys
        assert all(each["told_at_ns"] < each["sealed_at_ns"] for each in told)
        box.gateway.stop()
        counts = alerts_per_overload(ended(field)[begun:], alerts(tmp_path))
        assert counts == [1] * len(counts)
        box.assert_chain_holds()
        assert unsealed_at_desk(tmp_path) == set()


@pytest.mark.parametrize("ended_by", ["an orderly stop", "kill -9"])
def test_a_start_on_a_read_only_disk_alarms_and_seals_when_the_disk_is_back(tmp_path: Path, ended_by: str) -> None:
    with (
        failing_disk(tmp_path) as disk,
        sim_field(tmp_path, *OVERLOAD) as field,
        regulator_process(tmp_path, "demo-box", "DEMO-0001") as regulator,
        DemoBox(tmp_path, field, regulator.url, tmp_path / "code", disk.folder / "box") as box,
    ):
        box.gateway.start()
        wait_until(lambda: standing(tmp_path) == 0, "alarms raised and returned", 40)
        box.gateway.kill() if ended_by == "kill -9" else box.gateway.stop()
        disk.only_read()
        box.gateway.start()
        seen = len(field.overloads())
        wait_until(lambda: len(ended(field)) >= seen + 2, "overloads on the read-only disk", 60)
        dead_time = ended(field)[seen : seen + 2]
        wait_until(lambda: alerts_per_overload(dead_time, alerts(tmp_path)) == [1, 1], "their alerts")
        assert box.gateway.get("/api/health")["store_failing"]
        keys = {row["key"] for row in raised_in(dead_time, alerts(tmp_path))}
        assert keys <= unsealed_at_desk(tmp_path)
        disk.written_again()
        wait_until(lambda: not box.gateway.get("/api/health")["store_failing"], "the disk taken up again")
        wait_until(lambda: {each["event_id"] for each in told_unsealed(box)} >= keys, "what was told is sealed")
        box.gateway.stop()
        assert any("in memory" in gap["reason"] for gap in box.records("history_gap"))
        box.assert_chain_holds()


def standing(folder: Path) -> int:
    """Alarms of the 100 % rule that have not returned; -1 while none was ever raised."""
    found = [row["transition"] for row in alerts(folder) if row["rule_id"] == RULE]
    return found.count("raised") - found.count("returned") if found else -1


def told_unsealed(box: DemoBox) -> list[dict[str, Any]]:
    bodies = [json.loads(record.body) for record in open_for_reading(box.storage).all_evidence()]
    return [body["content"]["told_unsealed"] for body in bodies if "told_unsealed" in body["content"]]


def raised_in(overloads, held):
    since = overloads[0].started_at_ns
    until = overloads[-1].ended_at_ns
    return [row for row in held if row["transition"] == "raised" and since <= row["observed_at_ns"] <= until]


def ended(field):
    return [overload for overload in field.overloads() if overload.ended_at_ns]


def alerts(folder: Path) -> list[dict[str, Any]]:
    store = Holdings.at(folder / "regulator.db")
    try:
        return store.alerts()
    finally:
        store.close()


def unsealed_at_desk(folder: Path) -> set[str]:
    """Alarms that the desk holds without a record."""
    store = Holdings.at(folder / "regulator.db")
    try:
        with store.database.reading() as db:
            return set(db.scalars(select(alarms.c.raised_event).where(alarms.c.evidence_seq == 0)))
    finally:
        store.close()
