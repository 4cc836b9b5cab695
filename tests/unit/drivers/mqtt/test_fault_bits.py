"""A device that says of its own sensors that they are in fault, over MQTT."""

import json
from typing import Any

import numpy as np
import pytest
import yaml

from drivers.mqtt.decode import Decoded, FieldMessage, MessageDecoder
from drivers.mqtt.settings import MqttDevice, MqttTable
from gateway.model.reading import Quality
from gateway.parts.crane.model.safety_device import MEASURED_BY
from gateway.ports import BoundDevice
from tests.fakes.gateway_process import ROOT

GOOD, SUSPECT, BAD = Quality.GOOD, Quality.SUSPECT, Quality.BAD
ABOUT = {"version": 1, "model": "m", "title_zh": "表", "title_en": "Table", "source": "test", "certainty": "PD"}


def host(fault: Any = "wind_error", **more: Any) -> MqttTable:
    points = [
        {"key": "wind", "path": "$.w", "max": 60, "fault": fault},
        {"key": "load", "path": "$.l"},
        {"key": "wind_error", "path": "$.we", "type": "number_or_text", "min": 0, "max": 1},
        {"key": "range_error", "path": "$.re", "type": "boolean"},
    ]
    titled = [{"title_zh": "值", "title_en": "Value", **point} for point in points]
    return MqttTable.model_validate({**ABOUT, "points": titled, **more})


def read(table: MqttTable, retained: bool = False, **fields: Any) -> tuple[list[float], list[int]]:
    device = MqttDevice(id="mast-1", link="l", asset="mast-1", table="m", topic="site/#")
    decoder = MessageDecoder(BoundDevice(device, table, (), np.arange(4, dtype=np.int32)))
    said = decoder.decode(FieldMessage("site/a", json.dumps(fields).encode(), retained, 1))
    assert isinstance(said, Decoded)
    readings = said.readings
    return readings.value.tolist(), readings.quality.tolist()


@pytest.mark.parametrize("bit", [1, "1"])
def test_a_bit_that_is_set_makes_what_it_names_suspect_and_keeps_the_value(bit: Any) -> None:
    value, quality = read(host(), w=3.5, l=1, we=bit, re=False)
    assert (value, quality) == ([3.5, 1.0, 1.0, 0.0], [SUSPECT, GOOD, GOOD, GOOD])


def test_a_clear_bit_and_another_points_bit_say_nothing() -> None:
    assert read(host(), w=3.5, l=1, we=0, re=True)[1] == [GOOD] * 4


@pytest.mark.parametrize("fields", [{}, {"we": None}, {"we": 2}, {"we": "yes"}])
def test_a_bit_that_is_missing_or_bad_casts_no_doubt(fields: dict[str, Any]) -> None:
    assert read(host(), w=3.5, l=1, re=False, **fields)[1] == [GOOD, GOOD, BAD, GOOD]


def test_what_is_bad_stays_bad() -> None:
    assert read(host(), w=99, l=1, we=1, re=False)[1] == [BAD, GOOD, GOOD, GOOD]


def test_of_a_list_of_bits_one_is_enough() -> None:
    table = host(["wind_error", "range_error"])
    assert read(table, w=3.5, l=1, we=0, re=False)[1][0] == GOOD
    assert read(table, w=3.5, l=1, we=0, re=True)[1][0] == SUSPECT
    assert read(table, w=3.5, l=1, re=True)[1][0] == SUSPECT


def test_a_message_of_unknown_age_is_suspect_as_before() -> None:
    assert read(host(), retained=True, w=3.5, l=1, we=1, re=False)[1] == [SUSPECT] * 4


@pytest.mark.parametrize("fault", ["nobody", "wind", ["wind_error", "nobody"]])
def test_a_fault_that_leads_nowhere_is_refused(fault: Any) -> None:
    with pytest.raises(ValueError, match="no other point of this table"):
        host(fault)


def test_a_plain_message_has_no_room_for_a_fault_bit() -> None:
    points = [
        {"key": key, "topic_suffix": key, "title_zh": "值", "title_en": "Value"} | more
        for key, more in (("wind", {"fault": "wind_error"}), ("wind_error", {}))
    ]
    with pytest.raises(ValueError, match="a plain message carries one point"):
        MqttTable.model_validate({**ABOUT, "payload": "plain", "points": points})


def test_the_crane_host_names_what_the_crane_model_doubts() -> None:
    text = (ROOT / "config" / "devices" / "crane-host-mqtt.yaml").read_text(encoding="utf-8")
    points = {each.key: each for each in MqttTable.model_validate(yaml.safe_load(text)).points}
    expected = {(key, bit) for bit, measured in MEASURED_BY.items() for key in measured if key in points}
    assert {(key, bit) for key, each in points.items() for bit in each.fault} == expected
