import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from prometheus_client.parser import text_string_to_metric_families

from gateway.line.supervisor import PartHealth
from gateway.model.alarm import Severity
from gateway.model.reading import Quality
from gateway.ports import LinkState
from tests.fakes.site import BOX, MINUTE_NS, NOW_NS, SECOND_NS, info, poll, threshold, until
from tests.fakes.web_face import LAYOUT, Face, is_house_error


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[Face]:
    face = Face(tmp_path)
    face.site.start()
    yield face
    await face.close()


async def test_alarms_are_listed_with_what_cannot_be_judged(face: Face) -> None:
    answer = await face.get("/api/alarms")
    assert answer["alarms"] == []
    assert [rule["rule_id"] for rule in answer["unknown"]] == ["rule-0", "rule-1"], "nothing heard yet"
    await face.value(120.0)
    answer = await face.get("/api/alarms")
    assert [alarm["rule_id"] for alarm in answer["alarms"]] == ["rule-0", "rule-1"]
    assert answer["unknown"] == []
    alarm = answer["alarms"][0]
    assert (alarm["active"], alarm["acknowledged"], alarm["measured"], alarm["limit"]) == (True, False, 120.0, 100.0)


async def test_an_alarm_that_is_not_committed_is_not_shown(face: Face) -> None:
    await face.site.cancel()
    face.site.alarms.step(face.site.rules.on_readings(poll(LAYOUT, 120.0)))
    assert len(face.site.alarms.open_alarms()) == 2
    assert (await face.get("/api/alarms"))["alarms"] == []


async def test_while_the_store_fails_newer_alarms_are_shown_and_marked(face: Face) -> None:
    face.site.alerts._writer._connection.execute("PRAGMA query_only=1")
    face.site.intake.offer(poll(LAYOUT, 120.0))
    await until(lambda: bool(face.site.recorder.failing_since_ns))
    answer = await face.get("/api/alarms")
    assert (answer["store_failing"], len(answer["alarms"])) == (True, 2)
    ready = await face.get("/readyz", status=503)
    assert "the evidence store cannot be written" in ready["reasons"]
    face.site.alerts._writer._connection.execute("PRAGMA query_only=0")
    await until(lambda: bool(face.site.clock._sleepers))
    await face.site.clock.advance(1.0)
    await until(lambda: face.site.recorder.last_in_line() is None)


async def test_a_shown_alarm_tells_at_once_that_it_cannot_be_judged_and_its_worst(face: Face) -> None:
    await face.value(120.0)
    await face.value(150.0, at_s=1)
    await face.value(0.0, at_s=2, quality=Quality.BAD)
    alarm = (await face.get("/api/alarms"))["alarms"][0]
    assert (alarm["active"], alarm["unknown"], alarm["worst"]) == (True, True, 150.0)


async def test_the_detail_brings_the_sealed_records(face: Face) -> None:
    alarm_id = await face.raised()
    detail = await face.get(f"/api/alarms/{alarm_id}")
    (record,) = detail["evidence"]
    body = json.loads(record["record"])
    assert body["content"]["alarm"]["alarm_id"] == alarm_id
    assert body["content"]["samples"][0]["value"] == ["120.0"] * 4
    assert is_house_error(await face.get("/api/alarms/nonsense", 404), "no_such_alarm", "alarm_id")


async def test_acknowledging_is_sealed_and_only_done_once(face: Face) -> None:
    alarm_id = await face.raised()
    answer = await face.acknowledge(alarm_id, {"user": "李工", "reason": "已到现场"})
    assert answer == {"alarm_id": alarm_id, "evidence_seq": 3}
    alarm = next(a for a in (await face.get("/api/alarms"))["alarms"] if a["alarm_id"] == alarm_id)
    assert (alarm["active"], alarm["acknowledged"], alarm["acknowledged_by"]) == (True, True, "李工")
    again = await face.acknowledge(alarm_id, {"user": "wang", "reason": "me too"}, status=409)
    assert is_house_error(again, "cannot_acknowledge", "alarm_id")
    assert face.site.alerts.head().seq == 3


