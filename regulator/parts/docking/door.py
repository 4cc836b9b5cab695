"""One request to a platform, within one time limit for all of it. Follows no redirect, reads no proxy, keeps no cookie.

In: a call. Out: the reply, or `NoReplyError` with words that hold no secret.
"""

import ssl
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx

from docking.acknowledgement import HttpReply
from docking.request import HttpCall

MAX_BYTES: Final = 65_536
MAX_RETRY_AFTER_S: Final = 3600.0


class NoReplyError(Exception):
    """No connection, no whole answer in time, or nothing that is HTTP."""


class Door:
    """To one address; open for one run of the job."""

    def __init__(
        self, url: str, timeout_s: float, ca_file: Path | None, mono_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._url = url.rstrip("/")
        self._timeout_s = timeout_s
        self._mono_s = mono_s
        context = ssl.create_default_context(cafile=ca_file)
        timeout = httpx.Timeout(timeout_s, connect=timeout_s / 3, write=timeout_s / 3)
        self._client = httpx.Client(verify=context, trust_env=False, timeout=timeout, follow_redirects=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._client.close()

    def ask(self, call: HttpCall) -> HttpReply:
        """Send and wait for the whole answer. Raises NoReplyError."""
        ends_s = self._mono_s() + self._timeout_s
        headers = {"User-Agent": "sitewarden", "Accept-Encoding": "identity", **call.headers}
        try:
            with self._client.stream("POST", self._url + call.path, content=call.content, headers=headers) as response:
                body = bytearray()
                for chunk in response.iter_raw():
                    body += chunk
                    if self._mono_s() > ends_s:
                        raise NoReplyError(f"no whole answer within {self._timeout_s:g} s")
                    if len(body) >= MAX_BYTES:
                        break
                return HttpReply(response.status_code, bytes(body[:MAX_BYTES]), _wish(response))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise NoReplyError(hidden(f"{type(error).__name__}: {error}", call.secrets)[:300]) from None


def hidden(text: str, secrets: tuple[str, ...]) -> str:
    """The text with every secret replaced."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***") if len(secret) >= 4 else text
    return text


def _wish(response: httpx.Response) -> float:
    wish = response.headers.get("Retry-After", "").strip()
    return min(float(wish), MAX_RETRY_AFTER_S) if wish.isascii() and wish.isdigit() else 0.0
