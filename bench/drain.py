"""A backlog of 1,000,000 readings drained to InfluxDB 1.6 (behind the v2 write path) by the gateway's own delivery.

Two shapes: crane polls (12 fields, one line a poll) and pit points (one line a reading). Counted at the server.
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path

import numpy as np

from contract.chain import ChainHead
from gateway.line.delivery import Delivery
from gateway.model.quantity import Point, PointTable
from gateway.model.reading import Quality, Readings
from gateway.ports import AssetTag, UplinkContext
from gateway.store.alert_store import AlertStore
from gateway.store.history_reader import HistoryReader
from gateway.store.history_store import Bounds, HistoryStore
from gateway.uplinks.influx import KIND
from kit.clock import SystemClock
from tests.fakes.influxdb import InfluxServer

SHAPES = {"crane": ("tower-crane", "crane_rt", 12), "pit": ("deep-pit", "pit_point", 20)}
POLLS_A_FLUSH = 1000


async def measure(shape: str, readings: int) -> dict[str, object]:
    """Fill a history, then drain it; the figures as a dictionary."""
    kind, measurement, fields = SHAPES[shape]
    points = PointTable(
        tuple(Point(f"{shape}-1.field_{i}", f"{shape}-1", f"field_{i}", "", "d", "", "") for i in range(fields))
    )
    with tempfile.TemporaryDirectory() as name, InfluxServer() as influx:
        folder, clock = Path(name), SystemClock()
        context = UplinkContext("bench-box", "BENCH", folder, clock, ChainHead, {f"{shape}-1": AssetTag(kind, "SN-1")})
        settings = KIND.settings(name="influx", kind="influx", url=influx.url, org="bench", bucket=influx.bucket)
        uplink = KIND.build(settings, context)
        alerts = AlertStore(folder, 2**20)
        history = HistoryStore(folder, points, Bounds(10 * 2**30, 60), clock.now_ns())
        history.start_cursor("influx").result()
        fill_s = _fill(history, fields, readings // fields)
        delivery = Delivery(uplink, alerts, history, HistoryReader(history.path, points), clock)
        polls = readings // fields
        cpu, started = time.process_time(), time.monotonic()
        task = asyncio.create_task(delivery.run())
        while delivery.polls_sent < polls:
            await asyncio.sleep(0.005)
        wall_s, cpu_s = time.monotonic() - started, time.process_time() - cpu
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await uplink.close()
        delivery.close()
        field = "value" if shape == "pit" else "field_0"
        held = influx.count(measurement, field)
        history.close(clock.now_ns())
        alerts.close()
    lines = polls * fields if shape == "pit" else polls
    return {
        "shape": shape,
        "readings": polls * fields,
        "lines": lines,
        "lines_held_by_server": held,
        "seconds": round(wall_s, 2),
        "readings_per_s": round(polls * fields / wall_s),
        "lines_per_s": round(lines / wall_s),
        "gateway_cpu_s": round(cpu_s, 2),
        "fill_seconds": round(fill_s, 2),
    }


def _fill(history: HistoryStore, fields: int, polls: int) -> float:
    rng = np.random.default_rng(1)
    index = np.arange(fields, dtype=np.int32)
    quality = np.full(fields, Quality.GOOD, dtype=np.uint8)
    start_ns = time.time_ns() - polls * 100_000_000
    started = time.monotonic()
    for poll in range(polls):
        at_ns = start_ns + poll * 100_000_000
        history.append(Readings("d", index, rng.normal(50, 20, fields), quality, at_ns, at_ns))
        if poll % POLLS_A_FLUSH == POLLS_A_FLUSH - 1:
            history.flush(at_ns).done.result()
    history.flush(time.time_ns()).done.result()
    return time.monotonic() - started


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, default=1_000_000)
    options = parser.parse_args()
    print(json.dumps([asyncio.run(measure(shape, options.readings)) for shape in SHAPES], indent=1))
