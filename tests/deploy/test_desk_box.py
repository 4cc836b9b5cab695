"""What a desk of two replicas is set up with: compose file, settings, secrets, and the proxy as a real nginx runs it.

There is no container engine in the tests: the compose file is read, its images are not started.
"""

import asyncio
import http.server
import os
import re
import ssl
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import httpx
import psycopg
import pytest
import yaml
from fastapi import FastAPI
from sqlalchemy import make_url

from regulator.base.model.actor import Duty
from regulator.base.records.engine import DeskDatabase
from regulator.base.web.session_cookie import SESSION
from regulator.running import database_url
from regulator.server import ReceiverServer
from sitewarden.__main__ import whole_parser
from sitewarden.commands.desk import _desk, load_desk
from tests.fakes.certificates import Certificates, make_certificates
from tests.fakes.desk_face import PASSWORD, DeskFace
from tests.fakes.influxdb import free_port
from tests.fakes.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[2]
DEPLOY = CHECKOUT / "deploy" / "desk"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES = COMPOSE["services"]
NGINX_CONF = (DEPLOY / "proxy" / "nginx.conf").read_text()
ONCE = "store-bucket"


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **more)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("desk") / "secrets"
    made = run(sys.executable, DEPLOY / "make-secrets", folder)
    assert made.returncode == 0, made.stderr
    return folder


def test_two_replicas_a_database_a_store_and_a_proxy_each_say_how_they_are():
    assert set(SERVICES) == {"database", "store", ONCE, "desk-1", "desk-2", "proxy"}
    assert all("healthcheck" in service for name, service in SERVICES.items() if name != ONCE)
    assert all(service["restart"] == "unless-stopped" for name, service in SERVICES.items() if name != ONCE)
    different = {"volumes"}
    first, second = (
        {key: value for key, value in SERVICES[name].items() if key not in different} for name in ("desk-1", "desk-2")
    )
    assert first == second
    waits = [entry for service in SERVICES.values() for entry in service.get("depends_on", {}).values()]
    conditions = {entry["condition"] for entry in waits}
    assert conditions == {"service_healthy", "service_completed_successfully"}


def test_images_have_a_version_and_no_address_of_a_registry():
    for service in SERVICES.values():
        name, _, tag = service["image"].partition(":")
        assert "." not in name.split("/")[0]
        assert service["image"] == "sitewarden-desk" or (tag and "latest" not in tag)


def test_what_is_mounted_is_there():
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            source = mount.split(":")[0]
            assert (DEPLOY / source).exists() if source.startswith(".") else source in COMPOSE["volumes"], mount
    assert (CHECKOUT / SERVICES["desk-1"]["build"]["dockerfile"]).exists()
    assert (DEPLOY / SERVICES["desk-1"]["build"]["context"]).resolve() == CHECKOUT


def test_only_the_proxy_is_reachable_and_the_rest_reaches_nobody():
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    assert COMPOSE["networks"]["inside"] == {"internal": True}
    assert all(service["networks"] == ["inside"] for name, service in SERVICES.items() if name != "proxy")


def test_uploads_wait_on_a_disk_and_not_in_memory():
    for name in ("desk-1", "desk-2"):
        assert f"{name}-tmp:/tmp" in " ".join(SERVICES[name]["volumes"])
        assert "tmpfs" not in SERVICES[name]


def test_there_is_no_default_password_and_every_secret_is_a_file(secrets):
    for service in SERVICES.values():
        environment = service.get("environment", {})
        assert not [key for key in environment if re.search("PASSWORD|TOKEN|SECRET", key) and not key.endswith("_FILE")]
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    files = {Path(entry["file"]).name for entry in COMPOSE["secrets"].values()}
    assert files - {path.name for path in secrets.iterdir()} == {"tls.crt", "tls.key"}


def test_secrets_are_random_private_and_never_overwritten(secrets, tmp_path):
    before = {path.name: path.read_bytes() for path in secrets.iterdir()}
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert run(sys.executable, DEPLOY / "make-secrets", secrets).stdout == ""
    assert {path.name: path.read_bytes() for path in secrets.iterdir()} == before
    run(sys.executable, DEPLOY / "make-secrets", tmp_path / "other")
    other = {path.name: path.read_bytes() for path in (tmp_path / "other").iterdir()}
    assert not [name for name in before if before[name] == other[name]]
    user, password = before["store-access"].decode().split()
    assert (before["store-user"].decode().strip(), before["store-password"].decode().strip()) == (user, password)


