"""What stands before every route: host, length and kind of a body, where a form came from, and who asks.

    request -> host name (loopback) -> body (kind, length) -> origin -> visitor -> access table -> route -> headers

In: requests as they arrive. Out: the same with `request.state.visitor` (and `welcome`, for what goes on for long), or a
refusal that says what was expected. A body is refused by what it declares before anybody reads it. Knows no account:
`Visitors` does.
"""

import base64
import hmac
import re
import secrets
from dataclasses import replace
from typing import Final, Protocol

from starlette.requests import Request
from starlette.types import ASGIApp

from gateway.web.access_table import Access, Door, access_of
from gateway.web.visitor import STRANGER, RefusedError, Role, Visitor, VisitorKind, require, visitor_of
from kit.web.guarding import FORM_TYPE, JSON_TYPE, BaseGuard, BodyLimit, check_body, form_token
from kit.web.refusing import Refuse
from screens.addresses import path_of
from screens.asked_route import AskedRoute, asked_route
from screens.second_factor import Owes

LOOPBACK_NAMES: Final = ("127.0.0.1", "localhost", "[::1]")
MAX_COMMAND_BYTES: Final = 65_536
MAX_FORM_BYTES: Final = 65_536
MAX_PAPER_BYTES: Final = 2**20
"""The office's papers hold five texts of 4,000 characters, a Chinese one nine bytes long in a form; one that is too
long still has to arrive, so that the page can say so and show it again."""
MAX_UPLOAD_BYTES: Final = 10 * 2**20
MAX_ANSWER_BYTES: Final = 112 * 2**20
"""Nine photos of the most that one may have, and the words: one that is too large still has to arrive, so that the page
can name it and keep what was typed."""
ANSWER_PATH: Final = re.compile(r"/orders/[0-9]+/answer")
PAPER_PATH: Final = re.compile(r"/(log|handover)/.*")
UPLOAD_PATH: Final = re.compile(r"/api/pits/[^/]+/readings")
UPLOAD_TYPES: Final = (
    JSON_TYPE,
    "text/csv",
    "application/octet-stream",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
)
"""What a browser sends to another site only after asking that site: never a form."""
UPLOAD: Final = BodyLimit(UPLOAD_TYPES, MAX_UPLOAD_BYTES, "json_needed", "请求应为 JSON、CSV 或 Excel 文件")
COMMAND: Final = BodyLimit((JSON_TYPE,), MAX_COMMAND_BYTES, "json_needed", "请求应为 JSON")
ANSWER: Final = BodyLimit(("multipart/form-data",), MAX_ANSWER_BYTES)
PAPER: Final = BodyLimit((FORM_TYPE,), MAX_PAPER_BYTES)
FORM: Final = BodyLimit((FORM_TYPE,), MAX_FORM_BYTES)


class Visitors(Protocol):
    """Says who asks. `form_key` makes forms, and lasts as long as they shall."""

    @property
    def form_key(self) -> bytes:
        """At least 32 random bytes."""

    @property
    def local(self) -> bool:
        """Whether local programs are trusted: then the host must be a loopback name, against rebinding of names."""

    async def visitor(self, request: Request) -> Visitor:
        """The visitor; a stranger when nothing is known. Raises RefusedError where not even the login may be seen."""

    async def check(self, request: Request, visitor: Visitor, access: Access) -> None:
        """Raises RefusedError when this visitor may not ask for this; beside the role, which the guard looks at."""


