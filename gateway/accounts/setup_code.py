"""The one-time code that makes the first administrator: whoever reads the box's console may set it up.

In: what somebody typed. Out: whether it is the code. Kept in memory only and new at every start; after five wrong tries
there is a new one, announced again. Knows no account.
"""

import hmac
import secrets
from collections.abc import Callable

ALPHABET = "ABCDEFGHJKMNPQRSTVWXYZ23456789"  # nothing that looks like something else: no I, L, O, U, 0, 1
GROUP_CHARACTERS = 4
MOST_WRONG_TRIES = 5


class SetupCode:
    """The code of this start, once `announce` has been called with it: `ABCD-EFGH`."""

    def __init__(self, announce: Callable[[str], None]) -> None:
        self._announce = announce
        self._code = ""
        self._wrong = 0

    def renew(self) -> None:
        """Make a new code and announce it; the old one is worth nothing."""
        self._code, self._wrong = new_code(), 0
        self._announce(self._code)

    def matches(self, typed: str) -> bool:
        """Whether it is the code; case, spaces and hyphens do not matter. The fifth wrong try makes a new code."""
        if self._code and hmac.compare_digest(bare(typed).encode(), bare(self._code).encode()):
            return True
        self._wrong += 1
        if self._code and self._wrong >= MOST_WRONG_TRIES:
            self.renew()
        return False

    def spend(self) -> None:
        """The code has done its work."""
        self._code = ""


def new_code() -> str:
    """A code for people to type: some 39 random bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(GROUP_CHARACTERS)) for _ in range(2))


def bare(text: str) -> str:
    """A code without what people add or leave out: case, spaces, hyphens."""
    return "".join(text.split()).replace("-", "").upper()
