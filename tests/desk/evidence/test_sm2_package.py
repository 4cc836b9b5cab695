"""A package of a desk and a box that sign with SM2: the program inside it checks it with the standard library alone."""

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract.signing import generate_key
from tests.desk.evidence.test_package import INSIDERS, Made, changed, make_package, resigned, verified, where
from tests.fakes.sm2_keys import WITHOUT_LIBRARY, needs_sm2

pytestmark = needs_sm2


@pytest.fixture(scope="module")
def made(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make_package(migrated_file, tmp_path_factory.mktemp("made-sm2"), "SM2")


def signed_by(made: Made) -> dict[str, set[str]]:
    with zipfile.ZipFile(io.BytesIO(made.content)) as package:
        manifest = json.loads(package.read("manifest.json"))
        ledger = [json.loads(line) for line in package.read("ledger.jsonl").splitlines()]
        items = [json.loads(package.read(name)) for name in manifest["files"] if name.startswith("items/")]
    return {
        "keys": {key["alg"] for keys in manifest["keys"].values() for key in keys},
        "ledger": {entry["alg"] for entry in ledger},
        "items": {json.loads(item["envelope"])["alg"] for item in items},
        "receipts": {item["receipt"]["alg"] for item in items},
    }


def test_everything_in_it_is_signed_with_sm2_and_holds(made: Made) -> None:
    assert signed_by(made) == {name: {"SM2"} for name in ("keys", "ledger", "items", "receipts")}
    report = verified(made.content, made.key.public.key_id)
    assert (report.faults, report.exit_status) == ([], 0)
    assert report.desk_key_id.startswith("sm2:")
    assert report.checked["items"] == 5


def test_the_program_in_the_package_needs_no_library(made: Made, tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(made.content)) as package:
        package.extractall(tmp_path)
    start = WITHOUT_LIBRARY + "import runpy; runpy.run_path('verify.py', run_name='__main__')"
    command = [sys.executable, "-I", "-S", "-c", start, ".", made.key.public.key_id]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert f"signed with {made.key.public.key_id}" in done.stdout


@pytest.mark.parametrize("what", INSIDERS)
def test_what_was_changed_is_named(made: Made, what: str) -> None:
    change, named = INSIDERS[what]
    report = verified(changed(made.content, lambda files: change(files, made.key)))
    assert "manifest.sig" not in where(report)
    assert any(found.startswith(named) for found in where(report)), report.faults


def with_manifest(made: Made, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The manifest changed, and signed anew with the desk's own key."""

    def act(files: dict[str, bytes]) -> None:
        manifest = json.loads(files["manifest.json"])
        change(manifest)
        resigned(files, manifest, made.key)

    return changed(made.content, act)


@pytest.mark.parametrize("whose", ["desk", "box"])
def test_a_key_that_is_called_one_of_another_algorithm_is_no_key(made: Made, whose: str) -> None:
    def call_otherwise(manifest: dict[str, Any]) -> None:
        for key in manifest["keys"][whose]:
            key["alg"] = "Ed25519"

    report = verified(with_manifest(made, call_otherwise))
    assert "items/0001.json" in where(report)


@pytest.mark.parametrize("alg", ["Ed25519", "RSA", ""])
def test_a_signature_that_claims_another_algorithm_than_its_keys_is_refused(made: Made, alg: str) -> None:
    def claim(files: dict[str, bytes]) -> None:
        files["manifest.sig"] = json.dumps(json.loads(files["manifest.sig"]) | {"alg": alg}).encode()

    assert where(verified(changed(made.content, claim))) == {"manifest.sig"}


def test_an_ed25519_thief_is_no_sm2_desk(made: Made) -> None:
    thief = generate_key()

    def take(files: dict[str, bytes]) -> None:
        said = json.loads(files["manifest.sig"])
        files["manifest.sig"] = json.dumps(said | {"signature": thief.sign(files["manifest.json"])}).encode()

    assert where(verified(changed(made.content, take), made.key.public.key_id)) == {"manifest.sig"}
