"""How long the box works for one look at the first screen while many alarms are open.

    python -m bench.overview_page [--alarms 200] [--looks 300]

The story's site (three cranes, a pit of 13 points, its rules) with so many of its alarms raised and committed; each
part of the page is made as a browser asks for it, without the network. CPU time of the event loop, so that a busy
machine counts for little. Aim: each part below 10 ms.
"""

import argparse
import asyncio
import gzip
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from gateway.model.verdict import TRUE, Verdicts
from gateway.settings import config_root, load
from gateway.web.read_model import Row
from sitewarden.composition.box import DRIVERS, UPLINKS, Gateway
from sitewarden.composition.kinds import KINDS

PARTS = ("/", "/parts/overview-alarms", "/parts/overview-plan", "/parts/overview-bars", "/parts/topbar")


async def measured(alarms: int, looks: int) -> dict[str, Row]:
    """For each part: p50 and p95 in ms, bytes plain and gzipped."""
    settings = load(config_root() / "sites" / "afternoon.yaml", DRIVERS, UPLINKS, KINDS)
    with tempfile.TemporaryDirectory() as folder:
        storage = settings.storage.model_copy(update={"folder": Path(folder)})
        web = settings.web.model_copy(update={"port": 0})
        gateway = Gateway(replace(settings, storage=storage, web=web))
        recorder = asyncio.create_task(gateway.recorder.run())
        await raise_alarms(gateway, alarms)
        app: Any = gateway.web.app
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:1") as client:
            found = {path: await look(client, path, looks) for path in PARTS}
        found["live cells"] = cells(gateway, looks)
        recorder.cancel()
        return found


async def raise_alarms(gateway: Gateway, count: int) -> None:
    """Raise so many alarms, and wait until they are on the disk."""
    rows = np.arange(min(count, len(gateway.line.rules.rules)), dtype=np.int32)
    now_ns = gateway.clock.now_ns()
    for later_ns in (0, 10**15):  # beyond every delay
        verdicts = Verdicts(rows, np.full(len(rows), TRUE, np.uint8), np.full(len(rows), 120.0), now_ns + later_ns)
        for transition in gateway.line.alarms.step(verdicts):
            gateway.recorder.record_transition(transition, None, ())
    await gateway.recorder.drain()


async def look(client: httpx.AsyncClient, path: str, looks: int) -> Row:
    """One part, so often."""
    took_ms = []
    for _ in range(looks):
        begun = time.thread_time()
        answer = await client.get(path, headers={"accept": "text/html"})
        took_ms.append(1000 * (time.thread_time() - begun))
        assert answer.status_code == 200, answer.text
    return row(took_ms) | {"bytes": len(answer.content), "gzipped": len(gzip.compress(answer.content))}


def cells(gateway: Gateway, looks: int) -> Row:
    """The live picture, as the feed makes it once a second."""
    took_ms = []
    for _ in range(looks):
        begun = time.thread_time()
        gateway.feed.picture.row()
        took_ms.append(1000 * (time.thread_time() - begun))
    return row(took_ms)


def row(took_ms: list[float]) -> Row:
    """The usual two figures."""
    return {"p50_ms": float(np.percentile(took_ms, 50)), "p95_ms": float(np.percentile(took_ms, 95))}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alarms", type=int, default=200)
    parser.add_argument("--looks", type=int, default=300)
    options = parser.parse_args()
    for name, figures in asyncio.run(measured(options.alarms, options.looks)).items():
        print(f"{name:24}", "  ".join(f"{key} {value:,.2f}" for key, value in figures.items()))


if __name__ == "__main__":
    main()
