"""A box, for programs that have a token of its page *Tokens of programs*."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from contract.client.answers import Alarm
from contract.client.face import Event, FaceClient


class BoxClient(FaceClient):
    """`token`: empty for a box that listens on this machine alone and has no account yet. `trust`: the file of
    `/ca.crt`."""

    def __init__(self, url: str, token: str = "", trust: str | Path | None = None, timeout_s: float = 30.0) -> None:
        super().__init__(url, {"authorization": f"Bearer {token}"} if token else {}, trust, timeout_s)

    def alarms(self, *, suppressed: bool = False) -> list[Alarm]:
        """Every open alarm; with `suppressed` those, too, that another alarm suppresses by design."""
        told = self.ask("GET", "/api/alarms", suppressed="true" if suppressed else "")
        return [Alarm.model_validate(row) for row in told["alarms"]]

    def acknowledge(self, alarm_id: str, user: str, reason: str) -> int:
        """Answer an alarm; the number of the sealed record. Raises RefusedError 404, 409, 503."""
        path = f"/api/alarms/{quote(alarm_id, safe='')}/acknowledge"
        return int(self.ask("POST", path, {"user": user, "reason": reason})["evidence_seq"])

    def events(self, last: int | None = None) -> Iterator[Event]:
        """The live feed: hello, live (once a second), alarm, sound, change, gap."""
        return self.feed("/api/events", last)