async def test_an_acknowledgement_of_nothing_is_not_found(face: Face) -> None:
    answer = await face.acknowledge("nonsense", {"user": "li", "reason": "seen"}, status=404)
    assert is_house_error(answer, "no_such_alarm", "alarm_id")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"user": "li"}, "body.reason"),
        ({"user": "li", "reason": "  "}, "body.reason"),
        ({"user": "", "reason": "seen"}, "body.user"),
        ({"user": "x" * 65, "reason": "seen"}, "body.user"),
        ({"user": "li", "reason": "seen", "severity": "log"}, "body.severity"),
        ({"user": "li", "reason": 5}, "body.reason"),
        ([], "body"),
    ],
)
async def test_a_command_that_says_too_little_or_too_much_is_refused(face: Face, body: object, field: str) -> None:
    alarm_id = await face.raised()
    assert is_house_error(await face.acknowledge(alarm_id, body, status=422), "bad_request", field)
    assert not any(alarm["acknowledged"] for alarm in (await face.get("/api/alarms"))["alarms"])


@pytest.mark.parametrize("text", ['{"user": "li", "reason": "\\ud800"}', '{"user": "li", "reason": ', "\xff"])
async def test_a_body_that_is_no_text_does_no_harm(face: Face, text: str) -> None:
    alarm_id = await face.raised()
    headers = {"content-type": "application/json"}
    path = f"/api/alarms/{alarm_id}/acknowledge"
    reply = await face.client.post(path, content=text.encode("latin-1"), headers=headers)
    assert 400 <= reply.status_code < 500
    assert set(reply.json()) == {"error"}
    await face.acknowledge(alarm_id, {"user": "li", "reason": "seen"})


async def test_a_foreign_page_cannot_send_a_command(face: Face) -> None:
    alarm_id = await face.raised()
    content = b'{"user":"li","reason":"seen"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        path = f"/api/alarms/{alarm_id}/acknowledge"
        reply = await face.client.post(path, content=content, headers={"content-type": kind})
        assert reply.status_code == 415
        assert is_house_error(reply.json(), "json_needed", "content-type")


async def test_points_have_value_unit_quality_and_age(face: Face) -> None:
    rows = (await face.get("/api/points"))["points"]
    assert [(row["value"], row["quality"]) for row in rows] == [(None, "UNKNOWN")] * 4
    face.site.intake.offer(poll(LAYOUT, [1.5, 2.0, 3.0, 4.0], NOW_NS, quality=[0, 1, 2, 0]))
    await until(lambda: face.site.pipeline.judged_polls == 1)
    await face.site.clock.advance(2.0)
    rows = (await face.get("/api/points"))["points"]
    assert [(row["value"], row["quality"]) for row in rows] == [
        (1.5, "GOOD"),
        (2.0, "SUSPECT"),
        (None, "UNKNOWN"),
        (4.0, "GOOD"),
    ]
    assert (rows[0]["unit"], rows[0]["age_s"], rows[0]["observed_at_ns"]) == ("m", 2.0, NOW_NS)
    await face.site.clock.advance(40.0)
    rows = (await face.get("/api/points"))["points"]
    assert (rows[0]["value"], rows[0]["quality"], rows[0]["age_s"]) == (None, "UNKNOWN", 42.0)


async def test_history_answers_raw_samples_with_gaps_as_null(face: Face) -> None:
    values = [1.0, np.nan, 3.0]
    for n, value in enumerate(values):
        face.site.history.append(poll(LAYOUT, value, NOW_NS + n, quality=2 if np.isnan(value) else 0))
    face.site.history.flush(NOW_NS).done.result(5)
    answer = await face.get("/api/history", point="crane-1.q1", from_ns=NOW_NS, to_ns=NOW_NS + 2)
    assert answer == {
        "point": "crane-1.q1",
        "decimated": False,
        "t_ns": [NOW_NS, NOW_NS + 1, NOW_NS + 2],
        "value": [1.0, None, 3.0],
        "quality": [0, 2, 0],
    }


async def test_history_is_decimated_to_what_was_asked(face: Face) -> None:
    for n in range(1000):
        face.site.history.append(poll(LAYOUT, float(n % 100), NOW_NS + n))
    face.site.history.flush(NOW_NS).done.result(5)
    answer = await face.get("/api/history", point="crane-1.q0", from_ns=NOW_NS, to_ns=NOW_NS + 999, samples=20)
    assert answer["decimated"]
    assert len(answer["t_ns"]) <= 20
    assert (min(answer["value"]), max(answer["value"])) == (0.0, 99.0)


