import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import orjson
import pytest

from contract.canonical import canonical_bytes
from contract.chain import ChainFault, ChainHead
from gateway.alarms import AlarmTable
from gateway.evidence.evidence import RecordKind, SealedRecord, seal
from gateway.model.alarm import Alarm
from gateway.model.alert import OutboxItem, Receipt
from gateway.model.errors import StoreError
from gateway.model.verdict import Truth, Verdicts
from gateway.store.alert_store import (
    SUMMARY_KIND,
    AlertStore,
    Commit,
    KeptRecord,
    Message,
    alarm_from_json,
    alarm_to_json,
    open_for_reading,
)
from gateway.store.reserve import DiskReserve
from tests.fakes.site import BOX, NOW_NS, SECOND_NS, threshold

RESERVE = 64 * 1024


@pytest.fixture
def store(tmp_path: Path) -> AlertStore:
    return AlertStore(tmp_path, RESERVE)


def _kept(record: SealedRecord, alarm_id: str = "") -> KeptRecord:
    return KeptRecord(record.seq, record.kind, record.at_ns, alarm_id, record.sha256, record.body)


def _records(head: ChainHead, count: int, padding: int = 0) -> list[KeptRecord]:
    records = []
    for n in range(count):
        record = seal(head, BOX, RecordKind.STARTED, NOW_NS + n, {"n": n, "padding": "x" * padding})
        records.append(_kept(record))
        head = record.head
    return records


def _alarm(at_s: float = 0.0, measured: float = 120.0) -> Alarm:
    table = AlarmTable(BOX, [threshold()])
    truth = np.array([Truth.TRUE], dtype=np.uint8)
    at_ns = NOW_NS + round(at_s * SECOND_NS)
    return table.step(Verdicts(np.array([0], dtype=np.int32), truth, np.array([measured]), at_ns))[0].alarm


def _message(key: str, urgency: int = 0, uplink: str = "regulator", kind: str = "alarm_transition") -> Message:
    return Message(uplink, key, kind, b'{"k":1}', urgency)


def _keep(store: AlertStore, **parts: object) -> None:
    store.commit(Commit(NOW_NS, **parts)).result(10)  # type: ignore[arg-type]


def _resolve(store: AlertStore, answers: list[tuple[OutboxItem, Receipt]]) -> None:
    store.resolve(answers, NOW_NS + 1).result(10)


def test_a_new_store_has_an_empty_chain(store: AlertStore) -> None:
    assert store.head() == ChainHead()
    assert store.verify() == ChainHead()
    assert store.open_alarms() == []
    assert store.pending("regulator", 10) == []
    store.close()


def test_a_commit_is_kept_as_one(store: AlertStore) -> None:
    _keep(store, records=_records(ChainHead(), 3), alarms=[_alarm()], messages=[_message("a")])
    assert store.head().seq == 3
    assert store.verify() == store.head()
    assert [alarm.alarm_id for alarm in store.open_alarms()] == [_alarm().alarm_id]
    assert [item.key for item in store.pending("regulator", 10)] == ["a"]
    store.close()


def test_a_commit_that_breaks_the_chain_keeps_nothing_of_itself(store: AlertStore) -> None:
    records = _records(ChainHead(), 2)
    _keep(store, records=records)
    with pytest.raises(StoreError):
        _keep(store, records=records[1:], alarms=[_alarm()], messages=[_message("a")])
    assert store.head().seq == 2
    assert store.open_alarms() == []
    assert store.pending("regulator", 10) == []
    store.close()


def test_everything_survives_a_reopening(tmp_path: Path, store: AlertStore) -> None:
    alarm = replace(_alarm(), acknowledged=True, acknowledged_by="李", acknowledge_reason="看到", acknowledged_at_ns=5)
    _keep(store, records=_records(ChainHead(), 2), alarms=[alarm], messages=[_message("a")])
    store.close()
    again = AlertStore(tmp_path, RESERVE)
    assert again.repair is None
    assert again.open_alarms() == [alarm]
    assert again.head().seq == 2
    assert [item.body for item in again.pending("regulator", 10)] == [b'{"k":1}']
    again.close()


def test_only_open_alarms_are_taken_over(store: AlertStore) -> None:
    returned = replace(_alarm(0), active=False)
    closed = replace(_alarm(0), active=False, acknowledged=True)
    _keep(store, alarms=[returned])
    assert store.open_alarms() == [returned]
    _keep(store, alarms=[closed])
    assert store.open_alarms() == []
    assert store.alarm(closed.alarm_id) == closed
    assert store.alarm("nonsense") is None
    assert store.episodes() == 1
    store.close()


