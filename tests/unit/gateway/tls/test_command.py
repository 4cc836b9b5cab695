"""`sitewarden tls`: one command for HTTPS, and what it says and refuses."""

from pathlib import Path

import pytest

from gateway.tls.folder import TlsFolder
from sitewarden.__main__ import main
from tests.fakes.loaded_site import crane_asset, write_site


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return write_site(tmp_path / "site", [crane_asset()])


def _folder(site: Path) -> TlsFolder:
    return TlsFolder(site.parent / "data" / "tls")


def _tls(site: Path, command: str, *more: str) -> int:
    return main(["tls", command, "--site", str(site), *more])


def test_init_makes_the_certificates_and_says_what_comes_next(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _tls(site, "init", "--name", "box.local", "--address", "192.168.1.10") == 0
    said = capsys.readouterr().out
    folder = _folder(site)
    assert folder.authority().fingerprint in said
    assert f"tls: {{folder: {folder.path}}}" in said
    assert "https://box.local:8080" in said
    assert "ca.crt" in said
    assert "PRIVATE" not in said
    assert folder.server().names.shown == ("box.local", "localhost", "192.168.1.10", "127.0.0.1", "::1")


def test_without_names_it_is_what_the_machine_calls_itself(site: Path) -> None:
    assert _tls(site, "init") == 0
    assert "127.0.0.1" in _folder(site).server().names.shown


def test_a_second_init_is_refused(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _tls(site, "init") == 0
    before = _folder(site).authority().fingerprint
    assert _tls(site, "init") == 1
    assert "already there" in capsys.readouterr().out
    assert _folder(site).authority().fingerprint == before


@pytest.mark.parametrize("typed", [("--name", "box_1"), ("--address", "192.168.1.300")])
def test_a_name_that_is_none_makes_nothing(site: Path, typed: tuple[str, str]) -> None:
    assert _tls(site, "init", *typed) == 1
    assert not _folder(site).path.exists()


def test_renew_keeps_the_authority(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _tls(site, "init", "--name", "box.local")
    folder = _folder(site)
    before = folder.authority().fingerprint, folder.server().fingerprint
    assert _tls(site, "renew", "--address", "10.0.0.5") == 0
    assert folder.authority().fingerprint == before[0]
    assert folder.server().fingerprint != before[1]
    assert "10.0.0.5" in capsys.readouterr().out


def test_renew_before_init_says_so(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _tls(site, "renew") == 1
    assert "ca.key is not there" in capsys.readouterr().out


def test_show_tells_the_fingerprint_and_whether_it_renews_itself(
    site: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _tls(site, "show") == 1
    _tls(site, "init")
    capsys.readouterr()
    assert _tls(site, "show") == 0
    assert "395 days left, renews itself" in capsys.readouterr().out
    (_folder(site).path / "ca.key").unlink()
    assert _tls(site, "show") == 0
    assert "does not renew itself" in capsys.readouterr().out


def test_the_site_file_names_the_folder(tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere" / "tls"
    site = write_site(tmp_path / "site", [crane_asset()], web={"tls": {"folder": str(folder)}})
    assert _tls(site, "init") == 0
    assert (folder / "server.pem").is_file()


def test_a_site_file_with_faults_is_told_as_everywhere(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = write_site(tmp_path / "site", [crane_asset()], web={"tls": {}})
    assert _tls(site, "init") == 2
    assert "web.tls" in capsys.readouterr().err
