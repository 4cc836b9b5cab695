"""The pages of the safety log: who may write, what is kept after a mistake, what is signed, and the files."""

import hashlib
import io
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pypdf import PdfReader

from gateway.web.visitor import Role, Visitor, VisitorKind
from tests.fakes.office_face import LEADER, OFFICER, READER, OfficeFace

TODAY = "2023-11-15"
SAVE, SIGN = f"/log/{TODAY}/save", f"/log/{TODAY}/sign"


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[OfficeFace]:
    face = OfficeFace(tmp_path)
    yield face
    await face.close()


async def test_the_page_shows_what_the_box_knows_and_says_what_it_does_not(face: OfficeFace) -> None:
    page = await face.page("/log")
    assert f"施工安全日志 · {TODAY}" in page
    assert "未接入视频识别" in page
    assert "一号基坑" in page
    assert '<span class="unknown-word">未知</span>' in page
    english = await face.english("/log")
    assert "Safety log of the day" in english
    assert "no video recognition installed" in english


async def test_only_a_safety_officer_writes(face: OfficeFace) -> None:
    for visitor in (READER, LEADER):
        face.who.now = visitor
        page = await face.page("/log")
        assert "<textarea" not in page
        assert "尚未签字" in page
    face.who.now = OFFICER
    assert "<textarea" in await face.page("/log")


@pytest.mark.parametrize("visitor", [READER, LEADER], ids=["viewer", "supervisor"])
async def test_a_role_too_low_is_refused_before_anything_is_read(face: OfficeFace, visitor: Visitor) -> None:
    face.who.now = visitor
    reply = await face.client.post(SIGN, data={"inspection": "x"})
    assert reply.status_code == 403


async def test_nobody_signs_without_an_own_login(face: OfficeFace) -> None:
    face.who.now = Visitor(VisitorKind.LOCAL, Role.ADMINISTRATOR)
    reply = await face.client.post(SIGN, data={"inspection": "x"})
    assert reply.status_code == 403
    assert "本人登录" in reply.text


async def test_a_forged_form_keeps_nothing(face: OfficeFace) -> None:
    reply = await face.client.post(SAVE, data={"csrf": "0" * 64, "inspection": "x"})
    assert reply.status_code == 403
    assert face.papers.versions(f"safety_log:{TODAY}") == []


async def test_a_draft_comes_back_as_it_was_written(face: OfficeFace) -> None:
    text = '<script>alert("x")</script> 🦺 临边防护'
    reply = await face.submit("/log", SAVE, inspection=text)
    assert reply.headers["location"] == f"/log?day={TODAY}&done=saved"
    page = await face.page(reply.headers["location"])
    assert "&lt;script&gt;" in page
    assert "<script>alert" not in page
    assert "🦺" in page
    assert "草稿已保存并存证" in page


async def test_five_texts_of_four_thousand_characters_are_kept(face: OfficeFace) -> None:
    texts = dict.fromkeys(("on_duty", "inspection", "hazards", "measures"), "检" * 4000) | {"remarks": "🦺" * 4000}
    await face.submit("/log", SIGN, **texts)
    sealed = json.loads((await face.file(f"/log/{TODAY}/log.json")).content)
    assert sealed["texts"] == texts


async def test_a_text_that_is_too_long_is_said_and_everything_typed_is_still_there(face: OfficeFace) -> None:
    reply = await face.submit("/log", SAVE, 422, hazards="患" * 4001, remarks="别的内容")
    assert "4001" in reply.text
    assert "患" * 4001 in reply.text
    assert "别的内容" in reply.text
    assert 'aria-invalid="true"' in reply.text
    assert face.papers.versions(f"safety_log:{TODAY}") == []


async def test_a_signature_needs_an_inspection(face: OfficeFace) -> None:
    reply = await face.submit("/log", SIGN, 422, remarks="别的内容")
    assert "请先填写内容再签字" in reply.text
    assert "别的内容" in reply.text


