import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.web.feed import ROOM
from gateway.web.feed_counts import GapReason
from gateway.web.live_picture import LivePicture
from screens.stream_quota import NOBODY
from tests.fakes.site import until
from tests.fakes.web_face import Face, Listener, is_house_error


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[Face]:
    face = Face(tmp_path)
    face.site.start()
    yield face
    await face.close()


async def _flap(face: Face, times: int, first_s: int = 0) -> None:
    for n in range(first_s, first_s + times):
        await face.value(120.0 if n % 2 == 0 else 50.0, at_s=n)


def _names(listener: Listener) -> list[str]:
    return [name for _, name, _ in listener.events]


def _last(listener: Listener, wanted: str) -> dict[str, object] | None:
    found = [data for _, name, data in listener.events if name == wanted]
    return found[-1] if found else None


async def test_a_live_client_hears_of_every_transition_once_and_in_order(face: Face) -> None:
    listener = Listener(face, None)
    await until(lambda: face.feed.clients == 1)
    await _flap(face, 4)
    await until(lambda: len(listener.alarms) == 8)
    assert listener.alarms == list(range(1, 9))
    _, _, data = next(event for event in listener.events if event[1] == "alarm")
    assert (data["transition"], data["seq"], data["alarm"]["rule_id"]) == ("raised", 1, "rule-0")  # type: ignore[index]
    assert "samples" not in data
    await listener.leave()
    await until(lambda: face.feed.clients == 0)


@pytest.mark.parametrize("last_seq", range(9))
async def test_a_client_that_comes_back_misses_and_repeats_nothing(face: Face, last_seq: int) -> None:
    await _flap(face, 4)
    listener = Listener(face, last_seq)
    await _flap(face, 2, first_s=4)
    await until(lambda: bool(listener.alarms) and listener.alarms[-1] == 12)
    assert listener.alarms == list(range(last_seq + 1, 13))
    await listener.leave()


async def test_a_long_absence_is_replayed_page_by_page(face: Face) -> None:
    await _flap(face, 8)
    listener = Listener(face, 0)
    await until(lambda: len(listener.alarms) == 16)
    assert listener.alarms == list(range(1, 17))
    await listener.leave()


async def test_a_client_that_knows_more_than_the_box_starts_at_the_end(face: Face) -> None:
    await _flap(face, 2)
    listener = Listener(face, 1000)
    await until(lambda: face.feed.clients == 1)
    await _flap(face, 2, first_s=2)
    await until(lambda: listener.alarms == [5, 6, 7, 8])
    await listener.leave()


async def test_a_new_client_is_told_where_it_stands(face: Face) -> None:
    await _flap(face, 2)
    listener = Listener(face, None)
    await until(lambda: bool(listener.events))
    assert listener.events[0][:2] == ("4", "hello")
    assert listener.alarms == []
    await listener.leave()


async def test_a_client_that_does_not_read_is_dropped_and_catches_up_when_it_comes_back(face: Face) -> None:
    slow = face.feed.stream(None)
    assert b"event: hello" in await anext(slow)
    assert b"event: live" in await anext(slow)
    first = asyncio.ensure_future(anext(slow))
    await until(lambda: face.feed.clients == 1)
    await _flap(face, 1)
    assert (await first).startswith(b"id: 1\n")
    await _flap(face, 12, first_s=1)
    assert face.feed.clients == 0
    assert [chunk async for chunk in slow] == [], "what was in its queue went with it"
    back = Listener(face, 1)
    await until(lambda: bool(back.alarms) and back.alarms[-1] == 26)
    assert back.alarms == list(range(2, 27))
    await back.leave()


async def test_the_live_picture_comes_at_once_and_then_once_a_second_without_a_number(face: Face) -> None:
    listener = Listener(face, None)
    task = asyncio.create_task(face.feed.run())
    await until(lambda: face.feed.clients == 1 and bool(face.site.clock._sleepers))
    assert _names(listener).count("live") == 1
    await face.site.clock.advance(2.0)
    await until(lambda: _names(listener).count("live") == 3)
    assert {number for number, name, _ in listener.events if name == "live"} == {""}
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await listener.leave()


