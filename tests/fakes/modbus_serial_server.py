"""A Modbus TCP server that is neither ours nor C: npm modbus-serial in Node.js.

`.ci/system-packages` installs it from tests/fakes/modbus_serial/package-lock.json into the user's cache folder.
"""

import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.fakes.libmodbus_server import Area

SERVER = Path(__file__).parent / "modbus_serial" / "server.js"


def installed_folder() -> Path:
    """Where the package lies. Raises FileNotFoundError naming the command that puts it there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "sitewarden-tests" / "modbus-serial"
    if not (folder / "node_modules" / "modbus-serial").is_dir():
        raise FileNotFoundError(f"modbus-serial is not in {folder}: run .ci/system-packages")
    return folder


class ModbusSerialServer:
    """A running server for unit 1, with `registers` words and bits of each area. Use as a context manager."""

    def __init__(self, registers: int = 200) -> None:
        environment = os.environ | {"NODE_PATH": str(installed_folder() / "node_modules")}
        self._process = subprocess.Popen(
            ["node", str(SERVER), str(registers)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        self.port: int = self._answer()["port"]

    def set_registers(self, address: int, words: Iterable[int], area: Area = "holding") -> None:
        """Set words (0 or 1 in `coils` and `discrete`); served from the next request on."""
        assert self._process.stdin is not None
        command = {"area": area, "address": address, "values": [int(word) for word in words]}
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        self._answer()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            assert stream is not None
            stream.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the modbus-serial server ended; its reason is on stderr")
        answer: dict[str, Any] = json.loads(line)
        return answer
