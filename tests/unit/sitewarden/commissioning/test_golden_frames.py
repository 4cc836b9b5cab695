"""Every golden frame of `tests/cases/devices`: what a device sent decodes to what its display showed.

A case holds `words` (function, first address, registers), a `payload` (one MQTT message) or a `frame` (pushed over TCP,
with the reply that goes back). Words are also made again from the values, unless the case says `one_way`: what a reader
refuses, and what nobody reads, is not made again.
`suspect` names the points whose sensors the device itself calls in fault.
"""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from drivers.frames.answers import Answerer
from drivers.frames.cutter import Cutter, Frame
from drivers.frames.decode import FrameDecoder
from drivers.frames.grammar import mark_bytes
from drivers.frames.message import MessageReader
from drivers.frames.settings import FramesDevice, FramesTable
from drivers.modbus.decode import compile_table
from drivers.modbus.encode import encode_table
from drivers.modbus.settings import ModbusTable
from drivers.mqtt.decode import Decoded, FieldMessage, MessageDecoder
from drivers.mqtt.settings import MqttDevice, MqttTable
from gateway.model.reading import Quality, Readings
from gateway.ports import BoundDevice
from tests.fakes.gateway_process import ROOT

CASES = ROOT / "tests" / "cases" / "devices"
SHIPPED = ROOT / "config" / "devices"
NOW_NS = 1_700_000_001_000_000_000


def golden_frames(key: str) -> list[Path]:
    found = sorted(CASES.glob("*.golden.yaml"))
    return [path for path in found if key in yaml.safe_load(path.read_text(encoding="utf-8"))]


def raw_table(golden: dict[str, Any]) -> Any:
    own = CASES / f"{golden['table']}.yaml"
    path = own if own.is_file() else SHIPPED / own.name
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def check_values(found: list[float], quality: list[int], golden: dict[str, Any], keys: list[str]) -> None:
    shown: list[float | None] = [golden["values"][key] for key in keys]
    suspect = golden.get("suspect", [])
    believed = [Quality.SUSPECT if key in suspect else Quality.GOOD for key in keys]
    assert quality == [Quality.BAD if one is None else q for one, q in zip(shown, believed, strict=True)]
    for value, wanted in zip(found, shown, strict=True):
        assert math.isnan(value) if wanted is None else value == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("path", golden_frames("words"), ids=lambda path: path.name)
def test_words_decode_to_what_the_display_showed(path: Path) -> None:
    golden = yaml.safe_load(path.read_text(encoding="utf-8"))
    table = ModbusTable.model_validate(raw_table(golden))
    decoder = compile_table(table)
    image = {
        (function, first + i): word
        for function, runs in golden["words"].items()
        for first, words in runs.items()
        for i, word in enumerate(words)
    }
    blocks = [np.array([image[r.function, a] for a in range(r.address, r.end)], np.uint16) for r in decoder.requests]
    value, quality = decoder.decode(blocks)
    check_values(value.tolist(), quality.tolist(), golden, [point.key for point in table.points])
    if not golden.get("one_way"):
        known = {key: math.nan if one is None else one for key, one in golden["values"].items()}
        encoded = {(f, a): word for f, words in encode_table(table, known).items() for a, word in words.items()}
        assert encoded == {place: word for place, word in image.items() if place in encoded}
        assert not any(word for place, word in image.items() if place not in encoded)


def read(path: Path) -> tuple[dict[str, Any], MqttTable, Readings]:
    golden = yaml.safe_load(path.read_text(encoding="utf-8"))
    table = MqttTable.model_validate(raw_table(golden))
    device = MqttDevice(id="d", link="l", asset="a", table=table.model, topic="t")
    bound = BoundDevice(device, table, (), np.arange(len(table.points), dtype=np.int32))
    said = MessageDecoder(bound).decode(FieldMessage("t", golden["payload"].encode(), False, NOW_NS))
    assert isinstance(said, Decoded)
    return golden, table, said.readings


@pytest.mark.parametrize("path", golden_frames("payload"), ids=lambda path: path.name)
def test_a_message_decodes_to_what_the_display_showed(path: Path) -> None:
    golden, table, readings = read(path)
    keys = [point.key for point in table.points]
    check_values(readings.value.tolist(), readings.quality.tolist(), golden, keys)
    assert readings.observed_at_ns == golden["observed_at_ns"]


@pytest.mark.parametrize("path", golden_frames("frame"), ids=lambda path: path.name)
def test_a_frame_decodes_to_what_the_display_showed_and_is_acknowledged(path: Path) -> None:
    golden = yaml.safe_load(path.read_text(encoding="utf-8"))
    table = FramesTable.model_validate(raw_table(golden))
    device = FramesDevice(id="d", link="l", asset="a", table=table.model, identity=golden["identity"])
    bound = BoundDevice(device, table, (), np.arange(len(table.points), dtype=np.int32))
    wire = frame_bytes(golden["frame"])
    (frame,) = Cutter(table.grammar.frame).feed(wire)
    assert isinstance(frame, Frame)
    assert frame.wire == wire
    reader = MessageReader(table.grammar)
    message = reader.read(frame)
    assert message.identity == golden["identity"]
    assert Answerer(table.grammar, reader).answer(message) == frame_bytes(golden["reply"])
    readings = FrameDecoder(bound, reader).decode(message, NOW_NS)
    assert readings is not None
    check_values(
        readings.value.tolist(), readings.quality.tolist(), golden, [table.points[i].key for i in readings.point_index]
    )
    assert readings.observed_at_ns == golden["observed_at_ns"]
    for secret in golden.get("never_kept", []):
        assert secret.encode() in wire
        assert secret.encode() not in readings.raw.payload


def frame_bytes(text: str) -> bytes:
    return mark_bytes(text) if text.startswith("0x") else text.encode()


def test_what_is_kept_of_a_cranes_message_names_nobody() -> None:
    golden, _, readings = read(CASES / "crane-host-mqtt.golden.yaml")
    kept = readings.raw.payload.decode()
    assert [secret for secret in golden["never_kept"] if secret in kept] == []
    assert [secret for secret in golden["never_kept"] if secret not in golden["payload"]] == []
    without = {key: value for key, value in json.loads(golden["payload"]).items() if key not in ("Name", "IdNo")}
    assert json.loads(kept) == without | {"Name": None, "IdNo": None}


def test_every_shipped_table_has_a_golden_frame_a_source_and_a_certainty() -> None:
    framed = {yaml.safe_load(path.read_text(encoding="utf-8"))["table"] for path in CASES.glob("*.golden.yaml")}
    shipped = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in SHIPPED.glob("*.yaml")}
    assert sorted(set(shipped) - framed) == []
    assert all(table["source"] and table["certainty"] and table["model"] == name for name, table in shipped.items())
