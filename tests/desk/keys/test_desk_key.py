"""The desk's key: one for all replicas, changed in two steps, and what an older one signed still holds."""

import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from contract.chain import ChainHead
from contract.keyfile import load
from contract.messages import Acknowledged, MailboxAck
from contract.signing import generate_key, verify_key
from regulator.base.intake.mailbox import acknowledge
from regulator.base.intake.recheck import RecheckJob
from regulator.base.keys.desk_key import announce, open_key, standing, use
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.key_history import CHAIN, known_keys, public_keys
from regulator.base.records.ledger import entries_of, verify_ledger
from regulator.base.records.tables.intake import mailbox
from regulator.parts.evidence.known_keys import GRACE_NS, with_known
from regulator.parts.evidence.package import PackageOffice
from regulator.parts.evidence.verifier import verify_package
from regulator.parts.hazards.opening import open_hazard
from tests.desk.evidence.test_package import REVIEWER, new_hazard
from tests.fakes.desk_database import DeskClock
from tests.fakes.sending_box import DeskIntake, SendingBox, desk_intake


def test_replicas_that_start_together_sign_with_one_key(database: DeskDatabase, tmp_path: Path) -> None:
    file = tmp_path / "desk.key.pem"
    first, second = open_key(database, file, 1), open_key(database, file, 2)
    assert first.public.key_id == second.public.key_id
    with database.reading() as db:
        (known,) = known_keys(db).values()
        assert [entry.fields["kind"] for entry in entries_of(db, CHAIN)] == ["desk_key_in_use"]
    assert (known.used_from_ns, known.retired_at_ns) == (1, 0)


def test_a_lost_or_foreign_key_file_stops_the_start_and_says_what_was_expected(
    database: DeskDatabase, tmp_path: Path
) -> None:
    file = tmp_path / "desk.key.pem"
    key_id = open_key(database, file, 1).public.key_id
    content = file.read_bytes()
    file.unlink()
    with pytest.raises(ValueError, match=key_id):
        open_key(database, file, 2)
    assert not file.exists()
    file.write_bytes(generate_key().pem())
    with pytest.raises(ValueError, match=key_id):
        open_key(database, file, 2)
    file.write_bytes(content)
    assert open_key(database, file, 3).public.key_id == key_id


def test_a_key_that_is_lost_for_good_is_replaced_by_name_and_reason(database: DeskDatabase, tmp_path: Path) -> None:
    file = tmp_path / "desk.key.pem"
    old = open_key(database, file, 1).public.key_id
    file.unlink()
    new = open_key(database, file, 2, "the disk of the key died")
    assert new.public.key_id != old
    assert open_key(database, file, 3).public.key_id == new.public.key_id
    with database.reading() as db:
        last = entries_of(db, CHAIN)[-1]
        assert isinstance(verify_ledger(db, CHAIN, public_keys(db, new)), ChainHead)
    assert (last.fields["kind"], last.fields["content"]["before"]) == ("desk_key_lost", old)
    assert last.key_id == new.public.key_id


async def answered(intake: DeskIntake, box: SendingBox, outcome: str = "kept") -> None:
    """The box fetches its mail and acknowledges all of it."""
    with intake.desk.database.transaction() as db:
        ids = db.scalars(select(mailbox.c.message_id).where(mailbox.c.box_id == box.box_id)).all()
        told = tuple(Acknowledged.model_validate({"message_id": each, "outcome": outcome}) for each in ids)
        acknowledge(db, box.box_id, MailboxAck(messages=told), intake.clock())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "desk.key.pem"


async def test_a_key_is_changed_once_every_box_knows_the_next_one(
    database: DeskDatabase, clock: DeskClock, tmp_path: Path, file: Path
) -> None:
    key = open_key(database, file, clock())
    intake = desk_intake(database, key, clock, tmp_path)
    boxes = [intake.box(name) for name in ("box-1", "box-2")]
    for each in boxes:
        await each.enrol()
    said = announce(database, file, clock())
    assert (said.boxes, said.behind, said.done) == (2, ("box-1", "box-2"), False)
    with database.reading() as db:
        letters = [
            json.loads(text) for text in db.scalars(select(mailbox.c.signed).where(mailbox.c.kind == "key_rotation"))
        ]
    for letter in letters:
        key.public.verify(letter["signature"], letter["text"].encode())
        assert json.loads(letter["text"])["body"]["whose"] == "regulator"
    await answered(intake, boxes[0])
    clock.move(hours=1)
    refused = use(database, file, clock())
    assert (refused.behind, refused.done, load(file).public.key_id) == (("box-2",), False, key.public.key_id)
    await answered(intake, boxes[1])
    done = use(database, file, clock())
    assert (done.done, load(file).public.key_id) == (True, said.key_id)
    assert mode(file) == 0o600
    archived = file.with_name(f"{file.name}.{key.public.key_id.split(':')[1]}")
    assert load(archived).public.key_id == key.public.key_id
    assert open_key(database, file, clock()).public.key_id == said.key_id
    intake.intake.reception.close()