async def test_for_a_client_that_does_not_read_only_the_newest_picture_waits(face: Face) -> None:
    slow = face.feed.stream(None)
    assert b"event: hello" in await anext(slow)
    assert b"event: live" in await anext(slow)
    task = asyncio.create_task(face.feed.run())
    await until(lambda: bool(face.site.clock._sleepers))
    await face.site.clock.advance(20.0)
    await face.value(70.0)
    await face.site.clock.advance(1.0)
    chunk = await anext(slow)
    assert b"event: live" in chunk
    assert b'"at_ns":%d' % face.site.clock.now_ns() in chunk, "the newest, not the first that waited"
    later = asyncio.ensure_future(anext(slow))
    await asyncio.wait({later}, timeout=0.05)
    assert not later.done(), "nothing older follows"
    await face.site.clock.advance(1.0)
    assert b"event: live" in await later
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await slow.aclose()  # type: ignore[attr-defined]


async def test_how_many_alarms_call_is_told_at_once_when_one_is_raised_and_when_it_is_acknowledged(face: Face) -> None:
    listener = Listener(face, None)
    await until(lambda: face.feed.clients == 1)
    first = await face.raised()
    await until(lambda: _last(listener, "sound") == {"p1": 2, "p2": 0})
    await face.acknowledge(first, {"user": "supervisor", "reason": "seen"})
    await until(lambda: _last(listener, "sound") == {"p1": 1, "p2": 0})
    await listener.leave()


async def test_an_alarm_that_is_out_of_service_calls_nobody(face: Face) -> None:
    await face.raised()
    assert face.feed.picture.sound() == {"p1": 2, "p2": 0}
    await face.post("/api/subjects/crane-1.q0/out_of_service", {"user": "s", "reason": "repair", "for_s": 60})
    assert face.feed.picture.sound() == {"p1": 1, "p2": 0}


async def test_a_change_of_service_and_a_note_are_told(face: Face) -> None:
    alarm_id = await face.raised()
    listener = Listener(face, None)
    await until(lambda: face.feed.clients == 1)
    await face.post("/api/subjects/crane-1.q0/out_of_service", {"user": "s", "reason": "repair", "for_s": 60})
    await until(lambda: "change" in _names(listener))
    assert _last(listener, "sound") == {"p1": 1, "p2": 0}
    seq = await face.commands.note(alarm_id, "s", "looked at it")
    await until(lambda: listener.alarms[-1:] == [seq])
    assert (_last(listener, "alarm") or {})["transition"] == "noted"
    await listener.leave()


async def test_data_that_is_old_is_a_cell_without_a_number(face: Face) -> None:
    picture = LivePicture(face.view)
    await face.value(70.0)
    assert picture.row()["cells"]["crane-1.q0"]["t"] == "70"
    await face.site.clock.advance(31.0)
    cell = picture.row()["cells"]["crane-1.q0"]
    assert (cell["t"], cell["s"]) == ("", "unknown")
    assert cell["a"] >= 31.0


async def test_a_client_that_knows_more_than_the_box_is_told_that_something_is_missing(face: Face) -> None:
    await _flap(face, 2)
    listener = Listener(face, 1000)
    await until(lambda: "gap" in _names(listener))
    assert _last(listener, "gap") == {"reason": "ahead", "from": 1000, "to": 4, "records": 0}
    assert [number for number, name, _ in listener.events if name == "gap"] == ["4"], "the browser goes on from there"
    assert face.feed.counts.gaps == {GapReason.AHEAD: 1}
    await listener.leave()


