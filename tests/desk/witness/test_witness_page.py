"""The page of the ledger's heads: a code to print, one that was printed, and what only the province's auditors get."""

import hashlib
from collections.abc import Iterator

import pytest

from regulator.base.model.actor import SYSTEM, Duty, Level, Scope
from regulator.base.records.ledger import Deed
from regulator.base.settings import DeskSettings, WitnessSettings
from regulator.parts.witness.heads import Head, newest_head
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace
from tests.fakes.openssl_tsa import OpensslTsa

CITY = Scope(Level.CITY, "4401")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpensslTsa]:
    with OpensslTsa(tmp_path_factory.mktemp("tsa")) as authority:
        yield authority


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory, authority: OpensslTsa) -> Iterator[DeskFace]:
    folder = tmp_path_factory.mktemp("desk")
    witness = WitnessSettings(url=authority.url, ca_file=authority.ca_file)
    settings = DeskSettings(
        database="sqlite://", blobs=str(folder / "blobs"), key_file=folder / "key.pem", witness=witness
    )
    with DeskFace(folder, DeskClock(), settings=settings) as face:
        yield face


@pytest.fixture(scope="module")
def head(face: DeskFace) -> Head:
    assert "尚无台账日摘要" in face.client(Duty.VIEWER).get("/witness").text
    with face.database.transaction() as db:
        face.desk.ledger.append(db, Deed("note", "s", {}, "P-1"), SYSTEM, face.clock())
    next(job for job in face.desk.jobs if job.name == "ledger-heads").run(face.clock())
    with face.database.reading() as db:
        found = newest_head(db)
    assert found is not None
    return found


def test_the_page_shows_the_code_of_the_day_to_everybody(face: DeskFace, head: Head) -> None:
    page = face.client(Duty.VIEWER, CITY).get("/witness").text
    assert (head.day, head.number) == ("2026-03-01", 1)
    assert head.code in page
    assert head.sha256 in page
    assert face.desk.key.public.key_id in page
    assert "head.json" not in page
    assert 'href="/witness"' in face.client(Duty.VIEWER).get("/verify").text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (lambda head: head.code, "该校验码为 2026-03-01 第 1 期台账日摘要"),
        (lambda head: head.sha256.upper(), "该校验码为 2026-03-01 第 1 期台账日摘要"),
        (lambda head: head.code.replace(" ", "-")[:-1] + "g", "校验码至少 24 位"),
        (lambda head: "0123 4567 89ab cdef 0123 4567", "没有台账日摘要使用该校验码"),
        (lambda head: "%", "校验码至少 24 位"),
    ],
)
def test_a_printed_code_is_checked(face: DeskFace, head: Head, typed, said: str) -> None:
    page = face.client(Duty.VIEWER).get("/witness", params={"code": typed(head)}).text
    assert said in page


def test_the_provinces_auditors_get_what_openssl_checks(face: DeskFace, head: Head, authority: OpensslTsa) -> None:
    client = face.client(Duty.AUDITOR)
    body = client.get(f"/witness/{head.number}/head.json")
    stamp = client.get(f"/witness/{head.number}/stamp.tsr")
    assert hashlib.sha256(body.content).hexdigest() == head.sha256
    assert stamp.headers["content-type"] == "application/timestamp-reply"
    assert authority.verify(body.content, stamp.content) == ""
    assert 'href="/witness/1/stamp.tsr"' in client.get("/witness").text
    assert client.get("/witness/2/head.json").status_code == 404
    assert client.get(f"/witness/{2**70}/head.json").status_code == 422


def test_nobody_else_reads_the_names_of_all_chains(face: DeskFace, head: Head) -> None:
    for client in (face.client(Duty.VIEWER), face.client(Duty.REVIEWER), face.client(Duty.AUDITOR, CITY)):
        assert client.get(f"/witness/{head.number}/head.json").status_code == 403
        assert client.get(f"/witness/{head.number}/stamp.tsr").status_code == 403
