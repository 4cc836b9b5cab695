"""The safety log of a day: drafts, a signature that freezes it, supplements, and what is missing the morning after."""

import asyncio
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from gateway.parts.shift.free_text import TextTooLongError
from gateway.parts.shift.paper_desk import OvertakenError
from gateway.parts.shift.safety_log import (
    DayNotBegunError,
    LogField,
    LogState,
    NothingWrittenError,
    NotSignedYetError,
    SignedAlreadyError,
    log_day,
)
from tests.fakes.office import Office

TODAY = date(2023, 11, 15)
TEXTS = {LogField.INSPECTION: "巡查临边防护 <ok> 🦺", LogField.MEASURES: "已复查"}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    office = Office(tmp_path)
    yield office
    await office.close()


async def test_a_day_that_nobody_wrote_of_shows_what_the_box_knows(office: Office) -> None:
    log = await office.logs.log(TODAY)
    assert (log.state, log.versions, log.signed) == (LogState.EMPTY, 0, None)
    assert log.sheet.sections[0].rows[0][1].words.zh == "3.1 m/s"
    assert set(log.texts.values()) == {""}


async def test_a_draft_keeps_the_words_and_what_the_box_knows_goes_on(office: Office) -> None:
    await office.logs.save(TODAY, TEXTS, "officer-1", 0)
    office.wind = "9.9 m/s"
    log = await office.logs.log(TODAY)
    assert (log.state, log.versions) == (LogState.DRAFT, 1)
    assert log.texts[LogField.INSPECTION] == TEXTS[LogField.INSPECTION]
    assert log.sheet.sections[0].rows[0][1].words.zh == "9.9 m/s"


async def test_a_signature_freezes_the_words_and_what_the_box_knew(office: Office) -> None:
    await office.logs.save(TODAY, {LogField.INSPECTION: "草稿"}, "officer-1", 0)
    signed = await office.logs.sign(TODAY, TEXTS, "officer-2", 1)
    office.wind = "99 m/s"
    log = await office.logs.log(TODAY)
    assert log.state is LogState.SIGNED
    assert log.signed is not None
    assert (log.signed.user, log.signed.sha256, log.signed.seq) == ("officer-2", signed.sha256, 2)
    assert log.texts[LogField.MEASURES] == "已复查"
    assert log.sheet.sections[0].rows[0][1].words.zh == "3.1 m/s"


async def test_a_signed_log_takes_no_more_words_and_no_second_signature(office: Office) -> None:
    await office.logs.sign(TODAY, TEXTS, "officer-1", 0)
    with pytest.raises(SignedAlreadyError):
        await office.logs.save(TODAY, TEXTS, "officer-1", 1)
    with pytest.raises(SignedAlreadyError):
        await office.logs.sign(TODAY, TEXTS, "officer-1", 1)
    assert (await office.logs.log(TODAY)).versions == 1


async def test_two_who_sign_at_once_leave_one_signature(office: Office) -> None:
    signing = [office.logs.sign(TODAY, TEXTS, f"officer-{n}", 0) for n in range(2)]
    outcome = await asyncio.gather(*signing, return_exceptions=True)
    refused = [each for each in outcome if isinstance(each, SignedAlreadyError | OvertakenError)]
    assert len(refused) == 1
    assert (await office.logs.log(TODAY)).versions == 1


async def test_a_supplement_is_added_and_names_what_it_belongs_to(office: Office) -> None:
    signed = await office.logs.sign(TODAY, TEXTS, "officer-1", 0)
    await office.logs.supplement(TODAY, "补充：19 时复查合格", "officer-1")
    log = await office.logs.log(TODAY)
    assert log.state is LogState.SIGNED
    assert [each.content["text"] for each in log.supplements] == ["补充：19 时复查合格"]
    assert log.supplements[0].content["to_sha256"] == signed.sha256
    assert log.texts[LogField.INSPECTION] == TEXTS[LogField.INSPECTION]


async def test_a_supplement_needs_a_signed_log_and_words(office: Office) -> None:
    with pytest.raises(NotSignedYetError):
        await office.logs.supplement(TODAY, "补充", "officer-1")
    await office.logs.sign(TODAY, TEXTS, "officer-1", 0)
    with pytest.raises(NothingWrittenError):
        await office.logs.supplement(TODAY, "  \n", "officer-1")


async def test_nobody_signs_a_log_without_an_inspection(office: Office) -> None:
    with pytest.raises(NothingWrittenError) as caught:
        await office.logs.sign(TODAY, {LogField.REMARKS: "无"}, "officer-1", 0)
    assert caught.value.args == (LogField.INSPECTION,)
    assert (await office.logs.log(TODAY)).versions == 0


async def test_a_text_that_is_too_long_keeps_nothing(office: Office) -> None:
    with pytest.raises(TextTooLongError):
        await office.logs.save(TODAY, {LogField.HAZARDS: "患" * 4001}, "officer-1", 0)
    assert (await office.logs.log(TODAY)).versions == 0
    await office.logs.save(TODAY, dict.fromkeys(LogField, "🦺" * 4000), "officer-1", 0)
    assert len((await office.logs.log(TODAY)).texts[LogField.HAZARDS]) == 4000


async def test_tomorrow_has_no_log_and_the_day_begins_at_local_midnight(office: Office) -> None:
    with pytest.raises(DayNotBegunError):
        await office.logs.log(TODAY + timedelta(days=1))
    await office.clock.advance(18 * 3600)
    assert office.logs.today() == TODAY + timedelta(days=1)
    assert (await office.logs.log(TODAY + timedelta(days=1))).state is LogState.EMPTY


async def test_a_day_that_went_by_unsigned_is_missing_though_there_is_a_draft(office: Office) -> None:
    yesterday = TODAY - timedelta(days=1)
    await office.logs.save(yesterday, TEXTS, "officer-1", 0)
    assert (await office.logs.log(yesterday)).state is LogState.MISSING
    await office.logs.sign(yesterday, TEXTS, "officer-1", 1)
    lines = office.logs.recent(9)
    assert [(line.day, line.state) for line in lines] == [(TODAY, LogState.EMPTY), (yesterday, LogState.SIGNED)]
    await office.clock.advance(2 * 86_400)
    states = [line.state for line in office.logs.recent(9)]
    assert states == [LogState.EMPTY, LogState.MISSING, LogState.MISSING, LogState.SIGNED]


async def test_days_before_the_box_ran_are_nobodys_fault(office: Office) -> None:
    assert [line.day for line in office.logs.recent(9)] == [TODAY]


def test_a_day_is_one_of_the_sites_calendar_and_not_before_our_century() -> None:
    span = log_day(TODAY)
    assert span.to_ns - span.from_ns == 86_400_000_000_000
    assert span.from_ns == 1_699_977_600_000_000_000
    with pytest.raises(DayNotBegunError):
        log_day(date(1899, 1, 1))
