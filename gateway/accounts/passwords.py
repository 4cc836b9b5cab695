"""Passwords: the rule for new ones, and Argon2id hashes.

In: passwords as typed. Out: a hash for the store, or whether one fits. Slow by design and needs 64 MiB while it works,
so one thread does it and a short line waits: guessers cannot fill the memory, and the event loop never stands still.
Strangers (logins from where that person never logged in) may fill half of the line: a crowd of them leaves room.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from gateway.accounts.faults import AccountError, AccountFault
from screens.passwords import normal_password, password_fault

MOST_WAITING = 16
MOST_STRANGERS_WAITING = 8
T = TypeVar("T")


def checked_password(password: str, name: str) -> str:
    """A new password in the form that is hashed (NFKC). Raises AccountError when the rule does not allow it."""
    fault = password_fault(password, name)
    if fault is not None:
        raise AccountError(AccountFault(fault.value))  # type: ignore[call-arg]  # a look-up; mypy reads __new__
    return normal_password(password)


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
        return await self.hashed(normal_password(password))

    async def fits(self, kept: str | None, password: str, *, stranger: bool = False) -> bool:
        """Whether the password (as typed) fits the hash; None: there is no such person. Raises AccountError: busy."""
        if stranger and self._waiting >= MOST_STRANGERS_WAITING:
            raise AccountError(AccountFault.BUSY, 2)
        return await self._in_thread(lambda: self._fits(kept, normal_password(password)))

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
