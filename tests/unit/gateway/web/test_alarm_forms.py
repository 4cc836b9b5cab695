"""The forms of S2 and S3: who may, what is sealed, and clear answers to everything that goes wrong."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from gateway.accounts.person import Role
from gateway.evidence.evidence import RecordKind
from gateway.model.alarm import Severity
from gateway.web.alarm_forms import FORMS
from tests.fakes.account_face import AccountFace, Browser
from tests.fakes.site import info, latching, threshold
from tests.fakes.web_face import Face

RULES = [
    threshold(0, rule=info("grave", Severity.P1)),
    latching(threshold(1, rule=info("middle", Severity.P2))),
    threshold(2, rule=info("light", Severity.P3, reportable=False)),
]
WHO = {"user": "李工"}


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[Face]:
    face = Face(tmp_path, rules=RULES)
    face.site.start()
    await face.value(120.0)
    yield face
    await face.close()


@pytest.fixture
async def local(face: Face) -> AsyncIterator[Browser]:
    browser = Browser(face)  # type: ignore[arg-type]
    yield browser
    await browser.client.aclose()


async def _ids(face: Face) -> dict[str, str]:
    return {alarm.rule.rule_id: alarm.alarm_id for alarm in face.site.alerts.open_alarms()}


def _sealed(face: Face, alarm_id: str) -> list[dict[str, object]]:
    return [json.loads(record.body)["content"] for record in face.site.alerts.evidence_of(alarm_id)]


async def _send(browser: Browser, alarm_id: str, name: str, **fields: str) -> httpx.Response:
    return await browser.submit(f"/alarms/{alarm_id}", f"/alarms/{alarm_id}/{name}", **WHO | fields)


async def test_one_tap_acknowledges_and_the_page_says_so(face: Face, local: Browser) -> None:
    alarm_id = (await _ids(face))["grave"]
    reply = await _send(local, alarm_id, "acknowledge", reason_preset="driver_told", back="/alarms?tab=unacknowledged")
    assert (reply.status_code, reply.headers["location"]) == (303, "/alarms?tab=unacknowledged&done=acknowledged")
    assert _sealed(face, alarm_id)[-1]["reason"] == "已通知司机停机"
    assert "已确认并存证" in (await local.get(reply.headers["location"])).text


@pytest.mark.parametrize("back", ["https://evil.example/x", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
async def test_no_form_leads_to_another_site(face: Face, local: Browser, back: str) -> None:
    reply = await _send(local, (await _ids(face))["grave"], "acknowledge", reason_preset="checking", back=back)
    assert (reply.status_code, reply.headers["location"]) == (303, "/?done=acknowledged")


async def test_two_people_at_once_one_wins_and_the_other_is_told_by_whom_and_when(face: Face, local: Browser) -> None:
    alarm_id = (await _ids(face))["grave"]
    csrf = await local.csrf(f"/alarms/{alarm_id}")
    forms = [{"csrf": csrf, "user": user, "reason": f"{user}看到"} for user in ("李工", "王工")]
    replies = await asyncio.gather(*(local.post(f"/alarms/{alarm_id}/acknowledge", form) for form in forms))
    lost = next(reply for reply in replies if reply.status_code == 409)
    assert sorted(reply.status_code for reply in replies) == [303, 409]
    winner = str(_sealed(face, alarm_id)[-1]["user"])
    assert f"该报警已被 {winner} 于 06:13:20 确认" in lost.text
    assert [record["transition"] for record in _sealed(face, alarm_id)] == ["raised", "acknowledged"]
    assert 'role="alert"' in lost.text


async def test_to_acknowledge_what_has_closed_meanwhile_says_by_whom_it_was(face: Face, local: Browser) -> None:
    alarm_id = (await _ids(face))["grave"]
    csrf = await local.csrf(f"/alarms/{alarm_id}")
    await face.acknowledge(alarm_id, {"user": "王工", "reason": "看到"})
    await face.value(1.0, at_s=1)
    late = await local.post(f"/alarms/{alarm_id}/acknowledge", {"csrf": csrf, "user": "李工", "reason": "看到"})
    assert (late.status_code, "该报警已被 王工 于" in late.text) == (409, True)


@pytest.mark.parametrize("words", ["👷‍♂️🏗️⚠️ 好", "字" * 4000, "👷" * 4000, "<script>alert(1)</script> & \"'"])
async def test_any_words_are_sealed_as_they_were_typed(face: Face, local: Browser, words: str) -> None:
    alarm_id = (await _ids(face))["grave"]
    assert (await _send(local, alarm_id, "acknowledge", reason_preset="other", reason=words)).status_code == 303
    assert _sealed(face, alarm_id)[-1]["reason"] == words
    html = (await local.get(f"/alarms/{alarm_id}")).text
    assert "<script>alert" not in html


@pytest.mark.parametrize(
    ("words", "said"), [("字" * 4001, "最多 4000 个字，现有 4001 个字"), ("", "请填写原因"), ("一\x1b二", "控制字符")]
)
async def test_what_cannot_be_taken_comes_back_as_it_was_typed(
    face: Face, local: Browser, words: str, said: str
) -> None:
    alarm_id = (await _ids(face))["middle"]
    for name in ("acknowledge", "note", "shelve"):
        reply = await _send(local, alarm_id, name, reason=words, for_s="3600", reason_preset="other")
        assert (reply.status_code, said in reply.text) == (422, True), name
        assert f">{words}</textarea>" in reply.text
        assert 'value="李工"' in reply.text
    assert len(_sealed(face, alarm_id)) == 1


async def test_a_form_that_is_too_large_is_refused_clearly(face: Face, local: Browser) -> None:
    alarm_id = (await _ids(face))["grave"]
    reply = await _send(local, alarm_id, "note", reason="字" * 10_000)
    assert (reply.status_code, "请求内容过长" in reply.text) == (413, True)


async def test_a_note_keeps_its_lines(face: Face, local: Browser) -> None:
    alarm_id = (await _ids(face))["grave"]
    assert (await _send(local, alarm_id, "note", reason="第一行\r\n第二行")).status_code == 303
    assert _sealed(face, alarm_id)[-1]["reason"] == "第一行\n第二行"
    assert "1 条处理记录" in (await local.get("/alarms")).text


async def test_a_judgement_is_shown_and_hides_nothing(face: Face, local: Browser) -> None:
    alarm_id = (await _ids(face))["grave"]
    assert (await _send(local, alarm_id, "false_alarm", reason="试吊")).status_code == 422, "it needs a cause"
    assert (await _send(local, alarm_id, "false_alarm", reason="试吊", cause="nonsense")).status_code == 422
    assert (await _send(local, alarm_id, "false_alarm", reason="试吊", cause="calibration")).status_code == 303
    html = (await local.get("/alarms")).text
    assert f'data-alarm="{alarm_id}"' in html
    assert "误报：标定错误" in html
    assert "报警中 · 未确认" in html
    again = await _send(local, alarm_id, "false_alarm", reason="试吊", cause="other")
    assert (again.status_code, "已被判为误报" in again.text) == (409, True)
    assert (await _send(local, alarm_id, "withdraw_judgement", reason="复核属实")).status_code == 303
    assert "误报：" not in (await local.get("/alarms")).text


async def test_an_alarm_is_handed_over_once(face: Face, local: Browser) -> None:
    alarm_id = (await _ids(face))["light"]
    assert (await _send(local, alarm_id, "hand_over", reason="现场属实")).status_code == 303
    again = await _send(local, alarm_id, "hand_over", reason="再报")
    assert (again.status_code, "已转隐患上报" in again.text) == (409, True)
    keys = [item.key for item in face.site.alerts.pending("regulator", 100) if alarm_id in item.key]
    assert keys == [f"{alarm_id}:handed_over"]


async def test_shelving_and_back_and_reset(face: Face, local: Browser) -> None:
    ids = await _ids(face)
    assert (await _send(local, ids["grave"], "shelve", reason="?", for_s="3600")).status_code == 409, "never a P1"
    too_long = await _send(local, ids["middle"], "shelve", reason="?", for_s="28801")
    assert (too_long.status_code, "超过允许的最长时间" in too_long.text) == (422, True)
    for nothing in ("", "0", "-1", "1e9", "²"):
        assert (await _send(local, ids["middle"], "shelve", reason="?", for_s=nothing)).status_code == 422
    assert (await _send(local, ids["middle"], "shelve", reason="更换", for_s="28800")).status_code == 303
    assert (await _send(local, ids["middle"], "unshelve", reason="换好")).status_code == 303
    assert (await _send(local, ids["middle"], "reset", reason="?")).status_code == 409
    await face.value(1.0, at_s=1)
    assert (await _send(local, ids["middle"], "acknowledge", reason_preset="checking")).status_code == 303
    assert (await _send(local, ids["middle"], "reset", reason="已处理")).status_code == 303
    assert [record["transition"] for record in _sealed(face, ids["middle"])] == [
        "raised",
        "shelved",
        "unshelved",
        "returned",
        "acknowledged",
        "reset",
    ]


async def _together(browser: Browser, alarm_ids: list[str], **fields: str) -> httpx.Response:
    csrf = await browser.csrf("/alarms")
    form = {"csrf": csrf, "tab": "unacknowledged", "alarm_id": alarm_ids, "reason_preset": "checking"} | WHO | fields
    return await browser.client.post("/alarms/acknowledge", data=form, headers={"origin": browser.base_url})


async def test_several_are_acknowledged_with_one_reason_and_the_records_say_so(face: Face, local: Browser) -> None:
    ids = await _ids(face)
    reply = await _together(local, [ids["middle"], ids["light"], ids["light"]])
    assert (reply.status_code, reply.headers["location"]) == (303, "/alarms?tab=unacknowledged&done=together")
    for rule in ("middle", "light"):
        assert _sealed(face, ids[rule])[-1]["reason"] == "正在核实（批量确认，共 2 条）"


async def test_one_p1_among_several_and_none_is_acknowledged(face: Face, local: Browser) -> None:
    ids = await _ids(face)
    reply = await _together(local, list(ids.values()))
    assert (reply.status_code, "P1 报警须逐条确认" in reply.text) == (409, True)
    assert [len(_sealed(face, alarm_id)) for alarm_id in ids.values()] == [1, 1, 1]
    assert reply.text.count(" checked>") == 2, "what was chosen is still chosen"


async def test_what_somebody_else_acknowledged_meanwhile_is_left_as_it_is(face: Face, local: Browser) -> None:
    ids = await _ids(face)
    await face.acknowledge(ids["middle"], {"user": "王工", "reason": "看到"})
    reply = await _together(local, [ids["middle"], ids["light"]])
    assert (reply.status_code, "done=some_together" in reply.headers["location"]) == (303, True)
    assert _sealed(face, ids["middle"])[-1]["user"] == "王工"
    assert (await _together(local, [ids["middle"], ids["light"]])).status_code == 409, "nothing is left to do"


@pytest.mark.parametrize(("alarm_ids", "status"), [([], 422), (["x"] * 101, 404), ([str(n) for n in range(101)], 422)])
async def test_none_too_many_or_unknown_are_refused(
    face: Face, local: Browser, alarm_ids: list[str], status: int
) -> None:
    reply = await _together(local, alarm_ids, reason_preset="other", reason="打过的字")
    assert reply.status_code == status
    assert 'value="打过的字"' in reply.text


async def test_a_point_goes_out_of_service_and_back(face: Face, local: Browser) -> None:
    out = {"subject": "crane-1.q0", "for_s": "3600", "reason": "换传感器"} | WHO
    reply = await local.submit("/alarms/service", "/alarms/service/out", **out)
    assert (reply.status_code, reply.headers["location"]) == (303, "/alarms?tab=out_of_service&done=service")
    html = (await local.get("/alarms?tab=out_of_service")).text
    assert f'data-alarm="{(await _ids(face))["grave"]}"' in html
    assert "换传感器" in html
    back = {"subject": "crane-1.q0", "reason": "换好"} | WHO
    assert (await local.submit("/alarms/service?subject=crane-1.q0", "/alarms/service/in", **back)).status_code == 303
    assert "没有停用的设备和测点" in (await local.get("/alarms?tab=out_of_service")).text


@pytest.mark.parametrize(
    ("way", "fields", "status"),
    [
        ("out", {"subject": "nonsense", "for_s": "60", "reason": "?"}, 404),
        ("out", {"subject": "crane-1.q0", "for_s": "86401", "reason": "?"}, 422),
        ("out", {"subject": "crane-1.q0", "for_s": "", "reason": "?"}, 422),
        ("out", {"subject": "crane-1.q0", "for_s": "60", "reason": ""}, 422),
        ("in", {"subject": "crane-1.q0", "reason": "?"}, 409),
    ],
)
async def test_what_cannot_go_out_of_service_says_why(
    local: Browser, way: str, fields: dict[str, str], status: int
) -> None:
    reply = await local.submit("/alarms/service", f"/alarms/service/{way}", **WHO | fields)
    assert (reply.status_code, 'role="alert"' in reply.text) == (status, True)


async def test_a_form_without_its_hidden_field_does_nothing(face: Face, local: Browser) -> None:
    alarm_id = (await _ids(face))["grave"]
    reply = await local.post(f"/alarms/{alarm_id}/acknowledge", {"reason_preset": "checking"} | WHO)
    assert reply.status_code == 403
    assert len(_sealed(face, alarm_id)) == 1


@pytest.mark.parametrize("path", ["/alarms/{}/delete", "/alarms/{}/clear", "/alarms/service/away"])
async def test_nothing_else_can_be_done(face: Face, local: Browser, path: str) -> None:
    alarm_id = (await _ids(face))["grave"]
    address = path.format(alarm_id)
    reply = await local.submit(f"/alarms/{alarm_id}", address, subject="crane-1.q0", reason="?", **WHO)
    assert reply.status_code in (404, 409)
    assert len(_sealed(face, alarm_id)) == 1


async def test_roles_decide_who_may_and_the_record_holds_the_person_who_has_logged_in(tmp_path: Path) -> None:
    face = AccountFace(tmp_path)
    await face.start()
    await face.set_up()
    await face.value(120.0)
    alarm_id = face.site.alerts.open_alarms()[0].alarm_id
    viewer, supervisor = await face.browser_of(Role.VIEWER), await face.browser_of(Role.SUPERVISOR)
    officer = await face.browser_of(Role.SAFETY_OFFICER)
    looked = (await viewer.get(f"/alarms/{alarm_id}")).text
    assert f'action="/alarms/{alarm_id}/' not in looked
    assert "data-acknowledge" not in (await viewer.get("/alarms")).text
    fields = {"user": "别人", "reason": "看到", "for_s": "60", "cause": "other", "reason_preset": "other"}
    for name in FORMS:
        refused = viewer if name in ("acknowledge", "note") else supervisor
        csrf = await refused.csrf("/alarms")
        reply = await refused.post(f"/alarms/{alarm_id}/{name}", {"csrf": csrf} | fields)
        assert (reply.status_code, "无权" in reply.text) == (403, True), name
    assert len(_sealed(face, alarm_id)) == 1
    assert 'name="user"' not in (await supervisor.get(f"/alarms/{alarm_id}")).text
    assert (await _send(supervisor, alarm_id, "acknowledge", **fields)).status_code == 303
    assert (await _send(officer, alarm_id, "hand_over", **fields)).status_code == 303
    assert [record["user"] for record in _sealed(face, alarm_id)[1:]] == ["Zhu (zhu)", "An (an)"]
    assert face.site.alerts.last_of(RecordKind.ALARM_NOTE) is not None
    await face.close()
