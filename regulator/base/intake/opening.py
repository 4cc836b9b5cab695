"""An envelope is opened signature first: who it may be from, his key, the signature over the bytes, and only then JSON.

In: bytes and a claim. Out: the envelope. Whose signature to look for stands in the header beside the bytes or at their
end, where a canonical envelope names its sender. Bytes that name nobody there are read to find out: not many of them on
the event loop, and not many at a time beside it.
"""

from hashlib import sha256
from typing import TypeVar

from contract.envelope import Envelope, read_envelope, read_model
from contract.faults import BadSignature, ContractFault, DigestMismatch, InvalidBody, UnknownSender
from contract.messages import CameraStill, Thumbnail, UpMessage
from contract.sender import Claim, claim_at_end, claim_of
from contract.signing import VerifyKey, base64_bytes

MessageT = TypeVar("MessageT", bound=UpMessage)

SMALL_BYTES = 64 * 1024
"""What is read where it stands: a millisecond of JSON."""


def claim_in(raw: bytes) -> Claim | None:
    """Who the bytes say that they are from, as far as that costs little."""
    claim = claim_at_end(raw)
    if claim is not None or len(raw) > SMALL_BYTES:
        return claim
    try:
        return claim_of(read_envelope(raw))
    except ContractFault:
        return None


def open_checked(raw: bytes, signature: str, claim: Claim, key: VerifyKey) -> Envelope:
    """Raises BadSignature before anything is parsed; then what `read_envelope` raises, or UnknownSender for an envelope
    that is another's than the claim."""
    key.verify(signature, raw)
    envelope = read_envelope(raw)
    if key.alg != envelope.alg or (envelope.box_id, envelope.key_id) != (claim.box_id, claim.key_id):
        raise UnknownSender("key_id", "a key that this box enrolled")
    if envelope.seq != claim.seq:
        raise BadSignature("seq", "the number that the sender's header names")
    return envelope


def body_of(envelope: Envelope, model: type[MessageT]) -> MessageT:
    """The body as this model has it; raises InvalidBody, its field named from the envelope on."""
    try:
        return read_model(model, envelope.body, InvalidBody)
    except InvalidBody as fault:
        raise InvalidBody(f"body.{fault.field}", fault.expected) from None


def check_thumbnail(body: Thumbnail | CameraStill) -> None:
    """Raises InvalidBody or DigestMismatch where the picture is not what its digest says."""
    try:
        content = base64_bytes(body.data_base64, "body.data_base64")
    except ContractFault:
        raise InvalidBody("body.data_base64", "base64") from None
    if sha256(content).hexdigest() != body.sha256:
        raise DigestMismatch("body.sha256", "the SHA-256 of the picture's bytes")
