"""A test message to one channel that tells people: sealed, then carried by the running delivery like any alert.

    test(uplink, user) --recorder--> record `channel_test` + outbox row of kind `test` --delivery--> receiver -> receipt

In: an uplink's name and who asks. Out: the record's number; what became of the message is read from the outbox, as it
is for an alert, so what is shown is what the receiver said. At most one test a minute for each channel. Knows no HTTP.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from contract.canonical import Canonical, canonical_bytes
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry, Recorder
from gateway.ports import Clock
from gateway.store.alert_store import Message
from gateway.store.outbox_reader import OutboxReader, SentMessage

EVERY_S = 60
CHECK_KIND = "test"
LOOK_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Channel:
    """An uplink as a screen names it. Only one that tells people takes a test; `escalates`: it is told of alarms that
    nobody answers."""

    name: str
    kind: str
    tells_people: bool
    escalates: bool


class CheckRefusal(Enum):
    """Why no test message was sent."""

    NO_CHANNEL = "no_such_channel"
    TELLS_NOBODY = "tells_no_people"
    TOO_SOON = "too_soon"


class ChannelCheckError(Exception):
    """The test was refused; `wait_s` says how long to wait, 0 when waiting does not help."""

    def __init__(self, refusal: CheckRefusal, wait_s: int = 0) -> None:
        self.refusal, self.wait_s = refusal, wait_s
        super().__init__(f"{refusal.value}: wait {wait_s} s")


@dataclass(frozen=True, slots=True)
class ChannelRecord:
    """What a channel's receiver said: the last message that it took, the last that it refused, the last test, and how
    many messages wait."""

    channel: Channel
    accepted: SentMessage | None
    rejected: SentMessage | None
    test: SentMessage | None
    pending: int


class ChannelChecks:
    """Sends test messages and tells what became of messages. `channels` are the site's uplinks, in its order."""

    def __init__(
        self,
        channels: Sequence[Channel],
        named: tuple[str, str],
        recorder: Recorder,
        outbox: OutboxReader,
        clock: Clock,
    ) -> None:
        """`named` is the box's id and the project's code."""
        self.channels = tuple(channels)
        self._box_id, self._project_code = named
        self._recorder = recorder
        self._outbox = outbox
        self._clock = clock
        self._tested_mono_ns: dict[str, int] = {}

    async def test(self, name: str, user: str) -> int:
        """Send one. Returns the record's number once it is kept. Raises ChannelCheckError."""
        channel = next((each for each in self.channels if each.name == name), None)
        if channel is None:
            raise ChannelCheckError(CheckRefusal.NO_CHANNEL)
        if not channel.tells_people:
            raise ChannelCheckError(CheckRefusal.TELLS_NOBODY)
        if wait_s := self.wait_s(name):
            raise ChannelCheckError(CheckRefusal.TOO_SOON, wait_s)
        self._tested_mono_ns[name] = self._clock.monotonic_ns()
        return await self._send(name, user)

    def wait_s(self, name: str) -> int:
        """How long until the channel takes another test, seconds, rounded up."""
        tested_ns = self._tested_mono_ns.get(name)
        if tested_ns is None:
            return 0
        left_ns = tested_ns + EVERY_S * 1_000_000_000 - self._clock.monotonic_ns()
        return max(0, -(-left_ns // 1_000_000_000))

    def records(self) -> list[ChannelRecord]:
        """Every channel with what its receiver said last."""
        return [self._record(channel) for channel in self.channels]

    async def settled(self, name: str, within_s: float) -> bool:
        """Wait for the answer to the last test, but no longer; whether there is one."""
        deadline_ns = self._clock.monotonic_ns() + int(within_s * 1e9)
        while True:
            sent = await asyncio.to_thread(self._outbox.newest, name, CHECK_KIND)
            if sent is not None and not sent.pending:
                return True
            if self._clock.monotonic_ns() >= deadline_ns:
                return False
            await self._clock.sleep(LOOK_AGAIN_S)

    def _record(self, channel: Channel) -> ChannelRecord:
        if not channel.tells_people:
            return ChannelRecord(channel, None, None, None, 0)
        outbox, name = self._outbox, channel.name
        test = outbox.newest(name, CHECK_KIND)
        return ChannelRecord(channel, outbox.accepted(name), outbox.rejected(name), test, outbox.pending(name))

    async def _send(self, name: str, user: str) -> int:
        now_ns = self._clock.now_ns()
        key = check_key(self._box_id, name, now_ns)
        content: dict[str, Canonical] = {"user": user, "uplink": name, "test_id": key}
        message = Message(name, key, CHECK_KIND, check_body(key, self._box_id, self._project_code, now_ns), 0)
        entry = Entry(RecordKind.CHANNEL_TEST, now_ns, content, about=f"channel:{name}", messages=(message,))
        return (await self._recorder.record(entry)).seq


def check_key(box_id: str, uplink: str, now_ns: int) -> str:
    """The idempotency key of a test message."""
    return f"{box_id}:test:{uplink}:{now_ns}"


def check_body(key: str, box_id: str, project_code: str, now_ns: int) -> bytes:
    """The row's body: one that nobody can take for an alarm."""
    return canonical_bytes(
        {
            "test_id": key,
            "title_zh": "测试消息，不是报警",
            "title_en": "Test message, not an alarm",
            "box_id": box_id,
            "project_code": project_code,
            "sent_at_ns": now_ns,
        }
    )
