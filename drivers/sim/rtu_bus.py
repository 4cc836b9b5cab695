"""The twins on an RS-485 bus, as far as software goes: a unit each, on a pseudo-terminal or a serial port.

In: the twins' Modbus servers (their registers as they are now, and their faults), and requests from a master. Out:
replies, or what the faults in force make of them: a unit that drops or is silent answers nothing, as one with a cut
wire. Reads only. Knows nothing of what the words mean.

    where ""              a new pseudo-terminal; `path` is its other end, for one master
    where a serial port   that port, 8 data bits, no parity, 1 stop bit; the twins are its only units
    where another path    a new pseudo-terminal, and a link to its other end under this name
"""

import asyncio
import contextlib
import os
import tty
from collections.abc import Mapping
from pathlib import Path

from drivers.modbus.lines import SerialLine
from drivers.sim.faults import FaultKind
from drivers.sim.modbus_server import ModbusTwinServer
from drivers.sim.rtu_frames import NoRequestError, first_request, reply_to
from gateway.model.errors import LinkError
from gateway.ports import Clock

BROKEN_OFF_S = 0.05


class RtuBus:
    """One bus with several twins. `path` is what a master opens, once started. `units` are by unit id. `noises` counts
    how often bytes were thrown away that were no request."""

    def __init__(self, where: str, units: Mapping[int, ModbusTwinServer], clock: Clock, baud: int = 9600) -> None:
        self._where = where
        self._units = dict(units)
        self._clock = clock
        self._line = SerialLine(where, baud, "none", 1) if _is_port(where) else PseudoTerminal()
        self._late: set[asyncio.Task[None]] = set()
        self._task: asyncio.Task[None] | None = None
        self._link: Path | None = None
        self.noises = 0

    @property
    def path(self) -> str:
        """What a master opens; the port itself where the twins are on a real one."""
        return str(self._link) if self._link else self._line.where

    async def start(self) -> None:
        """Listen. Raises OSError when the port, or the link, cannot be had."""
        try:
            await self._line.open(1.0)
        except LinkError as error:
            raise OSError(str(error)) from None
        if self._where and isinstance(self._line, PseudoTerminal):
            self._link = _linked(self._where, self._line.where)
        self._task = asyncio.create_task(self._serve(), name="sim-rtu")

    async def stop(self) -> None:
        """Answer nobody any more, and let go of the line."""
        tasks = [*self._late, *([self._task] if self._task else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._line.close()
        if self._link:
            self._link.unlink(missing_ok=True)

    async def _serve(self) -> None:
        heard = b""
        while True:
            try:
                async with asyncio.timeout(BROKEN_OFF_S if heard else None):
                    await self._line.arrived.wait()
            except TimeoutError:
                heard = self._noise()
                continue
            heard = self._answer(heard + self._line.take())

    def _answer(self, heard: bytes) -> bytes:
        """Answer every whole request; what is left is the beginning of one."""
        try:
            while (found := first_request(heard)) is not None:
                request, heard = found
                self._answer_one(request)
        except NoRequestError:
            return self._noise()
        return heard

    def _noise(self) -> bytes:
        self.noises += 1
        return b""

    def _answer_one(self, request: bytes) -> None:
        unit = self._units.get(request[0])
        if unit is None or unit.faults.active & {FaultKind.SILENCE, FaultKind.DROP}:
            return
        delay_s = unit.faults.delay_s if FaultKind.DELAY in unit.faults.active else 0.0
        late = asyncio.get_running_loop().create_task(self._send(reply_to(request, unit.words), delay_s))
        self._late.add(late)
        late.add_done_callback(self._late.discard)

    async def _send(self, reply: bytes, delay_s: float) -> None:
        if delay_s:
            await self._clock.sleep(delay_s)
        with contextlib.suppress(LinkError):  # a port that was pulled out: nobody is there to hear
            self._line.send(reply)


def _is_port(where: str) -> bool:
    """Something is there, and it is not the link that an earlier run left behind."""
    path = Path(where)
    left_behind = path.is_symlink() and path.readlink().is_relative_to("/dev/pts")
    return where != "" and path.exists() and not left_behind


def _linked(name: str, target: str) -> Path:
    link = Path(name)
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    return link


class PseudoTerminal(SerialLine):
    """A line whose other end is the path of a serial port for somebody else. `where` is that path once open."""

    def __init__(self) -> None:
        super().__init__("", 9600, "none", 1)
        self._other = -1

    async def open(self, timeout_s: float) -> None:  # noqa: ARG002  # a pseudo-terminal opens at once
        """Make the pair. The other end stays open here too, and so outlives its users."""
        self._descriptor, self._other = os.openpty()
        tty.setraw(self._other)
        os.set_blocking(self._descriptor, False)
        self.where = os.ttyname(self._other)
        asyncio.get_running_loop().add_reader(self._descriptor, self._read)

    def close(self) -> None:
        """Close both ends of the pseudo terminal."""
        super().close()
        other, self._other = self._other, -1
        if other >= 0:
            os.close(other)
