"""Lines that carry bytes to an RTU bus: a serial port, or a TCP connection to a serial server.

In: bytes to send. Out: bytes as they came, and an event when more are there. Knows no frames, no units, no schedule.
A serial port is opened with termios: 8 data bits, no flow control, locked against other programs of the same kind.
"""

import asyncio
import fcntl
import os
import termios
from typing import Protocol

from gateway.model.errors import LinkError

_CHUNK = 4096
_PARITY_FLAGS = {"none": 0, "even": termios.PARENB, "odd": termios.PARENB | termios.PARODD}
BAUD_RATES = {
    1200: termios.B1200,
    2400: termios.B2400,
    4800: termios.B4800,
    9600: termios.B9600,
    19200: termios.B19200,
    38400: termios.B38400,
    57600: termios.B57600,
    115200: termios.B115200,
}


class Line(Protocol):
    """What an RTU link needs of a line."""

    where: str
    arrived: asyncio.Event

    @property
    def is_open(self) -> bool:
        """Whether the line was opened and not lost since."""
        ...

    async def open(self, timeout_s: float) -> None:
        """Open it. Raises LinkError saying why it cannot be opened."""
        ...

    def send(self, data: bytes) -> None:
        """Put bytes on the line. Raises LinkError when the line is lost."""
        ...

    def take(self) -> bytes:
        """What has arrived since the last call; clears `arrived`."""
        ...

    def close(self) -> None:
        """Let go of it. May be called twice."""
        ...


class _Inbox:
    """What has arrived and was not taken yet; the event is set by bytes and by the loss of the line."""

    def __init__(self) -> None:
        self.arrived = asyncio.Event()
        self._bytes = bytearray()

    def take(self) -> bytes:
        """Every byte that has arrived since the last call."""
        taken = bytes(self._bytes)
        self._bytes.clear()
        self.arrived.clear()
        return taken

    def put(self, data: bytes) -> None:
        """More bytes; none when the line was lost."""
        self._bytes += data
        self.arrived.set()


class TcpLine(_Inbox):
    """A serial server in raw ("transparent") mode."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._host, self._port = host, port
        self.where = f"{host}:{port}"
        self._transport: asyncio.Transport | None = None

    @property
    def is_open(self) -> bool:
        """Connected, as far as this end knows."""
        return self._transport is not None and not self._transport.is_closing()

    async def open(self, timeout_s: float) -> None:
        """Connect. Raises LinkError when refused, or after `timeout_s`."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_s):
                transport, _ = await loop.create_connection(lambda: _TcpEars(self), self._host, self._port)
        except TimeoutError:
            reason = f"no answer within {timeout_s * 1000:.0f} ms"
            raise LinkError(f"cannot connect to {self.where}: {reason}") from None
        except OSError as error:
            reason = error.strerror or "refused or unreachable"
            raise LinkError(f"cannot connect to {self.where}: {reason}") from None
        self.take()
        self._transport = transport

    def send(self, data: bytes) -> None:
        """Queue these bytes for the connection; nothing is awaited."""
        if self._transport is None or self._transport.is_closing():
            raise LinkError(f"connection to {self.where} lost")
        self._transport.write(data)

    def close(self) -> None:
        """Drop the connection, with whatever was still queued."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    def lost(self) -> None:
        """Told by the transport that the other end has gone."""
        self.put(b"")


class _TcpEars(asyncio.Protocol):
    """Hands what a connection hears to its line."""

    def __init__(self, line: TcpLine) -> None:
        self._line = line

    def data_received(self, data: bytes) -> None:
        """Told by the transport that more bytes came."""
        self._line.put(data)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  # the base class names it
        """The connection is closed, from either end."""
        self._line.lost()


class SerialLine(_Inbox):
    """A serial port of this machine."""

    def __init__(self, path: str, baud: int, parity: str, stop_bits: int) -> None:
        super().__init__()
        self.where = path
        self._settings = (baud, parity, stop_bits)
        self._descriptor = -1

    @property
    def is_open(self) -> bool:
        """The port is open and was not unplugged, as far as this end knows."""
        return self._descriptor >= 0

    async def open(self, timeout_s: float) -> None:  # noqa: ARG002  # a serial port opens at once or not at all
        """Open and set up the port. Raises LinkError when it is missing, forbidden, in use, or no serial port."""
        try:
            descriptor = os.open(self.where, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            raise LinkError(f"cannot open serial port {self.where}: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            termios.tcsetattr(descriptor, termios.TCSANOW, _attributes(descriptor, *self._settings))
            termios.tcflush(descriptor, termios.TCIOFLUSH)
        except (OSError, termios.error) as error:
            os.close(descriptor)
            reason = "in use by another program" if isinstance(error, BlockingIOError) else error.args[-1]
            raise LinkError(f"cannot open serial port {self.where}: {reason}") from None
        self.take()
        self._descriptor = descriptor
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    def send(self, data: bytes) -> None:
        """Hand bytes to the port; a request fits the buffer of any."""
        try:
            sent = os.write(self._descriptor, data) if self.is_open else 0
        except OSError as error:
            self.close()
            raise LinkError(f"serial port {self.where} lost: {error.strerror}") from None
        if sent != len(data):
            self.close()
            raise LinkError(f"serial port {self.where} took {sent} of {len(data)} bytes")

    def close(self) -> None:
        """Close the serial port; it may be opened again."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            asyncio.get_running_loop().remove_reader(descriptor)
            os.close(descriptor)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return
        except OSError:  # EIO: the adapter was pulled out
            data = b""
        if not data:
            self.close()
        self.put(data)


def _attributes(descriptor: int, baud: int, parity: str, stop_bits: int) -> list[int | list[bytes | int]]:
    """Raw mode: 8 data bits as they are, nothing translated, reads that never wait."""
    attributes = termios.tcgetattr(descriptor)
    speed = BAUD_RATES[baud]
    flags = termios.CS8 | termios.CREAD | termios.CLOCAL | _PARITY_FLAGS[parity]
    check_parity = termios.INPCK if parity != "none" else 0
    control = list(attributes[6])
    control[termios.VMIN], control[termios.VTIME] = 1, 0  # with O_NONBLOCK: nothing there is EAGAIN, 0 is the end
    return [check_parity, 0, flags | (termios.CSTOPB if stop_bits == 2 else 0), 0, speed, speed, control]