def test_the_desks_settings_hold_and_name_only_secrets_that_it_gets(tmp_path, secrets):
    settings = load_desk(DEPLOY / "desk.yaml")
    named = {str(settings.database_password_file), str(settings.s3_secret_file)}
    assert {Path(path).name for path in named} == set(SERVICES["desk-1"]["secrets"])
    here = settings.model_copy(update={"database_password_file": secrets / "database-password"})
    password = (secrets / "database-password").read_text().strip()
    assert database_url(here) == f"postgresql+psycopg://desk:{password}@database/desk"
    assert password not in here.model_dump_json()


def test_a_password_file_that_is_not_there_is_an_error_that_names_it():
    settings = load_desk(DEPLOY / "desk.yaml")
    with pytest.raises(OSError, match="/run/secrets/database-password"):
        database_url(settings)


@pytest.mark.parametrize("name", ["desk-1", "desk-2"])
def test_a_replicas_command_is_one_that_the_program_takes(name):
    """The image's entrypoint is `sitewarden`; what follows is read by its own parser, and names the mounted file."""
    service = SERVICES[name]
    args = whole_parser().parse_args(service["command"])
    assert args.command is _desk
    mounts = dict(mount.split(":")[:2] for mount in service["volumes"])
    assert mounts["./desk.yaml"] == str(args.file)
    assert not args.check


def test_what_the_desk_writes_lies_on_volumes():
    """The containers' own file systems are read-only."""
    settings = load_desk(DEPLOY / "desk.yaml")
    volumes = {mount.split(":")[1] for mount in SERVICES["desk-1"]["volumes"] if not mount.startswith(".")}
    assert str(Path(settings.key_file).parent) in volumes
    proxy = {mount.split(":")[1] for mount in SERVICES["proxy"]["volumes"]} | set(SERVICES["proxy"]["tmpfs"])
    written = re.findall(r"(?:_temp_path|^pid) (\S+)/[^/]+;", NGINX_CONF, flags=re.MULTILINE)
    assert set(written) == {"/run", "/var/cache/nginx"}
    assert set(written) <= proxy


def test_names_ports_and_secrets_of_the_services_fit_together():
    settings = load_desk(DEPLOY / "desk.yaml")
    replicas = re.findall(r"server ([\w-]+):(\d+) max_fails", NGINX_CONF)
    assert replicas == [(name, str(settings.port)) for name in ("desk-1", "desk-2")]
    published = {port.split(":")[1] for port in SERVICES["proxy"]["ports"]}
    assert published == set(re.findall(r"listen (\d+)", NGINX_CONF))
    assert set(re.findall(r"/run/secrets/([\w-]+)", NGINX_CONF)) == set(SERVICES["proxy"]["secrets"])
    database = make_url(settings.database)
    assert (database.host, database.username, database.database) == ("database", "desk", "desk")
    assert {SERVICES["database"]["environment"][f"POSTGRES_{key}"] for key in ("USER", "DB")} == {"desk"}
    (script,) = SERVICES[ONCE]["command"]
    assert f"{settings.s3_endpoint} " in script
    assert script.rstrip().endswith(f"store/{settings.blobs.removeprefix('s3://')}")
    used = {name for service in SERVICES.values() for name in service.get("secrets", [])}
    assert used == set(COMPOSE["secrets"])
    for service in SERVICES.values():
        said = repr(service.get("environment", {})) + repr(service.get("command", ""))
        assert set(re.findall(r"/run/secrets/([\w-]+)", said)) <= set(service.get("secrets", []))


