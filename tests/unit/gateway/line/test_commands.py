"""Notes, judgements and hand-overs: sealed beside the alarm, told to the regulator once, known after a restart."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from contract.messages import AlarmTransition
from gateway.alarms import CommandError, Refusal
from gateway.evidence.evidence import MAX_REASON_CHARS, RecordKind
from gateway.line.commands import AlarmCommands
from gateway.model.alarm import Severity
from gateway.model.alarm_note import FalseAlarmCause
from gateway.model.alert import Receipt
from gateway.store.alarm_history import AlarmHistory
from tests.fakes.site import NOW_NS, REGULATOR, Site, info, layout, points, poll, threshold, until

RULES = [threshold(0, rule=info("quiet", Severity.P3, reportable=False)), threshold(1, rule=info("loud"))]


def _site(folder: Path, **options: Any) -> Site:
    return Site(folder, points(), RULES, **options)


def _commands(site: Site) -> AlarmCommands:
    return AlarmCommands(lambda: site.alarms, site.recorder, site.clock, site.alerts)


async def _value(site: Site, value: float) -> None:
    judged = site.pipeline.judged_polls
    site.intake.offer(poll(layout(), value, NOW_NS))
    await until(lambda: site.pipeline.judged_polls > judged and site.recorder.last_in_line() is None)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = _site(tmp_path)
    site.start()
    await _value(site, 120.0)
    yield site
    await site.stop()


def _id(site: Site, rule: str) -> str:
    return next(alarm.alarm_id for alarm in site.alerts.open_alarms() if alarm.rule.rule_id == rule)


def _sent(site: Site) -> list[AlarmTransition]:
    items = [item for item in site.alerts.pending("regulator", 100) if item.kind == "alarm_transition"]
    return [AlarmTransition.model_validate_json(item.body) for item in items]


async def test_a_note_is_sealed_under_the_alarm_and_changes_nothing(site: Site) -> None:
    before = site.alerts.open_alarms()
    seq = await _commands(site).note(_id(site, "loud"), "李工", "第一行\n第二行 <b>&")
    record = site.alerts.evidence_of(_id(site, "loud"))[-1]
    content = json.loads(record.body)["content"]
    assert (record.seq, record.kind) == (seq, RecordKind.ALARM_NOTE)
    assert (content["transition"], content["user"], content["reason"]) == ("noted", "李工", "第一行\n第二行 <b>&")
    assert site.alerts.open_alarms() == before
    assert [message.transition for message in _sent(site)] == ["raised"]


async def test_a_judgement_leaves_the_alarm_calling(site: Site) -> None:
    alarm_id = _id(site, "loud")
    commands = _commands(site)
    await commands.false_alarm(alarm_id, FalseAlarmCause.SENSOR_FAULT, "李工", "传感器进水")
    alarm = commands.alarm(alarm_id)
    assert alarm is not None
    assert (alarm.active, alarm.acknowledged, alarm.silenced) == (True, False, False)
    assert commands.judgement(alarm_id).false_alarm is FalseAlarmCause.SENSOR_FAULT
    await commands.withdraw_judgement(alarm_id, "李工", "复核属实")
    assert commands.judgement(alarm_id).false_alarm is None


async def test_an_alarm_that_was_never_sent_is_handed_over_whole_and_once(site: Site) -> None:
    alarm_id, commands = _id(site, "quiet"), _commands(site)
    assert not [message for message in _sent(site) if message.alarm_id == alarm_id]
    seq = await commands.hand_over(alarm_id, "李工", "现场属实")
    with pytest.raises(CommandError) as refused:
        await commands.hand_over(alarm_id, "王工", "再报一次")
    assert refused.value.refusal is Refusal.ALREADY_HANDED_OVER
    (message,) = [message for message in _sent(site) if message.alarm_id == alarm_id]
    assert (message.transition, message.user, message.reason) == ("handed_over", "李工", "现场属实")
    assert (message.event_id, message.evidence_seq) == (f"{alarm_id}:handed_over", seq)
    assert (message.measured, message.limit, message.raised_at_ns) == ("120.0", "100.0", NOW_NS)


async def test_two_hand_overs_at_once_are_one(site: Site) -> None:
    alarm_id, commands = _id(site, "quiet"), _commands(site)
    done = [commands.hand_over(alarm_id, user, "属实") for user in ("李工", "王工")]
    outcomes = await asyncio.gather(*done, return_exceptions=True)
    assert [isinstance(outcome, CommandError) for outcome in outcomes] == [False, True]
    assert [message.user for message in _sent(site) if message.alarm_id == alarm_id] == ["李工"]


async def test_a_closed_alarm_can_still_be_noted_judged_and_handed_over(site: Site) -> None:
    alarm_id, commands = _id(site, "quiet"), _commands(site)
    await commands.acknowledge(alarm_id, "李工", "看到")
    await _value(site, 1.0)
    assert alarm_id not in {alarm.alarm_id for alarm in site.alerts.open_alarms()}
    await _value(site, 130.0)
    again = _id(site, "quiet")
    await commands.note(alarm_id, "李工", "事后补记")
    await commands.false_alarm(alarm_id, FalseAlarmCause.DUPLICATE, "李工", "重复")
    await commands.hand_over(alarm_id, "李工", "补报")
    assert _id(site, "quiet") == again, "a word about the old episode leaves the new one alone"
    assert site.alerts.alarm(alarm_id) is not None
    assert not site.alerts.alarm(alarm_id).active  # type: ignore[union-attr]


async def test_what_was_said_is_known_after_a_restart(tmp_path: Path) -> None:
    site = _site(tmp_path)
    site.start()
    await _value(site, 120.0)
    alarm_id, commands = _id(site, "loud"), _commands(site)
    await commands.false_alarm(alarm_id, FalseAlarmCause.OTHER, "李工", "试吊")
    await commands.hand_over(alarm_id, "李工", "属实")
    await commands.note(alarm_id, "李工", "记录")
    said = commands.judgement(alarm_id)
    await site.stop()
    again = _site(tmp_path)
    try:
        assert _commands(again).judgement(alarm_id) == said
        with pytest.raises(CommandError):
            await _commands(again).hand_over(alarm_id, "王工", "再报")
    finally:
        again.close()


async def test_without_a_regulator_nothing_is_handed_over(tmp_path: Path) -> None:
    site = _site(tmp_path, routes=())
    site.start()
    await _value(site, 120.0)
    with pytest.raises(CommandError) as refused:
        await _commands(site).hand_over(_id(site, "loud"), "李工", "属实")
    assert refused.value.refusal is Refusal.NO_REGULATOR
    assert _commands(site).judgement(_id(site, "loud")).handed_over_at_ns == 0
    await site.stop()


async def test_of_an_alarm_that_never_was_nothing_is_said(site: Site) -> None:
    for said in (_commands(site).note("nonsense", "李工", "?"), _commands(site).hand_over("nonsense", "李工", "?")):
        with pytest.raises(CommandError) as refused:
            await said
        assert refused.value.refusal is Refusal.NO_ALARM


async def test_a_long_reason_is_whole_in_the_chain_and_fits_the_message(site: Site) -> None:
    alarm_id = _id(site, "loud")
    words = "字" * MAX_REASON_CHARS + "（批量确认，共 2 条）"
    await _commands(site).acknowledge(alarm_id, "李工", words)
    assert json.loads(site.alerts.evidence_of(alarm_id)[-1].body)["content"]["reason"] == words
    (message,) = [message for message in _sent(site) if message.transition == "acknowledged"]
    assert (len(message.reason), message.reason[-1]) == (MAX_REASON_CHARS, "…")


async def test_what_the_regulator_was_told_is_known_with_its_answer(site: Site) -> None:
    alarm_id, history = _id(site, "quiet"), AlarmHistory(site.alerts.path)
    assert history.reports(alarm_id, site.recorder.regulators) == []
    await _commands(site).hand_over(alarm_id, "李工", "属实")
    (report,) = history.reports(alarm_id, site.recorder.regulators)
    assert (report.transition, report.state, report.resolved_at_ns) == ("handed_over", "pending", 0)
    (item,) = [item for item in site.alerts.pending("regulator", 100) if item.key == f"{alarm_id}:handed_over"]
    await asyncio.wrap_future(site.alerts.resolve([(item, Receipt.accepted("r-1"))], NOW_NS + 5))
    (report,) = history.reports(alarm_id, site.recorder.regulators)
    assert (report.state, report.resolved_at_ns) == ("accepted", NOW_NS + 5)


async def test_a_notifier_takes_no_hand_over() -> None:
    assert REGULATOR.takes_hand_overs
    people = type(REGULATOR)("sms", takes_alerts=True, takes_evidence=False, reportable_only=False, tells_people=True)
    assert not people.takes_hand_overs


async def test_several_with_a_p1_among_them_are_not_acknowledged_together(site: Site) -> None:
    commands = _commands(site)
    commands.check_together([_id(site, "quiet")])
    with pytest.raises(CommandError) as refused:
        commands.check_together([_id(site, "quiet"), _id(site, "loud")])
    assert refused.value.refusal is Refusal.P1_ALONE
    with pytest.raises(CommandError):
        commands.check_together(["nonsense"])
