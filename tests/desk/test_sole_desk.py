"""One desk serves a SQLite file: a second one does not start, and after kill -9 the next one does at once."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from regulator.running import sole_desk
from sitewarden.__main__ import main

ROOT = Path(__file__).resolve().parents[2]


def test_a_second_desk_on_one_file_does_not_start_and_a_killed_one_holds_nothing(
    tmp_path: Path, migrated_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "desk.db").write_bytes(migrated_file.read_bytes())
    file = tmp_path / "desk.yaml"
    file.write_text(yaml.safe_dump({"database": "sqlite:///desk.db", "blobs": "blobs", "key_file": "desk.pem"}))
    command = [sys.executable, "-m", "sitewarden", "desk", str(file)]
    with (tmp_path / "log").open("w") as log:
        first = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True)
    try:
        assert first.stdout is not None
        assert json.loads(first.stdout.readline())["ready"]
        assert main(["desk", str(file)]) == 2
        assert f"{tmp_path / 'desk.db'}: another desk is running on this database" in capsys.readouterr().err
        assert main(["desk", str(file), "boxes"]) == 0, "what an administrator does beside it goes on"
    finally:
        first.kill()
        first.wait()
        first.stdout.close()
    with sole_desk(f"sqlite:///{tmp_path / 'desk.db'}"):
        pass


def test_desks_that_share_a_server_are_not_held_apart() -> None:
    with sole_desk("postgresql+psycopg://desk@127.0.0.1/desk"), sole_desk("postgresql+psycopg://desk@127.0.0.1/desk"):
        pass
