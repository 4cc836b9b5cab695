"""A certificate's life: renewed in time, taken up by the running server, and told to the health page."""

import asyncio
import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gateway.tls.faults import TlsError
from gateway.tls.folder import TlsFolder
from gateway.tls.names import parse_names
from gateway.tls.watch import CertificateFiles, CertificateWatch
from kit.clock import SimulatedClock

NOW_NS = 1_772_352_000_000_000_000
DAY_NS = 86_400 * 10**9
NAMES = parse_names(["box.local"], ["192.168.1.10"])


def _at(now_ns: int) -> datetime:
    return datetime.fromtimestamp(now_ns / 1e9, UTC)


@pytest.fixture
def folder(tmp_path: Path) -> TlsFolder:
    made = TlsFolder(tmp_path / "tls")
    made.init("box-1", NAMES, _at(NOW_NS))
    return made


def _watch(folder: TlsFolder, days_later: float) -> CertificateWatch:
    clock = SimulatedClock(NOW_NS + round(days_later * DAY_NS))
    return CertificateWatch(CertificateFiles(folder.server_file, folder=folder), clock)


@pytest.mark.parametrize(
    ("days_later", "renewed"), [(0, False), (365, False), (366, False), (366.1, True), (500, True)]
)
def test_a_start_with_less_than_thirty_days_left_renews(folder: TlsFolder, days_later: float, renewed: bool) -> None:
    before = folder.server().fingerprint
    watch = _watch(folder, days_later)
    assert (watch.facts.fingerprint != before) is renewed
    assert watch.row()["problem_en"] == ""
    assert watch.row()["renews_itself"] is True


def test_without_the_authoritys_key_the_health_page_says_when_it_ends(folder: TlsFolder) -> None:
    (folder.path / "ca.key").unlink()
    row = _watch(folder, 376.5).row()
    assert row["days_left"] == 19
    assert row["renews_itself"] is False
    assert row["problem_zh"] == "网页证书还有 19 天到期；本机没有 CA 私钥，请人工更新证书"
    assert str(row["problem_en"]).startswith("the page's certificate ends in 19 days; ")
    assert _watch(folder, 300).row()["problem_en"] == ""


def test_a_certificate_that_has_ended_is_served_and_told(folder: TlsFolder) -> None:
    (folder.path / "ca.key").unlink()
    watch = _watch(folder, 400)
    assert watch.context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert str(watch.row()["problem_en"]).startswith("the page's certificate has ended; ")


def test_a_renewal_that_fails_is_told_with_its_reason(folder: TlsFolder) -> None:
    (folder.path / "ca.key").write_bytes(b"torn")
    row = _watch(folder, 370).row()
    assert "it was not renewed; run: sitewarden tls renew: the authority cannot be read" in str(row["problem_en"])
    assert row["days_left"] == 26


async def test_the_running_server_renews_without_a_restart(folder: TlsFolder) -> None:
    clock = SimulatedClock(NOW_NS)
    watch = CertificateWatch(CertificateFiles(folder.server_file, folder=folder), clock)
    first, context = watch.facts.fingerprint, watch.context
    running = asyncio.ensure_future(watch.run())
    await clock.advance(300 * 86_400)
    assert watch.facts.fingerprint == first
    await clock.advance(67 * 86_400)
    assert watch.facts.fingerprint != first
    assert watch.context is context
    assert watch.row()["days_left"] == 395
    running.cancel()


def test_a_certificate_that_somebody_renewed_is_taken_up_and_a_torn_one_is_not(folder: TlsFolder) -> None:
    watch = _watch(folder, 1)
    folder.renew(_at(NOW_NS), parse_names(["other.local"], []))
    watch.look()
    assert watch.facts.names.hosts[0] == "other.local"
    folder.server_file.write_bytes(b"torn")
    watch.look()
    assert watch.facts.names.hosts[0] == "other.local"
    assert "holds no certificate" in str(watch.row()["problem_en"])
    assert str(watch.row()["problem_zh"]).startswith("网页证书文件无法使用")
    folder.renew(_at(NOW_NS), NAMES)
    watch.look()
    assert watch.row()["problem_en"] == ""


def test_files_of_another_authority_are_served_and_never_renewed(folder: TlsFolder) -> None:
    clock = SimulatedClock(NOW_NS + 380 * DAY_NS)
    watch = CertificateWatch(CertificateFiles(folder.server_file, folder.server_file), clock)
    assert watch.files.ca_file is None
    assert watch.row()["renews_itself"] is False
    assert watch.row()["days_left"] == 16


@pytest.mark.parametrize(("name", "content"), [("server.pem", None), ("server.pem", b"torn")])
def test_a_start_without_a_certificate_says_so(folder: TlsFolder, name: str, content: bytes | None) -> None:
    (folder.path / name).unlink()
    if content is not None:
        (folder.path / name).write_bytes(content)
    with pytest.raises(TlsError, match=r"server\.pem"):
        _watch(folder, 0)


def test_a_key_that_belongs_to_another_certificate_is_refused(folder: TlsFolder, tmp_path: Path) -> None:
    other = TlsFolder(tmp_path / "other")
    other.init("box-2", NAMES, _at(NOW_NS))
    with pytest.raises(TlsError, match=r"server\.pem"):
        CertificateWatch(CertificateFiles(folder.server_file, other.server_file), SimulatedClock(NOW_NS))