class TokenVisitors:
    """Without accounts: with a token whoever gives it may do everything; without one (loopback) every local program."""

    def __init__(self, token: str | None) -> None:
        self._token = token
        self.local = token is None
        self.form_key = secrets.token_bytes(32)

    async def visitor(self, request: Request) -> Visitor:
        """A machine or a local program."""
        if self._token is None:
            return Visitor(VisitorKind.LOCAL, Role.ADMINISTRATOR)
        if token_given(request.headers.get("authorization", ""), self._token):
            return Visitor(VisitorKind.MACHINE, Role.ADMINISTRATOR)
        access = access_of(request.method, asked_route(request))
        if access is None or access.role is Role.NOBODY:
            return STRANGER
        raise RefusedError(401, "token_needed", "需要访问令牌", "this address asks for the box's token")

    async def check(self, request: Request, visitor: Visitor, access: Access) -> None:
        """Nothing beside the role."""


class Guard(BaseGuard):
    """The outermost layer of the box's face."""

    def __init__(self, app: ASGIApp, visitors: Visitors, refuse: Refuse) -> None:
        super().__init__(app, refuse)
        self._visitors = visitors
        self._key = visitors.form_key

    def for_people(self, request: Request, asked: AskedRoute) -> bool:
        """See `BaseGuard`."""
        path = path_of(request)
        return not (_plain(request, asked) or path.startswith("/api/") or path == "/metrics")

    async def admit(self, request: Request, asked: AskedRoute, browser: str) -> None:
        """See `BaseGuard`."""
        access, plain = access_of(request.method, asked), _plain(request, asked)
        request.state.visitor = self._with_csrf(STRANGER, browser)
        if self._visitors.local and not plain and _host_name(request.headers.get("host", "")) not in LOOPBACK_NAMES:
            raise RefusedError(421, "wrong_host", "主机名不符", "open this page by a loopback name", "host")
        check_body(request, asked, _allowed(path_of(request)))
        if access is None:
            raise RefusedError(403, "not_listed", "该地址未登记访问权限，已拒绝", "nobody may ask for this address")
        visitor = self._with_csrf(STRANGER if plain else await self._visitors.visitor(request), browser)
        request.state.visitor, request.state.welcome = visitor, lambda: self._still_welcome(request, access)
        require_access(request, access)
        await self._visitors.check(request, visitor, access)

    async def _still_welcome(self, request: Request, access: Access) -> bool:
        """Whether whoever began to listen may go on: no login that has ended, no wall screen that was revoked. A login
        that ended leaves a guest where the site allows guests."""
        try:
            return (await self._visitors.visitor(request)).role >= max(access.role, Role.VIEWER)
        except RefusedError:
            return False

    def _with_csrf(self, visitor: Visitor, browser: str) -> Visitor:
        """What this visitor's forms must carry; another site can neither read nor make it."""
        return replace(visitor, csrf=form_token(self._key, browser, visitor.kind.value, visitor.login))


def require_access(request: Request, access: Access) -> None:
    """Raises RefusedError: 401 for a stranger or a login that owes something, 403 for a role too low."""
    owing = visitor_of(request).owing
    if owing is Owes.CODE and access.door is Door.CODE:
        return
    if owing is Owes.SET_UP and access.door is Door.SET_UP:
        return
    require(request, access.role)


def given_token(authorization: str) -> str:
    """Bearer, or Basic with the token as password, for programs that know only passwords; empty without one."""
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return value
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value).decode().partition(":")[2]
    except ValueError:  # not ASCII, not base64 or not UTF-8
        return ""


def token_given(authorization: str, token: str) -> bool:
    """Whether it is this one."""
    return hmac.compare_digest(given_token(authorization).encode(), token.encode())


def _allowed(path: str) -> BodyLimit:
    if UPLOAD_PATH.fullmatch(path):
        return UPLOAD
    if path.startswith("/api/"):
        return COMMAND
    if ANSWER_PATH.fullmatch(path):
        return ANSWER
    return PAPER if PAPER_PATH.fullmatch(path) else FORM


def _host_name(host: str) -> str:
    return host if host.endswith("]") else host.rsplit(":", 1)[0]


def _plain(request: Request, asked: AskedRoute) -> bool:
    access = access_of(request.method, asked)
    return access is not None and access.door is Door.PLAIN
