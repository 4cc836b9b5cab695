"""Short codes for wall screens: a television has no keyboard worth the name, and a token has 43 characters.

In: a token, what somebody typed, monotonic time. Out: a code for ten minutes, worth one use. In memory only.
"""

import secrets

from gateway.accounts.setup_code import bare, new_code

LASTS_NS = 600_000_000_000
MOST_CODES = 100


class PairingCodes:
    """The codes that wait for a screen."""

    def __init__(self) -> None:
        self._codes: dict[str, tuple[str, int]] = {}

    def code_for(self, token: str, now_mono_ns: int) -> str:
        """A code for this token. The oldest of too many goes."""
        code = new_code()
        self._codes[bare(code)] = (token, now_mono_ns + LASTS_NS)
        while len(self._codes) > MOST_CODES:
            del self._codes[next(iter(self._codes))]
        return code

    def take(self, typed: str, now_mono_ns: int) -> str:
        """The code's token, once; empty when there is no such code or its time is over."""
        wanted = bare(typed)
        found = [code for code in self._codes if secrets.compare_digest(code.encode(), wanted.encode())]
        token, until_mono_ns = self._codes.pop(found[0]) if found else ("", 0)
        return token if now_mono_ns < until_mono_ns else ""
