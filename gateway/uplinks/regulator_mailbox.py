"""The way down: asks the regulator's mailbox, hands messages on, acknowledges what is durable here.

    poll (waits at the regulator) -> check signature -> hand on, in order -> remember -> acknowledge

In: signed messages. Out: `DownMessage`s to a handler, acknowledgements to the regulator. A message is acknowledged
only after the handler has returned; one that comes again is acknowledged again and not handed on. Changes of keys are
the uplink's own business and are done here. Knows no order and no screen.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Literal

from contract.envelope import SignedText, open_text
from contract.faults import BadSignature, ContractFault, Malformed, UnknownAlgorithm
from contract.mailbox import MAILBOX_KINDS, KeyRotation, LiveViewRequest
from contract.messages import (
    MAILBOX_POLL,
    Acknowledged,
    DownModel,
    KeyRotationReply,
    MailboxAck,
    MailboxBatch,
    MailboxMessage,
    MailboxPoll,
)
from contract.signing import algorithm, verify_key
from gateway.uplinks.regulator_memory import Inbox, RegulatorKey
from gateway.uplinks.regulator_session import NoAnswerError, Question, RegulatorSession, Way

logger = logging.getLogger(__name__)

BATCH = 32


@dataclass(frozen=True, slots=True)
class DownMessage:
    """A message from the regulator, its signature checked. `signed` proves it later, to anyone."""

    message: MailboxMessage
    signed: SignedText


MessageHandler = Callable[[DownMessage], Awaitable[None]]


class Mailbox:
    """`on_message` may be set to whatever works with messages; by default they are kept in the inbox file.

    The handler must have made a message durable when it returns; it may see the same `message_id` again after a crash.
    An OSError of it means "not now": the message is delivered again later.
    """

    def __init__(self, session: RegulatorSession, inbox: Inbox, wait_s: int) -> None:
        self._session = session
        self._inbox = inbox
        self._wait_s = wait_s
        self.on_message: MessageHandler = self.keep
        self.on_live: Callable[[LiveViewRequest], None] = _no_live
        self.received = 0

    async def keep(self, message: DownMessage) -> None:
        """The default handler: a line in the inbox file, on the disk."""
        await self._inbox.keep(message.message, message.signed)

    async def turn(self) -> int:
        """One poll with everything that follows from it; how many messages came.

        Raises ContractFault, NoAnswerError, or the handler's OSError; whatever was handled before is acknowledged.
        """
        poll = MailboxPoll(wait_s=self._wait_s, limit=BATCH)
        question = Question(MAILBOX_POLL, MAILBOX_POLL, poll.model_dump)
        batch = await self._session.ask(question, MailboxBatch, Way("/v1/mailbox", wait_s=self._wait_s))
        done: list[Acknowledged] = []
        try:
            for signed in batch.messages:
                done.append(await self._handle(self._opened(signed)))
        finally:
            if done:
                await self._acknowledge(done)
        return len(batch.messages)

    def _opened(self, signed: SignedText) -> DownMessage:
        key = self._session.memory.now.find_key(signed.key_id)
        if key is None:
            raise NoAnswerError(f"a mailbox message signed by {signed.key_id[:60]}, which is not trusted")
        try:
            message = open_text(signed, MailboxMessage, key)
        except (BadSignature, Malformed) as fault:
            raise NoAnswerError(f"a mailbox message that is not believed: {fault}") from None
        if message.box_id != self._session.memory.now.box_id:
            raise NoAnswerError(f"a mailbox message to {message.box_id}")
        return DownMessage(message, signed)

    async def _handle(self, down: DownMessage) -> Acknowledged:
        message = down.message
        body = _body_of(message, self._session.key.public.alg)
        if message.mailbox_seq > self._session.memory.now.mailbox_seq:
            if isinstance(body, KeyRotation):
                await self._rotate(body)
            await (self.keep(down) if body is None else self.on_message(down))
            if isinstance(body, LiveViewRequest):
                self.on_live(body)  # once it is on the site's record
            await self._session.memory.remember(mailbox_seq=message.mailbox_seq)
            self.received += 1
        outcome: Literal["kept", "unsupported"] = "unsupported" if body is None else "kept"
        return Acknowledged(message_id=message.message_id, outcome=outcome)

    async def _acknowledge(self, done: list[Acknowledged]) -> None:
        body = MailboxAck(messages=tuple(done))
        question = Question("mailbox_ack", f"ack:{done[-1].message_id}", lambda: body.model_dump(mode="json"))
        await self._session.ask(question, DownModel)

    async def _rotate(self, rotation: KeyRotation) -> None:
        if rotation.whose == "regulator":
            await self._trust(rotation)
        elif self._session.memory.now.rotation_id != rotation.rotation_id:
            await self._offer_next_key(rotation)
        await self._session.use_next_key()

    async def _trust(self, rotation: KeyRotation) -> None:
        key = verify_key(rotation.alg, rotation.public_key)
        known = self._session.memory.now.regulator_keys
        new = RegulatorKey(alg=key.alg, key_id=key.key_id, public_key=key.public_text)
        if new not in known:
            await self._session.memory.remember(regulator_keys=(*known, new))
            logger.info("regulator key announced and trusted: key=%s", key.key_id)
        await self._answer(KeyRotationReply(rotation_id=rotation.rotation_id, whose="regulator"))

    async def _offer_next_key(self, rotation: KeyRotation) -> None:
        new = await self._session.make_next_key()
        public, box_id = new.public.public_text, self._session.memory.now.box_id
        proof = new.sign(f"{rotation.rotation_id}:{box_id}:{public}".encode())
        await self._answer(
            KeyRotationReply(rotation_id=rotation.rotation_id, whose="box", public_key=public, proof=proof)
        )
        await self._session.memory.remember(rotation_id=rotation.rotation_id)
        logger.info("box key changed: key=%s", new.public.key_id)

    async def _answer(self, reply: KeyRotationReply) -> None:
        question = Question("key_rotation_reply", f"rotation:{reply.rotation_id}", reply.model_dump)
        await self._session.ask(question, DownModel)


def _no_live(request: LiveViewRequest) -> None:
    logger.info("live video was requested, but this box has no live video: camera=%s", request.camera_id)


def _body_of(message: MailboxMessage, own_alg: str) -> DownModel | None:
    """The body, or None when this box cannot read it: then it is kept unread and said to be unsupported."""
    model = MAILBOX_KINDS.get(message.kind)
    if model is None:
        return None
    try:
        body = model.model_validate(message.body)
        if isinstance(body, KeyRotation):
            _check_usable(body, own_alg)
    except (ValueError, ContractFault) as error:
        logger.warning("message kept unread: kind=%s message=%s reason=%s", message.kind, message.message_id, error)
        return None
    return body


def _check_usable(rotation: KeyRotation, own_alg: str) -> None:
    """A key of an algorithm that is not known here must not hold up the orders behind it, and a box that is asked for
    a new key stays with the algorithm of its own. Raises ContractFault."""
    algorithm(rotation.alg)
    if rotation.whose == "box" and rotation.alg != own_alg:
        raise UnknownAlgorithm("alg", own_alg)
    if rotation.whose == "regulator":
        verify_key(rotation.alg, rotation.public_key)
