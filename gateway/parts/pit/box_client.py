"""Asks the running box over HTTP or HTTPS on behalf of the command line.

In: the settings of the site file, for the address and the folder with the command line's own token; or a program's
token in the environment (`SITEWARDEN_TOKEN`), for whoever may not read that folder. Out: the answer's bytes, or
`BoxRefusedError` with the box's own words. Knows no command.
"""

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping

from gateway.accounts.local_token import read_local_token
from gateway.settings import Settings
from gateway.tls.client import own_box_context
from gateway.tls.faults import TlsError
from gateway.tls.watch import files_of

ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}  # noqa: S104 - not listened on: what such a box is asked by
TIMEOUT_S = 150.0
TOKEN_VARIABLE = "SITEWARDEN_TOKEN"  # noqa: S105 - a variable's name


class BoxRefusedError(Exception):
    """The box said no, or nothing; the text says why, in Chinese and English."""


def ask_box(settings: Settings, path: str, query: Mapping[str, str], content: bytes | None = None) -> bytes:
    """GET, or POST of `content` as it is. Raises BoxRefusedError."""
    host = ANYWHERE.get(settings.web.host, settings.web.host)
    host = f"[{host}]" if ":" in host and not host.startswith("[") else host
    tls = settings.web.tls
    scheme = "http" if tls is None else "https"
    url = f"{scheme}://{host}:{settings.web.port}{urllib.parse.quote(path)}?{urllib.parse.urlencode(query)}"
    request = urllib.request.Request(url, data=content, headers=_headers(settings, content))  # noqa: S310
    try:
        trust = own_box_context(files_of(tls)) if tls is not None else None
        with urllib.request.urlopen(request, timeout=TIMEOUT_S, context=trust) as reply:  # noqa: S310
            answer: bytes = reply.read()
            return answer
    except urllib.error.HTTPError as error:
        raise BoxRefusedError(_words(error.read(), error.code)) from None
    except (urllib.error.URLError, OSError, TlsError) as error:
        raise BoxRefusedError(
            f"监控主机没有应答 / the box does not answer at {host}:{settings.web.port}: {error}"
        ) from None


def _headers(settings: Settings, content: bytes | None) -> dict[str, str]:
    headers = {} if content is None else {"content-type": "application/octet-stream"}
    token = os.environ.get(TOKEN_VARIABLE, "").strip() or read_local_token(settings.storage.folder)
    if token:
        headers["authorization"] = f"Bearer {token}"
    return headers


def _words(body: bytes, status: int) -> str:
    try:
        error = json.loads(body)["error"]
        return f"{error['message_zh']} / {error['message_en']}"
    except (ValueError, KeyError, TypeError):
        return f"HTTP {status}"
