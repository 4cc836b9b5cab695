"""The driver for devices that call: one port, its callers, and whose each of them is.

Theory of operation. A task for the port, one that hangs up on who is overdue, and two a caller:

    port --> admitted? --> read, cut, take apart --> whose? --> decode --> await sink.put() --> owed
                                                                                                 '--> reply, once kept

A caller is nobody until a sound frame names a configured device; then it speaks for that device and for no other. Its
frames are answered when the history has their readings: a unit that keeps what was not acknowledged loses nothing.
Bounds hold back the one who exceeds them, never a neighbour. When the one who speaks for a device goes, all its points
are BAD at once. What is refused is counted, told on the health page, and kept aside within bounds.

In: `BoundLink`. Out: `Readings` into the sink; to the callers, acknowledgements (`drivers.frames.answers`). Knows
nothing of rules, stores and screens.
"""

import asyncio
import ipaddress
import logging
from collections import Counter
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from drivers.frames.answers import Answerer
from drivers.frames.checking import remarks
from drivers.frames.cutter import Cutter, Frame, Refused
from drivers.frames.decode import FrameDecoder
from drivers.frames.link import Caller, Owed, allowances
from drivers.frames.message import Message, MessageReader
from drivers.frames.roster import Claim, Roster, Strangers
from drivers.frames.settings import FramesDevice, FramesLink, FramesTable
from gateway.model.errors import DecodeError
from gateway.model.reading import GOOD, SUSPECT, Readings
from gateway.ports import BoundDevice, BoundLink, Clock, Driver, DriverKind, LinkHealth, LinkState, ReadingSink

log = logging.getLogger(__name__)

_LOOK_S = 0.5
_STRANGERS = 32
_SHOWN_S = 600.0
_KEPT_ASIDE = 100
_KEPT_BYTES = 4096
_CONTESTED = "two callers say that they are this device: its values are SUSPECT"


@dataclass(slots=True)
class _Channel:
    """One device: its decoder, who may call as it, and what its health page says."""

    device: BoundDevice
    decoder: FrameDecoder
    state: LinkState = LinkState.STARTING
    frames: int = 0
    failures: int = 0
    last_error: str = ""
    address: str = ""

    @property
    def settings(self) -> FramesDevice:
        """The device's settings, from the site file."""
        settings: FramesDevice = self.device.settings
        return settings

    @property
    def device_id(self) -> str:
        """The device's id, from the site file."""
        return str(self.device.settings.id)


