"""The webhook over real sockets: exact bytes, exact signatures, every kind of answer, and never a secret in a word."""

import asyncio
import hashlib
import hmac
import logging
import re
import ssl
from pathlib import Path

import pytest

from gateway.evidence.evidence import unacknowledged
from gateway.model.alarm import Severity, TransitionKind
from gateway.model.alert import ReceiptKind
from gateway.uplinks.webhook import KIND, WebhookSettings, signature
from tests.fakes.certificates import make_certificates
from tests.fakes.http_replies import HttpReplies, Reply
from tests.fakes.mosquitto import free_port
from tests.fakes.outbox import NOW_NS, context, escalation_row, row, transition
from tests.fakes.raw_replies import RawReplies

SECRET = "correct horse battery staple"
TOKEN = "bearer-0123456789"
OK = Reply(200, body=b"their-id-7")
THREE = (TransitionKind.RAISED, TransitionKind.ACKNOWLEDGED, TransitionKind.RETURNED)
ACCEPTED, REJECTED, RETRY = ReceiptKind.ACCEPTED, ReceiptKind.REJECTED, ReceiptKind.RETRY


@pytest.fixture
async def make(tmp_path):
    made = []

    def build(url, **more):
        (tmp_path / "secret").write_text(SECRET + "\n")
        settings = {"name": "hook", "kind": "webhook", "url": url, "secret": {"file": str(tmp_path / "secret")}}
        made.append(KIND.build(WebhookSettings.model_validate(settings | more), context(tmp_path)))
        return made[-1]

    yield build
    for uplink in made:
        await uplink.close()


async def test_the_rows_bytes_leave_unchanged_with_key_time_and_signature(make):
    item = row()
    with HttpReplies([OK]) as server:
        (receipt,) = await make(f"{server.url}/hooks/site").send_alerts([item])
    (request,) = server.requests
    assert (receipt.kind, receipt.detail) == (ACCEPTED, "200: their-id-7")
    assert (request.method, request.path, request.body) == ("POST", "/hooks/site", item.body)
    assert request.headers["Content-Type"] == "application/json; charset=utf-8"
    assert request.headers["X-Sitewarden-Kind"] == "alarm_transition"
    assert request.headers["X-Sitewarden-Key"] == "alarm-1:raised"
    assert request.headers["X-Sitewarden-Timestamp"] == "1700000000"
    signed = hmac.new(SECRET.encode(), b"1700000000." + item.body, hashlib.sha256).hexdigest()
    assert request.headers["X-Sitewarden-Signature"] == f"sha256={signed}"
    assert "Authorization" not in request.headers


def test_the_signature_is_the_one_that_openssl_computes():
    """printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 'correct horse battery staple'"""
    assert (
        signature(SECRET, 1_700_000_000, b'{"a":1}')
        == "sha256=c0385f8b18e8d1ac37a3c0d93fa81ef49dc339ee11bf4170c61942141ce6cd98"
    )


def _documented_check():
    """The example of docs/uplinks.md, as a receiver would copy it."""
    page = (Path(__file__).parents[2] / "docs" / "uplinks.md").read_text(encoding="utf-8")
    found = re.search(r"<!-- example: verify -->\n```python\n(.*?)```", page, re.DOTALL)
    assert found
    names: dict[str, object] = {}
    exec(found[1], names)
    return names["genuine"]


async def test_the_documented_check_takes_what_is_sent_and_nothing_else(make):
    genuine = _documented_check()
    with HttpReplies([OK]) as server:
        await make(server.url).send_alerts([escalation_row(unacknowledged(120))])
    (request,) = server.requests
    now_s = NOW_NS / 1e9
    assert genuine(SECRET, request.headers, request.body, now_s)
    assert not genuine("another secret", request.headers, request.body, now_s)
    assert not genuine(SECRET, request.headers, request.body + b" ", now_s)
    assert not genuine(SECRET, request.headers | {"X-Sitewarden-Timestamp": "1700000001"}, request.body, now_s)
    assert not genuine(SECRET, request.headers, request.body, now_s + 301)
    assert not genuine(SECRET, {}, request.body, now_s)


