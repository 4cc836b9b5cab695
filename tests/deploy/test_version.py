"""The version is written in one place, and the program knows it without its distribution's metadata."""

import importlib.metadata
import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

from contract import __version__
from tests.fakes.bare_environment import bare_environment, normalised, put_checkout

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """Every dependency, and the checkout on the path: `sitewarden` itself is not installed, as after `make demo`."""
    installed = {normalised(each.metadata["Name"]) for each in importlib.metadata.distributions()}
    environment = bare_environment(tmp_path_factory.mktemp("bare") / "env", installed - {"sitewarden"})
    put_checkout(environment, CHECKOUT)
    return environment / "bin" / "python"


def run(*command, cwd):
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=110)


def test_the_metadata_is_absent_there(python, tmp_path):
    asked = run(python, "-c", "import importlib.metadata as m; m.version('sitewarden')", cwd=tmp_path)
    assert "No package metadata was found for sitewarden" in asked.stderr


def test_the_command_says_its_version_without_metadata(python, tmp_path):
    said = run(python, "-m", "sitewarden", "--version", cwd=tmp_path)
    assert (said.returncode, said.stdout) == (0, f"sitewarden {__version__}\n")


def test_the_whole_demo_runs_without_metadata(python, tmp_path):
    """Box, desk and simulated boxes: each of them says its version to somebody."""
    command = (python, "-m", "sitewarden", "demo", "--headless", "--json", "--seconds", "4", "--sites", "3")
    done = run(*command, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    figures = json.loads(done.stdout.splitlines()[-1])
    assert (figures["alerts_lost"], figures["chain_holds"]) == (0, True)
    assert figures["readings"] > 0


def test_the_distribution_takes_its_version_from_the_program():
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    assert "version" not in project["project"]
    assert (CHECKOUT / project["tool"]["hatch"]["version"]["path"]) == CHECKOUT / "contract" / "__init__.py"
    assert re.fullmatch(r"\d+\.\d+\.\d+", __version__)


def test_the_changelog_begins_with_this_version():
    heading = re.search(r"^## (\S+)", (CHECKOUT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert heading is not None
    assert heading[1].rstrip(",") == __version__
