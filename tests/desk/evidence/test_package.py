"""An evidence package holds, and every byte that is changed in it, whichever kind, is named."""

import asyncio
import base64
import hashlib
import io
import json
import subprocess
import sys
import zipfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from contract.signing import SignKey, generate_key
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.hazard import Channel, Grade, HazardKind, NewHazard
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import entries_about
from regulator.parts.evidence.package import PackageOffice
from regulator.parts.evidence.signatures import ed25519_holds
from regulator.parts.evidence.verifier import Report, verify_package
from regulator.parts.hazards.opening import open_hazard
from sitewarden.__main__ import main
from tests.fakes.desk_database import DeskClock
from tests.fakes.sending_box import PROJECT, DeskIntake, SendingBox, desk_intake

REVIEWER = Actor("u-1", "研判员", Scope(Level.PROVINCE, ""), frozenset({Duty.REVIEWER}))
STRANGER = Actor("u-2", "外区", Scope(Level.COUNTY, "440101"), frozenset({Duty.REVIEWER}))
CLIP, PICTURE = b"a clip of the alarm", b"\xff\xd8\xff a picture"
HOSTILE = "<script>alert(1)</script>"


@dataclass
class Kit:
    """A hazard that was opened from an alarm, and its package."""

    intake: DeskIntake
    box: SendingBox
    hazard_id: str
    office: PackageOffice

    def package(self) -> bytes:
        file = io.BytesIO()
        self.office.write(self.hazard_id, REVIEWER, self.intake.clock.move(seconds=1), file)
        return file.getvalue()


def summary(minute_at_ns: int, value: str) -> dict[str, Any]:
    point = {"point_id": "crane-1.moment", "unit": "%", "min": value, "max": value, "mean": value, "count": 60}
    return {"minute_at_ns": minute_at_ns, "asset": "crane-1", "points": [point | {"quality": 0}]}


def new_hazard(**changes: Any) -> NewHazard:
    known: dict[str, Any] = {"project_code": PROJECT, "channel": Channel.DEVICE, "kind": HazardKind.HAZARD}
    known |= {"grade": Grade.GENERAL, "title_zh": HOSTILE, "title_en": "overload", "place_id": "crane-1"}
    return NewHazard(**known | changes)


async def a_case(intake: DeskIntake, box: SendingBox) -> None:
    """A chain, an alarm about its second record, a picture, a clip, two minutes of curve, an anchor."""
    now = intake.clock()
    for words in ("before", "the alarm", "after"):
        await box.record(words)
    evidence = {"evidence_seq": 2, "evidence_sha256": box.records[1][1]}
    await box.alarm(**evidence, raised_at_ns=now, observed_at_ns=now)
    await box.thumbnail("t", PICTURE, "a:raised")
    await box.segment("s", CLIP, "a:raised")
    for minute, value in enumerate(("98.5", "112.5")):
        at_ns = now // 60_000_000_000 * 60_000_000_000 + minute * 60_000_000_000
        await box.say("minute_summary", f"m{minute}", summary(at_ns, value))
    await box.say("minute_summary", "other", summary(now, "1") | {"asset": "crane-2"})
    intake.run("anchors")


async def a_kit(intake: DeskIntake, alg: str = "Ed25519") -> Kit:
    box = intake.box()
    box.key = generate_key(alg)
    await box.enrol()
    await a_case(intake, box)
    desk = intake.desk
    sha256 = desk.shelf.put(b"a photo from the recheck", "image/jpeg")
    now = intake.clock()
    new = new_hazard(
        observed_at_ns=now, event_key="box-1/a", box_id="box-1", alarm_id="a", rule_id="r", blobs=(sha256,)
    )
    with desk.database.transaction() as db:
        hazard_id = open_hazard(db, desk.ledger, new, REVIEWER, now)
    return Kit(intake, box, hazard_id, PackageOffice(desk.database, desk.key, desk.shelf))


@pytest.fixture
async def kit(database: DeskDatabase, desk_key: SignKey, clock: DeskClock, tmp_path: Path) -> AsyncIterator[Kit]:
    intake = desk_intake(database, desk_key, clock, tmp_path)
    intake.intake.reception.open()
    yield await a_kit(intake)
    intake.intake.reception.close()


@dataclass(frozen=True)
class Made:
    """One package, and the key of the desk that made it."""

    content: bytes
    key: SignKey


