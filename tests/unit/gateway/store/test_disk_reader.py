"""What the databases take and how fast they grow, measured on real files."""

import sqlite3
from pathlib import Path

import pytest

from contract.chain import ChainHead
from gateway.evidence.evidence import RecordKind, seal
from gateway.store.alert_store import AlertStore, Commit, KeptRecord
from gateway.store.disk_reader import disk_facts
from gateway.store.history_store import HistoryStore
from tests.fakes.site import BOUNDS, BOX, MINUTE_NS, NOW_NS, layout, points, poll

HOUR_NS = 60 * MINUTE_NS


def filled(folder: Path, hours_ago: tuple[int, ...]) -> None:
    history = HistoryStore(folder, points(), BOUNDS, NOW_NS)
    for hours in hours_ago:
        history.append(poll(layout(), 1.0, NOW_NS - hours * HOUR_NS))
        history.flush(NOW_NS).done.result()
    history.close(NOW_NS)
    alerts = AlertStore(folder, 64 * 1024)
    record = seal(ChainHead(), BOX, RecordKind.STARTED, NOW_NS - 10 * HOUR_NS, {})
    kept = KeptRecord(record.seq, str(record.kind), record.at_ns, "", record.sha256, record.body)
    alerts.commit(Commit(NOW_NS, records=[kept])).result()
    alerts.close()


def test_growth_is_what_came_within_a_day(tmp_path: Path) -> None:
    filled(tmp_path, (30, 20, 2))
    found = disk_facts(tmp_path, 2**30, NOW_NS)
    assert found.added_over_s == 24 * 3600.0
    assert found.kept_s == 30 * 3600.0
    assert found.alarms_over_s == 10 * 3600.0
    assert 0 < found.added < found.history
    assert found.free > 0


def test_a_young_history_is_measured_since_its_beginning(tmp_path: Path) -> None:
    filled(tmp_path, (3, 1))
    assert disk_facts(tmp_path, 2**30, NOW_NS).added_over_s == 3 * 3600.0


def test_an_empty_history_has_grown_over_no_time(tmp_path: Path) -> None:
    filled(tmp_path, ())
    found = disk_facts(tmp_path, 2**30, NOW_NS)
    assert (found.added, found.added_over_s, found.kept_s) == (0, 0.0, 0.0)


def test_a_folder_without_databases_is_an_error_and_not_nought(tmp_path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError):
        disk_facts(tmp_path, 2**30, NOW_NS)
