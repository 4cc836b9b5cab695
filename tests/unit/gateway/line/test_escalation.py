import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from gateway.evidence.evidence import NO_SCREEN, RecordKind, unacknowledged
from gateway.line.escalation import Escalation
from gateway.line.recorder import Route
from gateway.model.alarm import Severity
from gateway.model.verdict import Truth, Verdicts
from tests.fakes.site import NOW_NS, REGULATOR, SECOND_NS, Site, info, points, threshold, until

LATE = unacknowledged(120)
PEOPLE = Route("people", True, False, False, tells_people=True, escalations=True)
QUIET = Route("quiet", True, False, False, tells_people=True)
RULES = [
    threshold(0, rule=info("p1", Severity.P1)),
    threshold(1, rule=info("p2", Severity.P2)),
    threshold(2, rule=info("p3", Severity.P3)),
]


class Watch:
    """A small site whose escalation the test asks to look, and how many screens it has."""

    def __init__(self, folder: Path) -> None:
        self.site = Site(folder, points(), RULES, routes=(REGULATOR, PEOPLE, QUIET))
        self.screens = 1
        self.escalation = self.begin()
        self.task = asyncio.create_task(self.site.recorder.run())

    def begin(self) -> Escalation:
        site = self.site
        return Escalation(
            lambda: site.alarms,
            lambda: self.screens,
            site.recorder,
            site.clock,
            p1_after_s=120,
            no_screen_after_s=120,
        )

    def step(self, row: int, truth: Truth) -> str:
        rows, truths = np.array([row], dtype=np.int32), np.array([truth], dtype=np.uint8)
        now_ns = self.site.clock.now_ns()
        (transition,) = self.site.alarms.step(Verdicts(rows, truths, np.array([120.0]), now_ns))
        self.site.recorder.record_transition(transition, None, ())
        return transition.alarm.alarm_id

    async def after(self, seconds: float) -> list[tuple[str, str]]:
        """Look now, and again after `seconds`; what has been sealed as an escalation so far."""
        self.escalation.check()
        await self.site.clock.advance(seconds)
        self.escalation.check()
        await until(lambda: self.site.recorder.last_in_line() is None)
        records = [r for r in self.site.alerts.all_evidence() if r.kind == RecordKind.ESCALATION]
        return [(json.loads(r.body)["content"]["alarm"]["rule_id"], _because(r.body)) for r in records]

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        self.site.close()


def _because(body: bytes) -> str:
    return str(json.loads(body)["content"]["reason"])


@pytest.fixture
async def watch(tmp_path: Path) -> AsyncIterator[Watch]:
    watch = Watch(tmp_path)
    yield watch
    await watch.close()


async def test_a_p1_escalates_when_nobody_acknowledges_it_in_time(watch: Watch) -> None:
    watch.step(0, Truth.TRUE)
    assert await watch.after(119.9) == []
    assert await watch.after(0.1) == [("p1", LATE)]
    assert await watch.after(600) == [("p1", LATE)], "once for an episode and reason"


async def test_an_escalation_goes_to_the_named_uplink_only(watch: Watch) -> None:
    alarm_id = watch.step(0, Truth.TRUE)
    await watch.after(120)
    (item,) = [item for item in watch.site.alerts.pending("people", 10) if item.kind == "escalation"]
    assert item.key == f"{alarm_id}:escalation:unacknowledged-120-s"
    body = json.loads(item.body)
    assert (body["because"], body["alarm_id"], body["severity"]) == (LATE, alarm_id, "P1")
    for name in ("regulator", "quiet"):
        assert {item.kind for item in watch.site.alerts.pending(name, 10)} <= {"alarm_transition", "evidence_record"}


async def test_an_acknowledged_p1_does_not_escalate(watch: Watch) -> None:
    alarm_id = watch.step(0, Truth.TRUE)
    watch.site.alarms.acknowledge(alarm_id, "li", "seen", NOW_NS)
    watch.screens = 0
    assert await watch.after(600) == []


async def test_a_p1_that_returned_unseen_escalates_all_the_same(watch: Watch) -> None:
    watch.step(0, Truth.TRUE)
    watch.step(0, Truth.FALSE)
    assert await watch.after(120) == [("p1", LATE)]


