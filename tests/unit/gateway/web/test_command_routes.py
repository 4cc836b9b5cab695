import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from contract.messages import AlarmTransition
from gateway.evidence.evidence import RecordKind
from gateway.model.alarm import Severity
from gateway.web.command_routes import REFUSED_ZH, Refusal
from tests.fakes.site import SECOND_NS, Site, info, latching, points, threshold, until
from tests.fakes.web_face import Face, Listener, is_house_error

WHO = {"user": "李工", "reason": "传感器待更换"}
HOUR = WHO | {"for_s": 3600}
RULES = [
    threshold(0, rule=info("grave", Severity.P1)),
    latching(threshold(1, rule=info("latching", Severity.P2))),
]


@pytest.fixture
async def face(tmp_path: Path) -> AsyncIterator[Face]:
    face = Face(tmp_path, rules=RULES)
    face.site.start()
    yield face
    await face.close()


async def _alarms(face: Face) -> dict[str, dict[str, object]]:
    answer = await face.get("/api/alarms")
    assert isinstance(answer, dict)
    return {alarm["rule_id"]: alarm for alarm in answer["alarms"]}


async def _raise(face: Face) -> dict[str, str]:
    await face.value(120.0)
    return {rule: str(alarm["alarm_id"]) for rule, alarm in (await _alarms(face)).items()}


def _sealed(face: Face) -> list[dict[str, object]]:
    kinds = (RecordKind.TRANSITION, RecordKind.SERVICE)
    return [json.loads(r.body)["content"] for r in face.site.alerts.all_evidence() if r.kind in kinds]


async def test_shelving_is_sealed_and_shown(face: Face) -> None:
    alarm_id = (await _raise(face))["latching"]
    answer = await face.post(f"/api/alarms/{alarm_id}/shelve", HOUR)
    assert answer == {"alarm_id": alarm_id, "evidence_seq": face.site.alerts.head().seq}
    sealed = _sealed(face)[-1]
    assert (sealed["transition"], sealed["user"], sealed["reason"]) == ("shelved", "李工", "传感器待更换")
    alarm = (await _alarms(face))["latching"]
    assert (alarm["shelved"], alarm["shelved_by"], alarm["active"]) == (True, "李工", True)
    await face.post(f"/api/alarms/{alarm_id}/unshelve", WHO)
    assert _sealed(face)[-1]["transition"] == "unshelved"
    assert not (await _alarms(face))["latching"]["shelved"]


async def test_a_shelf_ends_by_itself_and_that_is_sealed(face: Face) -> None:
    alarm_id = (await _raise(face))["latching"]
    await face.post(f"/api/alarms/{alarm_id}/shelve", WHO | {"for_s": 60})
    for _ in range(70):
        await face.site.clock.advance(1.0)
    await until(lambda: _sealed(face)[-1]["transition"] == "unshelved")
    assert _sealed(face)[-1]["user"] == ""


async def test_a_p1_is_not_shelved(face: Face) -> None:
    alarm_id = (await _raise(face))["grave"]
    refused = await face.post(f"/api/alarms/{alarm_id}/shelve", HOUR, 409)
    assert is_house_error(refused, "p1_never_shelved", "alarm_id")
    assert len(_sealed(face)) == 2, "the two raises only"


async def test_a_latched_alarm_is_reset_after_it_has_returned_and_been_acknowledged(face: Face) -> None:
    alarm_id = (await _raise(face))["latching"]
    assert is_house_error(await face.post(f"/api/alarms/{alarm_id}/reset", WHO, 409), "still_active", "alarm_id")
    await face.value(1.0, at_s=1)
    assert is_house_error(await face.post(f"/api/alarms/{alarm_id}/reset", WHO, 409), "acknowledge_first", "alarm_id")
    await face.acknowledge(alarm_id, WHO)
    assert (await _alarms(face))["latching"]["latched"]
    await face.post(f"/api/alarms/{alarm_id}/reset", WHO)
    assert "latching" not in await _alarms(face)
    assert _sealed(face)[-1]["transition"] == "reset"


async def test_a_device_out_of_service_is_listed_with_who_and_until_when(face: Face) -> None:
    await _raise(face)
    answer = await face.post("/api/subjects/host-1/out_of_service", HOUR)
    assert answer["subject"] == "host-1"
    listed = await face.get("/api/alarms")
    assert isinstance(listed, dict)
    (service,) = listed["out_of_service"]
    now_ns = face.site.clock.now_ns()
    assert (service["subject"], service["user"], service["until_ns"]) == ("host-1", "李工", now_ns + 3600 * SECOND_NS)
    assert all(alarm["out_of_service"] and alarm["active"] for alarm in listed["alarms"])
    await face.post("/api/subjects/host-1/in_service", WHO)
    assert [record["transition"] for record in _sealed(face)[-2:]] == ["out_of_service", "in_service"]
    assert not any(alarm["out_of_service"] for alarm in (await _alarms(face)).values())


