"""From a recorded transition to a message in the group: routes, outbox, delivery and robot together."""

import asyncio
import json

import pytest

from gateway.evidence.evidence import NO_SCREEN
from gateway.line.delivery import Delivery
from gateway.line.recorder import Recorder, Route
from gateway.model.alarm import Severity, Transition, TransitionKind
from gateway.store.alert_store import AlertStore
from gateway.store.history_reader import HistoryReader
from gateway.store.history_store import HistoryStore
from kit.clock import SimulatedClock
from sitewarden.composition.box import UPLINKS
from tests.fakes.http_replies import HttpReplies, Reply
from tests.fakes.outbox import NOW_NS, alarm, context, transition
from tests.fakes.site import BOUNDS, points, until

YES, NO = Reply(200, body=b'{"errcode": 0}'), Reply(502)


class Box:
    """A recorder and a delivery to one WeCom robot, over real stores, on a simulated clock."""

    def __init__(self, folder, url, **settings):
        (folder / "robot").write_text(f"{url}/send?key=0123456789")
        kind = UPLINKS["wecom"]
        content = {"name": "wecom", "kind": "wecom", "url": {"file": str(folder / "robot")}} | settings
        self.clock = SimulatedClock(NOW_NS)
        self.uplink = kind.build(kind.settings.model_validate_json(json.dumps(content)), context(folder, self.clock))
        self.store = AlertStore(folder, 4096)
        table = points()
        self.history = HistoryStore(folder, table, BOUNDS, NOW_NS)
        self.reader = HistoryReader(self.history.path, table)
        route = Route("wecom", True, False, False, self.uplink.wants, tells_people=True, escalations=True)
        self.recorder = Recorder(self.store, "box-1", "PROJECT-1", [route], self.clock)
        self.delivery = Delivery(self.uplink, self.store, self.history, self.reader, self.clock)

    async def record(self, *transitions):
        futures = [self.recorder.record_transition(each, None, ()) for each in transitions]
        task = asyncio.create_task(self.recorder.run())
        await asyncio.gather(*futures)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def close(self):
        await self.uplink.close()
        self.delivery.close()
        self.history.close(NOW_NS)
        self.store.close()


@pytest.fixture
async def box(tmp_path):
    boxes = []

    def build(url, **settings):
        boxes.append(Box(tmp_path, url, **settings))
        return boxes[-1]

    yield build
    for each in boxes:
        await each.close()


async def test_only_what_is_wanted_gets_a_row(box):
    here = box("http://127.0.0.1:1", transitions=["raised", "returned"])
    kinds = [kind for kind in TransitionKind if kind is not TransitionKind.ESCALATED]
    everything = [transition(n, severity, kind) for n, severity in enumerate(Severity) for kind in kinds]
    await here.record(*everything)
    rows = [item.key for item in here.store.pending("wecom", 100)]
    assert rows == ["alarm-0:raised", "alarm-0:returned", "alarm-1:raised", "alarm-1:returned"]


async def test_the_evidence_is_whole_whatever_people_want_to_hear(box):
    here = box("http://127.0.0.1:1", min_severity="P1")
    await here.record(*(transition(n, Severity.P3) for n in range(5)))
    assert here.store.pending("wecom", 100) == []
    assert sum(1 for _ in here.store.all_evidence()) == 5


async def test_alarm_and_escalation_reach_the_group_once_although_it_was_away_at_first(box):
    with HttpReplies([NO, NO, YES]) as server:
        here = box(server.url)
        escalated = Transition(TransitionKind.ESCALATED, alarm(2, Severity.P3), NOW_NS, 112.5, "", NO_SCREEN)
        await here.record(transition(1, Severity.P2), escalated)
        task = asyncio.create_task(here.delivery.run())
        for asked in (1, 2):
            await until(lambda asked=asked: len(server.requests) >= asked and bool(here.clock._sleepers))
            await here.clock.advance(60)
        await until(lambda: here.delivery.alerts_accepted == 2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    said = [json.loads(request.body)["markdown"]["content"].splitlines()[0] for request in server.requests]
    escalated, raised = "**【P3 升级】塔机力矩超载：没有值班屏幕在线**", "**【P2 报警】塔机力矩超载**"
    assert said == [escalated, escalated, escalated, raised]
    assert here.store.pending("wecom", 100) == []


async def test_a_row_that_the_robot_refuses_is_kept_aside_with_its_words_and_the_next_leaves(box, caplog):
    refused = Reply(200, body=json.dumps({"errcode": 40058, "errmsg": "exceed max length"}).encode())
    with HttpReplies([refused, YES]) as server:
        here = box(server.url)
        await here.record(transition(1), transition(2))
        task = asyncio.create_task(here.delivery.run())
        await until(lambda: here.delivery.alerts_accepted == 1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert here.delivery.alerts_rejected == 1
    assert "event=alert_rejected uplink=wecom key=alarm-1:raised" in caplog.text
    assert "exceed max length" in caplog.text
    assert here.store.pending("wecom", 100) == []
