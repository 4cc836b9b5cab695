"""The receiver's store: what a box cannot undo, what a new code may do, what stays after a restart."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from contract.canonical import canonical_bytes
from contract.chain import GENESIS, record_digest
from contract.envelope import Envelope
from contract.faults import CodeRefused, StaleSequence
from contract.messages import UP_KINDS, ChainPosition, Enrol, Heartbeat
from contract.signing import SignKey, generate_key
from regulator.base.intake.acceptance import Delivery
from regulator.base.intake.store import ReceiverStore, open_database, sqlite_url
from regulator.base.records.engine import DeskDatabase
from tests.fakes.contract_box import alarm_body

SIGNER = generate_key()
PROJECT = "CONTRACT-1"


class Box:
    """A box as the store sees it: envelopes that were checked already."""

    def __init__(self, store: ReceiverStore, box_id: str = "box-1", project: str = PROJECT) -> None:
        self.store = store
        self.box_id, self.project = box_id, project
        self.key: SignKey = generate_key()
        self.seq = 0
        self.chain: list[tuple[str, str]] = []

    def envelope(self, kind: str, key: str, body: dict[str, Any]) -> Envelope:
        self.seq += 1
        public = self.key.public
        return Envelope(
            alg=public.alg,
            key_id=public.key_id,
            box_id=self.box_id,
            seq=self.seq,
            key=key,
            kind=kind,
            sent_at_ns=time.time_ns(),
            body=body,
        )

    def enrol(self, code: str = "") -> None:
        """With a code of its own, unless another one is brought."""
        code = code or self.store.issue_code(self.box_id, self.project)
        body = Enrol(code=code, public_key=self.key.public.public_text, project_code=self.project)
        self.store.do(self.store.enrol, self.envelope("enrol", "enrol", body.model_dump()), body)

    def send(self, kind: str, key: str, body: dict[str, Any]) -> Any:
        envelope = self.envelope(kind, key, body)
        delivery = Delivery(envelope, b"{}", "", UP_KINDS[kind].model_validate(body))
        return self.store.do(self.store.accept, delivery)

    def record(self, words: str = "") -> Any:
        prev = self.chain[-1][1] if self.chain else GENESIS
        fields = {"seq": len(self.chain) + 1, "prev": prev, "box_id": self.box_id, "words": words}
        text = canonical_bytes(fields)
        self.chain.append((text.decode(), record_digest(text)))
        return self.send(
            "evidence_record",
            f"e{len(self.chain)}-{words}",
            dict(zip(("record", "sha256"), self.chain[-1], strict=True)),
        )

    def beat(self, seq: int, sha256: str) -> Any:
        body = Heartbeat(chain=ChainPosition(seq=seq, sha256=sha256), started_at_ns=1, counters={})
        return self.store.do(self.store.hear, self.envelope("heartbeat", "heartbeat", {}), body).chain


def opened(folder: Path) -> ReceiverStore:
    return ReceiverStore(open_database(sqlite_url(folder / "r.db")), SIGNER)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ReceiverStore]:
    store = opened(tmp_path)
    yield store
    store.close()


@pytest.fixture
def box(store: ReceiverStore) -> Box:
    box = Box(store)
    box.enrol()
    return box


def test_a_deleted_tail_is_found_by_the_next_heartbeat(box: Box) -> None:
    for _ in range(3):
        box.record()
    state = box.beat(2, box.chain[1][1])
    assert (state.state, state.reason) == ("fault", "the box says its chain ends at 2 but had sent record 3")


def test_a_head_with_another_digest_is_found(box: Box) -> None:
    box.record()
    assert box.beat(1, "f" * 64).state == "fault"


def test_a_record_that_overtakes_an_earlier_heartbeat_is_no_deleted_tail(box: Box) -> None:
    box.record()
    early = box.envelope("heartbeat", "heartbeat", {})
    head = ChainPosition(seq=1, sha256=box.chain[0][1])
    box.record()
    heard = box.store.do(box.store.hear, early, Heartbeat(chain=head, started_at_ns=1, counters={}))
    assert heard.chain.state == "ok"


def test_a_record_that_names_another_predecessor_is_found(box: Box) -> None:
    box.record()
    box.chain[0] = (box.chain[0][0], "e" * 64)
    state = box.record().chain
    assert (state.state, state.verified_seq) == ("fault", 1)
    assert "another predecessor" in state.reason


def test_a_fault_stays_although_later_records_fit(box: Box) -> None:
    box.record()
    box.beat(1, "f" * 64)
    assert box.record().chain.state == "fault"
    assert box.store.chain(box.box_id).verified_seq == 2


def test_everything_is_there_after_a_restart(store: ReceiverStore, box: Box, tmp_path: Path) -> None:
    first = box.send("alarm_transition", "k", alarm_body("k"))
    store.close()
    box.store = opened(tmp_path)
    again = box.send("alarm_transition", "k", alarm_body("k"))
    assert (again.duplicate, again.receipt) == (True, first.receipt)
    box.seq = 0
    with pytest.raises(StaleSequence):
        box.send("alarm_transition", "other", alarm_body("other"))
    box.store.close()


def test_a_code_for_a_box_replaces_its_key_and_no_other_boxs(store: ReceiverStore, box: Box) -> None:
    code = store.issue_code(box.box_id, PROJECT)
    with pytest.raises(CodeRefused, match="another box"):
        Box(store, "box-2").enrol(code)
    repaired = Box(store, box.box_id)
    repaired.enrol(code)
    assert store.find_key(box.box_id, box.key.public.key_id) is None
    assert store.find_key(box.box_id, repaired.key.public.key_id) is not None


def test_codes_are_not_in_the_database(store: ReceiverStore, box: Box, tmp_path: Path) -> None:
    code = store.issue_code("box-2", PROJECT)
    held = b"".join(file.read_bytes() for file in tmp_path.glob("r.db*"))
    assert code.encode() not in held
    assert code.replace("-", "").encode() not in held


def test_two_boxes_may_use_the_same_idempotency_key(store: ReceiverStore, box: Box) -> None:
    other = Box(store, "box-2", "P-2")
    other.enrol()
    for sender in (box, other):
        assert sender.send("alarm_transition", "k", alarm_body("k", project_code=sender.project)).duplicate is False
    assert store.stats()["alerts_held"] == 2


def test_alerts_are_listed_newest_first_with_what_a_count_needs(store: ReceiverStore, box: Box) -> None:
    for key in ("a", "b"):
        box.send("alarm_transition", key, alarm_body(key))
    alerts = store.alerts()
    assert [alert["key"] for alert in alerts] == ["b", "a"]
    assert {"asset", "rule_id", "transition", "observed_at_ns", "accepted_at_ns"} <= alerts[0].keys()
    assert len(store.alerts(1)) == 1


def test_a_database_of_another_version_is_refused(store: ReceiverStore, tmp_path: Path) -> None:
    with store.database.transaction() as db:
        db.execute(text("UPDATE alembic_version SET version_num='9999'"))
    with pytest.raises(ValueError, match=r"r\.db: a schema of another version.*9999"):
        opened(tmp_path)


def test_a_file_of_the_receiver_before_the_desk_is_refused_and_left_alone(tmp_path: Path) -> None:
    old = DeskDatabase(sqlite_url(tmp_path / "r.db"))
    with old.transaction() as db:
        db.execute(text("CREATE TABLE boxes (box_id TEXT PRIMARY KEY)"))
    old.close()
    with pytest.raises(ValueError, match=r"r\.db: made by a receiver before the desk"):
        opened(tmp_path)


def test_mail_for_a_box_that_is_not_enrolled_has_no_box(store: ReceiverStore) -> None:
    with pytest.raises(LookupError, match="box-9"):
        store.post("box-9", "order", ChainPosition(seq=0, sha256=GENESIS))
