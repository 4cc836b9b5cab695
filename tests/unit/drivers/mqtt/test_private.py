"""What a message says of a person is blotted out before any of it is kept."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from drivers.mqtt.decode import Decoded, FieldMessage, MessageDecoder
from drivers.mqtt.private import Blotter
from drivers.mqtt.settings import MqttDevice, MqttTable
from gateway.model.errors import DecodeError
from gateway.model.reading import Quality, Readings
from gateway.ports import BoundDevice

SECRET = "Q7Z-SECRET"
BLOT = Blotter(["IdNo", "Name"]).blot
ABOUT = {"version": 1, "model": "m", "title_zh": "表", "title_en": "Table", "source": "test", "certainty": "PD"}
LOAD = {"key": "load_t", "path": "$.Weight", "title_zh": "重量", "title_en": "Load", "type": "number_or_text"}


def decoder() -> MessageDecoder:
    table = MqttTable.model_validate({**ABOUT, "private": ["IdNo", "Name"], "points": [LOAD]})
    device = MqttDevice(id="crane-1-host", link="l", asset="crane-1", table="m", topic="t")
    return MessageDecoder(BoundDevice(device, table, (), np.arange(1, dtype=np.int32)))


def read(message: bytes) -> Readings:
    said = decoder().decode(FieldMessage("t", message, False, 1))
    assert isinstance(said, Decoded)
    return said.readings


@pytest.mark.parametrize(
    ("payload", "kept"),
    [
        (b'{"IdNo": "Q7Z-SECRET", "Weight": 2.5}', b'{"IdNo": null, "Weight": 2.5}'),
        (b'{"Weight":2.5,"Name" :"a\\"Q7Z-SECRET"}', b'{"Weight":2.5,"Name" :null}'),
        (b'{"driver": {"Name": "Q7Z-SECRET"}, "Weight": 1}', b'{"driver": {"Name": null}, "Weight": 1}'),
        (b'{"IdNo": 110101199001010011, "Weight": 1}', b'{"IdNo": null, "Weight": 1}'),
        (b'{"Weight": 1, "Name": "Q7Z-SEC', b'{"Weight": 1, "Name": null'),
        (b'{"Weight": 1, "Name": {"zh": "Q7Z-SECRET"}}', b'{"Weight": 1, "Name": null'),
        (b'{"I\\u0064No": "Q7Z-SECRET"}', b'{"I\\u0064No": null}'),
        (b'{"DriverName": "x", "Weight": 1}', b'{"DriverName": "x", "Weight": 1}'),
        (b"", b""),
    ],
)
def test_only_the_private_values_go(payload: bytes, kept: bytes) -> None:
    assert BLOT(payload) == kept


@given(st.text(max_size=30), st.booleans(), st.integers(0, 200))
def test_no_text_survives_whole_or_cut(text: str, ascii_only: bool, cut: int) -> None:
    payload = json.dumps({"Weight": 1, "Name": SECRET + text, "x": 2}, ensure_ascii=ascii_only)
    whole = payload.encode("utf-8", "surrogatepass")
    assert SECRET.encode() not in BLOT(whole)
    assert json.loads(BLOT(whole)) == {"Weight": 1, "Name": None, "x": 2}
    assert SECRET.encode() not in BLOT(whole[:cut])


def test_readings_come_from_the_whole_message_and_keep_the_blotted_one() -> None:
    message = json.dumps({"Name": SECRET, "Weight": "2.5", "IdNo": SECRET}).encode()
    readings = read(message)
    assert readings.value.tolist() == [2.5]
    assert json.loads(readings.raw.payload) == {"Name": None, "Weight": "2.5", "IdNo": None}


def test_what_is_no_json_can_be_kept_without_the_person() -> None:
    reader, message = decoder(), b'{"Weight": 2.5, "IdNo": "' + SECRET.encode()
    with pytest.raises(DecodeError):
        reader.decode(FieldMessage("t", message, False, 1))
    assert SECRET.encode() not in reader.keepable(message)


@pytest.mark.parametrize(("field", "value"), [(2.5, 2.5), ("2.5", 2.5), (" 1 ", 1.0)])
def test_a_number_with_or_without_quotes(field: object, value: float) -> None:
    readings = read(json.dumps({"Weight": field}).encode())
    assert readings.value.tolist() == [value]


@pytest.mark.parametrize("field", [True, None, "", "2,5", "heavy", [1]])
def test_what_is_no_number_either_way_is_bad(field: object) -> None:
    readings = read(json.dumps({"Weight": field}).encode())
    assert math.isnan(readings.value[0])
    assert readings.quality.tolist() == [Quality.BAD]


def test_a_point_cannot_read_what_is_private() -> None:
    point = {**LOAD, "path": "$.driver.IdNo"}
    with pytest.raises(ValidationError, match="IdNo is private"):
        MqttTable.model_validate({**ABOUT, "private": ["IdNo"], "points": [point]})
    plain = {"key": "load_t", "title_zh": "重量", "title_en": "Load"}
    with pytest.raises(ValidationError, match="nothing private"):
        MqttTable.model_validate({**ABOUT, "payload": "plain", "private": ["IdNo"], "points": [plain]})