async def test_a_p2_waits_as_long_as_a_screen_listens(watch: Watch) -> None:
    watch.step(1, Truth.TRUE)
    assert await watch.after(3600) == []
    watch.screens = 0
    assert await watch.after(119) == []
    assert await watch.after(1) == [("p2", NO_SCREEN)]


async def test_a_screen_that_comes_in_between_starts_the_time_again(watch: Watch) -> None:
    watch.step(1, Truth.TRUE)
    watch.screens = 0
    assert await watch.after(100) == []
    watch.screens = 1
    assert await watch.after(1) == []
    watch.screens = 0
    assert await watch.after(119) == []
    assert await watch.after(2) == [("p2", NO_SCREEN)]


async def test_a_box_that_was_long_alone_still_gives_a_new_alarm_its_time(watch: Watch) -> None:
    watch.screens = 0
    await watch.after(3600)
    watch.step(1, Truth.TRUE)
    assert await watch.after(119) == []
    assert await watch.after(1) == [("p2", NO_SCREEN)]


async def test_a_p3_and_what_is_put_aside_escalate_to_nobody(watch: Watch) -> None:
    watch.screens = 0
    watch.step(2, Truth.TRUE)
    shelved = watch.step(1, Truth.TRUE)
    watch.site.alarms.shelve(shelved, 3600, "li", "sensor on order", watch.site.clock.now_ns())
    watch.step(0, Truth.TRUE)
    watch.site.alarms.out_of_service("crane-1.q0", 3600, "li", "new load cell", watch.site.clock.now_ns())
    assert await watch.after(600) == []


async def test_setting_the_clock_neither_hastens_nor_delays(watch: Watch) -> None:
    watch.step(0, Truth.TRUE)
    assert await watch.after(60) == []
    watch.site.clock.step_wall(7200)
    assert await watch.after(59) == []
    watch.site.clock.step_wall(-14_400)
    assert await watch.after(1) == [("p1", LATE)]


async def test_a_restart_neither_forgets_the_time_that_passed_nor_escalates_twice(watch: Watch) -> None:
    watch.step(0, Truth.TRUE)
    assert await watch.after(100) == []
    watch.escalation = watch.begin()
    assert await watch.after(20) == [("p1", LATE)]
    kept = watch.site.alerts.open_alarms()
    assert [alarm.escalated for alarm in kept] == [(LATE,)]
    watch.site.alarms.restore(kept)
    watch.escalation = watch.begin()
    assert await watch.after(600) == [("p1", LATE)]


async def test_it_looks_by_itself_once_a_second(watch: Watch) -> None:
    watch.step(0, Truth.TRUE)
    task = asyncio.create_task(watch.escalation.run())
    await watch.site.clock.advance(121.0)
    await until(lambda: any(alarm.escalated for alarm in watch.site.alerts.open_alarms()))
    task.cancel()
    assert watch.site.clock.now_ns() == NOW_NS + 121 * SECOND_NS


async def test_the_outlook_counts_down_to_the_escalation_and_then_says_that_it_is_done(watch: Watch) -> None:
    alarm_id = watch.step(0, Truth.TRUE)
    await watch.after(100)
    (outlook,) = watch.escalation.outlook()
    assert (outlook.alarm_id, outlook.in_s, outlook.done) == (alarm_id, 20, False)
    await watch.after(20)
    (outlook,) = watch.escalation.outlook()
    assert (outlook.in_s, outlook.done) == (0, True)


async def test_the_outlook_names_the_channels_and_leaves_out_what_calls_nobody(watch: Watch) -> None:
    site = watch.site
    watch.escalation = Escalation(
        lambda: site.alarms,
        lambda: 1,
        site.recorder,
        site.clock,
        p1_after_s=120,
        no_screen_after_s=120,
        channels=("duty", "sms"),
    )
    alarm_id = watch.step(0, Truth.TRUE)
    watch.step(1, Truth.TRUE)
    watch.escalation.check()
    assert [(each.alarm_id, each.to) for each in watch.escalation.outlook()] == [(alarm_id, ("duty", "sms"))]
    site.alarms.acknowledge(alarm_id, "supervisor", "seen", site.clock.now_ns())
    assert watch.escalation.outlook() == []
