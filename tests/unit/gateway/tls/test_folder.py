"""The folder of certificates: rights of its files, nothing overwritten, renewed as a whole or not at all."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from gateway.tls.faults import TlsError
from gateway.tls.folder import TlsFolder, read_facts
from gateway.tls.names import parse_names

NOW = datetime(2026, 3, 1, 8, tzinfo=UTC)
NAMES = parse_names(["box.local"], ["192.168.1.10"])


@pytest.fixture
def folder(tmp_path: Path) -> TlsFolder:
    made = TlsFolder(tmp_path / "data" / "tls")
    made.init("box-1", NAMES, NOW)
    return made


def _rights(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _contents(folder: TlsFolder) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.path.iterdir()}


def test_only_the_owner_reads_the_keys(folder: TlsFolder) -> None:
    assert {path.name: _rights(path) for path in folder.path.iterdir()} == {
        "ca.key": 0o600,
        "ca.crt": 0o644,
        "server.pem": 0o600,
    }
    assert _rights(folder.path) == 0o700
    assert b"PRIVATE" not in folder.ca_file.read_bytes()
    folder.renew(NOW)
    assert _rights(folder.server_file) == 0o600


def test_the_server_answers_to_its_names_and_to_the_box_itself(folder: TlsFolder) -> None:
    assert folder.server().names.shown == ("box.local", "localhost", "192.168.1.10", "127.0.0.1", "::1")


def test_a_second_authority_is_refused_and_changes_nothing(folder: TlsFolder) -> None:
    before = _contents(folder)
    with pytest.raises(TlsError, match="already there"):
        folder.init("box-1", NAMES, NOW)
    assert _contents(folder) == before
    assert [path.name for path in folder.path.parent.iterdir()] == ["tls"]


def test_a_folder_with_anything_in_it_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    (tmp_path / "tls" / "notes.txt").write_text("mine")
    with pytest.raises(TlsError, match="already there"):
        TlsFolder(tmp_path / "tls").init("box-1", NAMES, NOW)
    assert [path.name for path in (tmp_path / "tls").iterdir()] == ["notes.txt"]


def test_an_empty_folder_that_is_there_is_used(tmp_path: Path) -> None:
    (tmp_path / "tls").mkdir()
    TlsFolder(tmp_path / "tls").init("box-1", NAMES, NOW)
    assert (tmp_path / "tls" / "ca.key").is_file()


def test_a_name_that_cannot_be_signed_leaves_no_half_folder(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(TlsError):
        TlsFolder(file).init("box-1", NAMES, NOW)
    with pytest.raises(OSError, match="Not a directory"):
        TlsFolder(file / "tls").init("box-1", NAMES, NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_renewing_keeps_the_authority_and_the_names_and_makes_a_new_key(folder: TlsFolder) -> None:
    before, keys = folder.server(), _contents(folder)
    later = NOW + timedelta(days=370)
    folder.renew(later)
    after = folder.server()
    assert after.names == before.names
    assert after.days_left(later) == 396
    assert after.fingerprint != before.fingerprint
    assert _contents(folder).keys() == keys.keys()
    assert _contents(folder)["ca.crt"] == keys["ca.crt"]
    assert (
        _contents(folder)["server.pem"].split(b"-----BEGIN CERT")[0] != keys["server.pem"].split(b"-----BEGIN CERT")[0]
    )


def test_renewing_for_other_names_keeps_the_loopback_ones(folder: TlsFolder) -> None:
    folder.renew(NOW, parse_names([], ["10.0.0.7"]))
    assert folder.server().names.shown == ("localhost", "10.0.0.7", "127.0.0.1", "::1")


def test_without_the_authoritys_key_nothing_is_renewed(folder: TlsFolder) -> None:
    (folder.path / "ca.key").unlink()
    before = _contents(folder)
    assert not folder.can_renew
    with pytest.raises(TlsError, match=r"ca\.key"):
        folder.renew(NOW)
    assert _contents(folder) == before


@pytest.mark.parametrize(
    "content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_file_that_holds_no_certificate_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "server.pem").write_bytes(content)
    with pytest.raises(TlsError, match=r"server\.pem holds no certificate"):
        read_facts(tmp_path / "server.pem")
    with pytest.raises(TlsError, match=r"other\.pem cannot be read"):
        read_facts(tmp_path / "other.pem")


def test_the_fingerprint_is_the_one_that_phones_show(folder: TlsFolder) -> None:
    certificate = x509.load_pem_x509_certificate(folder.ca_file.read_bytes())
    shown = folder.authority().fingerprint
    assert bytes.fromhex(shown.replace(":", "")) == certificate.fingerprint(certificate.signature_hash_algorithm)
    assert len(shown) == 95
