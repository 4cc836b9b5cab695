"""What is kept of live video, and what a browser gets that is early, late, behind, or far behind."""

import asyncio

from regulator.base.records.engine import DeskDatabase
from regulator.parts.live.relay import MOST_BYTES, MOST_PARTS, MemoryRelay, Part, kept, wanted
from regulator.parts.live.watching import watched

FIRST = Part(0, False, b"init")


def parts(*numbers: int, begins: tuple[int, ...] = ()) -> list[Part]:
    return [Part(number, number in begins, b"x") for number in numbers]


def numbers(found: list[Part]) -> list[int]:
    return [part.number for part in found]


def test_what_is_older_than_the_last_but_one_beginning_is_forgotten() -> None:
    assert numbers(kept(parts(1, 2, 3, 4, 5, 6, begins=(1, 3, 5)))) == [3, 4, 5, 6]
    assert numbers(kept(parts(1, 2, 3, begins=(1,)))) == [1, 2, 3]


def test_a_camera_without_key_frames_fills_no_memory() -> None:
    assert len(kept(parts(*range(1, MOST_PARTS + 50)))) == MOST_PARTS
    big = [Part(number, False, bytes(MOST_BYTES // 4)) for number in range(1, 9)]
    assert sum(len(part.body) for part in kept(big)) <= MOST_BYTES


def test_whoever_comes_begins_with_the_newest_key_frame() -> None:
    held = parts(3, 4, 5, 6, begins=(3, 5))
    assert numbers(wanted(FIRST, held, None)) == [0, 5, 6]
    assert numbers(wanted(FIRST, held, 5)) == [6]
    assert numbers(wanted(FIRST, held, 6)) == []
    assert numbers(wanted(FIRST, held, 1)) == [5, 6]
    assert wanted(None, held, None) == []


def test_whoever_waits_for_a_beginning_waits() -> None:
    assert numbers(wanted(FIRST, parts(4, 5), None)) == [0]
    assert numbers(wanted(FIRST, parts(4, 5), 0)) == []
    assert numbers(wanted(FIRST, parts(4, 5, 6, begins=(6,)), 0)) == [6]


async def test_a_stream_ends_when_the_view_does(database: DeskDatabase) -> None:
    relay, asked = MemoryRelay(), 0
    with database.transaction() as db:
        relay.put(db, "r", FIRST, 1)
        relay.put(db, "r", Part(1, True, b"one"), 1)

    async def goes_on() -> bool:
        nonlocal asked
        asked += 1
        return asked < 2

    async with asyncio.timeout(20):
        got = [body async for body in watched(relay, "r", goes_on, 0.001)]
    assert got == [b"init", b"one"]
    assert asked == 2
