"""The visitor of a request: a person with a role, a wall screen, a machine with a token, or a stranger.

The guard finds out and puts the visitor on the request; routes ask for a role here. Knows no session and no cookie.
"""

from dataclasses import dataclass
from enum import Enum

from starlette.requests import Request

from gateway.accounts.person import Role
from kit.refusals import RefusedError
from screens.second_factor import Owes
from screens.stream_quota import Watcher

__all__ = [
    "STRANGER",
    "RefusedError",
    "Role",
    "Visitor",
    "VisitorKind",
    "require",
    "user_of",
    "visitor_of",
    "watcher_of",
]


class VisitorKind(Enum):
    """How the visitor is known."""

    STRANGER = "stranger"
    GUEST = "guest"
    PERSON = "person"
    WALL = "wall"
    MACHINE = "machine"
    LOCAL = "local"


@dataclass(frozen=True, slots=True)
class Visitor:
    """`name` is what records hold; `title` what screens show; `csrf` what every form of this visitor must carry.

    Of a person, `login` is the login name, of a machine its token's id; `address` is where any visitor comes from. The
    role of a machine is what its token's scopes let it do with this request. `owing`: somebody whose password was right
    and who owes a code or its set-up; to all other pages a stranger, or a guest where the site has guests.
    """

    kind: VisitorKind
    role: Role
    name: str = ""
    title: str = ""
    csrf: str = ""
    login: str = ""
    address: str = ""
    owing: Owes | None = None

    @property
    def person(self) -> bool:
        """Somebody has logged in."""
        return self.kind is VisitorKind.PERSON


STRANGER = Visitor(VisitorKind.STRANGER, Role.NOBODY)


def visitor_of(request: Request) -> Visitor:
    """The visitor that the guard has found."""
    visitor: Visitor = getattr(request.state, "visitor", STRANGER)
    return visitor


def watcher_of(request: Request) -> Watcher:
    """Whose share of what goes on for long. Whoever has no login of their own (a guest, a program) is known by the
    address alone."""
    visitor = visitor_of(request)
    login = f"{visitor.kind.value} {visitor.login}" if visitor.login else ""
    return Watcher(login, visitor.address)


def user_of(request: Request, said: str) -> str:
    """Who a record says did it: whoever has logged in, whatever the request says; else who the request says it was, and
    through which program."""
    visitor = visitor_of(request)
    if visitor.kind is VisitorKind.MACHINE and visitor.name:
        return f"{said} ({visitor.name})"
    return visitor.name if visitor.person else said


def require(request: Request, role: Role) -> Visitor:
    """The visitor, when he may. Raises RefusedError: 401 for a stranger, 403 for a role too low."""
    visitor = visitor_of(request)
    if visitor.role >= role:
        return visitor
    if visitor.owing is Owes.CODE:
        raise RefusedError(401, "code_needed", "请输入动态验证码", "enter the code of your authenticator app", "code")
    if visitor.owing is Owes.SET_UP:
        raise RefusedError(401, "second_factor_needed", "请先启用两步验证", "set up your second factor first", "code")
    if visitor.kind in (VisitorKind.STRANGER, VisitorKind.GUEST):
        raise RefusedError(401, "login_needed", "请先登录", "log in first")
    if visitor.kind is VisitorKind.MACHINE:
        words = _beyond(visitor)
        raise RefusedError(403, "outside_scope", *words, "authorization")
    if visitor.kind is VisitorKind.WALL:
        raise RefusedError(403, "wall_may_only_look", "大屏只能查看，不能操作", "a wall screen may look, not command")
    raise RefusedError(403, "role_too_low", "您的角色无权进行此操作", "your role does not allow this")


def _beyond(visitor: Visitor) -> tuple[str, str]:
    """Why a program may not: in Chinese and English."""
    if not visitor.login:
        return (
            "站点文件中的令牌（web.token）只能读取；请在“人员→程序令牌”页为该程序新建令牌",
            "the token of the site file (web.token) only reads: make this program a token of its own, "
            "on the page Tokens of programs or by: sitewarden accounts make-token",
        )
    return (
        f"令牌“{visitor.title}”的权限不含此操作",
        f"the scopes of the token {visitor.title!r} do not allow this",
    )
