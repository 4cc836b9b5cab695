"""Who asks, by the login in the cookie. In: a request. Out: the visitor. Asks the database once a request."""

import hashlib
import hmac

from starlette.requests import Request

from contract.signing import SignKey
from regulator.base.accounts.sessions import TOUCH_EVERY_NS, touch, whose
from regulator.base.desk import Desk
from regulator.base.web.session_cookie import token_in
from regulator.base.web.visitor import Visitor

BY_ITSELF = ("/api/", "/parts/", "/media/")


class AccountVisitors:
    """The desk's visitors. Forms are made with a key drawn from the desk's own, so every replica knows them; when that
    is changed, pages that stand open are to be loaded again."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._asked_of = frozenset(desk.settings.second_factor_for)
        self._drawn: tuple[SignKey | None, bytes] = None, b""

    @property
    def form_key(self) -> bytes:
        """See `Visitors.form_key`."""
        key, drawn = self._drawn
        if key is not self._desk.key.present:
            key = self._desk.key.present
            drawn = hmac.new(key.pem(), b"sitewarden desk forms", hashlib.sha256).digest()
            self._drawn = key, drawn
        return drawn

    def visitor(self, request: Request) -> Visitor:
        """The visitor; a stranger when nothing is known."""
        address = request.client.host if request.client else ""
        token = token_in(request)
        if not token:
            return Visitor(address=address)
        now_ns = self._desk.now_ns()
        with self._desk.database.reading() as db:
            presence = whose(db, token, now_ns, self._asked_of)
        if presence is not None and _somebodys_doing(request) and now_ns - presence.session.seen_at_ns > TOUCH_EVERY_NS:
            with self._desk.database.transaction() as db:
                touch(db, presence.session, now_ns)
        if presence is not None and presence.owes is not None:
            return Visitor(owing=presence, address=address)
        return Visitor(presence, address=address)


def _somebodys_doing(request: Request) -> bool:
    """Whether a person did this, and not a page that refreshes itself."""
    by_itself = request.scope["path"].startswith(BY_ITSELF) or "x-part" in request.headers
    return request.method == "POST" or not by_itself
