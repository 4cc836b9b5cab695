"""An OpenID Connect provider on a socket of its own: discovery, keys, authorization, tokens signed with a made key.

with OidcProvider() as provider:
    provider.person = "chen"                 # whom the next sign-on is
    provider.claims = {"exp": 1}             # replaces claims of the next token
    provider.key = generate()                # signs with a key that it does not publish
"""

import base64
import hashlib
import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc.jwk import ECKey
from joserfc.jwt import encode

CLIENT, SECRET = "desk", "the secret that the desk and the provider share"


def generate() -> Any:
    """A signing key."""
    return ECKey.generate_key("P-256", {"kid": "one"})


class OidcProvider:
    """`now_s`: the time that tokens are made at, seconds UTC."""

    def __init__(self, now_s: Callable[[], int]) -> None:
        self.person = "chen"
        self.claims: dict[str, Any] = {}
        self.key = self.published = generate()
        self.algorithm = "ES256"
        self.tokens = 0
        self._now_s = now_s
        self._codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.issuer = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def description(self) -> dict[str, Any]:
        """What it says of itself."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }

    def keys(self) -> dict[str, Any]:
        """What it publishes."""
        return {"keys": [self.published.as_dict(private=False)]}

    def authorize(self, asked: dict[str, str]) -> str:
        """Where the browser goes back to: the person has agreed."""
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Each code once, for who knows the secret and the verifier."""
        given = base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode()
        asked = self._codes.pop(form.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        fits = asked is not None and asked["code_challenge"] == challenge.rstrip(b"=").decode()
        if asked is None or not fits or authorization != f"Basic {given}":
            return 400, {"error": "invalid_grant"}
        if form["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        self.tokens += 1
        return 200, {"access_token": "x", "token_type": "Bearer", "id_token": self._signed(asked["nonce"])}

    def _signed(self, nonce: str) -> str:
        now_s = self._now_s()
        claims = {"iss": self.issuer, "sub": "1", "aud": CLIENT, "iat": now_s, "exp": now_s + 300, "nonce": nonce}
        claims |= {"preferred_username": self.person} | self.claims
        header = {"alg": self.algorithm, "kid": "one"}
        return encode(header, claims, self.key, [self.algorithm])


def _handler(provider: OidcProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if address.path == "/authorize":
                asked = {name: values[0] for name, values in parse_qs(address.query).items()}
                self.send_response(303)
                self.send_header("location", provider.authorize(asked))
                self.send_header("content-length", "0")
                self.end_headers()
                return
            bodies = {"/.well-known/openid-configuration": provider.description(), "/keys": provider.keys()}
            body = bodies.get(address.path)
            self._json(200 if body else 404, body or {})

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(sent).items()}
            self._json(*provider.token(form, self.headers.get("authorization", "")))

        def _json(self, status: int, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    return Handler