class FramesDriver:
    """One port and the devices that call there. `run` until cancelled."""

    def __init__(self, link: BoundLink, clock: Clock) -> None:
        settings: FramesLink = link.settings
        self.name = settings.id
        self._settings = settings
        self._clock = clock
        grammar = link.devices[0].table.grammar
        self._framing = grammar.frame
        self._reader = MessageReader(grammar)
        self._answerer = Answerer(grammar, self._reader)
        self._channels = [_Channel(device, FrameDecoder(device, self._reader)) for device in link.devices]
        self._device_of = {channel.settings.identity: i for i, channel in enumerate(self._channels)}
        self._roster = Roster(settings.takeover_s, settings.contest_s)
        self._strangers = Strangers(_STRANGERS, _SHOWN_S)
        self._callers: dict[int, Caller] = {}
        self._calls = 0
        self._refused = 0
        self._refused_ns = 0
        self._last_refusal = ""
        self._aside: Counter[str] = Counter()
        self._port_error = ""
        self._listening = False

    def health(self) -> Sequence[LinkHealth]:
        """One entry a device, and one for the port: `polls` counts calls there, `failures` what was refused."""
        port = f"{self._settings.host}:{self._settings.port}"
        state = LinkState.UP if self._listening else LinkState.DOWN if self._port_error else LinkState.STARTING
        told = LinkHealth(f"{self.name}:port", state, self._calls, self._refused, 0, self._trouble(), port)
        return [*(_row(channel) for channel in self._channels), told]

    async def run(self, sink: ReadingSink) -> None:
        """Listen until cancelled. A port that cannot be opened is tried again; only a bug escapes."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._look_after(), name=f"{self.name}: look after")
            await self._listen(tasks, sink)

    # --- the port ---

    async def _listen(self, tasks: asyncio.TaskGroup, sink: ReadingSink) -> None:
        settings = self._settings
        while True:
            try:
                server = await asyncio.start_server(partial(self._called, tasks, sink), settings.host, settings.port)
            except OSError as error:
                self._port_closed(f"cannot listen on {settings.host}:{settings.port}: {error.strerror or error}")
                await self._clock.sleep(settings.retry_s)
                continue
            self._listening, self._port_error = True, ""
            log.info("frames port open link=%s address=%s:%d", self.name, settings.host, settings.port)
            try:
                await asyncio.Event().wait()
            finally:
                self._listening = False
                server.close()

    def _port_closed(self, why: str) -> None:
        if not self._port_error:
            log.warning("frames port closed link=%s why=%s", self.name, why)
        self._port_error = why

    def _called(
        self, tasks: asyncio.TaskGroup, sink: ReadingSink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._calls += 1
        try:
            caller = Caller(self._calls, (reader, writer), Cutter(self._framing), self._clock)
        except OSError:  # it is gone already
            writer.transport.abort()
            return
        why = self._why_not(caller) if self._listening else "the port is being closed"
        if why:
            caller.hang_up(why)
            self._refuse(why, caller)
            return
        self._callers[caller.number] = caller
        tasks.create_task(self._serve(caller, sink), name=f"{self.name}: {caller.address}")

    def _why_not(self, caller: Caller) -> str:
        """Why this one may not call; '' when it may. A new caller is worth more than one who has not said who it is."""
        settings = self._settings
        if settings.allow and not _within(caller.host, settings.allow):
            return "its address is not allowed"
        return self._make_room(caller.host, settings.max_callers_per_address, "of this address") or self._make_room(
            "", settings.max_callers, "in all"
        )

    def _make_room(self, host: str, most: int, what: str) -> str:
        """Room for one more of these callers ('': of all), by hanging up on one without a name; why there is none."""
        present = [other for other in self._callers.values() if host in (other.host, "")]
        if len(present) < most:
            return ""
        unnamed = next((other for other in present if other.device is None), None)
        if unnamed is None:
            return f"{most} callers {what} are connected"
        unnamed.hang_up(f"more than {most} callers {what}, and it has not said which device it is")
        del self._callers[unnamed.number]
        return ""

    async def _look_after(self) -> None:
        while True:
            await self._clock.sleep(_LOOK_S)
            for caller in list(self._callers.values()):
                why = caller.overdue(self._settings)
                if why and not caller.reason:
                    caller.hang_up(why)

    # --- one caller ---

    async def _serve(self, caller: Caller, sink: ReadingSink) -> None:
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(caller.pay())
                await self._converse(caller, sink)
                await caller.owe(None)
        finally:
            self._callers.pop(caller.number, None)
            caller.hang_up("")
        self._left(caller, sink)

    async def _converse(self, caller: Caller, sink: ReadingSink) -> None:
        frames, octets = allowances(self._settings, self._framing.max_bytes, self._clock.monotonic_ns())
        while not caller.reason and (chunk := await caller.chunk()):
            received_at_ns = self._clock.now_ns()
            wait_s = octets.take(len(chunk), self._clock.monotonic_ns())
            for cut in caller.cut(chunk):
                if isinstance(cut, Refused):
                    self._not_understood(caller, self._of_bytes(cut.wire), cut.reason, sink)
                else:
                    self._note_noise(caller, sink)
                    await self._take(caller, cut, received_at_ns, sink)
                wait_s = max(wait_s, frames.take(1, self._clock.monotonic_ns()))
            if wait_s:
                await caller.wait_for_us(self._clock.sleep(wait_s))

    async def _take(self, caller: Caller, frame: Frame, received_at_ns: int, sink: ReadingSink) -> None:
        try:
            message = self._reader.read(frame)
        except DecodeError as error:
            self._not_understood(caller, self._of_bytes(frame.wire), str(error), sink)
            return
        if not self._speaks(caller, message, sink) or caller.device is None:
            return
        channel = self._channels[caller.device]
        try:
            readings = channel.decoder.decode(message, received_at_ns)
            reply = self._answerer.answer(message)
        except DecodeError as error:
            channel.state = LinkState.DOWN
            self._not_understood(caller, self._reader.keepable(message), str(error), sink)
            return
        commit = None if readings is None else await self._keep(caller, channel, readings, sink)
        await caller.owe(Owed(reply, commit))

    async def _keep(self, caller: Caller, channel: _Channel, readings: Readings, sink: ReadingSink) -> Awaitable[None]:
        """Queue readings, waiting for room; what comes back is done once the history has them."""
        contested = self._roster.contested(caller.device or 0, self._clock.monotonic_ns())
        if contested:
            readings.quality[readings.quality == GOOD] = SUSPECT
        commit = await caller.wait_for_us(sink.put(readings))
        channel.frames += 1
        channel.last_error = _CONTESTED if contested else ""
        if channel.state is LinkState.DOWN:
            log.info("device back device=%s address=%s", channel.device_id, caller.address)
        channel.state = LinkState.UP
        return commit

    # --- whose it is ---

    def _speaks(self, caller: Caller, message: Message, sink: ReadingSink) -> bool:
        """Whether this message counts: the caller is the one who speaks for the device that it names."""
        device = self._device_of.get(message.identity) if message.identity else caller.device
        if device is None:
            self._nobody(caller, message, sink)
            return False
        why = self._claim(caller, device) if message.identity else ""
        if why:
            caller.hang_up(why)
            return False
        return self._roster.heard(device, caller.number, self._clock.monotonic_ns())

    def _claim(self, caller: Caller, device: int) -> str:
        """Make the caller the one who speaks for the device; why not, where that cannot be."""
        channel = self._channels[device]
        if caller.device not in (None, device):
            return f"one connection named two devices, the second {channel.settings.identity!r}"
        if channel.settings.allow and not _within(caller.host, channel.settings.allow):
            return f"{channel.settings.identity!r} may not call from this address"
        before = self._roster.holder(device)
        claim = self._roster.claim(device, caller.number, self._clock.monotonic_ns())
        if claim is Claim.REFUSED:
            channel.failures += 1
            channel.last_error = f"a second caller says that it is {channel.settings.identity!r}: {caller.address}"
            return f"{channel.settings.identity!r} is connected from {channel.address}"
        if claim is Claim.TAKES_OVER and before in self._callers:
            self._callers[before].hang_up(f"{caller.address} speaks for the device now")
        caller.device, channel.address = device, caller.address
        return ""

    def _nobody(self, caller: Caller, message: Message, sink: ReadingSink) -> None:
        """A sound message of nobody that the site knows. It is not answered; it may go on until its time is up."""
        if message.identity:
            self._strangers.note(message.identity, caller.address, self._clock.monotonic_ns())
            why = f"no device has the identity {message.identity!r}"
        else:
            why = "a frame before its sender said which device it is"
        self._not_understood(caller, self._reader.keepable(message), why, sink)

    def _left(self, caller: Caller, sink: ReadingSink) -> None:
        """The connection is over; what it alone spoke for is unknown from now on."""
        why = caller.reason or "the caller closed the connection"
        caller.end()
        self._note_noise(caller, sink)
        if caller.device is None:
            self._refuse(why, caller) if caller.reason else None
            return
        if not self._roster.leave(caller.device, caller.number):
            return
        channel = self._channels[caller.device]
        channel.state, channel.last_error = LinkState.DOWN, why
        channel.failures += 1
        log.warning("device down device=%s address=%s why=%s", channel.device_id, caller.address, why)
        sink.offer(Readings.unreadable(channel.device_id, channel.device.point_index, self._clock.now_ns()))

    # --- what is refused ---

    def _refuse(self, why: str, caller: Caller) -> None:
        self._refused += 1
        self._last_refusal = f"{caller.address} refused: {why}"
        self._refused_ns = self._clock.monotonic_ns()
        if _power_of_two(self._refused):
            said = self.name, caller.address, self._refused, why
            log.warning("caller refused link=%s address=%s count=%d why=%s", *said)

    def _not_understood(self, caller: Caller, payload: bytes, why: str, sink: ReadingSink) -> None:
        if caller.device is None:
            self._refused += 1
        else:
            channel = self._channels[caller.device]
            channel.failures += 1
            channel.last_error = why
        self._put_aside(self._source(caller), payload, why, sink)

    def _note_noise(self, caller: Caller, sink: ReadingSink) -> None:
        if caller.unexplained_noise:
            why = f"{caller.unexplained_noise} bytes belong to no frame"
            self._not_understood(caller, self._of_bytes(caller.cutter.last_noise), why, sink)

    def _put_aside(self, source: str, payload: bytes, why: str, sink: ReadingSink) -> None:
        """The first ones, then fewer and fewer: a flood of nonsense must not fill the disk."""
        self._aside[source] += 1
        count = self._aside[source]
        if count <= _KEPT_ASIDE or _power_of_two(count):
            sink.set_aside(source, payload[:_KEPT_BYTES], why)
        if _power_of_two(count):
            log.warning("frame set aside source=%s count=%d why=%s", source, count, why)

    def _of_bytes(self, wire: bytes) -> bytes:
        """What may be kept of bytes that could not be taken apart."""
        return wire if self._reader.all_keepable else b""

    def _source(self, caller: Caller) -> str:
        return self.name if caller.device is None else self._channels[caller.device].device_id

    def _trouble(self) -> str:
        """What somebody has to look at, of the port and of the last ten minutes."""
        now_ns = self._clock.monotonic_ns()
        strangers = self._strangers.shown(now_ns)
        refused = self._last_refusal if now_ns - self._refused_ns <= _SHOWN_S * 1e9 else ""
        unknown = f"unknown devices call: {strangers}" if strangers else ""
        return "; ".join(each for each in (self._port_error, unknown, refused) if each)


class NobodyCalls:
    """A link without a device: no table says what a frame would be, so nothing listens."""

    def __init__(self, name: str) -> None:
        self.name = name

    async def run(self, sink: ReadingSink) -> None:  # noqa: ARG002 - the port names it
        """Wait for nobody, for as long as it is let run."""
        await asyncio.Event().wait()

    def health(self) -> Sequence[LinkHealth]:
        """Nothing: nobody is expected, so nobody is missing."""
        return ()


def _row(channel: _Channel) -> LinkHealth:
    table: FramesTable = channel.device.table
    labels = (("identity", channel.settings.identity), ("certainty", "; ".join((table.certainty, *table.doubts))))
    health = LinkHealth(channel.device_id, channel.state, channel.frames, channel.failures, 0, channel.last_error)
    return replace(health, address=channel.address, labels=labels)


def _within(host: str, networks: Sequence[str]) -> bool:
    address = ipaddress.ip_address(host.partition("%")[0])
    return any(address in ipaddress.ip_network(network) for network in networks)


def _power_of_two(count: int) -> bool:
    return count & (count - 1) == 0


def _build(link: BoundLink, clock: Clock) -> Driver:
    return FramesDriver(link, clock) if link.devices else NobodyCalls(link.settings.id)


KIND = DriverKind("tcp-frames", FramesLink, FramesDevice, FramesTable, _build, check=remarks)
