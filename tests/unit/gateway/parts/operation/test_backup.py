import asyncio
import io
import json
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from contract.chain import ChainHead
from contract.envelope import sign_text
from contract.messages import ChainCheckpoint
from contract.signing import generate_key
from gateway.accounts.account_store import AccountStore
from gateway.accounts.accounts import Accounts, Around
from gateway.accounts.logins import SessionBounds
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry
from gateway.model.derivation import AssetEvent
from gateway.parts.operation.backup import BackupError, make_backup, open_files, restore, seal_files, verify_backup
from gateway.settings import Settings, load
from gateway.store.alert_store import open_for_reading
from gateway.store.asset_reader import AssetReader
from gateway.store.asset_store import AssetStore
from gateway.store.receipt_check import check_proofs
from gateway.store.receipts import Proof, ProofKind, ReceiptStore, receipts_path
from kit.clock import SimulatedClock
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.account_bench import newcomer, quick_passwords
from tests.fakes.field_site import write_site
from tests.fakes.site import Site, points, threshold

PASSPHRASE = "a long enough phrase"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    site = write_site(tmp_path, crane_port=1502, broker_port=1883, web_port=8080, uplinks=[])
    return load(site, DRIVERS, UPLINKS, KINDS)


@pytest.fixture
async def running(settings: Settings) -> AsyncIterator[Site]:
    """The box's stores, open and with three records, a key and a small public file."""
    folder = settings.storage.folder
    site = Site(folder, points(), [threshold()])
    site.start()
    for number in range(3):
        await site.recorder.record(Entry(RecordKind.STARTED, site.clock.now_ns(), {"number": number}))
    (folder / "keys").mkdir()
    (folder / "keys" / "desk.pem").touch(mode=0o600)
    (folder / "keys" / "desk.pem").write_text("the key")
    (folder / "notes.txt").write_text("public")
    yield site
    await site.stop()


async def test_what_the_desk_signed_about_the_chain_is_copied(
    running: Site, settings: Settings, tmp_path: Path
) -> None:
    key = generate_key()
    store = ReceiptStore(receipts_path(settings.storage.folder, "desk"))
    signed = sign_text(ChainCheckpoint(box_id="box-1", seq=3, sha256=running.alerts.head().sha256, at_ns=1), key)
    await asyncio.wrap_future(store.keep(Proof(ProofKind.CHECKPOINT, 3, signed, key.public)))
    result = make_backup(settings, tmp_path / "copies", running.clock, PASSPHRASE)
    store.close()
    restore(result.path, tmp_path / "new", PASSPHRASE)
    head = open_for_reading(tmp_path / "new").verify()
    assert isinstance(head, ChainHead)
    (report,) = check_proofs(tmp_path / "new", head, key.public.key_id)
    assert (report.uplink, report.checkpoints, report.vouched_seq, report.faults) == ("desk", 1, 3, [])


async def test_a_copy_taken_while_the_stores_are_open_restores_to_the_same_chain(
    running: Site, settings: Settings, tmp_path: Path
) -> None:
    result = make_backup(settings, tmp_path / "copies", running.clock, PASSPHRASE)
    assert result.left_out == ()
    assert result.path.parent == tmp_path / "copies"

    await running.recorder.record(Entry(RecordKind.STOPPED, running.clock.now_ns(), {}))
    manifest = restore(result.path, tmp_path / "new", PASSPHRASE)

    head = open_for_reading(tmp_path / "new").verify()
    assert head == ChainHead(3, manifest.chain_sha256)
    assert (tmp_path / "new" / "keys" / "desk.pem").read_text() == "the key"
    assert (tmp_path / "new" / "keys" / "desk.pem").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "new" / "notes.txt").read_text() == "public"
    assert (tmp_path / "new" / "site" / "rules" / "e2e.yaml").is_file()


