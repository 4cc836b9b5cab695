"""SMS by template over real sockets. The numbers are nobody's: no country's begin with 000."""

import json
import logging
from urllib.parse import parse_qs, urlsplit

import pytest

from gateway.evidence.evidence import unacknowledged
from gateway.model.alarm import Severity
from gateway.model.alert import ReceiptKind
from gateway.uplinks.sms import KIND, SmsSettings
from kit.clock import SimulatedClock
from tests.fakes.http_replies import HttpReplies, Reply
from tests.fakes.mosquitto import free_port
from tests.fakes.outbox import NOW_NS, context, escalation_row, row

NUMBERS = ["00000000001", "00000000002"]
APP_KEY = "app-key-0123456789"
BODY = {"mobile": "{number}", "content": "{text}", "id": "{key}", "at": "{timestamp_s}", "auth": {"key": "{app_key}"}}
SUCCESS = {"path": "result.0.code", "accepted": ["0"], "refused": ["1006"]}
ACCEPTED, REJECTED, RETRY = ReceiptKind.ACCEPTED, ReceiptKind.REJECTED, ReceiptKind.RETRY


def says(code, words="ok", status=200):
    return Reply(status, body=json.dumps({"result": [{"code": code, "words": words}]}).encode())


@pytest.fixture
async def make(tmp_path):
    made = []

    def build(url, clock=None, numbers=NUMBERS, **more):
        (tmp_path / "numbers").write_text("# night watch\n" + "\n".join(numbers) + "\n\n")
        (tmp_path / "key").write_text(APP_KEY)
        settings = {
            "name": "sms",
            "kind": "sms",
            "url": f"{url}/send",
            "body": BODY,
            "success": SUCCESS,
            "secrets": {"app_key": {"file": str(tmp_path / "key")}},
            "numbers": {"file": str(tmp_path / "numbers")},
        }
        made.append(KIND.build(SmsSettings.model_validate_json(json.dumps(settings | more)), context(tmp_path, clock)))
        return made[-1]

    yield build
    for uplink in made:
        await uplink.close()


async def test_every_number_gets_the_text_in_a_request_of_its_own(make):
    with HttpReplies([says(0)]) as server:
        (receipt,) = await make(server.url).send_alerts([row()])
    assert receipt.kind is ACCEPTED
    assert [(request.method, request.path) for request in server.requests] == [("POST", "/send")] * 2
    assert server.requests[0].headers["Content-Type"] == "application/json; charset=utf-8"
    assert server.requests[0].body.decode() == (
        '{"mobile":"00000000001","content":"P1 报警 塔机力矩超载 crane-1 112.5 %（限 100） 11-15 06:13:20",'
        '"id":"alarm-1:raised","at":"1700000000","auth":{"key":"app-key-0123456789"}}'
    )
    assert json.loads(server.requests[1].body)["mobile"] == "00000000002"


async def test_all_numbers_at_once_as_a_form(make):
    body = {"mobiles": "{numbers}", "content": "{text}", "sign": "{app_key}", "type": 1}
    with HttpReplies([says(0)]) as server:
        uplink = make(server.url, body=body, body_form="form", number_separator=";")
        (receipt,) = await uplink.send_alerts([row()])
    (request,) = server.requests
    assert receipt.kind is ACCEPTED
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded; charset=utf-8"
    fields = parse_qs(request.body.decode(), strict_parsing=True)
    assert (fields["mobiles"], fields["sign"], fields["type"]) == ([";".join(NUMBERS)], [APP_KEY], ["1"])
    assert fields["content"][0].startswith("P1 报警 塔机力矩超载")


async def test_a_get_puts_everything_into_the_address_and_headers(make):
    query = {"to": "{number}", "msg": "{text}"}
    with HttpReplies([says(0)]) as server:
        uplink = make(server.url, method="GET", query=query, body={}, headers={"X-Key": "{app_key}"})
        await uplink.send_alerts([row()])
    request = server.requests[0]
    assert (request.method, request.body, request.headers["X-Key"]) == ("GET", b"", APP_KEY)
    asked = parse_qs(urlsplit(request.path).query)
    assert asked["to"] == [NUMBERS[0]]
    assert asked["msg"][0].startswith("P1 报警 塔机力矩超载")


