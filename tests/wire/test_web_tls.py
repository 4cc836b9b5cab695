"""The web server over TLS: real handshakes against the box's own authority."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from gateway.tls.authority import read_authority
from gateway.tls.client import own_box_context
from gateway.tls.faults import TlsError
from gateway.tls.folder import TlsFolder
from gateway.tls.names import parse_names
from gateway.tls.watch import CertificateFiles, CertificateWatch
from gateway.web.server import WebServer
from kit.clock import SystemClock
from screens.listener import listen

NAMES = parse_names(["box.local"], [])
YEAR = timedelta(days=365)


def _now() -> datetime:
    return datetime.now(UTC)


def _folder(path: Path, at: datetime | None = None) -> TlsFolder:
    made = TlsFolder(path)
    made.init("box-1", NAMES, at or _now())
    return made


async def _scheme(request: Request) -> PlainTextResponse:
    return PlainTextResponse(request.url.scheme)


@asynccontextmanager
async def _served(watch: CertificateWatch) -> AsyncIterator[int]:
    """The port of a server that says by which scheme it was asked."""
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    serving = asyncio.ensure_future(
        WebServer(Starlette(routes=[Route("/", _scheme)]), listener, watch.context).run_until_cancelled()
    )
    try:
        yield port
    finally:
        serving.cancel()
        await asyncio.wait([serving])


def _watch(folder: TlsFolder) -> CertificateWatch:
    return CertificateWatch(CertificateFiles(folder.server_file, folder=folder), SystemClock())


def _trusting(folder: TlsFolder) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=folder.ca_file)


async def _shake(port: int, context: ssl.SSLContext, name: str) -> str:
    """The TLS version of one handshake. Raises ssl.SSLError, ConnectionError."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context, server_hostname=name)
    version = str(writer.get_extra_info("ssl_object").version())
    writer.close()
    await writer.wait_closed()
    return version


async def test_a_browser_that_trusts_the_authority_is_served_over_https(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "tls")
    async with _served(_watch(folder)) as port, httpx.AsyncClient(verify=_trusting(folder)) as client:
        answers = [await client.get(f"https://{host}:{port}/") for host in ("127.0.0.1", "localhost")]
    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "https")] * 2


async def test_a_browser_that_does_not_know_the_authority_refuses(tmp_path: Path) -> None:
    async with _served(_watch(_folder(tmp_path / "tls"))) as port:
        with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
            await _shake(port, ssl.create_default_context(), "localhost")
        with pytest.raises(ssl.SSLCertVerificationError, match="unable to get local issuer"):
            await _shake(port, _trusting(_folder(tmp_path / "other")), "localhost")


async def test_a_program_on_the_box_trusts_the_box_by_its_files_and_no_other(tmp_path: Path) -> None:
    folder, stranger = _folder(tmp_path / "tls"), _folder(tmp_path / "stranger")
    files = CertificateFiles(folder.server_file, folder=folder)
    pinned = CertificateFiles(folder.server_file, folder.server_file)
    async with _served(_watch(folder)) as port, _served(_watch(stranger)) as other:
        for context in (own_box_context(files), own_box_context(pinned)):
            assert await _shake(port, context, "whatever.local") == "TLSv1.3"
            with pytest.raises(ssl.SSLCertVerificationError):
                await _shake(other, context, "box.local")
    folder.ca_file.unlink()
    with pytest.raises(TlsError, match=r"ca\.crt cannot be read"):
        own_box_context(files)
    folder.server_file.write_text("torn")
    with pytest.raises(TlsError, match=r"server\.pem cannot be read"):
        own_box_context(pinned)


async def test_a_wrong_name_is_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "tls")
    async with _served(_watch(folder)) as port:
        assert await _shake(port, _trusting(folder), "box.local") == "TLSv1.3"
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            await _shake(port, _trusting(folder), "other.local")


async def test_an_expired_certificate_is_served_and_refused_by_the_browser(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "tls", _now() - 2 * YEAR)
    (folder.path / "ca.key").unlink()
    async with _served(_watch(folder)) as port:
        with pytest.raises(ssl.SSLCertVerificationError, match="certificate has expired"):
            await _shake(port, _trusting(folder), "box.local")


async def test_a_renewed_certificate_counts_for_the_next_connection(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "tls")
    watch = _watch(folder)
    async with _served(watch) as port:
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            await _shake(port, _trusting(folder), "new.local")
        folder.renew(_now(), parse_names(["new.local"], []))
        watch.look()
        assert await _shake(port, _trusting(folder), "new.local") == "TLSv1.3"


@pytest.mark.parametrize(
    ("version", "taken"), [(ssl.TLSVersion.TLSv1_3, "TLSv1.3"), (ssl.TLSVersion.TLSv1_2, "TLSv1.2")]
)
async def test_modern_versions_are_taken(tmp_path: Path, version: ssl.TLSVersion, taken: str) -> None:
    folder = _folder(tmp_path / "tls")
    context = _trusting(folder)
    context.minimum_version = context.maximum_version = version
    async with _served(_watch(folder)) as port:
        assert await _shake(port, context, "localhost") == taken


async def test_old_ciphers_are_refused(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "tls")
    context = _trusting(folder)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA256")  # CBC
    async with _served(_watch(folder)) as port:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await _shake(port, context, "localhost")


async def test_a_browser_that_goes_strictly_by_rfc_5280_is_content(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "tls")
    context = _trusting(folder)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    async with _served(_watch(folder)) as port:
        assert await _shake(port, context, "box.local") == "TLSv1.3"


async def test_nothing_is_said_without_tls(tmp_path: Path) -> None:
    async with _served(_watch(_folder(tmp_path / "tls"))) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"200" not in await reader.read()
        writer.close()


async def test_a_stolen_authority_key_vouches_for_no_site_of_the_world(tmp_path: Path) -> None:
    """The constraint is in the authority's certificate, so that every browser keeps to it, not only this program."""
    folder = _folder(tmp_path / "tls")
    authority = read_authority(folder.ca_file.read_bytes(), (folder.path / "ca.key").read_bytes())
    key = ec.generate_private_key(ec.SECP256R1())
    forged = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(authority.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_now() - timedelta(days=1))
        .not_valid_after(_now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("bank.example.com")]), critical=True)
        .sign(authority.key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    folder.server_file.write_bytes(private + forged.public_bytes(serialization.Encoding.PEM))
    (folder.path / "ca.key").unlink()
    async with _served(_watch(folder)) as port:
        with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
            await _shake(port, _trusting(folder), "bank.example.com")
