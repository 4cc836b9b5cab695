from typing import Any

import pytest
from pydantic import ValidationError

from gateway.uplinks.mqtt_settings import MqttUplinkSettings

LEAST = {"name": "site-mqtt", "kind": "mqtt", "host": "127.0.0.1", "topic_prefix": "sitewarden/box-1"}


def test_the_least_that_must_be_said_is_enough() -> None:
    settings = MqttUplinkSettings.model_validate(LEAST)
    assert (settings.protocol, settings.qos, settings.alerts, settings.readings) == ("5", 1, True, True)


@pytest.mark.parametrize("prefix", ["", "/a", "a/", "a/+/b", "a/#", "$SYS/a", "a\0b"])
def test_a_prefix_that_no_broker_takes_is_refused_in_words(prefix: str) -> None:
    with pytest.raises(ValidationError, match="prefix"):
        MqttUplinkSettings.model_validate({**LEAST, "topic_prefix": prefix})


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"qos": 0}, "qos"),
        ({"alerts": False, "readings": False}, "would send nothing"),
        ({"password": {"env": "X"}}, "needs a username"),
        ({"tls": {"key_file": "k.pem"}}, "come together"),
        ({"port": 0}, "port"),
        ({"topic": "x"}, "topic"),
    ],
)
def test_an_uplink_that_cannot_work_is_refused_in_words(extra: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        MqttUplinkSettings.model_validate({**LEAST, **extra})
