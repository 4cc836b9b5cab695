"""`python -m regulator.pages_process`: the process of a desk that makes pages and does the jobs. Started by the desk
itself.

Standard input is one end of a pair of sockets; settings come over it, requests follow. Signals are left to the process
at the other end: a service manager tells both, and this one works until the other has answered whom it will answer.
"""

import asyncio
import logging
import signal
import socket
import sys

from regulator.application import desk_app
from regulator.base.halves.back import LineLog, answer_all
from regulator.base.halves.frames import Kind, Line
from regulator.base.settings import DeskSettings
from regulator.base.supervisor import JobSupervisor
from regulator.running import open_desk, settle_memory
from regulator.server import fast_loop
from screens.log_limit import LogLimit

LIMIT = 1 << 20


def main() -> int:
    """Work until the line ends. Exit code 2: the other side said nothing."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    with asyncio.Runner(loop_factory=fast_loop()) as runner:
        return runner.run(_work())


async def _work() -> int:
    mine = socket.socket(fileno=sys.stdin.fileno())
    mine.setblocking(False)
    line = Line(*await asyncio.open_unix_connection(sock=mine, limit=LIMIT))
    log_to = LineLog(line, asyncio.get_running_loop())
    log_to.setFormatter(logging.Formatter("%(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[LogLimit(log_to)], force=True)
    said = await line.read()
    if said is None or said.kind is not Kind.SETTINGS:
        return 2
    desk = await asyncio.to_thread(open_desk, DeskSettings.model_validate_json(said.content))
    app, stop = desk_app(desk), asyncio.Event()
    settle_memory()
    supervisor = JobSupervisor(desk.jobs, desk.now_ns)
    async with app.router.lifespan_context(app):
        jobs = asyncio.create_task(supervisor.run(stop))
        line.write(Kind.READY)
        await answer_all(line, app)
        app.state.reception.end_waiting()
        stop.set()
        await jobs
    desk.database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
