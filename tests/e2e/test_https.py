"""A box with HTTPS by its own authority, from the one command to the browser: the page, the plain port, the health."""

import hashlib
import json
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gateway.parts.pit.box_client import ask_box
from gateway.settings import load
from gateway.tls.folder import TlsFolder
from sitewarden.__main__ import main
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.gateway_process import ROOT, GatewayProcess
from tests.fakes.loaded_site import crane_asset, write_site
from tests.fakes.mosquitto import free_port


class HttpsBox(GatewayProcess):
    """A gateway that is asked for its health by name, with the authority's certificate."""

    def __init__(self, folder: Path) -> None:
        self.port, self.plain_port = free_port(), free_port()
        self.tls = TlsFolder(folder / "tls")
        web = {"port": self.port, "http_port": self.plain_port, "tls": {"folder": str(self.tls.path)}}
        self.site = write_site(folder / "site", [crane_asset()], web=web)
        super().__init__(self.site, f"https://localhost:{self.port}")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text()[-2000:]
        try:
            with self.client() as client:
                return client.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def client(self) -> httpx.Client:
        """A browser that has installed the authority's certificate."""
        return httpx.Client(verify=ssl.create_default_context(cafile=self.tls.ca_file), base_url=self.url)


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpsBox]:
    made = HttpsBox(tmp_path_factory.mktemp("https"))
    assert main(["tls", "init", "--site", str(made.site)]) == 0
    with made:
        yield made


def test_a_browser_with_the_authority_uses_the_box_and_without_it_does_not(box: HttpsBox) -> None:
    with box.client() as client:
        assert client.get("/healthz").json() == {"alive": True}
        certificate = client.get("/api/health").json()["certificate"]
        first = client.get("/setup")
    assert (certificate["days_left"], certificate["renews_itself"], certificate["problem_en"]) == (395, True, "")
    assert "localhost" in certificate["names"]
    assert first.status_code == 200
    assert all("Secure" in cookie for cookie in first.headers.get_list("set-cookie"))
    with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
        httpx.get(f"{box.url}/healthz")


def test_an_operator_asks_for_the_health_with_the_authoritys_certificate(box: HttpsBox) -> None:
    assert main(["health", "--url", box.url, "--ca", str(box.tls.ca_file)]) == 0
    assert main(["health", "--url", box.url]) == 1


def test_the_command_line_on_the_box_asks_over_https(box: HttpsBox) -> None:
    settings = load(box.site, DRIVERS, UPLINKS, KINDS)
    answer = json.loads(ask_box(settings, "/api/health", {}))
    assert answer["certificate"]["renews_itself"] is True


def test_the_plain_port_gives_the_certificate_and_sends_browsers_over(box: HttpsBox) -> None:
    plain = f"http://127.0.0.1:{box.plain_port}"
    assert httpx.get(f"{plain}/ca.crt").content == box.tls.ca_file.read_bytes()
    sent = httpx.get(f"{plain}/alarms?x=1", follow_redirects=False)
    assert (sent.status_code, sent.headers["location"]) == (307, f"https://127.0.0.1:{box.port}/alarms?x=1")
    assert httpx.post(f"{plain}/login", data={"name": "a"}).status_code == 403
    with box.client() as client:
        assert client.get("/ca.crt").content == box.tls.ca_file.read_bytes()


def test_a_box_whose_certificate_is_gone_does_not_fall_back_to_plain_http(tmp_path: Path) -> None:
    box = HttpsBox(tmp_path)
    command = [sys.executable, "-m", "sitewarden", "run", str(box.site)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=90)
    assert done.returncode == 2
    assert "server.pem is not there; make it with: sitewarden tls init" in done.stderr


def test_the_fingerprint_on_the_console_is_that_of_the_certificate_handed_out(
    box: HttpsBox, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tls", "show", "--site", str(box.site)]) == 0
    shown = capsys.readouterr().out
    handed = httpx.get(f"http://127.0.0.1:{box.plain_port}/ca.crt").text
    digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(handed)).hexdigest().upper()
    assert digest in shown.replace(":", "")
