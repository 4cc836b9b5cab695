"""The visitor of a request, with accounts: a session, a wall screen, a program's token, a guest, or a local program.

    token (Bearer, Basic) > session cookie > wall cookie > local program (loopback, before the first account) > guest

In: a request's cookies and headers. Out: the visitor. The command line on the box has a token of its own. Beyond
loopback people and programs command over TLS alone, unless the site has allowed plain HTTP. Cookies are made and named
here, so that only this module knows how.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from gateway.accounts.account_rows import Token
from gateway.accounts.accounts import Accounts
from gateway.accounts.logins import HOUR_NS, SessionBounds
from gateway.accounts.person import Role, said_as
from gateway.accounts.tokens import SECRET_BEGINS
from gateway.settings.schema import WebSettings
from gateway.web.access_table import READING, Access
from gateway.web.guard import given_token, token_given
from gateway.web.token_scopes import COMMANDING, OF_THE_SITE_FILE, role_of
from gateway.web.visitor import RefusedError, Visitor, VisitorKind
from screens.addresses import path_of
from screens.asked_route import asked_route

SESSION: Final = "session"
WALL: Final = "wall"
WALL_COOKIE_S: Final = 400 * 86_400  # as long as browsers keep one; every look at the wall page begins it anew
NOBODYS_DOING: Final = ("/api/", "/parts/")
METRICS: Final = "/metrics"


@dataclass(frozen=True, slots=True)
class Policy:
    """What a site allows. `loopback`: the box listens there alone; `token`: the old one of the site file, or none."""

    token: str | None
    loopback: bool
    view_without_login: bool = False
    commands_over_plain_http: bool = False


def policy_of(web: WebSettings) -> Policy:
    """What the site file says. Raises LookupError when the token's source is empty."""
    return Policy(
        token=web.token.reveal() if web.token else None,
        loopback=is_loopback(web.host) or web.host == "localhost",
        view_without_login=web.view_without_login,
        commands_over_plain_http=web.commands_over_plain_http,
    )


def session_bounds(web: WebSettings) -> SessionBounds:
    """When a login ends by itself."""
    return SessionBounds(round(web.session_idle_h * HOUR_NS), round(web.session_max_h * HOUR_NS))


def asked_of(web: WebSettings) -> frozenset[Role]:
    """Roles whose login needs a second factor."""
    return frozenset(Role[name.upper()] for name in web.second_factor_for)


