"""The scripts behind the front door: what CI holds the demo's figures against, and what an installation says."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

CHECKOUT = Path(__file__).resolve().parents[2]
GOOD = {
    "seconds": 30.6,
    "readings": 21546,
    "history_rows": 49926,
    "overloads_injected": 4,
    "alerts_held": 49,
    "alerts_lost": 0,
    "alerts_duplicated": 0,
    "chain_records": 115,
    "chain_holds": True,
}


def judged(said: str, seconds: str = "30") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, CHECKOUT / ".ci" / "check-figures", seconds]
    return subprocess.run(command, input=said, capture_output=True, text=True, check=False, timeout=30)


def test_a_good_run_passes_whatever_was_printed_before_its_figures():
    done = judged(f"Sitewarden: no account yet.\n{json.dumps(GOOD)}\n")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("readings", 0),
        ("overloads_injected", 0),
        ("alerts_held", 0),
        ("alerts_lost", 1),
        ("alerts_duplicated", 2),
        ("chain_holds", False),
        ("seconds", 12.0),
    ],
)
def test_each_figure_that_is_wrong_is_named(name, value):
    done = judged(json.dumps({**GOOD, name: value}))
    assert done.returncode == 1
    assert done.stderr.startswith(f"{name} is {value!r}, expected ")


@pytest.mark.parametrize("said", ["", "Traceback (most recent call last):\n", "{}"])
def test_a_run_without_figures_is_none(said):
    assert judged(said).returncode == 1


def test_a_lock_that_cannot_be_installed_ends_with_pips_own_words(tmp_path):
    lock = tmp_path / "requirements-some.lock"
    lock.write_text(f"no-such-package==1.0 \\\n    --hash=sha256:{'0' * 64}\n")
    offline = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, CHECKOUT / ".ci" / "install-lock", lock]
    done = subprocess.run(command, env=offline, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0
    assert "fetching up to 1 packages of requirements-some.lock" in done.stdout
    assert "requirements-some.lock could not be installed. The last lines of pip:" in done.stderr
    assert "no-such-package" in done.stderr


@pytest.mark.parametrize("extra", ["box", "desk", "demo"])
def test_a_bill_of_materials_is_cyclonedx_and_lists_the_lock(tmp_path, extra):
    target = tmp_path / "sitewarden.cdx.json"
    command = [sys.executable, CHECKOUT / ".ci" / "make-sbom", extra, target]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    text = target.read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    bill = json.loads(text)
    parts = {part["name"]: part for part in bill["components"]}
    text_of_lock = (CHECKOUT / f"requirements-{extra}.lock").read_text()
    lock = set(re.findall(r"(?m)^([a-z0-9.\-]+)(?:\[[a-z0-9,\-]+\])?==([^ ;\\]+)", text_of_lock))
    assert {(name, part["version"]) for name, part in parts.items() if part["type"] == "library"} <= lock
    assert ("site_heads.onnx" in parts, "sqlalchemy" in parts) == (extra != "desk", extra != "box")
    assert [name for name, part in parts.items() if not part.get("licenses")] == []
    assert "://" not in text.replace("http://cyclonedx.org/schema/", "")
    (root,) = [each for each in bill["dependencies"] if each["ref"] == bill["metadata"]["component"]["bom-ref"]]
    assert len(root["dependsOn"]) > 10
