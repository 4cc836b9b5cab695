from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from drivers.mqtt import settings as settings_module
from drivers.mqtt.settings import MqttDevice, MqttLink, MqttTable

POINT = {"key": "wind", "path": "$.w", "title_zh": "风速", "title_en": "Wind"}
AMONG_BYTES = {"key": "wind", "byte": 3, "type": "uint16", "title_zh": "风速", "title_en": "Wind"}
TABLE = {
    "version": 1,
    "model": "m",
    "driver": "mqtt",
    "title_zh": "气象站",
    "title_en": "Mast",
    "source": "test",
    "certainty": "PD",
    "points": [POINT],
}
DEVICE = {"id": "d", "link": "l", "asset": "a", "table": "t"}
LINK = {"id": "field-broker", "driver": "mqtt", "host": "127.0.0.1"}


def refusal(model: Any, data: dict[str, Any]) -> str:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(data)
    return str(caught.value)


@pytest.mark.parametrize("topic", ["a", "a/b", "+", "#", "a/+/b/#", "/a//b", "$SYS/broker/uptime", "工地/塔机"])
def test_a_topic_filter_by_the_book_is_taken(topic: str) -> None:
    assert MqttDevice.model_validate({**DEVICE, "topic": topic}).topic == topic


@pytest.mark.parametrize(
    ("topic", "words"),
    [
        ("", "1 to 65535"),
        ("a\0b", "NUL"),
        ("a/b+", "whole level"),
        ("a/#/b", "last level"),
        ("a/b#", "last level"),
        ("$share/g/a", "shared subscription"),
    ],
)
def test_a_topic_filter_that_no_broker_takes_is_refused_in_words(topic: str, words: str) -> None:
    assert words in refusal(MqttDevice, {**DEVICE, "topic": topic})


@pytest.mark.parametrize(
    ("topic", "key", "subscribed", "own"),
    [
        ("app/+/device/{key}/event/up", "0101", "app/+/device/+/event/up", "app/+/device/0101/event/up"),
        ("{key}", "a b", "+", "a b"),
        ("v3/app1@ttn/devices/{key}/#", "dev1", "v3/app1@ttn/devices/+/#", "v3/app1@ttn/devices/dev1/#"),
    ],
)
def test_a_key_takes_the_place_of_a_level(topic: str, key: str, subscribed: str, own: str) -> None:
    device = MqttDevice.model_validate({**DEVICE, "topic": topic, "key": key})
    assert (device.filter, device.own_topic) == (subscribed, own)
    assert device.key_level == topic.split("/").index("{key}")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"topic": "a/{key}/b"}, "come together"),
        ({"topic": "a/+/b", "key": "x"}, "come together"),
        ({"topic": "a/eui-{key}/b", "key": "x"}, "whole level"),
        ({"topic": "{key}/{key}", "key": "x"}, "once"),
        ({"topic": "a/{devEui}/b"}, "nothing but {key}"),
        ({"topic": "a/{key}/#/b", "key": "x"}, "last level"),
        ({"topic": "a/{key}", "key": "x/y"}, "key"),
        ({"topic": "a/{key}", "key": "+"}, "key"),
        ({"topic": "a/{key}", "key": ""}, "key"),
    ],
)
def test_a_key_without_a_place_or_a_place_without_a_key_is_refused(fields: dict[str, Any], words: str) -> None:
    assert words in refusal(MqttDevice, {**DEVICE, **fields})


def test_quality_of_service_2_is_refused() -> None:
    assert "qos" in refusal(MqttDevice, {**DEVICE, "topic": "a", "qos": 2})


