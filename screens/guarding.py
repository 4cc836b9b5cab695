"""Checks of every request before its route, and headers of every answer, for both faces.

    body_fault      what a body declares of itself: its kind and its length
    address_fault   an address and its query: lengths, characters
    origin_fault    where a form came from
    form_token      what a visitor's forms must carry (csrf)
    with_headers    the headers of the house, and the cookie that makes a browser's forms its own

In: requests. Out: what is wrong with them, or None; each face refuses in its own way. Knows no account and no path.
"""

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import Message, Send

from screens.headers import HEADERS

BROWSER_COOKIE: Final = "browser"
FORM_TYPE: Final = "application/x-www-form-urlencoded"
JSON_TYPE: Final = "application/json"
MOST_DIGITS: Final = 9
MOST_TEXT: Final = 2000
"""Characters of an address, and of each value of its query."""


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """What a path takes: content types, bytes, and the words for any other type."""

    types: tuple[str, ...]
    most_bytes: int
    code: str = "form_needed"
    message_zh: str = "请求应为表单"


@dataclass(frozen=True, slots=True)
class RequestFault:
    """Why a request is not answered. `status` is the HTTP status that fits, `field` names the part."""

    status: int
    code: str
    message_zh: str
    message_en: str
    field: str


def body_fault(request: Request, limit: BodyLimit) -> RequestFault | None:
    """A body says what it is and how long it is before anyone reads it."""
    if not request.headers.get("content-type", "").startswith(limit.types):
        expected = f"expected content-type {' or '.join(limit.types)}"
        return RequestFault(415, limit.code, limit.message_zh, expected, "content-type")
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        return RequestFault(411, "length_needed", "请求应注明长度", "expected a content-length", "content-length")
    if len(length) > MOST_DIGITS or int(length) > limit.most_bytes:
        most = _size(limit.most_bytes)
        words = (f"请求内容过长，最多 {most}", f"the request is too large: expected at most {most}")
        return RequestFault(413, "too_large", *words, "content-length")
    return None


def address_fault(request: Request) -> RequestFault | None:
    """An address and its query hold short texts that a database can keep. PostgreSQL keeps no NUL."""
    if not _keepable(request.scope["path"]):
        return RequestFault(404, "no_such_page", "没有这个页面", "no such page", "")
    for name, value in request.query_params.multi_items():
        if not _keepable(name) or not _keepable(value):
            field = f"query.{name[:40]}"
            words = (
                "网址参数过长或含有无法保存的字符",
                f"{field}: at most {MOST_TEXT} characters, and no NUL",
            )
            return RequestFault(422, "bad_query", *words, field)
    return None


def _keepable(text: str) -> bool:
    return len(text) <= MOST_TEXT and "\0" not in text


def _size(count: int) -> str:
    return f"{count // 2**20} MiB" if count >= 2**20 else f"{count // 1024} KiB"


def origin_fault(request: Request) -> RequestFault | None:
    """A browser says where a form came from; what another page sends is refused. Programs send neither header."""
    site, origin = request.headers.get("sec-fetch-site", ""), request.headers.get("origin", "")
    own = f"{request.scope['scheme']}://{request.headers.get('host', '')}"
    if site not in ("", "same-origin", "none") or (origin and origin != own):
        said = "this request came from another site"
        return RequestFault(403, "foreign_form", "请求来自其他网站，已拒绝", said, "origin")
    return None


def form_token(key: bytes, *who: str) -> str:
    """What this visitor's forms must carry; another site can neither read nor make it. `key`: 32 random bytes."""
    return hmac.new(key, "\0".join(who).encode(), hashlib.sha256).hexdigest()


def fits(given: str, token: str) -> bool:
    """Whether a form carries its token."""
    return bool(token) and hmac.compare_digest(given.encode(), token.encode())


def with_headers(send: Send, fresh_browser: str, *, secure: bool) -> Send:
    """`send` with the headers of the house; `fresh_browser` is the value of a browser's first cookie, or empty."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)  # a sealed paper brings a policy of its own, stricter but for its style
            headers.setdefault("cache-control", "no-store")
            if fresh_browser:
                cookie = f"{BROWSER_COOKIE}={fresh_browser}; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000"
                headers.append("set-cookie", cookie + ("; Secure" if secure else ""))
        await send(message)

    return sending
