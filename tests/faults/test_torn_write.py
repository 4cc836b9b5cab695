"""A power cut in the middle of a write: a torn last frame in the log, a torn page in the file, for both databases.

SQLite's own layout tells where to tear: https://sqlite.org/fileformat2.html#the_write_ahead_log
"""

import sqlite3
import struct
import time
from pathlib import Path

import pytest

from regulator.base.intake.holdings import Holdings
from tests.fakes.demo_box import DemoBox, alerts_per_overload, untold
from tests.fakes.regulator_process import regulator_process
from tests.fakes.sim_field import sim_field
from tests.fakes.waiting import wait_until

pytestmark = pytest.mark.alone

OVERLOAD = (
    "--overload-first-s",
    "3",
    "--overload-every-s",
    "8.5",
    "--overload-jitter-s",
    "0.5",
    "--overload-for-s",
    "3",
)
WAL_HEADER = struct.Struct(">8I")
FRAME_HEADER_BYTES = 24
PAGE_BYTES = 4096


def pages_in_wal(wal: bytes) -> tuple[int, list[int]]:
    """Page size, and the numbers of the pages that valid frames of the log hold."""
    _, _, page_size, _, salt_1, salt_2, _, _ = WAL_HEADER.unpack_from(wal)
    pages = []
    for start in range(WAL_HEADER.size, len(wal) - page_size - FRAME_HEADER_BYTES + 1, page_size + FRAME_HEADER_BYTES):
        page, _, frame_salt_1, frame_salt_2 = struct.unpack_from(">4I", wal, start)
        if (frame_salt_1, frame_salt_2) != (salt_1, salt_2):
            break
        pages.append(page)
    return page_size, pages


def tear(database: Path) -> None:
    """What a power cut leaves: half a new frame at the end of the log, and half of a page that was being copied."""
    wal_path = database.with_name(database.name + "-wal")
    wal = wal_path.read_bytes()
    page_size, pages = pages_in_wal(wal)
    assert pages, f"{wal_path.name} holds no frame: nothing to tear"
    end = WAL_HEADER.size + len(pages) * (page_size + FRAME_HEADER_BYTES)
    last = wal[end - page_size - FRAME_HEADER_BYTES : end]
    wal_path.write_bytes(wal[:end] + last[: FRAME_HEADER_BYTES + page_size // 2])
    with database.open("r+b") as file:
        size = file.seek(0, 2)
        inside = [page for page in pages if page * page_size <= size]
        for page in inside[-1:]:
            file.seek((page - 1) * page_size + page_size // 2)
            file.write(b"\xff" * (page_size // 2))


def test_torn_last_writes_lose_nothing_that_was_told(tmp_path: Path) -> None:
    with (
        sim_field(tmp_path, *OVERLOAD) as field,
        regulator_process(tmp_path, "demo-box", "DEMO-0001") as regulator,
        DemoBox(tmp_path, field, regulator.url, tmp_path / "code", tmp_path / "box") as box,
    ):
        watched_from_ns = 0
        for _ in range(2):
            box.gateway.start()
            wait_until(lambda: box.gateway.metric("sitewarden_polls") > 0, "a poll", 40)
            watched_from_ns = watched_from_ns or time.time_ns()
            seen = len(field.overloads())
            wait_until(lambda seen=seen: len(ended(field)) >= seen + 2, "two overloads that it sees whole", 60)
            wait_until(lambda: box.gateway.metric("sitewarden_polls") > 50, "polls in the history")
            box.gateway.kill()
            for name in ("alerts.db", "history.db"):
                tear(box.storage / name)
        box.gateway.start()
        seen = len(field.overloads())
        wait_until(lambda: len(ended(field)) >= seen + 1, "one more overload", 40)
        wait_until(lambda: box.pending() == 0, "an empty outbox")
        box.gateway.stop()
        overloads = ended(field)
        held = alerts(tmp_path)
        counts = alerts_per_overload(overloads, held)
        assert sum(counts) >= 4
        assert not untold(box, overloads, held, watched_from_ns), list(zip(overloads, counts, strict=True))
        assert max(counts) == 1, list(zip(overloads, counts, strict=True))
    assert box.records("store_repaired") == []
    unclean = [gap for gap in box.records("history_gap") if gap["reason"].startswith("unclean stop")]
    assert len(unclean) == 2
    box.assert_chain_holds()


@pytest.mark.parametrize(("name", "table"), [("history.db", "block"), ("alerts.db", "evidence")])
def test_a_ruined_file_is_moved_aside_and_said_to_be(tmp_path: Path, name: str, table: str) -> None:
    """Not a torn write but a bad disk: the file is kept, what can be read is carried over, and the chain says so."""
    with (
        sim_field(tmp_path, *OVERLOAD) as field,
        regulator_process(tmp_path, "demo-box", "DEMO-0001") as regulator,
        DemoBox(tmp_path, field, regulator.url, tmp_path / "code", tmp_path / "box") as box,
    ):
        box.gateway.start()
        wait_until(lambda: len(leaves_of(box.storage / name, table)) >= 3, "three pages to ruin the middle one of", 60)
        box.gateway.stop()
        rows = ruin_middle_page(box.storage / name, table)
        box.gateway.start()
        wait_until(lambda: box.records("store_repaired"), "the repair sealed")
        wait_until(lambda: box.gateway.metric("sitewarden_polls") > 20, "polling again")
        box.gateway.stop()
    repair = box.records("store_repaired")[0]
    assert repair["file"] == name
    assert (box.storage / repair["moved_to"]).exists()
    assert rows / 3 < repair["rows_saved"][table] < rows
    if name == "alerts.db":
        box.assert_chain_holds()
        assert regulator_says_of_the_chain(tmp_path) == "ok"


def regulator_says_of_the_chain(folder: Path) -> str:
    store = Holdings.at(folder / "regulator.db")
    try:
        return str(store.boxes()[0]["chain"].state)
    finally:
        store.close()


def ruin_middle_page(database: Path, table: str) -> int:
    """Overwrite one page in the middle of a table; the number of rows that the table had."""
    db = sqlite3.connect(database)
    (rows,) = db.execute(f"SELECT count(*) FROM {table}").fetchone()
    db.close()
    leaves = leaves_of(database, table)
    with database.open("r+b") as file:
        file.seek((leaves[len(leaves) // 2] - 1) * PAGE_BYTES)
        file.write(b"\xa5" * PAGE_BYTES)
    return int(rows)


def leaves_of(database: Path, table: str) -> list[int]:
    """The numbers of a table's leaf pages, in its order."""
    db = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        asked = "SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path"
        return [int(page) for (page,) in db.execute(asked, (table,))]
    finally:
        db.close()


def ended(field):
    return [overload for overload in field.overloads() if overload.ended_at_ns]


def alerts(folder: Path):
    store = Holdings.at(folder / "regulator.db")
    try:
        return store.alerts()
    finally:
        store.close()
