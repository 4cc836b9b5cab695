"""`alerts.db`: alarms, the evidence chain and the outbox. One transaction a batch; told only after the fsync.

    alarm     one row an episode: its latest state (open ones are taken over after a restart)
    evidence  the hash chain; rows are only ever added
    outbox    one row per uplink and message; UNIQUE(uplink, key) makes a repeated hand-over harmless

In: sealed records, alarm states and messages. Out: rows for uplinks, screens and verification. Knows no rule.

A disk that takes nothing silences nobody: `unsealed` holds what must leave meanwhile, and receipts that could not be
written down. A file that can only be read is opened so, and written to once its disk is back.
"""

import logging
import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import orjson

from contract.chain import ChainFault, ChainHead, verify_chain
from gateway.model.alarm import Alarm, OutOfService, RuleInfo, Severity, TransitionKind
from gateway.model.alert import OutboxItem, Receipt, ReceiptKind
from gateway.model.errors import StoreError
from gateway.model.repair import Repair
from gateway.store.chain_mending import restore_evidence
from gateway.store.database import (
    DiskFaultError,
    DiskFullError,
    FollowingReader,
    Schema,
    Writer,
    is_disk_fault,
    is_full,
    open_or_repair,
    open_reader,
    reopen_connection,
)
from gateway.store.reserve import DiskReserve
from gateway.store.unsealed import Unsealed

log = logging.getLogger(__name__)
HIGHEST_SENT = (
    "SELECT max(CAST(substr(key, instr(key, ':evidence:') + 10) AS INTEGER)) FROM outbox WHERE kind = 'evidence_record'"
)
ALERTS_FILE = "alerts.db"
REPLY_URGENCY = 3
MEDIA_URGENCY = 4
SUMMARY_KIND = "minute_summary"  # derived from roll-ups, so an accepted one leaves no row behind
SCHEMA = Schema(
    version=1,
    synchronous="FULL",
    tables=("alarm", "evidence", "outbox"),
    ddl="""
CREATE TABLE alarm (
    alarm_id TEXT PRIMARY KEY, rule_id TEXT NOT NULL, subject TEXT NOT NULL,
    raised_at_ns INTEGER NOT NULL, is_open INTEGER NOT NULL, state TEXT NOT NULL);
CREATE INDEX alarm_open ON alarm(rule_id, subject) WHERE is_open = 1;
CREATE INDEX alarm_by_time ON alarm(raised_at_ns);
CREATE TABLE evidence (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, at_ns INTEGER NOT NULL, alarm_id TEXT NOT NULL,
    sha256 TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX evidence_of_alarm ON evidence(alarm_id) WHERE alarm_id <> '';
CREATE TABLE outbox (
    outbox_id INTEGER PRIMARY KEY, uplink TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL,
    urgency INTEGER NOT NULL, body BLOB NOT NULL, created_at_ns INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending', attempts INTEGER NOT NULL DEFAULT 0,
    receipt TEXT NOT NULL DEFAULT '', resolved_at_ns INTEGER NOT NULL DEFAULT 0, UNIQUE(uplink, key));
CREATE INDEX outbox_pending ON outbox(uplink, urgency, outbox_id) WHERE state = 'pending'
""",
)

FIGURES_INDEX = "alarm_figures"
_INDEXES = (
    f"CREATE INDEX IF NOT EXISTS {FIGURES_INDEX} ON alarm(raised_at_ns, is_open, rule_id, subject,"
    " json_extract(state, '$.rule.severity'), json_extract(state, '$.acknowledged_at_ns'),"
    " json_extract(state, '$.returned_at_ns'), json_extract(state, '$.withheld'))",
    "CREATE INDEX IF NOT EXISTS evidence_by_kind ON evidence(kind, at_ns)",
)
"""The first holds what `gateway.store.alarm_reader` asks of an episode's state, in the same expressions."""


