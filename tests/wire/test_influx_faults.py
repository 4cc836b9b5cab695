"""What the InfluxDB uplink does when the server refuses lines, refuses us, is away, or is something else."""

import asyncio
import gzip
import json
import logging
import threading
import time

import pytest

from gateway.model.alert import ReceiptKind
from gateway.uplinks.influx import KIND, InfluxSettings, InfluxUplink
from tests.fakes.blocks import NOW_NS, block, context
from tests.fakes.http_replies import HttpReplies, Reply
from tests.fakes.influxdb import InfluxServer, free_port

NO_CONTENT = Reply(204)


def v2(url, **more):
    where = {"name": "influx", "kind": "influx", "url": url, "org": "site", "bucket": "site", "timeout_ms": 2000}
    return InfluxSettings.model_validate(where | more)


@pytest.fixture
def influx():
    with InfluxServer() as running:
        yield running


@pytest.fixture
async def make(tmp_path):
    made = []

    def build(settings) -> InfluxUplink:
        made.append(KIND.build(settings, context(tmp_path)))
        return made[-1]

    yield build
    for uplink in made:
        await uplink.close()


def aside_records(tmp_path):
    path = tmp_path / "aside" / "influx.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


LOADS = block(["crane-1.load_t"], [[float(i)] for i in range(1000)])


async def test_bad_lines_are_put_aside_with_the_servers_words_and_the_rest_is_written(influx, make, tmp_path, caplog):
    assert influx.write(f'env,sn=older wind="calm" {NOW_NS}') == 204
    uplink = make(v2(influx.url))
    good_after = block(["crane-1.load_t"], [[7.0]], times_ns=[NOW_NS - 1])
    with caplog.at_level(logging.WARNING):
        receipt = await uplink.send_readings([LOADS, block(["mast-1.wind"], [[3.0], [4.0]]), good_after])
    assert receipt.kind is ReceiptKind.ACCEPTED
    assert influx.count("crane_rt", "load_t") == 1001
    records = aside_records(tmp_path)
    assert [record["line"].split(" ")[1] for record in records] == ["q=0i,wind=3.0", "q=0i,wind=4.0"]
    assert all("field type conflict" in record["reason"] for record in records)
    assert {(record["uplink"], record["at_ns"]) for record in records} == {("influx", NOW_NS)}
    assert (uplink.aside.kept, uplink.lines_written) == (2, 1001)
    assert len([r for r in caplog.records if "lines_refused" in r.message]) == 1


async def test_points_beyond_the_retention_are_put_aside_and_the_rest_is_written(influx, make, tmp_path):
    influx.query(f'ALTER RETENTION POLICY "autogen" ON "{influx.bucket}" DURATION 1h SHARD DURATION 1h')
    recent = time.time_ns()
    sent = block(["crane-1.load_t"], [[1], [2], [3]], times_ns=[recent, 1_000_000_000, recent + 1])
    assert (await make(v2(influx.url)).send_readings([sent])).kind is ReceiptKind.ACCEPTED
    assert [row["load_t"] for row in influx.query("SELECT load_t FROM crane_rt")] == [1, 3]
    (record,) = aside_records(tmp_path)
    assert record["line"].endswith(" 1000000000")
    assert "retention policy" in record["reason"]


async def test_a_server_that_is_killed_and_comes_back_has_every_line(influx, make):
    uplink = make(v2(influx.url))
    blocks = [block(["crane-1.load_t"], [[i]], times_ns=[NOW_NS + i]) for i in range(300)]
    assert (await uplink.send_readings(blocks[:100])).kind is ReceiptKind.ACCEPTED
    influx.kill()
    down = await uplink.send_readings(blocks[100:200])
    assert (down.kind, down.detail[:4]) == (ReceiptKind.RETRY, "502:")
    influx.start()
    assert (await uplink.send_readings(blocks[100:200])).kind is ReceiptKind.ACCEPTED
    assert (await uplink.send_readings(blocks[200:])).kind is ReceiptKind.ACCEPTED
    rows = influx.query("SELECT load_t FROM crane_rt")
    assert [row["load_t"] for row in rows] == list(range(300))