async def test_a_token_is_sent_as_bearer(make, tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    with HttpReplies([OK]) as server:
        await make(server.url, token={"file": str(tmp_path / "token")}).send_alerts([row()])
    assert server.requests[0].headers["Authorization"] == f"Bearer {TOKEN}"


async def test_rows_leave_in_order_each_in_a_request_of_its_own(make):
    with HttpReplies([OK]) as server:
        receipts = await make(server.url).send_alerts([row(n) for n in range(20)])
    assert [request.headers["X-Sitewarden-Key"] for request in server.requests] == [
        f"alarm-{n}:raised" for n in range(20)
    ]
    assert {receipt.kind for receipt in receipts} == {ACCEPTED}


@pytest.mark.parametrize(
    ("status", "kind", "after_s"),
    [
        (201, ACCEPTED, 0.0),
        (204, ACCEPTED, 0.0),
        (301, RETRY, 60.0),
        (400, REJECTED, 0.0),
        (401, RETRY, 60.0),
        (403, RETRY, 60.0),
        (404, RETRY, 60.0),
        (408, RETRY, 0.0),
        (413, REJECTED, 0.0),
        (422, REJECTED, 0.0),
        (429, RETRY, 5.0),
        (500, RETRY, 0.0),
        (503, RETRY, 0.0),
    ],
)
async def test_what_each_answer_means(make, status, kind, after_s):
    with HttpReplies([Reply(status, body=b"in their words")]) as server:
        (receipt,) = await make(server.url).send_alerts([row()])
    assert (receipt.kind, receipt.retry_after_s) == (kind, after_s)
    assert receipt.detail.startswith(str(status))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("wish", "after_s"),
    [
        ("7", 7.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        ("soon", 0.0),
        ("9" * 9, 3600.0),
    ],
)
async def test_the_receivers_retry_after_is_honoured(make, wish, after_s):
    with HttpReplies([Reply(503, {"Retry-After": wish})]) as server:
        (receipt,) = await make(server.url).send_alerts([row()])
    assert (receipt.kind, receipt.retry_after_s) == (RETRY, after_s)


async def test_a_row_that_breaks_the_receiver_does_not_stop_those_behind_it(make):
    with HttpReplies([Reply(500), Reply(400), OK]) as server:
        receipts = await make(server.url).send_alerts([row(n) for n in range(4)])
    assert [receipt.kind for receipt in receipts] == [RETRY, REJECTED, ACCEPTED, ACCEPTED]


async def test_a_receiver_that_wants_time_is_not_asked_again_in_the_same_batch(make):
    with HttpReplies([OK, Reply(429, {"Retry-After": "9"})]) as server:
        receipts = await make(server.url).send_alerts([row(n) for n in range(4)])
    assert [(receipt.kind, receipt.retry_after_s) for receipt in receipts] == [(ACCEPTED, 0.0)] + [(RETRY, 9.0)] * 3
    assert len(server.requests) == 2


async def test_nobody_listening_keeps_every_row(make):
    receipts = await make(f"http://127.0.0.1:{free_port()}").send_alerts([row(1), row(2)])
    assert [receipt.kind for receipt in receipts] == [RETRY, RETRY]
    assert "ConnectError" in receipts[0].detail


async def test_silence_keeps_every_row_after_the_timeout(make):
    with HttpReplies([None]) as server:
        receipts = await make(server.url, timeout_ms=150).send_alerts([row(1), row(2)])
    assert [(receipt.kind, receipt.detail) for receipt in receipts] == [(RETRY, "no answer within 0.15 s")] * 2
    assert len(server.requests) == 1


async def test_an_answer_that_drips_is_cut_off_as_a_whole(make):
    async with RawReplies(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + b"x" * 100, drip_s=0.02) as url:
        (receipt,) = await make(url, timeout_ms=300).send_alerts([row()])
    assert (receipt.kind, receipt.detail) == (RETRY, "no answer within 0.3 s")


@pytest.mark.parametrize(
    "garbage", [b"", b"hello\r\n\r\n", b"\x00" * 100, b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"]
)
async def test_garbage_and_half_an_answer_keep_the_row(make, garbage):
    async with RawReplies(garbage) as url:
        (receipt,) = await make(url).send_alerts([row()])
    assert receipt.kind is RETRY


async def test_an_endless_answer_is_not_swallowed(make):
    async with RawReplies(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 5_000_000) as url:
        (receipt,) = await make(url).send_alerts([row()])
    assert receipt.kind is ACCEPTED
    assert len(receipt.detail) <= 300


async def test_no_secret_is_ever_said(make, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    (tmp_path / "token").write_text(TOKEN)
    echo = f'{{"you_sent": "{TOKEN}", "secret": "{SECRET}"}}'.encode()
    with HttpReplies([Reply(400, body=echo), Reply(500, body=echo), Reply(200, body=echo)]) as server:
        uplink = make(server.url, token={"file": str(tmp_path / "token")})
        receipts = await uplink.send_alerts([row(1), row(2), row(3)])
    assert all("***" in receipt.detail for receipt in receipts)
    said = caplog.text + "".join(receipt.detail for receipt in receipts)
    assert TOKEN not in said
    assert SECRET not in said


@pytest.mark.parametrize("bad", ["token\nX-Injected: yes", "口令"])
async def test_a_token_that_no_header_can_carry_is_not_sent_and_not_said(make, tmp_path, bad):
    (tmp_path / "token").write_text(bad)
    with HttpReplies([OK]) as server:
        (receipt,) = await make(server.url, token={"file": str(tmp_path / "token")}).send_alerts([row()])
    assert receipt.kind is RETRY
    assert bad not in receipt.detail
    assert "Injected" not in receipt.detail
    assert server.requests == []


async def test_a_missing_or_short_secret_keeps_the_rows_and_a_new_one_needs_no_restart(make, tmp_path):
    with HttpReplies([OK]) as server:
        uplink = make(server.url)
        (tmp_path / "secret").write_text("short")
        (short,) = await uplink.send_alerts([row()])
        (tmp_path / "secret").unlink()
        (gone,) = await uplink.send_alerts([row()])
        (tmp_path / "secret").write_text("a new secret of some length")
        (good,) = await uplink.send_alerts([row()])
    assert [receipt.kind for receipt in (short, gone, good)] == [RETRY, RETRY, ACCEPTED]
    assert "fewer than 16 characters" in short.detail
    assert "short" not in short.detail
    assert str(tmp_path / "secret") in gone.detail


async def test_a_closed_uplink_sends_nothing_more(make):
    with HttpReplies([OK]) as server:
        uplink = make(server.url)
        await uplink.close()
        (receipt,) = await uplink.send_alerts([row()])
    assert (receipt.kind, server.requests) == (RETRY, [])


async def test_a_server_that_was_restarted_is_found_again(make):
    with HttpReplies([OK]) as server:
        port = int(server.url.rpartition(":")[2])
        uplink = make(server.url)
        assert (await uplink.send_alerts([row(1)]))[0].kind is ACCEPTED
    assert (await uplink.send_alerts([row(2)]))[0].kind is RETRY
    again = await asyncio.start_server(_answer_ok, "127.0.0.1", port)
    async with again:
        assert (await uplink.send_alerts([row(2)]))[0].kind is ACCEPTED


async def test_over_tls_only_a_certificate_of_the_given_authority_is_trusted(make, tmp_path):
    made = make_certificates(tmp_path)
    server_side = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server_side.load_cert_chain(made.server.cert_file, made.server.key_file)
    server = await asyncio.start_server(_answer_ok, "127.0.0.1", 0, ssl=server_side)
    async with server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
        (known,) = await make(url, ca_file=str(made.ca_file)).send_alerts([row()])
        (stranger,) = await make(url).send_alerts([row()])
    assert known.kind is ACCEPTED
    assert stranger.kind is RETRY
    assert "certificate verify failed" in stranger.detail


async def _answer_ok(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    await writer.drain()
    writer.close()


def test_it_takes_every_transition_unless_told_otherwise(tmp_path):
    settings = {"name": "hook", "kind": "webhook", "url": "https://hook.example/x", "secret": {"env": "S"}}
    wants = WebhookSettings.model_validate(settings).wants
    assert all(wants(transition(1, severity, kind)) for severity in Severity for kind in THREE)
    wants = WebhookSettings.model_validate(settings | {"min_severity": "P1", "transitions": ["raised"]}).wants
    assert [severity for severity in Severity if wants(transition(1, severity))] == [Severity.P1]