@dataclass(frozen=True, slots=True)
class Message:
    """One row for the outbox of one uplink. Lower `urgency` leaves first: 0 alert, 1 evidence, 2 summary;
    3 answers to orders and 4 media travel with their bodies in a lane of their own."""

    uplink: str
    key: str
    kind: str
    body: bytes
    urgency: int


@dataclass(frozen=True, slots=True)
class KeptRecord:
    """A sealed record as it is stored. `alarm_id` is empty when it is not about an alarm; a change of service is filed
    there under `service:<device or point>`."""

    seq: int
    kind: str
    at_ns: int
    alarm_id: str
    sha256: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Commit:
    """Records of one transaction: all are kept or none."""

    at_ns: int
    records: Sequence[KeptRecord] = ()
    alarms: Sequence[Alarm] = ()
    messages: Sequence[Message] = ()


class ChainReader:
    """The chain of a file that someone else may be writing: verified and exported on connections of their own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def verify(self) -> ChainHead | ChainFault:
        """Walk the whole chain on a connection of its own, and hold its end against the records that were sent."""
        reader = open_reader(self.path)
        try:
            rows = reader.execute("SELECT seq, sha256, CAST(body AS BLOB) AS body FROM evidence ORDER BY seq")
            outcome = verify_chain((row["seq"], row["sha256"], row["body"]) for row in rows)
            sent = int(reader.execute(HIGHEST_SENT).fetchone()[0] or 0)
        finally:
            reader.close()
        if isinstance(outcome, ChainHead) and sent > outcome.seq:
            return ChainFault(outcome.seq + 1, f"records up to {sent} were handed to an uplink and are gone")
        return outcome

    def all_evidence(self) -> Iterator[KeptRecord]:
        """Every record in order, for an export."""
        reader = open_reader(self.path)
        try:
            for row in reader.execute("SELECT * FROM evidence ORDER BY seq"):
                yield kept_record(row)
        finally:
            reader.close()

    def outbox_count(self, uplink: str, kind: str) -> int:
        """Messages of one kind that were ever put into the outbox for one uplink."""
        return self._number("SELECT count(*) FROM outbox WHERE uplink = ? AND kind = ?", uplink, kind)

    def episodes(self) -> int:
        """How many alarms were ever raised by this box."""
        return self._number("SELECT count(*) FROM alarm")

    def active_between(self, asset: str, from_ns: int, to_ns: int) -> list[Alarm]:
        """The asset's alarms whose condition held at some time of a span (UTC ns, `to_ns` excluded), oldest first.
        On a connection of its own, for any thread."""
        reader = open_reader(self.path)
        try:
            rows = reader.execute(
                "SELECT is_open, state FROM alarm WHERE raised_at_ns < ? AND json_extract(state, '$.asset') = ?"
                " AND (is_open = 1 OR json_extract(state, '$.returned_at_ns') >= ?) ORDER BY raised_at_ns, alarm_id",
                (to_ns, asset, from_ns),
            )
            found = [(bool(row["is_open"]), alarm_from_json(row["state"])) for row in rows]
        finally:
            reader.close()
        return [
            alarm
            for is_open, alarm in found
            if not alarm.withheld and ((is_open and alarm.active) or alarm.returned_at_ns >= from_ns)
        ]

    def _number(self, sql: str, *parameters: str) -> int:
        reader = open_reader(self.path)
        try:
            return int(reader.execute(sql, parameters).fetchone()[0])
        finally:
            reader.close()


class AlertStore(ChainReader):
    """Opens (and where needed repairs) the file; `repair` says what was lost. All writes go through one thread."""

    def __init__(self, folder: Path, reserve_bytes: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder / ALERTS_FILE)
        self.reserve = DiskReserve(folder / "alerts.reserve", reserve_bytes)
        self.reserve.settle()
        connection, self.repair = self._opened()
        if connection is not None:
            if self.repair is not None:
                self.repair.rows["evidence_from_outbox"] = restore_evidence(connection)
            _index(connection)
        self._writer = Writer("alerts-writer", connection, self.reserve.release, self._reopened)
        self._reader = FollowingReader(self.path)
        self.unsealed = Unsealed()
        self.kept_head = _head(self._reader)

    repair: Repair | None
    kept_head: ChainHead
    """The newest record that is known to be kept."""

    def _opened(self) -> tuple[sqlite3.Connection | None, Repair | None]:
        """A disk that is full at the start is no reason not to start: the reserve is there for it. Nor is one that
        takes nothing, as long as the file can be read."""
        try:
            return open_or_repair(self.path, SCHEMA)
        except DiskFaultError as error:
            fault = error
        try:
            if isinstance(fault, DiskFullError) and self.reserve.release():
                return open_or_repair(self.path, SCHEMA)
        except DiskFaultError as error:
            fault = error
        if not self.path.is_file():
            raise fault
        log.error("event=alerts_only_read file=%s reason=%r", self.path, str(fault))
        return None, None

    def _reopened(self) -> sqlite3.Connection:
        """In the writer's thread. Only a file that goes on where this one ended is written to."""
        connection = reopen_connection(self.path, SCHEMA)
        row = connection.execute("SELECT sha256 FROM evidence WHERE seq = ?", (self.kept_head.seq,)).fetchone()
        if self.kept_head.seq and (row is None or row[0] != self.kept_head.sha256):
            connection.close()
            raise StoreError(f"{self.path}: is another file: it has no record {self.kept_head.seq} as it was kept")
        self.kept_head = _head(connection)
        return connection

    @property
    def alive(self) -> bool:
        """Whether the writer still takes jobs."""
        return self._writer.alive

    def commit(self, commit: Commit) -> "Future[None]":
        """Keep a batch. Done after the fsync; StoreError when it could not be kept (nothing of it then is)."""
        self._let_go()
        done = self._writer.submit(lambda db: _insert(db, commit))
        done.add_done_callback(lambda future: self._note_kept(commit, future))
        return done

    def _let_go(self) -> None:
        """A file that this process reads on a read-only disk cannot be written to beside it, when the disk is back."""
        if self._writer.stale:
            self._reader.close()

    def _note_kept(self, commit: Commit, future: "Future[None]") -> None:
        if not future.cancelled() and future.exception() is None and commit.records:
            self.kept_head = ChainHead(commit.records[-1].seq, commit.records[-1].sha256)

    def probe(self, at_ns: int, committed: Collection[tuple[str, str]] = ()) -> "Future[None]":
        """Write one page and wait for the disk; StoreError when it takes nothing. Receipts that were remembered are
        written down with it. `committed`: rows (uplink, key) that were told from memory and are in the file now."""
        self._let_go()
        answers = self.unsealed.settle(committed)
        done = self._writer.submit(lambda db: _touch(db, answers, at_ns))
        done.add_done_callback(lambda future: self._remember(answers, future))
        return done

    def head(self) -> ChainHead:
        """The newest record of the chain."""
        return _head(self._reader)

    def open_alarms(self) -> list[Alarm]:
        """The episodes that were open at the last commit."""
        rows = self._reader.execute("SELECT state FROM alarm WHERE is_open = 1 ORDER BY raised_at_ns")
        return [alarm_from_json(row["state"]) for row in rows]

    def out_of_service(self) -> list[OutOfService]:
        """The devices and points that were out of service at the last commit, read from the chain itself."""
        rows = self._reader.execute(
            "SELECT body FROM evidence WHERE alarm_id <> '' AND alarm_id >= 'service:' AND alarm_id < 'service;'"
            " ORDER BY seq"
        )
        newest = {content["target"]: content for content in (orjson.loads(row["body"])["content"] for row in rows)}
        return [
            OutOfService(
                target, content["since_ns"], content["until_ns"], content["taken_out_by"], content["taken_out_because"]
            )
            for target, content in newest.items()
            if content["transition"] == TransitionKind.OUT_OF_SERVICE
        ]

    def alarm(self, alarm_id: str) -> Alarm | None:
        """One episode by its id, open or not."""
        row = self._reader.execute("SELECT state FROM alarm WHERE alarm_id = ?", (alarm_id,)).fetchone()
        return alarm_from_json(row["state"]) if row else None

    def evidence_of(self, alarm_id: str) -> list[KeptRecord]:
        """The sealed records about one alarm, oldest first."""
        rows = self._reader.execute("SELECT * FROM evidence WHERE alarm_id = ? ORDER BY seq", (alarm_id,))
        return [kept_record(row) for row in rows]

    def evidence_after(self, seq: int, limit: int = 1000) -> list[KeptRecord]:
        """Records after `seq`, oldest first: the replay of the live feed."""
        rows = self._reader.execute("SELECT * FROM evidence WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit))
        return [kept_record(row) for row in rows]

    def last_of(self, kind: str) -> KeptRecord | None:
        """The newest record of one kind."""
        row = self._reader.execute(
            "SELECT * FROM evidence WHERE kind = ? ORDER BY seq DESC LIMIT 1", (kind,)
        ).fetchone()
        return kept_record(row) if row else None

    def pending(self, uplink: str, limit: int, *, media: bool = False) -> list[OutboxItem]:
        """What is still to be sent, the most urgent and oldest first; with `media` only what names a body, without it
        everything else: large bodies have a lane of their own, in which answers to orders go before clips. What is
        told from memory goes first; a disk that cannot be read holds nothing of it back."""
        told = [] if media else self.unsealed.pending(uplink, limit)
        lanes = (REPLY_URGENCY, 2**31) if media else (0, REPLY_URGENCY)
        try:
            rows = self._reader.execute(
                "SELECT * FROM outbox WHERE uplink = ? AND state = 'pending' AND urgency >= ? AND urgency < ?"
                " ORDER BY urgency, outbox_id",
                (uplink, *lanes),
            )
            waiting = (item for row in rows if not self.unsealed.answered(item := _item(row)))
            return told + list(islice(waiting, limit - len(told)))
        except sqlite3.Error as error:
            if not told:
                raise StoreError(f"{self.path}: cannot be read: {error}") from None
            return told

    def resolve(self, answers: Sequence[tuple[OutboxItem, Receipt]], at_ns: int) -> "Future[None]":
        """Write down what the receiver said. RETRY leaves a row pending and counts the attempt. What the disk does not
        take is remembered: no row is sent again for that."""
        told = [answer for answer in answers if self.unsealed.holds(answer[0])]
        self.unsealed.keep(told)
        kept = [answer for answer in answers if not self.unsealed.holds(answer[0])]
        done = self._writer.submit(lambda db: _resolve(db, kept, at_ns))
        done.add_done_callback(lambda future: self._remember(kept, future))
        return done

    def _remember(self, answers: Sequence[tuple[OutboxItem, Receipt]], future: "Future[None]") -> None:
        if future.cancelled() or isinstance(future.exception(), StoreError):
            self.unsealed.keep(answers)

    def pending_counts(self) -> dict[str, int]:
        """uplink -> rows still to be sent; cheap, from the partial index."""
        rows = self._reader.execute("SELECT uplink, count(*) AS n FROM outbox WHERE state = 'pending' GROUP BY uplink")
        return dict(Counter({row["uplink"]: row["n"] for row in rows}) + Counter(self.unsealed.counts()))

    def close(self) -> None:
        """Finish the writes and let go of the file."""
        self._writer.close()
        self._reader.close()


def _head(db: sqlite3.Connection | FollowingReader) -> ChainHead:
    row = db.execute("SELECT seq, sha256 FROM evidence ORDER BY seq DESC LIMIT 1").fetchone()
    return ChainHead(row[0], row[1]) if row else ChainHead()


def _touch(db: sqlite3.Connection, answers: Sequence[tuple[OutboxItem, Receipt]], at_ns: int) -> None:
    db.execute(f"PRAGMA user_version = {SCHEMA.version}")
    _resolve(db, answers, at_ns)


def open_for_reading(folder: Path) -> ChainReader:
    """The chain in a data folder. Raises FileNotFoundError when there is none."""
    path = folder / ALERTS_FILE
    if not path.is_file():
        raise FileNotFoundError(2, "holds no alerts.db", str(folder))
    return ChainReader(path)


def _index(db: sqlite3.Connection) -> None:
    """Indexes that only make questions fast: a file of an older program gets them; a disk too full for them is no
    reason not to start, and the questions are answered without."""
    for sql in _INDEXES:
        try:
            db.execute(sql)
        except sqlite3.OperationalError as error:
            if not is_full(error) and not is_disk_fault(error):
                raise StoreError(f"{ALERTS_FILE}: cannot be written: {error}") from None
            log.error("event=index_not_made reason=%r", str(error))


def _insert(db: sqlite3.Connection, commit: Commit) -> None:
    db.executemany(
        "INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?)",
        [(r.seq, r.kind, r.at_ns, r.alarm_id, r.sha256, r.body) for r in commit.records],
    )
    for alarm in commit.alarms:
        identity = (alarm.rule.rule_id, alarm.subject, alarm.alarm_id)
        if not alarm.withheld:  # a withheld raise does not take the place of an older alarm
            db.execute(
                "UPDATE alarm SET is_open = 0 WHERE is_open = 1 AND rule_id = ? AND subject = ? AND alarm_id <> ?",
                identity,
            )
        db.execute(
            "INSERT INTO alarm VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT(alarm_id)"
            " DO UPDATE SET is_open = excluded.is_open, state = excluded.state",
            (alarm.alarm_id, alarm.rule.rule_id, alarm.subject, alarm.raised_at_ns, alarm.open, alarm_to_json(alarm)),
        )
    db.executemany(
        "INSERT INTO outbox(uplink, key, kind, urgency, body, created_at_ns) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT(uplink, key) DO NOTHING",
        [(m.uplink, m.key, m.kind, m.urgency, m.body, commit.at_ns) for m in commit.messages],
    )


def _resolve(db: sqlite3.Connection, answers: Sequence[tuple[OutboxItem, Receipt]], at_ns: int) -> None:
    for item, receipt in answers:
        if receipt.kind is ReceiptKind.ACCEPTED and item.kind == SUMMARY_KIND:
            db.execute("DELETE FROM outbox WHERE uplink = ? AND key = ?", (item.uplink, item.key))
            continue
        done = receipt.kind is not ReceiptKind.RETRY
        db.execute(
            "UPDATE outbox SET state = ?, attempts = attempts + 1, receipt = ?, resolved_at_ns = ?"
            " WHERE uplink = ? AND key = ?",
            (
                str(receipt.kind) if done else "pending",
                receipt.detail[:500],
                at_ns if done else 0,
                item.uplink,
                item.key,
            ),
        )


def alarm_to_json(alarm: Alarm) -> str:
    """The stored form of an episode; NaN becomes null."""
    return orjson.dumps(alarm, option=orjson.OPT_PASSTHROUGH_SUBCLASS, default=str).decode()


def alarm_from_json(text: str) -> Alarm:
    """Back from the stored form. A field that an older program did not write has its default."""
    fields = orjson.loads(text)
    fields["escalated"] = tuple(fields.get("escalated", ()))
    rule = fields.pop("rule")
    rule["severity"] = Severity(rule["severity"])
    for name in ("measured", "limit", "worst"):
        fields[name] = float("nan") if fields[name] is None else fields[name]
    return Alarm(rule=RuleInfo(**rule), **fields)


def kept_record(row: sqlite3.Row) -> KeptRecord:
    """The record of a row of `evidence`."""
    return KeptRecord(row["seq"], row["kind"], row["at_ns"], row["alarm_id"], row["sha256"], row["body"])


def _item(row: sqlite3.Row) -> OutboxItem:
    return OutboxItem(
        row["outbox_id"], row["uplink"], row["key"], row["kind"], row["body"], row["created_at_ns"], row["attempts"]
    )
