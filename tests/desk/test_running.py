"""What is done to a desk from its own machine: first accounts, a change of keys; how a replica says that it works."""

import json
from pathlib import Path

import httpx
import pytest

from regulator.base.accounts.directory import administrators_at_the_top
from regulator.base.settings import DeskSettings
from regulator.running import add_first_administrator, change_key, open_desk
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import DeskFace

PASSWORD = "mast-and-jib-77-blue"


@pytest.fixture
def settings(desk_url: str, tmp_path: Path) -> DeskSettings:
    return DeskSettings(database=desk_url, blobs=str(tmp_path / "blobs"), key_file=tmp_path / "desk.key.pem")


def said(capsys: pytest.CaptureFixture[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_two_accounts_are_made_at_the_console_and_no_third(
    settings: DeskSettings, capsys: pytest.CaptureFixture[str]
) -> None:
    done = [add_first_administrator(settings, f"admin-{n}", f"管理员{n}", PASSWORD) for n in range(3)]
    assert done == [0, 0, 1]
    told = said(capsys)
    assert [each.get("login") for each in told] == ["admin-0", "admin-1", None]
    assert told[2]["error"] == "set_up_already"
    desk = open_desk(settings)
    with desk.database.reading() as db:
        assert administrators_at_the_top(db) == 2
    desk.database.close()


def test_a_password_that_will_not_do_is_refused(settings: DeskSettings, capsys: pytest.CaptureFixture[str]) -> None:
    assert add_first_administrator(settings, "admin-1", "管理员", "short") == 1
    assert "error" in said(capsys)[0]


def test_a_change_of_keys_needs_its_first_step(settings: DeskSettings, capsys: pytest.CaptureFixture[str]) -> None:
    before = open_desk(settings)
    before.database.close()
    with pytest.raises(ValueError, match="announce"):
        change_key(settings, "use", leave_behind=False)
    assert [change_key(settings, step, leave_behind=False) for step in ("announce", "use")] == [0, 0]
    assert [each["in_use"] for each in said(capsys)] == [False, True]
    after = open_desk(settings)
    after.database.close()
    assert after.key.public.key_id != before.key.public.key_id


def test_a_replica_without_its_database_lives_but_is_not_ready(tmp_path: Path, clock: DeskClock) -> None:
    with DeskFace(tmp_path, clock) as face:
        said = [httpx.get(f"{face.url}/{path}", trust_env=False).status_code for path in ("healthz", "readyz")]
        face.database.close()
        then = [httpx.get(f"{face.url}/{path}", trust_env=False).status_code for path in ("healthz", "readyz")]
    assert (said, then) == ([200, 200], [200, 503])
