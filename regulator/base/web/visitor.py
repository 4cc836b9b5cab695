"""The visitor of a request: a logged-in person and their seat, or a stranger. Set by the guard, read by routes."""

from dataclasses import dataclass

from starlette.requests import Request

from regulator.base.accounts.model import Account, Seat
from regulator.base.accounts.sessions import Presence
from regulator.base.model.actor import Actor, Duty
from regulator.base.model.refusals import RefusedError
from screens.second_factor import Owes

CODE_NEEDED = RefusedError(401, "code_needed", "请输入验证码", "enter the code of your authenticator app", "code")
SET_UP_NEEDED = RefusedError(
    401, "second_factor_needed", "请先启用两步验证", "set up the second factor of your login first", "code"
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """`csrf`: what every form of this visitor must carry. `address`: where the request came from.

    `owing`: somebody whose password was right and who owes a code or its set-up: a stranger to all other pages."""

    presence: Presence | None = None
    csrf: str = ""
    address: str = ""
    owing: Presence | None = None

    @property
    def login(self) -> Presence | None:
        """The login that the request brought, whatever it owes."""
        return self.presence or self.owing

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
    visitor = visitor_of(request)
    if visitor.presence is not None:
        return visitor.presence
    if visitor.owing is None:
        raise RefusedError(401, "login_needed", "请先登录", "log in first")
    raise CODE_NEEDED if visitor.owing.owes is Owes.CODE else SET_UP_NEEDED


def setting_up(request: Request) -> Presence:
    """Who may set up a second factor: whoever has logged in, or owes that alone. Raises RefusedError 401."""
    owing = visitor_of(request).owing
    return owing if owing is not None and owing.owes is Owes.SET_UP else presence_of(request)


def actor_of(request: Request, *duties: Duty) -> Actor:
    """Who acts. With `duties`: one of them is needed. Raises RefusedError: 401 for a stranger, 403."""
    seat = presence_of(request).seat
    if seat is None:
        raise RefusedError(403, "no_seat", "您的账号尚未获得任何授权", "your account has no role yet")
    if duties and not seat.actor.has(*duties):
        raise RefusedError(403, "duty_needed", "您的岗位无权进行此操作", "your role does not allow this")
    return seat.actor