async def test_a_sites_own_packs_in_folders_and_its_hazard_catalogue_are_in_the_copy(
    running: Site, settings: Settings, tmp_path: Path
) -> None:
    own = [Path("rules", "own", "pack.yaml"), Path("hazards", "2024.yaml")]
    for name in own:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("version: 1", encoding="utf-8")
    result = make_backup(settings, tmp_path / "copies", running.clock)
    restore(result.path, tmp_path / "new")
    assert [(tmp_path / "new" / "site" / name).read_text(encoding="utf-8") for name in own] == ["version: 1"] * 2


async def test_the_records_of_the_assets_are_in_the_copy(running: Site, settings: Settings, tmp_path: Path) -> None:
    assets = AssetStore(settings.storage.folder)
    assets.note(1, [AssetEvent("crane-1", "crane_cycle", 1, {"load_t": 2.5})], {"crane-1:derived": {"count": 1}})
    assets.flush().result(10)
    result = make_backup(settings, tmp_path / "copy.tar.gz", running.clock)
    assets.close()
    restore(result.path, tmp_path / "new")

    restored = AssetStore(tmp_path / "new")
    assert restored.states_at_open()["crane-1:derived"].state == {"count": 1}
    reader = AssetReader(restored.path)
    assert reader.cycles_kept("crane-1") == 1
    reader.close()
    restored.close()


async def test_a_restored_box_goes_on_with_the_chain(running: Site, settings: Settings, tmp_path: Path) -> None:
    result = make_backup(settings, tmp_path / "copy.tar.gz", running.clock)
    restore(result.path, tmp_path / "new")

    again = Site(tmp_path / "new", points(), [threshold()])
    again.start()
    record = await again.recorder.record(Entry(RecordKind.STARTED, again.clock.now_ns(), {}))
    await again.stop()

    assert record.seq == 4
    assert open_for_reading(tmp_path / "new").verify() == ChainHead(4, record.sha256)


async def test_without_a_passphrase_keys_are_left_out_and_named(
    running: Site, settings: Settings, tmp_path: Path
) -> None:
    result = make_backup(settings, tmp_path / "copy.tar.gz", running.clock)

    assert result.left_out == ("keys/desk.pem",)
    assert b"the key" not in b"".join(content for _, content in members(result.path))
    restore(result.path, tmp_path / "new")
    assert not (tmp_path / "new" / "keys").exists()


async def test_a_wrong_or_missing_passphrase_restores_nothing(
    running: Site, settings: Settings, tmp_path: Path
) -> None:
    result = make_backup(settings, tmp_path / "copy.tar.gz", running.clock, PASSPHRASE)

    for passphrase, words in (("", "expected the passphrase"), ("wrong", "wrong passphrase")):
        with pytest.raises(BackupError, match=words):
            restore(result.path, tmp_path / "new", passphrase)
    assert not (tmp_path / "new").exists()


async def test_a_folder_with_anything_in_it_is_refused(running: Site, settings: Settings, tmp_path: Path) -> None:
    result = make_backup(settings, tmp_path / "copy.tar.gz", running.clock)
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "alerts.db").write_text("mine")

    with pytest.raises(BackupError, match="is not empty"):
        restore(result.path, tmp_path / "old")

    assert (tmp_path / "old" / "alerts.db").read_text() == "mine"


async def test_a_changed_a_missing_and_an_added_file_are_found(
    running: Site, settings: Settings, tmp_path: Path
) -> None:
    archive = make_backup(settings, tmp_path / "copy.tar.gz", running.clock).path
    good = members(archive)
    cases = {
        "does not match its digest": [(n, c + b"x" if n == "data/alerts.db" else c) for n, c in good],
        "not in the archive": [(n, c) for n, c in good if n != "data/history.db"],
        "is not in the manifest": [*good, ("data/extra", b"")],
        "expected manifest.json first": good[1:],
    }
    for words, content in cases.items():
        write(tmp_path / "bad.tar.gz", content)
        with pytest.raises(BackupError, match=words):
            verify_backup(tmp_path / "bad.tar.gz")
        with pytest.raises(BackupError, match=words):
            restore(tmp_path / "bad.tar.gz", tmp_path / "new")
    assert not (tmp_path / "new").exists()