async def test_history_answers_minutes(face: Face) -> None:
    base_ns = NOW_NS // MINUTE_NS * MINUTE_NS
    for n in range(120):
        face.site.history.append(poll(LAYOUT, float(n), base_ns + n * SECOND_NS))
    face.site.history.flush(NOW_NS).done.result(5)
    face.site.history.tend(base_ns + 3 * MINUTE_NS).result(5)
    answer = await face.get(
        "/api/history", point="crane-1.q0", from_ns=base_ns, to_ns=base_ns + 2 * MINUTE_NS, resolution="minute"
    )
    assert answer["t_ns"] == [base_ns, base_ns + MINUTE_NS]
    assert (answer["low"], answer["high"], answer["mean"]) == ([0.0, 60.0], [59.0, 119.0], [29.5, 89.5])
    assert (answer["count"], answer["quality"]) == ([60, 60], [0, 0])


@pytest.mark.parametrize(
    ("params", "status", "code", "field"),
    [
        ({"point": "crane-9.q0"}, 404, "no_such_point", "point"),
        ({"to_ns": 5, "from_ns": 6}, 422, "bad_range", "to_ns"),
        ({"to_ns": 2**63}, 422, "bad_request", "query.to_ns"),
        ({"from_ns": -1}, 422, "bad_request", "query.from_ns"),
        ({"from_ns": "yesterday"}, 422, "bad_request", "query.from_ns"),
        ({"samples": 1}, 422, "bad_request", "query.samples"),
        ({"samples": 10**6}, 422, "bad_request", "query.samples"),
        ({"resolution": "hour"}, 422, "bad_request", "query.resolution"),
    ],
)
async def test_a_history_question_that_makes_no_sense_is_refused(
    face: Face, params: dict[str, object], status: int, code: str, field: str
) -> None:
    asked = {"point": "crane-1.q0", "from_ns": 0, "to_ns": 10} | params
    assert is_house_error(await face.get("/api/history", status, **asked), code, field)


async def test_the_largest_range_with_the_fewest_samples_is_answered(face: Face) -> None:
    await face.value(1.0)
    for resolution in ("raw", "minute"):
        answer = await face.get(
            "/api/history", point="crane-1.q0", from_ns=0, to_ns=2**62, samples=2, resolution=resolution
        )
        assert answer["point"] == "crane-1.q0"


async def test_assets_and_the_page_are_served(face: Face) -> None:
    answer = await face.get("/api/assets")
    assert (answer["box_id"], answer["assets"][0]["asset"]) == (BOX, "crane-1")
    page = await face.client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert page.headers["x-frame-options"] == "DENY"
    assert page.headers["x-content-type-options"] == "nosniff"


async def test_an_unknown_address_or_method_is_answered_in_the_house_form(face: Face) -> None:
    assert is_house_error(await face.get("/api/nothing", 404), "no_such_page", "")
    reply = await face.client.delete("/api/alarms")
    assert reply.status_code == 405
    assert is_house_error(reply.json(), "no_such_page", "")


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", "10.0.0.5"])
async def test_on_loopback_a_foreign_host_name_is_refused(tmp_path: Path, host: str) -> None:
    face = Face(tmp_path, host=host)
    assert is_house_error(await face.get("/api/alarms", 421), "wrong_host", "host")
    await face.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8080", "[::1]:8080", "[::1]"])
async def test_a_loopback_name_is_let_in(tmp_path: Path, host: str) -> None:
    face = Face(tmp_path, host=host)
    await face.get("/api/alarms")
    await face.close()


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("given", ["Bearer s3cret", "bearer s3cret", _basic("anyone:s3cret"), _basic(":s3cret")])
async def test_beyond_loopback_the_token_opens_the_door(tmp_path: Path, given: str) -> None:
    face = Face(tmp_path, token="s3cret", host="box.site")
    reply = await face.client.get("/api/alarms", headers={"authorization": given})
    assert reply.status_code == 200
    await face.close()


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Bearer",
        "Bearer wrong",
        "Bearer s3cret2",
        "s3cret",
        "Basic s3cret",
        "Basic é",
        _basic("s3cret"),
        "Digest s3cret",
    ],
)
async def test_without_the_token_nothing_is_told_but_that_one_is_needed(tmp_path: Path, given: str) -> None:
    face = Face(tmp_path, token="s3cret", host="box.site")
    for path in ("/", "/api/alarms", "/api/events", "/metrics", "/api/health"):
        reply = await face.client.get(path, headers={"authorization": given.encode("latin-1")})  # type: ignore[dict-item]
        assert reply.status_code == 401
        assert reply.headers["www-authenticate"].startswith("Basic")
        assert is_house_error(reply.json(), "token_needed", "")
    assert (await face.client.get("/readyz")).status_code in (200, 503)
    await face.close()


