"""The regulator's end of the contract without a transport: checked bytes in, a signed reply out.

In: the raw bytes of a request, its signature header, which address it came to. Out: `Answer` (status, signed bytes).
Every answer is signed, refusals too: a box believes a refusal only when the regulator itself says so. Several replicas
may hear the same box: whoever waits for mail is woken by what this replica posted, and once a second by what any other
did. Knows no HTTP server; `regulator.base.intake.contract_routes` is that.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256

from pydantic import BaseModel

from contract.envelope import (
    Envelope,
    Reply,
    Sealed,
    SignedText,
    error_text,
    read_envelope,
    read_model,
    seal,
)
from contract.faults import (
    BadSignature,
    CodeRefused,
    ContractFault,
    DigestMismatch,
    InvalidBody,
    Malformed,
    Overloaded,
    QuotaReached,
    TooLarge,
    Unavailable,
    UnknownAlgorithm,
    UnknownKind,
    UnknownSender,
    WrongVersion,
)
from contract.messages import (
    BLOB,
    BLOB_QUERY,
    ENROL,
    ITEM_KINDS,
    LIVE_PART,
    MAILBOX_POLL,
    STATE_KINDS,
    UP_KINDS,
    Blob,
    BlobQuery,
    BoxState,
    CameraStill,
    Enrol,
    Enrolled,
    Heartbeat,
    KeyRotationReply,
    LivePart,
    LiveViewAnswer,
    MailboxAck,
    MailboxBatch,
    MailboxPoll,
    Thumbnail,
    UpMessage,
)
from contract.sender import Claim, claim_of, read_sender
from contract.signing import SignKey, VerifyKey, verify_key
from regulator.base.intake.acceptance import Delivery, has_notice
from regulator.base.intake.box_rate import BoxRates
from regulator.base.intake.enrolment import find_key
from regulator.base.intake.failures import Allowance, FailureBudget
from regulator.base.intake.key_ring import KeyRing
from regulator.base.intake.loose_files import named_files
from regulator.base.intake.mailbox import waiting, with_mail
from regulator.base.intake.opening import SMALL_BYTES, body_of, check_thumbnail, claim_in, open_checked
from regulator.base.intake.part_shelf import PartShelf
from regulator.base.intake.refusals import Refusal
from regulator.base.intake.store import ReceiverStore, tell_nobody
from regulator.base.intake.threads import IntakeThreads
from regulator.base.waiting import set_by

logger = logging.getLogger(__name__)

ReplyBody = tuple[str, BaseModel | None]

LOOK_FOR_MAIL_S = 1.0
"""How often mail is looked for that another replica posted."""
NOTED_EVERY_S = 60.0
MOST_UNPROVEN = 32
"""Large bodies that are read at once without a proof of whose they are."""
MESSAGES = Allowance(failures=300, size_bytes=8 * 1024 * 1024)
ENROLMENTS = Allowance(failures=60, size_bytes=1024 * 1024)
ENROL_ADDRESS = "/v1/enrol"
UNOPENED = (Malformed, WrongVersion, UnknownAlgorithm, BadSignature, UnknownSender, CodeRefused, TooLarge)
"""Faults that may be a stranger's."""


@dataclass(frozen=True, slots=True)
class Request:
    """What arrived: the envelope's exact bytes, the signature header, and (blobs, live parts) the digest or request in
    the address and how to read the bytes beside, which are not touched before the envelope was found good. `claim`:
    what the sender's header says; `caller`: the network address that it came from."""

    raw: bytes
    signature: str
    address: str = ""
    sha256: str = ""
    read: Callable[[], Awaitable[bytes]] | None = None
    claim: Claim | None = None
    caller: str = ""


