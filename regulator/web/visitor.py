"""The visitor of a request: a logged-in person and their seat, or a stranger. Set by the guard, read by routes."""

from dataclasses import dataclass

from starlette.requests import Request

from regulator.accounts.model import Account, Seat
from regulator.accounts.sessions import Presence
from regulator.model.actor import Actor, Duty
from regulator.model.refusals import RefusedError


@dataclass(frozen=True, slots=True)
class Visitor:
    """`csrf`: what every form of this visitor must carry. `address`: where the request came from."""

    presence: Presence | None = None
    csrf: str = ""
    address: str = ""

    @property
    def account(self) -> Account | None:
        """Who has logged in."""
        return self.presence.account if self.presence else None

    @property
    def seat(self) -> Seat | None:
        """What they act in."""
        return self.presence.seat if self.presence else None

    @property
    def actor(self) -> Actor | None:
        """Who acts."""
        return self.seat.actor if self.seat else None

    def has(self, *duties: Duty) -> bool:
        """Whether the seat holds any of these duties."""
        return self.actor is not None and self.actor.has(*duties)


STRANGER = Visitor()


def visitor_of(request: Request) -> Visitor:
    """The visitor that the guard has found."""
    visitor: Visitor = getattr(request.state, "visitor", STRANGER)
    return visitor


def presence_of(request: Request) -> Presence:
    """Who has logged in. Raises RefusedError 401."""
    presence = visitor_of(request).presence
    if presence is None:
        raise RefusedError(401, "login_needed", "请先登录", "log in first")
    return presence


def actor_of(request: Request, *duties: Duty) -> Actor:
    """Who acts. With `duties`: one of them is needed. Raises RefusedError: 401 for a stranger, 403."""
    seat = presence_of(request).seat
    if seat is None:
        raise RefusedError(403, "no_seat", "您的账号尚未获得任何授权", "your account has no role yet")
    if duties and not seat.actor.has(*duties):
        raise RefusedError(403, "duty_needed", "您的岗位无权进行此操作", "your role does not allow this")
    return seat.actor
