"""A package leaves the desk only to who may see it, with an entry in the ledger; the page checks what comes."""

import hashlib
import io
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert, update

from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.ledger import entries_about
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.registry import projects
from regulator.parts.hazards.opening import open_hazard
from tests.desk.evidence.test_package import PROJECT, REVIEWER, new_hazard, verified, where
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace


@pytest.fixture
def face(tmp_path: Path, desk_url: str, clock: DeskClock) -> Iterator[DeskFace]:
    with DeskFace(tmp_path, clock, url=desk_url) as face:
        yield face


@pytest.fixture
def hazard_id(face: DeskFace) -> str:
    sha256 = face.desk.shelf.put(b"a photo", "image/jpeg")
    new = new_hazard(observed_at_ns=face.clock(), event_key="found/1", blobs=(sha256,))
    with face.database.transaction() as db:
        _register(db)
        return open_hazard(db, face.desk.ledger, new, REVIEWER, face.clock())


def _register(db: Connection) -> None:
    db.execute(insert(projects).values(project_code=PROJECT, name="工程", province_code="44", city_code="4401"))


def test_a_package_is_downloaded_holds_and_is_in_the_ledger(face: DeskFace, hazard_id: str) -> None:
    client, path = face.client(Duty.REVIEWER), f"/hazards/{hazard_id}/package"
    assert f'href="{path}"' in client.get(f"/hazards/{hazard_id}").text
    assert f'href="{path}"' not in face.client(Duty.VIEWER).get(f"/hazards/{hazard_id}").text
    answer = client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"].endswith('.zip"')
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert verified(answer.content, face.desk.key.public.key_id).faults == []
    with face.database.reading() as db:
        last = entries_about(db, hazard_id)[-1].fields
    assert last["kind"] == "evidence_packaged"


@pytest.mark.parametrize(
    ("duty", "scope", "status"),
    [
        (Duty.VIEWER, Scope(Level.PROVINCE, ""), 403),
        (Duty.ADMINISTRATOR, Scope(Level.PROVINCE, ""), 403),
        (Duty.REVIEWER, Scope(Level.CITY, "4403"), 404),
        (Duty.REVIEWER, Scope(Level.CITY, "4401"), 200),
    ],
)
def test_a_package_is_for_who_works_on_the_case(
    face: DeskFace, hazard_id: str, duty: Duty, scope: Scope, status: int
) -> None:
    client = face.client(duty, scope)
    assert client.get(f"/hazards/{hazard_id}/package").status_code == status
    with face.database.reading() as db:
        kinds = [entry.fields["kind"] for entry in entries_about(db, hazard_id)]
    assert kinds.count("evidence_packaged") == (status == 200)


def test_the_page_says_what_holds_and_what_does_not(face: DeskFace, hazard_id: str) -> None:
    client = face.client(Duty.REVIEWER)
    content = client.get(f"/hazards/{hazard_id}/package").content
    good = client.submit("/verify", "/verify", files={"package": ("p.zip", content, "application/zip")})
    assert good.status_code == 200
    assert "证据包全部成立" in good.text
    photo = f"media/{hashlib.sha256(b'a photo').hexdigest()}.bin"
    flipped = _flipped(content, photo)
    assert where(verified(flipped)) == {photo}
    bad = client.submit("/verify", "/verify", files={"package": ("<b>.zip", flipped, "application/zip")})
    assert photo in bad.text
    assert "内容与清单摘要不符" in bad.text
    assert "<b>.zip" not in bad.text


def test_what_is_no_package_is_said(face: DeskFace) -> None:
    client = face.client(Duty.REVIEWER)
    answer = client.submit("/verify", "/verify", files={"package": ("p.zip", b"no zip", "application/zip")})
    assert answer.status_code == 422
    assert "不是可读取的 zip 文件" in answer.text
    assert client.submit("/verify", "/verify").status_code in (415, 422)


def _flipped(content: bytes, name: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        files = {each: package.read(each) for each in package.namelist()}
    files[name] = bytes([files[name][0] ^ 1]) + files[name][1:]
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        for each, body in files.items():
            package.writestr(each, body)
    return file.getvalue()


def test_a_large_package_is_read_from_the_disk_and_not_held_in_memory(face: DeskFace, tmp_path: Path) -> None:
    """What the desk holds at its highest while it takes and reads 64 MiB, told by the interpreter itself."""
    large = tmp_path / "large.zip"
    with zipfile.ZipFile(large, "w") as package, package.open("media/zeros.bin", "w") as entry:
        for _ in range(64):
            entry.write(bytes(2**20))
    client = face.client(Duty.REVIEWER)
    csrf = client.csrf("/verify")
    tracemalloc.start()
    try:
        with large.open("rb") as file:
            answer = client.post("/verify", data={"csrf": csrf}, files={"package": ("large.zip", file)})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 422
    assert peak < 24 * 2**20


def test_a_form_that_nobody_of_ours_made_is_refused_before_anything_is_verified(face: DeskFace) -> None:
    client = face.client(Duty.REVIEWER)
    answer = client.post("/verify", data={"csrf": "0" * 64}, files={"package": ("a.zip", b"PK")})
    assert answer.status_code == 403
    assert client.submit("/verify", "/verify", files={"other": ("a.zip", b"PK")}).status_code == 422


def test_a_case_that_is_handed_over_takes_its_evidence_along_once(face: DeskFace, hazard_id: str) -> None:
    client, path = face.client(Duty.REVIEWER), f"/hazards/{hazard_id}/handed-over"
    job = next(job for job in face.desk.jobs if job.name == "handed-packages")
    job.run(face.clock())
    assert client.get(path).status_code == 404
    with face.database.transaction() as db:
        db.execute(update(hazards).where(hazards.c.hazard_id == hazard_id).values(handed_over_at_ns=face.clock()))
    job.run(face.clock())
    assert f'href="{path}"' in client.get(f"/hazards/{hazard_id}").text
    first = client.get(path)
    assert verified(first.content, face.desk.key.public.key_id).faults == []
    face.clock.move(hours=1)
    job.run(face.clock())
    assert client.get(path).content == first.content
    with face.database.reading() as db:
        told = [entry.fields for entry in entries_about(db, hazard_id)]
    (said,) = [each["content"] for each in told if each["kind"] == "evidence_handed_over"]
    assert said["sha256"] == hashlib.sha256(first.content).hexdigest()
    assert face.client(Duty.VIEWER).get(path).status_code == 403
    assert face.client(Duty.REVIEWER, Scope(Level.CITY, "4403")).get(path).status_code == 404
