"""A Modbus server that is neither ours nor C: npm modbus-serial in Node.js, on TCP, or on RTU with npm serialport.

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
RTU_SERVER = SERVER.with_name("rtu_server.js")


def installed_folder() -> Path:
    """Where the package lies. Raises FileNotFoundError naming the command that puts it there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "sitewarden-tests" / "modbus-serial"
    if not (folder / "node_modules" / "serialport").is_dir():
        raise FileNotFoundError(f"modbus-serial and serialport are not in {folder}: run .ci/system-packages")
    return folder


class ModbusSerialServer:
    """A running server for unit 1, with `registers` words and bits of each area. Use as a context manager."""

    def __init__(self, registers: int = 200) -> None:
        self._start("node", str(SERVER), str(registers))
        self.port: int = self._answer()["port"]

    def _start(self, *command: str) -> None:
        environment = os.environ | {"NODE_PATH": str(installed_folder() / "node_modules")}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )

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


class ModbusSerialRtuServer(ModbusSerialServer):
    """The same as unit 1 of an RTU line: `path` is the master's end of a pair of pseudo-terminals, kept by socat."""

    def __init__(self, folder: Path, registers: int = 200) -> None:
        self.path, own = str(folder / "master"), str(folder / "unit")
        ends = [f"PTY,raw,echo=0,link={end}" for end in (self.path, own)]
        self._pair = subprocess.Popen(["socat", "-d", "-d", *ends], stderr=subprocess.PIPE, text=True)
        assert self._pair.stderr is not None
        while "starting data transfer loop" not in (line := self._pair.stderr.readline()):
            if not line:
                raise RuntimeError("socat ended before the pair was there")
        self._start("node", str(RTU_SERVER), own, str(registers))
        self._answer()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        self._pair.terminate()
        self._pair.wait()
        assert self._pair.stderr is not None
        self._pair.stderr.close()
