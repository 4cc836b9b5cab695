"""Questions of the alarm pages to `alerts.db`: closed alarms page by page, an alarm's earlier episodes, its group.

In: the file's path. Out: alarms, counts, what people said. Every call opens a read-only connection of its own, so it
may run in any thread. Pages go by key, not by number: a page does not move when newer alarms close.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import orjson

from gateway.model.alarm import Alarm, Severity
from gateway.model.alarm_note import AlarmNote, FalseAlarmCause, NoteKind
from gateway.store.alert_store import alarm_from_json
from gateway.store.database import open_reader

REPORTED = ("raised", "acknowledged", "returned", "handed_over")
"""The transitions that leave for a regulator, in the order in which they usually happen."""
GROUP_SPAN_NS = 3_600_000_000_000
"""How far from the first of a group its followers are looked for; the window of a group is seconds."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which closed alarms: of one asset, of one severity, raised within a span (UTC ns, end excluded). Empty: all."""

    asset: str = ""
    severity: Severity | None = None
    from_ns: int = 0
    to_ns: int = 2**62


@dataclass(frozen=True, slots=True)
class PlaceInHistory:
    """Where a page of the history begins: after this alarm, newest first."""

    raised_at_ns: int
    alarm_id: str


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one message about an alarm: `transition` says which, `state` is the outbox's (pending, accepted,
    rejected), `resolved_at_ns` when the receiver answered (UTC, 0 = not yet)."""

    uplink: str
    transition: str
    state: str
    resolved_at_ns: int


class AlarmHistory:
    """Reads the alarms of a file that someone else is writing."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def closed(self, chosen: Chosen, after: PlaceInHistory | None, limit: int) -> list[Alarm]:
        """Closed alarms, newest first, at most `limit`. What was withheld was never raised for anybody."""
        place = after or PlaceInHistory(2**62, "")
        sql = (
            "SELECT state FROM alarm WHERE is_open = 0 AND raised_at_ns >= ? AND raised_at_ns < ?"
            " AND (raised_at_ns < ? OR (raised_at_ns = ? AND alarm_id < ?))"
            " AND coalesce(json_extract(state, '$.withheld'), 0) = 0"
        )
        values: list[object] = [chosen.from_ns, chosen.to_ns, place.raised_at_ns, place.raised_at_ns, place.alarm_id]
        if chosen.asset:
            sql += " AND json_extract(state, '$.asset') = ?"
            values.append(chosen.asset)
        if chosen.severity is not None:
            sql += " AND json_extract(state, '$.rule.severity') = ?"
            values.append(str(chosen.severity))
        sql += " ORDER BY raised_at_ns DESC, alarm_id DESC LIMIT ?"
        with closing(open_reader(self._path)) as db:
            return [alarm_from_json(row["state"]) for row in db.execute(sql, (*values, limit))]

    def episodes_of(self, rule_id: str, subject: str, limit: int) -> list[Alarm]:
        """The newest episodes of one rule about one subject, open ones too, newest first."""
        with closing(open_reader(self._path)) as db:
            rows = db.execute(
                "SELECT state FROM alarm INDEXED BY alarm_by_time WHERE rule_id = ? AND subject = ?"
                " AND coalesce(json_extract(state, '$.withheld'), 0) = 0 ORDER BY raised_at_ns DESC LIMIT ?",
                (rule_id, subject, limit),
            )
            return [alarm_from_json(row["state"]) for row in rows]

    def raises_since(self, rule_id: str, subject: str, since_ns: int) -> list[int]:
        """When one rule about one subject was raised since a time (UTC ns), oldest first."""
        with closing(open_reader(self._path)) as db:
            rows = db.execute(
                "SELECT raised_at_ns FROM alarm WHERE raised_at_ns >= ? AND rule_id = ? AND subject = ?"
                " AND coalesce(json_extract(state, '$.withheld'), 0) = 0 ORDER BY raised_at_ns",
                (since_ns, rule_id, subject),
            )
            return [int(row["raised_at_ns"]) for row in rows]

    def group_of(self, alarm: Alarm) -> list[Alarm]:
        """The alarms that began together with this one, the first-out first; empty when it stands alone."""
        first_id = alarm.first_out_id or alarm.alarm_id
        span = alarm.raised_at_ns - GROUP_SPAN_NS, alarm.raised_at_ns + GROUP_SPAN_NS
        with closing(open_reader(self._path)) as db:
            rows = db.execute(
                "SELECT state FROM alarm WHERE raised_at_ns BETWEEN ? AND ?"
                " AND (alarm_id = ? OR json_extract(state, '$.first_out_id') = ?) ORDER BY raised_at_ns, alarm_id",
                (*span, first_id, first_id),
            )
            found = [alarm_from_json(row["state"]) for row in rows]
        found.sort(key=lambda each: each.alarm_id != first_id)
        return found if len(found) > 1 else []

    def reports(self, alarm_id: str, uplinks: Sequence[str]) -> list[Report]:
        """What these uplinks were told of an alarm, and whether they hold it."""
        asked = [(uplink, f"{alarm_id}:{kind}") for uplink in uplinks for kind in REPORTED]
        with closing(open_reader(self._path)) as db:
            rows = [
                db.execute(
                    "SELECT uplink, key, state, resolved_at_ns FROM outbox WHERE uplink = ? AND key = ?", each
                ).fetchone()
                for each in asked
            ]
        return [
            Report(row["uplink"], row["key"].rpartition(":")[2], row["state"], row["resolved_at_ns"])
            for row in rows
            if row is not None
        ]

    def notes(self) -> list[AlarmNote]:
        """All that people ever said of alarms, in the order of the chain; the alarm as its last state is."""
        with closing(open_reader(self._path)) as db:
            rows = db.execute(
                "SELECT e.at_ns, e.body, a.state FROM evidence e JOIN alarm a ON a.alarm_id = e.alarm_id"
                " WHERE e.kind = 'alarm_note' ORDER BY e.seq"
            )
            return [_note(row) for row in rows]


def _note(row: sqlite3.Row) -> AlarmNote:
    content = orjson.loads(row["body"])["content"]
    cause = FalseAlarmCause(content["cause"]) if content["cause"] else None
    alarm, kind = alarm_from_json(row["state"]), NoteKind(content["transition"])
    return AlarmNote(kind, alarm, row["at_ns"], content["user"], content["reason"], cause)
