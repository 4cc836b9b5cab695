"""Who sends, said before the body: a regulator can turn a stranger away without reading what he has to say.

    Sitewarden-Sender: <box_id> <key_id> <seq> <signature, base64>

In: an envelope and the box's key. Out: the header. The signature is over `Sitewarden-Sender <box_id> <key_id> <seq>`:
the header alone proves whose it is, and the body has a signature of its own. A box sends it with every message in a
request's body; a regulator must not ask for it, as older boxes do not know it. A claim is what a sender says of itself,
proved or not. Knows no transport.
"""

import re
from dataclasses import dataclass

from contract.envelope import MAX_INTEGER, Envelope
from contract.faults import Malformed
from contract.signing import SignKey, VerifyKey

SENDER_HEADER = "Sitewarden-Sender"
MOST_CHARACTERS = 1000
END_BYTES = 2048
"""In so many bytes at its end a canonical envelope names its sender: longer than its longest fields."""

_BOX = r"[a-z0-9](?:[a-z0-9_.-]{0,62}[a-z0-9])?"
_KEY = r"[a-z0-9]{1,16}:[0-9a-f]{32}"
_HEADER = re.compile(rf"({_BOX}) ({_KEY}) ([1-9][0-9]{{0,18}}) ([0-9A-Za-z+/=]{{1,400}})")
_END = re.compile(
    rf',"box_id":"({_BOX})","key":"(?:[^"\\]|\\.){{1,1200}}","key_id":"({_KEY})","kind":"[^"\\]{{1,40}}",'
    rf'"late":(?:true|false),"sent_at_ns":[0-9]{{1,19}},"seq":([1-9][0-9]{{0,18}}),"version":[^,"{{}}]{{1,20}}}}\Z'.encode()
)


@dataclass(frozen=True, slots=True)
class Claim:
    """Who somebody says that he is, and the number of the sending."""

    box_id: str
    key_id: str
    seq: int


@dataclass(frozen=True, slots=True)
class Sender:
    """A header as it came, its signature not yet checked."""

    claim: Claim
    signature: str

    def prove(self, key: VerifyKey) -> None:
        """Raises BadSignature when the key did not make this header."""
        key.verify(self.signature, f"{SENDER_HEADER} {_words(self.claim)}".encode())


def sender_text(envelope: Envelope, key: SignKey) -> str:
    """The header beside an envelope that is sealed with the same key."""
    words = _words(claim_of(envelope))
    return f"{words} {key.sign(f'{SENDER_HEADER} {words}'.encode())}"


def read_sender(text: str) -> Sender:
    """Raises Malformed for what is no such header."""
    found = _HEADER.fullmatch(text) if len(text) <= MOST_CHARACTERS else None
    claim = _claim(*found.groups()[:3]) if found is not None else None
    if found is None or claim is None:
        raise Malformed(SENDER_HEADER, "box id, key id, seq, signature")
    return Sender(claim, found[4])


def claim_of(envelope: Envelope) -> Claim:
    """What an envelope says of its sender."""
    return Claim(envelope.box_id, envelope.key_id, envelope.seq)


def claim_at_end(raw: bytes) -> Claim | None:
    """What a canonical envelope says of its sender, without reading the rest; None for other bytes. A hint whose
    signature to look for: what is in the envelope counts."""
    found = _END.search(raw[-END_BYTES:])
    return _claim(*(part.decode() for part in found.groups())) if found else None


def _claim(box_id: str, key_id: str, seq: str) -> Claim | None:
    """None for a number that no envelope can have."""
    return Claim(box_id, key_id, int(seq)) if int(seq) <= MAX_INTEGER else None


def _words(claim: Claim) -> str:
    return f"{claim.box_id} {claim.key_id} {claim.seq}"