@pytest.mark.parametrize("together", [True, False])
def test_a_new_episode_supersedes_the_one_before(store: AlertStore, together: bool) -> None:
    first, second = replace(_alarm(0), active=False), _alarm(10)
    batches = [[first, second]] if together else [[first], [second]]
    for batch in batches:
        _keep(store, alarms=batch)
    assert store.open_alarms() == [second]
    assert store.episodes() == 2
    store.close()


@pytest.mark.parametrize("measured", [float("nan"), 0.1, -0.0, 1e308])
def test_an_alarm_comes_back_from_its_stored_form(measured: float) -> None:
    alarm = _alarm(measured=measured)
    back = alarm_from_json(alarm_to_json(alarm))
    assert alarm_to_json(back) == alarm_to_json(alarm)
    assert back.rule == alarm.rule
    np.testing.assert_equal(back.measured, measured)


def test_a_repeated_message_is_one_row_for_each_uplink(store: AlertStore) -> None:
    _keep(store, messages=[_message("a"), _message("a", uplink="mqtt"), _message("a")])
    _keep(store, messages=[_message("a")])
    assert store.pending_counts() == {"regulator": 1, "mqtt": 1}
    assert store.outbox_count("regulator", "alarm_transition") == 1
    store.close()


def test_a_message_that_was_accepted_is_not_sent_again_when_it_is_handed_over_again(store: AlertStore) -> None:
    _keep(store, messages=[_message("a")])
    _resolve(store, [(store.pending("regulator", 1)[0], Receipt.accepted("theirs"))])
    _keep(store, messages=[_message("a")])
    assert store.pending("regulator", 10) == []
    store.close()


def test_the_most_urgent_and_oldest_leave_first(store: AlertStore) -> None:
    keys = [("s1", 2), ("e1", 1), ("a1", 0), ("e2", 1), ("a2", 0)]
    _keep(store, messages=[_message(key, urgency) for key, urgency in keys])
    assert [item.key for item in store.pending("regulator", 4)] == ["a1", "a2", "e1", "e2"]
    store.close()


def test_a_receipt_decides_what_becomes_of_a_row(store: AlertStore) -> None:
    _keep(store, messages=[_message(key) for key in ("kept", "refused", "later")])
    items = {item.key: item for item in store.pending("regulator", 10)}
    answers = [
        (items["kept"], Receipt.accepted("42")),
        (items["refused"], Receipt.rejected("unknown project" * 100)),
        (items["later"], Receipt.retry("busy")),
    ]
    _resolve(store, answers)
    assert [(item.key, item.attempts) for item in store.pending("regulator", 10)] == [("later", 1)]
    reader = sqlite3.connect(store.path)
    rows = reader.execute(
        "SELECT key, state, length(receipt), resolved_at_ns FROM outbox ORDER BY outbox_id"
    ).fetchall()
    reader.close()
    assert rows == [
        ("kept", "accepted", 2, NOW_NS + 1),
        ("refused", "rejected", 500, NOW_NS + 1),
        ("later", "pending", 4, 0),
    ]
    store.close()


def test_an_accepted_summary_leaves_no_row_and_a_refused_one_does(store: AlertStore) -> None:
    _keep(store, messages=[_message(key, 2, kind=SUMMARY_KIND) for key in ("ok", "refused", "later")])
    ok, refused, later = store.pending("regulator", 10)
    _resolve(store, [(ok, Receipt.accepted()), (refused, Receipt.rejected("no")), (later, Receipt.retry("busy"))])
    assert store.outbox_count("regulator", SUMMARY_KIND) == 2
    assert store.pending_counts() == {"regulator": 1}
    store.close()


def test_evidence_is_found_by_alarm_by_number_and_by_kind(store: AlertStore) -> None:
    first = seal(ChainHead(), BOX, RecordKind.STARTED, NOW_NS, {})
    second = seal(first.head, BOX, RecordKind.TRANSITION, NOW_NS, {"n": 1})
    third = seal(second.head, BOX, RecordKind.TRANSITION, NOW_NS, {"n": 2})
    _keep(store, records=[_kept(first), _kept(second, "alarm-1"), _kept(third, "alarm-2")])
    assert [r.seq for r in store.evidence_of("alarm-1")] == [2]
    assert [r.seq for r in store.evidence_after(1)] == [2, 3]
    assert [r.seq for r in store.evidence_after(0, limit=2)] == [1, 2]
    newest = store.last_of(RecordKind.TRANSITION)
    assert newest is not None
    assert newest.seq == 3
    assert store.last_of(RecordKind.CHECKPOINT) is None
    assert [r.seq for r in store.all_evidence()] == [1, 2, 3]
    store.close()


def test_a_record_changed_in_the_file_is_found(tmp_path: Path, store: AlertStore) -> None:
    _keep(store, records=_records(ChainHead(), 5))
    store.close()
    db = sqlite3.connect(tmp_path / "alerts.db")
    db.execute("UPDATE evidence SET body = replace(body, '\"n\":2', '\"n\":9') WHERE seq = 3")
    db.commit()
    db.close()
    assert open_for_reading(tmp_path).verify() == ChainFault(3, "the body does not match its digest")


