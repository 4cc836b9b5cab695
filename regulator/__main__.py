"""`python -m regulator --db F --port P --enrol-code-file F`: the receiving regulator as its own process.

Arguments only. Prints one JSON line when it can be called, ends with exit code 0 on SIGTERM or SIGINT.
"""

import argparse
import asyncio
import json
import logging
import os
import secrets
import signal
import sys
import time
from pathlib import Path

from contract.keyfile import load_or_create, write_durably
from regulator.intake.code_file import read_or_make_code
from regulator.intake.disk_shelf import DiskShelf
from regulator.intake.enrolment import add_code
from regulator.intake.receiver import receiver_app
from regulator.intake.store import ReceiverStore, open_database, sqlite_url
from regulator.server import ReceiverServer
from regulator.settings import ReceiverSettings
from screens.listener import listen


def main(arguments: list[str] | None = None) -> int:
    """Serve until told to stop. Exit code 2 when a file or the port cannot be used."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s level=%(levelname)s logger=%(name)s %(message)s")
    given = _arguments(arguments)
    settings = ReceiverSettings(given.db, given.port or 0, given.enrol_code_file or given.db, given.host)
    try:
        if given.new_code is not None:
            return _issue_code(settings, given.new_code, given.for_box)
        return asyncio.run(_serve(settings))
    except (OSError, ValueError) as error:
        print(f"regulator: {error}", file=sys.stderr)
        return 2


def _arguments(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m regulator", description="Receive alerts from site boxes.")
    parser.add_argument("--db", type=Path, required=True, help="SQLite file; key and blobs lie beside it")
    parser.add_argument("--port", type=int, help="TCP port, 0 takes a free one")
    parser.add_argument("--enrol-code-file", type=Path, help="one-time code, made when it is missing")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--new-code", metavar="PATH", help="issue a one-time code into a file (a stick), - prints it; end"
    )
    parser.add_argument(
        "--for-box", default="", metavar="ID", help="with --new-code: only for this box, whose key it replaces"
    )
    given = parser.parse_args(arguments)
    if given.new_code is None and (given.port is None or given.enrol_code_file is None):
        parser.error("--port and --enrol-code-file are required, or --new-code")
    return given


async def _serve(settings: ReceiverSettings) -> int:
    with listen(settings.host, settings.port) as listener:
        key = load_or_create(settings.key_file)
        code = read_or_make_code(settings.enrol_code_file)
        store = ReceiverStore(open_database(sqlite_url(settings.database)), key)
        store.add_code(code)
        app = receiver_app(store, key, DiskShelf(settings.blob_folder, settings.max_blob_bytes))
        server = ReceiverServer(app)
        _stop_on_signals(server)
        url = f"http://{settings.host}:{listener.getsockname()[1]}"
        ready = {"ready": True, "url": url, "key_id": key.public.key_id, "pid": os.getpid()}
        print(json.dumps(ready), flush=True)
        await server.serve([listener])
        store.close()
    return 0


def _issue_code(settings: ReceiverSettings, target: str, box_id: str) -> int:
    """A new code into the database and to where it is wanted; the running desk takes it at once.

    The file is written first: a code that nobody holds must not be valid. Raises OSError when it cannot be written.
    """
    code = secrets.token_urlsafe(24)
    if target != "-":
        write_durably(Path(target), f"{code}\n".encode())
    database = open_database(sqlite_url(settings.database))
    try:
        with database.transaction() as db:
            add_code(db, code, box_id, time.time_ns())
    finally:
        database.close()
    print(code if target == "-" else json.dumps({"code_file": target, "box_id": box_id}), flush=True)
    return 0


def _stop_on_signals(server: ReceiverServer) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)


if __name__ == "__main__":
    sys.exit(main())
