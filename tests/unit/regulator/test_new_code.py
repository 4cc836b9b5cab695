"""One-time codes: printed or put on a stick by the issuing side, found by the box when the stick is plugged in."""

import sqlite3
from pathlib import Path

import pytest

from gateway.secret import Secret
from regulator.__main__ import main


def codes(database: Path) -> list[tuple[str, str]]:
    db = sqlite3.connect(database)
    try:
        return db.execute("SELECT code_sha256, box_id FROM codes").fetchall()
    finally:
        db.close()


def test_a_code_is_printed_and_kept_as_a_digest_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--db", str(tmp_path / "desk.db"), "--new-code", "-", "--for-box", "box-7"]) == 0
    code = capsys.readouterr().out.strip()
    assert len(code) >= 32
    ((digest, box),) = codes(tmp_path / "desk.db")
    assert box == "box-7"
    assert code not in digest


def test_a_code_on_a_stick_is_what_the_box_reads(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = Secret(file=tmp_path / "media" / "*" / "sitewarden-code")
    with pytest.raises(LookupError, match="No such file"):
        secret.reveal()
    stick = tmp_path / "media" / "usb0"
    stick.mkdir(parents=True)
    assert main(["--db", str(tmp_path / "desk.db"), "--new-code", str(stick / "sitewarden-code")]) == 0
    assert len(secret.reveal()) >= 32
    assert secret.reveal() not in capsys.readouterr().out
    assert len(codes(tmp_path / "desk.db")) == 1


def test_two_sticks_are_one_too_many(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "code").write_text("x" * 20)
    with pytest.raises(LookupError, match="found 2 files, expected one"):
        Secret(file=tmp_path / "*" / "code").reveal()


def test_a_code_that_cannot_be_written_is_not_valid(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "full").write_text("a file where a folder is wanted")
    assert main(["--db", str(tmp_path / "desk.db"), "--new-code", str(tmp_path / "full" / "code")]) == 2
    assert "regulator:" in capsys.readouterr().err
    assert not (tmp_path / "desk.db").exists()


def test_without_a_code_to_issue_the_port_is_needed(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--db", str(tmp_path / "desk.db")])
    assert caught.value.code == 2
