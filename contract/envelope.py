"""Signed envelopes of messages. The signature covers the exact bytes sent.

    box       --- Envelope, header Sitewarden-Signature --->  regulator
    box       <-- Reply,    header Sitewarden-Signature ----  regulator

Theory of operation. An **item** (an alarm transition, a chain record ...) has an idempotency `key` that never
changes. A **sending** of it has a `seq` that is never used twice by one box. A retry is a new sending: same `key`,
same body, new `seq`, new signature. So a receiver decides:

    key held, same body      -> the receipt given before, whatever the seq      (a retry, or a harmless replay)
    key held, other body     -> refused: conflicting_body                       (never overwrites)
    key new,  seq new        -> kept
    key new,  seq used/old   -> refused: stale_sequence with the highest seen   (a replay of something else; an honest
                                                                                box that lost its counter jumps ahead)

What has no lasting item behind it (heartbeat, mailbox poll) is always judged by its `seq`, so replaying it shows
nothing and moves nothing. A Reply names the `seq` it answers, so an old Reply fits no later question.

A `SignedText` is a document that stands for itself outside any exchange (receipts, mailbox messages): its exact text
travels as a string and its signature beside it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from contract.canonical import canonical_bytes
from contract.faults import FAULTS, BadSignature, ContractFault, Malformed, UnknownSender, WrongVersion
from contract.signing import SignKey, VerifyKey, algorithm
from contract.strict_json import parse_object

VERSION = 1
SIGNATURE_HEADER = "Sitewarden-Signature"
ENVELOPE_HEADER = "Sitewarden-Envelope"
MAX_INTEGER = 2**63 - 1
MAX_MESSAGE_BYTES = 2 * 1024 * 1024

Whole = Annotated[int, Field(ge=0, le=MAX_INTEGER)]
BoxId = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9_.-]{0,62}[a-z0-9])?$")]
Key = Annotated[str, Field(min_length=1, max_length=200)]
KeyId = Annotated[str, Field(pattern=r"^[a-z0-9]{1,16}:[0-9a-f]{32}$")]


class Envelope(BaseModel):
    """Envelope from a box. Unknown fields are refused, because every signed byte must be read."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    version: Literal[1] = 1
    alg: Annotated[str, Field(min_length=1, max_length=16)]
    key_id: KeyId
    box_id: BoxId
    seq: Annotated[int, Field(ge=1, le=MAX_INTEGER)]
    key: Key
    kind: Annotated[str, Field(min_length=1, max_length=40)]
    sent_at_ns: Whole
    late: bool = False
    body: dict[str, Any]


class ErrorText(BaseModel):
    """Why a message was not taken, in words for people and a `code` for programs."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    code: str
    message_zh: str
    message_en: str
    field: str = ""
    expected: str = ""
    retry_after_s: Whole = 0


class Reply(BaseModel):
    """Answer of a regulator: a body, or an `error`. Unknown fields are ignored, so that old boxes keep working."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    version: Literal[1] = 1
    alg: str
    key_id: str
    box_id: str
    reply_to: Whole
    kind: str
    sent_at_ns: Whole
    body: dict[str, Any] | None = None
    error: ErrorText | None = None


class SignedText(BaseModel):
    """A signed document: `text` is its exact canonical JSON, `signature` is over the UTF-8 bytes of `text`."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    alg: str
    key_id: str
    text: str
    signature: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """Bytes ready for the wire and the base64 signature for the header."""

    raw: bytes
    signature: str


FindKey = Callable[[str, str], VerifyKey | None]
ModelT = TypeVar("ModelT", bound=BaseModel)


def seal(message: Envelope | Reply, key: SignKey) -> Sealed:
    """Canonical bytes and the signature over them."""
    fields = {name: value for name, value in message.model_dump().items() if value is not None}
    raw = canonical_bytes(fields)
    return Sealed(raw, key.sign(raw))


def open_envelope(raw: bytes, signature: str, find_key: FindKey) -> Envelope:
    """A box's message, checked: shape, version, algorithm, sender, signature. Raises the fitting ContractFault."""
    envelope = read_envelope(raw)
    key = find_key(envelope.box_id, envelope.key_id)
    if key is None or key.alg != envelope.alg:
        raise UnknownSender("key_id", "a key that this box enrolled")
    key.verify(signature, raw)
    return envelope


def read_envelope(raw: bytes) -> Envelope:
    """The envelope in `raw`, its signature not yet checked. Raises Malformed, WrongVersion or UnknownAlgorithm."""
    fields = parse_object(raw)
    if fields.get("version") != VERSION or fields.get("version") is True:
        raise WrongVersion("version", str(VERSION))
    envelope = read_model(Envelope, fields, Malformed)
    algorithm(envelope.alg)
    return envelope


def open_reply(raw: bytes, signature: str, key: VerifyKey, box_id: str, reply_to: int) -> Reply:
    """A regulator's answer to the sending `reply_to` of `box_id`, checked. Raises BadSignature or Malformed."""
    key.verify(signature, raw)
    reply = read_model(Reply, parse_object(raw), Malformed)
    if (reply.alg, reply.key_id) != (key.alg, key.key_id):
        raise BadSignature("alg", f"{key.alg}, made with {key.key_id}")
    if (reply.box_id, reply.reply_to) != (box_id, reply_to):
        raise Malformed("reply_to", f"an answer to {box_id} number {reply_to}")
    return reply


def sign_text(document: BaseModel, key: SignKey) -> SignedText:
    """A document that stands for itself: its canonical text and the signature over it."""
    raw, key = canonical_bytes(document.model_dump(mode="json")), key.present
    return SignedText(alg=key.public.alg, key_id=key.public.key_id, text=raw.decode(), signature=key.sign(raw))


def open_text(signed: SignedText, model: type[ModelT], key: VerifyKey) -> ModelT:
    """The document, its signature checked. Raises BadSignature or Malformed."""
    raw = signed.text.encode("utf-8", "surrogatepass")
    if (signed.alg, signed.key_id) != (key.alg, key.key_id):
        raise BadSignature("alg", f"{key.alg}, made with {key.key_id}")
    key.verify(signed.signature, raw)
    return read_model(model, parse_object(raw), Malformed)


def read_model(model: type[ModelT], fields: dict[str, Any], fault: type[ContractFault]) -> ModelT:
    """Validate; the first thing wrong becomes `fault`, naming the field and what was expected, never the value."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        raise fault(".".join(str(step) for step in first["loc"]), first["msg"][:200]) from None


def error_text(fault: ContractFault) -> ErrorText:
    """A fault as it travels in a reply of kind `error`."""
    return ErrorText(
        code=fault.code,
        message_zh=fault.message_zh,
        message_en=fault.message_en,
        field=fault.field[:200],
        expected=fault.expected[:200],
        retry_after_s=fault.retry_after_s,
    )


def fault_from(error: ErrorText) -> ContractFault:
    """The fault that travelled; an unknown code becomes a plain ContractFault (tried again, never put aside)."""
    kind = FAULTS.get(error.code, ContractFault)
    return kind(error.field, error.expected, error.retry_after_s)
