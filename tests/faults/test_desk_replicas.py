"""Two desks on one PostgreSQL in a storm: one is killed (kill -9), then the database crashes and comes back.

Nothing may be lost and nothing kept twice, chains and ledger must hold, and no receipt may name what is not there.
`make bench-desk` does the same with 500 gateways and 10,000 alarms.
"""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from bench.desk import write_desk
from bench.desk_processes import line_of, postgresql, replica
from bench.desk_wire import GatewayLink
from contract.chain import ChainHead
from contract.keyfile import load_or_create
from regulator.base.desk import Desk
from regulator.base.intake.building import open_shelf
from regulator.base.intake.codes import Wanted, issue_codes
from regulator.base.intake.holdings import Holdings
from regulator.base.intake.recheck import Recheck
from regulator.base.model.actor import CONSOLE
from regulator.base.records.ledger import verify_ledger
from regulator.base.records.tables.intake import alarm_media, alarms, alerts, boxes, items
from regulator.base.records.tables.ledger import ledger_heads
from regulator.base.records.tables.review import review_items
from regulator.base.settings import DeskSettings
from regulator.running import open_desk
from regulator.twins.box import BoxTwin
from regulator.twins.province import made_alarms
from tests.fakes.postgresql import PostgreSQL

pytestmark = [pytest.mark.alone, pytest.mark.timeout(300)]

BOXES, ALARMS_EACH = 12, 25
KILL_AFTER, CRASH_AFTER = 200, 450
"""Receipts after which a desk is killed, and the database."""
RETRY_S = 0.05


@dataclass(frozen=True)
class Storm:
    """What the boxes say of it. `desks_left`: return codes, None for one that still runs."""

    twins: list[BoxTwin]
    raised: list[tuple[str, str]]
    desks_left: list[int | None]

    @property
    def accepted(self) -> list[tuple[str, str]]:
        """Box and key of every receipt that reached its box."""
        return [(twin.box_id, key) for twin in self.twins for key in twin.tally.accepted]


@contextlib.contextmanager
def opened(settings: DeskSettings) -> Iterator[Desk]:
    desk = open_desk(settings)
    try:
        yield desk
    finally:
        desk.database.close()


def test_nothing_is_lost_and_nothing_kept_twice(tmp_path: Path) -> None:
    with postgresql() as server:
        settings = write_desk(tmp_path, server.url(server.create()))
        with opened(settings) as desk, desk.database.transaction() as db:
            wanted = [Wanted(f"P-{number}", f"twin-{number}") for number in range(BOXES)]
            issued = issue_codes(db, desk.ledger, wanted, CONSOLE, desk.now_ns())
        storm = asyncio.run(weather(tmp_path, server, [each.code for each in issued]))
        assert storm.desks_left == [-signal.SIGKILL, None]
        assert sum(twin.tally.retries for twin in storm.twins) > 0, "nobody noticed the crashes"
        assert [code for twin in storm.twins for code in twin.tally.refused] == []
        with opened(settings) as desk:
            assert_all_held_once(desk, storm)
            assert_chains_hold(desk, storm)
            assert_ledger_holds(desk, settings)


async def weather(folder: Path, server: PostgreSQL, codes: list[str]) -> Storm:
    """The storm from its beginning until every box has every receipt."""
    async with contextlib.AsyncExitStack() as stack:
        starting = [replica(folder / "desk.yaml", folder / f"desk-{number}.log") for number in range(2)]
        desks = [await stack.enter_async_context(each) for each in starting]
        urls = [json.loads(line)["url"] for line in await asyncio.gather(*map(line_of, desks))]
        # half of the boxes begin at each desk
        links = [GatewayLink(urls[number % 2 :] + urls[: number % 2]) for number in range(BOXES)]
        for link in links:
            stack.push_async_callback(link.hang_up)
        twins = [twin_at(number, link) for number, link in enumerate(links)]
        await asyncio.gather(*(twin.enrol(code) for twin, code in zip(twins, codes, strict=True)))
        kinds = made_alarms(11)
        raised = [(twin.box_id, twin.alarm(next(kinds), seed)) for seed in range(ALARMS_EACH) for twin in twins]
        delivering = asyncio.gather(*map(delivered, twins))
        await receipts(twins, KILL_AFTER)
        os.kill(desks[0].pid, signal.SIGKILL)
        await desks[0].wait()
        await receipts(twins, CRASH_AFTER)
        await asyncio.to_thread(server.restart)
        async with asyncio.timeout(120):
            await delivering
        return Storm(twins, raised, [desk.returncode for desk in desks])


def twin_at(number: int, link: Any) -> BoxTwin:
    return BoxTwin(f"twin-{number}", f"P-{number}", link, time.time_ns, time.perf_counter)


async def delivered(twin: BoxTwin) -> None:
    while not await twin.deliver():
        await asyncio.sleep(RETRY_S)


async def receipts(twins: list[BoxTwin], count: int) -> None:
    """Until so many receipts have come."""
    async with asyncio.timeout(120):
        while sum(len(twin.tally.accepted) for twin in twins) < count:
            await asyncio.sleep(0.005)


def assert_all_held_once(desk: Desk, storm: Storm) -> None:
    with desk.database.reading() as db:
        held = Counter((row.box_id, row.alarm_id) for row in db.execute(select(alarms)))
        raises = Counter((row.box_id, row.alarm_id) for row in db.execute(select(alerts)))
        kept = {(row.box_id, row.key) for row in db.execute(select(items.c.box_id, items.c.key))}
        pictures = db.scalar(select(func.count()).select_from(alarm_media)) or 0
        orphans = db.scalar(select(func.count()).select_from(alarm_media).where(alarm_media.c.alarm_id == "")) or 0
        judged = Counter((row.box_id, row.alarm_id) for row in db.execute(select(review_items)))
    assert held == raises == Counter(storm.raised)
    assert Counter(storm.accepted) == Counter(kept), "an item without a receipt, or a receipt without an item"
    assert (pictures, orphans) == (sum(key.startswith("picture-") for _, key in kept), 0)
    assert max(judged.values()) == 1


def assert_chains_hold(desk: Desk, storm: Storm) -> None:
    shelf, keys = open_shelf(desk.settings), {desk.key.public.key_id: desk.key.public}
    holdings = Holdings(desk.database)
    for twin in storm.twins:
        chain = holdings.chain(twin.box_id)
        assert (chain.state, chain.verified_seq) == ("ok", twin.head.seq)
        with desk.database.reading() as db:
            assert list(Recheck(db, twin.box_id, keys, shelf).faults()) == []
    with desk.database.reading() as db:
        assert db.scalar(select(func.count()).select_from(boxes)) == BOXES


def assert_ledger_holds(desk: Desk, settings: DeskSettings) -> None:
    public = load_or_create(settings.key_file).public
    with desk.database.reading() as db:
        chains = list(db.scalars(select(ledger_heads.c.chain)))
        assert len(chains) >= BOXES
        for chain in chains:
            assert isinstance(verify_ledger(db, chain, {public.key_id: public}), ChainHead), chain
