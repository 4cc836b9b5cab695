import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.mqtt.decode import Decoded, FieldMessage, MessageDecoder
from drivers.mqtt.settings import MqttDevice, MqttTable
from gateway.model.errors import DecodeError
from gateway.model.reading import Quality, Readings
from gateway.ports import BoundDevice

GOOD, SUSPECT, BAD = Quality.GOOD, Quality.SUSPECT, Quality.BAD
NOW_NS = 1_700_000_000_000_000_000
NOW_MS = NOW_NS // 1_000_000
TIME = {"path": "$.t", "format": "ms"}
WIND = {"key": "wind", "path": "$.w", "min": 0, "max": 60}
TEMP = {"key": "temp", "path": "$.env.temp[1]", "min": -60, "max": 80, "sentinels": [-999], "scale": 0.1, "offset": 1}


def decoder(
    points: list[dict[str, Any]], time: dict[str, Any] | None = None, payload: str = "json", max_bytes: int = 10_000
) -> MessageDecoder:
    titled = [{"title_zh": "值", "title_en": "Value", **point} for point in points]
    about = {"version": 1, "model": "m", "title_zh": "表", "title_en": "Table", "source": "test", "certainty": "PD"}
    table = MqttTable.model_validate({**about, "payload": payload, "time": time, "points": titled})
    device = MqttDevice(id="mast-1", link="l", asset="mast-1", table="m", topic="site/#")
    index = np.arange(7, 7 + len(points), dtype=np.int32)
    return MessageDecoder(BoundDevice(device, table, (), index), max_bytes)


def read(
    reader: MessageDecoder, payload: bytes | dict[str, Any], topic: str = "site/mast", retained: bool = False
) -> Readings:
    raw = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    said = reader.decode(FieldMessage(topic, raw, retained, NOW_NS))
    assert isinstance(said, Decoded)
    return said.readings


def one(payload: bytes | dict[str, Any], **point: Any) -> tuple[float, int]:
    readings = read(decoder([{**WIND, **point}]), payload)
    return float(readings.value[0]), int(readings.quality[0])


def test_a_message_becomes_readings_in_table_order_with_the_devices_time() -> None:
    readings = read(decoder([WIND, TEMP], TIME), {"t": NOW_MS - 1500, "w": 3.5, "env": {"temp": [0, 205]}})
    assert readings.device == "mast-1"
    assert readings.point_index.tolist() == [7, 8]
    assert readings.value.tolist() == [3.5, 21.5]
    assert readings.quality.tolist() == [GOOD, GOOD]
    assert (readings.observed_at_ns, readings.received_at_ns) == (NOW_NS - 1_500_000_000, NOW_NS)
    assert json.loads(readings.raw.payload)["w"] == 3.5


def test_every_message_carries_the_same_index_object() -> None:
    reader = decoder([WIND])
    assert read(reader, {"w": 1}).point_index is read(reader, {"w": 2}).point_index


@pytest.mark.parametrize("value", ["3.5", True, None, [1], {"a": 1}, -0.1, 60.1, 1e308])
def test_a_field_of_the_wrong_type_or_range_is_bad_alone(value: Any) -> None:
    readings = read(decoder([WIND, {**WIND, "key": "other", "path": "$.o"}]), {"w": value, "o": 4})
    assert np.isnan(readings.value[0])
    assert readings.quality.tolist() == [BAD, GOOD]
    assert readings.value[1] == 4


def test_a_missing_field_is_bad_alone() -> None:
    readings = read(decoder([WIND, TEMP]), {"w": 4})
    assert readings.quality.tolist() == [GOOD, BAD]


def test_a_sentinel_is_compared_before_scaling() -> None:
    readings = read(decoder([TEMP]), {"env": {"temp": [0, -999]}})
    assert readings.quality.tolist() == [BAD]


@pytest.mark.parametrize("token", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"9" * 400])
def test_a_number_that_is_none_is_bad_and_the_rest_is_read(token: bytes) -> None:
    readings = read(decoder([WIND, {**WIND, "key": "other", "path": "$.o"}]), b'{"w": ' + token + b', "o": 4}')
    assert readings.quality.tolist() == [BAD, GOOD]


