"""The tables of `assets.db`, and how its rows are written and read.

    state    what a derivation goes on from after a restart: the last two versions, each with its digest
    cycle    working cycles (工作循环), numbered per crane; bounded per crane
    event    anything else an asset model noticed (pit_baseline, data_quality, climb, ...): kept for good
    reading  readings that were entered by hand or from a file: kept for good, a correction is one more row

In: events, states and hand readings. Out: rows. ID-card numbers in texts are masked on the way in. Opens no file.
"""

import hashlib
import json
import math
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, replace

import orjson

from gateway.model.derivation import AssetEvent, Json
from gateway.model.id_numbers import mask_content, mask_id_numbers
from gateway.model.papers import driver_number
from gateway.store.database import Schema

ASSETS_FILE = "assets.db"
CYCLE_KIND = "crane_cycle"
DRIVER_KEY = "driver_no"
LEAST_CYCLES_KEPT = 16_000
"""JGJ 332-2014 3.2.2(1), V1: the latest 1.6 x 10^4 working cycles with their start and end times are kept."""
STATES_KEPT = 2
SCHEMA = Schema(
    version=1,
    synchronous="FULL",  # JGJ 332-2014 3.2.2(2), V1: all stored information survives a loss of power
    check_up_to_bytes=256 * 2**20,
    tables=("state", "cycle", "event", "reading"),
    ddl="""
CREATE TABLE state (
    state_id INTEGER PRIMARY KEY, device TEXT NOT NULL, number INTEGER NOT NULL, saved_at_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL, body TEXT NOT NULL, UNIQUE(device, number));
CREATE TABLE cycle (
    cycle_id INTEGER PRIMARY KEY, asset TEXT NOT NULL, number INTEGER NOT NULL, at_ns INTEGER NOT NULL,
    driver TEXT NOT NULL, body TEXT NOT NULL, UNIQUE(asset, number));
CREATE UNIQUE INDEX cycle_by_time ON cycle(asset, at_ns, driver);
CREATE TABLE event (
    event_id INTEGER PRIMARY KEY, asset TEXT NOT NULL, kind TEXT NOT NULL, at_ns INTEGER NOT NULL,
    sha256 TEXT NOT NULL, body TEXT NOT NULL, UNIQUE(asset, kind, at_ns, sha256));
CREATE TABLE reading (
    reading_id INTEGER PRIMARY KEY, asset TEXT NOT NULL, point_id TEXT NOT NULL, observed_at_ns INTEGER NOT NULL,
    value REAL NOT NULL, unit TEXT NOT NULL, entered_at_ns INTEGER NOT NULL, entered_by TEXT NOT NULL,
    file_sha256 TEXT NOT NULL, note TEXT NOT NULL, UNIQUE(point_id, observed_at_ns, value, file_sha256));
CREATE INDEX reading_of_file ON reading(file_sha256) WHERE file_sha256 <> ''
""",
)
ENDS = (  # apart: SQLite looks only one end up in an index, and reads everything for two
    "SELECT (SELECT min(number) FROM cycle WHERE asset = ?), (SELECT max(number) FROM cycle WHERE asset = ?)"
)
DriverOf = Callable[[str, str], str]
"""(asset, driver number) -> the random id that stands for the driver in records."""


def number_itself(_asset: str, driver_no: str) -> str:
    """For a site that keeps no identities: records carry the number on the device."""
    return driver_no


@dataclass(frozen=True, slots=True)
class Cycle:
    """A kept working cycle. `number` counts the crane's cycles from 1; `driver` is empty when nobody was logged in."""

    asset: str
    number: int
    at_ns: int
    driver: str
    content: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class SavedState:
    """The state of a derivation as it was at `saved_at_ns`. `fell_back`: the newest version could not be read."""

    device: str
    saved_at_ns: int
    state: Json
    fell_back: bool = False


@dataclass(frozen=True, slots=True)
class HandReading:
    """One reading that a person brought. `file_sha256` is the digest (hex) of the file it stood in, empty when typed.
    `value` is in `unit`; times are UTC ns. Raises ValueError on a value that is no finite number."""

    asset: str
    point_id: str
    observed_at_ns: int
    value: float
    unit: str
    entered_at_ns: int
    entered_by: str
    file_sha256: str = ""
    note: str = ""

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"{self.point_id}: value {self.value}, expected a finite number")


@dataclass(frozen=True, slots=True)
class CycleRow:
    """A cycle on its way into the table; its number is given there."""

    asset: str
    at_ns: int
    driver: str
    body: str


