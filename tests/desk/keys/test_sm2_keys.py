"""A desk with SM2: its key, the change from Ed25519, and no message that chooses how it is checked."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from sqlalchemy import select, update

from contract.chain import ChainFault, ChainHead
from contract.envelope import Envelope, seal
from contract.keyfile import load
from contract.signing import generate_key
from regulator.base.intake.reception import Request
from regulator.base.keys.desk_key import announce, open_key, use
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.key_history import CHAIN, algorithms_in_use, public_keys
from regulator.base.records.ledger import entries_of, verify_ledger
from regulator.base.records.tables.intake import mailbox
from regulator.base.records.tables.ledger import ledger_entries
from tests.desk.keys.test_desk_key import answered
from tests.fakes.desk_database import DeskClock
from tests.fakes.sending_box import SendingBox, desk_intake
from tests.fakes.sm2_keys import WITHOUT_LIBRARY, needs_sm2

pytestmark = needs_sm2


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "desk.key.pem"


def test_a_new_desk_signs_with_the_algorithm_that_is_set(database: DeskDatabase, file: Path) -> None:
    key = open_key(database, file, 1, signature="SM2")
    assert key.public.alg == "SM2"
    assert open_key(database, file, 2).public.key_id == key.public.key_id, "a key that is there stays"
    with database.reading() as db:
        assert {entry.alg for entry in entries_of(db, CHAIN)} == {"SM2"}
        assert isinstance(verify_ledger(db, CHAIN, public_keys(db, key)), ChainHead)


async def test_a_desk_goes_over_to_sm2_as_to_any_next_key(
    database: DeskDatabase, clock: DeskClock, tmp_path: Path, file: Path
) -> None:
    intake = desk_intake(database, open_key(database, file, clock()), clock, tmp_path)
    new, old = intake.box("box-1"), intake.box("box-2")
    new.key = generate_key("SM2")
    for box in (new, old):
        assert (await box.enrol()).status == 200
    announce(database, file, clock(), "SM2")
    with database.reading() as db:
        letters = db.scalars(select(mailbox.c.signed).where(mailbox.c.kind == "key_rotation")).all()
    assert {json.loads(json.loads(letter)["text"])["body"]["alg"] for letter in letters} == {"SM2"}
    await answered(intake, new)
    await answered(intake, old, "unsupported")
    assert use(database, file, clock()).behind == ("box-2",), "it has no library for SM2"
    assert use(database, file, clock(), leave_behind=True).done
    key = open_key(database, file, clock())
    assert key.public.alg == load(file).public.alg == "SM2"
    with database.reading() as db:
        assert algorithms_in_use(db) == ["Ed25519", "SM2"]
        assert isinstance(verify_ledger(db, CHAIN, public_keys(db, key)), ChainHead)
    intake.intake.reception.close()


def test_an_entry_that_names_another_algorithm_than_its_keys_is_a_fault(database: DeskDatabase, file: Path) -> None:
    key = open_key(database, file, 1, signature="SM2")
    with database.transaction() as db:
        db.execute(update(ledger_entries).where(ledger_entries.c.chain == CHAIN).values(alg="Ed25519"))
    with database.reading() as db:
        fault = verify_ledger(db, CHAIN, public_keys(db, key))
    assert isinstance(fault, ChainFault)
    assert "a key of SM2" in fault.reason


@pytest.mark.parametrize(("enrolled", "claimed"), [("Ed25519", "SM2"), ("SM2", "Ed25519")])
async def test_a_box_is_checked_by_the_algorithm_that_it_enrolled_with(
    enrolled: str, claimed: str, database: DeskDatabase, clock: DeskClock, tmp_path: Path, file: Path
) -> None:
    """Also when its key was used just now, and is remembered."""
    intake = desk_intake(database, open_key(database, file, clock()), clock, tmp_path)
    intake.intake.reception.open()
    box = intake.box()
    box.key = generate_key(enrolled)
    assert (await box.enrol()).status == 200
    for _ in range(2):
        for signer, code in ((box.key, "unknown_sender"), (generate_key(claimed), "bad_signature")):
            answer = await intake.intake.reception.message(claims(box, claimed, signer))
            assert (answer.status, code_of(answer)) == (401, code)
        assert (await box.beat()).status == 200
    intake.intake.reception.close()


async def test_a_key_is_enrolled_as_what_it_is(
    database: DeskDatabase, clock: DeskClock, tmp_path: Path, file: Path
) -> None:
    intake = desk_intake(database, open_key(database, file, clock()), clock, tmp_path)
    intake.intake.reception.open()
    for alg, other in (("Ed25519", "SM2"), ("SM2", "Ed25519")):
        box = intake.box()
        box.key = generate_key(alg)
        body = {"code": box.code, "public_key": box.key.public.public_text, "project_code": box.project}
        request = claims(box, other, box.key, "enrol", body | {"software": "test"})
        answer = await intake.intake.reception.enrol(request)
        assert (answer.status, code_of(answer)) == (400, "malformed")
    intake.intake.reception.close()


def claims(box, alg, signer, kind="heartbeat", body=None) -> Request:
    """The box's next sending, which claims an algorithm."""
    box.seq += 1
    beat = {"chain": {"seq": 0, "sha256": "0" * 64}, "started_at_ns": 1, "counters": {}}
    fields = {"alg": alg, "key_id": box.key.public.key_id, "box_id": box.box_id, "seq": box.seq, "key": kind}
    sealed = seal(Envelope(kind=kind, sent_at_ns=box.clock(), body=body or beat, **fields), signer)
    return Request(sealed.raw, sealed.signature, "/v1/messages")


def code_of(answer) -> str:
    return json.loads(answer.sealed.raw)["error"]["code"]


def start_without_library(folder: Path) -> subprocess.CompletedProcess[str]:
    program = WITHOUT_LIBRARY + "from sitewarden.__main__ import main; sys.exit(main(['desk', 'desk.yaml']))"
    command = [sys.executable, "-c", program]
    here = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    return subprocess.run(command, cwd=folder, env=here, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("when", ["it is set", "the desk's key is one", "a box's key is one"])
async def test_a_desk_without_the_library_does_not_start_and_names_the_extra(
    when: str, tmp_path: Path, clock: DeskClock, migrated_file: Path
) -> None:
    shutil.copy(migrated_file, tmp_path / "desk.db")
    settings = {"database": "sqlite:///desk.db", "blobs": "blobs", "key_file": "desk.key.pem"}
    settings |= {"signature": "SM2"} if when == "it is set" else {}
    (tmp_path / "desk.yaml").write_text(yaml.safe_dump(settings))
    opened = DeskDatabase(f"sqlite:///{tmp_path / 'desk.db'}")
    alg = "SM2" if when.startswith("the desk") else "Ed25519"
    intake = desk_intake(opened, open_key(opened, tmp_path / "desk.key.pem", 1, signature=alg), clock, tmp_path)
    box: SendingBox = intake.box()
    box.key = generate_key("SM2" if when.startswith("a box") else "Ed25519")
    assert (await box.enrol()).status == 200
    intake.intake.reception.close()
    opened.close()
    done = start_without_library(tmp_path)
    assert done.returncode == 2, done.stderr
    assert "pip install 'sitewarden[sm]'" in done.stderr
    assert "Traceback" not in done.stderr
