"""A real Modbus TCP server: the C library libmodbus, through ctypes, in a process of its own.

The test sets the words; libmodbus frames, checks and answers. One process serves many ports (one device each) and many
connections. libmodbus answers for every unit id, and answers exception 2 beyond the mapped addresses.

    with LibmodbusServer(devices=2, registers=100) as server:
        server.set_registers(0, [1, 2, 3], port_index=1)
        connect to 127.0.0.1, server.ports[1]

Words are set as they are: `modbus_set_float_*` of libmodbus 3.1.6 swaps bytes and is not used.
"""

import contextlib
import ctypes
import io
import json
import selectors
import socket
import sys
from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Literal, Self

from tests.fakes.ready_python import FRESH, PIPE, Python

LIBRARY = "libmodbus.so.5"
Area = Literal["holding", "input", "coils", "discrete"]


class LibmodbusServer:
    """A running server process. `devices` ports with `registers` words and bits of each area, from address 0.

    `ports` may fix the port numbers, so that a device can come back where it was. Raises RuntimeError with the server's
    own words when it does not start.
    """

    def __init__(
        self, devices: int = 1, registers: int = 200, ports: Sequence[int] = (), python: Python = FRESH
    ) -> None:
        setup = {"ports": list(ports) or [0] * devices, "registers": registers}
        module = "tests.fakes.libmodbus_server"
        self._process = python.start(module, json.dumps(setup), stdin=PIPE, stdout=PIPE, stderr=PIPE)
        streams = (self._process.stdin, self._process.stdout, self._process.stderr)
        assert all(streams)
        self._said_to, self._said_by, self._complaints = (io.TextIOWrapper(stream) for stream in streams)
        self.ports: tuple[int, ...] = tuple(self._answer()["ports"])

    @property
    def port(self) -> int:
        """The first device's port."""
        return self.ports[0]

    def set_registers(self, address: int, words: Iterable[int], port_index: int = 0, area: Area = "holding") -> None:
        """Set words (0 or 1 in `coils` and `discrete`); served from the next request on."""
        values = [int(word) for word in words]
        self._command({"do": "set", "port": port_index, "area": area, "address": address, "values": values})

    def requests(self, port_index: int = 0) -> dict[int, int]:
        """How many requests of each function code this port has received."""
        counts = self._command({"do": "requests", "port": port_index})["counts"]
        return {int(function): count for function, count in counts.items()}

    def close(self) -> None:
        """End the process and wait for it. May be called twice."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for stream in (self._said_to, self._said_by, self._complaints):
            with contextlib.suppress(BrokenPipeError):
                stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _command(self, command: dict[str, Any]) -> dict[str, Any]:
        self._said_to.write(json.dumps(command) + "\n")
        self._said_to.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        line = self._said_by.readline()
        if not line:
            reason = self._complaints.read().strip().splitlines()[-1:]
            self.close()
            raise RuntimeError(f"libmodbus server ended: {' '.join(reason)}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer


class _Mapping(ctypes.Structure):
    """`modbus_mapping_t` of modbus.h."""

    _fields_ = (
        *(
            (name, ctypes.c_int)
            for area in ("bits", "input_bits", "input_registers", "registers")
            for name in (f"nb_{area}", f"start_{area}")
        ),
        ("coils", ctypes.POINTER(ctypes.c_uint8)),
        ("discrete", ctypes.POINTER(ctypes.c_uint8)),
        ("input", ctypes.POINTER(ctypes.c_uint16)),
        ("holding", ctypes.POINTER(ctypes.c_uint16)),
    )


def _load(name: str = LIBRARY) -> ctypes.CDLL:
    try:
        library = ctypes.CDLL(name, use_errno=True)
    except OSError:
        raise SystemExit(f"{name} is not installed: apt-get install libmodbus5") from None
    library.modbus_new_tcp.restype = ctypes.c_void_p
    library.modbus_new_tcp.argtypes = [ctypes.c_char_p, ctypes.c_int]
    library.modbus_set_socket.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.modbus_receive.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    library.modbus_reply.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(_Mapping)]
    library.modbus_mapping_new.restype = ctypes.POINTER(_Mapping)
    return library


class _Process:
    """What runs in the server's process: one loop over listeners, connections and the control line."""

    def __init__(self, ports: Sequence[int], registers: int) -> None:
        self._library = _load()
        self._context = self._library.modbus_new_tcp(b"127.0.0.1", 0)
        self._query = ctypes.create_string_buffer(260)
        self._size = registers
        self._mappings = [self._library.modbus_mapping_new(*[registers] * 4) for _ in ports]
        self._counts: list[dict[int, int]] = [{} for _ in ports]
        self._selector = selectors.DefaultSelector()
        listeners = [socket.create_server(("127.0.0.1", port), backlog=64) for port in ports]
        for index, listener in enumerate(listeners):
            self._selector.register(listener, selectors.EVENT_READ, (self._accept, index))
        self._selector.register(sys.stdin, selectors.EVENT_READ, (self._control, -1))
        self._say({"ports": [listener.getsockname()[1] for listener in listeners]})

    def run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                act, index = key.data
                act(key.fileobj, index)

    def _accept(self, listener: socket.socket, index: int) -> None:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(connection, selectors.EVENT_READ, (self._serve, index))

    def _serve(self, connection: socket.socket, index: int) -> None:
        self._library.modbus_set_socket(self._context, connection.fileno())
        length = self._library.modbus_receive(self._context, self._query)
        if length > 0:
            function = self._query.raw[7]
            self._counts[index][function] = self._counts[index].get(function, 0) + 1
            length = self._library.modbus_reply(self._context, self._query, length, self._mappings[index])
        if length < 0:
            self._selector.unregister(connection)
            connection.close()

    def _control(self, stream: Any, _: int) -> None:
        line = stream.readline()
        if not line:
            raise SystemExit
        command = json.loads(line)
        if command["do"] == "requests":
            self._say({"counts": self._counts[command["port"]]})
        else:
            self._say(self._set(command))

    def _set(self, command: dict[str, Any]) -> dict[str, Any]:
        address, values = command["address"], command["values"]
        if address < 0 or address + len(values) > self._size:
            return {"error": f"address {address} + {len(values)} is outside the {self._size} that are served"}
        target = getattr(self._mappings[command["port"]].contents, command["area"])
        for i, value in enumerate(values):
            target[address + i] = value
        return {}

    def _say(self, answer: dict[str, Any]) -> None:
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        _Process(**json.loads(sys.argv[1])).run()
