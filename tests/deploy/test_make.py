"""What `make` says when the machine is not ready; what it does when it is, CI shows."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path):
    """The Makefile and the locks, without an environment."""
    for name in ("Makefile", "requirements-demo.lock", "requirements-dev.lock", "pyproject.toml"):
        shutil.copy(CHECKOUT / name, tmp_path)
    return tmp_path


def make(folder, *arguments):
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def python_that(folder, script):
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return f"PYTHON={program}"


@pytest.mark.parametrize("target", ["demo", "test", "check"])
def test_a_missing_venv_module_is_named_with_its_package(folder, target):
    made = make(folder, target, python_that(folder, 'case "$2" in *ensurepip*) exit 1;; esac'))
    assert made.returncode != 0
    assert "python3-venv is missing: apt-get install python3-venv" in made.stderr
    assert not (folder / ".venv").exists()


def test_an_old_python_is_refused(folder):
    made = make(folder, "demo", python_that(folder, "exit 1"))
    assert made.returncode != 0
    assert "Python 3.11 or newer is needed" in made.stderr


def test_an_environment_that_could_not_be_built_is_removed(folder):
    script = 'case "$1" in -m) mkdir -p .venv/bin && touch .venv/bin/python; exit 1;; esac'
    made = make(folder, "demo", python_that(folder, script))
    assert made.returncode != 0
    assert not (folder / ".venv").exists()


def test_missing_servers_are_named_with_the_command_that_installs_them(tmp_path):
    for name in ("bash", "env", "id", "grep"):
        (tmp_path / name).symlink_to(shutil.which(name))
    script = CHECKOUT / ".ci" / "system-packages"
    told = subprocess.run(
        [script], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False, timeout=60
    )
    assert told.returncode == 1
    assert re.search(r"apt-get install --no-install-recommends .*influxdb", told.stderr)


def test_every_folder_of_tests_is_run_by_make_test():
    makefile = (CHECKOUT / "Makefile").read_text()
    listed = re.search(r"addprefix tests/,([\w ]+)\)", makefile)
    with_tests = {path.relative_to(CHECKOUT / "tests").parts[0] for path in CHECKOUT.glob("tests/**/test_*.py")}
    assert listed is not None
    assert re.search(r"^test:.* test-training$", makefile, re.MULTILINE)
    assert with_tests <= {*listed.group(1).split(), "training"}


def test_ci_knocks_at_the_front_door_before_anything_else():
    """What the README promises is what CI runs first, in a clone of its own with an empty home."""
    run = (CHECKOUT / ".ci" / "run").read_text()
    commands = [line for line in run.splitlines() if line.startswith((".ci/", "make "))]
    assert commands == [".ci/stranger", "make check", "make test"]
    stranger = (CHECKOUT / ".ci" / "stranger").read_text()
    demos = [line for line in stranger.splitlines() if line.startswith("checked_demo ")]
    assert demos[0].endswith('demo ARGS="--headless --seconds 30 --json"')
    assert demos[1].endswith('/env/bin/sitewarden" demo --headless --seconds 30 --json')
    assert 'HOME="$scratch/home"' in stranger
