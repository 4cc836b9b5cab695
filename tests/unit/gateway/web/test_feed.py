import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from gateway.web.feed import MAX_CLIENTS
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


async def test_a_live_client_hears_of_every_transition_once_and_in_order(face: Face) -> None:
    listener = Listener(face, None)
    await until(lambda: face.feed.clients == 1)
    await _flap(face, 4)
    await until(lambda: len(listener.alarms) == 8)
    assert listener.alarms == list(range(1, 9))
    _, _, data = listener.events[1]
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


async def test_points_are_sent_once_a_second_without_a_number(face: Face) -> None:
    listener = Listener(face, None)
    task = asyncio.create_task(face.feed.run())
    await until(lambda: face.feed.clients == 1 and bool(face.site.clock._sleepers))
    await face.site.clock.advance(2.0)
    await until(lambda: [name for _, name, _ in listener.events].count("points") == 2)
    assert [number for number, name, _ in listener.events if name == "points"] == ["", ""]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await listener.leave()


async def test_for_a_client_that_does_not_read_only_the_newest_values_wait(face: Face) -> None:
    slow = face.feed.stream(None)
    assert b"event: hello" in await anext(slow)
    task = asyncio.create_task(face.feed.run())
    await until(lambda: bool(face.site.clock._sleepers))
    await face.site.clock.advance(30.0)
    await face.value(70.0)
    await face.site.clock.advance(1.0)
    chunk = await anext(slow)
    assert b"event: points" in chunk
    assert b"70.0" in chunk, "the newest, not the first that waited"
    later = asyncio.ensure_future(anext(slow))
    await asyncio.wait({later}, timeout=0.05)
    assert not later.done(), "nothing older follows"
    await face.site.clock.advance(1.0)
    assert b"event: points" in await later
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await slow.aclose()  # type: ignore[attr-defined]


async def test_too_many_listeners_are_refused_and_those_who_listen_stay(face: Face) -> None:
    listeners = [Listener(face, None) for _ in range(MAX_CLIENTS)]
    await until(lambda: face.feed.clients == MAX_CLIENTS)
    refused = await face.client.get("/api/events")
    assert refused.status_code == 503
    assert is_house_error(refused.json(), "too_many_listeners", "")
    await listeners[0].leave()
    assert not face.feed.full
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
