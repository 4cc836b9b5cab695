"""The pages of the shift handover: two logins, one shift, and what was handed over as a file."""

import hashlib
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pypdf import PdfReader

from tests.fakes.office_face import LEADER, OFFICER, READER, OfficeFace


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[OfficeFace]:
    face = OfficeFace(tmp_path)
    face.who.now = LEADER
    yield face
    await face.close()


async def handed(face: OfficeFace, notes: str = "2 号塔机限位待复查") -> None:
    await face.submit("/handover", "/handover/hand", notes=notes)


async def test_the_page_says_how_the_site_stands(face: OfficeFace) -> None:
    page = await face.page("/handover")
    for title in (
        "未确认的一级、二级报警",
        "搁置的报警",
        "按设计抑制的报警",
        "当前无法判断的规则",
        "存在超过 24 小时的报警",
    ):
        assert title in page
    assert "How the site stands" in await face.english("/handover")


async def test_a_viewer_looks_and_writes_nothing(face: OfficeFace) -> None:
    face.who.now = READER
    assert "<textarea" not in await face.page("/handover")
    assert (await face.client.post("/handover/hand", data={"notes": "x"})).status_code == 403


async def test_one_signs_and_another_confirms_with_an_own_login(face: OfficeFace) -> None:
    await handed(face, "交接 <b>重点</b> 🦺")
    own = await face.page("/handover")
    assert "/handover/1/take" not in own
    assert "/handover/1/withdraw" in own
    face.who.now = OFFICER
    page = await face.page("/handover")
    assert "&lt;b&gt;重点" in page
    await face.submit("/handover", "/handover/1/take", remark="已核对")
    past = await face.page("/handover/1")
    assert LEADER.name in past
    assert OFFICER.name in past
    assert "已核对" in past
    assert "第 2 号" in await face.page("/handover")
    kinds = [record.kind for record in face.site.alerts.all_evidence()]
    assert kinds.count("shift_handover") == 2


async def test_whoever_handed_over_cannot_take_over(face: OfficeFace) -> None:
    await handed(face)
    reply = await face.submit("/handover", "/handover/1/take", 409, remark="我自己")
    assert "两个人" in reply.text


async def test_what_was_withdrawn_is_a_draft_again(face: OfficeFace) -> None:
    await handed(face)
    await face.submit("/handover", "/handover/1/withdraw")
    page = await face.page("/handover")
    assert "2 号塔机限位待复查" in page
    assert "/handover/hand" in page
    await face.page("/handover/1", 404)


async def test_a_note_that_is_too_long_is_said_and_still_there(face: OfficeFace) -> None:
    reply = await face.submit("/handover", "/handover/save", 422, notes="班" * 4001)
    assert "班" * 4001 in reply.text
    assert "4001" in reply.text


async def test_a_shift_that_was_taken_meanwhile_is_said(face: OfficeFace) -> None:
    await handed(face)
    face.who.now = OFFICER
    await face.submit("/handover", "/handover/1/take")
    reply = await face.submit("/handover", "/handover/1/take", 409)
    assert "没有待接的班" in reply.text


async def test_the_files_are_those_of_the_signed_handover(face: OfficeFace) -> None:
    await face.file("/handover/1.pdf", 404)
    await handed(face)
    face.who.now = OFFICER
    await face.submit("/handover", "/handover/1/take", remark="已核对")
    body = (await face.file("/handover/1.json")).content
    first = next(record for record in face.site.alerts.all_evidence() if record.kind == "shift_handover")
    assert json.loads(first.body)["content"]["sha256"] == hashlib.sha256(body).hexdigest()
    pdf = PdfReader(io.BytesIO((await face.file("/handover/1.pdf")).content))
    text = pdf.pages[0].extract_text()
    assert LEADER.name in text
    assert OFFICER.name in text


async def test_a_handover_that_is_none_is_not_found(face: OfficeFace) -> None:
    for name in ("0", "x", "123456789", "1.exe", "%20"):
        await face.file(f"/handover/{name}", 404)
