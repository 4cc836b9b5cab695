"""Which messages a table reads, which are the same, and what is told of a value that could not be read."""

import json
from typing import Any

import numpy as np
import pytest

from drivers.mqtt.decode import Decoded, FieldMessage, MessageDecoder, PassedOver
from drivers.mqtt.settings import MqttDevice, MqttTable
from gateway.model.errors import DecodeError
from gateway.model.reading import Quality
from gateway.ports import BoundDevice

GOOD, BAD = Quality.GOOD, Quality.BAD
ABOUT = {"version": 1, "model": "m", "title_zh": "表", "title_en": "Table", "source": "test", "certainty": "PD"}
WIND = {"key": "wind", "path": "$.w"}
BY_ID = {"key": "wind", "path": '$.sensors[id="wind"].value', "max": 60}


def say(document: Any, points: list[dict[str, Any]] | None = None, **more: Any) -> Decoded | PassedOver:
    titled = [{"title_zh": "值", "title_en": "Value", **point} for point in points or [WIND]]
    table = MqttTable.model_validate({**ABOUT, "points": titled, **more})
    device = MqttDevice(id="node-1", link="l", asset="mast-1", table="m", topic="up")
    reader = MessageDecoder(BoundDevice(device, table, (), np.arange(len(titled), dtype=np.int32)))
    payload = document if isinstance(document, bytes) else json.dumps(document).encode()
    return reader.decode(FieldMessage("up", payload, False, 1_700_000_000_000_000_000))


def decoded(document: Any, points: list[dict[str, Any]] | None = None, **more: Any) -> Decoded:
    said = say(document, points, **more)
    assert isinstance(said, Decoded)
    return said


def passed_over(document: Any, **more: Any) -> str:
    said = say(document, **more)
    assert isinstance(said, PassedOver)
    return said.reason


def test_a_sensor_is_read_by_its_id_wherever_it_stands() -> None:
    temp = {"key": "temp", "path": "$.sensors[id='temp'].value"}
    entries = [{"id": "temp", "value": 21}, {"id": "wind", "value": 3.5}]
    for sensors in (entries, entries[::-1]):
        said = decoded({"sensors": sensors}, [BY_ID, temp])
        assert (said.readings.value.tolist(), said.doubts) == ([3.5, 21], ())


@pytest.mark.parametrize(
    ("sensors", "found"),
    [
        ([{"id": "temp", "value": 3}], "nothing"),
        ([{"id": "wind", "value": 3}, {"id": "wind", "value": 3}], "2 entries with id 'wind'"),
        ([{"id": "wind"}], "nothing"),
        ([{"id": "wind", "value": "3"}], "a text"),
        ([{"id": "wind", "value": None}], "null"),
        ([{"id": "wind", "value": True}], "true"),
        ([{"id": "wind", "value": {"v": 3}}], "an object"),
        ([{"id": "wind", "value": [3]}], "a list"),
        ([{"id": "wind", "value": 10**400}], "a number too large"),
    ],
)
def test_what_is_not_one_number_is_bad_and_says_what_where_and_what_was_expected(sensors: Any, found: str) -> None:
    said = decoded({"sensors": sensors, "w": 4}, [BY_ID, {**WIND, "key": "other"}])
    assert said.readings.quality.tolist() == [BAD, GOOD]
    assert said.doubts == (f"point wind: found {found} at {BY_ID['path']}, expected a number",)


def test_a_value_out_of_range_is_no_doubt_about_the_message() -> None:
    said = decoded({"w": 99}, [{**WIND, "max": 60}])
    assert (said.readings.quality.tolist(), said.doubts) == ([BAD], ())


def test_an_entry_with_two_ids_is_refused_because_readers_differ_in_which_they_believe() -> None:
    with pytest.raises(DecodeError, match="'id' stands twice"):
        decoded(b'{"sensors": [{"id": "wind", "id": "temp", "value": 3}]}', [BY_ID])


def test_under_a_star_every_key_that_stands_twice_is_seen() -> None:
    with pytest.raises(DecodeError, match="'n1' stands twice"):
        decoded(b'{"n1": {"w": 1}, "n1": {"w": 2}}', [{**WIND, "path": "$.*.w"}])


@pytest.mark.parametrize("document", [{"w": 1, "port": 2}, {"w": 1, "port": 2.0}, {"w": 1, "port": "data"}])
def test_a_message_of_the_right_port_is_read(document: Any) -> None:
    decoded(document, only={"path": "$.port", "equals": [2, "data"]})


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ({"w": 1, "port": 3}, '3 at $.port, expected 2 or "data"'),
        ({"w": 1, "port": "2"}, 'a text at $.port, expected 2 or "data"'),
        ({"w": 1, "port": True}, 'true at $.port, expected 2 or "data"'),
        ({"w": 1}, 'nothing at $.port, expected 2 or "data"'),
        ({"w": 1, "port": None}, 'null at $.port, expected 2 or "data"'),
        ([1], 'nothing at $.port, expected 2 or "data"'),
    ],
)
def test_every_other_message_is_passed_over_with_the_reason(document: Any, reason: str) -> None:
    assert passed_over(document, only={"path": "$.port", "equals": [2, "data"]}) == reason


def test_all_conditions_must_hold_and_none_of_the_exceptions() -> None:
    conditions = [{"path": "$.port", "equals": 2}, {"path": "$.kind", "equals": "up"}]
    rules = {"only": conditions, "unless": [{"path": "$.simulated", "equals": True}]}
    decoded({"w": 1, "port": 2, "kind": "up"}, **rules)
    decoded({"w": 1, "port": 2, "kind": "up", "simulated": False}, **rules)
    decoded({"w": 1, "port": 2, "kind": "up", "simulated": 1}, **rules)
    assert passed_over({"w": 1, "port": 2, "kind": "join"}, **rules) == 'a text at $.kind, expected "up"'
    assert passed_over({"w": 1, "port": 2, "kind": "up", "simulated": True}, **rules) == "true at $.simulated"


def test_a_message_that_is_passed_over_needs_no_time() -> None:
    time = {"path": "$.t", "format": "ms"}
    passed_over({"port": 5}, time=time, only={"path": "$.port", "equals": 2})
    with pytest.raises(DecodeError, match=r"no time at \$.t: found nothing"):
        decoded({"port": 2, "w": 1}, time=time, only={"path": "$.port", "equals": 2})


def sameness(document: Any, paths: tuple[str, ...] = ("$.session", "$.counter", "$.data")) -> bytes:
    return decoded(document, repeats={"paths": paths}).sameness


def test_messages_are_the_same_when_all_that_is_compared_is() -> None:
    first = {"w": 1, "session": "a", "counter": 7, "data": "qg=="}
    assert sameness(first) == sameness({**first, "w": 2, "rssi": -90})
    others = [{**first, "session": "b"}, {**first, "counter": 8}, {**first, "counter": "7"}, {**first, "data": "qq=="}]
    assert len({sameness(each) for each in [first, *others]}) == 5


def test_what_is_left_out_is_compared_as_left_out() -> None:
    assert sameness({"session": "a"}) == sameness({"session": "a"}) != sameness({"session": "a", "counter": 0})


@pytest.mark.parametrize("document", [{"w": 1}, {"counter": None}, {"counter": [1], "data": {}}])
def test_a_message_that_holds_nothing_of_it_is_never_the_same(document: Any) -> None:
    assert sameness(document) == b""


def test_a_table_that_compares_nothing_knows_no_repeats() -> None:
    assert decoded({"w": 1}).sameness == b""
