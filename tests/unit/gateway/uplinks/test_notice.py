import json
from dataclasses import replace

import pytest

from gateway.evidence.evidence import NO_SCREEN, unacknowledged
from gateway.model.alarm import Severity, Transition, TransitionKind
from gateway.model.alert import OutboxItem
from gateway.uplinks.notice import Wording, cut_bytes, cut_units, full_text, read_notice, short_text
from tests.fakes.outbox import NOW_NS, alarm, escalation_row, row, row_of

ZH, EN = Wording("zh", 480), Wording("en", 480)


def read(item, now_ns=NOW_NS):
    notice = read_notice(item, now_ns)
    assert notice is not None
    return notice


def test_one_alarm_in_chinese_says_what_where_how_much_when_by_which_clause_and_under_which_number():
    assert full_text([read(row())], [ZH]) == [
        "【P1 报警】塔机力矩超载",
        "对象：crane-1（crane-1.moment_pct）",
        "测值：112.5 %，限值：100 %",
        "时间：2023-11-15 06:13:20（UTC+08:00）",
        "依据：GB 1 2.3（未核对原文，可信度高）",
        "项目：PROJECT-1，编号：alarm-1:raised",
    ]


def test_two_languages_follow_each_other():
    lines = full_text([read(row())], [EN, ZH])
    assert lines[0] == "[P1 alarm] Tower crane moment overload"
    assert lines[6] == "【P1 报警】塔机力矩超载"


@pytest.mark.parametrize(
    ("because", "zh", "en"),
    [
        (unacknowledged(120), "120 秒无人确认", "nobody has acknowledged it for 120 s"),
        (NO_SCREEN, "没有值班屏幕在线", "no screen is listening"),
        ("the siren is broken", "the siren is broken", "the siren is broken"),
    ],
)
def test_an_escalation_says_why(because, zh, en):
    notice = read(escalation_row(because))
    assert full_text([notice], [ZH])[0] == f"【P1 升级】塔机力矩超载：{zh}"
    assert full_text([notice], [EN])[0] == f"[P1 escalation] Tower crane moment overload: {en}"
    assert zh in short_text([notice], ZH)


def test_who_acknowledged_is_said_and_what_they_wrote_cannot_change_the_layout():
    what = Transition(TransitionKind.ACKNOWLEDGED, alarm(), NOW_NS, 112.5, "张三", "去看\n【P1 报警】假的\u2028行")
    assert "人员：张三：去看 【P1 报警】假的 行" in full_text([read(row_of(what))], [ZH])


def test_a_suspicion_is_never_told_as_a_fact():
    assert full_text([read(row(suspected=True))], [ZH])[0] == "【P1 报警】塔机力矩超载（疑似，待人员确认）"
    assert "（疑似，待人员确认）" in ZH.line(read(row(suspected=True)))


def test_no_reading_is_told_as_none_and_never_as_a_number():
    what = Transition(TransitionKind.RAISED, alarm(), NOW_NS, float("nan"))
    assert "测值：无读数，限值：100 %" in full_text([read(row_of(what))], [ZH])
    assert "Measured: no reading, limit: 100 %" in full_text([read(row_of(what))], [EN])


@pytest.mark.parametrize(("age_s", "said"), [(59, ""), (60, ""), (61, "，迟到 2 分钟"), (3600, "，迟到 60 分钟")])
def test_an_old_row_is_told_as_late(age_s, said):
    lines = full_text([read(row(), NOW_NS + age_s * 10**9)], [ZH])
    assert lines[3] == f"时间：2023-11-15 06:13:20（UTC+08:00）{said}"


def test_many_are_told_with_their_count_the_gravest_kind_first_and_one_line_each():
    rows = [row(1, Severity.P2), row(2, Severity.P2), row(3), escalation_row(NO_SCREEN, 4)]
    lines = full_text([read(item) for item in rows], [ZH])
    assert lines[0] == "合并 4 条：P1 升级 1，P1 报警 1，P2 报警 2"
    assert [line.split(" ")[3] for line in lines[1:]] == ["crane-1", "crane-2", "crane-3", "crane-4"]


def test_a_short_text_of_many_names_count_and_gravest():
    text = short_text([read(row(1, Severity.P2)), read(row(2))], ZH)
    assert text.startswith("合并 2 条：P1 报警 1，P2 报警 1；首条：P1 报警 塔机力矩超载 crane-2")


def test_a_kind_of_transition_that_is_new_is_told_by_its_name():
    item = row()
    body = json.loads(item.body) | {"transition": "shelved", "added_later": {"x": 1}}
    item = OutboxItem(1, "people", "k", "alarm_transition", json.dumps(body).encode(), NOW_NS, 0)
    assert full_text([read(item)], [ZH])[0] == "【P1 shelved】塔机力矩超载"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("evidence_record", b"{}"),
        ("alarm_transition", b"{}"),
        ("alarm_transition", b"\xff"),
        ("alarm_transition", b'{"transition": "raised", "severity": "P9"}'),
        ("alarm_transition", b'["raised"]'),
        ("escalation", b'{"measured": 1.5}'),
    ],
)
def test_what_is_no_notice_is_none(kind, body):
    assert read_notice(OutboxItem(1, "people", "k", kind, body, NOW_NS, 0), NOW_NS) is None


def test_a_time_that_no_calendar_holds_is_shown_as_it_came():
    body = b'{"transition": "raised", "observed_at_ns": 9000000000000000000000000000}'
    notice = read(OutboxItem(1, "people", "k", "alarm_transition", body, NOW_NS, 0))
    assert "9000000000000000000000000000 ns" in full_text([notice], [ZH])[3]


@pytest.mark.parametrize(
    ("offset_min", "said"), [(0, "2023-11-14 22:13:20（UTC+00:00）"), (-210, "18:43:20（UTC-03:30）")]
)
def test_times_are_local(offset_min, said):
    assert said in full_text([read(row())], [Wording("zh", offset_min)])[3]


@pytest.mark.parametrize("limit", [4, 5, 6, 7, 100])
def test_a_cut_text_keeps_to_its_bytes_and_says_that_it_was_cut(limit):
    cut = cut_bytes("力矩超载报警", limit)
    assert len(cut.encode()) <= limit
    assert cut == "力矩超载报警" or cut.endswith("…")
    assert "\ufffd" not in cut


@pytest.mark.parametrize(
    ("text", "limit", "cut"), [("a" * 70, 70, "a" * 70), ("a" * 71, 70, "a" * 69 + "…"), ("😀😀", 3, "😀…")]
)
def test_a_short_message_is_counted_in_utf_16(text, limit, cut):
    assert cut_units(text, limit) == cut


@pytest.mark.parametrize(("seq", "said"), [(0, True), (7, False)])
def test_an_alarm_that_is_not_sealed_says_so(seq, said):
    sealed = row()
    body = json.loads(sealed.body) | {"evidence_seq": seq}
    notice = read(replace(sealed, body=json.dumps(body).encode()))
    assert ("未存证" in "".join(ZH.details(notice))) == said
    assert ("not sealed" in EN.line(notice)) == said
