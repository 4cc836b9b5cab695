"""A twin speaks the real contract: what it raises is held once, its chain holds, and a dead link loses nothing."""

import io
import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from PIL import Image
from sqlalchemy import select

from contract.messages import BoxState
from regulator.base.records.tables.fleet import box_states
from regulator.twins.box import BoxTwin
from regulator.twins.picture import SIZE_PX, drawn_picture
from regulator.twins.province import ALARMS, made_alarms, made_projects
from tests.fakes.regulator import FakeRegulator, Fault

CAMERA_ALARM = ALARMS[0][0]


@pytest.fixture
def regulator(tmp_path: Path) -> Iterator[FakeRegulator]:
    with FakeRegulator(tmp_path) as running:
        yield running


@pytest.fixture
async def twin(regulator: FakeRegulator) -> AsyncIterator[BoxTwin]:
    ticks = itertools.count()
    async with httpx.AsyncClient(base_url=regulator.url, trust_env=False) as client:
        box = BoxTwin(
            "twin-1", "P-1", client, lambda: next(ticks) + 1_700_000_000_000_000_000, lambda: next(ticks) / 1000
        )
        await box.enrol(regulator.code_for("twin-1"))
        yield box


async def test_alarms_are_held_once_with_their_chain_and_picture(regulator: FakeRegulator, twin: BoxTwin) -> None:
    alarm_id = twin.alarm(CAMERA_ALARM, seed=3)
    twin.returned(CAMERA_ALARM, alarm_id)
    twin.minute("pit-1", 3, 1_700_000_040_000_000_000)
    assert await twin.deliver()
    await twin.heartbeat()
    assert [alert["transition"] for alert in reversed(regulator.store.alerts())] == ["raised", "returned"]
    chain = regulator.store.chain("twin-1")
    assert (chain.state, chain.verified_seq) == ("ok", 2)
    assert len(regulator.store.items("thumbnail")) == len(regulator.store.items("minute_summary")) == 1
    assert len(twin.tally.receipt_ms) == len(twin.tally.accepted) == 6
    assert twin.tally.refused == []


async def test_a_dead_link_loses_nothing_and_doubles_nothing(regulator: FakeRegulator, twin: BoxTwin) -> None:
    twin.alarm(CAMERA_ALARM)
    regulator.fail_next(Fault.LOST_REPLY)
    assert not await twin.deliver()
    regulator.fail_next(Fault.BARE_STATUS, status=503)
    assert not await twin.deliver()
    assert await twin.deliver()
    assert len(regulator.store.alerts()) == 1
    assert twin.tally.retries == 2


async def test_a_refused_item_is_put_aside_and_the_rest_goes_on(regulator: FakeRegulator, twin: BoxTwin) -> None:
    twin.alarm(CAMERA_ALARM)
    regulator.fail_next(Fault.SIGNED_ERROR, code="invalid_body")
    assert await twin.deliver()
    assert twin.tally.refused == ["invalid_body"]
    assert len(regulator.store.alerts()) == 1


async def test_a_wrong_code_enrols_nobody(regulator: FakeRegulator) -> None:
    async with httpx.AsyncClient(base_url=regulator.url, trust_env=False) as client:
        box = BoxTwin("twin-2", "P-1", client, lambda: 1, lambda: 0.0)
        with pytest.raises(httpx.HTTPStatusError):
            await box.enrol("not-a-code-of-ours")


def test_pictures_are_small_jpegs_and_differ() -> None:
    first, second = drawn_picture(1), drawn_picture(2)
    with Image.open(io.BytesIO(first)) as image:
        assert (image.format, image.size) == ("JPEG", SIZE_PX)
    assert len(first) < 6_000
    assert first != second
    assert first == drawn_picture(1)


def test_a_province_is_the_same_every_time_and_has_its_live_project() -> None:
    projects = made_projects(500, live=("LIVE-1", "box-1"))
    assert projects == made_projects(500, live=("LIVE-1", "box-1"))
    assert (projects[0].project_code, projects[0].box_id) == ("LIVE-1", "box-1")
    assert len({project.project_code for project in projects}) == 500
    assert 0 < sum(project.silent for project in projects) < 50
    assert 0 < sum(not project.box_id for project in projects) < 50
    assert {alarm.severity for alarm in itertools.islice(made_alarms(1), 200)} == {"P1", "P2", "P3"}


async def test_a_twin_says_what_it_is_and_claims_no_more(regulator: FakeRegulator, twin: BoxTwin) -> None:
    await twin.tell_state("0.1.0", 7)
    with regulator.store.database.reading() as db:
        state = BoxState.model_validate_json(db.scalar(select(box_states.c.body)))
    assert (state.software, state.rule_packs, state.models, state.clock) == ("0.1.0", (), (), "unknown")
    regulator.fail_next(Fault.CLOSED)
    await twin.tell_state("0.1.0", 7)
    assert twin.tally.retries == 1