def test_a_link_keeps_its_session_and_has_a_client_id_of_its_own() -> None:
    link = MqttLink.model_validate(LINK)
    assert (link.session, link.effective_client_id) == ("persistent", "sitewarden-field-broker")
    assert MqttLink.model_validate({**LINK, "client_id": "box-7"}).effective_client_id == "box-7"


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"password": {"env": "X"}}, "needs a username"),
        ({"password": "plain text", "username": "u"}, "password"),
        ({"tls": {"cert_file": "c.pem"}}, "come together"),
        ({"retry_first_s": 10, "retry_max_s": 1}, "retry_max_s"),
        ({"protocol": "3.1"}, "protocol"),
        ({"passwort": "x"}, "passwort"),
    ],
)
def test_a_link_that_cannot_work_is_refused_in_words(extra: dict[str, Any], words: str) -> None:
    assert words in refusal(MqttLink, {**LINK, **extra})


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"points": []}, "points"),
        ({"points": [POINT, POINT]}, "stand twice: wind"),
        ({"points": [{**POINT, "path": None}]}, "point wind: a json payload needs a path"),
        ({"points": [{**POINT, "path": "$..w"}]}, "character 2"),
        ({"points": [{**POINT, "topic_suffix": "w"}]}, "plain payloads only"),
        ({"payload": "plain"}, "point wind: path and type are for json"),
        ({"payload": "plain", "time": {"path": "$.t", "format": "ms"}}, "carries no time"),
        ({"time": {"path": "$.t", "format": "minutes"}}, "format"),
        ({"points": [AMONG_BYTES]}, "bytes and points with byte come together"),
        ({"bytes": {"path": "$.d", "encoding": "hex"}}, "bytes and points with byte come together"),
        ({"points": [AMONG_BYTES], "bytes": {"path": "$.d"}}, "need path and encoding"),
        ({"points": [AMONG_BYTES], "bytes": {"path": "$.d", "encoding": "octal"}}, "'hex' or 'base64'"),
        ({"points": [{**AMONG_BYTES, "type": "number"}]}, "points.0.among bytes.type"),
        ({"points": [{**AMONG_BYTES, "path": "$.w"}]}, "points.0.among bytes.path"),
        ({"points": [{**AMONG_BYTES, "type": "bit"}]}, "needs bit: 0..15"),
        ({"points": [{**AMONG_BYTES, "bit": 3}]}, "has no bit"),
        ({"points": [{**AMONG_BYTES, "type": "bit", "bit": 8}]}, "bits within 0 and 7 of a field"),
        (
            {"points": [{**AMONG_BYTES, "type": "bits", "bit": 9, "bit_count": 8, "field_bytes": 2}]},
            "not 9 to 16",
        ),
        ({"points": [{**AMONG_BYTES, "field_bytes": 2}]}, "says its own size"),
        ({"points": [{**AMONG_BYTES, "type": "uint8", "sentinels": [256]}]}, "sentinels that occur in uint8"),
        ({"points": [{**AMONG_BYTES, "byte": -1}]}, "points.0.among bytes.byte"),
        ({"points": [{**AMONG_BYTES, "decimals": "gone"}], "payload": "hex"}, "not gone"),
        ({"payload": "hex"}, "point wind: a hex payload needs byte"),
        ({"payload": "binary", "points": [AMONG_BYTES], "bytes": {"path": "$.d"}}, "path and encoding are for json"),
        ({"payload": "base64", "points": [AMONG_BYTES], "time": {"path": "$.t", "format": "ms"}}, "carries no time"),
        ({"payload": "base64", "points": [AMONG_BYTES], "only": {"path": "$.p", "equals": 2}}, "for json payloads"),
        ({"payload": "plain", "points": [AMONG_BYTES]}, "bytes and byte are for the other payloads"),
        ({"only": {"path": "$.p", "equals": []}}, "only.0.equals"),
        ({"only": {"path": "$.p", "equals": 2.5}}, "only.0.equals"),
        ({"repeats": {"paths": []}}, "repeats.paths"),
        ({"private": ["Id"], "only": {"path": "$.Id", "equals": 1}}, "only: Id is private"),
        ({"private": ["Id"], "repeats": {"paths": ["$.Id"]}}, "repeats: Id is private"),
        ({"private": ["Id"], "points": [{**POINT, "path": '$.a[Id="7"].w'}]}, "point wind: Id is private"),
        ({"private": ["Id"], "points": [{**POINT, "path": "$.*"}]}, "could come to what is private"),
    ],
)
def test_an_ambiguous_table_is_refused_in_words(extra: dict[str, Any], words: str) -> None:
    assert words in refusal(MqttTable, {**TABLE, **extra})


@pytest.mark.parametrize("suffixes", [(None, "a"), ("a", "a"), ("/a", "b"), ("a/+", "b")])
def test_plain_points_need_suffixes_that_tell_them_apart(suffixes: tuple[str | None, ...]) -> None:
    points = [{**POINT, "key": f"p{i}", "path": None, "topic_suffix": suffix} for i, suffix in enumerate(suffixes)]
    assert "suffix" in refusal(MqttTable, {**TABLE, "payload": "plain", "points": points})


def test_the_sample_beside_the_driver_is_valid() -> None:
    sample = yaml.safe_load((Path(settings_module.__file__).parent / "sample.yaml").read_text(encoding="utf-8"))
    assert [MqttLink.model_validate(link).id for link in sample["links"]] == ["field-broker"]
    devices = [MqttDevice.model_validate(device) for device in sample["devices"]]
    assert [(device.id, device.key is not None) for device in devices] == [
        ("mast-1-logger", False),
        ("node-1", True),
        ("node-2", True),
    ]
    tables = [MqttTable.model_validate(table) for table in sample["tables"]]
    assert [(table.model, len(table.points)) for table in tables] == [("mast", 4), ("node", 3)]
    assert {device.table for device in devices} == {table.model for table in tables}
