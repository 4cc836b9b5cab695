"""`sitewarden desk FILE issue-code | revoke-box | boxes`, on SQLite and on PostgreSQL alike, beside a running desk."""

import base64
import json
import re
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import insert, select

from regulator.base.intake.codes import HOUR_NS, code_digest
from regulator.base.records.ledger import entries_about
from regulator.base.records.tables.intake import boxes, codes
from regulator.base.records.tables.registry import projects
from sitewarden.__main__ import main
from tests.fakes.contract_box import ContractBox, alarm_body
from tests.fakes.desk_face import DeskFace


@pytest.fixture
def face(tmp_path: Path, desk_url: str) -> Iterator[DeskFace]:
    with DeskFace(tmp_path / "face", time.time_ns, url=desk_url) as face:
        with face.database.transaction() as db:
            db.execute(insert(projects).values(project_code="P-1", name="一号工地", city_code="4401"))
        yield face


@pytest.fixture
def desk(tmp_path: Path, face: DeskFace, desk_url: str) -> Callable[..., int]:
    """Run the command on the running desk's database."""
    settings = {"database": desk_url, "blobs": "blobs", "key_file": "desk.pem", "name_zh": "测试台"}
    file = tmp_path / "desk.yaml"
    file.write_text(yaml.safe_dump(settings, allow_unicode=True), encoding="utf-8")
    return lambda *words: main(["desk", str(file), *words])


