"""The feed: numbered, in order, nothing lost between reading and listening, only what is in sight."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from regulator.base.days import day_of
from regulator.base.records.engine import DeskDatabase
from regulator.parts.wall.hub import Sight, WallHub
from regulator.parts.wall.making import TileMaker
from tests.fakes.desk_database import DeskClock
from tests.fakes.wall_world import SET, code_of, plant_set, raise_alarm

COUNT = 12
ALL = frozenset(code_of(number) for number in range(COUNT))
POLL_S = 0.01
Told = tuple[str, dict[str, Any]]


class Feed:
    """A hub that asks often, and what makes tiles."""

    def __init__(self, database: DeskDatabase, clock: DeskClock) -> None:
        plant_set(database, COUNT, day_of(clock()), clock())
        self.database, self.clock = database, clock
        self.maker = TileMaker(database, SET, 10**6)
        self.maker.run(clock())
        self.hub = WallHub(database, clock, POLL_S)
        self.sight: Sight | None = Sight(ALL, "m")

    def alarm(self, number: int) -> None:
        raise_alarm(self.database, number, f"a{self.clock()}", self.clock.move(seconds=1))
        assert self.maker.run(self.clock()) == 1

    async def look(self) -> Sight | None:
        return self.sight

    def stream(self, last: int | None) -> AsyncIterator[bytes]:
        return self.hub.stream(last, self.look)


@pytest.fixture
def feed(database: DeskDatabase, clock: DeskClock) -> Feed:
    return Feed(database, clock)


def read(wire: bytes) -> Told:
    """Name and data of one event."""
    fields = dict(line.split(": ", 1) for line in wire.decode().splitlines() if ": " in line)
    return fields["event"], json.loads(fields["data"])


async def until_tiles(stream: AsyncIterator[bytes]) -> dict[str, Any]:
    """The next change."""
    async with asyncio.timeout(20):
        async for wire in stream:
            name, data = read(wire)
            if name == "tiles":
                return data
    raise AssertionError("the stream ended")


async def test_what_was_missed_comes_first_and_then_what_happens_without_a_hole(feed: Feed) -> None:
    feed.alarm(1)
    feed.alarm(2)
    stream = feed.stream(COUNT)
    missed = await until_tiles(stream)
    assert (missed["from"], missed["seq"]) == (COUNT, COUNT + 2)
    assert [row[0] for row in missed["rows"]] == [code_of(1), code_of(2)]
    told = missed["seq"]
    for number in range(3, 9):
        await asyncio.to_thread(feed.alarm, number)
        data = await until_tiles(stream)
        assert data["from"] == told
        assert [row[0] for row in data["rows"]] == [code_of(number)]
        told = data["seq"]
    await stream.aclose()  # type: ignore[attr-defined]


async def test_a_new_listener_hears_only_what_is_new(feed: Feed) -> None:
    stream = feed.stream(None)
    name, hello = read(await anext(stream))
    assert (name, hello) == ("hello", {"seq": COUNT})
    await asyncio.to_thread(feed.alarm, 4)
    assert (await until_tiles(stream))["from"] == COUNT
    await stream.aclose()  # type: ignore[attr-defined]


async def test_whoever_knows_more_than_this_desk_reads_all_anew(feed: Feed) -> None:
    stream = feed.stream(COUNT + 99)
    await anext(stream)
    assert read(await anext(stream)) == ("gap", {"to": COUNT})
    await stream.aclose()  # type: ignore[attr-defined]


async def test_what_is_out_of_sight_is_not_told_and_leaves_no_hole(feed: Feed) -> None:
    feed.sight = Sight(frozenset({code_of(5)}), "m")
    stream = feed.stream(COUNT)
    await anext(stream)
    for number in (1, 2, 5):
        await asyncio.to_thread(feed.alarm, number)
    data = await until_tiles(stream)
    assert data["from"] == COUNT
    assert [row[0] for row in data["rows"]] == [code_of(5)]
    await stream.aclose()  # type: ignore[attr-defined]


async def test_a_stream_ends_with_its_login_and_nobody_is_asked_for_then(feed: Feed) -> None:
    stream = feed.stream(None)
    await anext(stream)
    feed.sight = None
    async with asyncio.timeout(20):
        assert [read(wire)[0] async for wire in stream if b"event: tiles" in wire] == []
    assert feed.hub.quota.open == 0
    assert feed.hub._asking is None


async def test_a_listener_that_does_not_read_is_dropped_and_loses_nothing_by_coming_back(feed: Feed) -> None:
    stream = feed.stream(COUNT)
    await anext(stream)
    await anext(stream)
    client = next(iter(feed.hub._clients))
    async with asyncio.timeout(60):
        while feed.hub.dropped == 0:
            await asyncio.sleep(POLL_S)
    assert client not in feed.hub._clients
    feed.alarm(7)
    again = feed.stream(COUNT)
    assert [row[0] for row in (await until_tiles(again))["rows"]] == [code_of(7)]
    await again.aclose()  # type: ignore[attr-defined]
    await stream.aclose()  # type: ignore[attr-defined]
