"""The wheel, installed offline into an empty environment outside the checkout, with one extra or none.

The new environment gets the wheel and nothing from an index (`--no-index --no-deps`). What the extra brings is linked
from the environment that runs the tests, and nothing else is there: no other extra's packages, and not the checkout.
Installing from a lock is what `test_dockerfile.py` does.
"""

import email
import json
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from contract import __version__
from tests.fakes.bare_environment import bare_environment, closure, needs
from tests.fakes.field_site import write_site
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.influxdb import free_port
from tests.fakes.staged_crane import StagedCrane
from tests.fakes.waiting import wait_until

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["project"]


def run(*command, cwd, timeout=100):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=timeout)
    assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheels")
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    run(*build, "--wheel-dir", str(folder), str(CHECKOUT), cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environments(wheel, tmp_path_factory):
    """Makes the environment of an extra, once; of none for the empty text."""
    made: dict[str, Path] = {}

    def environment(extra: str) -> Path:
        if extra not in made:
            folder = tmp_path_factory.mktemp(f"empty{extra}") / "env"
            made[extra] = bare_environment(folder, closure(needs(PROJECT, extra)))
            python = str(folder / "bin" / "python")
            install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps"]
            run(*install, str(wheel), cwd=folder)
        return made[extra]

    return environment


@pytest.fixture(scope="module")
def environment(environments):
    return environments("demo")


def test_the_package_comes_from_the_environment_and_not_from_the_checkout(environment, tmp_path):
    show = "import contract, drivers, gateway, regulator; print(contract.__file__, drivers.__file__, gateway.__file__)"
    for path in run(environment / "bin" / "python", "-c", show, cwd=tmp_path).split():
        assert Path(path).is_relative_to(environment)


def test_version_licence_and_notice_are_in_the_wheel(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (folder,) = {name.split("/")[0] for name in archive.namelist() if ".dist-info/" in name}
        metadata = email.message_from_bytes(archive.read(f"{folder}/METADATA"))
        held = {name: archive.read(f"{folder}/licenses/{name}") for name in ("LICENSE", "NOTICE")}
    assert (metadata["Version"], metadata["License-Expression"]) == (__version__, "Apache-2.0")
    assert held == {name: (CHECKOUT / name).read_bytes() for name in held}
    assert b"TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION" in held["LICENSE"]


def test_configuration_and_browser_files_are_inside_and_tests_are_not(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    shipped = {f"gateway/config/{path.relative_to(CHECKOUT / 'config')}" for path in CHECKOUT.glob("config/**/*.yaml")}
    shipped |= {f"docking/maps/{path.name}" for path in CHECKOUT.glob("config/docking/*.yaml")}
    browser = {
        str(path.relative_to(CHECKOUT))
        for package in ("gateway", "regulator")
        for suffix in ("html", "css", "js", "svg", "json", "sql")
        for path in CHECKOUT.glob(f"{package}/**/*.{suffix}")
    }
    assert shipped
    assert shipped | browser <= names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {
        "contract",
        "docking",
        "drivers",
        "gateway",
        "kit",
        "regulator",
        "screens",
        "sitewarden",
        "vision",
    }


def test_check_runs_from_anywhere(environment, tmp_path):
    run(environment / "bin" / "sitewarden", "check", "demo", cwd=tmp_path)


def test_the_headless_demo_runs_from_anywhere_and_loses_no_alert(environment, tmp_path):
    demo = ("demo", "--headless", "--seconds", "8", "--sites", "20", "--json")
    out = run(environment / "bin" / "sitewarden", *demo, cwd=tmp_path)
    result = json.loads(out.splitlines()[-1])
    assert result["readings"] > 0
    assert result["history_rows"] > 0
    assert result["alerts_lost"] == 0


def refusal(environment, *command, cwd):
    """The one sentence with which a command ends for want of an extra."""
    program = environment / "bin" / "sitewarden"
    done = subprocess.run([program, *command], cwd=cwd, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout) == (2, ""), done.stdout + done.stderr
    (sentence,) = done.stderr.splitlines()
    return sentence


@pytest.mark.parametrize(
    ("installed", "command", "wanted"),
    [
        ("", ("run", "demo"), "box"),
        ("", ("check", "demo"), "box"),
        ("", ("demo", "--headless"), "demo"),
        ("", ("desk", "desk.yaml"), "desk"),
        ("", ("vision", "watch", "clip.mp4"), "box"),
        ("box", ("desk", "desk.yaml"), "desk"),
        ("box", ("demo", "--headless"), "demo"),
        ("desk", ("run", "demo"), "box"),
        ("desk", ("commission", "demo"), "box"),
        ("desk", ("demo", "--headless"), "demo"),
    ],
)
def test_a_missing_extra_is_named_in_one_sentence(environments, tmp_path, installed, command, wanted):
    (tmp_path / "desk.yaml").write_bytes((CHECKOUT / "deploy" / "desk" / "desk.yaml").read_bytes())
    said = refusal(environments(installed), *command, cwd=tmp_path)
    assert said.startswith("sitewarden: the Python package '")
    assert said.endswith(f"Install it: pip install 'sitewarden[{wanted}]'")


@pytest.mark.parametrize("module", ["amqtt", "av", "sqlalchemy"])
def test_the_demo_starts_no_process_while_a_package_is_missing(environment, tmp_path, module):
    """Cameras, twins and desk are processes of their own: what they need is looked for before they start."""
    (there,) = environment.glob(f"lib/python*/site-packages/{module}")
    away = there.rename(environment / module)
    try:
        said = refusal(environment, "demo", "--headless", cwd=tmp_path)
    finally:
        away.rename(there)
    assert f"'{module}' is not installed" in said
    assert not (tmp_path / "data").exists()


def test_a_box_needs_its_own_extra_alone(environments, tmp_path):
    run(environments("box") / "bin" / "sitewarden", "check", "demo", cwd=tmp_path)


def test_a_box_checks_and_runs_a_site_on_a_simulated_device(environments, tmp_path):
    """`sitewarden check` and `run` from the wheel with the extra `box`; the crane answers over a real socket."""
    program = environments("box") / "bin" / "sitewarden"
    web_port = free_port()
    with StagedCrane() as crane:
        site = write_site(tmp_path, crane_port=crane.port, broker_port=free_port(), web_port=web_port, uplinks=[])
        run(program, "check", str(site), cwd=tmp_path)
        with GatewayProcess(site, f"http://127.0.0.1:{web_port}", python=InstalledProgram(program)) as box:
            wait_until(lambda: box.metric("sitewarden_readings") > 100, f"readings, see {box.log}")


class InstalledProgram:
    """Starts the installed `sitewarden` where others start a module of the checkout."""

    def __init__(self, program: Path) -> None:
        self._program = program

    def start(self, module, *arguments, stdin=None, stdout=None, stderr=None):
        assert module == "sitewarden"
        folder = self._program.parent
        return subprocess.Popen([self._program, *arguments], cwd=folder, stdin=stdin, stdout=stdout, stderr=stderr)


def test_a_desk_needs_its_own_extra_alone(environments, tmp_path):
    desk_file = CHECKOUT / "deploy" / "desk" / "desk.yaml"
    run(environments("desk") / "bin" / "sitewarden", "desk", "--check", str(desk_file), cwd=tmp_path)