def said(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def enrolled(face: DeskFace, box_id: str, code: str, project: str = "P-1") -> int:
    with ContractBox(face.url, box_id) as box:
        public = base64.b64encode(box.public).decode()
        body = {"code": code, "public_key": public, "project_code": project, "software": "t"}
        status = box.say("enrol", "enrol", body, "/v1/enrol").status
        if status == 200:
            status = box.say("alarm_transition", "e", alarm_body("e", project_code=project)).status
    return status


def rows(face: DeskFace, table: Any) -> list[Any]:
    with face.database.reading() as db:
        return list(db.execute(select(table)).all())


def test_a_code_is_printed_once_and_lets_its_box_in(
    face: DeskFace, desk: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk("issue-code", "P-1", "box-1") == 0
    (told,) = said(capsys)
    assert (told["project_code"], told["box_id"]) == ("P-1", "box-1")
    (row,) = rows(face, codes)
    assert (row.code_sha256, row.issued_name) == (code_digest(told["code"]), "控制台")
    assert 23.9 * HOUR_NS < row.expires_at_ns - face.clock() <= 24 * HOUR_NS
    assert enrolled(face, "box-2", told["code"]) == 403
    assert enrolled(face, "box-1", told["code"]) == 200
    with face.database.reading() as db:
        assert entries_about(db, "box-1")[0].fields["kind"] == "code_issued"


def test_a_code_on_a_stick_is_read_by_nobody_else(
    face: DeskFace, desk: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stick = tmp_path / "sitewarden-code"
    assert desk("issue-code", "P-1", "box-1", "--to", str(stick), "--hours", "1") == 0
    code = stick.read_text().strip()
    assert code not in capsys.readouterr().out
    assert stat.S_IMODE(stick.stat().st_mode) == 0o600
    assert rows(face, codes)[0].expires_at_ns <= face.clock() + HOUR_NS
    assert enrolled(face, "box-1", code) == 200


def test_a_code_that_cannot_be_written_is_not_valid(face: DeskFace, desk: Callable[..., int], tmp_path: Path) -> None:
    (tmp_path / "full").write_text("a file where a folder is wanted")
    assert desk("issue-code", "P-1", "box-1", "--to", str(tmp_path / "full" / "code")) == 2
    assert rows(face, codes) == []


@pytest.mark.parametrize("form", [".html", ".csv"])
def test_a_list_of_boxes_becomes_a_sheet(
    face: DeskFace, desk: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    listed = tmp_path / "boxes.csv"
    listed.write_text("project_code,box_id\n" + "".join(f"P-1,box-{number}\n" for number in range(500)))
    sheet = tmp_path / f"sheet{form}"
    assert desk("issue-code", "--list", str(listed), "--to", str(sheet)) == 0
    (told,) = said(capsys)
    assert (told["file"], told["codes"]) == (str(sheet), 500)
    held = {row.code_sha256 for row in rows(face, codes)}
    text = sheet.read_text(encoding="utf-8-sig")
    found = re.findall(r"[A-Z2-9]{5}(?:-[A-Z2-9]{5}){4}", text)
    assert {code_digest(code) for code in found} == held
    assert enrolled(face, "box-0", found[0]) == 200


def test_a_list_with_a_fault_issues_nothing_and_names_the_line(
    face: DeskFace, desk: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "boxes.csv"
    listed.write_text("project_code,box_id\nP-1,good\nP-1,Bad Box\n")
    assert desk("issue-code", "--list", str(listed), "--to", str(tmp_path / "sheet.html")) == 1
    told = capsys.readouterr()
    assert f"{listed}:3: 'Bad Box' is no box id" in told.err
    assert "nothing was changed" in told.err
    assert rows(face, codes) == []
    assert not (tmp_path / "sheet.html").exists()


def test_a_project_that_nobody_registered_is_told_of(
    face: DeskFace, desk: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert desk("issue-code", "P-new", "box-1") == 0
    told = capsys.readouterr()
    assert "project P-new is not registered" in told.err
    assert enrolled(face, "box-1", json.loads(told.out)["code"], "P-new") == 200


def test_a_box_is_revoked_and_comes_back_with_a_new_code(
    face: DeskFace, desk: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    desk("issue-code", "P-1", "box-1")
    assert enrolled(face, "box-1", said(capsys)[0]["code"]) == 200
    assert desk("issue-code", "P-1", "box-1") == 0
    (open_code,) = said(capsys)
    assert desk("revoke-box", "box-1", "--reason", "被盗") == 0
    assert said(capsys) == [{"box_id": "box-1", "revoked": True}]
    assert enrolled(face, "box-1", open_code["code"]) == 403
    assert desk("revoke-box", "box-1", "--reason", "被盗") == 1
    assert desk("revoke-box", "nobody", "--reason", "被盗") == 1
    assert "no such box" in capsys.readouterr().err
    desk("issue-code", "P-1", "box-1")
    assert enrolled(face, "box-1", said(capsys)[0]["code"]) == 200
    (box,) = rows(face, boxes)
    assert (box.waiting, box.revoked_at_ns) == (0, 0)


def test_boxes_and_open_codes_are_listed(
    face: DeskFace, desk: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    for box_id in ("box-1", "box-2", "box-3"):
        desk("issue-code", "P-1", box_id)
    first, second, _ = said(capsys)
    enrolled(face, "box-1", first["code"])
    assert enrolled(face, "box-2", second["code"]) == 403
    assert desk("boxes") == 0
    listed = {row.pop("box_id"): row for row in said(capsys)}
    assert {box: (row["standing"], row.get("orders")) for box, row in listed.items()} == {
        "box-1": ("in_force", True),
        "box-2": ("waits_for_an_approver", False),
        "box-3": ("code_open", None),
    }


@pytest.mark.parametrize(
    "words",
    [
        ["issue-code"],
        ["issue-code", "P-1"],
        ["issue-code", "P-1", "box-1", "--hours", "25"],
        ["issue-code", "P-1", "box-1", "--hours", "0"],
        ["issue-code", "--list", "boxes.csv"],
        ["issue-code", "P-1", "--list", "boxes.csv", "--to", "x.csv"],
        ["issue-code", "--list", "boxes.csv", "--to", "x.pdf"],
        ["issue-code", "--list", "is-not-there.csv", "--to", "x.csv"],
    ],
)
def test_what_makes_no_sense_is_refused_and_said(
    face: DeskFace, desk: Callable[..., int], capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert desk(*words) == 2
    assert capsys.readouterr().err.startswith("sitewarden: ")
    assert rows(face, codes) == []


def test_the_file_of_one_code_for_anybody_is_gone_from_the_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "old.yaml"
    file.write_text("database: sqlite:///desk.db\nblobs: b\nkey_file: k\nenrol_code_file: enrol-code\n")
    assert main(["desk", str(file), "--check"]) == 2
    told = capsys.readouterr()
    assert "sitewarden desk FILE issue-code PROJECT BOX" in told.err + told.out
    assert "old.yaml:4" in told.err + told.out
