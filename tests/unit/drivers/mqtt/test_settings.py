from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from drivers.mqtt import settings as settings_module
from drivers.mqtt.settings import MqttDevice, MqttLink, MqttTable

POINT = {"key": "wind", "path": "$.w", "title_zh": "风速", "title_en": "Wind"}
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
    assert [MqttDevice.model_validate(device).id for device in sample["devices"]] == ["mast-1-logger"]
    assert len(MqttTable.model_validate(sample["table"]).points) == 3
