"""An envelope is opened signature first: who it may be from, his key, the signature over the bytes, and only then JSON.

In: bytes and a claim. Out: the envelope. Whose signature to look for stands in the header beside the bytes or at their
end, where a canonical envelope names its sender. Bytes that name nobody there are read to find out: not many of them on
the event loop, and not many at a time beside it.
"""

from contract.envelope import Envelope, read_envelope
from contract.faults import BadSignature, ContractFault, UnknownSender
from contract.sender import Claim, claim_at_end, claim_of
from contract.signing import VerifyKey

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
