"""The people of one box, what each may do, and what is asked of a name.

In: texts as they were typed. Out: names in one form, or why not. Knows no password, no session and no HTTP.
"""

import re
import unicodedata
from dataclasses import dataclass
from enum import IntEnum

from gateway.accounts.faults import AccountError, AccountFault

MOST_NAME_CHARACTERS = 32
MOST_TITLE_CHARACTERS = 24
_NAME = re.compile(r"\w[\w.-]*")
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
"""Unicode categories that nobody sees on a screen; among them are the marks that turn the direction of a text."""


class Role(IntEnum):
    """What somebody may do; each includes those before it. NOBODY, a stranger, may see the open pages only."""

    NOBODY = 0
    VIEWER = 1
    SUPERVISOR = 2
    SAFETY_OFFICER = 3
    ADMINISTRATOR = 4


@dataclass(frozen=True, slots=True)
class Person:
    """One account. `disabled_at_ns` 0: may log in. `must_change`: somebody else has set the password."""

    name: str
    title: str
    role: Role
    made_at_ns: int
    disabled_at_ns: int = 0
    must_change: bool = False

    @property
    def may_do(self) -> Role:
        """The role in force: whoever's password another person knows may only look."""
        return Role.VIEWER if self.must_change else self.role


def said_as(name: str, title: str) -> str:
    """How a person stands in records: the title for people, the name because it is unique. At most 59 characters."""
    return name if title in ("", name) else f"{title} ({name})"


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What is asked of a new account, as it was typed."""

    name: str
    title: str
    role: Role
    password: str


def login_name(typed: str) -> str:
    """The one form of a login name: NFKC, lower case, no spaces around it."""
    return unicodedata.normalize("NFKC", typed).casefold().strip()


def checked_name(typed: str) -> str:
    """The login name of a new account. Raises AccountError unless it is letters, digits, dot, hyphen, underscore."""
    name = login_name(typed)
    if len(name) > MOST_NAME_CHARACTERS or not _NAME.fullmatch(name):
        raise AccountError(AccountFault.BAD_NAME)
    return name


def checked_title(typed: str) -> str:
    """A name for screens and records. Raises AccountError when it is empty, too long or holds what nobody sees."""
    title = typed.strip()
    unseen = any(unicodedata.category(character) in _UNSEEN for character in title)
    if not title or len(title) > MOST_TITLE_CHARACTERS or unseen:
        raise AccountError(AccountFault.BAD_TITLE)
    return title