async def test_no_text_breaks_out_of_its_place(make):
    title = '","mobile":"00000000009'
    item = row()
    item = type(item)(
        1,
        "sms",
        'k","x":"y',
        item.kind,
        item.body.replace("塔机力矩超载".encode(), title.replace('"', '\\"').encode()),
        NOW_NS,
        0,
    )
    with HttpReplies([says(0)]) as server:
        await make(server.url).send_alerts([item])
    sent = json.loads(server.requests[0].body)
    assert sent["mobile"] == NUMBERS[0]
    assert title in sent["content"]
    assert sent["id"] == 'k","x":"y'


@pytest.mark.parametrize(("parts", "units"), [(1, 70), (2, 134), (3, 201)])
async def test_the_text_keeps_to_its_parts_and_says_when_it_was_cut(make, parts, units):
    with HttpReplies([says(0)]) as server:
        uplink = make(server.url, max_parts=parts, signature="【示范工地】")
        await uplink.send_alerts([row(asset="塔" * 400)])
    text = json.loads(server.requests[0].body)["content"]
    assert text.startswith("【示范工地】P1 报警 塔机力矩超载")
    assert text.endswith("…")
    assert len(text.encode("utf-16-le")) == 2 * units


async def test_many_alarms_become_one_text_with_their_count_the_gravest_named(make):
    rows = [*(row(n, Severity.P2) for n in range(9)), escalation_row(unacknowledged(120), 9)]
    with HttpReplies([says(0)]) as server:
        receipts = await make(server.url, max_parts=2).send_alerts(rows)
    assert {(receipt.kind, receipt.detail) for receipt in receipts} == {(ACCEPTED, "one of 10 in one message")}
    assert len(server.requests) == 2
    assert json.loads(server.requests[0].body)["content"] == (
        "合并 10 条：P1 升级 1，P2 报警 9；首条："
        "P1 升级 塔机力矩超载 crane-9 112.5 %（限 100） 120 秒无人确认 11-15 06:13:20"
    )


@pytest.mark.parametrize(
    ("reply", "kind", "after_s"),
    [
        (says("0"), ACCEPTED, 0.0),
        (says(1006, "forbidden word"), REJECTED, 0.0),
        (says(777, "who knows"), RETRY, 0.0),
        (says(True), RETRY, 0.0),
        (Reply(200, body=b"OK"), RETRY, 0.0),
        (Reply(200, body=b'{"result": []}'), RETRY, 0.0),
        (Reply(200, body=b'{"result": [{"code": {}}]}'), RETRY, 0.0),
        (says(0, status=400), REJECTED, 0.0),
        (says(0, status=401), RETRY, 300.0),
        (says(0, status=402), RETRY, 300.0),
        (Reply(429, {"Retry-After": "30"}), RETRY, 30.0),
        (says(0, status=500), RETRY, 0.0),
        (says(0, status=302), RETRY, 0.0),
    ],
)
async def test_what_each_answer_means(make, reply, kind, after_s):
    with HttpReplies([reply]) as server:
        (receipt,) = await make(server.url).send_alerts([row()])
    assert (receipt.kind, receipt.retry_after_s) == (kind, after_s)


async def test_without_a_place_to_look_the_status_alone_says_yes(make):
    with HttpReplies([Reply(200, body=b"whatever")]) as server:
        (receipt,) = await make(server.url, success={}).send_alerts([row()])
    assert receipt.kind is ACCEPTED


async def test_a_number_that_has_the_text_does_not_get_it_again(make):
    with HttpReplies([says(0), says(0, status=503), says(0)]) as server:
        uplink = make(server.url)
        (first,) = await uplink.send_alerts([row()])
        (second,) = await uplink.send_alerts([row()])
    assert (first.kind, second.kind) == (RETRY, ACCEPTED)
    assert [json.loads(request.body)["mobile"] for request in server.requests] == [NUMBERS[0], NUMBERS[1], NUMBERS[1]]


async def test_a_number_that_is_refused_stops_no_other_and_is_told_by_its_place(make, caplog):
    with HttpReplies([says(1006, f"bad number {NUMBERS[0]}"), says(0)]) as server:
        (receipt,) = await make(server.url).send_alerts([row()])
    assert receipt.kind is ACCEPTED
    assert receipt.detail.startswith("number 1: 200: ")
    assert "event=sms_refused uplink=sms" in caplog.text
    assert NUMBERS[0] not in receipt.detail + caplog.text
    assert len(server.requests) == 2