async def test_health_checks_fail_when_the_pipeline_is_stuck(face: Face) -> None:
    await until(lambda: face.site.pipeline.ticked_mono_ns >= 0)
    assert (await face.get("/healthz")) == {"alive": True}
    assert (await face.get("/readyz")) == {"ready": True, "reasons": []}
    await face.site.cancel()
    await face.site.clock.advance(5.0)
    assert (await face.get("/healthz", 503)) == {"alive": False}
    assert (await face.get("/readyz", 503))["reasons"] == ["the pipeline is stuck or a store has stopped"]


async def test_a_part_that_does_not_run_makes_the_box_not_ready(face: Face) -> None:
    face.running["web"] = PartHealth("web", running=False, restarts=3, last_error="RuntimeError: a bug")
    assert (await face.get("/readyz", 503))["reasons"] == ["part web is not running"]
    health = await face.get("/api/health")
    assert health["parts"][1] == {
        "name": "web",
        "running": False,
        "restarts": 3,
        "last_error": "RuntimeError: a bug",
    }
    assert health["links"][0]["state"] == "up"


async def test_metrics_are_prometheus_text_of_what_runs_now(face: Face) -> None:
    await face.raised()
    face.site.intake.set_aside("host-1", b"?", "poison")
    reply = await face.client.get("/metrics")
    samples = {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(reply.text)
        for sample in family.samples
    }
    assert samples["sitewarden_polls_total",] == 1
    assert samples["sitewarden_readings_total",] == 4
    assert samples["sitewarden_chain_seq",] == 2
    assert samples["sitewarden_open_alarms", "true", "P1"] == 2
    assert samples["sitewarden_link_up", "host-1"] == 1
    assert samples["sitewarden_skipped_polls_total", "host-1"] == 1
    assert samples["sitewarden_set_aside_total", "host-1"] == 1
    assert samples["sitewarden_messages_pending", "regulator"] == 4
    face.driver.state = LinkState.DOWN
    again = (await face.client.get("/metrics")).text
    assert 'sitewarden_link_up{device="host-1"} 0.0' in again


async def test_a_command_that_is_too_long_or_does_not_say_how_long_it_is_is_not_read(face: Face) -> None:
    address, headers = f"/api/alarms/{await face.raised()}/acknowledge", {"content-type": "application/json"}
    read: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            read.append(1)
            yield b" " * 65_536

    long = await face.client.post(address, content=b" " * 100_000, headers=headers)
    assert (long.status_code, long.json()["error"]["code"]) == (413, "too_large")
    huge = await face.client.post(address, content=b"{}", headers=headers | {"content-length": "9" * 5000})
    assert huge.status_code == 413
    unsaid = await face.client.post(address, content=endless(), headers=headers)
    assert (unsaid.status_code, unsaid.json()["error"]["code"]) == (411, "length_needed")
    assert len(read) <= 1


async def test_what_is_suppressed_by_design_is_in_a_list_of_its_own_with_the_reason(tmp_path: Path) -> None:
    stop, warning = threshold(0, rule=info("wind.stop")), threshold(1, rule=info("wind.warn", Severity.P3))
    face = Face(tmp_path, rules=[replace(warning, suppressed_while=("wind.stop",)), stop])
    face.site.start()
    await face.value(120.0)
    answer = await face.get("/api/alarms")
    assert [alarm["rule_id"] for alarm in answer["alarms"]] == ["wind.stop"]
    (row,) = answer["suppressed"]
    assert (row["rule_id"], row["suppressed_by"], row["withheld"]) == ("wind.warn", "wind.stop", True)
    asked = await face.get("/api/alarms", suppressed=True)
    assert [(alarm["rule_id"], alarm["withheld"]) for alarm in asked["alarms"]] == [
        ("wind.stop", False),
        ("wind.warn", True),
    ]
    assert asked["suppressed"] == answer["suppressed"]
    assert (await face.client.get("/api/alarms?suppressed=perhaps")).status_code == 422
    command = {"user": "李工", "reason": "看看"}
    refused = await face.acknowledge(row["alarm_id"], command, 409)
    assert is_house_error(refused, "cannot_acknowledge", "alarm_id")
    shelved = await face.post(f"/api/alarms/{row['alarm_id']}/shelve", {**command, "for_s": 60}, 409)
    assert is_house_error(shelved, "suppressed_by_design", "alarm_id")
    metrics = {
        sample.name: sample.value
        for family in text_string_to_metric_families((await face.client.get("/metrics")).text)
        for sample in family.samples
    }
    assert (metrics["sitewarden_suppressed_alarms"], metrics["sitewarden_open_alarms"]) == (1.0, 1.0)
    await face.close()
