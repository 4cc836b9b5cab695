"""The simulated field as its own process, so that it lives on while the gateway is killed. Ended by its id."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.sim.overload_log import Overload, read_overload_log
from tests.fakes.gateway_process import ROOT


@dataclass(frozen=True)
class SimFieldProcess:
    """Ports of the twins, and what they say they injected."""

    ready: dict[str, Any]

    def overloads(self) -> list[Overload]:
        """Read anew from the twins' own log."""
        return read_overload_log(Path(self.ready["overload_log"]))


@contextmanager
def sim_field(folder: Path, *arguments: str) -> Iterator[SimFieldProcess]:
    """Twins on free ports until the block ends."""
    ports = ["--crane-ports", "0,0", "--pit-port", "0", "--broker-port", "0"]
    command = [sys.executable, "-m", "drivers.sim", "--folder", str(folder), *ports, *arguments]
    with (folder / "sim.log").open("w") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        try:
            yield SimFieldProcess(json.loads(process.stdout.readline()))
        finally:
            process.terminate()
            process.wait(20)
            process.stdout.close()
