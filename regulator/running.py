"""Running a desk: open its database, build its areas, serve until told to stop.

    DeskSettings --open_desk--> Desk --desk_app--> application --serve--> sockets, jobs beside it
                                                                   '----> with PostgreSQL: pages and jobs in a process
                                                                          of their own (`regulator.base.halves`)

In: settings. Out: one JSON line when it can be called; a stop on SIGTERM or SIGINT that finishes what is being written.
"""

import asyncio
import gc
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from sqlalchemy import make_url

from contract.file_lock import hold_file
from regulator.application import desk_app
from regulator.base.accounts.model import NewAccount
from regulator.base.accounts.passwords import Passwords
from regulator.base.accounts.setup import create_first_administrator
from regulator.base.desk import Desk, Job
from regulator.base.halves.front import PagesFront
from regulator.base.halves.keeper import PagesKeeper
from regulator.base.keys.desk_key import announce, open_key, use
from regulator.base.keys.running_key import FOLLOW_EVERY_S, RunningKey
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.schema import prepare
from regulator.base.settings import SQLITE, DeskSettings
from regulator.base.supervisor import JobSupervisor
from regulator.server import ReceiverServer, fast_loop
from screens.listener import listen

GC_THRESHOLD = (10_000, 20, 50)
"""What lives as long as the desk does is looked through by the collector once, not with every few hundred messages."""


def open_desk(settings: DeskSettings, now_ns: Callable[[], int] = time.time_ns, lost_key: str = "") -> Desk:
    """The database migrated, the key read or made. Raises OSError, ValueError or SQLAlchemy's errors."""
    database = DeskDatabase(database_url(settings))
    prepare(database)
    opened = open_key(database, settings.key_file, now_ns(), lost_key, settings.signature)
    key = RunningKey(database, settings.key_file, opened)
    return Desk(settings, database, key, now_ns, jobs=[Job("desk-key", FOLLOW_EVERY_S, key.follow, everywhere=True)])


def database_url(settings: DeskSettings) -> str:
    """The address, with the password from its file. Raises OSError."""
    if settings.database_password_file is None:
        return settings.database
    lines = settings.database_password_file.read_text(encoding="utf-8").splitlines()
    url = make_url(settings.database).set(password=lines[0].strip() if lines else "")
    return url.render_as_string(hide_password=False)


def add_first_administrator(settings: DeskSettings, login: str, name: str, password: str) -> int:
    """One of the first two accounts of a desk; they choose another password at the first login. Prints one JSON line;
    exit code 1: there are two already, or the name or password will not do."""
    desk = open_desk(settings)
    try:
        new = NewAccount(login, name, password)
        province = settings.province_code
        account = create_first_administrator(desk.database, desk.ledger, Passwords(), new, province, desk.now_ns())
    except RefusedError as refused:
        print(json.dumps({"error": refused.code, "message": refused.message_en}), flush=True)
        return 1
    finally:
        desk.database.close()
    print(json.dumps({"login": account.login, "user_id": account.user_id}), flush=True)
    return 0


def change_key(settings: DeskSettings, step: str, *, leave_behind: bool) -> int:
    """One step (`announce`, `use`) of changing the signing key, while the desk runs or not; prints one JSON line.

    Exit code 1: boxes that do not know the next key yet are named, and nothing has changed for them. Raises ValueError.
    """
    database = DeskDatabase(database_url(settings))
    prepare(database)
    try:
        if step == "announce":
            change = announce(database, settings.key_file, time.time_ns(), settings.signature)
        else:
            change = use(database, settings.key_file, time.time_ns(), leave_behind=leave_behind)
    finally:
        database.close()
    said = {"key_id": change.key_id, "boxes": change.boxes, "behind": list(change.behind), "in_use": change.done}
    print(json.dumps(said), flush=True)
    return 0 if change.done or step == "announce" else 1


def run_desk(settings: DeskSettings, lost_key: str = "") -> None:
    """Serve until SIGTERM or SIGINT. `lost_key`: why another key takes the place of the one that is known."""
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        runner.run(_serve(settings, lost_key))


async def _serve(settings: DeskSettings, lost_key: str) -> None:
    with listen(settings.host, settings.port) as listener, sole_desk(settings.database):
        desk = await asyncio.to_thread(open_desk, settings, time.time_ns, lost_key)
        app = desk_app(desk)
        settle_memory()
        front = PagesFront(app)
        keeper = PagesKeeper(front, settings) if in_two(settings) else None
        server, stop = ReceiverServer(app, front), asyncio.Event()
        supervisor = JobSupervisor([job for job in desk.jobs if keeper is None or job.everywhere], desk.now_ns)
        _stop_on_signals(server, stop)
        url = f"http://{settings.host}:{listener.getsockname()[1]}"
        ready = {"ready": True, "url": url, "key_id": desk.key.public.key_id, "pid": os.getpid()}
        jobs = asyncio.create_task(supervisor.run(stop))
        async with _kept(keeper):
            print(json.dumps(ready), flush=True)
            await server.serve([listener])
        stop.set()
        await jobs
        desk.database.close()


@contextmanager
def sole_desk(database: str) -> Iterator[None]:
    """The only desk that serves a SQLite file, to the end of the block; nothing for another database. What an
    administrator does beside a running desk asks for nothing here. Raises ValueError."""
    if not database.startswith(SQLITE):
        yield
        return
    file = Path(database.removeprefix(SQLITE)).resolve()
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        held = hold_file(file.with_name(f"{file.name}.lock"))
    except BlockingIOError:
        raise ValueError(
            f"{file}: another desk is running on this database, expected one: two desks share a PostgreSQL database"
        ) from None
    with held:
        yield


def in_two(settings: DeskSettings) -> bool:
    """Whether pages and jobs have a process of their own. Not on SQLite, which has one writer, nor on Windows, where no
    process is given a socket as its input."""
    return settings.processes > 1 and not settings.database.startswith(SQLITE) and sys.platform != "win32"


@asynccontextmanager
async def _kept(keeper: PagesKeeper | None) -> AsyncIterator[None]:
    """The other process works from the beginning to the end of the block, and has ended after it."""
    if keeper is None:
        yield
        return
    keeping = asyncio.create_task(keeper.run())
    await keeper.first.wait()
    try:
        yield
    finally:
        keeper.stop()
        await keeping


def settle_memory() -> None:
    """What was built at the start lives as long as the process: the collector leaves it alone."""
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLD)


def _stop_on_signals(server: ReceiverServer, stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def end() -> None:
        stop.set()
        server.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