async def test_out_of_service_survives_a_restart_and_ends_in_time(face: Face, tmp_path: Path) -> None:
    await face.post("/api/subjects/host-1/out_of_service", HOUR)
    await face.post("/api/subjects/crane-1.q3/out_of_service", HOUR)
    await face.post("/api/subjects/crane-1.q3/in_service", WHO)
    again = Site(tmp_path, points(), RULES, clock=face.site.clock)
    assert [(entry.target, entry.user) for entry in again.alarms.services()] == [("host-1", "李工")]
    again.close()
    await face.site.clock.advance(3601.0)
    await until(lambda: face.site.alerts.out_of_service() == [])
    assert _sealed(face)[-1]["target"] == "host-1"


@pytest.mark.parametrize(
    ("path", "body", "status", "code", "field"),
    [
        ("/api/alarms/nonsense/shelve", HOUR, 404, "no_such_alarm", "alarm_id"),
        ("/api/alarms/nonsense/unshelve", WHO, 404, "no_such_alarm", "alarm_id"),
        ("/api/alarms/nonsense/reset", WHO, 404, "no_such_alarm", "alarm_id"),
        ("/api/subjects/host-9/out_of_service", HOUR, 404, "no_such_subject", "subject"),
        ("/api/subjects/host-1/in_service", WHO, 409, "not_out_of_service", "subject"),
        ("/api/subjects/host-1/out_of_service", WHO | {"for_s": 86_401}, 422, "too_long", "body.for_s"),
        ("/api/subjects/host-1/out_of_service", WHO, 422, "bad_request", "body.for_s"),
        ("/api/subjects/host-1/out_of_service", WHO | {"for_s": 0}, 422, "bad_request", "body.for_s"),
        ("/api/subjects/host-1/out_of_service", {"user": "li", "for_s": 60}, 422, "bad_request", "body.reason"),
        ("/api/alarms/x/shelve", HOUR | {"until": "never"}, 422, "bad_request", "body.until"),
    ],
)
async def test_a_command_that_cannot_be_carried_out_says_why(
    face: Face, path: str, body: object, status: int, code: str, field: str
) -> None:
    assert is_house_error(await face.post(path, body, status), code, field)
    assert face.site.alerts.head().seq == 0


async def test_commands_are_guarded_like_the_rest(tmp_path: Path) -> None:
    face = Face(tmp_path, token="s3cret", host="box:8080", rules=RULES)
    face.site.start()
    assert is_house_error(await face.post("/api/subjects/host-1/out_of_service", HOUR, 401), "token_needed", "")
    await face.close()


def test_every_refusal_has_words_in_chinese() -> None:
    assert set(REFUSED_ZH) == set(Refusal)


async def test_what_a_regulator_does_not_know_stays_in_the_chain(face: Face) -> None:
    alarm_id = (await _raise(face))["latching"]
    await face.post(f"/api/alarms/{alarm_id}/shelve", HOUR)
    await face.acknowledge(alarm_id, WHO)
    await face.value(1.0, at_s=1)
    await face.post(f"/api/alarms/{alarm_id}/reset", WHO)
    items = face.site.alerts.pending("regulator", 50)
    sent = [json.loads(item.body) for item in items if item.kind == "alarm_transition"]
    assert [body["transition"] for body in sent] == ["raised", "raised", "acknowledged", "returned", "returned"]
    assert all(AlarmTransition.model_validate(body) for body in sent)
    sealed = [json.loads(json.loads(item.body)["record"]) for item in items if item.kind == "evidence_record"]
    assert [record["content"]["transition"] for record in sealed].count("shelved") == 1
    assert sealed[-1]["content"]["transition"] == "reset"


async def test_the_first_out_is_marked_and_the_counts_are_shown(face: Face) -> None:
    await _raise(face)
    alarms = await _alarms(face)
    marks = {rule: (alarm["first_out"], bool(alarm["first_out_id"])) for rule, alarm in alarms.items()}
    assert sorted(marks.values()) == [(False, True), (True, False)]
    answer = await face.get("/api/alarms")
    assert isinstance(answer, dict)
    assert answer["performance"]["raised_in_flood_window"] == 2
    await face.post("/api/subjects/host-1/out_of_service", HOUR)
    reply = await face.client.get("/metrics")
    values = {s.name: s.value for family in text_string_to_metric_families(reply.text) for s in family.samples}
    assert values["sitewarden_out_of_service"] == 1.0
    assert values["sitewarden_alarms_in_flood_window"] == 2.0
    assert values["sitewarden_alarm_flood"] == 0.0


