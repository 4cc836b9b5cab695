"""Who asks, by the login in the cookie. In: a request. Out: the visitor. Asks the database once a request."""

import hashlib
import hmac

from starlette.requests import Request

from regulator.accounts.sessions import TOUCH_EVERY_NS, touch, whose
from regulator.desk import Desk
from regulator.web.session_cookie import token_in
from regulator.web.visitor import Visitor

BY_ITSELF = ("/api/", "/parts/", "/media/")


class AccountVisitors:
    """The desk's visitors. Forms are made with a key drawn from the desk's own, so every replica knows them."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.form_key = hmac.new(desk.key.pem(), b"sitewarden desk forms", hashlib.sha256).digest()

    def visitor(self, request: Request) -> Visitor:
        """The visitor; a stranger when nothing is known."""
        address = request.client.host if request.client else ""
        token = token_in(request)
        if not token:
            return Visitor(address=address)
        now_ns = self._desk.now_ns()
        with self._desk.database.reading() as db:
            presence = whose(db, token, now_ns)
        if presence is not None and _somebodys_doing(request) and now_ns - presence.session.seen_at_ns > TOUCH_EVERY_NS:
            with self._desk.database.transaction() as db:
                touch(db, presence.session, now_ns)
        return Visitor(presence, address=address)


def _somebodys_doing(request: Request) -> bool:
    """Whether a person did this, and not a page that refreshes itself."""
    by_itself = request.scope["path"].startswith(BY_ITSELF) or "x-part" in request.headers
    return request.method == "POST" or not by_itself