@dataclass(frozen=True, slots=True)
class Coming:
    """A message whose body has not been read: where from, the sender's header ('' without), whether it is large."""

    caller: str
    sender: str
    large: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. `retry_after_s` becomes a Retry-After header when it is not 0."""

    status: int
    sealed: Sealed
    retry_after_s: int = 0


class Reception:
    """Answers requests. What takes time is done beside the event loop (`IntakeThreads`)."""

    def __init__(
        self,
        store: ReceiverStore,
        key: SignKey,
        shelf: PartShelf,
        now_ns: Callable[[], int] = time.time_ns,
        look_for_mail_s: float = LOOK_FOR_MAIL_S,
    ) -> None:
        self._store = store
        self._key = key
        self._shelf = shelf
        self._now_ns = now_ns
        self._threads = IntakeThreads(store)
        self._unproven = 0
        self._failures = FailureBudget(MESSAGES)
        self._failed_enrolments = FailureBudget(ENROLMENTS)
        self._rates = BoxRates()
        self._quota_noted: dict[str, float] = {}
        self._ring = KeyRing()
        self._look_for_mail_s = look_for_mail_s
        self._looking: asyncio.Task[None] | None = None
        self._mail: dict[str, asyncio.Event] = {}
        self._closing = False
        self.refused: dict[str, int] = {}
        self.polls_waiting = 0

    def open(self) -> None:
        """Begin: to be called on the event loop that will serve."""
        loop = asyncio.get_running_loop()

        def tell(box_id: str) -> None:
            loop.call_soon_threadsafe(self._wake, box_id)

        self._store.on_mailbox = tell
        self._looking = asyncio.create_task(self._look_for_mail())

    def end_waiting(self) -> None:
        """Answer every long poll now, so that a server can stop at once."""
        self._closing = True
        for event in self._mail.values():
            event.set()

    def close(self) -> None:
        """Finish what is being written, then take no more."""
        self.end_waiting()
        self._store.on_mailbox = tell_nobody
        if self._looking is not None:
            self._looking.cancel()
        self._threads.close()

    @asynccontextmanager
    async def arriving(self, coming: Coming) -> AsyncIterator[Claim | None]:
        """While a body is read: who it is said to be from, when that is said before. Raises UnknownSender for nobody
        of ours, Overloaded for a caller who has sent too much in vain and does not prove who he is, Malformed."""
        sender = read_sender(coming.sender) if coming.sender else None
        wait_s = self._failures.wait_s(coming.caller)
        unproven = coming.large
        if wait_s or (coming.large and self._unproven >= MOST_UNPROVEN):
            if sender is None:
                raise Overloaded(retry_after_s=wait_s or 1)
            try:
                sender.prove(await self._key_of(sender.claim))
            except (UnknownSender, BadSignature):
                raise Overloaded(retry_after_s=wait_s or 1) from None
            unproven = False
        elif sender is not None:
            await self._key_of(sender.claim)
        self._unproven += unproven
        try:
            yield sender.claim if sender is not None else None
        finally:
            self._unproven -= unproven

    def hold_back_enrolment(self, caller: str) -> None:
        """Raises Overloaded for a caller who has tried too often in vain."""
        wait_s = self._failed_enrolments.wait_s(caller)
        if wait_s:
            raise Overloaded(retry_after_s=wait_s)

    async def enrol(self, request: Request) -> Answer:
        """`POST /v1/enrol`: signed with the key that the body brings."""
        return await self._answer(request, self._enrol)

    async def message(self, request: Request) -> Answer:
        """`POST /v1/messages`: items, heartbeats and acknowledgements of a box."""
        return await self._answer(request, self._message)

    async def mailbox(self, request: Request) -> Answer:
        """`POST /v1/mailbox`: a long poll for what waits."""
        return await self._answer(request, self._mailbox)

    async def blob(self, request: Request) -> Answer:
        """`PUT /v1/blobs/<sha256>`: one part; the envelope travels in a header."""
        return await self._answer(request, self._blob)

    async def live_part(self, request: Request) -> Answer:
        """`PUT /v1/live/<request_id>`: a piece of live video; the envelope travels in a header."""
        return await self._answer(request, self._live_part)

    async def blob_state(self, request: Request) -> Answer:
        """`GET /v1/blobs/<sha256>`: how much is held."""
        return await self._answer(request, self._blob_state)

    def refuse(self, fault: ContractFault, raw: bytes = b"", claim: Claim | None = None) -> Answer:
        """A signed refusal; it names the sending when that is known or can be read cheaply. Counted by its code."""
        self.refused[fault.code] = self.refused.get(fault.code, 0) + 1
        said = claim or claim_in(raw) or Claim("", "", 0)
        key = self._key.present
        reply = self._blank(key, said.box_id, said.seq, "error").model_copy(update={"error": error_text(fault)})
        return Answer(fault.status, seal(reply, key), fault.retry_after_s)

    async def turn_away(self, fault: ContractFault, request: Request, size_bytes: int = 0) -> Answer:
        """Refuse what did not even arrive whole: noted, told, and held against the caller where it may be a stranger.
        Of a caller who may send no more nothing is noted. `size_bytes`: what was read, when that is not the request."""
        budget = self._failed_enrolments if request.address == ENROL_ADDRESS else self._failures
        noted = not (isinstance(fault, UNOPENED) and budget.wait_s(request.caller))
        if isinstance(fault, UNOPENED):
            budget.failed(request.caller, size_bytes or len(request.raw))
        if noted:
            await self._note(fault, request)
        return self.refuse(fault, request.raw, request.claim)

    async def _answer(
        self, request: Request, handle: Callable[[Request], Awaitable[tuple[Envelope, ReplyBody]]]
    ) -> Answer:
        try:
            envelope, (kind, body) = await handle(request)
        except ContractFault as fault:
            return await self.turn_away(fault, request)
        key = self._key.present
        reply = self._blank(key, envelope.box_id, envelope.seq, kind)
        if body is not None:
            reply = reply.model_copy(update={"body": body.model_dump(mode="json")})
        return Answer(200, seal(reply, key))

    def _blank(self, key: SignKey, box_id: str, reply_to: int, kind: str) -> Reply:
        return Reply(
            alg=key.public.alg,
            key_id=key.public.key_id,
            box_id=box_id,
            reply_to=reply_to,
            kind=kind,
            sent_at_ns=self._now_ns(),
        )

    async def _note(self, fault: ContractFault, request: Request) -> None:
        """Count and keep aside; when even that cannot be written the refusal is still told."""
        if isinstance(fault, Overloaded | Unavailable) and not self._worth_noting(fault, request):
            return
        refusal = Refusal(fault, request.raw, request.signature, request.address, request.claim)
        try:
            await self._threads.written("", self._store.refuse, refusal)
        except (Overloaded, Unavailable):
            logger.warning("refused bytes could not be stored: code=%s", fault.code)

    def _worth_noting(self, fault: ContractFault, request: Request) -> bool:
        """Whether a box has come to its quota of files, once a minute."""
        claim = request.claim or claim_in(request.raw)
        if not isinstance(fault, QuotaReached) or claim is None:
            return False
        now_s = time.monotonic()
        if now_s - self._quota_noted.get(claim.box_id, -NOTED_EVERY_S) < NOTED_EVERY_S:
            return False
        self._quota_noted[claim.box_id] = now_s
        return True

    async def _enrol(self, request: Request) -> tuple[Envelope, ReplyBody]:
        envelope = read_envelope(request.raw)
        if envelope.kind != ENROL:
            raise UnknownKind("kind", ENROL)
        body = read_model(Enrol, envelope.body, InvalidBody)
        brought = verify_key(envelope.alg, body.public_key)
        if brought.key_id != envelope.key_id:
            raise BadSignature("key_id", f"the fingerprint of the key in the body, {brought.key_id}")
        brought.verify(request.signature, request.raw)
        waiting = await self._threads.written(envelope.box_id, self._store.enrol, envelope, body)
        logger.info("box enrolled: box=%s key=%s waiting=%s", envelope.box_id, envelope.key_id, waiting)
        public = self._key.public
        told = Enrolled(alg=public.alg, key_id=public.key_id, public_key=public.public_text, admitted=not waiting)
        return envelope, ("enrolled", told)

    async def _message(self, request: Request) -> tuple[Envelope, ReplyBody]:
        envelope = await self._open(request)
        model = ITEM_KINDS.get(envelope.kind) or STATE_KINDS.get(envelope.kind)
        if model is None:
            raise UnknownKind("kind", " or ".join([*ITEM_KINDS, *STATE_KINDS]))
        body = body_of(envelope, model)
        if isinstance(body, Thumbnail | CameraStill):
            check_thumbnail(body)
        box_id = envelope.box_id
        missing = await self._not_on_the_shelf(box_id, named_files(body))
        delivery = Delivery(envelope, request.raw, request.signature, body, missing)
        if isinstance(body, Heartbeat):
            heard = await self._threads.submitted(box_id, lambda db: self._store.hear(db, envelope, body), delivery)
            return envelope, ("heartbeat_seen", heard)
        if envelope.kind in STATE_KINDS:
            return envelope, await self._state_message(envelope, body)
        accepted = await self._threads.submitted(box_id, lambda db: self._store.accept(db, delivery), delivery)
        if has_notice(body):
            self._wake(box_id)
        return envelope, ("accepted", accepted)

    async def _not_on_the_shelf(self, box_id: str, named: tuple[str, ...]) -> frozenset[str]:
        """Files that a message names are moved onto the shelf before it is kept; those that are not there."""
        held = {sha256: await self._threads.shelved(self._shelf.keep, box_id, sha256) for sha256 in named}
        return frozenset(sha256 for sha256, there in held.items() if not there)

    async def _state_message(self, envelope: Envelope, body: UpMessage) -> ReplyBody:
        if isinstance(body, BoxState):
            await self._threads.written(envelope.box_id, self._store.hear_state, envelope, body)
        if isinstance(body, CameraStill | LiveViewAnswer):
            return await self._taken(envelope, body)
        if isinstance(body, MailboxAck):
            await self._threads.written(envelope.box_id, self._store.acknowledge, envelope, body)
        if isinstance(body, KeyRotationReply):
            await self._rotation(envelope, body)
        return "done", None

    async def _taken(self, envelope: Envelope, body: UpMessage, content: bytes = b"") -> ReplyBody:
        """What speaks of now goes to the area of the desk that wants to know."""
        if envelope.kind not in self._store.takers:
            raise UnknownKind("kind", "nothing of this kind is wanted here")
        reply = await self._threads.written(envelope.box_id, self._store.take, envelope, body, content)
        return ("live_state", reply) if reply is not None else ("done", None)

    async def _rotation(self, envelope: Envelope, body: KeyRotationReply) -> None:
        if body.whose == "regulator":
            await self._threads.written(envelope.box_id, self._store.admit, envelope)
            return
        new = self._proved_key(envelope, body)
        await self._threads.written(envelope.box_id, self._store.rotate_box_key, envelope, new)
        logger.info("box changes its key: box=%s old=%s new=%s", envelope.box_id, envelope.key_id, new.key_id)

    def _proved_key(self, envelope: Envelope, body: KeyRotationReply) -> VerifyKey:
        new = verify_key(envelope.alg, body.public_key)
        try:
            new.verify(body.proof, f"{body.rotation_id}:{envelope.box_id}:{body.public_key}".encode())
        except BadSignature:
            raise InvalidBody("body.proof", "made with the new key over rotation_id:box_id:public_key") from None
        return new

    async def _mailbox(self, request: Request) -> tuple[Envelope, ReplyBody]:
        envelope = await self._open(request)
        if envelope.kind != MAILBOX_POLL:
            raise UnknownKind("kind", MAILBOX_POLL)
        poll = body_of(envelope, MailboxPoll)
        delivery = Delivery(envelope, request.raw, request.signature, poll)
        await self._threads.submitted(envelope.box_id, lambda db: self._store.admit(db, envelope), delivery)
        self.polls_waiting += 1
        try:
            messages = await self._mail_for(envelope.box_id, poll)
        finally:
            self.polls_waiting -= 1
        return envelope, ("mailbox_batch", MailboxBatch(messages=messages))

    async def _mail_for(self, box_id: str, poll: MailboxPoll) -> tuple[SignedText, ...]:
        event = self._mail.setdefault(box_id, asyncio.Event())
        deadline = asyncio.get_running_loop().time() + poll.wait_s
        while True:
            event.clear()
            messages = await self._threads.read(waiting, box_id, poll.limit)
            if messages or self._closing or not await set_by(event, deadline):
                return messages

    async def _look_for_mail(self) -> None:
        """Mail that another replica, or a decision in another thread, put into the table."""
        while not self._closing:
            await asyncio.sleep(self._look_for_mail_s)
            if not self.polls_waiting:
                continue
            try:
                boxes = await self._threads.read(with_mail, frozenset(self._mail))
            except Unavailable:
                continue
            for box_id in boxes:
                self._wake(box_id)

    def _wake(self, box_id: str) -> None:
        if box_id in self._mail:
            self._mail[box_id].set()

    async def _blob(self, request: Request) -> tuple[Envelope, ReplyBody]:
        envelope = await self._open(request)
        if envelope.kind != BLOB:
            raise UnknownKind("kind", BLOB)
        part = body_of(envelope, Blob)
        if part.sha256 != request.sha256:
            raise InvalidBody("body.sha256", "the digest in the address")
        if part.size_bytes > self._shelf.max_bytes:
            raise TooLarge("body.size_bytes", str(self._shelf.max_bytes))
        content = await self._beside_bytes(request, envelope)
        sent = await self._threads.written(
            envelope.box_id, self._store.admit_part, envelope, part, self._shelf.max_bytes
        )
        state = await self._threads.shelved(self._shelf.add, envelope.box_id, part, content, sent=sent)
        if state.complete and not sent:
            known = part.sha256, state.received_bytes, part.media_type
            await self._threads.written(envelope.box_id, self._store.note_blob, envelope.box_id, *known)
        return envelope, ("blob_state", state)

    async def _live_part(self, request: Request) -> tuple[Envelope, ReplyBody]:
        envelope = await self._open(request)
        if envelope.kind != LIVE_PART:
            raise UnknownKind("kind", LIVE_PART)
        part = body_of(envelope, LivePart)
        if part.request_id != request.sha256:
            raise InvalidBody("body.request_id", "the request in the address")
        content = await self._beside_bytes(request, envelope)
        if sha256(content).hexdigest() != part.part_sha256:
            raise DigestMismatch("body.part_sha256", "the SHA-256 of the part's bytes")
        return envelope, await self._taken(envelope, part, content)

    async def _beside_bytes(self, request: Request, envelope: Envelope) -> bytes:
        content = await request.read() if request.read is not None else b""
        self._rates.add(envelope.box_id, envelope.kind, len(content))
        return content

    async def _blob_state(self, request: Request) -> tuple[Envelope, ReplyBody]:
        envelope = await self._open(request)
        if envelope.kind != BLOB_QUERY:
            raise UnknownKind("kind", BLOB_QUERY)
        query = body_of(envelope, BlobQuery)
        if query.sha256 != request.sha256:
            raise InvalidBody("body.sha256", "the digest in the address")
        sent = await self._threads.written(envelope.box_id, self._store.admit_query, envelope, query.sha256)
        state = await self._threads.shelved(self._shelf.state, envelope.box_id, query.sha256, sent=sent)
        return envelope, ("blob_state", state)

    async def _open(self, request: Request) -> Envelope:
        raw, claim = request.raw, request.claim or claim_in(request.raw)
        large = len(raw) > SMALL_BYTES
        if claim is None:
            claim = claim_of(await self._threads.beside(read_envelope, raw) if large else read_envelope(raw))
        known = raw, request.signature, claim, await self._key_of(claim)
        envelope = await self._threads.beside(open_checked, *known) if large else open_checked(*known)
        if envelope.kind not in UP_KINDS:
            raise UnknownKind("kind", " or ".join(UP_KINDS))
        self._rates.take(envelope.box_id, envelope.kind, len(raw))
        return envelope

    async def _key_of(self, claim: Claim) -> VerifyKey:
        """The key that the sender claims. Raises UnknownSender."""
        key = self._ring.find(claim.box_id, claim.key_id)
        if key is None:
            key = await self._threads.read(find_key, claim.box_id, claim.key_id)
            if key is None:
                raise UnknownSender("key_id", "a key that this box enrolled")
            self._ring.remember(claim.box_id, claim.key_id, key)
        return key