async def test_a_connection_that_died_under_us_is_opened_again(influx, make):
    uplink = make(v2(influx.v1_url).model_copy(update={"api": "v1", "database": influx.bucket}))
    assert (await uplink.send_readings([LOADS])).kind is ReceiptKind.ACCEPTED
    influx.restart()
    receipts = [(await uplink.send_readings([LOADS])).kind for _ in range(2)]
    assert receipts[-1] is ReceiptKind.ACCEPTED
    assert influx.count("crane_rt", "load_t") == 1000


async def test_nobody_listening_is_retry(make):
    receipt = await make(v2(f"http://127.0.0.1:{free_port()}")).send_readings([LOADS])
    assert receipt.kind is ReceiptKind.RETRY
    assert "refused" in receipt.detail


async def test_an_unknown_bucket_is_retry_and_blames_no_line(influx, make, tmp_path):
    receipt = await make(v2(influx.url, bucket="nowhere")).send_readings([LOADS])
    assert receipt.kind is ReceiptKind.RETRY
    assert "database not found" in receipt.detail
    assert aside_records(tmp_path) == []


async def test_wrong_credentials_are_retry_and_a_corrected_secret_is_read_without_a_restart(make, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("wrong-password\n")
    with InfluxServer(user="gateway", password="right-password") as influx:
        where = {"name": "influx", "kind": "influx", "url": influx.v1_url, "api": "v1", "database": influx.bucket}
        who = {"username": "gateway", "password": {"file": str(secret)}}
        uplink = make(InfluxSettings.model_validate(where | who))
        refused = await uplink.send_readings([LOADS])
        assert (refused.kind, refused.detail[:4]) == (ReceiptKind.RETRY, "401:")
        assert "wrong-password" not in refused.detail
        secret.write_text("right-password\n")
        assert (await uplink.send_readings([LOADS])).kind is ReceiptKind.ACCEPTED
        assert influx.count("crane_rt", "load_t") == 1000


async def test_a_missing_secret_is_retry_and_names_its_source(make, tmp_path):
    receipt = await make(v2("http://127.0.0.1:1", token={"file": str(tmp_path / "gone")})).send_readings([LOADS])
    assert receipt.kind is ReceiptKind.RETRY
    assert "gone" in receipt.detail


async def test_a_token_that_no_header_can_carry_is_retry_and_is_not_repeated(make, tmp_path):
    (tmp_path / "token").write_text("hunter2\nInjected: yes")
    receipt = await make(v2("http://127.0.0.1:1", token={"file": str(tmp_path / "token")})).send_readings([LOADS])
    assert receipt.kind is ReceiptKind.RETRY
    assert "hunter2" not in receipt.detail


@pytest.mark.parametrize("status", [200, 301, 401, 403, 404, 408, 429, 500, 502, 503, 504])
async def test_every_answer_that_blames_no_line_is_retry_at_once(make, tmp_path, status):
    with HttpReplies([Reply(status, body=b"<html>welcome</html>")]) as server:
        receipt = await make(v2(server.url)).send_readings([LOADS])
    assert receipt.kind is ReceiptKind.RETRY
    assert str(status) in receipt.detail
    assert len(server.requests) == 1
    assert aside_records(tmp_path) == []


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [
        ("7", 7.0),
        ("Tue, 14 Nov 2023 22:14:20 GMT", 60.0),
        ("Tue, 14 Nov 2023 22:00:00 GMT", 0.0),
        ("999999999", 3600.0),
        ("soon", 0.0),
        ("", 0.0),
    ],
)
async def test_the_servers_retry_after_is_honoured(make, wish, seconds):
    with HttpReplies([Reply(429, {"Retry-After": wish})]) as server:
        receipt = await make(v2(server.url)).send_readings([LOADS])
    assert (receipt.kind, receipt.retry_after_s) == (ReceiptKind.RETRY, seconds)


async def test_a_server_that_never_answers_is_retry_after_the_timeout(make):
    with HttpReplies([None]) as server:
        receipt = await make(v2(server.url, timeout_ms=150)).send_readings([LOADS])
    assert receipt.kind is ReceiptKind.RETRY
    assert "ReadTimeoutError" in receipt.detail


