"""What the desk knows of people: accounts, grants, delegations, sessions; and the seats they may act in. No I/O."""

from dataclasses import dataclass

from regulator.base.model.actor import Actor, Duty, Scope

SECOND_NS = 1_000_000_000
NEEDS_A_SECOND_PERSON = frozenset({Duty.APPROVER, Duty.ADMINISTRATOR})
"""Duties that nobody gets from one person alone."""


@dataclass(frozen=True, slots=True)
class Account:
    """One person. `home` is the scope whose administrators keep the account. Times UTC ns, 0: not."""

    user_id: str
    login: str
    name: str
    home: Scope
    must_change: bool
    made_at_ns: int
    disabled_at_ns: int = 0
    has_password: bool = True


@dataclass(frozen=True, slots=True)
class NewAccount:
    """As somebody typed it. Without a password the person signs on elsewhere."""

    login: str
    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Grant:
    """Duties in one scope, as proposed, decided and revoked. `proposed_by`: every person whose hand it was."""

    grant_id: str
    user_id: str
    scope: Scope
    duties: frozenset[Duty]
    proposed_by: frozenset[str]
    proposed_at_ns: int
    decided_by: str = ""
    approved_at_ns: int = 0
    rejected_at_ns: int = 0
    revoked_at_ns: int = 0

    @property
    def in_force(self) -> bool:
        """Approved, and not revoked since."""
        return bool(self.approved_at_ns) and not self.revoked_at_ns

    @property
    def waiting(self) -> bool:
        """Proposed, and decided by nobody yet."""
        return not (self.approved_at_ns or self.rejected_at_ns or self.revoked_at_ns)


@dataclass(frozen=True, slots=True)
class Delegation:
    """Somebody acts in another's grant from `from_ns` to `until_ns` (exclusive), UTC ns."""

    delegation_id: str
    grant_id: str
    from_user: str
    to_user: str
    reason: str
    from_ns: int
    until_ns: int
    ended_at_ns: int = 0

    def in_force(self, now_ns: int) -> bool:
        """Ends by itself."""
        return self.from_ns <= now_ns < self.until_ns and not self.ended_at_ns


@dataclass(frozen=True, slots=True)
class Seat:
    """One way somebody may act: a grant of their own, or one they keep for somebody on leave."""

    key: str
    actor: Actor
    until_ns: int = 0
    for_name: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """A login. `session_id` is public; the token is known to the browser alone. `code`: as in the table."""

    session_id: str
    user_id: str
    seat: str
    made_at_ns: int
    seen_at_ns: int
    address: str
    agent: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Caller:
    """Where somebody logs in from: an address, what the browser calls itself, and the cookie that the desk gave it."""

    address: str = ""
    agent: str = ""
    browser: str = ""
