"""Running a desk: open its database, build its areas, serve until told to stop.

    DeskSettings --open_desk--> Desk --desk_app--> application --serve--> sockets, jobs beside it

In: settings. Out: one JSON line when it can be called; a stop on SIGTERM or SIGINT that finishes what is being written.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable

from contract.keyfile import load_or_create
from regulator.desk import Desk
from regulator.records.engine import DeskDatabase
from regulator.records.schema import prepare
from regulator.server import ReceiverServer
from regulator.settings import DeskSettings
from regulator.supervisor import JobSupervisor
from regulator.web.app import desk_app
from screens.listener import listen


def open_desk(settings: DeskSettings, now_ns: Callable[[], int] = time.time_ns) -> Desk:
    """The database migrated, the key read or made. Raises OSError, ValueError or SQLAlchemy's errors."""
    database = DeskDatabase(settings.database)
    prepare(database)
    return Desk(settings, database, load_or_create(settings.key_file), now_ns)


def run_desk(settings: DeskSettings) -> None:
    """Serve until SIGTERM or SIGINT."""
    asyncio.run(_serve(settings))


async def _serve(settings: DeskSettings) -> None:
    with listen(settings.host, settings.port) as listener:
        desk = await asyncio.to_thread(open_desk, settings)
        app = desk_app(desk)
        server, stop = ReceiverServer(app), asyncio.Event()
        supervisor = JobSupervisor(desk.jobs, desk.now_ns)
        app.state.supervisor = supervisor
        _stop_on_signals(server, stop)
        url = f"http://{settings.host}:{listener.getsockname()[1]}"
        ready = {"ready": True, "url": url, "key_id": desk.key.public.key_id, "pid": os.getpid()}
        jobs = asyncio.create_task(supervisor.run(stop))
        print(json.dumps(ready), flush=True)
        await server.serve([listener])
        stop.set()
        await jobs
        desk.database.close()


def _stop_on_signals(server: ReceiverServer, stop: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def end() -> None:
        stop.set()
        server.stop()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
