"""How long the machine takes to add a crane: every step of docs/adding-a-crane.md, executed and timed.

    python -m bench.adding_a_crane

The made-up vendor's host is a real Modbus TCP server in this process with the page's words in its registers. What a
person does (reading the manual, writing the table, looking at the cabin's display) is not in the figures: no person was
timed. The page's own test holds the output of the commands to what it shows.
"""

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from drivers.sim.faults import Faults
from drivers.sim.modbus_server import ModbusTwinServer
from kit.clock import SystemClock
from tests.fakes.document import BLOCK, commands_of, files_of, output_of, swapped
from tests.fakes.gateway_process import ROOT

PAGE = ROOT / "docs" / "adding-a-crane.md"
GOLDEN = "tests/unit/sitewarden/commissioning/test_golden_frames.py"
_SHOWN = 74


def measure() -> list[tuple[str, float]]:
    """Each step and its seconds, in the page's order; the golden frames' test is the last."""
    return asyncio.run(_measure())


async def _measure() -> list[tuple[str, float]]:
    golden = yaml.safe_load((ROOT / "tests" / "cases" / "devices" / "qy-300.golden.yaml").read_text(encoding="utf-8"))
    server = ModbusTwinServer(0, golden["words"][3][0], Faults(), SystemClock())
    await server.start()
    try:
        with tempfile.TemporaryDirectory() as folder:
            return await asyncio.to_thread(_steps, Path(folder), server.port)
    finally:
        await server.stop()


def _steps(folder: Path, port: int) -> list[tuple[str, float]]:
    swap = {
        "192.168.1.50 --port 502": f"127.0.0.1 --port {port}",
        "192.168.1.50, port: 502": f"127.0.0.1, port: {port}",
    }
    steps = []
    for block in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        for name, content in files_of(block[0]).items():
            began = time.perf_counter()
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(swapped(content, swap), encoding="utf-8")
            steps.append((f"write {name}", time.perf_counter() - began))
        for command in commands_of(block):
            began = time.perf_counter()
            output_of(command, folder, swap)
            steps.append((command, time.perf_counter() - began))
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "pytest", "-q", GOLDEN, "-k", "qy-300"], cwd=ROOT, check=True)
    return [*steps, (f"pytest {GOLDEN} -k qy-300", time.perf_counter() - began)]


def report(steps: list[tuple[str, float]]) -> str:
    """A line a step, and the sum."""
    lines = [f"  {name[:_SHOWN]:<{_SHOWN}} {seconds:6.1f} s" for name, seconds in steps]
    total = f"  {'the machine, all steps':<{_SHOWN}} {sum(seconds for _, seconds in steps):6.1f} s"
    return "\n".join(["adding a crane, the machine's share (no person was timed)", *lines, total])


if __name__ == "__main__":
    print(report(measure()))
