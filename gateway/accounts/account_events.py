"""Events of accounts as records of the evidence chain. Pure.

In: who did what to whom, from where. Out: canonical content without password, token or hash.
"""

import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from contract.canonical import Canonical


class AccountEventKind(StrEnum):
    """What happened."""

    FIRST_ADMINISTRATOR = "first_administrator"
    PERSON_ADDED = "person_added"
    ROLE_CHANGED = "role_changed"
    DISABLED = "disabled"
    ENABLED = "enabled"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a kind, not a password
    PASSWORD_SET_BY_OTHER = "password_set_by_other"  # noqa: S105
    LOGIN = "login"
    LOGIN_FAILED = "login_failed"
    LOGOUT = "logout"
    SESSION_ENDED = "session_ended"
    WALL_GIVEN = "wall_given"
    WALL_REVOKED = "wall_revoked"
    TOKEN_MADE = "token_made"  # noqa: S105
    TOKEN_REVOKED = "token_revoked"  # noqa: S105
    RECOVERY = "recovery"
    SECOND_FACTOR_SET = "second_factor_set"
    SECOND_FACTOR_REMOVED = "second_factor_removed"
    SECOND_FACTOR_RESET = "second_factor_reset"
    RECOVERY_CODES_MADE = "recovery_codes_made"
    CODE_SHOWN = "code_shown"
    CODE_FAILED = "code_failed"


def _new_id() -> str:
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class AccountEvent:
    """One event. `user` did it to `subject` (a login name, the id of a wall or a token); either is empty where nobody
    known did.

    `count` is more than 1 where several failed logins share one record. `detail` says a role, a title, an id.
    """

    kind: AccountEventKind
    at_ns: int
    user: str = ""
    subject: str = ""
    address: str = ""
    detail: str = ""
    count: int = 1
    event_id: str = field(default_factory=_new_id)

    @property
    def about(self) -> str:
        """What the chain's store files the record under."""
        return filed_under(self.event_id)

    def content(self) -> dict[str, Canonical]:
        """As it is sealed."""
        return {
            "event_id": self.event_id,
            "event": str(self.kind),
            "user": self.user,
            "subject": self.subject,
            "address": self.address,
            "detail": self.detail,
            "count": self.count,
        }


def filed_under(event_id: str) -> str:
    """The store's key for the record of one event."""
    return f"account:{event_id}"
