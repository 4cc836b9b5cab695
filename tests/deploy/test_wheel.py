"""The wheel, installed offline into an empty environment outside the checkout.

The new environment gets the wheel and nothing from an index (`--no-index --no-deps`). The dependencies are those of
the environment that runs the tests, made visible by one `.pth` file: a folder that is reached that way has its own
`.pth` files ignored, so the checkout itself stays out of reach, and the first test proves it. Installing the
dependencies from the lock is what `test_dockerfile.py` does.
"""

import json
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


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
def environment(wheel, tmp_path_factory):
    folder = tmp_path_factory.mktemp("empty") / "env"
    venv.create(folder, with_pip=False)
    python = str(folder / "bin" / "python")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index", "--no-deps"]
    run(*install, str(wheel), cwd=folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def test_the_package_comes_from_the_environment_and_not_from_the_checkout(environment, tmp_path):
    show = "import contract, drivers, gateway, regulator; print(contract.__file__, drivers.__file__, gateway.__file__)"
    for path in run(environment / "bin" / "python", "-c", show, cwd=tmp_path).split():
        assert Path(path).is_relative_to(environment)


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
        "regulator",
        "screens",
        "vision",
    }


def test_check_runs_from_anywhere(environment, tmp_path):
    run(environment / "bin" / "sitewarden", "check", "demo", cwd=tmp_path)


def test_the_headless_demo_runs_from_anywhere_and_loses_no_alert(environment, tmp_path):
    out = run(environment / "bin" / "sitewarden", "demo", "--headless", "--seconds", "8", "--json", cwd=tmp_path)
    result = json.loads(out.splitlines()[-1])
    assert result["readings"] > 0
    assert result["history_rows"] > 0
    assert result["alerts_lost"] == 0
