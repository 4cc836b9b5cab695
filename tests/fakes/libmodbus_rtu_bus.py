"""An RS-485 bus as far as software goes: one libmodbus RTU server a unit, each on a pseudo-terminal of its own, in one
process; a hub hands each request to the unit that it names, and replies to the master. (Units that saw the requests of
others but not the replies did not answer in time: libmodbus 3.1.6 waits for those replies.)

    with LibmodbusRtuBus(units=[1, 2, 3]) as bus:
        bus.set_registers(2, 0, [1, 2, 3])
        open bus.path as a serial port, or put a `SerialServer` before it: socat, which we did not write

Faults act in the hub, libmodbus answers all the same: `mute` lets a unit's replies vanish, `hold` keeps them back until
the next fault is set, `late` sends each one `LATE_S` late, `noise` flips a bit in one of a hundred.
"""

import ctypes
import json
import os
import random
import selectors
import subprocess
import sys
import threading
import tty
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Literal, Self

from tests.fakes.libmodbus_server import LIBRARY, Area, _Mapping

REGISTERS = 300
LATE_S = 0.7
NOISE_SHARE = 0.01
Fault = Literal["none", "mute", "hold", "late", "noise"]


class LibmodbusRtuBus:
    """A running bus. Raises RuntimeError with the process's own words when it does not start."""

    def __init__(self, units: Sequence[int]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fakes.libmodbus_rtu_bus", json.dumps({"units": list(units)})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.path: str = self._answer()["path"]

    def set_registers(self, unit: int, address: int, words: Iterable[int], area: Area = "holding") -> None:
        """Set words (0 or 1 in `coils` and `discrete`); served from the next request on."""
        self._command({"do": "set", "unit": unit, "area": area, "address": address, "values": [int(w) for w in words]})

    def fault(self, unit: int, kind: Fault) -> None:
        """What becomes of the unit's replies; what was held back goes out first."""
        self._command({"do": "fault", "unit": unit, "kind": kind})

    def requests(self) -> list[tuple[int, int]]:
        """Unit and function of every request that the master sent, in order."""
        return [(unit, function) for unit, function in self._command({"do": "requests"})["requests"]]

    def close(self) -> None:
        """End the process and wait for it. May be called twice."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _command(self, command: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        line = self._process.stdout.readline()
        if not line:
            reason = self._process.stderr.read().strip().splitlines()[-1:]
            self.close()
            raise RuntimeError(f"libmodbus RTU bus ended: {' '.join(reason)}")
        answer: dict[str, Any] = json.loads(line)
        return answer


class SerialServer:
    """`socat` as a serial server in raw mode: a TCP port in front of a serial port. Use as a context manager."""

    def __init__(self, path: str, port: int) -> None:
        self.port = port
        self._process = subprocess.Popen(
            ["socat", "-d", "-d", f"TCP-LISTEN:{port},bind=127.0.0.1,reuseaddr,fork", f"FILE:{path},raw,echo=0"],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self._process.stderr is not None
        while "listening on" not in (line := self._process.stderr.readline()):
            if not line:
                raise RuntimeError("socat ended before it listened")
        self._reader = threading.Thread(target=self._process.stderr.read, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait()
        self._reader.join(5)
        assert self._process.stderr is not None
        self._process.stderr.close()


class _Process:
    """What runs in the bus' process: a thread a unit inside libmodbus, and one loop over hub and control line."""

    def __init__(self, units: Sequence[int]) -> None:
        self._library = _load()
        self._selector = selectors.DefaultSelector()
        self._requests: list[tuple[int, int]] = []
        self._heard = b""
        self._faults = dict.fromkeys(units, "none")
        self._held: dict[int, bytes] = dict.fromkeys(units, b"")
        self._noise = random.Random(1)
        self._mappings = {unit: self._library.modbus_mapping_new(*[REGISTERS] * 4) for unit in units}
        self._field, self._path = _terminal()
        self._hubs = {}
        for unit in units:
            hub, path = _terminal()
            self._hubs[unit] = hub
            threading.Thread(target=self._serve, args=(unit, path), daemon=True).start()
            self._selector.register(hub, selectors.EVENT_READ, (self._from_unit, unit))
        self._selector.register(self._field, selectors.EVENT_READ, (self._from_master, 0))
        self._selector.register(sys.stdin, selectors.EVENT_READ, (self._control, 0))
        self._say({"path": self._path})

    def run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                act, unit = key.data
                act(unit)

    def _serve(self, unit: int, path: str) -> None:
        library = self._library
        context = library.modbus_new_rtu(path.encode(), 115_200, b"N", 8, 1)
        library.modbus_set_slave(context, unit)
        if library.modbus_connect(context) != 0:
            os._exit(1)
        query = ctypes.create_string_buffer(260)
        while True:
            length = library.modbus_receive(context, query)
            if length > 0:
                library.modbus_reply(context, query, length, self._mappings[unit])

    def _from_master(self, _: int) -> None:
        self._heard += os.read(self._field, 4096)
        while len(self._heard) >= 8:
            request, self._heard = self._heard[:8], self._heard[8:]
            self._requests.append((request[0], request[1]))
            if request[0] in self._hubs:
                os.write(self._hubs[request[0]], request)

    def _from_unit(self, unit: int) -> None:
        data = os.read(self._hubs[unit], 4096)
        match self._faults[unit]:
            case "none":
                os.write(self._field, data)
            case "hold":
                self._held[unit] += data
            case "late":
                threading.Timer(LATE_S, os.write, (self._field, data)).start()
            case "noise":
                os.write(self._field, self._spoilt(data) if self._noise.random() < NOISE_SHARE else data)

    def _spoilt(self, data: bytes) -> bytes:
        at = self._noise.randrange(len(data))
        return data[:at] + bytes((data[at] ^ 1 << self._noise.randrange(8),)) + data[at + 1 :]

    def _control(self, _: int) -> None:
        line = sys.stdin.readline()
        if not line:
            raise SystemExit
        command = json.loads(line)
        match command["do"]:
            case "requests":
                self._say({"requests": self._requests})
            case "fault":
                unit = command["unit"]
                os.write(self._field, self._held[unit])
                self._held[unit], self._faults[unit] = b"", command["kind"]
                self._say({})
            case "set":
                target = getattr(self._mappings[command["unit"]].contents, command["area"])
                for i, value in enumerate(command["values"]):
                    target[command["address"] + i] = value
                self._say({})

    def _say(self, answer: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _terminal() -> tuple[int, str]:
    """A raw pseudo-terminal: the hub's end, and the path of the other, which stays open and so outlives its users."""
    hub, other = os.openpty()
    tty.setraw(other)
    return hub, os.ttyname(other)


def _load() -> ctypes.CDLL:
    library = ctypes.CDLL(LIBRARY, use_errno=True)
    library.modbus_new_rtu.restype = ctypes.c_void_p
    library.modbus_new_rtu.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_char, ctypes.c_int, ctypes.c_int]
    library.modbus_set_slave.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.modbus_connect.argtypes = [ctypes.c_void_p]
    library.modbus_receive.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    library.modbus_reply.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(_Mapping)]
    library.modbus_mapping_new.restype = ctypes.POINTER(_Mapping)
    return library


if __name__ == "__main__":
    _Process(**json.loads(sys.argv[1])).run()
