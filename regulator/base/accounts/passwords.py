"""Hashing passwords with Argon2id (RFC 9106, low memory: 3 passes, 64 MiB, 4 lanes).

Slow by design and hungry: at most `AT_ONCE` at a time, and a short line that waits, so that guessers cannot fill the
memory. Strangers (logins from where that person never logged in) have one place, and a line of their own, so that a
crowd of them keeps nobody waiting. A login that does not exist costs the same work as one that does.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from regulator.base.model.refusals import RefusedError
from screens.passwords import LEAST_CHARACTERS, MOST_CHARACTERS, PasswordFault, normal_password, password_fault

AT_ONCE = 2
WAIT_S = 10.0
MOST_STRANGERS = 8
_WORDS = {
    PasswordFault.TOO_SHORT: (
        f"密码至少 {LEAST_CHARACTERS} 个字符",
        f"a password has at least {LEAST_CHARACTERS} characters",
    ),
    PasswordFault.TOO_LONG: (
        f"密码最多 {MOST_CHARACTERS} 个字符",
        f"a password has at most {MOST_CHARACTERS} characters",
    ),
    PasswordFault.IS_THE_NAME: ("密码不能是登录名", "a password must not be the login name"),
    PasswordFault.TOO_COMMON: ("密码过于常见，请换一个", "this password is too common: choose another"),
}


def checked_password(password: str, login: str) -> str:
    """A new password in the form that is hashed. Raises RefusedError 422 when the rule does not allow it."""
    fault = password_fault(password, login)
    if fault is not None:
        raise RefusedError(422, f"password_{fault.value}", *_WORDS[fault], "password")
    return normal_password(password)


class Passwords:
    """Hashes and compares. Thread-safe. Raises RefusedError 503 when too many wait."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._places = threading.BoundedSemaphore(AT_ONCE)
        self._strange_place = threading.BoundedSemaphore(AT_ONCE - 1)
        self._strangers = threading.BoundedSemaphore(MOST_STRANGERS)

    def hashed(self, password: str, login: str) -> str:
        """The hash of a new password. Raises RefusedError 422 when the rule does not allow it."""
        normal = checked_password(password, login)
        with self._place():
            return self._hasher.hash(normal)

    def fits(self, kept: str, password: str, *, stranger: bool = False) -> bool:
        """Whether a password as typed fits the hash; with an empty one the same work is done, and nothing fits."""
        with self._place_of_a_stranger() if stranger else self._place():
            try:
                self._hasher.verify(kept or self._nobody, normal_password(password))
            except (VerificationError, InvalidHashError):
                return False
            return bool(kept)

    @cached_property
    def _nobody(self) -> str:
        return self._hasher.hash("nobody has this password")

    @contextmanager
    def _place(self) -> Iterator[None]:
        with _held(self._places, WAIT_S):
            yield

    @contextmanager
    def _place_of_a_stranger(self) -> Iterator[None]:
        with _held(self._strangers, 0), _held(self._strange_place, WAIT_S), self._place():
            yield


@contextmanager
def _held(places: threading.BoundedSemaphore, wait_s: float) -> Iterator[None]:
    if not places.acquire(timeout=wait_s):
        raise RefusedError(503, "busy", "登录繁忙，请稍后再试", "too many logins at once: try again")
    try:
        yield
    finally:
        places.release()
