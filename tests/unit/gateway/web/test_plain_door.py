"""The plain port beside HTTPS: the authority's certificate, the way over, and nothing else."""

from pathlib import Path

import httpx
import pytest

from gateway.web.plain_door import PlainDoor

NAMES = ("box.local", "localhost", "192.168.1.10", "::1")


async def _ask(
    path: str, host: str = "box.local:8081", method: str = "GET", ca_file: Path | None = None
) -> httpx.Response:
    door = httpx.ASGITransport(PlainDoor(lambda: NAMES, 8443, ca_file))
    async with httpx.AsyncClient(transport=door, base_url="http://box.local:8081") as client:
        return await client.request(method, path, headers={"host": host}, follow_redirects=False)


@pytest.mark.parametrize(
    ("host", "path", "target"),
    [
        ("box.local:8081", "/", "https://box.local:8443/"),
        ("BOX.local", "/alarms?id=a%20b&x=1", "https://box.local:8443/alarms?id=a%20b&x=1"),
        ("192.168.1.10:8081", "/alarms/塔机", "https://192.168.1.10:8443/alarms/%E5%A1%94%E6%9C%BA"),
        ("[::1]:8081", "/a", "https://[::1]:8443/a"),
    ],
)
async def test_a_browser_is_sent_to_the_same_page_over_https(host: str, path: str, target: str) -> None:
    answer = await _ask(path, host)
    assert (answer.status_code, answer.headers["location"]) == (307, target)


@pytest.mark.parametrize("host", ["evil.example:8081", "", "box.local.evil.example", "evil@box.local", "[::2]", "a\tb"])
async def test_nobody_is_sent_to_a_strangers_site(host: str) -> None:
    assert (await _ask("/x", host)).headers["location"] == "https://box.local:8443/x"


@pytest.mark.parametrize("path", ["//evil.example/x", "/%0d%0aset-cookie:%20a=b", "/\\evil.example"])
async def test_a_path_leads_nowhere_else(path: str) -> None:
    answer = await _ask(f"http://box.local:8081{path}")
    assert answer.headers["location"].startswith("https://box.local:8443/")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
async def test_a_form_is_never_taken_or_sent_on(method: str) -> None:
    answer = await _ask("/login", method=method)
    assert answer.status_code == 403
    assert "location" not in answer.headers


async def test_the_authoritys_certificate_is_handed_out_as_it_lies_there(tmp_path: Path) -> None:
    file = tmp_path / "ca.crt"
    file.write_bytes(b"-----BEGIN CERTIFICATE-----\n")
    answer = await _ask("/ca.crt", ca_file=file)
    assert (answer.status_code, answer.content) == (200, file.read_bytes())
    assert answer.headers["content-type"] == "application/x-x509-ca-cert"
    assert answer.headers["x-content-type-options"] == "nosniff"
    file.unlink()
    assert (await _ask("/ca.crt", ca_file=file)).status_code == 404
    assert (await _ask("/ca.crt", ca_file=None)).status_code == 404


@pytest.mark.parametrize("path", ["/ca.key", "/ca.crt/../ca.key", "/server.pem"])
async def test_no_other_file_is_handed_out(tmp_path: Path, path: str) -> None:
    for name in ("ca.crt", "ca.key", "server.pem"):
        (tmp_path / name).write_bytes(b"secret")
    answer = await _ask(path, ca_file=tmp_path / "ca.crt")
    assert answer.status_code == 307
    assert b"secret" not in answer.content
