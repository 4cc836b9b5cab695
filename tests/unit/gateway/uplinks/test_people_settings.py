"""What a site file may say of the uplinks to people, and what it is told when it says something else."""

import jsonschema
import pytest

from gateway.model.errors import ConfigError
from gateway.ports import Notifier
from gateway.settings import Settings, load, site_schema
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.outbox import context
from tests.unit.gateway.settings.kinds import CASES, CONFIG

FILE = {"file": "secrets/x"}
SMS = {
    "name": "s",
    "kind": "sms",
    "url": "https://sms.example/send",
    "numbers": FILE,
    "body": {"to": "{number}", "t": "{text}"},
}
PEOPLE = [
    {"name": "h", "kind": "webhook", "url": "https://hook.example/a", "secret": FILE},
    {"name": "w", "kind": "wecom", "url": FILE, "form": "text", "languages": ["zh", "en"]},
    {"name": "d", "kind": "dingtalk", "url": FILE, "secret": {"env": "SIGN"}, "min_severity": "P3"},
    {**SMS, "secrets": {"k": FILE}, "headers": {"X": "{k}"}, "transitions": ["raised", "returned"]},
]


def site(*uplinks: object) -> Settings:
    file, replace = CASES / "good-minimal.yaml", {"uplinks": list(uplinks)}
    return load(file, DRIVERS, UPLINKS, KINDS, config_root=CONFIG, replace=replace)


def faults(uplink: dict[str, object]) -> str:
    with pytest.raises(ConfigError) as caught:
        site(uplink)
    return "\n".join(str(fault) for fault in caught.value.faults)


def test_all_four_are_good_and_the_schema_for_editors_says_so_too():
    settings = site(*PEOPLE)
    assert [uplink.kind.name for uplink in settings.uplinks] == ["webhook", "wecom", "dingtalk", "sms"]
    whole = site_schema(DRIVERS, UPLINKS, KINDS)
    schema = whole["properties"]["uplinks"] | {"$defs": whole["$defs"]}
    jsonschema.validate(PEOPLE, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate([{**PEOPLE[1], "form": "html"}], schema)


def test_a_secret_that_is_not_there_yet_is_a_warning_wherever_it_stands():
    warned = {warning.key for warning in site(*PEOPLE).warnings if warning.code == "warn.secret_missing"}
    assert {"uplinks[0].secret", "uplinks[1].url", "uplinks[2].url", "uplinks[2].secret"} <= warned
    assert {"uplinks[3].numbers", "uplinks[3].secrets.k"} <= warned


def test_a_certificate_file_that_is_not_there_yet_is_a_warning_with_its_name_and_one_that_is_there_is_none(tmp_path):
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\n", encoding="utf-8")
    mqtt = {"name": "m", "kind": "mqtt", "host": "broker.example", "topic_prefix": "a"}
    mqtt["tls"] = {"ca_file": str(tmp_path / "ca.pem"), "cert_file": "no/own.pem", "key_file": "no/own.key"}
    settings = site({**PEOPLE[0], "ca_file": "no/such/ca.pem"}, mqtt)
    warned = {warning.key: warning.found for warning in settings.warnings if warning.code == "warn.file_missing"}
    assert warned == {
        "uplinks[0].ca_file": "no/such/ca.pem: No such file or directory",
        "uplinks[1].tls.cert_file": "no/own.pem: No such file or directory",
        "uplinks[1].tls.key_file": "no/own.key: No such file or directory",
    }


async def test_all_four_tell_people_and_the_others_do_not(tmp_path):
    regulator = {"name": "r", "kind": "regulator", "url": "http://127.0.0.1:1", "enrol_code": FILE}
    mqtt = {"name": "m", "kind": "mqtt", "host": "127.0.0.1", "topic_prefix": "a"}
    influx = {"name": "i", "kind": "influx", "url": "http://127.0.0.1:1", "org": "o", "bucket": "b"}
    told = {}
    for bound in site(*PEOPLE, regulator, mqtt, influx).uplinks:
        uplink = bound.kind.build(bound.settings, context(tmp_path))
        told[uplink.name] = isinstance(uplink, Notifier) and uplink.takes_escalations
        await uplink.close()
    assert told == {"h": True, "w": True, "d": True, "s": True, "r": False, "m": False, "i": False}


@pytest.mark.parametrize(
    ("uplink", "words"),
    [
        ({**PEOPLE[0], "url": "http://hook.example/a"}, "expected https; plain http leaves this machine only"),
        ({**PEOPLE[0], "url": "https://hook.example/a?token=hunter2222"}, "without a query"),
        ({**PEOPLE[0], "url": "https://me:hunter2222@hook.example/"}, "no user and no password"),
        ({**PEOPLE[0], "url": "hook.example/a"}, "expected https://HOST"),
        ({**PEOPLE[0], "url": "ftp://hook.example/a"}, "expected https://HOST"),
        ({**PEOPLE[0], "url": "https://hook.example:99999/a"}, "expected https://HOST"),
        ({**PEOPLE[0], "secret": "hunter2222"}, "secret"),
        ({**PEOPLE[0], "transitions": []}, "uplinks[0].transitions: found a list, expected at least one"),
        ({**PEOPLE[1], "languages": []}, "at least one, and each once"),
        ({**PEOPLE[1], "url": "https://qyapi.example/send?key=hunter2222"}, "url"),
        ({**PEOPLE[1], "languages": ["zh", "zh"]}, "at least one, and each once"),
        ({**PEOPLE[1], "languages": ["fr"]}, "languages"),
        ({**PEOPLE[1], "messages_per_minute": 21}, "messages_per_minute"),
        ({**PEOPLE[1], "min_severity": "P0"}, "min_severity"),
        ({**PEOPLE[1], "secret": FILE}, "secret"),
        ({**PEOPLE[2], "transitions": ["exploded"]}, "transitions"),
        ({**PEOPLE[2], "transitions": ["shelved"]}, "transitions"),
        ({**SMS, "body": {"to": "{number}"}}, "expected {text}"),
        ({**SMS, "body": {"t": "{text}"}}, "expected {number} or {numbers}"),
        ({**SMS, "body": {"to": "{numer}", "t": "{text}"}}, "not numer"),
        ({**SMS, "headers": {"X": "{app_key}"}}, "known fields in headers"),
        ({**SMS, "secrets": {"text": FILE}}, "text is a field already"),
        ({**SMS, "method": "GET"}, "no body with GET"),
        ({**SMS, "body_form": "form", "body": {"a": ["{number}", "{text}"]}}, "no mappings and no lists"),
        ({**SMS, "url": "http://sms.example/send"}, "expected https"),
        ({**SMS, "url": "https://sms.example/send?k=hunter2222"}, "use query"),
        ({**SMS, "per_day": 0}, "per_day"),
        ({**SMS, "success": {"path": "a..b"}}, "success.path"),
    ],
)
def test_what_is_wrong_is_said_without_repeating_a_secret(uplink, words):
    said = faults(uplink)
    assert words in said
    assert "hunter2222" not in said


def test_plain_http_is_for_this_machine_unless_allowed():
    site({**PEOPLE[0], "url": "http://127.0.0.1:8000/a"}, {**SMS, "url": "http://[::1]:8000/a"})
    site({**PEOPLE[0], "url": "http://hook.example/a", "allow_plain_http": True})
