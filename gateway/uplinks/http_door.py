"""One HTTP request, one answer, and never a word of a secret: what the uplinks to people and to webhooks share.

In: an address, headers and bytes. Out: status and body, or `NoAnswerError` with a reason that can be logged. Works on
the transport below httpx's client, because the client logs every address, and a robot's address is its password.
Follows no redirect, keeps no cookie, reads no proxy from the environment.
"""

import asyncio
import email.utils
import ipaddress
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

import httpx

from gateway.model.errors import LinkError
from gateway.ports import Clock
from gateway.tls.trust import trusting

MAX_ANSWER_BYTES = 65_536
MAX_RETRY_AFTER_S = 3600.0
WORDS_LENGTH = 300
KEEP_ALIVE_S = 5.0
_SHORTEST_SECRET = 4
_SHORTEST_TOKEN = 16  # a step of a path that long is taken for a token


class NoAnswerError(LinkError):
    """No connection, no answer in time, or nothing that is HTTP."""


class Outcome(Enum):
    """What an answer means. REFUSED blames the message, LATER the moment, the way or the settings.

    UNCLEAR: the receiver said no, with a code that is not known here. It is asked again, but not for ever.
    """

    TAKEN = auto()
    REFUSED = auto()
    UNCLEAR = auto()
    LATER = auto()


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one message. `words` are the receiver's, or what went wrong on the way; no secret is in them."""

    outcome: Outcome
    words: str = ""
    after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request. `secrets` may stand in its parts and never in what is said about it."""

    url: str
    content: bytes
    headers: Mapping[str, str]
    method: str = "POST"
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What came back, at most `MAX_ANSWER_BYTES` of it. `retry_after_s` is 0 when nothing was wished."""

    status: int
    body: bytes
    retry_after_s: float

    @property
    def good(self) -> bool:
        """Whether the status says that it went well (2xx)."""
        return 200 <= self.status < 300

    def words(self, secrets: Iterable[str]) -> str:
        """Status and body on one line, short, without secrets."""
        text = " ".join(self.body.decode(errors="replace").split())
        return hidden(f"{self.status}: {text}", secrets)[:WORDS_LENGTH]


class HttpDoor:
    """Opens nothing before the first request; keeps a connection for a few seconds between requests."""

    def __init__(self, timeout_ms: int, ca_file: Path | None, clock: Clock) -> None:
        self._timeout_s = timeout_ms / 1000
        self._clock = clock
        self._transport = httpx.AsyncHTTPTransport(
            verify=trusting(ca_file),
            trust_env=False,
            limits=httpx.Limits(max_connections=2, max_keepalive_connections=1, keepalive_expiry=KEEP_ALIVE_S),
        )

    async def ask(self, request: HttpRequest) -> HttpAnswer:
        """Send and wait for the whole answer. Raises NoAnswerError."""
        for name, value in request.headers.items():
            if not (value.isascii() and value.isprintable()):
                raise NoAnswerError(f"header {name} would hold characters that no HTTP header can carry")
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._ask(request)
        except TimeoutError:
            raise NoAnswerError(f"no answer within {self._timeout_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, ValueError) as error:
            raise NoAnswerError(hidden(f"{type(error).__name__}: {error}", request.secrets)[:WORDS_LENGTH]) from None

    async def close(self) -> None:
        """Let go of every connection that is kept open."""
        await self._transport.aclose()

    async def _ask(self, request: HttpRequest) -> HttpAnswer:
        headers = {"Accept-Encoding": "identity", "User-Agent": "sitewarden", **request.headers}
        timeout = httpx.Timeout(self._timeout_s).as_dict()
        message = httpx.Request(
            request.method, request.url, headers=headers, content=request.content, extensions={"timeout": timeout}
        )
        response = await self._transport.handle_async_request(message)
        try:
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) >= MAX_ANSWER_BYTES:
                    break
        finally:
            await response.aclose()
        wish = _seconds_until(response.headers.get("Retry-After", ""), self._clock.now_ns())
        return HttpAnswer(response.status_code, bytes(body[:MAX_ANSWER_BYTES]), wish)


def check_address(url: str, allow_plain_http: bool) -> str:
    """What was expected of an address that is wrong, without repeating it; '' when nothing is wrong."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "https://HOST[:PORT]/PATH"
    if not (url.isascii() and url.isprintable()):
        return "plain ASCII in https://HOST[:PORT]/PATH"
    if parts.scheme not in ("http", "https") or not host or parts.fragment or " " in url:
        return "https://HOST[:PORT]/PATH"
    if parts.username is not None or parts.password is not None:
        return "no user and no password in the address"
    if parts.scheme == "http" and not allow_plain_http and not is_loopback(host):
        return "https; plain http leaves this machine only with allow_plain_http: true"
    return ""


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def secrets_in(url: str) -> tuple[str, ...]:
    """What may never be said of an address that is its own password: itself, its query, and every value in it."""
    parts = urlsplit(url)
    values = [value for _, value in parse_qsl(parts.query)]
    tokens = [step for step in parts.path.split("/") if len(step) >= _SHORTEST_TOKEN]
    return (url, parts.query, *values, *tokens)


def hidden(text: str, secrets: Iterable[str]) -> str:
    """The text with every secret, as it is or as an address or JSON spells it, replaced by ***."""
    spelt = {form for secret in secrets if len(secret) >= _SHORTEST_SECRET for form in _spellings(secret)}
    for form in sorted(spelt, key=len, reverse=True):
        text = text.replace(form, "***")
    return text


def _spellings(secret: str) -> Iterator[str]:
    for form in (secret, quote(secret), quote(secret, safe=""), quote_plus(secret)):
        yield from (form, form.replace("/", "\\/"))
        yield from (json.dumps(form)[1:-1], json.dumps(form, ensure_ascii=False)[1:-1])


def _seconds_until(wish: str, now_ns: int) -> float:
    """A Retry-After value, seconds or an HTTP date, as seconds from now; 0 when there is none or it makes no sense."""
    try:
        date = None if wish.strip().isdigit() else email.utils.parsedate_to_datetime(wish)
        seconds = float(wish) if date is None else date.timestamp() - now_ns / 1e9
    except (ValueError, OverflowError):
        return 0.0
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)