def test_the_stores_bucket_is_made_as_the_desk_will_ask_for_it(tmp_path, secrets):
    """The very script, by a real shell; only `mc` is one that writes down what it was asked."""
    (script,) = SERVICES[ONCE]["command"]
    assert SERVICES[ONCE]["entrypoint"] == ["sh", "-c"]
    assert re.search(r"(?<!\$)\$(?!\$)", script) is None, "compose itself would fill in a single $"
    asked, client = tmp_path / "asked", tmp_path / "mc"
    client.write_text(f'#!/bin/sh\necho "$@" >> {asked}\n')
    client.chmod(0o755)
    said = script.replace("$$", "$").replace("/run/secrets/", f"{secrets}/")
    done = run("sh", "-c", said, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"})
    assert (done.returncode, done.stderr) == (0, "")
    user, password = (secrets / "store-access").read_text().split()
    alias, bucket = asked.read_text().splitlines()
    settings = load_desk(DEPLOY / "desk.yaml")
    assert alias == f"alias set store {settings.s3_endpoint} {user} {password}"
    assert bucket == f"mb --ignore-existing store/{settings.blobs.removeprefix('s3://')}"


def test_the_database_lets_every_connection_of_both_replicas_in(postgresql):
    """Counted at the pools themselves; PostgreSQL keeps some for its administrator."""
    program, flag, setting = SERVICES["database"]["command"]
    assert (program, flag) == ("postgres", "-c")
    name, _, value = setting.partition("=")
    settings, database = load_desk(DEPLOY / "desk.yaml"), DeskDatabase("postgresql+psycopg://nobody@127.0.0.1:1/none")
    a_process = sum(engine.pool.size() + engine.pool._max_overflow for engine in (database._reader, database._writer))
    database.close()
    with psycopg.connect(postgresql.plain_url("postgres")) as admin:
        most = admin.execute("SELECT max_val::int FROM pg_settings WHERE name = %s AND context = 'postmaster'", [name])
        assert int(value) <= most.fetchone()[0]
        reserved = int(admin.execute("SHOW superuser_reserved_connections").fetchone()[0])
    assert int(value) >= 2 * settings.processes * a_process + reserved


def test_the_databases_health_check_is_one_that_the_program_takes(postgresql):
    kind, program, *arguments = SERVICES["database"]["healthcheck"]["test"]
    here = ["--host=127.0.0.1", f"--port={postgresql.port}"]
    assert (kind, run(program, *arguments, *here).returncode) == ("CMD", 0)
    nobody = [*here[:1], f"--port={free_port()}"]
    assert run(program, *arguments, *nobody).returncode == 2
    assert run(program, *arguments, "--no-such-option").returncode == 3


def test_a_replicas_health_check_says_what_the_desk_says(face):
    kind, python, *rest = SERVICES["desk-1"]["healthcheck"]["test"]
    port = str(load_desk(DEPLOY / "desk.yaml").port)
    assert (kind, python, rest[-1].count(port)) == ("CMD", "python", 1)

    def checked(there: int) -> int:
        return run(sys.executable, *(word.replace(port, str(there)) for word in rest)).returncode

    assert checked(int(face.url.rsplit(":", 1)[1])) == 0
    assert checked(free_port()) != 0


def test_a_replica_believes_what_the_proxy_says_of_the_browser(monkeypatch):
    """With the very environment of the file: logins are counted by the browser's address, not by the proxy's."""
    environment = SERVICES["desk-1"]["environment"]
    seen = []
    for environ in ({}, environment):
        monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
        for key, value in environ.items():
            monkeypatch.setenv(key, value)
        seen.append(asyncio.run(_client_behind("172.18.0.9")))
    assert seen == [("172.18.0.9", "http"), ("203.0.113.7", "https")]


async def _client_behind(proxy: str) -> tuple[str, str]:
    """Whose request the real server's application sees when the proxy says that it is somebody else's."""
    found = []

    async def pages(scope, receive, send):
        found.append((scope["client"][0], scope["scheme"]))

    app = FastAPI()
    app.state.reception = SimpleNamespace(enrol=None, message=None, mailbox=None)
    config = ReceiverServer(app, pages).config
    config.load()
    forwarded = [(b"x-forwarded-for", b"203.0.113.7"), (b"x-forwarded-proto", b"https")]
    scope = {"type": "http", "method": "GET", "path": "/", "scheme": "http", "headers": forwarded}
    await config.loaded_app(scope | {"client": (proxy, 40000)}, None, None)
    return found[0]


class Stream(http.server.BaseHTTPRequestHandler):
    """Sends one event, and the next only once somebody has read the first."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b"data: first\n\n")
        self.wfile.flush()
        self.server.read_first.wait(20)
        self.wfile.write(b"data: second\n\n")

    def log_message(self, format, *args):
        return


@dataclass
class Proxy:
    """A real nginx with our file: only names, paths and ports are this test's."""

    folder: Path
    certificates: Certificates
    replicas: dict[str, int]
    https: int = field(default_factory=free_port)
    plain: int = field(default_factory=free_port)

    @property
    def url(self) -> str:
        return f"https://localhost:{self.https}"

    def configuration(self) -> str:
        pair = self.certificates.server
        replaced = {
            "pid /run/nginx.pid;": f"daemon off; master_process off; pid {self.folder}/nginx.pid;",
            "include /etc/nginx/mime.types;": "",
            "/var/cache/nginx/": f"{self.folder}/",
            "/run/secrets/tls-certificate": str(pair.cert_file),
            "/run/secrets/tls-key": str(pair.key_file),
            "listen 8443": f"listen 127.0.0.1:{self.https}",
            "listen 8080": f"listen 127.0.0.1:{self.plain}",
            "/dev/stderr": f"{self.folder}/nginx.log",
        }
        replaced |= {f"{name}:8090": f"127.0.0.1:{port}" for name, port in self.replicas.items()}
        text = NGINX_CONF
        for old, new in replaced.items():
            assert old in text, old
            text = text.replace(old, new)
        return text

    def client(self, **more) -> httpx.Client:
        context = ssl.create_default_context(cafile=self.certificates.ca_file)
        return httpx.Client(base_url=self.url, verify=context, trust_env=False, timeout=20, **more)

    def __enter__(self) -> "Proxy":
        file = self.folder / "nginx.conf"
        file.write_text(self.configuration())
        self.process = subprocess.Popen(["/usr/sbin/nginx", "-p", str(self.folder), "-c", str(file)])
        wait_until(self._answers, "nginx", 30)
        return self

    def _answers(self) -> bool:
        assert self.process.poll() is None, (self.folder / "nginx.log").read_text()
        try:
            return httpx.get(f"http://127.0.0.1:{self.plain}/proxy-health", trust_env=False).status_code == 204
        except httpx.HTTPError:
            return False

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def face(tmp_path_factory) -> Iterator[DeskFace]:
    with DeskFace(tmp_path_factory.mktemp("face")) as face:
        yield face


@pytest.fixture
def proxy(tmp_path, certificates, face) -> Iterator[Proxy]:
    """The first replica is away; the second is a real desk."""
    port = int(face.url.rsplit(":", 1)[1])
    with Proxy(tmp_path, certificates, {"desk-1": free_port(), "desk-2": port}) as proxy:
        yield proxy


def test_somebody_logs_in_through_the_proxy_and_the_login_is_for_https_alone(proxy, face):
    login = face.person(Duty.REVIEWER).login
    with proxy.client(headers={"accept": "text/html", "origin": proxy.url}) as client:
        csrf = re.search(r'name="csrf" value="([0-9a-f]{64})"', client.get("/login").text)
        assert csrf is not None
        answer = client.post("/login", data={"csrf": csrf[1], "login": login, "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        cookie = next(each for each in answer.headers.get_list("set-cookie") if SESSION in each)
        assert cookie.startswith("__Host-")
        assert "Secure" in cookie
        assert client.get("/hazards").status_code == 200
        assert "max-age" in client.get("/hazards").headers["strict-transport-security"]
        from_elsewhere = client.post("/login", data={"csrf": csrf[1]}, headers={"origin": "https://elsewhere.example"})
        assert from_elsewhere.status_code == 403


def test_a_replica_that_is_away_is_skipped_for_boxes_too(proxy):
    with proxy.client() as client:
        assert [client.get("/readyz").status_code for _ in range(4)] == [200] * 4
        said = [client.post("/v1/messages", content=b"{}") for _ in range(4)]
        assert {answer.status_code for answer in said} == {400}
        assert all(answer.headers["Sitewarden-Signature"] for answer in said)


def test_what_is_too_long_for_the_desk_is_refused_by_the_desk_and_signed(proxy):
    with proxy.client() as client:
        answer = client.post("/v1/messages", content=bytes(3 * 2**20))
        assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")
        assert answer.headers["Sitewarden-Signature"]


def test_a_form_that_is_too_long_does_not_reach_the_desk(proxy):
    with proxy.client() as client:
        answer = client.post("/login", content=bytes(3 * 2**20))
        assert answer.status_code == 413
        assert "nginx" in answer.text


def test_plain_http_is_sent_over_to_https(proxy):
    answer = httpx.get(f"http://127.0.0.1:{proxy.plain}/hazards?x=1", trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (308, "https://127.0.0.1/hazards?x=1")


def test_events_are_passed_on_as_they_come(tmp_path, certificates):
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stream) as server:
        server.read_first = threading.Event()
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        ports = {"desk-1": server.server_address[1], "desk-2": server.server_address[1]}
        with (
            Proxy(tmp_path, certificates, ports) as proxy,
            proxy.client() as client,
            client.stream("GET", "/api/wall/events") as answer,
        ):
            lines = answer.iter_lines()
            assert next(lines) == "data: first"
            server.read_first.set()
            assert [line for line in lines if line] == ["data: second"]
        server.shutdown()
        serving.join()


def test_a_broken_configuration_is_one_that_nginx_refuses(tmp_path, certificates):
    """So that a good one means something."""
    proxy = Proxy(tmp_path, certificates, {"desk-1": 1, "desk-2": 2})
    good, bad = tmp_path / "good.conf", tmp_path / "bad.conf"
    good.write_text(proxy.configuration())
    bad.write_text(proxy.configuration().replace("proxy_buffering off;", "proxy_buffering never;"))
    environment = os.environ | {"LANG": "C"}
    tried = [run("/usr/sbin/nginx", "-t", "-p", tmp_path, "-c", path, env=environment) for path in (good, bad)]
    assert [each.returncode for each in tried] == [0, 1]
