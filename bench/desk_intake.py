"""`python -m bench.desk_intake [--messages N]`: alarms a second that the desk's intake keeps, signatures, receipts and
commits included, without HTTP: 50 boxes, 50 sendings at a time, on SQLite and on a real PostgreSQL.

Prints one JSON line a database. `cpu_ms` is this process's own; PostgreSQL's work is its server's and not in it.
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

from contract.signing import generate_key
from regulator.base.intake.reception import Request
from regulator.base.intake.store import open_database
from tests.fakes.contract_box import alarm_body
from tests.fakes.desk_database import DeskClock
from tests.fakes.postgresql import PostgreSQL, reachable_folder, remove
from tests.fakes.sending_box import DeskIntake, desk_intake

BOXES = 50
TOGETHER = 50


async def _measured(intake: DeskIntake, messages: int) -> dict[str, object]:
    reception = intake.intake.reception
    boxes = [intake.box(f"box-{number}") for number in range(BOXES)]
    for box in boxes:
        assert (await box.enrol()).status == 200
    requests = []
    for number in range(messages):
        box, key = boxes[number % BOXES], f"a{number}:raised"
        said = alarm_body(key, alarm_id=f"a{number}", project_code=box.project)
        requests.append(box.request("alarm_transition", key, said))
    gate, spent_s = asyncio.Semaphore(TOGETHER), []

    async def send(request: Request) -> None:
        async with gate:
            begun = time.perf_counter()
            assert (await reception.message(request)).status == 200
            spent_s.append(time.perf_counter() - begun)

    begun, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*map(send, requests))
    wall_s, cpu_s = time.perf_counter() - begun, time.process_time() - cpu
    assert intake.intake.store.stats()["items_held"] == messages
    spent_s.sort()
    return {
        "messages": messages,
        "per_s": round(messages / wall_s),
        "cpu_ms": round(cpu_s / messages * 1000, 2),
        "receipt_ms": {
            name: round(spent_s[int(messages * part)] * 1000) for name, part in (("p50", 0.5), ("p95", 0.95))
        },
    }


def measure(url: str, folder: Path, messages: int) -> dict[str, object]:
    """One database, from empty."""
    database = open_database(url)
    intake = desk_intake(database, generate_key(), DeskClock(), folder)
    try:
        return asyncio.run(_measured(intake, messages))
    finally:
        intake.intake.reception.close()
        database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="How many alarms a second the desk's intake keeps.")
    parser.add_argument("--messages", type=int, default=1500)
    messages = parser.parse_args().messages
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        figures = measure(f"sqlite:///{folder / 'desk.db'}", folder, messages)
        print(json.dumps({"database": "sqlite"} | figures), flush=True)
        home = reachable_folder()
        server = PostgreSQL(home)
        server.start()
        try:
            figures = measure(server.url(server.create()), folder, messages)
        finally:
            server.stop()
            remove(home)
        print(json.dumps({"database": "postgresql"} | figures), flush=True)


if __name__ == "__main__":
    main()
