"""The regulator uplink: alerts, evidence and summaries up, heartbeats, and the mailbox down.

In: outbox rows from the delivery loop. Out: signed messages of `contract` over HTTPS, and one `Receipt` an item.

Theory of operation
    accepted   the regulator's signed receipt names this box, this key, this kind and the digest of this body
    rejected   the regulator itself, signed, refuses *this item* (conflicting body, does not fit its schema, too large)
    retry      everything else: no line, a proxy's page, a wrong signature, an unknown box, a spent code, another
               project, 429, 5xx. Nobody but the regulator can make the box give up an alert, and broken credentials
               are repaired by people while the alerts wait in the outbox. They leave with the project that the site
               file names then.

The box makes its own key at first use, introduces itself once with the code that a person typed in, and remembers the
regulator's key from then on. `run` keeps trying to enrol, beats, and works the mailbox; `send_alerts` works without it.
"""

import asyncio
import hashlib
import logging
import secrets
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from contract.canonical import canonical_bytes
from contract.envelope import open_text
from contract.faults import (
    BadSignature,
    ContractFault,
    Malformed,
    NotAdmitted,
    OtherProject,
    Overloaded,
    UnknownSender,
)
from contract.messages import Accepted, ChainPosition, Heartbeat, HeartbeatSeen, ReceiptText
from contract.signing import VerifyKey
from contract.strict_json import parse_object
from gateway.model.alert import OutboxItem, Receipt, ReceiptKind
from gateway.ports import BothWords, LinkState, ReadingBlock, Uplink, UplinkContext, UplinkKind
from gateway.uplinks.regulator_blob import send_blob
from gateway.uplinks.regulator_live import MOST_LIVE, LivePushing
from gateway.uplinks.regulator_mailbox import Mailbox, MessageHandler
from gateway.uplinks.regulator_memory import Inbox
from gateway.uplinks.regulator_proofs import ProofKeeping
from gateway.uplinks.regulator_session import NoAnswerError, Question, RegulatorSession, SessionLimits
from gateway.uplinks.regulator_settings import RegulatorSettings
from gateway.uplinks.regulator_sights import Sights
from gateway.uplinks.regulator_state import BoxTeller, StateTelling
from gateway.uplinks.regulator_stills import StillSending
from gateway.uplinks.regulator_words import Place

logger = logging.getLogger(__name__)

FIRST_BACK_OFF_S = 1.0
LONGEST_BACK_OFF_S = 60.0
CODE_LOOK_S = 1.0
WORDS_LENGTH = 500
ALARM = "alarm_transition"


class FileBody(Protocol):
    """A file with its media type."""

    @property
    def content(self) -> bytes:
        """All bytes of the file, as they are kept."""

    @property
    def media_type(self) -> str:
        """The media type that the sender of the file gave."""


@dataclass(frozen=True, slots=True)
class RegulatorHealth:
    """How the uplink is. `refused` is the regulator's word on this box (a spent code, an unknown key), '' when none."""

    name: str
    state: LinkState = LinkState.STARTING
    enrolled: bool = False
    refused: str = ""
    last_error: str = ""
    last_answer_at_ns: int = 0
    accepted: int = 0
    rejected: int = 0
    retried: int = 0
    heartbeats: int = 0
    messages: int = 0
    chain_state: str = ""


@dataclass(slots=True)
class _BackOff:
    """When the next try is due, on the monotonic clock; doubles up to a minute, with jitter."""

    due_ns: int = 0
    delay_s: float = FIRST_BACK_OFF_S
    _random: secrets.SystemRandom = field(default_factory=secrets.SystemRandom)

    def failed(self, now_ns: int) -> float:
        """Wait longer from now on; how long the next wait is, in seconds."""
        wait_s = self.delay_s * self._random.uniform(0.5, 1.0)
        self.due_ns = now_ns + int(wait_s * 1e9)
        self.delay_s = min(self.delay_s * 2, LONGEST_BACK_OFF_S)
        return wait_s

    def worked(self) -> None:
        """Try at once the next time: the last try went well."""
        self.due_ns, self.delay_s = 0, FIRST_BACK_OFF_S


