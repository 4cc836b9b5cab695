"""`python -m regulator --db F --port P --enrol-code-file F --for-box ID --for-project CODE`: the receiving regulator as
its own process, to try a box against.

Arguments only. Each start writes a new one-time code for that box into the file. Prints one JSON line when it can be
called, ends with exit code 0 on SIGTERM or SIGINT. A desk issues codes with `sitewarden desk FILE issue-code`.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from pathlib import Path

from contract.keyfile import load_or_create, write_durably
from regulator.base.intake.disk_shelf import DiskShelf
from regulator.base.intake.receiver import receiver_app
from regulator.base.intake.store import ReceiverStore, open_database, sqlite_url
from regulator.base.settings import ReceiverSettings
from regulator.running import sole_desk
from regulator.server import ReceiverServer
from screens.listener import listen
from screens.log_limit import LogLimit

NEW_WAY = "sitewarden desk FILE issue-code PROJECT BOX"


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop. Exit code 2 when a file or the port cannot be used."""
    log_to = logging.StreamHandler()
    log_to.setFormatter(logging.Formatter("%(asctime)s level=%(levelname)s logger=%(name)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[LogLimit(log_to)])
    given = _arguments(arguments)
    settings = ReceiverSettings(Path(given.db), given.port, given.enrol_code_file, given.host)
    try:
        return asyncio.run(_serve(settings, given.for_box, given.for_project))
    except (OSError, ValueError) as error:
        print(f"regulator: {error}", file=sys.stderr)
        return 2


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m regulator", description="Receive alerts from a site box.")
    parser.add_argument("--db", help="SQLite file; key and blobs lie beside it")
    parser.add_argument("--port", type=int, help="TCP port, 0 takes a free one")
    parser.add_argument("--enrol-code-file", type=Path, help="where the one-time code is written")
    parser.add_argument("--for-box", metavar="ID", help="the box that the code is for")
    parser.add_argument("--for-project", metavar="CODE", help="the project of that box")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--new-code", nargs="?", const="-", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.new_code is not None:
        parser.error(f"--new-code is gone, nothing was issued: {NEW_WAY} works on SQLite and on PostgreSQL")
    missing = [name for name in ("db", "port", "enrol_code_file", "for_box", "for_project") if not _said(given, name)]
    if missing:
        parser.error("required: " + ", ".join(f"--{name.replace('_', '-')}" for name in missing))
    if "://" in given.db:
        parser.error(f"--db: {given.db.split(':')[0]} is an address, expected a SQLite file; a desk runs on PostgreSQL")
    return given


def _said(given: argparse.Namespace, name: str) -> bool:
    return getattr(given, name) not in (None, "")


async def _serve(settings: ReceiverSettings, box_id: str, project_code: str) -> int:
    with listen(settings.host, settings.port) as listener, sole_desk(sqlite_url(settings.database)):
        key = load_or_create(settings.key_file)
        store = ReceiverStore(open_database(sqlite_url(settings.database)), key)
        write_durably(settings.enrol_code_file, store.issue_code(box_id, project_code).encode())
        app = receiver_app(store, key, DiskShelf(settings.blob_folder, settings.max_blob_bytes))
        server = ReceiverServer(app)
        _stop_on_signals(server)
        url = f"http://{settings.host}:{listener.getsockname()[1]}"
        ready = {"ready": True, "url": url, "key_id": key.public.key_id, "pid": os.getpid()}
        print(json.dumps(ready), flush=True)
        await server.serve([listener])
        store.close()
    return 0


def _stop_on_signals(server: ReceiverServer) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)


if __name__ == "__main__":
    sys.exit(main())
