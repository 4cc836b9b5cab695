"""The ways in which a code is no longer issued say so and leave nothing behind; a stick is read when it is put in."""

from pathlib import Path

import pytest

from kit.secret import Secret
from regulator.__main__ import main

POSTGRESQL = "postgresql+psycopg://desk@127.0.0.1:1/desk"


@pytest.mark.parametrize("database", [POSTGRESQL, "desk.db"])
@pytest.mark.parametrize("more", [["-"], ["-", "--for-box", "box-7"], []])
def test_the_old_way_to_a_code_names_the_new_one_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database: str, more: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as caught:
        main(["--db", database, "--new-code", *more])
    said = capsys.readouterr()
    assert (caught.value.code, said.out) == (2, "")
    assert "sitewarden desk FILE issue-code PROJECT BOX" in said.err
    assert list(tmp_path.iterdir()) == []


def test_an_address_is_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    named = ["--for-box", "box-1", "--for-project", "P-1"]
    with pytest.raises(SystemExit) as caught:
        main(["--db", POSTGRESQL, "--port", "0", "--enrol-code-file", "code", *named])
    assert caught.value.code == 2
    assert "expected a SQLite file" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_what_is_missing_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--db", "desk.db", "--for-box", "box-1"])
    assert caught.value.code == 2
    assert "required: --port, --enrol-code-file, --for-project" in capsys.readouterr().err


def test_a_code_that_cannot_be_written_ends_the_start(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "full").write_text("a file where a folder is wanted")
    known = ["--db", str(tmp_path / "desk.db"), "--port", "0", "--for-box", "box-1", "--for-project", "P-1"]
    assert main([*known, "--enrol-code-file", str(tmp_path / "full" / "code")]) == 2
    assert "regulator:" in capsys.readouterr().err


def test_a_code_on_a_stick_is_what_the_box_reads(tmp_path: Path) -> None:
    secret = Secret(file=tmp_path / "media" / "*" / "sitewarden-code")
    with pytest.raises(LookupError, match="No such file"):
        secret.reveal()
    stick = tmp_path / "media" / "usb0"
    stick.mkdir(parents=True)
    (stick / "sitewarden-code").write_text("ABCDE-FGHJK\n")
    assert secret.reveal() == "ABCDE-FGHJK"


def test_two_sticks_are_one_too_many(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "code").write_text("x" * 20)
    with pytest.raises(LookupError, match="found 2 files, expected one"):
        Secret(file=tmp_path / "*" / "code").reveal()
