"""Home Assistant's discovery over a real Mosquitto, read as Home Assistant reads it: retained, by Jinja templates."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jinja2.sandbox
import numpy as np
import pytest

from gateway.model.alert import Receipt, ReceiptKind
from gateway.model.quantity import Point
from gateway.model.reading import Quality
from gateway.ports import ReadingBlock
from tests.fakes.mosquitto import Mosquitto
from tests.fakes.mqtt_peer import Listener
from tests.wire.test_mqtt_uplink import alert, uplink

ALERT = {
    "subject": "crane-1.moment",
    "transition": "raised",
    "severity": "P1",
    "title_zh": "力矩超限",
    "title_en": "Moment",
    "measured": None,
    "limit": "100",
    "unit": "%",
    "asset": "crane-1",
}
LATE_NS = 120_000_000_000


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    with Mosquitto() as broker:
        yield broker


def block(device: str = "mast-1", quality: Quality = Quality.GOOD, age_ns: int = 0) -> ReadingBlock:
    points = (
        Point("mast-1.wind", "mast-1", "wind", "m/s", device, "风速", "Wind speed", stale_after_s=2.5),
        Point("mast-1.state", "mast-1", "state", "", device, "", ""),
    )
    values, qualities = np.array([[3.25, 1.0]]), np.array([[quality, Quality.GOOD]], dtype=np.uint8)
    return ReadingBlock(1, device, points, np.array([time.time_ns() - age_ns]), values, qualities)


def by_topic(listener: Listener, count: int) -> dict[str, Any]:
    return {m.topic: json.loads(m.payload) for m in listener.wait_for(count)}


def rendered(template: str, message: Any) -> str:
    """As Home Assistant does it: a sandboxed environment and `value_json`."""
    return jinja2.sandbox.ImmutableSandboxedEnvironment().from_string(template).render(value_json=message)


async def heard(broker: Mosquitto, sent: ReadingBlock) -> tuple[dict[str, Any], Any]:
    """The wind sensor's settings and the reading beside them."""
    with Listener(broker) as listener:
        async with uplink(broker.port, home_assistant="homeassistant") as up:
            assert await up.send_readings([sent]) == Receipt.accepted()
        said = by_topic(listener, 3)
    config = said["homeassistant/device/sitewarden_P-1_box-1_mast-1/config"]
    return config["components"]["mast-1_2e_wind"], said["site/readings/mast-1"]


async def test_a_device_appears_with_its_points_also_for_who_comes_later(broker: Mosquitto) -> None:
    async with uplink(broker.port, home_assistant="homeassistant") as up:
        assert await up.send_readings([block()]) == Receipt.accepted()
    with Listener(broker, "homeassistant/#") as later:
        said = by_topic(later, 2)
        assert all(message.retain for message in later.messages)
    config = said["homeassistant/device/sitewarden_P-1_box-1_mast-1/config"]
    assert config["device"]["identifiers"] == ["sitewarden_P-1_box-1_mast-1"]
    assert config["origin"]["name"] == "Sitewarden"
    wind, state = config["components"].values()
    assert (wind["platform"], wind["name"], wind["unit_of_measurement"], wind["expire_after"]) == (
        "sensor",
        "风速",
        "m/s",
        3,
    )
    assert (state["name"], "unit_of_measurement" in state) == ("mast-1.state", False)
    assert wind["unique_id"] != state["unique_id"]


async def test_a_good_value_is_a_number(broker: Mosquitto) -> None:
    wind, message = await heard(broker, block())
    assert rendered(wind["value_template"], message) == "3.25"
    assert json.loads(rendered(wind["json_attributes_template"], message)) == {
        "point": "mast-1.wind",
        "quality": "good",
    }


async def test_a_bad_value_is_unknown(broker: Mosquitto) -> None:
    wind, message = await heard(broker, block(quality=Quality.BAD))
    assert rendered(wind["value_template"], message) == "None"
    assert json.loads(rendered(wind["json_attributes_template"], message))["quality"] == "bad"


async def test_a_suspect_value_says_so(broker: Mosquitto) -> None:
    wind, message = await heard(broker, block(quality=Quality.SUSPECT))
    assert rendered(wind["value_template"], message) == "3.25"
    assert json.loads(rendered(wind["json_attributes_template"], message))["quality"] == "suspect"


async def test_a_late_value_is_never_shown_as_now(broker: Mosquitto) -> None:
    wind, message = await heard(broker, block(age_ns=LATE_NS))
    assert rendered(wind["value_template"], message) == "None"


async def test_an_alert_is_an_event(broker: Mosquitto) -> None:
    with Listener(broker) as listener:
        async with uplink(broker.port, home_assistant="homeassistant", readings=False) as up:
            (receipt,) = await up.send_alerts([alert(1, json.dumps(ALERT).encode())])
        said = by_topic(listener, 2)
    assert receipt.kind is ReceiptKind.ACCEPTED
    event = said["homeassistant/device/sitewarden_P-1_box-1/config"]["components"]["alerts"]
    told = json.loads(rendered(event["value_template"], said["site/alerts/crane-1.moment"]))
    assert told["event_type"] in event["event_types"]
    assert (told["severity"], told["title_zh"]) == ("P1", "力矩超限")
    assert rendered(event["value_template"], {"subject": "something else"}) == ""


async def test_what_is_told_once_is_told_again_when_points_change_or_the_broker_was_away(broker: Mosquitto) -> None:
    first = block()
    fewer = ReadingBlock(2, "mast-1", first.points[:1], first.observed_at_ns, first.value[:, :1], first.quality[:, :1])
    topic = "homeassistant/device/sitewarden_P-1_box-1_mast-1/config"
    with Listener(broker) as listener:
        async with uplink(broker.port, home_assistant="homeassistant") as up:
            for sent in (first, first, fewer):
                assert await up.send_readings([sent]) == Receipt.accepted()
            listener.wait_for(6)
        async with uplink(broker.port, home_assistant="homeassistant") as up:
            assert await up.send_readings([fewer]) == Receipt.accepted()
        listener.wait_for(9)
    configs = [json.loads(m.payload) for m in listener.messages if m.topic == topic]
    assert [len(config["components"]) for config in configs] == [2, 1, 1]


async def test_a_broker_that_forbids_the_discovery_still_gets_the_readings(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    (tmp_path / "password").write_text("box-secret")
    rules = ["user box", "topic write site/#", "user eye", "topic read site/#"]
    with Mosquitto(users={"box": "box-secret", "eye": "eye-secret"}, acl=rules) as broker:
        about = {"username": "box", "password": {"file": tmp_path / "password"}, "home_assistant": "homeassistant"}
        async with uplink(broker.port, **about) as up:
            for _ in range(4):
                assert await up.send_readings([block()]) == Receipt.accepted()
    assert caplog.text.count("discovery refused") == 2


async def test_nothing_is_announced_unless_it_is_asked_for(broker: Mosquitto) -> None:
    with Listener(broker) as listener:
        async with uplink(broker.port) as up:
            assert await up.send_readings([block()]) == Receipt.accepted()
        listener.wait_for(1)
    assert [message.topic for message in listener.messages] == ["site/readings/mast-1"]