@pytest.mark.parametrize(("most", "gaps", "alarms"), [(3, [4], []), (4, [], [1, 2, 3, 4])])
async def test_what_is_too_long_ago_is_not_replayed_but_said(
    face: Face, most: int, gaps: list[int], alarms: list[int]
) -> None:
    await _flap(face, 2)
    face.feed._replay_most = most
    listener = Listener(face, 0)
    await _flap(face, 1, first_s=2)
    await until(lambda: listener.alarms[-2:] == [5, 6])
    assert [data["records"] for _, name, data in listener.events if name == "gap"] == gaps
    assert listener.alarms == [*alarms, 5, 6]
    await listener.leave()


async def test_a_hole_in_the_chain_is_said_where_it_is(face: Face) -> None:
    await _flap(face, 2)
    with sqlite3.connect(face.site.alerts.path) as db:
        db.execute("DELETE FROM evidence WHERE seq = 2")
    db.close()
    listener = Listener(face, 0)
    await until(lambda: listener.alarms == [1, 3, 4])
    names = [name for name in _names(listener) if name in ("alarm", "gap")]
    assert names == ["alarm", "gap", "alarm", "alarm"]
    assert _last(listener, "gap") == {"reason": "lost", "from": 1, "to": 2, "records": 1}
    await listener.leave()


async def test_a_stream_ends_when_its_client_is_no_longer_welcome(face: Face) -> None:
    welcome = True

    async def is_welcome() -> bool:
        return welcome

    stream = face.feed.stream(None, is_welcome)
    assert b"event: hello" in await anext(stream)
    assert b"event: live" in await anext(stream)
    task = asyncio.create_task(face.feed.run())
    await until(lambda: bool(face.site.clock._sleepers))
    await face.site.clock.advance(1.0)
    assert b"event: live" in await anext(stream)
    welcome = False
    await face.site.clock.advance(1.0)
    assert [chunk async for chunk in stream] == []
    assert face.feed.clients == 0
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_was_delivered_and_who_was_dropped_is_counted(face: Face) -> None:
    listener = Listener(face, None)
    slow = face.feed.stream(None)
    await anext(slow)
    await until(lambda: face.feed.clients == 2)
    await _flap(face, 12)
    await until(lambda: len(listener.alarms) == 24)
    assert (face.feed.counts.delivered, face.feed.counts.dropped) == (24, 1)
    health = await face.get("/api/health")
    assert health["feed"] == {"clients": 1, "delivered": 24, "dropped": 1, "gaps": {}}  # type: ignore[index]
    metrics = (await face.client.get("/metrics")).text
    assert "sitewarden_feed_alarms_total 24.0" in metrics
    assert 'sitewarden_feed_gaps_total{reason="lost"} 0.0' in metrics
    await listener.leave()
    await slow.aclose()  # type: ignore[attr-defined]


async def test_too_many_listeners_are_refused_and_those_who_listen_stay(face: Face) -> None:
    listeners = [Listener(face, None) for _ in range(ROOM.in_all)]
    await until(lambda: face.feed.clients == ROOM.in_all)
    refused = await face.client.get("/api/events")
    assert refused.status_code == 503
    assert is_house_error(refused.json(), "too_many_listeners", "")
    await listeners[0].leave()
    assert face.feed.quota.refusal(NOBODY) is None
    for listener in listeners:
        await listener.leave()


async def test_when_the_box_stops_every_stream_ends(face: Face) -> None:
    listeners = [Listener(face, None), Listener(face, 0)]
    await until(lambda: face.feed.clients == 2)
    face.feed.close()
    await until(lambda: all(listener.ended for listener in listeners))


async def test_the_stream_is_served_with_replay_and_refuses_nonsense(face: Face) -> None:
    assert is_house_error(
        (await face.client.get("/api/events", headers={"last-event-id": "x1"})).json(), "bad_last_event_id", ""
    )
    await _flap(face, 1)
    asyncio.get_running_loop().call_later(0.2, face.feed.close)
    reply = await face.client.get("/api/events", headers={"last-event-id": "1"})
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert "id: 2\nevent: alarm" in reply.text
    assert "id: 1\n" not in reply.text