@pytest.mark.parametrize("status", [400, 422])
async def test_a_server_that_refuses_every_write_blames_no_line(make, tmp_path, status):
    with HttpReplies([Reply(status, body=b'{"code":"invalid","message":"no such organization"}')]) as server:
        receipt = await make(v2(server.url)).send_readings([LOADS])
    assert receipt.kind is ReceiptKind.RETRY
    assert receipt.detail == f"every write is refused: {status}: no such organization"
    assert aside_records(tmp_path) == []
    probe = gzip.decompress(server.requests[1].body).decode()
    assert probe == "gw_health,gateway=box-1 uplink_probe=1i"


async def test_a_batch_that_is_too_large_is_halved_and_written(make, tmp_path):
    too_large, two_lines = Reply(413, body=b"too large"), block(["crane-1.load_t"], [[1], [2]])
    with HttpReplies([too_large, NO_CONTENT]) as server:
        receipt = await make(v2(server.url)).send_readings([two_lines])
    assert receipt.kind is ReceiptKind.ACCEPTED
    assert [gzip.decompress(r.body).count(b"load_t") for r in server.requests] == [2, 0, 1, 1]
    assert aside_records(tmp_path) == []


async def test_a_call_that_stops_half_way_puts_nothing_aside_until_its_repeat_is_through(make, tmp_path):
    refused = Reply(400, body=b'{"error":"unable to parse"}')
    script = [refused, NO_CONTENT, refused, Reply(503), refused, NO_CONTENT, refused, NO_CONTENT]
    two_lines = block(["crane-1.load_t"], [[1], [2]])
    with HttpReplies(script) as server:
        uplink = make(v2(server.url))
        assert (await uplink.send_readings([two_lines])).kind is ReceiptKind.RETRY
        assert aside_records(tmp_path) == []
        assert (await uplink.send_readings([two_lines])).kind is ReceiptKind.ACCEPTED
    (record,) = aside_records(tmp_path)
    assert record["reason"] == "400: unable to parse"


async def test_refused_lines_that_cannot_be_kept_are_not_given_up(make, tmp_path):
    (tmp_path / "aside").write_text("a file where the folder should be")
    script = [Reply(400), NO_CONTENT, Reply(400), NO_CONTENT]
    with HttpReplies(script) as server:
        receipt = await make(v2(server.url)).send_readings([block(["crane-1.load_t"], [[1], [2]])])
    assert receipt.kind is ReceiptKind.RETRY
    assert "cannot be kept" in receipt.detail


async def test_what_is_asked_of_the_server(make, tmp_path):
    (tmp_path / "token").write_text("t0ken")
    with HttpReplies([NO_CONTENT]) as server:
        uplink = make(v2(server.url, token={"file": str(tmp_path / "token")}))
        await uplink.send_readings([block(["crane-1.load_t"], [[1]])])
    (request,) = server.requests
    assert request.path == "/api/v2/write?org=site&bucket=site&precision=ns"
    assert request.headers["Authorization"] == "Token t0ken"
    assert request.headers["Content-Encoding"] == "gzip"
    assert (uplink.writer.requests, uplink.writer.bytes_sent) == (1, len(request.body))


async def test_a_closed_uplink_writes_nothing_more(tmp_path):
    with HttpReplies([NO_CONTENT]) as server:
        uplink = KIND.build(v2(server.url), context(tmp_path))
        await uplink.send_readings([LOADS])
        await uplink.close()
        await uplink.close()
        assert (await uplink.send_readings([LOADS])).kind is ReceiptKind.RETRY
    assert len(server.requests) == 1


async def test_closing_stops_after_the_request_under_way(tmp_path):
    answer = threading.Event()
    with HttpReplies([Reply(413, after=answer), NO_CONTENT]) as server:
        uplink = KIND.build(v2(server.url), context(tmp_path))
        sending = asyncio.create_task(uplink.send_readings([LOADS]))
        assert await asyncio.to_thread(server.asked.wait, 10)
        closing = asyncio.create_task(uplink.close())
        await asyncio.sleep(0)
        answer.set()
        receipt = await sending
        await closing
    assert (receipt.kind, receipt.detail) == (ReceiptKind.RETRY, "the uplink is closing")
    assert len(server.requests) == 1
