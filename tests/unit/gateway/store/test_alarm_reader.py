"""What figures and the day's log ask of alerts.db: episodes, alarms of a span, records by kind, when the box ran."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from contract.canonical import Canonical
from contract.chain import ChainHead
from gateway.evidence.evidence import RecordKind, seal
from gateway.figures.episodes import SEVERITIES
from gateway.figures.spans import BoxStart
from gateway.model.alarm import Alarm, Severity
from gateway.store.alarm_reader import LOOK_BACK_NS, AlarmReader
from gateway.store.alert_store import FIGURES_INDEX, AlertStore, Commit, KeptRecord
from tests.fakes.made_alarm import alarm
from tests.fakes.site import BOX, NOW_NS, SECOND_NS, info

LIVES = (RecordKind.STARTED, RecordKind.STOPPED)
HOUR = 3_600 * SECOND_NS


class Kept:
    """A store with what a test puts into it."""

    def __init__(self, folder: Path) -> None:
        self.store = AlertStore(folder, 64 * 1024)
        self.reader = AlarmReader(self.store.path)
        self.head = ChainHead()

    def alarms(self, *alarms: Alarm) -> None:
        self.store.commit(Commit(NOW_NS, alarms=alarms)).result()

    def record(self, kind: RecordKind, at_ns: int, about: str = "", **content: Canonical) -> int:
        record = seal(self.head, BOX, kind, at_ns, content)
        self.head = record.head
        kept = KeptRecord(record.seq, str(kind), at_ns, about, record.sha256, record.body)
        self.store.commit(Commit(at_ns, records=[kept])).result()
        return record.seq


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path)


def test_an_empty_file_has_no_episode_and_never_ran(kept: Kept) -> None:
    assert len(kept.reader.episodes(0, NOW_NS)) == 0
    assert (kept.reader.starts(*LIVES), kept.reader.last_at_ns()) == ([], 0)


def test_columns_are_in_the_order_of_the_raises_with_their_tags(kept: Kept) -> None:
    late = alarm(NOW_NS + 5, "wind", "mast-1.wind", rule=info("wind", Severity.P3))
    done = alarm(NOW_NS, acknowledged=True, acknowledged_at_ns=NOW_NS + 2, active=False, returned_at_ns=NOW_NS + 3)
    kept.alarms(late, done)
    found = kept.reader.episodes(NOW_NS, NOW_NS + HOUR)
    assert found.raised_at_ns.tolist() == [NOW_NS, NOW_NS + 5]
    assert [found.tags[i].subject for i in found.tag] == ["crane-1.q0", "mast-1.wind"]
    assert found.severity.tolist() == [0, 2]
    assert found.acknowledged_at_ns.tolist() == [NOW_NS + 2, 0]
    assert found.returned_at_ns.tolist() == [NOW_NS + 3, 0]
    assert found.open.tolist() == [False, True]


def test_each_severity_has_its_number(kept: Kept) -> None:
    kept.alarms(*(alarm(NOW_NS + i, f"r{i}", rule=info(f"r{i}", each)) for i, each in enumerate(SEVERITIES)))
    assert kept.reader.episodes(0, NOW_NS + HOUR).severity.tolist() == [0, 1, 2, 3]


def test_the_spans_end_is_excluded_and_what_is_open_is_found_however_old(kept: Kept) -> None:
    old = alarm(NOW_NS - 2 * LOOK_BACK_NS)
    gone = alarm(NOW_NS - 2 * LOOK_BACK_NS, "gone", acknowledged=True, active=False, returned_at_ns=NOW_NS)
    kept.alarms(old, gone, alarm(NOW_NS, "a"), alarm(NOW_NS + HOUR, "b"))
    found = kept.reader.episodes(NOW_NS, NOW_NS + HOUR)
    assert found.raised_at_ns.tolist() == [old.raised_at_ns, NOW_NS]


def test_what_was_withheld_was_raised_for_nobody(kept: Kept) -> None:
    kept.alarms(alarm(NOW_NS, withheld=True, suppressed_by="graver"))
    assert len(kept.reader.episodes(0, NOW_NS + 1)) == 0
    assert kept.reader.alarms(0, NOW_NS + 1) == []


def test_an_older_file_without_the_index_gives_the_same_answers(kept: Kept) -> None:
    kept.alarms(alarm(NOW_NS), alarm(NOW_NS + 1, "b"))
    before = kept.reader.episodes(0, NOW_NS + HOUR)
    with sqlite3.connect(kept.store.path) as db:
        db.execute(f"DROP INDEX {FIGURES_INDEX}")
    after = kept.reader.episodes(0, NOW_NS + HOUR)
    assert after.raised_at_ns.tolist() == before.raised_at_ns.tolist()


def test_an_older_file_gets_the_index_when_the_box_opens_it(kept: Kept, tmp_path: Path) -> None:
    with sqlite3.connect(kept.store.path) as db:
        db.execute(f"DROP INDEX {FIGURES_INDEX}")
    kept.store.close()
    AlertStore(tmp_path, 64 * 1024).close()
    with sqlite3.connect(kept.store.path) as db:
        assert db.execute("SELECT count(*) FROM sqlite_master WHERE name = ?", (FIGURES_INDEX,)).fetchone() == (1,)


def test_a_seasons_episodes_are_read_from_the_index_alone(kept: Kept) -> None:
    """The plan names it: without that, each state would be opened."""
    kept.alarms(alarm(NOW_NS))
    with sqlite3.connect(kept.store.path) as db:
        plan = db.execute(
            f"EXPLAIN QUERY PLAN SELECT rule_id, json_extract(state, '$.rule.severity') FROM alarm"
            f" INDEXED BY {FIGURES_INDEX} WHERE raised_at_ns >= 0 AND raised_at_ns < 9"
        ).fetchall()
    assert FIGURES_INDEX in plan[0][3]


def test_alarms_of_a_day_are_those_of_which_something_happened(kept: Kept) -> None:
    before, day = NOW_NS - HOUR, NOW_NS
    quiet = alarm(before, "quiet", acknowledged=True, active=False, returned_at_ns=before + 1)
    answered = replace(quiet, alarm_id="answered", rule=info("b"), acknowledged_at_ns=day + 5)
    back = replace(quiet, alarm_id="back", rule=info("c"), returned_at_ns=day + 5)
    kept.alarms(quiet, answered, back, alarm(before, "still open"), alarm(day + HOUR, "tomorrow"))
    found = {each.alarm_id for each in kept.reader.alarms(day, day + HOUR)}
    assert found == {"answered", "back", f"still open:crane-1.q0:{before}"}


def test_records_are_chosen_by_kind_and_time_and_no_more_than_asked(kept: Kept) -> None:
    for second in range(4):
        kept.record(RecordKind.REPORT, NOW_NS + second, n=second)
        kept.record(RecordKind.CHECKPOINT, NOW_NS + second)
    found = kept.reader.records([RecordKind.REPORT], NOW_NS + 1, NOW_NS + 3)
    assert [record.seq for record in found] == [3, 5]
    assert len(kept.reader.records([RecordKind.REPORT, RecordKind.CHECKPOINT], 0, NOW_NS + 9, limit=5)) == 5


def test_what_is_filed_under_a_name_is_found_by_its_beginning_only(kept: Kept) -> None:
    for about in ("safety_log:2026-11-21", "safety_log:2026-11-22", "safety_logs:x", "report:pit-1"):
        kept.record(RecordKind.SAFETY_LOG, NOW_NS, about)
    assert [record.alarm_id for record in kept.reader.filed("safety_log:")] == [
        "safety_log:2026-11-21",
        "safety_log:2026-11-22",
    ]


def test_a_start_after_a_sealed_stop_is_clean_and_one_after_a_power_cut_says_what_was_heard_last(kept: Kept) -> None:
    kept.record(RecordKind.STARTED, 100)
    kept.record(RecordKind.STOPPED, 200)
    kept.record(RecordKind.STARTED, 300)
    kept.record(RecordKind.CHECKPOINT, 350)
    kept.record(RecordKind.STARTED, 500)
    assert kept.reader.starts(*LIVES) == [
        BoxStart(100, 0, clean=False),
        BoxStart(300, 200, clean=True),
        BoxStart(500, 350, clean=False),
    ]
    assert kept.reader.last_at_ns() == 500
