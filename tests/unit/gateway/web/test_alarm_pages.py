"""S2, S3 and the sheet as HTML: what stands where, in both languages, and what nobody may lose sight of."""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from contract.envelope import SignedText
from contract.messages import MailboxMessage
from gateway.model.alarm import Alarm, Severity
from gateway.model.reading import Quality
from gateway.model.rule_card import RuleCard
from gateway.parts.orders.sealing import seal_order
from gateway.store.alert_store import Commit
from gateway.uplinks.regulator_mailbox import DownMessage
from gateway.web.alarm_desk import AlarmGuide
from tests.fakes.site import MINUTE_NS, NOW_NS, info, latching, silence, threshold
from tests.fakes.web_face import Face

DAY_NS = 86_400_000_000_000
HTML = {"accept": "text/html"}
HOUR = {"user": "李工", "reason": "更换中", "for_s": 3600}
CARD = RuleCard(
    "原因文字", "cause text", "后果文字", "consequence text", ("先停机", "再查"), ("Stop first", "Then look"), 120,
    "司机", "Driver", "product advice", "PD",
)  # fmt: skip
RULES = [
    threshold(0, rule=info("grave", Severity.P1)),
    latching(threshold(1, rule=info("middle", Severity.P2))),
    threshold(2, rule=info("light", Severity.P3)),
    threshold(3, rule=info("note", Severity.LOG)),
    silence(),
]


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[Face]:
    face = Face(tmp_path, rules=RULES)
    face.site.start()
    yield face
    await face.close()


async def _page(face: Face, path: str, status: int = 200) -> str:
    reply = await face.client.get(path, headers=HTML)
    assert reply.status_code == status, reply.text[:300]
    return reply.text


async def _ids(face: Face) -> dict[str, str]:
    answer = (await face.client.get("/api/alarms")).json()
    return {alarm["rule_id"]: alarm["alarm_id"] for alarm in answer["alarms"]}


def _listed(html: str) -> list[str]:
    return re.findall(r'<article[^>]* data-alarm="([^"]+)"', html)


def _counts(html: str) -> dict[str, int]:
    return {tab: int(count) for tab, count in re.findall(r'id="tab-(\w+)".*?class="count[^"]*">(\d+)<', html, re.S)}


async def test_every_open_alarm_is_on_one_list_and_counted_there(face: Face) -> None:
    await face.value(120.0)
    ids = await _ids(face)
    await face.post(f"/api/alarms/{ids['middle']}/shelve", HOUR)
    await face.acknowledge(ids["light"], {"user": "李工", "reason": "看到"})
    tabs = ("unacknowledged", "acknowledged", "returned", "shelved", "out_of_service", "diagnostics", "suppressed")
    listed = {tab: _listed(await _page(face, f"/alarms?tab={tab}")) for tab in tabs}
    expected = {"unacknowledged": "grave", "shelved": "middle", "acknowledged": "light", "diagnostics": "note"}
    assert {tab: [ids[expected[tab]]] if tab in expected else [] for tab in tabs} == listed
    assert _counts(await _page(face, "/alarms")) == {
        "unacknowledged": 1,
        "acknowledged": 1,
        "returned": 0,
        "shelved": 1,
        "out_of_service": 0,
        "diagnostics": 1,
        "suppressed": 1,
    }, "the silence is not judged yet"


async def test_an_old_alarm_stays_on_its_list(face: Face) -> None:
    await face.value(120.0)
    before = _listed(await _page(face, "/alarms"))
    await face.site.clock.advance(90 * 86_400)
    assert _listed(await _page(face, "/alarms")) == before
    assert "90 天" in await _page(face, "/alarms")


async def test_a_row_says_how_far_and_in_which_unit_and_the_part_says_the_same(face: Face) -> None:
    await face.value(120.0)
    part = await _page(face, "/parts/alarms?tab=unacknowledged")
    assert "120.00 m" in part
    assert "100.00 m" in part
    assert "一号塔吊" in part
    assert part.strip() in await _page(face, "/alarms")


