"""What a real receiver signed about a box's chain, against somebody who rewrites the chain on the box itself.

The receiver, the uplink and the stores are the real ones; the chain is rewritten by a program that shares no code with
them, and what the receiver signed is checked here with a plain Ed25519 key.
"""

import asyncio
import base64
import hashlib
import json
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contract.envelope import SignedText
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry
from gateway.store.receipts import Proof, ProofKind, ReceiptStore, receipts_path
from sitewarden.__main__ import main
from tests.fakes.regulator import FakeRegulator
from tests.fakes.regulator_box import Chain, regulator_uplink, simulated, stop, until
from tests.fakes.rewriter import canonical, cut, forget, rewrite
from tests.fakes.site import Site, points, threshold

HOUR_NS = 3_600_000_000_000
RECORDS = 6


@pytest.fixture
def regulator(tmp_path: Path):
    with FakeRegulator(tmp_path / "regulator") as regulator:
        yield regulator


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    return folder


async def run_box(folder: Path, regulator: FakeRegulator, records: int = RECORDS, beats: int = 0) -> None:
    """Seal records, send them, and beat so often."""
    clock, chain = simulated(), Chain()
    site = Site(folder, points(), [threshold()], clock=clock)
    site.start()
    for number in range(records):
        await site.recorder.record(Entry(RecordKind.ACCOUNT, clock.now_ns(), {"number": number}))
    async with regulator_uplink(folder, regulator, clock, chain, heartbeat_s=600) as uplink:
        batch = site.alerts.pending("regulator", 100)
        receipts = await uplink.send_alerts(batch)
        await asyncio.wrap_future(site.alerts.resolve(list(zip(batch, receipts, strict=True)), clock.now_ns()))
        chain.head = site.alerts.head()
        if beats:
            running = asyncio.create_task(uplink.run())
            await until(lambda: uplink.health().heartbeats >= beats, clock, 60.0)
            await stop(running)
    await site.stop()


def verify(folder: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    capsys.readouterr()
    status = main(["verify", str(folder), *arguments])
    return status, capsys.readouterr().out.splitlines()


def proofs(folder: Path, kind: str) -> list[sqlite3.Row]:
    with closing(sqlite3.connect(receipts_path(folder, "regulator"))) as db:
        db.row_factory = sqlite3.Row
        return db.execute("SELECT * FROM proof WHERE kind = ? ORDER BY seq", (kind,)).fetchall()


def signed_by(regulator: FakeRegulator, row: sqlite3.Row) -> dict[str, Any]:
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(regulator.key.public.public_text))
    key.verify(base64.b64decode(row["signature"]), row["text"].encode())
    return dict(json.loads(row["text"]))


