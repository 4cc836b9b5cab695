"""A key that is changed while two desks run on one database: both sign with it without being started again."""

import json
from pathlib import Path
from typing import Any

import pytest

from contract.chain import ChainHead
from contract.envelope import sign_text
from contract.keyfile import load
from contract.messages import ReceiptText
from contract.signing import SignKey, VerifyKey, generate_key
from regulator.base.desk import Desk
from regulator.base.intake.building import build_intake
from regulator.base.keys.desk_key import announce, use
from regulator.base.model.actor import SYSTEM
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.key_history import known_keys
from regulator.base.records.ledger import Deed, Ledger, entries_of, verify_ledger
from regulator.base.settings import DeskSettings
from regulator.base.web.account_visitors import AccountVisitors
from regulator.running import open_desk
from tests.fakes.desk_database import DeskClock
from tests.fakes.sending_box import DeskIntake, SendingBox, desk_intake, reply_of


@pytest.fixture
def settings(desk_url: str, tmp_path: Path) -> DeskSettings:
    return DeskSettings(database=desk_url, blobs=str(tmp_path / "blobs"), key_file=tmp_path / "desk.key.pem")


@pytest.fixture
def desks(settings: DeskSettings, clock: DeskClock):  # type: ignore[no-untyped-def]
    both = [open_desk(settings, clock) for _ in range(2)]
    yield both
    for each in both:
        each.database.close()


def follow(desk: Desk, clock: DeskClock) -> None:
    next(job for job in desk.jobs if job.name == "desk-key").run(clock())


def test_both_desks_sign_with_the_new_key_without_a_restart(
    desks: list[Desk], settings: DeskSettings, clock: DeskClock
) -> None:
    old, visitors = desks[0].key.public.key_id, [AccountVisitors(desk) for desk in desks]
    ledgers, forms = [desk.ledger for desk in desks], visitors[0].form_key
    announce(desks[0].database, settings.key_file, clock())
    for desk in desks:
        follow(desk, clock)
        assert desk.key.public.key_id == old, "it is announced, not in use"
    new = use(desks[0].database, settings.key_file, clock()).key_id
    for ledger, desk in zip(ledgers, desks, strict=True):
        with desk.database.transaction() as db:
            ledger.append(db, Deed("noted", "before", {}, "p1"), SYSTEM, clock())
        follow(desk, clock)
        with desk.database.transaction() as db:
            ledger.append(db, Deed("noted", "after", {}, "p1"), SYSTEM, clock())
    with desks[0].database.reading() as db:
        signed = [entry.key_id for entry in entries_of(db, "project:p1")]
        keys = {key_id: known.key for key_id, known in known_keys(db).items()}
        assert isinstance(verify_ledger(db, "project:p1", keys), ChainHead)
    assert signed == [old, new, old, new]
    assert visitors[0].form_key == visitors[1].form_key != forms


async def test_receipts_replies_and_mail_are_signed_with_it(
    desks: list[Desk], settings: DeskSettings, clock: DeskClock
) -> None:
    intakes = [DeskIntake(desk, build_intake(desk), clock) for desk in desks]
    boxes = [intake.box(f"box-{number}") for number, intake in enumerate(intakes)]
    for box in boxes:
        await box.enrol()
    announce(desks[0].database, settings.key_file, clock())
    new = use(desks[0].database, settings.key_file, clock(), leave_behind=True).key_id
    for intake, box in zip(intakes, boxes, strict=True):
        follow(intake.desk, clock)
        reply = reply_of(await box.alarm())
        assert reply.body is not None
        assert (reply.key_id, reply.body["receipt"]["key_id"]) == (new, new)
        assert reply_of(await box.say("heartbeat", "bad", {})).key_id == new, "a refusal, too"
        intake.intake.reception.close()


def test_a_desk_without_the_new_keys_file_goes_on_with_the_old_one_and_says_so(
    desks: list[Desk], settings: DeskSettings, clock: DeskClock
) -> None:
    old, before = desks[1].key.public.key_id, settings.key_file.read_bytes()
    announce(desks[0].database, settings.key_file, clock())
    new = use(desks[0].database, settings.key_file, clock()).key_id
    right = settings.key_file.read_bytes()
    settings.key_file.write_bytes(before)
    with pytest.raises(ValueError, match=new):
        follow(desks[1], clock)
    assert desks[1].key.public.key_id == old
    settings.key_file.write_bytes(right)
    follow(desks[1], clock)
    assert desks[1].key.public.key_id == new


def test_a_replica_that_finds_the_change_before_the_files_are_moved_moves_them(
    desks: list[Desk], settings: DeskSettings, clock: DeskClock
) -> None:
    announce(desks[0].database, settings.key_file, clock())
    following = settings.key_file.with_name(f"{settings.key_file.name}.next")
    before, prepared = settings.key_file.read_bytes(), following.read_bytes()
    new = use(desks[0].database, settings.key_file, clock()).key_id
    settings.key_file.write_bytes(before)
    following.write_bytes(prepared)
    follow(desks[1], clock)
    assert desks[1].key.public.key_id == load(settings.key_file).public.key_id == new
    assert not following.exists()


class ChangingKey:
    """Changed between any two calls: without `present` one key's name stands beside the other's signature."""

    def __init__(self) -> None:
        self.keys = [generate_key(), generate_key()]

    @property
    def present(self) -> SignKey:
        self.keys.reverse()
        return self.keys[0]

    @property
    def public(self) -> VerifyKey:
        return self.present.public

    def sign(self, data: bytes) -> str:
        return self.present.sign(data)

    def pem(self) -> bytes:
        return self.present.pem()


async def test_a_change_in_the_middle_of_signing_never_mixes_two_keys(
    database: DeskDatabase, clock: DeskClock, tmp_path: Path
) -> None:
    key = ChangingKey()
    public: dict[str, Any] = {each.public.key_id: each.public for each in key.keys}
    with database.transaction() as db:
        for _ in range(3):
            Ledger(key).append(db, Deed("noted", "x", {}, "p1"), SYSTEM, clock())
    with database.reading() as db:
        assert isinstance(verify_ledger(db, "project:p1", public), ChainHead)
    known = {"box_id": "b", "key": "k", "kind": "k", "body_sha256": "0" * 64}
    for number in range(2):
        text = sign_text(ReceiptText(receipt_id=str(number), accepted_at_ns=1, **known), key)
        public[text.key_id].verify(text.signature, text.text.encode())
    intake = desk_intake(database, key, clock, tmp_path)
    box: SendingBox = intake.box()
    for answer in (await box.enrol(), await box.alarm(), await box.say("heartbeat", "bad", {})):
        public[json.loads(answer.sealed.raw)["key_id"]].verify(answer.sealed.signature, answer.sealed.raw)
    intake.intake.reception.close()
