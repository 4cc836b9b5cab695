"""What boxes say of live views: their answers, and the pieces of video. Out: whether anybody still watches."""

from typing import Any

from sqlalchemy import Connection, Row, select, update

from contract.messages import LivePart, LiveState, LiveViewAnswer
from regulator.base.model.heard import Heard
from regulator.base.records.tables.live import live_sessions
from regulator.parts.live.office import LiveOffice, is_watched
from regulator.parts.live.relay import Part, Relay
from regulator.parts.live.states import LiveReason, LiveStage


class LiveTaking:
    """Two takers. A box speaks of its own sessions only; of any other it hears that nobody watches."""

    def __init__(self, office: LiveOffice, relay: Relay) -> None:
        self._office, self._relay = office, relay

    def answer(self, db: Connection, heard: Heard, now_ns: int) -> LiveState:
        """Takes each `live_view_answer`, which no receipt is given for."""
        said = heard.body
        assert isinstance(said, LiveViewAnswer)
        session = _held(db, heard.box_id, said.request_id)
        if session is None or session.ended_at_ns:
            return LiveState(request_id=said.request_id, wanted=False)
        if said.answer == "opening":
            wanted = is_watched(db, session, now_ns)
            _note(db, said.request_id, {"state": LiveStage.OPENING.value, "answered_at_ns": now_ns})
            return LiveState(request_id=said.request_id, wanted=wanted)
        reason = next((each for each in LiveReason if each.value == said.reason), LiveReason.FAILED)
        refused = said.answer == "refused"
        self._office.end(db, said.request_id, reason, now_ns, refused=refused, words=said.words)
        return LiveState(request_id=said.request_id, wanted=False)

    def part(self, db: Connection, heard: Heard, now_ns: int) -> LiveState:
        """A taker of `live_part`. A number that was there before is passed over: its reply was lost."""
        said = heard.body
        assert isinstance(said, LivePart)
        session = _held(db, heard.box_id, said.request_id)
        if session is None or not is_watched(db, session, now_ns):
            return LiveState(request_id=said.request_id, wanted=False)
        first = session.first_part_at_ns == 0
        if said.number > session.last_number or (first and said.number == 0):
            part = Part(said.number, said.key and said.number > 0, heard.content)
            self._relay.put(db, said.request_id, part, now_ns)
            values = {"state": LiveStage.PLAYING.value, "last_part_at_ns": now_ns, "last_number": said.number}
            _note(db, said.request_id, values | ({"first_part_at_ns": now_ns} if first else {}))
        return LiveState(request_id=said.request_id, wanted=True)


def _held(db: Connection, box_id: str, request_id: str) -> "Row[Any] | None":
    at = live_sessions.c
    mine = select(live_sessions).where(at.request_id == request_id, at.box_id == box_id)
    return db.execute(mine.with_for_update()).first()


def _note(db: Connection, request_id: str, values: dict[str, object]) -> None:
    db.execute(update(live_sessions).where(live_sessions.c.request_id == request_id).values(**values))