def test_booleans_and_quoted_numbers_are_read_where_the_table_says_so() -> None:
    assert one({"w": True}, type="boolean") == (1.0, GOOD)
    assert one({"w": " 12.5 "}, type="number_text") == (12.5, GOOD)
    assert one({"w": 1}, type="boolean")[1] == BAD
    assert one({"w": "12,5"}, type="number_text")[1] == BAD
    assert one({"w": "1_0"}, type="number_text")[1] == BAD


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"\xff\xfe\x00", "not JSON"),
        (b'{"t": 1, "w": \xff}', "not JSON"),
        (b'{"w": 1', "not JSON"),
        (b'{"w": NaN', "not JSON"),
        (b"[" * 5000 + b"]" * 5000, "too deep"),
        (b'{"w": NaN, "x": ' + b"[" * 4900 + b"]" * 4900 + b"}", "too deep"),
        (b'{"w": "' + b"x" * 10_000 + b'"}', "at most 10000"),
        (b'{"w": 1}', "no time at \\$.t"),
        (b'{"w": 1, "t": null}', "no time at \\$.t"),
        (b'{"w": 1, "t": "yesterday"}', "expected a number of ms"),
        (b'{"w": 1, "t": true}', "expected a number of ms"),
    ],
)
def test_a_message_that_means_nothing_is_refused_with_a_reason(payload: bytes, words: str) -> None:
    with pytest.raises(DecodeError, match=words):
        read(decoder([WIND], TIME), payload)


@pytest.mark.parametrize(
    "payload", [b'{"w": 1, "w": 30}', b'{"\\u0077": 1, "w": 30}', b'{"x": {"w": 1, "w": 2}, "w": 3}']
)
def test_a_key_that_stands_twice_is_refused_because_readers_differ_in_which_they_believe(payload: bytes) -> None:
    with pytest.raises(DecodeError, match="'w' stands twice"):
        read(decoder([WIND]), payload)


def test_a_key_that_stands_once_in_two_objects_is_no_repetition() -> None:
    assert one(b'{"x": {"w": 1}, "w": 3}') == (3.0, GOOD)


@pytest.mark.parametrize(
    ("value", "form", "expected_ns"),
    [
        (1_699_999_999, "s", 1_699_999_999_000_000_000),
        (1_699_999_999.25, "s", 1_699_999_999_250_000_000),
        (1_699_999_999_123, "ms", 1_699_999_999_123_000_000),
        (1_699_999_999_123_456_789, "ns", 1_699_999_999_123_456_789),
        ("2023-11-14T22:13:19Z", "iso8601", 1_699_999_999_000_000_000),
        ("2023-11-15T06:13:19.000001+08:00", "iso8601", 1_699_999_999_000_001_000),
        ("2023-11-15 06:13:19", "iso8601", 1_699_999_999_000_000_000),
    ],
)
def test_the_devices_time_is_exact_to_the_nanosecond(value: Any, form: str, expected_ns: int) -> None:
    reader = decoder([WIND], {"path": "$.t", "format": form, "utc_offset_minutes": 480})
    readings = read(reader, {"t": value, "w": 1})
    assert readings.observed_at_ns == expected_ns
    assert readings.quality.tolist() == [GOOD]


def test_local_time_without_an_offset_is_refused_unless_the_table_tells_it() -> None:
    with pytest.raises(DecodeError, match="utc_offset_minutes"):
        read(decoder([WIND], {"path": "$.t", "format": "iso8601"}), {"t": "2023-11-15 06:13:19", "w": 1})


@pytest.mark.parametrize("value", ["yesterday", 1_699_999_999, None])
def test_what_is_no_iso_time_is_refused(value: Any) -> None:
    with pytest.raises(DecodeError, match="time"):
        read(decoder([WIND], {"path": "$.t", "format": "iso8601"}), {"t": value, "w": 1})


@pytest.mark.parametrize("ahead_ms", [5_001, 299_000, 10**12, 10**400])
def test_a_clock_far_ahead_is_not_believed(ahead_ms: int) -> None:
    readings = read(decoder([WIND], TIME), b'{"t": %d, "w": 1}' % (NOW_MS + ahead_ms))
    assert (readings.observed_at_ns, readings.quality.tolist()) == (NOW_NS, [SUSPECT])


