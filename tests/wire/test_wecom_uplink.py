"""The WeCom robot over real sockets, against a server that answers as the platform's page and its users say."""

import json
import logging

import pytest

from gateway.evidence.evidence import NO_SCREEN
from gateway.model.alarm import Severity
from gateway.model.alert import ReceiptKind
from gateway.uplinks.wecom import KIND, WecomSettings
from kit.clock import SimulatedClock
from tests.fakes.http_replies import HttpReplies, Reply
from tests.fakes.mosquitto import free_port
from tests.fakes.outbox import NOW_NS, context, escalation_row, row
from tests.fakes.raw_replies import RawReplies

ROBOT_KEY = "693a91f6-7abc-4bc4-97a0-0ec2sifa5aaa"
ACCEPTED, REJECTED, RETRY = ReceiptKind.ACCEPTED, ReceiptKind.REJECTED, ReceiptKind.RETRY


def says(code, words="ok", **more):
    return Reply(
        200, {"Content-Type": "application/json"}, json.dumps({"errcode": code, "errmsg": words} | more).encode()
    )


@pytest.fixture
async def make(tmp_path):
    made = []

    def build(url, clock=None, **more):
        (tmp_path / "robot").write_text(f"{url}/cgi-bin/webhook/send?key={ROBOT_KEY}\n")
        settings = {"name": "wecom", "kind": "wecom", "url": {"file": str(tmp_path / "robot")}}
        made.append(
            KIND.build(WecomSettings.model_validate_json(json.dumps(settings | more)), context(tmp_path, clock))
        )
        return made[-1]

    yield build
    for uplink in made:
        await uplink.close()


async def test_one_alarm_as_markdown_is_exactly_these_bytes(make):
    with HttpReplies([says(0)]) as server:
        (receipt,) = await make(server.url).send_alerts([row()])
    (request,) = server.requests
    assert receipt.kind is ACCEPTED
    assert (request.method, request.path) == ("POST", f"/cgi-bin/webhook/send?key={ROBOT_KEY}")
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"
    assert request.body.decode() == (
        '{"msgtype": "markdown", "markdown": {"content": "**【P1 报警】塔机力矩超载**'
        "\\n> 对象：crane-1（crane-1.moment＿pct）\\n> 测值：112.5 %，限值：100 %"
        "\\n> 时间：2023-11-15 06:13:20（UTC+08:00）\\n> 依据：GB 1 2.3（未核对原文，可信度高）"
        '\\n> 项目：PROJECT-1，编号：alarm-1:raised"}}'
    )


async def test_as_text_with_a_heading_in_two_languages(make):
    with HttpReplies([says(0)]) as server:
        await make(server.url, form="text", heading="示范工地", languages=["zh", "en"]).send_alerts([row()])
    message = json.loads(server.requests[0].body)
    lines = message["text"]["content"].split("\n")
    assert message["msgtype"] == "text"
    assert [lines[i] for i in (0, 6)] == ["示范工地 【P1 报警】塔机力矩超载", "[P1 alarm] Tower crane moment overload"]


async def test_an_escalation_says_why(make):
    with HttpReplies([says(0)]) as server:
        (receipt,) = await make(server.url).send_alerts([escalation_row(NO_SCREEN)])
    assert receipt.kind is ACCEPTED
    assert "**【P1 升级】塔机力矩超载：没有值班屏幕在线**" in json.loads(server.requests[0].body)["markdown"]["content"]


@pytest.mark.parametrize(("form", "limit"), [("markdown", 4096), ("text", 2048)])
async def test_a_flood_becomes_few_messages_that_name_every_row_within_the_platforms_length(make, form, limit):
    with HttpReplies([says(0)]) as server:
        receipts = await make(server.url, form=form).send_alerts([row(n, Severity.P2) for n in range(50)])
    contents = [json.loads(request.body)[form]["content"] for request in server.requests]
    assert {receipt.kind for receipt in receipts} == {ACCEPTED}
    assert all(len(content.encode()) <= limit for content in contents)
    assert len(contents) < 6
    assert sum(content.count("塔机力矩超载") for content in contents) == 50
    told = [int(content.split("合并 ")[1].split(" 条")[0]) for content in contents]
    assert sum(told) == 50


async def test_a_text_that_is_too_long_alone_is_cut_and_says_so(make):
    with HttpReplies([says(0)]) as server:
        (receipt,) = await make(server.url).send_alerts([row(subject="很" * 3000)])
    content = json.loads(server.requests[0].body)["markdown"]["content"]
    assert receipt.kind is ACCEPTED
    assert len(content.encode()) <= 4096
    assert content.endswith("…")


async def test_nobody_is_called_and_no_markup_comes_from_a_rules_words(make):
    with HttpReplies([says(0)]) as server:
        uplink = make(server.url)
        await uplink.send_alerts([row(subject="<@all> **x** [a](http://b) `c` #d")])
    content = json.loads(server.requests[0].body)["markdown"]["content"]
    assert "＜＠all＞ ＊＊x＊＊ ［a］(http://b) ｀c｀ ＃d" in content