async def test_rows_that_every_number_refuses_are_rejected_with_the_words_and_cost_no_more_messages(make):
    with HttpReplies([says(1006, "out of money")]) as server:
        receipts = await make(server.url).send_alerts([row(n) for n in range(4)])
    assert {receipt.kind for receipt in receipts} == {REJECTED}
    assert all("out of money" in receipt.detail for receipt in receipts)
    assert len(server.requests) == 2


async def test_a_day_has_a_cap_that_outlives_a_restart_and_ends_at_local_midnight(make):
    clock = SimulatedClock(NOW_NS)  # 06:13:20 in China
    with HttpReplies([says(0)]) as server:
        await make(server.url, clock, per_day=3).send_alerts([row(1)])
        again = make(server.url, clock, per_day=3)
        (capped,) = await again.send_alerts([row(2)])
        assert (capped.kind, capped.retry_after_s) == (RETRY, 3600.0)
        assert "all 3 messages of 2023-11-15 are sent" in capped.detail
        await clock.advance(17.5 * 3600)
        (late,) = await again.send_alerts([row(2)])
        assert late.retry_after_s == pytest.approx(1000.0)  # until 00:00:00 in China
        await clock.advance(1000)
        (fresh,) = await again.send_alerts([row(2)])
    assert fresh.kind is ACCEPTED
    assert [json.loads(request.body)["mobile"] for request in server.requests] == [*NUMBERS, NUMBERS[0], NUMBERS[1]]


async def test_a_days_count_that_is_torn_is_said_and_begins_again(make, tmp_path, caplog):
    folder = tmp_path / "uplinks" / "sms"
    folder.mkdir(parents=True)
    (folder / "sent_today.json").write_text('{"day": "2023-1')
    with HttpReplies([says(0)]) as server:
        (receipt,) = await make(server.url).send_alerts([row()])
    assert receipt.kind is ACCEPTED
    assert "event=daily_count_unreadable" in caplog.text
    assert json.loads((folder / "sent_today.json").read_text()) == {"day": "2023-11-15", "count": 2}


async def test_a_count_that_the_disk_does_not_take_goes_on_in_memory(make, tmp_path, caplog):
    (tmp_path / "uplinks").write_text("a file where the folder should be")
    with HttpReplies([says(0)]) as server:
        uplink = make(server.url, per_day=2)
        (first,) = await uplink.send_alerts([row()])
        (capped,) = await uplink.send_alerts([row(2)])
    assert first.kind is ACCEPTED
    assert "all 2 messages of" in capped.detail
    assert len(server.requests) == 2
    assert "event=daily_count_in_memory" in caplog.text


@pytest.mark.parametrize(
    ("numbers", "words"), [([], "no number is in it"), (["00000000001", "night watch"], "number 2 is none")]
)
async def test_a_file_without_good_numbers_keeps_the_rows_and_repeats_none(make, numbers, words):
    with HttpReplies([says(0)]) as server:
        (receipt,) = await make(server.url, numbers=numbers).send_alerts([row()])
    assert (receipt.kind, server.requests) == (RETRY, [])
    assert words in receipt.detail
    assert "0000000" not in receipt.detail


async def test_no_number_and_no_key_is_ever_said(make, caplog):
    caplog.set_level(logging.DEBUG)
    echo = f"{APP_KEY} {' '.join(NUMBERS)}"
    query = {"to": "{number}", "msg": "{text}", "k": "{app_key}"}
    said = ""
    with HttpReplies([says(777, echo), Reply(500, body=echo.encode())]) as server:
        uplink = make(server.url, method="GET", query=query, body={})
        said += "".join([(await uplink.send_alerts([row(n)]))[0].detail for n in range(2)])
    nobody = make(f"http://127.0.0.1:{free_port()}", method="GET", query=query, body={})
    said += (await nobody.send_alerts([row()]))[0].detail
    assert len(server.requests) == 2
    assert "***" in said
    assert not any(secret in said + caplog.text for secret in (APP_KEY, *NUMBERS))


async def test_a_header_that_cannot_carry_its_value_sends_nothing_and_says_nothing(make, tmp_path):
    with HttpReplies([says(0)]) as server:
        uplink = make(server.url, headers={"X-Key": "{app_key}"})
        (tmp_path / "key").write_text("first-line\nX-Injected: yes")
        (receipt,) = await uplink.send_alerts([row()])
    assert (receipt.kind, server.requests) == (RETRY, [])
    assert "X-Key" in receipt.detail
    assert "Injected" not in receipt.detail
