"""The job that speaks to the platforms: what waits leaves in order, once, whichever replica is at work.

    every few seconds, for each platform:  lease -> rows, oldest first -> request -> what it said -> row, ledger

A platform in trouble delays no other. A row that is refused for good is kept with the platform's words; a person may
have it sent again. What is accepted or refused is written into the project's ledger in the same transaction.
"""

import logging
import secrets
from collections.abc import Callable, Sequence
from typing import Final

from sqlalchemy import Connection

from docking.acknowledgement import Ack, Outcome
from docking.courier import Courier
from docking.encoding import CannotEncodeError, Payload, encode
from docking.quantities import RecordKind
from regulator.base.cameras import thumbnail_of
from regulator.base.model.actor import SYSTEM
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Deed, Ledger
from regulator.parts.docking.door import Door, NoReplyError, hidden
from regulator.parts.docking.lanes import (
    SECOND_NS,
    leave_lane,
    note_success,
    note_trouble,
    open_lane,
    postpone,
    settle,
    take_lane,
    waiting,
)
from regulator.parts.docking.places import Place
from regulator.parts.docking.records import WaitingRow, record_of_row

log = logging.getLogger(__name__)
EVERY_S: Final = 3.0
ROWS_A_RUN: Final = 200
PHOTO_WITHIN_S: Final = 60
PHOTO_AGAIN_S: Final = 5


class DockingDelivery:
    """One replica's hand. `run` is the job; harmless when two replicas run it at once."""

    def __init__(
        self, database: DeskDatabase, ledger: Ledger, places: Sequence[Place], now_ns: Callable[[], int]
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._places = tuple(places)
        self._now_ns = now_ns
        self._replica = secrets.token_hex(8)
        self._couriers = {place.name: Courier(place.platform, now_ns) for place in places}

    def run(self, _now_ns: int) -> None:
        """Send what may be sent now."""
        for place in self._places:
            if self._may_work(place):
                self._work(place)

    def _may_work(self, place: Place) -> bool:
        """There is something to send, and nobody else at it."""
        now_ns = self._now_ns()
        with self._database.reading() as db:
            if not waiting(db, place.name, now_ns, 1):
                return False
        with self._database.transaction() as db:
            open_lane(db, place.name)
            return take_lane(db, place.name, self._replica, now_ns)

    def _work(self, place: Place) -> None:
        with self._database.reading() as db:
            rows = waiting(db, place.name, self._now_ns(), ROWS_A_RUN)
        try:
            with Door(place.settings.url, place.settings.timeout_s, place.settings.ca_file) as door:
                for row in rows:
                    if not self._holds(place) or not self._send(place, row, door):
                        break
        finally:
            with self._database.transaction() as db:
                leave_lane(db, place.name, self._replica, self._now_ns())

    def _holds(self, place: Place) -> bool:
        with self._database.transaction() as db:
            return take_lane(db, place.name, self._replica, self._now_ns())

    def _send(self, place: Place, row: WaitingRow, door: Door) -> bool:
        """Whether the next row may follow."""
        photo = self._photo(row)
        if row.kind is RecordKind.AI_ALARM and photo is None and self._is_young(row):
            with self._database.transaction() as db:
                postpone(db, row, self._now_ns() + PHOTO_AGAIN_S * SECOND_NS, "waits for its picture")
            return True
        try:
            payload = self._payload(place, row, photo)
        except (CannotEncodeError, KeyError, ValueError) as error:
            return self._note(place, row, Ack(Outcome.REFUSED, f"not sent: {error}"))
        try:
            ack = self._deliver(place, row.kind, payload, door)
        except (NoReplyError, LookupError) as error:
            ack = Ack(Outcome.LATER, str(error))
        return self._note(place, row, ack)

    def _payload(self, place: Place, row: WaitingRow, photo: bytes | None) -> Payload:
        platform = place.platform
        record = record_of_row(row, place.settings, photo)
        return encode(record, platform.records[row.kind], platform.time_zone)

    def _deliver(self, place: Place, kind: RecordKind, payload: Payload, door: Door) -> Ack:
        map_ = place.platform.records[kind]
        talk = self._couriers[place.name].deliver(map_, [payload], place.credentials())
        call = next(talk)
        while True:
            reply = door.ask(call)
            try:
                call = talk.send(reply)
            except StopIteration as end:
                ack: Ack = end.value
                return Ack(ack.outcome, hidden(ack.words, call.secrets), ack.after_s)

    def _note(self, place: Place, row: WaitingRow, ack: Ack) -> bool:
        now_ns = self._now_ns()
        most = place.platform.reply.give_up_after
        given_up = ack.outcome is Outcome.UNCLEAR and bool(most) and row.attempts + 1 >= most
        with self._database.transaction() as db:
            if ack.outcome is Outcome.TAKEN:
                note_success(db, place.name, now_ns)
                return self._settle(db, row, "accepted", ack.words, now_ns)
            if ack.outcome is Outcome.REFUSED or given_up:
                words = f"given up after {row.attempts + 1} attempts: {ack.words}" if given_up else ack.words
                log.warning("event=docking_refused platform=%s key=%s words=%r", place.name, row.key, words)
                return self._settle(db, row, "refused", words, now_ns)
            note_trouble(db, row, ack.words, ack.after_s, now_ns)
        return False

    def _settle(self, db: Connection, row: WaitingRow, state: str, words: str, now_ns: int) -> bool:
        if settle(db, row, state, words, now_ns):
            content = {"platform": row.platform, "record": row.kind.value, "words": words, "attempts": row.attempts + 1}
            deed = Deed(f"docking.{state}", row.key, content, project_code=row.project_code)
            self._ledger.append(db, deed, SYSTEM, now_ns)
        return True

    def _photo(self, row: WaitingRow) -> bytes | None:
        """The blurred thumbnail, as the box sent it."""
        if row.kind is not RecordKind.AI_ALARM:
            return None
        with self._database.reading() as db:
            found = thumbnail_of(db, row.box_id, row.alarm_id)
        return found[0] if found else None

    def _is_young(self, row: WaitingRow) -> bool:
        return self._now_ns() - row.queued_at_ns < PHOTO_WITHIN_S * SECOND_NS
