"""Platforms of patterns A, B, C and I (standards reference 6.1), each checking who speaks in its own way.

What A's token request, B's hash and the reply codes look like is not published; these servers expect what the shipped
maps say, so they prove that sender and map agree, and nothing about any real platform.
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from tests.fakes.docking_server import Asked, PlatformServer, RefusalError, Said


class TokenFormServer(PlatformServer):
    """A: a token for key and secret that lasts `lasts_s`; one form field, params."""

    taken, duplicate, refused, busy = 200, 409, 422, 503

    def __init__(self, now_ns: Callable[[], int]) -> None:
        super().__init__(now_ns)
        self.lasts_s = 600
        self.tokens: dict[str, int] = {}
        self.refuse_tokens = False
        self.says_lasts_s = 600

    def door(self, asked: Asked) -> Said | None:
        if asked.path != "/oauth/token":
            return None
        if self.refuse_tokens or asked.body != b"appKey=key-1&appSecret=secret-1":
            return Said(401, "unknown application", status=401)
        token = f"token-{len(self.tokens) + 1}"
        self.tokens[token] = self.now_ns() + self.lasts_s * 1_000_000_000
        return Said(200, "ok", extra={"data": {"access_token": token, "expires_in": self.says_lasts_s}})

    def admitted(self, asked: Asked) -> Any:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) <= self.now_ns():
            raise RefusalError(Said(401, "token expired", status=401))
        form = parse_qs(asked.body.decode(), strict_parsing=True)
        if list(form) != ["params"] or asked.headers["content-type"] != "application/x-www-form-urlencoded":
            raise RefusalError(Said(self.refused, "expected one form field, params"))
        return json.loads(form["params"][0])


class HeaderSignatureServer(PlatformServer):
    """B: keyId, ts, rCode (15 characters) and signature in the headers."""

    def admitted(self, asked: Asked) -> Any:
        headers = asked.headers
        if headers.get("keyid") != "supplier-1_project-1" or len(headers.get("rcode", "")) != 15:
            raise RefusalError(Said(2002, "unknown keyId or rCode"))
        text = headers["rcode"] + headers["ts"] + "supplier-secret" + "project-secret"
        if headers.get("signature") != hashlib.sha256(text.encode()).hexdigest():
            raise RefusalError(Said(2002, "bad signature"))
        self.check_moment(int(headers["ts"]), headers["rcode"])
        return json.loads(asked.body)


class ApiKeyServer(PlatformServer):
    """C: a key in a header, lower-case addresses, JSON in Pascal case."""

    code_at, words_at = "StatusCode", "Message"

    def admitted(self, asked: Asked) -> Any:
        if asked.headers.get("apikey") != "api-key-1":
            raise RefusalError(Said(401, "unknown key", status=401))
        record = json.loads(asked.body)
        if asked.path != asked.path.lower() or not all(name[0].isupper() for name in record):
            raise RefusalError(Said(self.refused, "expected a lower-case address and Pascal case"))
        return record


class SortedParametersServer(PlatformServer):
    """I: appKey, timestamp, nonce, data and sign."""

    words_at = "msg"

    def admitted(self, asked: Asked) -> Any:
        told = json.loads(asked.body)
        given = told.pop("sign", "")
        text = "&".join(f"{name}={told[name]}" for name in sorted(told))
        if told.get("appKey") != "key-1":
            raise RefusalError(Said(2002, "unknown appKey"))
        if given != hmac.new(b"secret-1", text.encode(), "sha256").hexdigest():
            raise RefusalError(Said(2002, "bad sign"))
        self.check_moment(int(told["timestamp"]), told["nonce"])
        return json.loads(told["data"])


@dataclass(frozen=True)
class Docked:
    """A shipped map, the platform that it is for, and as whom it is spoken to."""

    platform: str
    server: Callable[[Callable[[], int]], PlatformServer]
    realtime: str
    cycle: str
    ai_alarm: str
    alarm: str
    hazard: str
    secrets: Mapping[str, str]
    ids: Mapping[str, str] = field(default_factory=dict)


A = Docked(
    "pattern-a-token-form",
    TokenFormServer,
    "/crane/realtime",
    "/crane/workcycle",
    "/ai/alarm",
    "/alarm",
    "/hazard",
    {"app_key": "key-1", "app_secret": "secret-1"},
)
B = Docked(
    "pattern-b-header-signature",
    HeaderSignatureServer,
    "/crane/realtime",
    "/crane/workcycle",
    "/ai/alarm",
    "/alarm",
    "/hazard",
    {"supplier_secret": "supplier-secret", "project_secret": "project-secret"},
    {"supplier": "supplier-1", "project": "project-1"},
)
C = Docked(
    "pattern-c-api-key",
    ApiKeyServer,
    "/towercrane/v1.0/realtime",
    "/towercrane/v1.0/workdata",
    "/camera/v1.0/alarm",
    "/towercrane/v1.0/alarm",
    "/hazard/v1.0/event",
    {"api_key": "api-key-1"},
)
I = Docked(  # noqa: E741 - the pattern's name
    "pattern-i-sorted-parameters",
    SortedParametersServer,
    "/api/crane/realtime",
    "/api/crane/cycle",
    "/api/ai/alarm",
    "/api/alarm",
    "/api/hazard",
    {"app_key": "key-1", "app_secret": "secret-1"},
)
PATTERNS = {"a": A, "b": B, "c": C, "i": I}