@pytest.mark.parametrize(
    ("code", "kind", "after_s"),
    [
        (40008, REJECTED, 0.0),
        (40058, REJECTED, 0.0),
        (44004, REJECTED, 0.0),
        (45009, RETRY, 60.0),
        (45033, RETRY, 10.0),
        (93000, RETRY, 300.0),
        (-1, RETRY, 0.0),
        (777, RETRY, 0.0),
    ],
)
async def test_what_each_code_means(make, code, kind, after_s):
    with HttpReplies([says(code, "their words")]) as server:
        (receipt,) = await make(server.url).send_alerts([row()])
    assert (receipt.kind, receipt.retry_after_s) == (kind, after_s)
    assert "their words" in receipt.detail


async def test_too_many_calls_are_followed_by_a_minute_of_silence_and_then_one_message(make):
    clock = SimulatedClock(NOW_NS)
    with HttpReplies([says(45009, "api freq out of limit"), says(0)]) as server:
        uplink = make(server.url, clock)
        first = await uplink.send_alerts([row(n) for n in range(6)])
        second = await uplink.send_alerts([row(n) for n in range(6)])
        await clock.advance(60)
        third = await uplink.send_alerts([row(n) for n in range(6)])
    assert {receipt.kind for receipt in (*first, *second)} == {RETRY}
    assert {(receipt.kind, receipt.detail) for receipt in third} == {(ACCEPTED, "one of 6 in one message")}
    assert len(server.requests) == 2


async def test_never_more_than_twenty_a_minute(make):
    with HttpReplies([says(0)]) as server:
        uplink = make(server.url)
        receipts = [(await uplink.send_alerts([row(n)]))[0] for n in range(22)]
    assert [receipt.kind for receipt in receipts] == [ACCEPTED] * 20 + [RETRY] * 2
    assert receipts[-1].retry_after_s == 60.0
    assert len(server.requests) == 20


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(200, body=b"<html>welcome to the hotel</html>"), RETRY),
        (Reply(200, body=b"{}"), RETRY),
        (Reply(200, body=b'{"errcode": "0"}'), RETRY),
        (Reply(200, body=b'{"errcode": false}'), RETRY),
        (Reply(200, body=b"[" * 50_000), RETRY),
        (Reply(200, body=b"\xff\xfe"), RETRY),
        (Reply(302, {"Location": "http://elsewhere.example/"}), RETRY),
        (Reply(403), RETRY),
        (Reply(404), RETRY),
        (Reply(502, body=b"bad gateway"), RETRY),
    ],
)
async def test_what_is_no_robots_answer_is_never_taken_for_a_yes(make, reply, kind):
    with HttpReplies([reply]) as server:
        (receipt,) = await make(server.url).send_alerts([row(attempts=1000)])
    assert receipt.kind is kind
    assert receipt.detail


async def test_silence_garbage_and_nobody_keep_the_row(make):
    with HttpReplies([None]) as server:
        (silent,) = await make(server.url, timeout_ms=150).send_alerts([row()])
    async with RawReplies(b"\x16\x03\x01") as url:
        (garbage,) = await make(url).send_alerts([row()])
    (nobody,) = await make(f"http://127.0.0.1:{free_port()}").send_alerts([row()])
    assert [receipt.kind for receipt in (silent, garbage, nobody)] == [RETRY] * 3
    assert silent.detail == "no answer within 0.15 s"


async def test_the_robots_address_is_never_said(make, caplog):
    caplog.set_level(logging.DEBUG)
    replies = [says(93000, f"invalid webhook url, key={ROBOT_KEY}"), Reply(500, body=ROBOT_KEY.encode())]
    with HttpReplies(replies) as server:
        clock = SimulatedClock(NOW_NS)
        uplink = make(server.url, clock)
        said = [(await uplink.send_alerts([row()]))[0].detail]
        await clock.advance(300)
        said += [(await uplink.send_alerts([row()]))[0].detail]
    said += [(await make(f"http://127.0.0.1:{free_port()}").send_alerts([row()]))[0].detail]
    assert len(server.requests) == 2
    assert "***" in said[0]
    assert "***" in said[1]
    assert ROBOT_KEY not in caplog.text + "".join(said)
    assert "webhook/send" not in caplog.text + "".join(said)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("693a91f6-7abc-4bc4", "expected https://HOST"),
        ("http://qyapi.example/cgi-bin/webhook/send?key=1234567890", "expected https; plain http leaves"),
        ("https://user:hunter22@qyapi.example/send?key=1234567890", "no user and no password"),
        ("https://qyapi.example:port/send?key=1234567890", "expected https://HOST"),
        ("https://机器人.example/send?key=1234567890", "expected plain ASCII"),
    ],
)
async def test_a_file_that_holds_no_good_address_is_named_and_not_repeated(make, tmp_path, address, words):
    uplink = make("http://127.0.0.1:1")
    (tmp_path / "robot").write_text(address)
    (receipt,) = await uplink.send_alerts([row()])
    assert receipt.kind is RETRY
    assert str(tmp_path / "robot") in receipt.detail
    assert words in receipt.detail
    assert not any(secret in receipt.detail for secret in ("693a91f6", "1234567890", "hunter22"))


async def test_a_new_address_needs_no_restart(make, tmp_path):
    uplink = make("http://127.0.0.1:1")
    (tmp_path / "robot").unlink()
    assert (await uplink.send_alerts([row()]))[0].kind is RETRY
    with HttpReplies([says(0)]) as server:
        (tmp_path / "robot").write_text(f"{server.url}/cgi-bin/webhook/send?key={ROBOT_KEY}")
        assert (await uplink.send_alerts([row()]))[0].kind is ACCEPTED