def test_a_folder_without_a_box_is_said_to_hold_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds no alerts\.db"):
        open_for_reading(tmp_path)


def _sent(record: KeptRecord, uplink: str = "regulator") -> Message:
    body = canonical_bytes({"record": record.body.decode(), "sha256": record.sha256})
    return Message(uplink, f"{BOX}:evidence:{record.seq}", "evidence_record", body, 1)


def _ruin(path: Path, table: str, leaf: int) -> None:
    db = sqlite3.connect(path)
    leaves = db.execute("SELECT pageno FROM dbstat WHERE name = ? AND pagetype = 'leaf' ORDER BY path", (table,))
    page = leaves.fetchall()[leaf][0]
    db.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * 4096)
        file.write(b"\xa5" * 4096)


@pytest.mark.parametrize("leaf", [-1, -2, 5])
def test_a_number_that_was_sent_is_never_given_twice(tmp_path: Path, store: AlertStore, leaf: int) -> None:
    records = _records(ChainHead(), 200, padding=300)
    _keep(store, records=records, messages=[_sent(r, uplink) for r in records for uplink in ("regulator", "city")])
    head = store.head()
    store.close()
    _ruin(tmp_path / "alerts.db", "evidence", leaf)
    again = AlertStore(tmp_path, RESERVE)
    assert again.repair is not None
    assert 0 < again.repair.rows["evidence"] < 200
    assert again.repair.rows["evidence"] + again.repair.rows["evidence_from_outbox"] == 200
    assert again.head() == head == again.verify(), "the regulator holds this head; the next record must follow it"
    again.close()


def test_a_restored_record_is_filed_under_its_alarm_or_its_service(tmp_path: Path, store: AlertStore) -> None:
    head, records = ChainHead(), []
    for n in range(200):
        content = {"alarm": {"alarm_id": f"alarm-{n}"}} if n % 2 else {"target": f"point-{n}", "taken_out_by": "x"}
        record = seal(head, BOX, RecordKind.TRANSITION, NOW_NS, {**content, "padding": "x" * 300})  # type: ignore[dict-item]
        records.append(_kept(record, f"alarm-{n}" if n % 2 else f"service:point-{n}"))
        head = record.head
    _keep(store, records=records, messages=[_sent(r) for r in records])
    store.close()
    _ruin(tmp_path / "alerts.db", "evidence", -1)
    again = AlertStore(tmp_path, RESERVE)
    assert list(again.all_evidence()) == records
    again.close()


def test_an_outbox_copy_that_does_not_match_its_digest_is_not_taken(tmp_path: Path, store: AlertStore) -> None:
    records = _records(ChainHead(), 200, padding=300)
    forged = replace(_sent(records[199]), body=_sent(records[199]).body.replace(b'\\"n\\":199', b'\\"n\\":198'))
    assert forged.body != _sent(records[199]).body
    torn = [
        replace(_sent(r), body=body) for r, body in zip(records, (b"", b"[]", b'{"record":1}', b"\xff"), strict=False)
    ]
    _keep(store, records=records, messages=[*torn, forged])
    store.close()
    _ruin(tmp_path / "alerts.db", "evidence", -1)
    again = AlertStore(tmp_path, RESERVE)
    assert again.repair is not None
    assert again.repair.rows["evidence_from_outbox"] == 0
    assert again.head().seq < 200
    again.close()


def test_a_torn_file_keeps_what_can_be_read_and_says_so(tmp_path: Path, store: AlertStore) -> None:
    _keep(store, records=_records(ChainHead(), 500, padding=200), alarms=[_alarm()], messages=[_message("a")])
    store.close()
    path = tmp_path / "alerts.db"
    path.write_bytes(path.read_bytes()[:-6000])
    again = AlertStore(tmp_path, RESERVE)
    assert again.repair is not None
    assert again.repair.rows["evidence"] >= 460
    assert again.repair.rows["alarm"] == again.repair.rows["outbox"] == 1
    assert again.head().seq >= 460
    assert (tmp_path / "alerts.db.damaged-1").exists()
    again.close()


def _limit(store: AlertStore, more: int | None) -> None:
    def job(db: sqlite3.Connection) -> None:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count={pages + more if more is not None else 10**6}")

    store._writer.submit(job).result(5)


def test_on_a_full_disk_the_reserve_is_given_up_for_the_commit(tmp_path: Path, store: AlertStore) -> None:
    """The file may not grow; what the reserve held stands for the room that its release gives."""
    _limit(store, 0)
    store._writer._on_full = lambda: store.reserve.release() and _grow(store)
    _keep(store, records=_records(ChainHead(), 50, padding=2000))
    assert store.reserve.released
    assert not (tmp_path / "alerts.reserve").exists()
    assert store.verify() == store.head() == ChainHead(50, store.head().sha256)
    store.close()


