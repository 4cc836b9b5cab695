"""The shift handover: two people, each with an own signature; what was handed over changes no more."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.parts.shift.handover import (
    HandedAlreadyError,
    HandoverState,
    NotHandedError,
    NotYoursError,
    SamePersonError,
    number_of,
)
from gateway.parts.shift.paper_desk import OvertakenError
from tests.fakes.office import Office


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    office = Office(tmp_path)
    yield office
    await office.close()


async def test_one_hands_over_and_another_takes_over(office: Office) -> None:
    await office.handovers.save("塔吊 2 号限位已报修", "out-1", 0)
    await office.handovers.hand("塔吊 2 号限位已报修，待复查", "out-1", 1)
    office.wind = "20 m/s"
    waiting = await office.handovers.open()
    assert (waiting.number, waiting.state, waiting.taken) == (1, HandoverState.HANDED, None)
    assert waiting.sheet.sections[0].rows[0][1].words.zh == "3.1 m/s"
    await office.handovers.take(1, "已到现场核对", "in-1")
    done = await office.handovers.handover(1)
    assert done.state is HandoverState.TAKEN
    assert done.handed is not None
    assert done.taken is not None
    assert (done.handed.user, done.taken.user) == ("out-1", "in-1")
    assert done.taken.content["to_sha256"] == done.handed.sha256


async def test_nobody_takes_over_from_themselves(office: Office) -> None:
    await office.handovers.hand("", "out-1", 0)
    with pytest.raises(SamePersonError):
        await office.handovers.take(1, "", "out-1")
    assert (await office.handovers.open()).state is HandoverState.HANDED


async def test_a_shift_is_taken_over_once(office: Office) -> None:
    await office.handovers.hand("", "out-1", 0)
    both = await asyncio.gather(
        office.handovers.take(1, "", "in-1"), office.handovers.take(1, "", "in-2"), return_exceptions=True
    )
    assert [type(each) for each in both if isinstance(each, Exception)] == [NotHandedError]
    assert (await office.handovers.handover(1)).versions == 2


async def test_what_waits_takes_no_more_notes(office: Office) -> None:
    await office.handovers.hand("", "out-1", 0)
    with pytest.raises(HandedAlreadyError):
        await office.handovers.save("还有一件事", "out-1", 1)


async def test_only_whoever_handed_over_withdraws_and_the_notes_stay(office: Office) -> None:
    await office.handovers.hand("交接内容", "out-1", 0)
    with pytest.raises(NotYoursError):
        await office.handovers.withdraw(1, "in-1")
    await office.handovers.withdraw(1, "out-1")
    again = await office.handovers.open()
    assert (again.number, again.state, again.notes, again.handed) == (1, HandoverState.DRAFT, "交接内容", None)
    with pytest.raises(NotHandedError):
        await office.handovers.take(1, "", "in-1")
    await office.handovers.hand("更正后的内容", "out-1", again.versions)
    assert (await office.handovers.open()).notes == "更正后的内容"


async def test_nothing_is_taken_that_was_never_handed_over(office: Office) -> None:
    with pytest.raises(NotHandedError):
        await office.handovers.take(7, "", "in-1")
    with pytest.raises(NotHandedError):
        await office.handovers.withdraw(1, "out-1")


async def test_the_next_handover_begins_when_the_last_is_done(office: Office) -> None:
    for shift in range(11):
        await office.handovers.hand(f"第 {shift} 班", f"person-{shift}", 0)
        await office.handovers.take(shift + 1, "", f"person-{shift + 1}")
    assert (await office.handovers.open()).number == 12
    assert (await office.handovers.open()).state is HandoverState.EMPTY
    assert [number_of(head) for head in office.handovers.past(3)] == [11, 10, 9]


async def test_a_form_that_was_opened_before_the_last_shift_ended_is_overtaken(office: Office) -> None:
    await office.handovers.save("一", "out-1", 0)
    with pytest.raises(OvertakenError):
        await office.handovers.save("二", "out-2", 0)