async def test_data_that_is_missing_is_hatched_and_never_normal(face: Face) -> None:
    alarm_id = await face.raised()
    await face.value(120.0, at_s=1, quality=Quality.BAD)
    for path in ("/alarms", f"/alarms/{alarm_id}"):
        html = await _page(face, path)
        assert "数据未知，报警保持" in html, path
        assert re.search(r'class="alarm[^"]* unknown"|class="alarm-head card unknown"', html), path
    assert "unknown-word" in (await _page(face, f"/alarms/{alarm_id}")).split("当前值")[1][:200]
    assert "120.00" not in (await _page(face, f"/alarms/{alarm_id}")).split("当前值")[1][:200]


async def test_rules_without_data_are_listed(face: Face) -> None:
    html = await _page(face, "/alarms?tab=suppressed")
    assert _counts(html)["suppressed"] == len(RULES)
    assert html.count('<tr class="unknown">') == len(RULES)


async def test_words_from_outside_are_text_on_every_page(face: Face) -> None:
    await face.value(120.0)
    ids = await _ids(face)
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    who = {"user": "<b>李</b>", "reason": evil}
    await face.acknowledge(ids["grave"], who)
    await face.post(f"/api/alarms/{ids['grave']}/note", who)
    await face.post(f"/api/alarms/{ids['middle']}/shelve", who | {"for_s": 60})
    await face.post("/api/subjects/crane-1.q3/out_of_service", who | {"for_s": 60})
    paths = ["/alarms?tab=acknowledged", "/alarms?tab=shelved", "/alarms?tab=out_of_service"]
    paths += [f"/alarms/{ids['grave']}", f"/alarms/{ids['grave']}/sheet", f"/parts/alarms/{ids['grave']}/records"]
    for path in paths:
        html = await _page(face, path)
        assert "<script>alert" not in html, path
        assert "<img src=x" not in html, path
        assert "<b>李" not in html, path
        assert "&lt;script&gt;alert(1)" in html, path


async def test_the_card_stands_beside_the_alarm_with_the_first_step_first(face: Face) -> None:
    face.guide = AlarmGuide(cards={"grave": CARD})
    await face.value(120.0)
    ids = await _ids(face)
    html = await _page(face, f"/alarms/{ids['grave']}")
    assert html.index("先停机") < html.index("再查") < html.index("原因文字") < html.index("后果文字")
    assert "剩余 2 分 0 秒" in html
    await face.site.clock.advance(150)
    assert "已超时 30 秒" in await _page(face, f"/parts/alarms/{ids['grave']}/state")
    english = await _page(face, f"/alarms/{ids['grave']}?lang=en")
    assert english.index("Stop first") < english.index("Then look") < english.index("cause text")
    assert "This rule has no card" in await _page(face, f"/alarms/{ids['light']}?lang=en")


async def test_an_alarm_tells_where_its_limit_comes_from_and_how_sure_that_is(face: Face) -> None:
    alarm_id = await face.raised()
    html = await _page(face, f"/alarms/{alarm_id}?lang=en")
    assert "not checked against the text, confidence high" in html
    assert "M-H" not in html


async def test_what_began_together_and_what_came_before_stand_on_the_page(face: Face) -> None:
    await face.value(120.0)
    await face.value(1.0, at_s=1)
    await face.value(130.0, at_s=2)
    ids = await _ids(face)
    html = await _page(face, f"/alarms/{ids['grave']}")
    together = re.findall(r'id="group-([^"]+)"', html)
    assert ids["middle"] in together
    assert ids["grave"] not in together
    assert "1 天内 2 次" in html
    assert html.count("警") > 0
    assert "首出" in html


async def test_records_and_digests_stand_on_the_page_and_on_the_sheet(face: Face) -> None:
    alarm_id = await face.raised()
    await face.acknowledge(alarm_id, {"user": "李工", "reason": "已到现场处理"})
    digests = [record.sha256 for record in face.site.alerts.evidence_of(alarm_id)]
    for path in (f"/alarms/{alarm_id}", f"/alarms/{alarm_id}/sheet"):
        html = await _page(face, path)
        assert [digest in html for digest in digests] == [True, True], path
    assert "On the spot, dealing with it" in await _page(face, f"/alarms/{alarm_id}?lang=en")