def _grow(store: AlertStore) -> bool:
    return bool(store._writer._connection.execute("PRAGMA max_page_count=1000000"))


def test_when_even_the_reserve_does_not_help_nothing_is_kept(store: AlertStore) -> None:
    _limit(store, 0)
    with pytest.raises(StoreError, match="full"):
        _keep(store, records=_records(ChainHead(), 50, padding=2000), messages=[_message("a")])
    assert store.reserve.released
    assert (store.head(), store.pending_counts()) == (ChainHead(), {})
    _limit(store, None)
    _keep(store, records=_records(ChainHead(), 1))
    assert store.head().seq == 1
    store.close()


class Disk(DiskReserve):
    """A reserve on a disk whose free space the test sets."""

    free = 10**9

    def free_bytes(self) -> int:
        return self.free


def test_the_reserve_takes_real_room_and_gives_it_back_once(tmp_path: Path) -> None:
    reserve = DiskReserve(tmp_path / "r", 256 * 1024)
    assert reserve.take()
    assert (tmp_path / "r").stat().st_blocks * 512 >= 256 * 1024
    assert reserve.release()
    assert reserve.released
    assert not reserve.release()


def test_the_reserve_is_taken_again_only_with_room_to_spare(tmp_path: Path) -> None:
    reserve = Disk(tmp_path / "r", 1000)
    reserve.settle()
    reserve.release()
    reserve.free = 3999
    reserve.restore_when_possible()
    assert reserve.released
    reserve.free = 4000
    reserve.restore_when_possible()
    assert not reserve.released
    assert (tmp_path / "r").stat().st_size == 1000


def test_history_stops_before_alerts_do(tmp_path: Path) -> None:
    reserve = Disk(tmp_path / "r", 1000)
    reserve.free = reserve.floor_bytes
    assert reserve.history_may_write()
    reserve.free = reserve.floor_bytes - 1
    assert not reserve.history_may_write()


@pytest.mark.parametrize(("free", "taken"), [(2 * 2**20 - 1, False), (2 * 2**20 + 1000, True)])
def test_a_start_on_a_full_disk_gives_the_reserve_up_for_the_databases(tmp_path: Path, free: int, taken: bool) -> None:
    first = Disk(tmp_path / "r", 1000)
    first.settle()
    second = Disk(tmp_path / "r", 1000)
    second.free = free
    second.settle()
    assert (tmp_path / "r").exists() is taken
    assert second.released is not taken


def test_a_start_with_little_room_does_not_fill_the_disk_with_the_reserve(tmp_path: Path) -> None:
    reserve = Disk(tmp_path / "r", 1000)
    reserve.free = 2 * 2**20 + 999
    reserve.settle()
    assert not (tmp_path / "r").exists()
    assert reserve.released


def test_a_reserve_that_finds_no_room_says_so_and_leaves_nothing(tmp_path: Path) -> None:
    reserve = DiskReserve(tmp_path / "r", 2**60)
    assert not reserve.take()
    assert not (tmp_path / "r").exists()


def test_an_alarm_that_an_older_program_kept_is_read_with_defaults() -> None:
    fields = orjson.loads(alarm_to_json(replace(_alarm(), escalated=("no screen listening",))))
    for name in ("latching", "latched", "shelved_at_ns", "shelved_until_ns", "shelved_by", "shelve_reason"):
        del fields[name]
    for name in ("out_of_service", "first_out_id", "escalated"):
        del fields[name]
    alarm = alarm_from_json(orjson.dumps(fields).decode())
    assert (alarm.latched, alarm.shelved, alarm.out_of_service, alarm.escalated) == (False, False, False, ())


def test_what_was_escalated_and_shelved_is_read_back_as_it_was() -> None:
    alarm = replace(_alarm(), escalated=("a", "b"), shelved_at_ns=1, shelved_until_ns=2, first_out_id="x", latched=True)
    assert alarm_from_json(alarm_to_json(alarm)) == alarm


def test_a_cut_tail_is_seen_by_what_was_handed_to_an_uplink(store: AlertStore) -> None:
    records = _records(ChainHead(), 5)
    messages = [_message(f"{BOX}:evidence:{record.seq}", 1, kind="evidence_record") for record in records]
    _keep(store, records=records, messages=messages)
    assert store.verify() == ChainHead(5, records[-1].sha256)
    store.close()
    with sqlite3.connect(store.path) as db:
        db.execute("DELETE FROM evidence WHERE seq > 3")
    db.close()
    outcome = open_for_reading(store.path.parent).verify()
    assert outcome == ChainFault(4, "records up to 5 were handed to an uplink and are gone")
