"""From a box's alarm to a closed hazard and a verified package, over real sockets, as docs/desk.md walks it."""

import base64
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import insert, select

from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.registry import projects
from sitewarden.__main__ import main
from tests.fakes.contract_box import ContractBox, alarm_body
from tests.fakes.desk_database import DeskClock, desk_url, migrated, migrated_file, postgresql  # noqa: F401 - fixtures
from tests.fakes.desk_face import DeskClient, DeskFace

COUNTY = Scope(Level.COUNTY, "440105")
JSON = {"accept": "application/json"}


@pytest.fixture
def face(desk_url: str, tmp_path: Path) -> Iterator[DeskFace]:  # noqa: F811 - the fixture's name
    database = DeskDatabase(desk_url)
    with DeskFace(tmp_path, DeskClock(), database=database) as running:
        with database.transaction() as db:
            regions = {"province_code": "44", "city_code": "4401", "county_code": COUNTY.code}
            db.execute(insert(projects).values(project_code="P-1", name="一号工地", status="running", **regions))
        yield running
    database.close()


@pytest.fixture
def box(face: DeskFace) -> Iterator[ContractBox]:
    with ContractBox(face.url, "box-1") as opened:
        answer = opened.say(
            "enrol",
            "enrol-box-1",
            {
                "code": face.code_for("box-1", "P-1"),
                "public_key": _public(opened),
                "project_code": "P-1",
                "software": "walk",
            },
            "/v1/enrol",
        )
        assert answer.status == 200, answer.reply
        yield opened


def test_an_alarm_becomes_a_closed_hazard_and_a_package_that_holds(
    face: DeskFace, box: ContractBox, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = _reviewer(face, "jia"), _reviewer(face, "yi")
    _transition(face, box, "raised")
    _judge_true(first)
    _let_time_pass(face, seconds=11)
    hazard_id = _hazard(face).hazard_id

    _act(first, hazard_id, "order", words="立即补设防护栏杆")
    order = _order_in_the_mailbox(box)
    _reply(box, face, order["order_id"], "accepted", ())
    photo = _photo(1)
    assert box.put_blob(photo, photo, media_type="image/jpeg").status == 200
    _reply(box, face, order["order_id"], "rectified", (_digest(photo),))
    assert _hazard(face).state == "awaiting_recheck"

    refused = _try(second, hazard_id, "close", photo=_photo(2), words="复查合格")
    assert (refused.status_code, "报警" in refused.text) == (409, True), refused.text
    _transition(face, box, "returned")
    _act(second, hazard_id, "close", photo=_photo(2), words="复查合格")
    assert _hazard(face).state == "closed"

    package = tmp_path / "package.zip"
    package.write_bytes(_success(first.get(f"/hazards/{hazard_id}/package")).content)
    (key_id,) = set(re.findall(r"ed25519:[0-9a-f]{32}", _success(first.get("/verify")).text))
    assert main(["verify", str(package), "--key", key_id]) == 0, capsys.readouterr().out
    changed = tmp_path / "changed.zip"
    flipped = _with_one_byte_flipped(package, changed)
    assert main(["verify", str(changed)]) == 1
    assert flipped in capsys.readouterr().out


def _public(box: ContractBox) -> str:

    return base64.b64encode(box.public).decode()


def _reviewer(face: DeskFace, login: str) -> DeskClient:
    return face.client_of(face.add(login, f"县级{login}", [(COUNTY, [Duty.REVIEWER])]))


def _transition(face: DeskFace, box: ContractBox, transition: str) -> None:
    event_id, now_ns = f"alarm-1-{transition}", face.clock()
    record = box.say("evidence_record", f"record-{transition}", box.seal_record(transition))
    assert record.status == 200, record.reply
    body = alarm_body(
        event_id,
        transition=transition,
        rule_id="vision.edge_open",
        subject="camera-1.edge-1",
        asset="camera-1",
        asset_kind="camera",
        title_zh="临边防护缺失",
        title_en="Edge protection missing",
        measured=None,
        limit=None,
        suspected=False,
        project_code="P-1",
        observed_at_ns=now_ns,
        raised_at_ns=now_ns,
        evidence_seq=len(box.chain),
        evidence_sha256=box.chain[-1][1],
    )
    answer = box.say("alarm_transition", event_id, body)
    assert answer.status == 200, answer.reply


def _judge_true(reviewer: DeskClient) -> None:
    row = _success(reviewer.get("/review/queue", headers=JSON)).json()["rows"][0]
    csrf = {"csrf": reviewer.csrf("/review")}
    _success(reviewer.post(f"/review/items/{row['id']}/lease", data=csrf, headers=JSON))
    said = csrf | {"verdict": "true"}
    _success(reviewer.post(f"/review/items/{row['id']}/verdict", data=said, headers=JSON))


def _let_time_pass(face: DeskFace, seconds: float) -> None:
    now_ns = face.clock.move(seconds=seconds)  # type: ignore[attr-defined]
    for job in face.desk.jobs:
        job.run(now_ns)


def _hazard(face: DeskFace) -> Any:
    with face.database.reading() as db:
        return db.execute(select(hazards)).one()


def _try(who: DeskClient, hazard_id: str, step: str, *, photo: bytes | None = None, **fields: str) -> Any:
    files = {"photo": ("photo.jpg", photo, "image/jpeg")} if photo else None
    page = f"/hazards/{hazard_id}"
    return who.submit(page, f"{page}/{'evidence' if photo else 'act'}", files=files, step=step, **fields)


def _act(who: DeskClient, hazard_id: str, step: str, *, photo: bytes | None = None, **fields: str) -> None:
    answer = _try(who, hazard_id, step, photo=photo, **fields)
    assert answer.status_code == 303, answer.text


def _order_in_the_mailbox(box: ContractBox) -> dict[str, Any]:
    answer = box.say("mailbox_poll", f"poll-{box.seq}", {"wait_s": 0, "limit": 32}, "/v1/mailbox")
    letters = [json.loads(signed["text"]) for signed in answer.body["messages"]]
    orders = [letter["body"] for letter in letters if letter["kind"] == "order"]
    assert len(orders) == 1, [letter["kind"] for letter in letters]
    return dict(orders[0])


def _reply(box: ContractBox, face: DeskFace, order_id: str, answer: str, blobs: tuple[str, ...]) -> None:
    body = {
        "order_id": order_id,
        "answer": answer,
        "words": "已整改",
        "user": "项目部",
        "answered_at_ns": face.clock(),
        "blob_sha256": list(blobs),
    }
    said = box.say("order_reply", f"reply-{answer}", body)
    assert said.status == 200, said.reply


def _photo(shade: int) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (shade * 40, 90, 120)).save(out, "JPEG")
    return out.getvalue()


def _digest(content: bytes) -> str:

    return hashlib.sha256(content).hexdigest()


def _success(answer: Any) -> Any:
    assert answer.status_code == 200, answer.text
    return answer


def _with_one_byte_flipped(package: Path, target: Path) -> str:
    """Change the last byte of one file inside; its name."""
    with zipfile.ZipFile(package) as source, zipfile.ZipFile(target, "w") as changed:
        names = source.namelist()
        chosen = next(name for name in names if name.endswith(".jpg") or "/media/" in name or name.startswith("media/"))
        for name in names:
            content = source.read(name)
            if name == chosen:
                content = content[:-1] + bytes([content[-1] ^ 1])
            changed.writestr(name, content)
    return chosen
