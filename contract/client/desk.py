"""A regulator's desk, for programs that act as somebody with an account there."""

from collections.abc import Iterator
from pathlib import Path

from contract.client.answers import Coverage, Hazard, Session, Waiting
from contract.client.face import Event, FaceClient


class DeskClient(FaceClient):
    """Log in first; the login is kept as a browser keeps it."""

    def __init__(self, url: str, trust: str | Path | None = None, timeout_s: float = 30.0) -> None:
        super().__init__(url, {}, trust, timeout_s)

    def log_in(self, login: str, password: str, code: str = "") -> Session:
        """`code`: of the authenticator app, where the account has a second factor. Raises RefusedError: 401 whatever is
        wrong or missing, 429 after too many failures."""
        said = {"login": login, "password": password} | ({"code": code} if code else {})
        return Session.model_validate(self.ask("POST", "/api/login", said))

    def log_out(self) -> None:
        """End the login; the session is worth nothing after."""
        self.ask("POST", "/api/logout", {})

    def session(self) -> Session:
        """Who has logged in. Raises RefusedError 401."""
        return Session.model_validate(self.ask("GET", "/api/session"))

    def alarms(self, words: str = "") -> Iterator[Waiting]:
        """Alarms that wait for a verdict, the most urgent first; for reviewers. Asks for pages as they are needed."""
        after = ""
        while True:
            page = self.ask("GET", "/review/queue", q=words, after=after)
            yield from map(Waiting.model_validate, page["rows"])
            if not (after := page["next"]):
                return

    def hazards(self, **wanted: str) -> Iterator[Hazard]:
        """Hazards, the newest first. `wanted`: state, grade, channel, kind, due, project, region."""
        before = ""
        while True:
            page = self.ask("GET", "/api/hazards", None, **wanted, before=before)
            yield from map(Hazard.model_validate, page["hazards"])
            if not (before := page["next"]):
                return

    def coverage(self, day: str = "") -> Coverage:
        """The set on a day (YYYY-MM-DD), or as it is now. Raises RefusedError 404 for a day that was not kept."""
        return Coverage.model_validate(self.ask("GET", "/api/coverage", day=day))

    def events(self, last: int | None = None) -> Iterator[Event]:
        """The wall's feed: hello, tiles, gap, live (once a second)."""
        return self.feed("/api/wall/events", last)