async def test_the_sheet_holds_the_facts_and_places_for_signatures(face: Face) -> None:
    face.guide = AlarmGuide(cards={"grave": CARD})
    await face.value(120.0)
    html = await _page(face, f"/alarms/{(await _ids(face))['grave']}/sheet")
    for expected in (
        "报警处置单",
        "一号塔吊",
        "120.00 m",
        "100.00 m",
        "1.2",
        "未核对原文，可信度高",
        "先停机",
        "项目负责人",
        "/curves.svg?",
    ):
        assert expected in html, expected
    assert "<form" not in html


async def test_what_is_possible_now_is_offered_and_the_rest_is_hidden(face: Face) -> None:
    await face.value(120.0)
    ids = await _ids(face)

    async def offered(rule: str) -> set[str]:
        html = await _page(face, f"/alarms/{ids[rule]}")
        found = re.findall(r'data-action="(\w+)"( hidden)?', html)
        can = re.search(r'data-can="([^"]*)"', html)
        assert can is not None
        shown = {name for name, hidden in found if not hidden}
        assert shown == set(can[1].split()) & {name for name, _ in found}
        return shown

    always = {"note", "false_alarm", "hand_over"}
    assert await offered("grave") == always | {"acknowledge"}, "a P1 is never shelved"
    assert await offered("middle") == always | {"acknowledge", "shelve"}
    await face.value(1.0, at_s=1)
    await face.acknowledge(ids["middle"], {"user": "李工", "reason": "看到"})
    assert await offered("middle") == always | {"reset", "shelve"}
    await face.acknowledge(ids["grave"], {"user": "李工", "reason": "看到"})
    assert await offered("grave") == always, "closed"


async def _closed(face: Face, count: int) -> list[str]:
    """So many closed P1 and P3 alarms in turn, a minute apart; their ids, newest first."""
    alarms = [
        Alarm(
            f"{number:026x}", info("old", severity), "crane-1.q0", "crane-1", "tower-crane", False, at_ns, 120.0, 100.0
        )
        for number in range(count)
        for severity in (Severity.P1 if number % 2 else Severity.P3,)
        for at_ns in (NOW_NS - DAY_NS + number * MINUTE_NS,)
    ]
    done = {"active": False, "acknowledged": True, "acknowledged_by": "李", "acknowledge_reason": "看到"}
    kept = [replace(alarm, returned_at_ns=alarm.raised_at_ns + 1, **done) for alarm in alarms]  # type: ignore[arg-type]
    await asyncio.wrap_future(face.site.alerts.commit(Commit(NOW_NS, alarms=kept)))
    return [alarm.alarm_id for alarm in reversed(kept)]


def _shown(html: str) -> list[str]:
    return re.findall(r'<a href="/alarms/([0-9a-f]{26})"', html)


async def test_the_history_is_paged_without_a_gap_even_while_alarms_close(face: Face) -> None:
    expected = await _closed(face, 250)
    first = await _page(face, "/alarms?tab=history")
    await face.value(120.0)  # and its log entry closes
    await face.value(1.0, at_s=1)
    seen, html = _shown(first), first
    while following := re.search(r'href="([^"]+)" rel="next"', html):
        html = await _page(face, following[1].replace("&amp;", "&"))
        seen += _shown(html)
    assert seen == expected


async def test_the_history_is_filtered(face: Face) -> None:
    expected = await _closed(face, 4)
    only = await _page(face, "/alarms?tab=history&severity=P1&asset=crane-1&day=2023-11-14")
    assert _shown(only) == expected[::2]
    for nothing in ("severity=P2", "day=2023-11-13", "asset=crane-9", "day=2023-11-16"):
        assert "没有符合条件" in await _page(face, f"/alarms?tab=history&{nothing}")