class RegulatorUplink:
    """One regulator. `run` is supervised by the app; `on_message` gets what comes down the mailbox; `about` is asked
    what the box is, and until then nothing is said of it."""

    takes_alerts = True
    takes_evidence = True
    takes_readings = False

    def __init__(self, settings: RegulatorSettings, context: UplinkContext) -> None:
        self.name = settings.name
        self._settings = settings
        self._context = context
        self._started_at_ns = context.clock.now_ns()
        limits = SessionLimits(
            connect_timeout_s=settings.connect_timeout_s,
            reply_timeout_s=settings.reply_timeout_s,
            connections=settings.pipelining + 3 + MOST_LIVE,
            ca_file=settings.ca_file,
            pinned_key_id=settings.regulator_key_id,
            signature=settings.signature,
        )
        self._session = RegulatorSession(settings.name, settings.url, context, limits)
        self.inbox = Inbox(context.folder / "uplinks" / settings.name / "inbox.jsonl")
        self._mailbox = Mailbox(self._session, self.inbox, settings.mailbox_wait_s)
        self.about: BoxTeller | None = None
        self._proofs = ProofKeeping(self._session, context.folder, settings.name, context.box_id)
        self._telling = StateTelling(self._session, context.clock)
        self._stills = StillSending(self._session, context.clock, lambda: self._health.enrolled)
        self._live = LivePushing(self._session, context.clock)
        self._mailbox.on_live = self._live.asked
        self._enrolling = asyncio.Lock()
        self._enrol_back_off = _BackOff()
        self._unknown_key_id = ""
        self._place = Place(context.box_id, context.project_code, settings.url)
        self._fault: BothWords = ("", "")
        self._misplaced: BothWords = ("", "")
        self._broken: BothWords = ("", "")
        self._health = RegulatorHealth(settings.name)

    @property
    def on_message(self) -> MessageHandler:
        """What works with messages from the regulator; by default they are kept in `inbox`."""
        return self._mailbox.on_message

    @on_message.setter
    def on_message(self, handler: MessageHandler) -> None:
        """Let another handler work with what comes down the mailbox."""
        self._mailbox.on_message = handler

    @property
    def packs_need_a_person(self) -> bool:
        """Whether somebody at the site decides on offered rule packs."""
        return self._settings.rule_packs == "ask"

    def show(self, sights: Sights) -> None:
        """What may be seen of the cameras, as far as the settings allow. Before `run`."""
        self._stills.sights = sights if self._settings.stills else None
        self._live.sights = sights if self._settings.live_video else None

    def health(self) -> RegulatorHealth:
        """How the uplink is; cheap, callable at any time."""
        return replace(self._health, messages=self._mailbox.received)

    def fault(self) -> BothWords:
        """What a person must mend before this box is heard, in Chinese and English; '' twice when nothing."""
        return next((said for said in (self._broken, self._fault) if any(said)), self._misplaced)

    async def send_alerts(self, batch: Sequence[OutboxItem]) -> Sequence[Receipt]:
        """One Receipt an item, in order. Up to `pipelining` are on their way at once; order at the other end is free.

        After the first sign that nobody is there, the rest of the batch is not tried. Once the regulator has said when
        to go on, only alarms are.
        """
        reason = await self._enrol_if_needed()
        if reason:
            return [self._counted(Receipt.retry(reason)) for _ in batch]
        gate = asyncio.Semaphore(self._settings.pipelining)
        line_down: list[str] = []
        wait: list[Receipt] = []

        async def send(item: OutboxItem) -> Receipt:
            """Send one item, unless the line is known to be down."""
            async with gate:
                if line_down:
                    return Receipt.retry(line_down[0])
                if wait and item.kind != ALARM:
                    return wait[0]
                receipt, reached = await self._send(item)
                if not reached:
                    line_down.append(receipt.detail)
                elif receipt.retry_after_s:
                    wait.append(receipt)
                return receipt

        return [self._counted(receipt) for receipt in await asyncio.gather(*map(send, batch))]

    async def send_blob(self, content: bytes, media_type: str) -> Receipt:
        """A file, before the `media_segment` that names it. ACCEPTED: the regulator holds it under the digest given."""
        reason = await self._enrol_if_needed()
        if reason:
            return Receipt.retry(reason)
        receipt, _ = await self._attempt(send_blob(self._session, content, media_type))
        return receipt

    async def send_media(self, item: OutboxItem, body: bytes, media_type: str) -> Receipt:
        """The body, then the `media_segment` that names it. A regulator without the body (`BlobMissing`) gets it
        again with the next attempt; what it held is not sent twice."""
        held = await self.send_blob(body, media_type)
        if held.kind is not ReceiptKind.ACCEPTED:
            return self._counted(held)
        receipt, _ = await self._send(item)
        return self._counted(receipt)

    async def send_reply(self, item: OutboxItem, bodies: Sequence[FileBody]) -> Receipt:
        """An answer to an order, after every file that it names: the regulator takes none whose files it lacks. What it
        held is not sent twice."""
        for body in bodies:
            held = await self.send_blob(body.content, body.media_type)
            if held.kind is not ReceiptKind.ACCEPTED:
                return self._counted(held)
        reason = await self._enrol_if_needed()
        if reason:
            return self._counted(Receipt.retry(reason))
        receipt, _ = await self._send(item)
        return self._counted(receipt)

    async def send_readings(self, blocks: Sequence[ReadingBlock]) -> Receipt:
        """Never called: `takes_readings` is False. The regulator gets one-minute summaries as items."""
        return Receipt.rejected(f"{self.name} takes no readings ({len(blocks)} blocks)")

    async def close(self) -> None:
        """Let go of every socket that it holds open."""
        await self._live.close()
        await self._session.close()
        await self._proofs.close()

    async def run(self) -> None:
        """Enrol, beat, work the mailbox and send stills until cancelled. Only a bug escapes, for the supervisor."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._stills.run(), name=f"{self.name}-stills")
            group.create_task(self._beat_for_ever(), name=f"{self.name}-heartbeat")
            group.create_task(self._read_mail_for_ever(), name=f"{self.name}-mailbox")

    async def _send(self, item: OutboxItem) -> tuple[Receipt, bool]:
        try:
            body = parse_object(item.body)
        except Malformed as fault:
            return Receipt.rejected(f"the body cannot be sent: {fault}"[:WORDS_LENGTH]), True
        if "project_code" in body:
            body |= {"project_code": self._context.project_code}
        late = self._context.clock.now_ns() - item.created_at_ns > self._settings.late_after_s * 1e9
        receipt, reached = await self._attempt(self._deliver(item, body, late))
        if receipt.kind is ReceiptKind.ACCEPTED and "project_code" in body:
            self._misplaced = ("", "")
        return receipt, reached

    async def _deliver(self, item: OutboxItem, body: dict[str, Any], late: bool) -> str:
        accepted = await self._session.ask(Question(item.kind, item.key, lambda: body, late), Accepted)
        key = self._session.memory.now.find_key(accepted.receipt.key_id)
        if key is None:
            raise NoAnswerError("a receipt signed by a key that is not trusted")
        receipt_id = self._checked_receipt(accepted, key, item, body)
        await self._proofs.keep_receipt(item.kind, item.key, accepted.receipt, key)
        return receipt_id

    async def _attempt(self, work: Coroutine[Any, Any, str]) -> tuple[Receipt, bool]:
        """What came of it, and whether anybody was there at all."""
        try:
            their_id = await work
        except NoAnswerError as error:
            self._down(str(error))
            return Receipt.retry(str(error)[:WORDS_LENGTH], error.retry_after_s), error.reached
        except ContractFault as fault:
            return self._refused(fault), True
        self._up()
        return Receipt.accepted(their_id), True

    def _checked_receipt(self, accepted: Accepted, key: VerifyKey, item: OutboxItem, body: dict[str, Any]) -> str:
        try:
            text = open_text(accepted.receipt, ReceiptText, key)
        except (BadSignature, Malformed) as fault:
            raise NoAnswerError(f"a receipt that is not believed: {fault}") from None
        digest = hashlib.sha256(canonical_bytes(body)).hexdigest()
        expected = (self._context.box_id, item.key, item.kind, digest)
        if (text.box_id, text.key, text.kind, text.body_sha256) != expected:
            raise NoAnswerError(f"a receipt for something else: {text.box_id} {text.kind} {text.key}")
        return text.receipt_id

    def _refused(self, fault: ContractFault) -> Receipt:
        words = f"{fault.code}: {fault.message_zh} {fault.message_en} {fault.field} {fault.expected}".strip()
        if fault.about_item or (isinstance(fault, OtherProject) and fault.field == "body.order_id"):
            self._up()
            return Receipt.rejected(words[:WORDS_LENGTH])
        if isinstance(fault, OtherProject):
            self._up()
            self._misplaced = self._place.project_fault(fault)
            return Receipt.retry(words[:WORDS_LENGTH])
        if isinstance(fault, Overloaded):  # it is there, and says when to go on
            self._up()
            return Receipt.retry(words[:WORDS_LENGTH], float(fault.retry_after_s))
        if isinstance(fault, UnknownSender):
            self._unknown_key_id = self._session.key.public.key_id
            self._health = replace(self._health, refused=words[:WORDS_LENGTH])
        self._down(words)
        if isinstance(fault, NotAdmitted):
            self._fault = self._place.waits_for_approver()
        return Receipt.retry(words[:WORDS_LENGTH], float(fault.retry_after_s))

    def _counted(self, receipt: Receipt) -> Receipt:
        counter = {"accepted": "accepted", "rejected": "rejected", "retry": "retried"}[str(receipt.kind)]
        self._health = replace(self._health, **{counter: getattr(self._health, counter) + 1})
        return receipt

    async def _enrol_if_needed(self) -> str:
        """Why this box cannot speak yet, '' when it can. Tries at most once per back-off, whoever asks."""
        if self._health.enrolled and not self._unknown_key_id:
            return ""
        async with self._enrolling:
            try:
                known = await self._session.open()
            except (OSError, ValueError) as error:
                return self._key_broken(error)
            self._broken = ("", "")
            if known and self._unknown_key_id != self._session.key.public.key_id:
                self._unknown_key_id = ""
                self._health = replace(self._health, enrolled=True)
                return ""
            reason = self._health.last_error
            if self._context.clock.monotonic_ns() >= self._enrol_back_off.due_ns:
                reason = await self._enrol()
            # A regulator that once knew this box may know it again without a new code: let it speak for itself.
            return "" if known else reason

    def _key_broken(self, error: OSError | ValueError) -> str:
        """Nothing can be signed. Whoever puts the key back needs no restart."""
        self._broken = self._place.key_broken(str(error))
        self._down(f"the key cannot be used: {error}")
        return f"the key cannot be used: {error}"[:WORDS_LENGTH]

    async def _enrol(self) -> str:
        try:
            code = self._settings.enrol_code.reveal()
        except LookupError as error:
            return self._without_code(str(error))
        try:
            await self._session.enrol(code, "sitewarden")
        except NoAnswerError as error:
            return self._not_enrolled(str(error))
        except ContractFault as fault:
            words = f"{fault.code}: {fault.message_zh} {fault.message_en}"
            self._health = replace(self._health, refused=words)
            self._fault = self._place.code_fault(fault, self._settings.enrol_code.place())
            return self._not_enrolled(f"{self._settings.enrol_code.place()}: {words}")
        self._enrol_back_off.worked()
        self._health = replace(self._health, enrolled=True)
        logger.info(
            "enrolled: uplink=%s box=%s key=%s", self.name, self._context.box_id, self._session.key.public.key_id
        )
        self._up()
        return ""

    def _without_code(self, reason: str) -> str:
        """Wait for the code, without a growing delay: a stick may be put in at any time. `_down` logs once."""
        self._enrol_back_off.due_ns = self._context.clock.monotonic_ns() + int(CODE_LOOK_S * 1e9)
        self._down(f"not enrolled: waiting for the code: {reason}")
        return f"not enrolled: {reason}"[:WORDS_LENGTH]

    def _not_enrolled(self, reason: str) -> str:
        self._enrol_back_off.failed(self._context.clock.monotonic_ns())
        self._down(f"not enrolled: {reason}")
        return f"not enrolled: {reason}"[:WORDS_LENGTH]

    async def _beat_for_ever(self) -> None:
        back_off = _BackOff()
        while True:
            if await self._enrol_if_needed() or not await self._beat():
                wait_s = min(back_off.failed(self._context.clock.monotonic_ns()), self._settings.heartbeat_s)
            else:
                back_off.worked()
                wait_s = self._settings.heartbeat_s
            await self._context.clock.sleep(wait_s)

    async def _beat(self) -> bool:
        figures = {} if self.about is None else await asyncio.to_thread(self.about.figures, self.name)
        question = Question("heartbeat", "heartbeat", lambda: self._heartbeat(figures))
        try:
            seen = await self._session.ask(question, HeartbeatSeen)
        except (NoAnswerError, ContractFault) as error:
            self._not_heard(error)
            return False
        self._health = replace(self._health, heartbeats=self._health.heartbeats + 1, chain_state=seen.chain.state)
        self._up()
        await self._proofs.take_checkpoint(seen.checkpoint)
        if self.about is not None:
            await self._telling.tell(self.about.state())
        return True

    def _heartbeat(self, figures: Mapping[str, int]) -> dict[str, Any]:
        head = self._context.chain_head()
        counters = {name: getattr(self._health, name) for name in ("accepted", "rejected", "retried")}
        beat = Heartbeat(
            chain=ChainPosition(seq=head.seq, sha256=head.sha256),
            started_at_ns=self._started_at_ns,
            counters=counters | dict(figures),
        )
        return beat.model_dump()

    async def _read_mail_for_ever(self) -> None:
        back_off, clock = _BackOff(), self._context.clock
        while True:
            asked_ns, came = clock.monotonic_ns(), -1
            if not await self._enrol_if_needed():
                came = await self._read_mail()
            if came < 0:
                await clock.sleep(back_off.failed(clock.monotonic_ns()))
                continue
            back_off.worked()
            if came == 0 and clock.monotonic_ns() - asked_ns < 1e9:
                await clock.sleep(1.0)

    async def _read_mail(self) -> int:
        try:
            return await self._mailbox.turn()
        except (NoAnswerError, ContractFault) as error:
            self._not_heard(error)
        except OSError as error:
            logger.error("a message could not be kept and will be sent again: uplink=%s error=%s", self.name, error)
        return -1

    def _not_heard(self, error: NoAnswerError | ContractFault) -> None:
        if isinstance(error, ContractFault):
            self._refused(error)
        else:
            self._down(str(error))

    def _up(self) -> None:
        if self._health.state is not LinkState.UP:
            logger.info("regulator answers: uplink=%s url=%s", self.name, self._settings.url)
        self._unknown_key_id, self._fault = "", ("", "")
        now = self._context.clock.now_ns()
        self._health = replace(self._health, state=LinkState.UP, refused="", last_error="", last_answer_at_ns=now)

    def _down(self, reason: str) -> None:
        if self._health.state is not LinkState.DOWN:
            logger.warning(
                "regulator does not answer: uplink=%s url=%s reason=%s", self.name, self._settings.url, reason
            )
        self._health = replace(self._health, state=LinkState.DOWN, last_error=reason[:WORDS_LENGTH])


def _build(settings: RegulatorSettings, context: UplinkContext) -> Uplink:
    return RegulatorUplink(settings, context)


KIND = UplinkKind("regulator", RegulatorSettings, _build)
