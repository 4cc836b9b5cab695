import asyncio
import json
from pathlib import Path

import pytest

from gateway.line.intake import Intake
from gateway.line.quarantine import MAX_FILE_BYTES, MAX_PAYLOAD_BYTES, Quarantine
from gateway.model.reading import Readings
from tests.fakes.site import layout, poll, until

LAYOUT = layout(3)


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return Intake(2, Quarantine(tmp_path / "aside"))


async def test_polls_leave_in_the_order_they_came(intake: Intake) -> None:
    assert intake.offer(poll(LAYOUT, 1.0))
    assert intake.offer(poll(LAYOUT, 2.0))
    batch = await intake.take(10, 0)
    assert [arrival.readings.value[0] for arrival in batch] == [1.0, 2.0]
    assert all(arrival.kept is None for arrival in batch)
    assert (intake.received, intake.values) == (2, 6)


async def test_a_full_queue_skips_a_poll_counts_it_and_names_its_points(intake: Intake) -> None:
    for _ in range(2):
        intake.offer(poll(LAYOUT, 1.0))
    assert not intake.offer(poll(LAYOUT, 3.0))
    assert intake.skipped == {"host-1": 1}
    assert [points.tolist() for points in intake.take_skipped()] == [[0, 1, 2]]
    assert intake.take_skipped() == []
    assert intake.received == 2


async def test_malformed_readings_are_set_aside_and_harm_nobody(intake: Intake, tmp_path: Path) -> None:
    good = poll(LAYOUT, 1.0)
    broken = Readings("host-1", good.point_index, good.value[:2], good.quality, 1, 1)
    assert not intake.offer(broken)
    kept = await intake.put(broken)
    await asyncio.wait_for(kept, 1)
    assert intake.offer(good)
    assert len(await intake.take(10, 0)) == 1
    assert intake.set_aside_count == {"host-1": 2}
    reason = json.loads((tmp_path / "aside" / "host-1.jsonl").read_text().splitlines()[0])["reason"]
    assert reason == "malformed readings: found points (3,), values (2,), qualities (3,), expected one shape"


async def test_a_message_waits_for_room_instead_of_being_skipped(intake: Intake) -> None:
    for _ in range(2):
        intake.offer(poll(LAYOUT, 1.0))
    waiting = [asyncio.create_task(_put(intake, float(n))) for n in (5, 6)]
    await asyncio.sleep(0)
    assert len(intake) == 2
    assert len(await intake.take(1, 0)) == 1
    await until(waiting[0].done)
    assert not waiting[1].done()
    assert len(await intake.take(10, 0)) == 2
    await until(waiting[1].done)
    assert [arrival.readings.value[0] for arrival in await intake.take(10, 0)] == [6.0]


async def _put(intake: Intake, value: float) -> None:
    await intake.put(poll(LAYOUT, value))


async def test_an_empty_queue_waits_and_then_gives_nothing(intake: Intake) -> None:
    assert await intake.take(10, 0.001) == []
    taking = asyncio.create_task(intake.take(10, 10))
    await asyncio.sleep(0)
    intake.offer(poll(LAYOUT, 1.0))
    assert len(await taking) == 1


async def test_what_nobody_understands_is_kept_with_its_reason(tmp_path: Path, intake: Intake) -> None:
    intake.set_aside("host-1", b"\xff\x00{", "not JSON")
    assert intake.set_aside_count == {"host-1": 1}
    entry = json.loads((tmp_path / "aside" / "host-1.jsonl").read_text())
    assert (entry["reason"], entry["bytes"], entry["payload"]) == ("not JSON", 3, "\\xff\x00{")


def test_the_quarantine_is_bounded_and_keeps_the_newest(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    for n in range(2 * MAX_FILE_BYTES // MAX_PAYLOAD_BYTES + 100):
        quarantine.keep("host-1", b"x" * 2 * MAX_PAYLOAD_BYTES, f"number {n}")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["host-1.1.jsonl", "host-1.jsonl"]
    assert all(p.stat().st_size < MAX_FILE_BYTES + 2 * MAX_PAYLOAD_BYTES for p in tmp_path.iterdir())
    last = json.loads((tmp_path / "host-1.jsonl").read_text().splitlines()[-1])
    assert (last["reason"], last["bytes"], len(last["payload"])) == (
        f"number {n}",
        2 * MAX_PAYLOAD_BYTES,
        MAX_PAYLOAD_BYTES,
    )


def test_a_quarantine_that_cannot_be_written_costs_only_the_entry(tmp_path: Path) -> None:
    quarantine = Quarantine(tmp_path)
    (tmp_path / "host-1.jsonl").mkdir()
    quarantine.keep("host-1", b"x", "no room")
    quarantine.keep("host-2", b"x", "fine")
    assert (tmp_path / "host-2.jsonl").exists()
