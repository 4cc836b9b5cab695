"""Passwords: the rule for new ones, and Argon2id hashes.

In: passwords as typed. Out: a hash for the store, or whether one fits. Slow by design and needs 64 MiB while it works,
so one thread does it and a short line waits: guessers cannot fill the memory, and the event loop never stands still.
"""

import asyncio
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from gateway.accounts.faults import AccountError, AccountFault

LEAST_CHARACTERS = 10
MOST_CHARACTERS = 128
LEAST_DIFFERENT = 4
MOST_WAITING = 16
T = TypeVar("T")
_LONG_BUT_COMMON = """
    0123456789 1234567890 0987654321 9876543210 12345678910 123456789a a123456789 aa12345678 abc1234567 abcd123456
    abcdefghij password12 password123 passw0rd123 password1234 qwertyuiop qwerty1234 qwerty123456 1q2w3e4r5t
    1qaz2wsx3edc 1qazxsw23edc zaq12wsxcde3 asdfghjkl1 asdf123456 zxcvbnm123 qwer123456 q123456789 admin12345
    admin123456 administrator administrator1 root123456 iloveyou123 woaini1314 woaini520520 5201314520 1314520520
    woaini123456 letmein1234 changeme123 welcome123 sitewarden sitewarden1 sitewarden123 supervisor1 supervisor123
"""
COMMON = frozenset(_LONG_BUT_COMMON.split())
"""The commonest of those that are long enough; after the lists that are passed around, in lower case."""


def checked_password(password: str, name: str) -> str:
    """A new password in the form that is hashed (NFKC). Raises AccountError when the rule does not allow it."""
    normal = unicodedata.normalize("NFKC", password)
    if len(normal) < LEAST_CHARACTERS:
        raise AccountError(AccountFault.TOO_SHORT)
    if len(normal) > MOST_CHARACTERS:
        raise AccountError(AccountFault.TOO_LONG)
    plain = normal.casefold()
    if plain.strip("0123456789.-_! ") == name or plain == name:
        raise AccountError(AccountFault.IS_THE_NAME)
    if plain in COMMON or len(set(plain)) < LEAST_DIFFERENT:
        raise AccountError(AccountFault.TOO_COMMON)
    return normal


class Passwords:
    """Hashes and compares in a thread of its own. Default: the RFC 9106 low-memory profile (3 passes, 64 MiB, 4 lanes).

    A name that does not exist costs the same work as one that does: its password is held against a hash of nothing.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._thread = ThreadPoolExecutor(1, "passwords")
        self._waiting = 0
        self._nobody = ""

    async def hashed(self, password: str) -> str:
        """The hash to keep. Raises AccountError when too many wait."""
        return await self._in_thread(lambda: self._hasher.hash(password))

    async def renewed(self, password: str) -> str:
        """The hash of a password as typed that has just been found to fit. Raises AccountError when too many wait."""
        return await self.hashed(_normal(password))

    async def fits(self, kept: str | None, password: str) -> bool:
        """Whether the password (as typed) fits the hash; None: there is no such person. Raises AccountError: busy."""
        return await self._in_thread(lambda: self._fits(kept, _normal(password)))

    def outdated(self, kept: str) -> bool:
        """Whether the hash was made with other parameters than new ones are."""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(cancel_futures=True)

    def _fits(self, kept: str | None, password: str) -> bool:
        if not self._nobody:  # whoever logs in first, so that the time says nothing of the name
            self._nobody = self._hasher.hash("nobody has this password")
        try:
            self._hasher.verify(self._nobody if kept is None else kept, password)
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None

    async def _in_thread(self, work: Callable[[], T]) -> T:
        if self._waiting >= MOST_WAITING:
            raise AccountError(AccountFault.BUSY, 2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1


def _normal(password: str) -> str:
    """What nobody could have chosen is cut, so that its length costs nothing."""
    return unicodedata.normalize("NFKC", password[: 4 * MOST_CHARACTERS])