@pytest.mark.parametrize("query", ["day=31.12.2023", "severity=P9", "day=2023-02-30"])
async def test_a_filter_that_says_nothing_is_said_so(face: Face, query: str) -> None:
    assert 'role="alert"' in await _page(face, f"/alarms?tab=history&{query}", 422)
    await _page(face, f"/alarms/history.csv?{query}", 422)


@pytest.mark.parametrize("query", ["tab=nonsense", "page=-1", "page=99999999999999", "page=x", "tab=history&after=x"])
async def test_an_address_that_somebody_made_up_shows_the_page(face: Face, query: str) -> None:
    await _page(face, f"/alarms?{query}")


async def test_the_table_holds_what_the_history_shows(face: Face) -> None:
    expected = await _closed(face, 250)
    reply = await face.client.get("/alarms/history.csv?severity=P3")
    assert "attachment" in reply.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(reply.content[3:].decode())))
    assert [row["报警编号"] for row in rows] == expected[1::2]
    assert {(row["级别"], row["确认人"]) for row in rows} == {("P3", "李")}


@pytest.mark.parametrize("path", ["/alarms/nonsense", "/alarms/nonsense/sheet", "/parts/alarms/nonsense/state"])
async def test_no_such_alarm_is_a_clear_page(face: Face, path: str) -> None:
    assert "没有这个报警" in await _page(face, path, 404)


async def test_while_nothing_can_be_written_the_list_says_so(face: Face) -> None:
    await face.value(120.0)
    face.site.recorder.failing_since_ns = 1
    assert "本机目前无法写入记录" in await _page(face, "/alarms")


async def test_the_list_is_the_same_for_many_readers_at_once(face: Face) -> None:
    await face.value(120.0)
    replies: list[httpx.Response] = await asyncio.gather(*(face.client.get("/parts/alarms") for _ in range(20)))
    assert {reply.status_code for reply in replies} == {200}
    assert len({reply.text for reply in replies}) == 1


async def test_a_long_list_has_pages_of_a_hundred(tmp_path: Path) -> None:
    rules = [threshold(number % 4, rule=replace(info(f"r{number}", Severity.P1))) for number in range(150)]
    face = Face(tmp_path, rules=rules)
    face.site.start()
    await face.value(120.0)
    first, second = await _page(face, "/alarms"), await _page(face, "/alarms?page=2")
    assert (len(_listed(first)), len(_listed(second))) == (100, 50)
    assert not set(_listed(first)) & set(_listed(second))
    assert "第 2/2 页，共 150 条" in second
    await face.close()


async def test_what_the_desk_judged_stands_on_the_alarms_page(face: Face) -> None:
    alarm_id = await face.raised()
    assert "审查台判定" not in await _page(face, f"/alarms/{alarm_id}")
    await _told(face, alarm_id, "false", "helmet_worn", 2)
    page = await _page(face, f"/alarms/{alarm_id}?lang=zh-CN")
    assert "误报" in page.split("审查台判定")[1][:200]
    assert "人已戴帽" in page.split("审查台判定")[1][:200]
    part = await _page(face, f"/parts/alarms/{alarm_id}/facts?lang=en")
    assert "the helmet is worn" in part.split("Judged at the desk")[1][:200]
    await _told(face, alarm_id, "open", "", 3)
    assert "审查台判定" not in await _page(face, f"/alarms/{alarm_id}")


async def _told(face: Face, alarm_id: str, verdict: str, reason: str, version: int) -> None:
    """The desk's word, sealed as it comes down."""
    body = {"alarm_id": alarm_id, "version": version, "verdict": verdict, "reason": reason, "judged_at_ns": NOW_NS}
    message = MailboxMessage(
        message_id=f"m{version}",
        mailbox_seq=version,
        box_id="box-1",
        kind="alarm_verdict",
        issued_at_ns=NOW_NS,
        body=body,
    )
    signed = SignedText(alg="Ed25519", key_id="ed25519:" + "0" * 32, text=message.model_dump_json(), signature="AA==")

    async def keep(_down: DownMessage) -> None:
        """The inbox file is another test's."""

    await seal_order(DownMessage(message, signed), keep, face.site.recorder, face.site.clock, "regulator")
