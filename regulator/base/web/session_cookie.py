"""The cookie that holds a login. Made and named here, so that only this module knows how.

No script reads it and no other site sends it (SameSite=Strict); it ends with the browser. Under TLS only a cookie that
was set under TLS counts.
"""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

SESSION: Final = "desk_session"


def token_in(request: Request) -> str:
    """The token that a request brings; empty without one."""
    return request.cookies.get(_name(request), "")


def give_token(request: Request, answer: Response, token: str) -> None:
    """Put a login into the browser."""
    answer.set_cookie(_name(request), token, secure=_encrypted(request), httponly=True, samesite="strict")


def take_token(request: Request, answer: Response) -> None:
    """Take it out again."""
    answer.delete_cookie(_name(request), secure=_encrypted(request), httponly=True, samesite="strict")


def _name(request: Request) -> str:
    return f"__Host-{SESSION}" if _encrypted(request) else SESSION


def _encrypted(request: Request) -> bool:
    return bool(request.scope["scheme"] == "https")
