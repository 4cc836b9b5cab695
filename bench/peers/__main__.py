"""`python -m bench.peers`: run every peer in turn and then Sitewarden; print the figures and the ratios."""

import argparse
import asyncio
import json
import os
import struct
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pymodbus.client import AsyncModbusTcpClient

from bench import throughput
from bench.peers.collectd import collectd
from bench.peers.node_red import node_red
from bench.peers.running import Field, NotInstalled
from bench.peers.thingsboard import thingsboard
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.mosquitto import Mosquitto

DEVICES, POINTS = throughput.DEVICES, throughput.POINTS


def bare_pymodbus(field: Field, _folder: Path, seconds: float) -> dict[str, object]:
    """Only reads and converts: no rule, no history, nothing sent."""
    os.sched_setaffinity(0, {0})
    try:
        return asyncio.run(_read_all(field, seconds))
    finally:
        os.sched_setaffinity(0, {1})


async def _read_all(field: Field, seconds: float) -> dict[str, object]:
    end = time.monotonic() + seconds
    counts = [0]

    async def read(port: int) -> None:
        client = AsyncModbusTcpClient("127.0.0.1", port=port)
        await client.connect()
        due = time.monotonic()
        while due < end:
            reply = await client.read_holding_registers(0, count=2 * field.points)
            values = client.convert_from_registers(reply.registers, client.DATATYPE.FLOAT32)
            counts[0] += len(values)
            due += field.poll_ms / 1000
            await asyncio.sleep(max(0.0, due - time.monotonic()))
        client.close()

    cpu, started = time.process_time(), time.monotonic()
    await asyncio.gather(*(read(port) for port in field.ports))
    cpu_s, wall_s = time.process_time() - cpu, time.monotonic() - started
    return {
        "readings_per_s": round(counts[0] / wall_s),
        "cpu_s_per_million": round(cpu_s / counts[0] * 1e6, 2),
        "cpu_share_of_core": round(cpu_s / wall_s, 2),
    }


PEERS: dict[str, Callable[[Field, Path, float], dict[str, object]]] = {
    "Node-RED": node_red,
    "thingsboard-gateway": thingsboard,
    "collectd": collectd,
    "bare pymodbus loop": bare_pymodbus,
}


def measure(seconds: float, poll_ms: int) -> dict[str, dict[str, object]]:
    """Every peer in turn and then Sitewarden, each on a fresh field; a peer that cannot run has a `left_out` reason."""
    os.sched_setaffinity(0, {1})
    words = struct.unpack(f">{2 * POINTS}H", struct.pack(f">{POINTS}f", *(1.5 * i for i in range(POINTS))))
    found: dict[str, dict[str, object]] = {}
    for name, peer in PEERS.items():
        with (
            tempfile.TemporaryDirectory() as scratch,
            LibmodbusServer(DEVICES, 2 * POINTS) as server,
            Mosquitto() as broker,
        ):
            for device in range(DEVICES):
                server.set_registers(0, words, port_index=device)
            try:
                found[name] = peer(Field(server.ports, POINTS, broker.port, poll_ms), Path(scratch), seconds)
            except (NotInstalled, TimeoutError) as error:
                found[name] = {"left_out": str(error)}
    found["Sitewarden"] = throughput.measure(seconds, poll_ms)
    return found


def ratios(found: dict[str, dict[str, object]]) -> dict[str, float]:
    """Sitewarden's CPU per reading over each peer's."""
    own = float(str(found["Sitewarden"]["cpu_s_per_million"]))
    return {
        name: round(own / float(str(run["cpu_s_per_million"])), 3)
        for name, run in found.items()
        if name != "Sitewarden" and run.get("cpu_s_per_million")
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--poll-ms", type=int, default=100)
    options = parser.parse_args()
    results = measure(options.seconds, options.poll_ms)
    print(json.dumps({"runs": results, "cpu_per_reading_ratio": ratios(results)}, indent=1))


if __name__ == "__main__":
    main()
