"""What a site box is set up with: systemd unit, compose file, broker, secrets, the example site."""

import json
import re
import stat
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from gateway.parts.updates.versions import _switch
from sitewarden.__main__ import _run, whole_parser

CHECKOUT = Path(__file__).resolve().parents[2]
DEPLOY = CHECKOUT / "deploy"
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
UNIT = (DEPLOY / "sitewarden.service").read_text()
DESK_UNIT = (DEPLOY / "sitewarden-desk.service").read_text()
UNITS = pytest.mark.parametrize("text", [UNIT, DESK_UNIT], ids=["box", "desk"])
SITE = (DEPLOY / "sites" / "site.yaml").read_text()


def run(*command, **more):
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, **more)


@pytest.fixture(scope="module")
def secrets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("box") / "secrets"
    made = run(sys.executable, DEPLOY / "make-secrets", folder, "--device", "site/SITE-0001/mast-1")
    assert made.returncode == 0, made.stderr
    return folder


@UNITS
def test_the_unit_is_one_that_systemd_understands(text, tmp_path):
    unit = tmp_path / "sitewarden.service"
    unit.write_text(text.replace("/opt/sitewarden/current/bin/sitewarden", sys.executable))
    verified = run("systemd-analyze", "verify", unit)
    assert (verified.returncode, verified.stderr) == (0, "")


def test_the_unit_runs_what_a_bundle_switches(tmp_path):
    """Two versions stand side by side; after the switch the unit's own command line runs the other one."""
    for version in ("1.2.0", "1.3.0"):
        program = tmp_path / "versions" / version / "bin" / "sitewarden"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\necho {version} $1\n")
        program.chmod(0o755)
    settings = re.findall(r"^(ExecStart(?:Pre)?)=/opt/sitewarden/(\S+) (\w+)", UNIT, flags=re.MULTILINE)
    assert [name for name, _, _ in settings] == ["ExecStartPre", "ExecStart"]
    for version in ("1.2.0", "1.3.0"):
        _switch(tmp_path, version)
        said = [run(tmp_path / path, command).stdout.split() for _, path, command in settings]
        assert said == [[version, "check"], [version, "run"]]


@UNITS
def test_no_version_is_written_by_hand(text):
    assert re.findall(r"\d+\.\d+\.\d+", text) == []


def test_the_boxs_unit_lets_serial_ports_and_cameras_in_and_the_desks_no_device():
    """Names of /proc/devices; that of a tty driver is the name of its device nodes."""
    names = ("ttyUSB", "ttyACM", "ttyS", "ttyAMA", "ttymxc", "ttyTHS", "video4linux")
    assert set(re.findall(r"^DeviceAllow=(.*)$", UNIT, flags=re.MULTILINE)) == {f"char-{name} rw" for name in names}
    assert "DevicePolicy=closed" in UNIT
    assert "DeviceAllow" not in DESK_UNIT
    assert "PrivateDevices=yes" in DESK_UNIT


def test_the_desks_unit_says_what_the_program_understands():
    lines = re.findall(r"^ExecStart(?:Pre)?=/opt/sitewarden/current/bin/sitewarden (.*)$", DESK_UNIT, re.MULTILINE)
    before, run_it = (whole_parser().parse_args(line.split()) for line in lines)
    assert (before.check, run_it.check) == (True, False)
    assert before.file == run_it.file
    folder = re.findall(r"^ConfigurationDirectory=(.*)$", DESK_UNIT, re.MULTILINE)
    assert [str(run_it.file.parent)] == [f"/etc/{name}" for name in folder]


@UNITS
def test_the_unit_is_hardened(text, tmp_path):
    """systemd's own exposure score: 0 is a sealed service, 10 an open one; an unhardened unit scores 9.6."""
    unit = tmp_path / "sitewarden.service"
    unit.write_text(text)
    judged = run("systemd-analyze", "security", "--offline=yes", "--threshold=20", unit)
    assert judged.returncode == 0, judged.stdout[-300:]


def test_the_unit_is_watched_and_always_restarted():
    settings = dict(re.findall(r"^(\w+)=(.*)$", UNIT, flags=re.MULTILINE))
    wanted = {"Type": "notify", "Restart": "always", "StartLimitIntervalSec": "0", "NoNewPrivileges": "yes"}
    assert wanted.items() <= settings.items()
    assert 0 < int(settings["WatchdogSec"]) <= 60
    assert settings["User"] != "root"


def test_a_full_history_can_be_checked_before_systemd_gives_up_the_start():
    """Every start reads all of history.db (`PRAGMA quick_check`); a start that is cut short begins anew, for ever."""
    settings = dict(re.findall(r"^(\w+)=(.*)$", UNIT, flags=re.MULTILINE))
    history_bytes = yaml.safe_load(SITE)["storage"]["history"]["max_gib"] * 2**30
    slow_disk_bytes_s = 20e6
    assert int(settings["TimeoutStartSec"]) >= history_bytes / slow_disk_bytes_s