async def test_a_box_that_is_older_than_the_change_is_behind_until_somebody_leaves_it_there(
    database: DeskDatabase, clock: DeskClock, tmp_path: Path, file: Path
) -> None:
    intake = desk_intake(database, open_key(database, file, clock()), clock, tmp_path)
    box = intake.box()
    await box.enrol()
    announce(database, file, clock())
    await answered(intake, box, "unsupported")
    assert use(database, file, clock()).behind == ("box-1",)
    assert use(database, file, clock(), leave_behind=True).done
    with database.reading() as db:
        assert entries_of(db, CHAIN)[-1].fields["content"]["left_behind"] == ["box-1"]
    intake.intake.reception.close()


def test_both_keys_sign_the_change(database: DeskDatabase, clock: DeskClock, file: Path) -> None:
    old = open_key(database, file, clock())
    announce(database, file, clock())
    announce(database, file, clock())
    use(database, file, clock())
    with database.reading() as db:
        entries, keys = entries_of(db, CHAIN), public_keys(db, load(file))
        assert isinstance(verify_ledger(db, CHAIN, keys), ChainHead)
    assert [entry.fields["kind"] for entry in entries] == ["desk_key_in_use", "desk_key_announced", "desk_key_in_use"]
    assert [entry.key_id for entry in entries[1:]] == [old.public.key_id, load(file).public.key_id]
    said: Any = entries[2].fields["content"]
    text = said["signed_text"].encode()
    old.public.verify(said["signed_by_old"], text)
    verify_key(said["alg"], said["public_key"]).verify(said["signed_by_new"], text)


def test_a_crash_between_database_and_file_is_made_good_at_the_next_start(
    database: DeskDatabase, clock: DeskClock, file: Path
) -> None:
    open_key(database, file, clock())
    announce(database, file, clock())
    before, following = file.read_bytes(), file.with_name(f"{file.name}.next").read_bytes()
    done = use(database, file, clock())
    file.write_bytes(before)
    file.with_name(f"{file.name}.next").write_bytes(following)
    assert open_key(database, file, clock()).public.key_id == done.key_id


def test_nothing_is_changed_without_an_announcement(database: DeskDatabase, clock: DeskClock, file: Path) -> None:
    open_key(database, file, clock())
    for step in (standing, lambda db, path: use(db, path, clock())):
        with pytest.raises(ValueError, match="announce"):
            step(database, file)


async def test_what_an_older_key_signed_still_holds(
    database: DeskDatabase, clock: DeskClock, tmp_path: Path, file: Path
) -> None:
    """A package, a receipt and the ledger from before the change; a package made with the old key long after it."""
    old = open_key(database, file, clock())
    intake = desk_intake(database, old, clock, tmp_path)
    intake.intake.reception.open()
    box = intake.box()
    await box.enrol()
    await box.record("before")
    with database.transaction() as db:
        new_one = new_hazard(project_code=box.project, observed_at_ns=clock(), event_key="found/1")
        hazard = open_hazard(db, intake.desk.ledger, new_one, REVIEWER, clock())
    before = package(database, old, intake, hazard, clock)
    announce(database, file, clock())
    clock.move(seconds=60)
    use(database, file, clock(), leave_behind=True)
    new = open_key(database, file, clock())
    after = package(database, new, intake, hazard, clock)
    clock.at_ns += GRACE_NS + 1
    late = package(database, old, intake, hazard, clock)
    with database.reading() as db:
        keys = known_keys(db)
    assert with_known(verify_package(before), keys).faults == []
    assert with_known(verify_package(after), keys).faults == []
    assert [fault.en for fault in with_known(verify_package(late), keys).faults] == [
        "the key had been retired before the package was made"
    ]
    assert (
        "another key" in with_known(verify_package(after), {key: keys[key] for key in [old.public.key_id]}).faults[0].en
    )
    RecheckJob(database, intake.desk.ledger, new, intake.desk.shelf).run(clock())
    assert [row["kind"] for row in intake.findings()] == ["unregistered_project"]
    intake.intake.reception.close()


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def package(database: DeskDatabase, key: Any, intake: DeskIntake, hazard_id: str, clock: DeskClock) -> io.BytesIO:
    made = io.BytesIO()
    PackageOffice(database, key, intake.desk.shelf).write(hazard_id, REVIEWER, clock(), made)
    made.seek(0)
    return made