async def test_a_name_that_leads_out_of_the_folder_is_refused(
    running: Site, settings: Settings, tmp_path: Path
) -> None:
    archive = make_backup(settings, tmp_path / "copy.tar.gz", running.clock).path
    good = members(archive)
    manifest = json.loads(good[0][1])
    manifest["files"].append(manifest["files"][0] | {"name": "../outside"})
    first = dict(good)[manifest["files"][0]["name"]]
    write(tmp_path / "bad.tar.gz", [("manifest.json", json.dumps(manifest).encode()), *good[1:], ("../outside", first)])

    with pytest.raises(BackupError, match=r"\.\./outside"):
        restore(tmp_path / "bad.tar.gz", tmp_path / "deep" / "new")

    assert not (tmp_path / "deep" / "outside").exists()


async def test_a_chain_that_was_edited_under_a_matching_manifest_is_not_restored(
    running: Site, settings: Settings, tmp_path: Path
) -> None:
    archive = make_backup(settings, tmp_path / "copy.tar.gz", running.clock).path
    good = members(archive)
    manifest = json.loads(good[0][1]) | {"chain_seq": 2}
    write(tmp_path / "bad.tar.gz", [("manifest.json", json.dumps(manifest).encode()), *good[1:]])

    with pytest.raises(BackupError, match="ends at record 3, expected 2"):
        restore(tmp_path / "bad.tar.gz", tmp_path / "new")


@pytest.mark.parametrize("content", [b"", b"not gzip", b"\x1f\x8b\x08\x00 cut"])
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.tar.gz").write_bytes(content)
    with pytest.raises(BackupError):
        verify_backup(tmp_path / "bad.tar.gz")


def test_a_folder_that_never_ran_has_nothing_to_back_up(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(BackupError, match=r"holds no alerts\.db"):
        make_backup(settings, tmp_path / "copies", SimulatedClock())


def test_the_sealed_part_opens_only_whole_and_with_its_passphrase() -> None:
    sealed = seal_files([("keys/a.pem", b"\x00secret")], PASSPHRASE)
    assert open_files(sealed, PASSPHRASE) == [("keys/a.pem", b"\x00secret")]
    assert b"secret" not in sealed
    for bad in (sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1]), b"SITEWARDEN-SEALED-1\n"):
        with pytest.raises(BackupError):
            open_files(bad, PASSPHRASE)


def members(archive: Path) -> list[tuple[str, bytes]]:
    with tarfile.open(archive, "r:gz") as tar:
        return [(member.name, content(tar, member)) for member in tar]


def content(tar: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    file = tar.extractfile(member)
    assert file is not None
    return file.read()


def write(archive: Path, files: list[tuple[str, bytes]]) -> None:
    with tarfile.open(archive, "w:gz") as tar:
        for name, body in files:
            member = tarfile.TarInfo(name)
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))


async def test_accounts_are_in_the_sealed_part_alone(settings: Settings, running: Site, tmp_path: Path) -> None:
    around = Around(settings.storage.folder, running.alerts, running.recorder, running.clock)
    accounts = Accounts(around, SessionBounds(), lambda _code: None, quick_passwords())
    await accounts.people.add_first(newcomer(), "127.0.0.1")
    try:
        bare = make_backup(settings, tmp_path / "bare.tar.gz", running.clock)
        sealed = make_backup(settings, tmp_path / "sealed.tar.gz", running.clock, PASSPHRASE)
    finally:
        accounts.close()
    assert "accounts.db" in bare.left_out
    assert not [entry for entry in (*bare.manifest.files, *sealed.manifest.files) if "accounts" in str(entry)]
    restore(sealed.path, tmp_path / "new", PASSPHRASE)
    assert (tmp_path / "new" / "accounts.db").stat().st_mode & 0o077 == 0
    kept = AccountStore(tmp_path / "new")
    assert [person.name for person in kept.people()] == ["wang"]
    kept.close()
