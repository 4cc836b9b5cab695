"""The DingTalk robot over real sockets: signature, message, codes and ten minutes of silence."""

import base64
import hashlib
import hmac
import json
import logging
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.model.alert import ReceiptKind
from gateway.uplinks.dingtalk import KIND, DingtalkSettings, signature
from kit.clock import SimulatedClock
from tests.fakes.http_replies import HttpReplies, Reply
from tests.fakes.outbox import NOW_NS, context, row

ACCESS_TOKEN = "566cc69da782ec0123456789"
SIGN_KEY = "SEC+not/a=real&key 0123456789abcdef"
ACCEPTED, REJECTED, RETRY = ReceiptKind.ACCEPTED, ReceiptKind.REJECTED, ReceiptKind.RETRY


def says(code, words="ok", **more):
    return Reply(200, body=json.dumps({"errcode": code, "errmsg": words} | more).encode())


@pytest.fixture
async def make(tmp_path):
    made = []

    def build(url, clock=None, signed=True, **more):
        (tmp_path / "robot").write_text(f"{url}/robot/send?access_token={ACCESS_TOKEN}")
        (tmp_path / "sign").write_text(SIGN_KEY)
        settings = {"name": "ding", "kind": "dingtalk", "url": {"file": str(tmp_path / "robot")}} | more
        if signed:
            settings["secret"] = {"file": str(tmp_path / "sign")}
        made.append(KIND.build(DingtalkSettings.model_validate_json(json.dumps(settings)), context(tmp_path, clock)))
        return made[-1]

    yield build
    for uplink in made:
        await uplink.close()


def test_the_signature_is_the_one_that_openssl_computes():
    """printf '1700000000000\\nthis is secret' | openssl dgst -sha256 -hmac 'this is secret' -binary | base64"""
    assert signature(1_700_000_000_000, "this is secret") == "sSFWELbV2YwjdDQhWZwTcWlX5BWUx5J6TPpsZmuPii0="


async def test_a_signed_message_carries_time_and_signature_in_its_address(make):
    with HttpReplies([says(0)]) as server:
        (receipt,) = await make(server.url).send_alerts([row()])
    (request,) = server.requests
    digest = hmac.new(SIGN_KEY.encode(), f"1700000000000\n{SIGN_KEY}".encode(), hashlib.sha256).digest()
    assert receipt.kind is ACCEPTED
    assert urlsplit(request.path).path == "/robot/send"
    assert parse_qs(urlsplit(request.path).query) == {
        "access_token": [ACCESS_TOKEN],
        "timestamp": ["1700000000000"],
        "sign": [base64.b64encode(digest).decode()],
    }
    assert "+" not in request.path  # a bare plus would be read as a space


async def test_without_a_key_nothing_is_signed(make):
    with HttpReplies([says(0)]) as server:
        await make(server.url, signed=False).send_alerts([row()])
    assert server.requests[0].path == f"/robot/send?access_token={ACCESS_TOKEN}"


async def test_one_alarm_as_markdown_is_exactly_these_bytes(make):
    with HttpReplies([says(0)]) as server:
        await make(server.url, heading="工地安全").send_alerts([row()])
    assert server.requests[0].body.decode() == (
        '{"msgtype": "markdown", "markdown": {"title": "工地安全 塔机力矩超载", '
        '"text": "**工地安全 【P1 报警】塔机力矩超载**'
        "\\n\\n> 对象：crane-1（crane-1.moment＿pct）\\n\\n> 测值：112.5 %，限值：100 %"
        "\\n\\n> 时间：2023-11-15 06:13:20（UTC+08:00）\\n\\n> 依据：GB 1 2.3（未核对原文，可信度高）"
        '\\n\\n> 项目：PROJECT-1，编号：alarm-1:raised"}}'
    )


async def test_as_text(make):
    with HttpReplies([says(0)]) as server:
        await make(server.url, form="text").send_alerts([row()])
    message = json.loads(server.requests[0].body)
    assert set(message) == {"msgtype", "text"}
    assert message["text"]["content"].startswith("【P1 报警】塔机力矩超载\n对象：crane-1（crane-1.moment_pct）\n")


@pytest.mark.parametrize(
    ("code", "words", "kind", "after_s"),
    [
        (430102, "含有不合适的文本", REJECTED, 0.0),
        (460101, "message too long, exceed 20000 bytes", REJECTED, 0.0),
        (130101, "send too fast, exceed 20 times per minute", RETRY, 600.0),
        (410100, "发送速度太快而限流", RETRY, 600.0),
        (310000, "sign not match", RETRY, 300.0),
        (310000, "keywords not in content", RETRY, 300.0),
        (300001, "token is not exist", RETRY, 300.0),
        (400102, "机器人已停用", RETRY, 300.0),
        (-1, "系统繁忙", RETRY, 0.0),
        (777, "who knows", RETRY, 0.0),
    ],
)
async def test_what_each_code_means(make, code, words, kind, after_s):
    with HttpReplies([says(code, words, status=1111, punish="deny")]) as server:
        (receipt,) = await make(server.url).send_alerts([row()])
    assert (receipt.kind, receipt.retry_after_s) == (kind, after_s)
    assert str(code) in receipt.detail


async def test_ten_minutes_of_silence_are_kept_and_what_waited_leaves_in_one_message(make):
    clock = SimulatedClock(NOW_NS)
    with HttpReplies([says(130101, "send too fast"), says(0)]) as server:
        uplink = make(server.url, clock)
        await uplink.send_alerts([row(1)])
        await clock.advance(599)
        (early,) = await uplink.send_alerts([row(1)])
        await clock.advance(1)
        late = await uplink.send_alerts([row(n) for n in range(30)])
    assert (early.kind, early.retry_after_s) == (RETRY, pytest.approx(1.0))
    assert {receipt.kind for receipt in late} == {ACCEPTED}
    assert len(server.requests) == 2
    text = json.loads(server.requests[1].body)["markdown"]["text"]
    assert text.startswith("**合并 30 条：P1 报警 30**")
    assert len(text.encode()) <= 4000


async def test_no_secret_is_ever_said(make, caplog):
    caplog.set_level(logging.DEBUG)
    sign = signature(NOW_NS // 10**6, SIGN_KEY)
    echo = f"no {ACCESS_TOKEN} {SIGN_KEY} {sign}"
    with HttpReplies([says(777, echo), Reply(500, body=echo.encode())]) as server:
        uplink = make(server.url)
        said = "".join([(await uplink.send_alerts([row()]))[0].detail for _ in range(2)]) + caplog.text
    assert len(server.requests) == 2
    assert said.count("***") >= 6
    assert not any(secret in said for secret in (ACCESS_TOKEN, SIGN_KEY, sign))


async def test_a_missing_key_keeps_the_rows_and_names_its_file(make, tmp_path):
    with HttpReplies([says(0)]) as server:
        uplink = make(server.url)
        (tmp_path / "sign").unlink()
        (receipt,) = await uplink.send_alerts([row()])
    assert (receipt.kind, server.requests) == (RETRY, [])
    assert str(tmp_path / "sign") in receipt.detail
