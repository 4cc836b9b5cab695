"""A desk on PostgreSQL is two processes: one hears boxes, the other makes pages; either may die."""

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from bench.desk import write_desk
from bench.desk_processes import Process, children_of, line_of, replica
from regulator.base.halves.front import PagesFront
from regulator.base.halves.keeper import PagesKeeper
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.schema import prepare
from regulator.base.settings import DeskSettings
from regulator.running import in_two
from tests.fakes.postgresql import PostgreSQL

WITHIN_S = 60


@contextlib.asynccontextmanager
async def running(folder: Path, url: str) -> AsyncIterator[tuple[Process, httpx.AsyncClient]]:
    settings = write_desk(folder, url)
    database = DeskDatabase(settings.database)
    prepare(database)
    database.close()
    async with replica(folder / "desk.yaml", folder / "desk.log") as desk:
        address = json.loads(await line_of(desk))["url"]
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=WITHIN_S) as browser:
            yield desk, browser


async def another_child(desk: Process, before: list[int]) -> int:
    """Until it has a child that is not among these."""
    async with asyncio.timeout(WITHIN_S):
        while not (new := set(children_of(desk.pid)) - set(before)):
            await asyncio.sleep(0.05)
    return new.pop()


async def gone(pid: int) -> None:
    """Until there is no such process, or only what its parent has not read of it."""
    async with asyncio.timeout(WITHIN_S):
        while lives(pid):
            await asyncio.sleep(0.05)


def lives(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_the_process_for_pages_is_killed_and_comes_back(tmp_path: Path, postgresql: PostgreSQL) -> None:
    async with running(tmp_path, postgresql.url(postgresql.create())) as (desk, browser):
        before = children_of(desk.pid)
        assert len(before) == 1, "one process for pages and jobs"
        form = (await browser.get("/login")).text
        os.kill(before[0], signal.SIGKILL)
        statuses = [(await browser.get(path)).status_code for path in ("/login", "/healthz", "/readyz")]
        assert statuses == [200, 200, 200]
        assert await another_child(desk, before) not in before
        assert len((await browser.get("/login")).text) == len(form)
        refused = await browser.post("/v1/messages", content=b"{}")
        assert (refused.status_code, refused.json()["kind"]) == (400, "error")
        desk.terminate()
        assert await desk.wait() == 0
    assert "pages_process_ended" in (tmp_path / "desk.log").read_text(encoding="utf-8")


async def test_it_does_not_outlive_the_process_that_owns_the_port(tmp_path: Path, postgresql: PostgreSQL) -> None:
    async with running(tmp_path, postgresql.url(postgresql.create())) as (desk, _):
        child = children_of(desk.pid)[0]
        os.kill(child, signal.SIGTERM)  # a service manager tells both: this one waits for the other
        os.kill(desk.pid, signal.SIGKILL)
        await desk.wait()
        await gone(child)


@pytest.mark.parametrize(
    ("url", "processes", "two"),
    [
        ("postgresql+psycopg://desk@db/desk", 2, True),
        ("postgresql+psycopg://desk@db/desk", 1, False),
        ("sqlite:///desk.db", 2, False),
    ],
)
def test_which_desks_are_two_processes(tmp_path: Path, url: str, processes: int, two: bool) -> None:
    settings = DeskSettings(database=url, blobs="blobs", key_file=tmp_path / "key.pem", processes=processes)
    assert in_two(settings) is (two and sys.platform != "win32")


async def test_a_process_that_does_not_start_holds_nothing_up(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    async def app(*_: object) -> None:
        raise AssertionError

    settings = DeskSettings(database="postgresql+psycopg://x", blobs="blobs", key_file=tmp_path / "key.pem")
    for command in ([sys.executable, "-c", ""], [str(tmp_path / "no-such-program")]):
        front = PagesFront(app)
        keeper = PagesKeeper(front, settings, command, first_wait_s=0.01)
        keeping = asyncio.create_task(keeper.run())
        async with asyncio.timeout(WITHIN_S):
            await keeper.first.wait()
            while keeper.starts < 2:
                await asyncio.sleep(0.005)
            keeper.stop()
            await keeping
        assert not front.passes_on
    assert {"pages_process_ended", "pages_process_not_started"} <= {
        record.message.split()[0].removeprefix("event=") for record in caplog.records
    }
