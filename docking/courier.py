"""The conversation with one platform, without a socket: what to ask next, and what the answers come to.

    talk = courier.deliver(map, payloads)
    call = next(talk)                      whoever has sockets sends `call` ...
    call = talk.send(reply)                ... and gives the reply back, until StopIteration carries the Ack

A token (pattern A) is got when there is none or it is about to end, and once more when the platform says that it is not
good: one record costs at most two token requests. The token lives in memory, as long as the courier.
"""

import secrets
import string
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field

from docking.acknowledgement import (
    WORDS_LENGTH,
    WRONG_SETTINGS_AFTER_S,
    Ack,
    HttpReply,
    Outcome,
    found_at,
    judged,
    read_json,
)
from docking.encoding import Payload
from docking.platform import Platform, RecordMap, TokenDoor
from docking.request import HttpCall, Stamp, record_call, token_call

RENEW_BEFORE_S = 30.0
_ALPHABET = string.ascii_letters + string.digits
Talk = Generator[HttpCall, HttpReply, Ack]


@dataclass(frozen=True, slots=True)
class _Token:
    value: str = field(repr=False)
    until_ns: int


def fresh_nonce(length: int = 64) -> str:
    """Letters and digits that nobody can guess."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


class Courier:
    """One account at one platform. Not for two threads at once."""

    def __init__(self, platform: Platform, now_ns: Callable[[], int], nonce: Callable[[], str] = fresh_nonce) -> None:
        self.platform = platform
        self._now_ns = now_ns
        self._nonce = nonce
        self._token: _Token | None = None
        self.tokens_asked = 0

    def deliver(self, map_: RecordMap, payloads: Sequence[Payload], credentials: Mapping[str, str]) -> Talk:
        """One request with all payloads (at most `map_.batch`), and what it came to. Raises LookupError for a missing
        credential."""
        transport, door = self.platform.transport, self.platform.transport.token
        fresh = False
        while True:
            if door is not None and not self._holds():
                problem = yield from self._ask_token(door, credentials)
                if problem is not None:
                    return problem
                fresh = True
            token = self._token.value if self._token is not None else ""
            reply = yield record_call(transport, map_, payloads, credentials, self._stamp(), token)
            ack = judged(self.platform.reply, reply)
            if ack.outcome is not Outcome.TOKEN:
                return ack
            self._token = None
            if door is None or fresh:
                return Ack(Outcome.LATER, ack.words, max(ack.after_s, WRONG_SETTINGS_AFTER_S))

    def _holds(self) -> bool:
        return self._token is not None and self._now_ns() + int(RENEW_BEFORE_S * 1e9) < self._token.until_ns

    def _ask_token(self, door: TokenDoor, credentials: Mapping[str, str]) -> Generator[HttpCall, HttpReply, Ack | None]:
        """Get a token; None when there is one now."""
        self.tokens_asked += 1
        reply = yield token_call(self.platform.transport, door, credentials, self._stamp())
        told = read_json(reply.body) if 200 <= reply.status < 300 else None
        value = found_at(told, door.token_at)
        if not isinstance(value, str) or not (value.isascii() and value.isprintable() and value):
            words = " ".join(reply.body.decode(errors="replace").split())
            refused = 400 <= reply.status < 500 or 200 <= reply.status < 300
            wait_s = WRONG_SETTINGS_AFTER_S if refused else 0.0
            return Ack(
                Outcome.LATER, f"no token: {reply.status}: {words}"[:WORDS_LENGTH], max(reply.retry_after_s, wait_s)
            )
        lasts = found_at(told, door.expires_at) if door.expires_at else None
        known = isinstance(lasts, int | float) and not isinstance(lasts, bool) and 0 < lasts < 31_536_000
        lasts_s = max(float(lasts), 2 * RENEW_BEFORE_S) if known else door.lasts_s  # type: ignore[arg-type]
        self._token = _Token(value, self._now_ns() + int(lasts_s * 1e9))
        return None

    def _stamp(self) -> Stamp:
        return Stamp(self._now_ns(), self._nonce())
