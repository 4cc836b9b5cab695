"""Papers on the desk: each version sealed, a kill between file and chain made good, and damage said and not hidden."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract.chain import ChainHead
from gateway.evidence.evidence import RecordKind
from gateway.parts.shift.paper_desk import NewVersion, OvertakenError, PaperDamagedError
from gateway.parts.shift.paper_store import PaperRow
from tests.fakes.office import Office

ABOUT = "safety_log:2023-11-15"


def version(text: str, based_on: int | None = None) -> NewVersion:
    return NewVersion(RecordKind.SAFETY_LOG, ABOUT, "draft", "officer-1", {"text": text}, based_on)


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    office = Office(tmp_path)
    yield office
    await office.close()


def altered(office: Office, sql: str, *values: object) -> None:
    with sqlite3.connect(office.store.path) as db:
        db.execute(sql, values)


async def test_each_version_is_sealed_with_the_digest_of_its_exact_bytes(office: Office) -> None:
    first, second = await office.desk.add(version("一")), await office.desk.add(version("二 🦺"))
    kept = await office.desk.versions(RecordKind.SAFETY_LOG, ABOUT)
    assert [each.content["text"] for each in kept] == ["一", "二 🦺"]
    assert [each.seq for each in kept] == [first.seq, second.seq] == [1, 2]
    record = json.loads(office.chain.about(ABOUT)[1].body)
    assert record["kind"] == "safety_log"
    assert record["content"]["sha256"] == second.sha256
    assert isinstance(office.alerts.verify(), ChainHead)


async def test_a_version_that_a_kill_left_unsealed_is_sealed_by_whoever_asks_next(office: Office) -> None:
    kept = await office.desk.add(version("一"))
    row = PaperRow(ABOUT, "draft", kept.kept_at_ns + 1, "officer-1", kept.sha256, kept.body)
    await asyncio.wrap_future(office.store.add(row))
    found = await office.desk.versions(RecordKind.SAFETY_LOG, ABOUT)
    assert [each.seq for each in found] == [1, 2]
    assert [each.seq for each in await office.desk.versions(RecordKind.SAFETY_LOG, ABOUT)] == [1, 2]


async def test_two_people_who_write_at_once_do_not_lose_each_others_words(office: Office) -> None:
    await office.desk.add(version("一", based_on=0))
    both = await asyncio.gather(
        office.desk.add(version("甲", based_on=1)), office.desk.add(version("乙", based_on=1)), return_exceptions=True
    )
    lost = [each for each in both if isinstance(each, OvertakenError)]
    assert len(lost) == 1
    assert lost[0].newest.content["text"] in ("甲", "乙")


async def test_a_form_of_before_a_restart_is_overtaken_too(office: Office) -> None:
    await office.desk.add(version("一", based_on=0))
    with pytest.raises(OvertakenError):
        await office.desk.add(version("二", based_on=0))


async def test_a_byte_that_was_altered_is_damage_and_nothing_more_is_written(office: Office) -> None:
    await office.desk.add(version("一"))
    altered(office, "UPDATE paper SET body = ?", '{"text":"二"}'.encode())
    with pytest.raises(PaperDamagedError):
        await office.desk.versions(RecordKind.SAFETY_LOG, ABOUT)
    with pytest.raises(PaperDamagedError):
        await office.desk.add(version("三"))


async def test_a_body_that_was_altered_together_with_its_digest_is_found_by_the_chain(office: Office) -> None:
    import hashlib

    await office.desk.add(version("一"))
    forged = '{"text":"二"}'.encode()
    altered(office, "UPDATE paper SET body = ?, sha256 = ?", forged, hashlib.sha256(forged).hexdigest())
    with pytest.raises(PaperDamagedError, match="gone"):
        await office.desk.versions(RecordKind.SAFETY_LOG, ABOUT)


async def test_a_sealed_version_that_is_gone_is_damage(office: Office) -> None:
    await office.desk.add(version("一"))
    await office.desk.add(version("二"))
    altered(office, "DELETE FROM paper WHERE paper_id = 1")
    with pytest.raises(PaperDamagedError, match="gone"):
        await office.desk.versions(RecordKind.SAFETY_LOG, ABOUT)


async def test_versions_in_another_order_are_damage(office: Office) -> None:
    await office.desk.add(version("一"))
    await office.desk.add(version("二"))
    altered(office, "UPDATE paper SET paper_id = 9 WHERE paper_id = 1")
    with pytest.raises(PaperDamagedError, match="not sealed"):
        await office.desk.versions(RecordKind.SAFETY_LOG, ABOUT)


async def test_who_stops_waiting_does_not_stop_the_sealing(office: Office) -> None:
    waiting = asyncio.create_task(office.desk.add(version("一")))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    found = await office.desk.versions(RecordKind.SAFETY_LOG, ABOUT)
    assert [each.content["text"] for each in found] == ["一"]
    assert len(office.chain.about(ABOUT)) == 1


async def test_papers_survive_a_restart(tmp_path: Path) -> None:
    office = Office(tmp_path)
    await office.desk.add(version("一"))
    await office.close()
    office = Office(tmp_path)
    assert [each.seq for each in await office.desk.versions(RecordKind.SAFETY_LOG, ABOUT)] == [1]
    await office.close()