async def test_the_live_feed_tells_of_a_shelf_and_of_an_escalation_now_and_after_a_reconnect(face: Face) -> None:
    listener = Listener(face, None)
    alarm_id = (await _raise(face))["latching"]
    await face.post(f"/api/alarms/{alarm_id}/shelve", HOUR)
    transition = face.site.alarms.escalate(alarm_id, "no screen listening", face.site.clock.now_ns())
    await face.site.recorder.record_transition(transition, None, ())
    told = ["raised", "raised", "shelved", "escalated"]
    late = Listener(face, 0)
    for each in (listener, late):
        await until(lambda each=each: [e[2]["transition"] for e in each.events if e[1] == "alarm"] == told)
        await each.leave()


async def test_notes_judgements_and_hand_overs_are_sealed_and_told_to_open_pages(face: Face) -> None:
    alarm_id = (await _raise(face))["latching"]
    listener = Listener(face, None)
    await face.post(f"/api/alarms/{alarm_id}/note", WHO | {"reason": "第一行\n第二行"})
    await face.post(f"/api/alarms/{alarm_id}/false_alarm", WHO | {"cause": "calibration"})
    await face.post(f"/api/alarms/{alarm_id}/withdraw_judgement", WHO)
    answer = await face.post(f"/api/alarms/{alarm_id}/hand_over", WHO)
    assert answer == {"alarm_id": alarm_id, "evidence_seq": face.site.alerts.head().seq}
    told = ["noted", "judged_false", "judgement_withdrawn", "handed_over"]
    await until(lambda: [e[2]["transition"] for e in listener.events if e[1] == "alarm"] == told)
    await listener.leave()
    kept = [json.loads(r.body)["content"] for r in face.site.alerts.evidence_of(alarm_id) if r.kind == "alarm_note"]
    assert [content["transition"] for content in kept] == told
    assert (kept[0]["reason"], kept[1]["cause"]) == ("第一行\n第二行", "calibration")
    assert (await _alarms(face))["latching"]["active"] is True


@pytest.mark.parametrize(
    ("name", "body", "status", "code"),
    [
        ("note", WHO | {"reason": "a\x00b"}, 422, "bad_request"),
        ("note", WHO | {"reason": "字" * 4001}, 422, "bad_request"),
        ("false_alarm", WHO, 422, "bad_request"),
        ("false_alarm", WHO | {"cause": "nonsense"}, 422, "bad_request"),
        ("withdraw_judgement", WHO, 409, "not_judged_false"),
    ],
)
async def test_a_word_that_cannot_be_taken_is_refused(
    face: Face, name: str, body: dict[str, str], status: int, code: str
) -> None:
    alarm_id = (await _raise(face))["latching"]
    before = face.site.alerts.head()
    answer = await face.post(f"/api/alarms/{alarm_id}/{name}", body, status)
    assert answer["error"]["code"] == code  # type: ignore[index]
    assert face.site.alerts.head() == before


async def test_of_no_alarm_nothing_is_said(face: Face) -> None:
    for name in ("note", "withdraw_judgement", "hand_over"):
        assert is_house_error(await face.post(f"/api/alarms/nonsense/{name}", WHO, 404), "no_such_alarm", "alarm_id")


@pytest.mark.parametrize("reason", ["字" * 4000, "👷" * 4000, "<script>"])
async def test_a_reason_of_4000_characters_is_taken_however_json_spells_it(face: Face, reason: str) -> None:
    alarm_id = (await _raise(face))["grave"]
    body = json.dumps(WHO | {"reason": reason}, ensure_ascii=True)
    address = f"/api/alarms/{alarm_id}/acknowledge"
    reply = await face.client.post(address, content=body, headers={"content-type": "application/json"})
    assert reply.status_code == 200, reply.text
    assert _sealed(face)[-1]["reason"] == reason


@pytest.mark.parametrize("reason", ["字" * 4001, "a\u202eb", "a\x1bb", "a\u0085b"])
async def test_a_reason_that_hides_something_or_never_ends_is_refused(face: Face, reason: str) -> None:
    alarm_id = (await _raise(face))["grave"]
    assert is_house_error(await face.acknowledge(alarm_id, WHO | {"reason": reason}, 422), "bad_request", "body.reason")
