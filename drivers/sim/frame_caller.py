"""A twin that calls the box and pushes frames, as the hosts of most cranes do: it connects, registers, beats, tells.

In: what the twin shows, the faults in force, a table. Out: frames to a port on 127.0.0.1. It counts the replies and
does nothing about them. A real unit reconnects for ever, and so does this one. Knows nothing of physics.
"""

import asyncio
import contextlib
import itertools
import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml

from drivers.frames.cutter import Cutter, Frame
from drivers.frames.encode import encode_frame
from drivers.frames.grammar import MessageKind
from drivers.frames.settings import FramesTable
from drivers.sim.faults import FaultKind, Faults
from drivers.sim.station import as_displayed
from gateway.ports import Clock

log = logging.getLogger(__name__)
_LOOPBACK = "127.0.0.1"
_RETRY_S = 0.5
_BEATS_EVERY = 10


@dataclass(frozen=True, slots=True)
class CallOptions:
    """Where to call, by which shipped table, as whom, how often to tell. `fields` are further texts of the grammar."""

    port: int
    table: str = "crane-host-binary-frames"
    identity: str = "SIM-0004"
    every_s: float = 1.0
    fields: Mapping[str, str] = field(default_factory=lambda: {"version": "V2.F", "flag": "5", "password": "000000"})


class FrameCaller:
    """One device. `shown` is what it tells next, by key; empty while it tells nonsense. Counts are since the start."""

    def __init__(self, asset: str, table: FramesTable, options: CallOptions, clock: Clock) -> None:
        self.asset = asset
        self.faults = Faults()
        self.shown: Mapping[str, float] = {}
        self.connected = False
        self.sent = 0
        self.acknowledged = 0
        self._table = table
        self._options = options
        self._clock = clock
        self._keys = {point.key for point in table.points}
        self._nonsense = {point.key: math.nan for point in table.points if point.sentinels}
        self._writer: asyncio.StreamWriter | None = None

    def settle(self) -> None:
        """Let ordered faults begin and end; hang up when the connection is to be dropped."""
        self.faults.settle(self._clock.monotonic_ns())
        if FaultKind.DROP in self.faults.active and self._writer is not None:
            self._writer.transport.abort()

    def show(self, values: Mapping[str, float]) -> None:
        """What it tells from now on, unless its values stand still."""
        if FaultKind.FREEZE not in self.faults.active:
            known = {key: value for key, value in values.items() if key in self._keys}
            self.shown = {} if FaultKind.CORRUPT in self.faults.active else as_displayed(known)

    async def run(self) -> None:
        """Call again and again until cancelled."""
        while True:
            if FaultKind.DROP not in self.faults.active:
                with contextlib.suppress(OSError):
                    await self._call()
            await self._clock.sleep(_RETRY_S)

    async def _call(self) -> None:
        reader, self._writer = await asyncio.open_connection(_LOOPBACK, self._options.port)
        self.connected = True
        log.info("twin=%s calls port=%d", self.asset, self._options.port)
        try:
            async with asyncio.TaskGroup() as tasks:
                hearing = tasks.create_task(self._hear(reader))
                telling = tasks.create_task(self._tell(self._writer))
                await asyncio.wait({hearing, telling}, return_when=asyncio.FIRST_COMPLETED)
                hearing.cancel()
                telling.cancel()
        finally:
            self.connected = False
            self._writer.transport.abort()

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        cutter = Cutter(self._table.grammar.answer_framing)
        with contextlib.suppress(OSError):
            while chunk := await reader.read(4096):
                self.acknowledged += sum(isinstance(cut, Frame) for cut in cutter.feed(chunk))

    async def _tell(self, writer: asyncio.StreamWriter) -> None:
        messages = self._table.grammar.messages
        named = {message.name: message for message in messages}
        values = next(message for message in messages if message.values)
        with contextlib.suppress(OSError):
            for turn in itertools.count():
                due = [named.get("registration")] if turn == 0 else []
                due += [named.get("heartbeat")] if turn % _BEATS_EVERY == 0 else []
                due += [values] if self.shown or FaultKind.CORRUPT in self.faults.active else []
                for message in due if FaultKind.SILENCE not in self.faults.active else ():
                    if message is not None:
                        writer.write(self._frame(message, turn))
                        self.sent += 1
                await writer.drain()
                await self._clock.sleep(self._options.every_s)

    def _frame(self, message: MessageKind, turn: int) -> bytes:
        """A frame of now, of a while ago when it is delayed; corrupt, by turns: sentinels, a bent frame, a cut one."""
        late_s = self.faults.delay_s if FaultKind.DELAY in self.faults.active else 0.0
        fields = self._fields(message, self._clock.now_ns() - int(late_s * 1e9))
        if not message.values:
            return encode_frame(self._table, message.name, fields, {})
        if FaultKind.CORRUPT not in self.faults.active:
            return encode_frame(self._table, message.name, fields, self.shown)
        wire = encode_frame(self._table, message.name, fields, self._nonsense)
        return (wire, _bent(wire), wire[: len(wire) // 2])[turn % 3]

    def _fields(self, message: MessageKind, now_ns: int) -> dict[str, str]:
        grammar = self._table.grammar
        known = {"number": str(self.sent % 65_536), **self._options.fields}
        fields = {name: text for name, text in known.items() if name in grammar.fields}
        if grammar.time is not None:
            zone = timedelta(minutes=grammar.time.utc_offset_minutes)
            local = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC) + zone
            said = local.strftime(grammar.time.format)
            fields |= dict(zip(grammar.time.fields, said.split(" ", len(grammar.time.fields) - 1), strict=True))
        if grammar.kind is not None:
            fields[grammar.kind] = message.is_[0]
        if "request" in grammar.fields:
            fields["request"] = f"{now_ns // 1_000_000}"
        return fields | dict(zip(grammar.identity, self._options.identity.split("/"), strict=True))


def _bent(wire: bytes) -> bytes:
    """One bit before the end is wrong."""
    return wire[:-6] + bytes([wire[-6] ^ 1]) + wire[-5:]


def load_frames_table(folder: Path, model: str) -> FramesTable:
    """Read one device table. Raises OSError when it is not there and ValueError when it is none of pushed frames."""
    return FramesTable.model_validate(yaml.safe_load((folder / f"{model}.yaml").read_text(encoding="utf-8")))
