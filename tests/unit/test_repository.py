"""What may not be in the repository: a registry's address, a machine's path, two OpenCV wheels, unfinished business."""

import re
import subprocess
from importlib.metadata import distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parents[2]
RUNTIME_LOCKS = ["requirements-box.lock", "requirements-desk.lock", "requirements-demo.lock"]
LOCKS = [*RUNTIME_LOCKS, "requirements-dev.lock", "requirements-build.lock"]
PACKAGES = ["sitewarden", "gateway", "kit", "drivers", "contract", "regulator"]
TEXT = {
    ".py",
    ".md",
    ".yaml",
    ".yml",
    ".toml",
    ".lock",
    ".conf",
    ".service",
    ".html",
    ".js",
    ".css",
    ".json",
    ".sql",
    "",
}
LEFT_OUT = {".git", ".venv", "__pycache__", "build", "dist", "data", "htmlcov"}


def committed_files():
    """What git tracks; in an unpacked archive, every file that is not a build product."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if listed.returncode == 0 and listed.stdout:
        paths = [CHECKOUT / name for name in listed.stdout.split("\0") if name]
    else:
        paths = [path for path in CHECKOUT.rglob("*") if not LEFT_OUT & set(path.relative_to(CHECKOUT).parts)]
    return [path for path in paths if path.is_file() and path.suffix in TEXT]


def lines_with(pattern, paths):
    found = re.compile(pattern)
    return [
        f"{path.relative_to(CHECKOUT)}:{number}: {line.strip()[:100]}"
        for path in paths
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if found.search(line)
    ]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_pins_every_package_by_hash_and_names_no_registry(lock):
    text = (CHECKOUT / lock).read_text()
    assert "://" not in text
    assert not re.search(r"--(index|extra-index|find-links|trusted-host)", text)
    packages = re.split(r"(?m)^(?=[a-z0-9])", text)[1:]
    assert packages
    for package in packages:
        assert re.match(r"[a-z0-9.\-]+(\[[a-z0-9,\-]+\])?==\S+", package), package[:60]
        assert "--hash=sha256:" in package, package[:60]


@pytest.mark.parametrize("lock", [*RUNTIME_LOCKS, "requirements-dev.lock"])
def test_a_lock_pins_the_extras_that_its_packages_ask_for(lock):
    """Where it does not, pip looks for the newest release of `package[extra]`, and refuses it for want of a hash."""
    pinned = {
        found[1]: set((found[2] or "").split(","))
        for found in re.finditer(r"(?m)^([a-z0-9.\-]+)(?:\[([a-z0-9,\-]+)\])?==", (CHECKOUT / lock).read_text())
    }
    asked = [
        (canonicalize_name(wanted.name), wanted.extras)
        for each in distributions()
        if canonicalize_name(each.metadata["Name"]) in pinned
        for wanted in map(Requirement, each.requires or ())
        if wanted.extras and (wanted.marker is None or wanted.marker.evaluate({"extra": ""}))
    ]
    assert [(name, extras) for name, extras in asked if not extras <= pinned[name]] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_one_opencv_wheel_at_most_and_no_training(lock):
    names = set(re.findall(r"(?m)^([a-z0-9.\-]+)(?:\[[a-z0-9,\-]+\])?==", (CHECKOUT / lock).read_text()))
    assert names & {"opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless", "torch"} == set()


@pytest.mark.parametrize("lock", [*RUNTIME_LOCKS, "requirements-build.lock"])
def test_every_lock_agrees_with_the_development_lock(lock):
    own, development = (
        set(re.findall(r"(?m)^([a-z0-9.\-]+)(?:\[[a-z0-9,\-]+\])?==([^ ;\\]+)", (CHECKOUT / name).read_text()))
        for name in (lock, "requirements-dev.lock")
    )
    assert own
    assert own <= development


def test_no_file_names_a_registry_or_a_machine():
    addresses = ["pypi" + r"\.org", "pythonhosted" + r"\.org", "index-url" + r"[ =]+\S*//", "find-links" + r"[ =]+http"]
    machine = ["/" + "work/", "/" + r"root/", "/" + r"home/\w+/"]
    assert lines_with("|".join(addresses + machine), committed_files()) == []


def test_no_package_has_unfinished_business():
    sources = [path for package in PACKAGES for path in (CHECKOUT / package).rglob("*.py")]
    assert len(sources) > 20
    assert lines_with(r"TO" + r"DO|FIX" + r"ME|XX" + r"X\b|NotImplemented" + r"Error", sources) == []