class AccountVisitors:
    """The box's visitors."""

    def __init__(self, accounts: Accounts, policy: Policy, local_token: str = "") -> None:
        self._accounts = accounts
        self._policy = policy
        self._local_token = local_token

    @property
    def local(self) -> bool:
        """Only programs of this machine can ask, and no token is needed."""
        return self._policy.loopback and self._policy.token is None

    @property
    def form_key(self) -> bytes:
        """What makes the forms of pages."""
        return self._accounts.form_key

    async def visitor(self, request: Request) -> Visitor:
        """The visitor; a stranger when nothing is known."""
        address = address_of(request)
        machine = self._machine(request, address)
        if machine is not None:
            return machine
        return (
            self._person(request, address)
            or self._wall(request, address)
            or self._local(request, address)
            or self._guest(address)
        )

    async def check(self, request: Request, visitor: Visitor, access: Access) -> None:
        """A person sends nothing over an open network that others could read or change."""
        if request.method in READING or (visitor.kind is VisitorKind.MACHINE and visitor.role > Role.NOBODY):
            return
        if not access.unencrypted and not self.sending_allowed(request):
            raise RefusedError(
                403,
                "plain_http",
                "本页未加密（HTTP）：已拒绝登录和操作，否则同一网络中的任何人都能看到或改动。"
                "请启用 TLS，或由管理员设置 web.commands_over_plain_http",
                "this page is not encrypted: logins and commands are refused, because anybody on the network could read"
                " or change them. Set up TLS, or have web.commands_over_plain_http switched on",
            )

    def sending_allowed(self, request: Request) -> bool:
        """Whether people may log in and command over this connection."""
        return self.private(request) or self._policy.commands_over_plain_http

    @staticmethod
    def private(request: Request) -> bool:
        """Whether nobody on the network can read along: TLS, or the box itself."""
        return encrypted(request) or is_loopback(address_of(request))

    def _machine(self, request: Request, address: str) -> Visitor | None:
        """A program with a token; or the command line on the box itself, which reads its own from a file."""
        given = request.headers.get("authorization", "")
        if not given:
            return None
        if self._local_token and _own_address(request, address) and token_given(given, self._local_token):
            return Visitor(VisitorKind.LOCAL, Role.ADMINISTRATOR, address=address)
        if self._policy.token is not None and token_given(given, self._policy.token):
            return Visitor(VisitorKind.MACHINE, _role_for(request, OF_THE_SITE_FILE), address=address)
        secret = given_token(given)
        token = self._accounts.tokens.find(secret)
        if token is not None:
            return self._program(request, address, token)
        if secret.startswith(SECRET_BEGINS):
            raise RefusedError(401, "token_unknown", "令牌无效", "no such token", "authorization")
        return None

    def _program(self, request: Request, address: str, token: Token) -> Visitor:
        """Raises RefusedError: 401 for a token that was revoked or has expired, 403 for one that may command over an
        open network."""
        if token.revoked_at_ns:
            words = (f"令牌“{token.title}”已撤销", f"the token {token.title!r} was revoked")
            raise RefusedError(401, "token_revoked", *words, "authorization")
        if self._accounts.tokens.expired(token):
            words = (f"令牌“{token.title}”已过期", f"the token {token.title!r} has expired")
            raise RefusedError(401, "token_expired", *words, "authorization")
        if token.scopes & COMMANDING and not self.sending_allowed(request):
            words = (
                f"令牌“{token.title}”可下达指令，不得在未加密的连接（HTTP）上使用；该令牌可能已被他人看到，请撤销后新建，"
                "并启用 TLS",
                f"the token {token.title!r} may command, and this connection is not encrypted: it is refused, and"
                " others may have read it. Revoke it, set up TLS and make another",
            )
            raise RefusedError(403, "plain_http", *words, "authorization")
        self._accounts.tokens.used(token)
        role = _role_for(request, token.scopes)
        return Visitor(VisitorKind.MACHINE, role, token.title, token.title, login=token.token_id, address=address)

    def _person(self, request: Request, address: str) -> Visitor | None:
        found = self._accounts.logins.whose(token_in(request, SESSION))
        if found is None:
            return None
        session, person = found
        if _somebodys_doing(request):
            self._accounts.logins.used(session)
        name = said_as(person.name, person.title)
        owes = self._accounts.factors.owes(session, person)
        if owes is not None:
            return replace(self._guest(address), name=name, title=person.title, login=person.name, owing=owes)
        return Visitor(VisitorKind.PERSON, person.may_do, name, person.title, login=person.name, address=address)

    def _wall(self, request: Request, address: str) -> Visitor | None:
        wall = self._accounts.walls.whose(token_in(request, WALL))
        if wall is None:
            return None
        self._accounts.walls.used(wall)
        return Visitor(VisitorKind.WALL, Role.VIEWER, wall.title, wall.title, login=wall.wall_id, address=address)

    def _local(self, request: Request, address: str) -> Visitor | None:
        """On loopback metrics stay open to programs; everything is, until there is an account. Whom a proxy brings from
        elsewhere is no local program."""
        if not self.local or not is_loopback(address):
            return None
        if path_of(request) == METRICS:
            return Visitor(VisitorKind.LOCAL, Role.VIEWER, address=address)
        return (
            None if self._accounts.people.exist() else Visitor(VisitorKind.LOCAL, Role.ADMINISTRATOR, address=address)
        )

    def _guest(self, address: str) -> Visitor:
        if self._policy.view_without_login:
            return Visitor(VisitorKind.GUEST, Role.VIEWER, address=address)
        return Visitor(VisitorKind.STRANGER, Role.NOBODY, address=address)


def address_of(request: Request) -> str:
    """Where the request comes from; empty when nobody knows."""
    return request.client.host if request.client else ""


def _role_for(request: Request, scopes: Iterable[str]) -> Role:
    """What these scopes are for this request. Where no route answers, 405 says which methods one would."""
    role = role_of(scopes, request.method, path_of(request))
    return Role.SUPERVISOR if role is Role.NOBODY and asked_route(request).takes_only_others else role


def _own_address(request: Request, address: str) -> bool:
    """Whether a program of this machine asks: over loopback, or the very address that the box listens on."""
    server = request.scope.get("server")
    return is_loopback(address) or (bool(address) and server is not None and server[0] == address)


def encrypted(request: Request) -> bool:
    """Whether it came by TLS; asked of the connection, not of an address that the Host header is part of."""
    return bool(request.scope["scheme"] == "https")


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def token_in(request: Request, cookie: str) -> str:
    """The token that a cookie brings; empty without one. Under TLS only a cookie that was set under TLS counts."""
    return request.cookies.get(_cookie_name(request, cookie), "")


def give_cookie(request: Request, answer: Response, cookie: str, token: str) -> None:
    """Put a token into the browser: no script reads it and no other site sends it. A session's ends with the browser,
    a wall's stays."""
    answer.set_cookie(
        _cookie_name(request, cookie),
        token,
        max_age=WALL_COOKIE_S if cookie == WALL else None,
        secure=encrypted(request),
        httponly=True,
        samesite="strict",
    )


def take_cookie(request: Request, answer: Response, cookie: str) -> None:
    """Take it out of the browser again."""
    secure = encrypted(request)
    answer.delete_cookie(_cookie_name(request, cookie), secure=secure, httponly=True, samesite="strict")


def _cookie_name(request: Request, cookie: str) -> str:
    return f"__Host-{cookie}" if encrypted(request) else cookie


def _somebodys_doing(request: Request) -> bool:
    """Whether a person did this, and not a page that refreshes itself."""
    by_itself = path_of(request).startswith(NOBODYS_DOING) or "x-part" in request.headers
    return request.method not in READING or not by_itself