@dataclass(frozen=True, slots=True)
class EventRow:
    """Any other event on its way into the table."""

    asset: str
    kind: str
    at_ns: int
    sha256: str
    body: str


@dataclass(frozen=True, slots=True)
class StateRow:
    """A state on its way into the table."""

    device: str
    saved_at_ns: int
    sha256: str
    body: str


def encode_event(event: AssetEvent, driver_of: DriverOf) -> CycleRow | EventRow:
    """The row of an event. Raises TypeError on content that is no JSON."""
    body = orjson.dumps(mask_content(event.content), option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY).decode()
    if event.kind != CYCLE_KIND:
        return EventRow(event.asset, event.kind, event.at_ns, _digest(body), body)
    driver_no = _driver_no(event.content.get(DRIVER_KEY))
    driver = mask_id_numbers(driver_of(event.asset, driver_no)) if driver_no else ""
    return CycleRow(event.asset, event.at_ns, driver, body)


def encode_state(device: str, state: Json, saved_at_ns: int) -> StateRow:
    """The row of a state; NaN and infinity come back as such. Raises TypeError or ValueError on what is no JSON."""
    body = json.dumps(state, ensure_ascii=False, separators=(",", ":"))
    return StateRow(device, saved_at_ns, _digest(body), body)


def insert_cycle(db: sqlite3.Connection, row: CycleRow, kept: int) -> None:
    """Add a cycle under the crane's next number, and let those go that lie beyond the newest `kept`. A cycle that is
    there already (a hand-over repeated after an unclear failure) is left as it is."""
    known = "SELECT 1 FROM cycle WHERE asset = ? AND at_ns = ?"
    if db.execute(known, (row.asset, row.at_ns)).fetchone():
        return
    low, high = db.execute(ENDS, (row.asset, row.asset)).fetchone()
    number = (high or 0) + 1
    db.execute(
        "INSERT INTO cycle(asset, number, at_ns, driver, body) VALUES (?, ?, ?, ?, ?)",
        (row.asset, number, row.at_ns, row.driver, row.body),
    )
    if low is not None and number - low >= kept:
        _retire(db, row.asset, kept)


def insert_event(db: sqlite3.Connection, row: EventRow) -> None:
    """Add an event; the very same one is kept once."""
    db.execute(
        "INSERT INTO event(asset, kind, at_ns, sha256, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (row.asset, row.kind, row.at_ns, row.sha256, row.body),
    )


def insert_state(db: sqlite3.Connection, row: StateRow) -> None:
    """Add a version of a state and let all but the last two go."""
    found = db.execute("SELECT max(number) FROM state WHERE device = ?", (row.device,)).fetchone()[0]
    number = (found or 0) + 1
    db.execute(
        "INSERT INTO state(device, number, saved_at_ns, sha256, body) VALUES (?, ?, ?, ?, ?)",
        (row.device, number, row.saved_at_ns, row.sha256, row.body),
    )
    db.execute("DELETE FROM state WHERE device = ? AND number <= ?", (row.device, number - STATES_KEPT))


def insert_readings(db: sqlite3.Connection, readings: Sequence[HandReading]) -> int:
    """Add hand readings; how many were new. One of the same point, time, value and file is kept once."""
    rows = [_reading_row(reading) for reading in readings]
    before = db.total_changes
    db.executemany(
        "INSERT INTO reading(asset, point_id, observed_at_ns, value, unit, entered_at_ns, entered_by, file_sha256,"
        " note) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        rows,
    )
    return db.total_changes - before


def read_state(row: sqlite3.Row) -> Json:
    """The state in a row. Raises ValueError when it is not what was written."""
    body = row["body"]
    if not isinstance(body, str) or _digest(body) != row["sha256"]:
        raise ValueError("does not match its digest")
    state: Json = json.loads(body)
    return state


def _retire(db: sqlite3.Connection, asset: str, kept: int) -> None:
    """By count and not by number: numbers have holes after a repair, and those must not cost older cycles."""
    oldest = "SELECT number FROM cycle WHERE asset = ? ORDER BY number DESC LIMIT 1 OFFSET ?"
    found = db.execute(oldest, (asset, kept)).fetchone()
    if found:
        db.execute("DELETE FROM cycle WHERE asset = ? AND number <= ?", (asset, found[0]))


def _reading_row(reading: HandReading) -> tuple[str | int | float, ...]:
    masked = replace(reading, entered_by=mask_id_numbers(reading.entered_by), note=mask_id_numbers(reading.note))
    return astuple(masked)


def _driver_no(said: Json) -> str:
    return driver_number(said) if isinstance(said, float | int | str) else ""


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()