def make_package(migrated_file: Path, folder: Path, alg: str = "Ed25519") -> Made:
    """A package of a desk and a box that both sign with this algorithm."""
    (folder / "desk.db").write_bytes(migrated_file.read_bytes())
    key = generate_key(alg)

    async def make() -> bytes:
        database = DeskDatabase(f"sqlite:///{folder / 'desk.db'}")
        intake = desk_intake(database, key, DeskClock(), folder)
        try:
            return (await a_kit(intake, alg)).package()
        finally:
            intake.intake.reception.close()
            database.close()

    return Made(asyncio.run(make()), key)


@pytest.fixture(scope="module")
def made(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """What the tampering tests change, each a copy."""
    return make_package(migrated_file, tmp_path_factory.mktemp("made"))


def verified(content: bytes, key_id: str = "") -> Report:
    return verify_package(io.BytesIO(content), key_id)


def changed(content: bytes, changes: Callable[[dict[str, bytes]], object]) -> bytes:
    """The package with other files in it."""
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        files = {name: package.read(name) for name in package.namelist()}
    changes(files)
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        for name, body in files.items():
            package.writestr(name, body)
    return file.getvalue()


def where(report: Report) -> set[str]:
    return {fault.where for fault in report.faults}


async def test_a_package_holds_and_holds_everything(kit: Kit) -> None:
    content = kit.package()
    report = verified(content, kit.office.key.public.key_id)
    assert report.faults == []
    assert report.checked == {
        "manifest": 1,
        "files": 13,
        "items": 5,
        "chain records": 2,
        "ledger entries": report.checked["ledger entries"],
        "anchors": 1,
        "media": 2,
        "curve": 1,
    }
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        names = set(package.namelist())
        page, curve = package.read("index.html").decode(), package.read("curve.csv").decode("utf-8-sig")
        assert package.read(f"media/{hashlib.sha256(CLIP).hexdigest()}.mp4") == CLIP
    assert {"manifest.json", "manifest.sig", "verify.py", "chain.jsonl", "ledger.jsonl", "anchors.json"} <= names
    assert "crane-1,crane-1.moment,%,112.5,112.5,112.5,60,0" in curve
    assert len(curve.splitlines()) == 3
    assert "&lt;script&gt;" in page
    assert "<script" not in page
    with kit.intake.desk.database.reading() as db:
        assert [entry.fields["kind"] for entry in entries_about(db, kit.hazard_id)][-1] == "evidence_packaged"


@pytest.mark.parametrize("kind", ["items/0001", "chain", "ledger", "anchors", "media", "curve", "index", "verify"])
def test_a_flipped_byte_of_any_file_is_named(made: Made, kind: str) -> None:
    content = made.content
    names: list[str] = []

    def flip(files: dict[str, bytes]) -> None:
        name = next(name for name in files if name.startswith(kind))
        middle = len(files[name]) // 2
        files[name] = files[name][:middle] + bytes([files[name][middle] ^ 1]) + files[name][middle + 1 :]
        names.append(name)

    report = verified(changed(content, flip))
    assert names[0] in where(report)


def test_every_single_byte_of_the_zip_that_matters_is_guarded(made: Made) -> None:
    """Bytes on the disk, not only files: the zip's own sums, the digests and the signatures leave no gap."""
    content = made.content
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        spans = [(entry.header_offset + 30 + len(entry.filename), entry.compress_size) for entry in package.infolist()]
    for begin, length in spans:
        at = begin + length // 2
        flipped = content[:at] + bytes([content[at] ^ 0x10]) + content[at + 1 :]
        assert verified(flipped).faults != [], at


def rewrite(name: str, change: Callable[[str], str]) -> Callable[[dict[str, bytes], SignKey], None]:
    """Somebody who holds no key changes a file and its digest in the manifest."""

    def act(files: dict[str, bytes], key: SignKey) -> None:
        found = next(each for each in files if each.startswith(name))
        old = files[found].decode("utf-8-sig")
        assert change(old) != old
        files[found] = change(old).encode()
        manifest = json.loads(files["manifest.json"])
        manifest["files"][found]["sha256"] = hashlib.sha256(files[found]).hexdigest()
        resigned(files, manifest, key)

    return act


def resigned(files: dict[str, bytes], manifest: dict[str, Any], key: SignKey) -> None:
    files["manifest.json"] = json.dumps(manifest, ensure_ascii=False).encode()
    said = {"key_id": key.public.key_id, "signature": key.sign(files["manifest.json"])}
    files["manifest.sig"] = json.dumps(said).encode()


def drop_line(number: int) -> Callable[[str], str]:
    def change(text: str) -> str:
        lines = text.splitlines(keepends=True)
        del lines[number]
        return "".join(lines)

    return change


def forged_receipt(text: str) -> str:
    item = json.loads(text)
    receipt = json.loads(item["receipt"]["text"]) | {"accepted_at_ns": 1}
    item["receipt"]["text"] = json.dumps(receipt)
    return json.dumps(item)


INSIDERS = {
    "a measured value": (rewrite("items/0001", lambda text: text.replace("112.5", "99.5")), "items/0001.json"),
    "a receipt": (rewrite("items/0001", forged_receipt), "items/0001.json"),
    "a chain record": (rewrite("chain", lambda text: text.replace("after", "AFTER")), "chain.jsonl: record 3"),
    "the alarm's record": (rewrite("chain", drop_line(0)), "chain.jsonl: record 2"),
    "the last record": (rewrite("chain", drop_line(-1)), "anchors.json: anchor 1"),
    "a deed": (rewrite("ledger", lambda text: text.replace("hazard_opened", "hazard_closed")), "ledger.jsonl: entry"),
    "the last deed": (rewrite("ledger", drop_line(-1)), "ledger.jsonl"),
    "an anchor": (rewrite("anchors", lambda text: text.replace('"number":1', '"number":2')), "anchors.json: anchor 2"),
    "the curve": (rewrite("curve", lambda text: text.replace("112.5", "99.5")), "curve.csv"),
}


@pytest.mark.parametrize("what", INSIDERS)
def test_even_the_desk_itself_cannot_change_what_was_signed_and_chained(made: Made, what: str) -> None:
    """The manifest signed anew with the desk's own key: what boxes signed and what is chained still tells."""
    change, named = INSIDERS[what]
    report = verified(changed(made.content, lambda files: change(files, made.key)))
    assert "manifest.sig" not in where(report)
    assert any(found.startswith(named) for found in where(report)), report.faults


def test_a_package_signed_by_somebody_else_is_named(made: Made) -> None:
    content, thief = made.content, generate_key()

    def take(files: dict[str, bytes]) -> None:
        manifest = json.loads(files["manifest.json"])
        public = thief.public
        manifest["keys"]["desk"] = [{"alg": public.alg, "key_id": public.key_id, "public_key": public.public_text}]
        resigned(files, manifest, thief)

    report = verified(changed(content, take), made.key.public.key_id)
    assert {"manifest.sig", "items/0001.json"} <= where(report)


def test_keys_that_were_swapped_in_the_manifest_are_named(made: Made) -> None:
    def swap(files: dict[str, bytes]) -> None:
        manifest = json.loads(files["manifest.json"])
        manifest["keys"]["box"][0]["public_key"] = generate_key().public.public_text
        resigned(files, manifest, made.key)

    assert "items/0001.json" in where(verified(changed(made.content, swap)))


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sig", "ledger.jsonl", "index.html", "items/0002.json"])
def test_a_file_that_is_gone_is_named(made: Made, name: str) -> None:
    report = verified(changed(made.content, lambda files: files.pop(name)))
    assert name in where(report)


def test_a_file_that_was_added_is_named(made: Made) -> None:
    report = verified(changed(made.content, lambda files: files.update({"more.txt": b"x"})))
    assert where(report) == {"more.txt"}


async def test_media_that_never_came_is_said_and_changed_media_is_a_fault(kit: Kit, tmp_path: Path) -> None:
    digest = hashlib.sha256(CLIP).hexdigest()
    path = tmp_path / "blobs" / digest[:2] / digest
    path.write_bytes(b"another clip")
    assert where(verified(kit.package())) == {f"media/{digest}"}
    path.unlink()
    report = verified(kit.package())
    assert report.faults == []
    assert report.checked["media that was not there"] == 1


def test_the_program_in_the_package_says_the_same_without_anything_of_ours(made: Made, tmp_path: Path) -> None:
    (tmp_path / "p.zip").write_bytes(made.content)
    with zipfile.ZipFile(tmp_path / "p.zip") as package:
        (tmp_path / "verify.py").write_bytes(package.read("verify.py"))

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", "verify.py", "p.zip", *more]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    good = run(made.key.public.key_id)
    assert (good.returncode, good.stderr) == (0, "")
    assert "everything holds" in good.stdout
    bad = run("ed25519:" + "0" * 32)
    assert bad.returncode == 1
    assert "signed with another key" in bad.stdout


def test_an_unpacked_package_is_verified_from_inside_as_the_documents_say(made: Made, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(made.content)) as package:
        package.extractall(tmp_path / "unpacked")
    folder = tmp_path / "unpacked"

    def run(*more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-I", "-S", "verify.py", *more]
        return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)

    for arguments in ((".", made.key.public.key_id), (str(folder), made.key.public.key_id)):
        good = run(*arguments)
        assert (good.returncode, good.stderr) == (0, ""), good.stdout
        assert "everything holds" in good.stdout
    for arguments in ((), (".",)):
        stranger = run(*arguments)
        assert (stranger.returncode, stranger.stderr) == (3, ""), stranger.stdout
        assert f"signed by an unknown desk, {made.key.public.key_id}" in stranger.stdout
        assert "everything holds" not in stranger.stdout
    assert run("nowhere.zip").returncode == 2
    (folder / "more.txt").write_text("x")
    (folder / "media" / "link").symlink_to(folder / "index.html")
    (folder / "curve.csv").write_text("0")
    bad = run()
    assert bad.returncode == 1
    assert all(name in bad.stdout for name in ("more.txt", "media/link", "curve.csv")), bad.stdout


def test_the_command_line_lists_faults(made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = made.content
    (tmp_path / "good.zip").write_bytes(content)
    assert main(["verify", str(tmp_path / "good.zip"), "--key", made.key.public.key_id]) == 0
    assert "everything holds" in capsys.readouterr().out
    assert main(["verify", str(tmp_path / "good.zip")]) == 3
    assert "signed by an unknown desk" in capsys.readouterr().out
    (tmp_path / "bad.zip").write_bytes(changed(content, lambda files: files.update({"curve.csv": b"0"})))
    assert main(["verify", str(tmp_path / "bad.zip")]) == 1
    assert "curve.csv" in capsys.readouterr().out


async def test_an_alarm_told_before_it_was_sealed_is_said_and_holds_with_its_later_record(kit: Kit) -> None:
    unsealed = {"evidence_seq": 0, "evidence_sha256": "0" * 64}
    assert (await kit.box.alarm("a", "returned", **unsealed)).status == 200
    report = verified(kit.package())
    assert report.faults == []
    assert report.checked["records that had not arrived"] == 1
    told = {"event_id": "a:returned", "told_at_ns": 1, "sealed_at_ns": 2}
    assert (await kit.box.record("sealed later", content={"told_unsealed": told})).status == 200
    kit.intake.run("anchors")
    report = verified(kit.package())
    assert report.faults == []
    assert report.checked["alarms told first and sealed later"] == 1
    assert "records that had not arrived" not in report.checked


async def test_a_hazard_that_people_found_has_a_package_too(kit: Kit) -> None:
    kit.hazard_id = _found_by_people(kit)
    report = verified(kit.package())
    assert report.faults == []
    assert "chain records" not in report.checked


def _found_by_people(kit: Kit) -> str:
    new = new_hazard(channel=Channel.INSPECTION, observed_at_ns=kit.intake.clock(), event_key="found/1")
    with kit.intake.desk.database.transaction() as db:
        return open_hazard(db, kit.intake.desk.ledger, new, REVIEWER, kit.intake.clock())


async def test_outside_the_scope_there_is_no_hazard(kit: Kit) -> None:
    with pytest.raises(RefusedError) as caught:
        kit.office.write(kit.hazard_id, STRANGER, 1, io.BytesIO())
    assert caught.value.status == 404
    with pytest.raises(RefusedError, match="no_such_hazard"):
        kit.office.write("hz-none", REVIEWER, 1, io.BytesIO())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no zip", b"x" * 1000])
def test_what_is_no_zip_is_said(content: bytes) -> None:
    assert where(verified(content)) == {"package"}


@pytest.mark.parametrize("manifest", [b"", b"[]", b"{}", b"\xff", b'{"format":"sitewarden-evidence-1"}', b"[" * 99999])
def test_a_zip_that_is_no_package_is_said(manifest: bytes) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as package:
        package.writestr("manifest.json", manifest)
    assert "manifest.json" in where(verified(file.getvalue()))


def test_signatures_of_rfc_8032_hold_and_others_do_not() -> None:
    """RFC 8032, 7.1, tests 1 to 3."""
    vectors = [
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ]
    for public, data, signature in vectors:
        key, said, made = bytes.fromhex(public), bytes.fromhex(data), bytes.fromhex(signature)
        assert ed25519_holds(key, made, said)
        assert not ed25519_holds(key, made, said + b"!")
        assert not ed25519_holds(key, made[:40] + bytes([made[40] ^ 1]) + made[41:], said)
        order = 2**252 + 27742317777372353535851937790883648493
        other = (int.from_bytes(made[32:], "little") + order).to_bytes(32, "little")
        assert not ed25519_holds(key, made[:32] + other, said)


def test_our_own_signatures_hold_for_the_program_that_shares_nothing_with_them() -> None:
    for number in range(5):
        key, data = generate_key(), b"data" * number
        public, signature = base64.b64decode(key.public.public_text), base64.b64decode(key.sign(data))
        assert ed25519_holds(public, signature, data)
        assert not ed25519_holds(public, signature, data + b"x")