def test_the_example_site_passes_the_check():
    checked = run(sys.executable, "-m", "sitewarden", "check", DEPLOY / "sites" / "site.yaml", cwd=CHECKOUT)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_container_reports_its_health_and_comes_back():
    services = COMPOSE["services"]
    assert set(services) == {"broker", "influxdb", "gateway", "grafana"}
    assert all(service["restart"] == "unless-stopped" for service in services.values())
    assert all("healthcheck" in services[name] for name in ("broker", "influxdb", "grafana"))
    assert "HEALTHCHECK" in (CHECKOUT / services["gateway"]["build"]["dockerfile"]).read_text()
    assert {entry["condition"] for entry in services["gateway"]["depends_on"].values()} == {"service_healthy"}


def test_the_image_runs_the_site_file_that_is_mounted():
    """The image's own command, read by the program's own parser; compose.yaml says no other."""
    service = COMPOSE["services"]["gateway"]
    assert "command" not in service
    assert "entrypoint" not in service
    text = (CHECKOUT / service["build"]["dockerfile"]).read_text()
    (entrypoint,) = re.findall(r"^ENTRYPOINT (.*)$", text, flags=re.MULTILINE)
    (command,) = re.findall(r"^CMD (.*)$", text, flags=re.MULTILINE)
    assert json.loads(entrypoint) == ["sitewarden"]
    args = whole_parser().parse_args(json.loads(command))
    assert args.command is _run
    mounts = dict(mount.split(":")[:2] for mount in service["volumes"])
    assert mounts["./sites"] == str(Path(args.file).parent)
    assert (DEPLOY / "sites" / Path(args.file).name).exists()


def test_names_and_ports_of_the_services_fit_the_site():
    site, services = yaml.safe_load(SITE), COMPOSE["services"]
    (broker,) = [link for link in site["links"] if link["driver"] == "mqtt"]
    conf = (DEPLOY / "mosquitto" / "mosquitto.conf").read_text()
    assert broker["host"] in services
    (published,) = services["broker"]["ports"]
    listeners = re.findall(r"^listener (\d+)$", conf, flags=re.MULTILINE)
    assert published.split(":") == [listeners[0]] * 2
    assert [str(broker["port"])] == listeners[1:]
    (influx,) = site["uplinks"]
    address, said = urlsplit(influx["url"]), services["influxdb"]["environment"]
    assert services["influxdb"]["ports"] == [f"127.0.0.1:{address.port}:{address.port}"]
    assert address.hostname == "influxdb"
    assert (said["DOCKER_INFLUXDB_INIT_ORG"], said["DOCKER_INFLUXDB_INIT_BUCKET"]) == (influx["org"], influx["bucket"])
    assert site["web"]["host"] == "0.0.0.0", "a published port reaches no loopback inside a container"
    assert services["gateway"]["ports"] == [f"127.0.0.1:{site['web']['port']}:{site['web']['port']}"]
    assert f"{site['storage']['folder']}" in {mount.split(":")[1] for mount in services["gateway"]["volumes"]}


def test_data_lies_in_named_volumes():
    volumes = [mount for service in COMPOSE["services"].values() for mount in service["volumes"]]
    named = {mount.split(":")[0] for mount in volumes if not mount.startswith(".")}
    assert named == set(COMPOSE["volumes"])
    assert "gateway-data:/var/lib/sitewarden" in volumes


def test_mounted_files_exist():
    for service in COMPOSE["services"].values():
        for mount in service["volumes"]:
            if mount.startswith(".") and not mount.startswith("./secrets/"):
                assert (DEPLOY / mount.split(":")[0]).exists()


def test_only_the_broker_is_reachable_from_other_machines():
    open_ports = {
        name: port
        for name, service in COMPOSE["services"].items()
        for port in service["ports"]
        if not port.startswith("127.0.0.1:")
    }
    assert open_ports == {"broker": "8883:8883"}


def test_there_is_no_default_password(secrets):
    for service in COMPOSE["services"].values():
        environment = service.get("environment", {})
        assert not [key for key in environment if re.search("PASSWORD|TOKEN|SECRET", key) and not key.endswith("_FILE")]
        assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    files = {Path(entry["file"]).name for entry in COMPOSE["secrets"].values()}
    assert files <= {path.name for path in secrets.iterdir()}


def test_every_secret_that_the_site_names_is_given_to_the_gateway():
    named = set(re.findall(r"/run/secrets/([\w-]+)", SITE))
    assert named
    assert named <= set(COMPOSE["services"]["gateway"]["secrets"])


def test_secrets_are_random_private_and_never_overwritten(secrets, tmp_path):
    before = all_files(secrets)
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    assert run(sys.executable, DEPLOY / "make-secrets", secrets).stdout == ""
    assert all_files(secrets) == before
    run(sys.executable, DEPLOY / "make-secrets", tmp_path / "other", "--device", "site/SITE-0001/mast-1")
    other = all_files(tmp_path / "other")
    same = {"influxdb-username", "broker-names", "broker/acl"}
    assert {name for name in before if before[name] == other[name]} == same
    assert min(len(text) for name, text in before.items() if name not in same) >= 32


def all_files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