async def test_a_signed_log_shows_who_when_and_the_record_and_has_no_form_but_a_supplement(face: OfficeFace) -> None:
    await face.submit("/log", SIGN, inspection="已巡查")
    page = await face.page("/log")
    assert "已巡查" in page
    assert OFFICER.name in page
    assert SIGN not in page
    assert f"/log/{TODAY}/supplement" in page
    sealed = face.papers.versions(f"safety_log:{TODAY}")[0]
    assert sealed.sha256 in page
    await face.submit("/log", f"/log/{TODAY}/supplement", supplement="补记一条")
    assert "补记一条" in await face.page("/log")


async def test_a_second_signature_is_refused_in_words(face: OfficeFace) -> None:
    shown = await face.page("/log")
    await face.submit("/log", SIGN, inspection="甲")
    csrf = shown.split('name="csrf" value="')[1].split('"')[0]
    reply = await face.client.post(SIGN, data={"csrf": csrf, "versions": "1", "inspection": "乙"})
    assert reply.status_code == 409
    assert "已签字" in reply.text
    assert "甲" in reply.text


async def test_who_is_overtaken_sees_his_own_words_again(face: OfficeFace) -> None:
    await face.submit("/log", SAVE, inspection="甲")
    reply = await face.submit("/log", SAVE, 409, versions="0", inspection="乙的内容")
    assert "乙的内容" in reply.text
    assert OFFICER.name in reply.text


async def test_the_json_is_the_very_bytes_that_were_sealed(face: OfficeFace) -> None:
    await face.submit("/log", SIGN, inspection="已巡查")
    reply = await face.file(f"/log/{TODAY}/log.json")
    record = next(record for record in face.site.alerts.all_evidence() if record.kind == "safety_log")
    digest = hashlib.sha256(reply.content).hexdigest()
    assert json.loads(record.body)["content"]["sha256"] == digest == reply.headers["x-content-sha256"]


async def test_the_pdf_says_who_signed_and_a_draft_says_that_it_is_one(face: OfficeFace) -> None:
    draft = PdfReader(io.BytesIO((await face.file(f"/log/{TODAY}/log.pdf")).content))
    assert "草稿" in draft.pages[0].extract_text()
    await face.submit("/log", SIGN, inspection="已巡查 🦺\n" * 300, remarks="=1+1")
    signed = await face.file(f"/log/{TODAY}/log.pdf")
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(signed.content)).pages)
    assert OFFICER.name in text
    assert "□" in text
    assert text.count("已巡查") == 300
    assert (await face.file(f"/log/{TODAY}/log.pdf")).content == signed.content


async def test_the_table_is_no_formula_for_a_spreadsheet(face: OfficeFace) -> None:
    await face.submit("/log", SIGN, inspection="已巡查", remarks='=HYPERLINK("http://x")')
    text = (await face.file(f"/log/{TODAY}/log.csv")).content.decode()
    assert text.startswith("\ufeff")
    assert "\"'=HYPERLINK" in text


async def test_a_day_that_is_none_or_to_come_has_no_log(face: OfficeFace) -> None:
    for day in ("2023-11-16", "2023-02-30", "1890-01-01", "x"):
        await face.page(f"/log?day={day}", 404)
        await face.file(f"/log/{day}/log.pdf", 404)


async def test_an_ending_that_nobody_knows_is_refused(face: OfficeFace) -> None:
    await face.file(f"/log/{TODAY}/log.exe", 404)


async def test_a_log_that_was_altered_is_said_to_be_damaged(face: OfficeFace) -> None:
    await face.submit("/log", SIGN, inspection="已巡查")
    with sqlite3.connect(face.papers.path) as db:
        db.execute("UPDATE paper SET body = ?", (b"{}",))
    assert "存证记录不符" in await face.page("/log", 500)
    await face.file(f"/log/{TODAY}/log.json", 500)


async def test_yesterdays_log_is_missed_the_next_morning(face: OfficeFace) -> None:
    await face.submit("/log", SAVE, inspection="草稿")
    assert "昨日" not in await face.page("/log")
    await face.box.clock.advance(86_400)
    assert "昨日的安全日志尚未签字" in await face.page("/log")