def test_a_clock_a_little_ahead_is_believed() -> None:
    readings = read(decoder([WIND], TIME), {"t": NOW_MS + 5_000, "w": 1})
    assert (readings.observed_at_ns, readings.quality.tolist()) == (NOW_NS + 5_000_000_000, [GOOD])


def test_a_table_may_allow_its_clock_to_be_further_ahead() -> None:
    readings = read(decoder([WIND], {**TIME, "future_tolerance_s": 60}), {"t": NOW_MS + 60_000, "w": 1})
    assert (readings.observed_at_ns, readings.quality.tolist()) == (NOW_NS + 60_000_000_000, [GOOD])


def test_a_second_value_for_one_device_time_is_suspect() -> None:
    reader = decoder([WIND], TIME)
    first, second, again = (read(reader, {"t": NOW_MS, "w": w}) for w in (3, 4, 3))
    assert [r.quality.tolist() for r in (first, second, again)] == [[GOOD], [SUSPECT], [GOOD]]
    assert second.value.tolist() == [4]


def test_without_a_device_time_values_may_differ_within_one_time_of_receipt() -> None:
    reader = decoder([WIND])
    assert [read(reader, {"w": w}).quality.tolist() for w in (3, 4)] == [[GOOD], [GOOD]]


@pytest.mark.parametrize("t", [0, -5, 1_699_999_999])
def test_a_clock_that_was_never_set_or_counts_in_another_unit_is_not_believed(t: int) -> None:
    readings = read(decoder([WIND], TIME), {"t": t, "w": 1})
    assert (readings.observed_at_ns, readings.quality.tolist()) == (NOW_NS, [SUSPECT])


def test_an_optional_time_may_be_missing() -> None:
    readings = read(decoder([WIND], {**TIME, "required": False}), {"w": 1})
    assert (readings.observed_at_ns, readings.quality.tolist()) == (NOW_NS, [GOOD])


def test_a_retained_message_is_suspect_unless_it_tells_its_time() -> None:
    assert read(decoder([WIND]), {"w": 1}, retained=True).quality.tolist() == [SUSPECT]
    assert read(decoder([WIND], TIME), {"w": 1, "t": NOW_MS}, retained=True).quality.tolist() == [GOOD]
    assert read(decoder([WIND]), {"w": 99}, retained=True).quality.tolist() == [BAD]


def test_a_plain_number_goes_to_the_point_that_its_topic_names() -> None:
    points: list[dict[str, Any]] = [
        {"key": "wind", "topic_suffix": "wind/speed"},
        {"key": "temp", "topic_suffix": "temp", "scale": 0.1},
    ]
    reader = decoder(points, payload="plain")
    wind, temp = read(reader, b" 3.5\n", "site/m/wind/speed"), read(reader, b"-205", "temp")
    assert (wind.point_index.tolist(), wind.value.tolist()) == ([7], [3.5])
    assert (temp.point_index.tolist(), temp.value.tolist()) == ([8], [-20.5])
    with pytest.raises(DecodeError, match="topic_suffix"):
        read(reader, b"1", "site/m/unwind/speed")


@pytest.mark.parametrize("payload", [b"nan", b"inf", b"ERR", b"1_0", b"0x10", b"3,5", "٣".encode()])
def test_a_plain_payload_that_is_no_number_is_bad(payload: bytes) -> None:
    readings = read(decoder([{"key": "wind"}], payload="plain"), payload)
    assert np.isnan(readings.value[0])
    assert readings.quality.tolist() == [BAD]


def test_plain_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(DecodeError, match="not UTF-8"):
        read(decoder([{"key": "wind"}], payload="plain"), b"\xff\x00")


@given(st.floats(0, 60))
def test_any_believable_number_comes_through_unchanged(value: float) -> None:
    assert one({"w": value}) == (value, GOOD)


@given(st.binary(max_size=200))
def test_any_bytes_either_read_or_are_refused_and_a_bad_value_is_never_a_number(payload: bytes) -> None:
    try:
        readings = read(decoder([WIND]), payload)
    except DecodeError:
        return
    assert np.isnan(readings.value[readings.quality == BAD]).all()
    assert np.isfinite(readings.value[readings.quality != BAD]).all()