async def test_every_accepted_record_leaves_its_signed_receipt_on_the_box(
    regulator: FakeRegulator, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_box(folder, regulator)
    told = [signed_by(regulator, row) for row in proofs(folder, "receipt")]
    with closing(sqlite3.connect(folder / "alerts.db")) as db:
        rows = db.execute("SELECT CAST(body AS TEXT), sha256 FROM evidence ORDER BY seq").fetchall()
    digests = [hashlib.sha256(canonical({"record": text, "sha256": digest})).hexdigest() for text, digest in rows]
    assert [receipt["body_sha256"] for receipt in told] == digests
    status, said = verify(folder, capsys)
    assert status == 0
    (summary,) = [line for line in said if "signed 6 receipts and 0 checkpoints; records 1 to 6 of 6" in line]
    assert "regulator" in summary
    assert f"receipts: signed with {regulator.key.public.key_id}" in said


@pytest.mark.parametrize("seq", [1, 4, RECORDS])
async def test_a_record_that_was_rewritten_and_sealed_anew_no_longer_holds(
    regulator: FakeRegulator, folder: Path, capsys: pytest.CaptureFixture[str], seq: int
) -> None:
    await run_box(folder, regulator)
    assert verify(folder, capsys)[0] == 0
    rewrite(folder, seq, number=4711)
    status, said = verify(folder, capsys)
    assert status == 1
    assert any(line.startswith("chain holds: 6 records") for line in said)
    (fault,) = [line for line in said if "do not hold" in line]
    assert f"record {seq} was rewritten: the receipt signed by regulator names another digest" in fault


async def test_checkpoints_alone_vouch_for_the_records_before_them(
    regulator: FakeRegulator, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_box(folder, regulator, beats=2)
    forget(receipts_path(folder, "regulator"), 1, "receipt")
    assert verify(folder, capsys)[0] == 0
    rewrite(folder, 2, number=4711)
    status, said = verify(folder, capsys)
    assert status == 1
    (fault,) = [line for line in said if "do not hold" in line]
    assert "a record from 1 to 6 was rewritten: the checkpoint signed by regulator names another digest" in fault


async def test_an_end_that_was_cut_off_is_missed(
    regulator: FakeRegulator, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_box(folder, regulator)
    cut(folder, 4)
    status, said = verify(folder, capsys)
    assert status == 1
    assert any("record 5 is gone: the receipt signed by regulator names another digest" in line for line in said)


async def test_receipts_that_were_taken_away_are_missed(
    regulator: FakeRegulator, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_box(folder, regulator)
    forget(receipts_path(folder, "regulator"), 4)
    rewrite(folder, 4, number=4711)
    status, said = verify(folder, capsys)
    assert status == 1
    assert "receipts do not hold: regulator accepted records 4 to 6; their receipts are not here" in said


async def test_a_forged_receipt_is_damaged(
    regulator: FakeRegulator, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_box(folder, regulator)
    rewrite(folder, 3, number=4711)
    with closing(sqlite3.connect(folder / "alerts.db")) as chain:
        rows = chain.execute("SELECT seq, CAST(body AS TEXT), sha256 FROM evidence").fetchall()
    with closing(sqlite3.connect(receipts_path(folder, "regulator"))) as db, db:
        for seq, text, digest in rows:
            (old,) = db.execute("SELECT text FROM proof WHERE seq = ?", (seq,)).fetchone()
            body = hashlib.sha256(canonical({"record": text, "sha256": digest})).hexdigest()
            forged = canonical(json.loads(old) | {"body_sha256": body}).decode()
            db.execute("UPDATE proof SET text = ? WHERE seq = ?", (forged, seq))
    status, said = verify(folder, capsys)
    assert status == 1
    assert any(line.startswith("receipts do not hold: the receipt of record 3 is damaged") for line in said)


@pytest.mark.parametrize("content", [b"no database at all", b""])
async def test_receipts_that_cannot_be_read_are_a_fault(
    regulator: FakeRegulator, folder: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    await run_box(folder, regulator)
    receipts_path(folder, "regulator").write_bytes(content)
    status, said = verify(folder, capsys)
    assert status == 1
    assert any("receipts.db cannot be read" in line for line in said)


async def test_with_the_desks_fingerprint_only_its_own_signatures_count(
    regulator: FakeRegulator, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    await run_box(folder, regulator)
    assert verify(folder, capsys, "--key", regulator.key.public.key_id)[0] == 0
    other = "ed25519:" + "0" * 32
    status, said = verify(folder, capsys, "--key", other)
    assert status == 1
    assert f"receipts do not hold: regulator: nothing signed by the key {other} is kept here" in said
    for part in receipts_path(folder, "regulator").parent.glob("receipts.db*"):
        part.unlink()
    assert verify(folder, capsys, "--key", regulator.key.public.key_id)[0] == 1
    status, said = verify(folder, capsys)
    assert status == 0
    assert "receipts: no receipts signed by regulator: records 1 to 6 stand by this box's word alone" in said


async def test_one_checkpoint_an_hour_is_kept_while_the_chain_grows(regulator: FakeRegulator, folder: Path) -> None:
    regulator.ahead_ns = HOUR_NS // 2 - time.time_ns() % HOUR_NS
    await run_box(folder, regulator, beats=3)
    (first,) = proofs(folder, "checkpoint")
    assert signed_by(regulator, first)["seq"] == first["seq"] == RECORDS
    regulator.ahead_ns += HOUR_NS
    await run_box(folder, regulator, records=0, beats=2)
    assert len(proofs(folder, "checkpoint")) == 1
    await run_box(folder, regulator, records=2, beats=2)
    assert [row["seq"] for row in proofs(folder, "checkpoint")] == [RECORDS, RECORDS + 2]
    await run_box(folder, regulator, records=1, beats=2)
    assert len(proofs(folder, "checkpoint")) == 2
    assert len(proofs(folder, "receipt")) == RECORDS + 3


async def test_a_full_file_takes_checkpoints_alone(regulator: FakeRegulator, folder: Path) -> None:
    store = ReceiptStore(folder / "receipts.db", max_bytes=1)
    signed = SignedText(alg="Ed25519", key_id=regulator.key.public.key_id, text="{}", signature="s")
    for kind in ProofKind:
        await asyncio.wrap_future(store.keep(Proof(kind, 1, signed, regulator.key.public)))
    store.close()
    with closing(sqlite3.connect(folder / "receipts.db")) as db:
        assert db.execute("SELECT kind FROM proof").fetchall() == [("checkpoint",)]


async def test_a_disk_that_keeps_no_receipt_holds_no_record_up(
    regulator: FakeRegulator, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    receipts_path(folder, "regulator").mkdir(parents=True)
    await run_box(folder, regulator, beats=2)
    assert len(regulator.store.items("evidence_record")) == RECORDS
    assert sum("receipts cannot be kept" in message for message in caplog.messages) == 1
