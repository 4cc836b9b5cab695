"""How long a box is blind after it is started: `python -m bench.start [--times 5]`.

Each time `python -m sitewarden run` on the site of the browser tests (two cranes and a pit, each a real Modbus
server), as a service starts it, compiled modules at hand. Prints JSON: processor seconds of the process when each
device has been asked for its registers, and the seconds until then; of imports alone, too. Medians and the least of
all runs.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.fakes.gateway_process import ROOT, GatewayProcess
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.mosquitto import free_port
from tests.fakes.screen_site import CRANES, PIT, REGISTERS, idle_words, write_site
from tests.fakes.waiting import wait_until

IMPORTING = "import sitewarden.__main__, time; print(time.process_time())"
WITHIN_S = 120.0


def measure(times: int) -> dict[str, object]:
    """The figures of so many starts, each with a folder of its own."""
    starts = [_start() for _ in range(times)]
    return {
        "starts": times,
        "cpu_s_to_first_readings": _summed([cpu_s for cpu_s, _ in starts]),
        "s_to_first_readings": _summed([seconds for _, seconds in starts]),
        "cpu_s_of_imports": _summed([_importing_s() for _ in range(times)]),
    }


def _start() -> tuple[float, float]:
    servers = {name: LibmodbusServer(1, REGISTERS) for name in (*CRANES, PIT)}
    try:
        for name, server in servers.items():
            server.set_registers(0, idle_words(name))
        with tempfile.TemporaryDirectory() as folder:
            port = free_port()
            site = write_site(Path(folder), {name: server.port for name, server in servers.items()}, port)
            gateway = GatewayProcess(site, f"http://127.0.0.1:{port}")
            began = time.monotonic()
            gateway.start(wait=False)
            try:
                asked = servers.values()
                wait_until(lambda: all(server.requests().get(3) for server in asked), "each device asked", WITHIN_S)
                return gateway.cpu_s(), time.monotonic() - began
            finally:
                gateway.stop()
    finally:
        for server in servers.values():
            server.close()


def _importing_s() -> float:
    command = [sys.executable, "-c", IMPORTING]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def _summed(values: Sequence[float]) -> dict[str, float]:
    return {"median": round(statistics.median(values), 2), "least": round(min(values), 2)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=5, help="how many starts")
    print(json.dumps(measure(parser.parse_args().times), indent=2))


if __name__ == "__main__":
    main()
