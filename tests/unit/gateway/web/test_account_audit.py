import csv
import io
import re

import pytest

from gateway.accounts.audit_reader import AuditGroup, AuditQuestion, AuditReader
from gateway.accounts.faults import AccountFault
from gateway.accounts.person import Newcomer, Role
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry
from gateway.web.account_desk import DONE, ROLES
from gateway.web.audit_page import ACTIONS, COLUMNS, ENTRIES_A_PAGE, GROUPS, KINDS
from tests.fakes.account_bench import BOSS, GOOD_PASSWORD
from tests.fakes.account_face import AccountFace
from tests.fakes.site import NOW_NS, until


async def settled(face: AccountFace) -> AuditReader:
    await until(lambda: face.site.recorder.last_in_line() is None)
    return AuditReader(face.site.alerts.path)


async def test_the_audit_says_who_did_what_and_nothing_that_the_box_did_alone(guarded: AccountFace) -> None:
    await guarded.set_up()
    officer = await guarded.browser_of(Role.SAFETY_OFFICER)
    alarm_id = await guarded.raised()
    await officer.client.post(f"/api/alarms/{alarm_id}/acknowledge", json={"user": "x", "reason": "已到场 <b>"})
    page = (await officer.get("/audit")).text
    for shown in ("An (an)", "确认报警", "已到场 &lt;b&gt;", "设置第一位管理员", "添加人员", "安全员"):
        assert shown in page
    reader = await settled(guarded)
    entries = reader.page(AuditQuestion(), 100).entries
    raised = [record for record in guarded.site.alerts.all_evidence() if record.kind == RecordKind.TRANSITION]
    assert len(raised) == 3
    assert [entry.action for entry in entries if entry.kind is RecordKind.TRANSITION] == ["acknowledged"]
    assert [entry.seq for entry in entries] == sorted((entry.seq for entry in entries), reverse=True)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.SUPERVISOR])
async def test_the_audit_is_for_safety_officers_and_administrators(guarded: AccountFace, role: Role) -> None:
    await guarded.set_up()
    browser = await guarded.browser_of(role)
    await browser.get("/audit", 403)
    await browser.get("/audit.csv", 403)


async def test_pages_follow_each_other_without_gap_or_repetition(guarded: AccountFace) -> None:
    boss = await guarded.set_up()
    for number in range(ENTRIES_A_PAGE + 30):
        content = {"user": f"u{number}", "reason": "r"}
        guarded.site.recorder.record(Entry(RecordKind.CONFIG_CHANGED, NOW_NS, content))
    await settled(guarded)
    seen: list[int] = []
    path: str | None = "/audit"
    while path:
        text = (await boss.get(path)).text
        seen += [int(number) for number in re.findall(r'<tr><td class="numeric">(\d+)</td>', text)]
        older = re.search(r'href="(/audit\?[^"]*before=\d+)"', text)
        path = older[1].replace("&amp;", "&") if older else None
    assert seen == sorted(set(seen), reverse=True)
    assert len(seen) == ENTRIES_A_PAGE + 30 + 2


async def test_entries_are_found_by_group_and_by_part_of_a_name(guarded: AccountFace) -> None:
    await guarded.set_up()
    guarded.site.recorder.record(Entry(RecordKind.CONFIG_CHANGED, NOW_NS, {"user": "赵工 (zhao)", "reason": "r"}))
    guarded.site.recorder.record(
        Entry(
            RecordKind.ASSET_EVENT,
            NOW_NS,
            {"asset": "pit-1", "event": "pit_baseline_ordered", "content": {"by": "赵工 (zhao)", "reason": "复测"}},
        )
    )
    reader = await settled(guarded)
    found = reader.page(AuditQuestion(user="zhao"), 10).entries
    assert [(entry.kind, entry.detail) for entry in found] == [
        (RecordKind.ASSET_EVENT, "复测"),
        (RecordKind.CONFIG_CHANGED, "r"),
    ]
    only = reader.page(AuditQuestion(group=AuditGroup.ACCOUNTS), 10).entries
    assert {entry.kind for entry in only} == {RecordKind.ACCOUNT}
    assert reader.page(AuditQuestion(user="%"), 10).entries == (), "no pattern, only text"


async def test_a_page_looks_through_a_bounded_number_and_says_where_to_go_on(guarded: AccountFace) -> None:
    boss = await guarded.set_up()
    for number in range(8):
        guarded.site.recorder.record(Entry(RecordKind.STOPPED, NOW_NS, {"n": number}))
    await settled(guarded)
    reader = AuditReader(guarded.site.alerts.path, scanned_at_once=4)
    empty = reader.page(AuditQuestion(), 100)
    assert (empty.entries, empty.next_before_seq) == ((), 7)
    assert reader.page(AuditQuestion(before_seq=1), 100).next_before_seq == 0
    assert [entry.action for entry in reader.all(AuditQuestion(), 100)] == ["login", "first_administrator"]
    assert len(list(reader.all(AuditQuestion(), 1))) == 1
    assert "没有找到" in (await boss.get("/audit?user=nobody-like-this")).text


async def test_failed_logins_stand_in_the_audit_with_their_number(guarded: AccountFace) -> None:
    boss = await guarded.set_up()
    stranger = guarded.browser()
    await stranger.log_in("wang", "not the password")
    await settled(guarded)
    text = (await boss.get("/audit?group=accounts")).text
    assert "登录失败" in text
    assert "not the password" not in text


async def test_the_table_is_for_excel_and_holds_no_formula(guarded: AccountFace) -> None:
    boss = await guarded.set_up()
    people = guarded.accounts.people
    await people.add(Newcomer("li", "=1+2", Role.VIEWER, GOOD_PASSWORD), BOSS)
    content = {"user": "=HYPERLINK(1)", "reason": '@x,"y"\n第二行'}
    guarded.site.recorder.record(Entry(RecordKind.CONFIG_CHANGED, NOW_NS, content))
    await settled(guarded)
    reply = await boss.get("/audit.csv?lang=en")
    assert reply.content.startswith(b"\xef\xbb\xbf")
    assert "attachment" in reply.headers["content-disposition"]
    rows = list(csv.reader(io.StringIO(reply.text.removeprefix("\ufeff"))))
    assert rows[0] == list(COLUMNS)
    assert rows[1][2:6] == ["'=HYPERLINK(1)", "loaded the configuration anew", "", '\'@x,"y"\n第二行']
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


@pytest.mark.parametrize("query", ["before=0", "before=x", f"before={2**70}", "user=" + "x" * 65])
async def test_a_question_that_makes_no_sense_is_refused(guarded: AccountFace, query: str) -> None:
    boss = await guarded.set_up()
    await boss.get(f"/audit?{query}", 422)


async def test_every_text_made_in_code_has_a_translation(guarded: AccountFace) -> None:
    catalogue = guarded.app.state.pages.catalogue
    assert [text for text in (*ROLES.values(), *GROUPS.values(), *COLUMNS) if text not in catalogue] == []
    said = [*DONE.values(), *ACTIONS.values(), *KINDS.values(), *(fault.words for fault in AccountFault)]
    assert [words for words in said if not words.zh or not words.en] == []
