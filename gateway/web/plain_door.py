"""The plain HTTP port beside an HTTPS one: hands out the authority's certificate, sends browsers over, and no more.

    GET /ca.crt            the certificate that phones and computers install; compare its fingerprint with the console's
    GET anything else      307 to the same path over HTTPS
    anything else          403: nothing that a form holds may cross the network unprotected twice

In: requests. Out: these answers; never a page, a cookie or a value. A host name of the certificate is sent back to
itself, any other to the certificate's first name: nobody is sent to a stranger's site.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import Receive, Scope, Send

from screens.addresses import path_of
from screens.answers import error_answer
from screens.published import Media, operation

CA_PATH: Final = "/ca.crt"
CA_TYPE: Final = "application/x-x509-ca-cert"
CA_FILE: Final = Media((CA_TYPE,), "The certificate that phones and computers install", text=False)
NO_CA: Final = {404: "The box has no authority of its own, or the file cannot be read"}
HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def authority_route(app: FastAPI, ca_file: Path | None) -> None:
    """The same certificate over HTTPS, for a box without a plain port: the fingerprint is compared either way."""

    @app.get(CA_PATH, **operation("box", "The certificate of the box's authority", CA_FILE, NO_CA))
    def authority_certificate() -> Response:
        return _certificate(ca_file)


class PlainDoor:
    """The application. `names` are the certificate's names now, `port` the HTTPS port; `ca_file` None when another
    authority vouches for the box."""

    def __init__(self, names: Callable[[], tuple[str, ...]], port: int, ca_file: Path | None) -> None:
        self._names = names
        self._port = port
        self._ca_file = ca_file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] == "http":
            answer = self._answer(Request(scope))
            answer.headers.update(HEADERS)
            await answer(scope, receive, send)

    def _answer(self, request: Request) -> Response:
        if request.method not in ("GET", "HEAD"):
            return PlainTextResponse("请使用 https 地址 / use the https address\n", 403)
        if path_of(request) == CA_PATH:
            return _certificate(self._ca_file)
        host = self._host(request.headers.get("host", ""))
        path = request.scope.get("raw_path", b"/").decode("latin-1").lstrip("/")
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"https://{host}:{self._port}/{path}{query}", 307)

    def _host(self, asked: str) -> str:
        name = asked if asked.endswith("]") else asked.rpartition(":")[0] or asked
        plain = name.strip("[]").lower()
        names = self._names()
        chosen = plain if plain in names else names[0]
        return f"[{chosen}]" if ":" in chosen else chosen


def _certificate(ca_file: Path | None) -> Response:
    if ca_file is None:
        return error_answer(404, "no_authority", "本机没有自己的 CA", "this box has no authority of its own", "")
    try:
        content = ca_file.read_bytes()
    except OSError:
        return error_answer(404, "no_certificate", "CA 证书无法读取", "the certificate cannot be read", "")
    headers = {"content-disposition": 'attachment; filename="sitewarden-ca.crt"'}
    return Response(content, media_type=CA_TYPE, headers=headers)
