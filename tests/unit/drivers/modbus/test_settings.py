"""Every mistake in a register table or a link is refused in words that name it."""

from typing import Any

import pytest
from pydantic import ValidationError

from drivers.modbus.settings import ModbusDevice, ModbusRtuLink, ModbusRtuTcpLink, ModbusTable, ModbusTcpLink, RtuDevice
from drivers.numbers.types import ByteOrder
from tests.fakes.modbus_binding import HEADER, point, shipped_table, table

LINK = {"id": "l", "driver": "modbus-tcp", "host": "10.0.0.7"}
DEVICE = {"id": "d", "link": "l", "asset": "a", "table": "t"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"function": 6}, "Input should be 1, 2, 3 or 4"),
        ({"function": 16}, "Input should be 1, 2, 3 or 4"),
        ({"address": -1}, "greater than or equal to 0"),
        ({"address": 65536}, "less than 65536"),
        ({"address": 65535, "type": "float32"}, "ends at address 65535 or before, not float32 at 65535"),
        ({"address": 65533, "type": "int64"}, "not int64 at 65533"),
        ({"type": "string"}, "Input should be 'uint16'"),
        ({"order": "ACBD"}, "Input should be 'ABCD'"),
        ({"function": 1, "type": "uint16"}, "type bit, not uint16: function 1 reads single bits"),
        ({"function": 2, "type": "bits", "bit": 0, "bit_count": 2}, "type bit, not bits: function 2"),
        ({"function": 2, "type": "bit", "bit": 3}, "neither bit nor order: function 2 addresses"),
        ({"function": 1, "type": "bit", "order": "BADC"}, "neither bit nor order: function 1 addresses"),
        ({"type": "bit"}, "bit: 0..15 with type bit and function 3"),
        ({"type": "bit", "bit": 16}, "less than or equal to 15"),
        ({"type": "uint16", "bit": 3}, "no bit, which belongs to type bit or bits, with type uint16"),
        ({"type": "bits", "bit": 3}, "bit_count with type bits, and with no other"),
        ({"type": "bit", "bit": 3, "bit_count": 2}, "bit_count with type bits, and with no other"),
        ({"type": "bits", "bit": 12, "bit_count": 5}, "bits within 0 and 15 of a register, not 12 to 16"),
        ({"min": 5, "max": 4}, "max is below min"),
        ({"scale": 0}, "a scale other than 0"),
        ({"scale": float("nan")}, "finite number"),
        ({"type": "uint16", "sentinels": [-1]}, r"sentinels that occur in uint16 .* not -1"),
        ({"type": "int16", "sentinels": [70000]}, r"sentinels that occur in int16 .* not 70000"),
        ({"type": "bit", "bit": 0, "sentinels": [2]}, r"sentinels that occur in bit .* not 2"),
        ({"adress": 4}, "Extra inputs are not permitted"),
        ({"key": "Wind Speed"}, "String should match pattern"),
    ],
)
def test_a_wrong_point_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        table([point("p", 0, "uint16") | change])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"max_registers": 126}, "less than or equal to 125"),
        ({"max_registers": 1}, r"max_registers of 2 or more for point p \(float32\), not 1"),
        ({"max_gap": -1}, "greater than or equal to 0"),
        ({"points": []}, "at least 1 item"),
        ({"version": 2}, "Input should be 1"),
        ({"certainty": "sure"}, "Input should be 'V1'"),
    ],
)
def test_a_wrong_table_is_refused(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ModbusTable.model_validate(HEADER | {"points": [point("p", 0)]} | more)


def test_two_points_with_one_key_are_refused() -> None:
    with pytest.raises(ValidationError, match="each key once, not twice p"):
        table([point("p", 0), point("q", 2), point("p", 4)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"port": 0}, "greater than or equal to 1"),
        ({"port": 65536}, "less than or equal to 65535"),
        ({"host": ""}, "at least 1 character"),
        ({"timeout_ms": 0}, "greater than or equal to 10"),
        (
            {"backoff_min_ms": 5000, "backoff_max_ms": 1000},
            r"backoff_max_ms \(1000\) at or above backoff_min_ms \(5000\)",
        ),
        ({"password": "x"}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_link_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ModbusTcpLink.model_validate(LINK | change)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"serial_port": "ttyS0"}, "String should match pattern"),
        ({"serial_port": "/dev/tty S0"}, "String should match pattern"),
        ({"standby_serial_port": "/dev/ttyS0"}, r"another standby_serial_port than serial_port \(/dev/ttyS0\)"),
        ({"baud": 9601}, "Input should be 1200"),
        ({"parity": "mark"}, "Input should be 'none'"),
        ({"stop_bits": 3}, "Input should be 1 or 2"),
        ({"quiet_ms": -1}, "greater than or equal to 0"),
        ({"extra_silence_ms": -1}, "greater than or equal to 0"),
        ({"timeout_ms": 5000, "forget_s": 5}, r"forget_s \(5\) longer than timeout_ms \(5000\)"),
        (
            {"backoff_min_ms": 5000, "backoff_max_ms": 1000},
            r"backoff_max_ms \(1000\) at or above backoff_min_ms \(5000\)",
        ),
        ({"switch_after": 0}, "greater than or equal to 1"),
        ({"host": "10.0.0.7"}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_serial_link_is_refused(change: dict[str, Any], message: str) -> None:
    link = {"id": "l", "driver": "modbus-rtu", "serial_port": "/dev/ttyS0"}
    assert ModbusRtuLink.model_validate(link).parity == "none"
    with pytest.raises(ValidationError, match=message):
        ModbusRtuLink.model_validate(link | change)


def test_a_serial_server_has_no_usual_port() -> None:
    with pytest.raises(ValidationError, match="port"):
        ModbusRtuTcpLink.model_validate({"id": "l", "driver": "modbus-rtu-tcp", "host": "10.0.0.7"})


@pytest.mark.parametrize("unit_id", [0, 248, 255])
def test_broadcasts_and_reserved_numbers_are_no_units_on_a_bus(unit_id: int) -> None:
    with pytest.raises(ValidationError):
        RtuDevice.model_validate(DEVICE | {"unit_id": unit_id})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"function": 1}, "Input should be 3 or 4"),
        ({"registers": 65}, "less than or equal to 64"),
        ({"address": 65_530, "registers": 8}, "registers up to address 65535, not 8 from 65530 on"),
        ({"encoding": "latin-1"}, "Input should be 'ascii'"),
        ({"key": "p"}, "each key once, not twice p"),
    ],
)
def test_a_wrong_label_is_refused(change: dict[str, Any], message: str) -> None:
    label = {"key": "model", "function": 3, "address": 100, "registers": 8}
    with pytest.raises(ValidationError, match=message):
        table([point("p", 0, "uint16")], labels=[label | change])


@pytest.mark.parametrize("change", [{"unit_id": 256}, {"unit_id": -1}, {"poll_ms": -1}])
def test_a_wrong_device_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ModbusDevice.model_validate(DEVICE | change)


def test_defaults_are_those_of_the_field() -> None:
    assert ModbusTcpLink.model_validate(LINK).port == 502
    assert ModbusDevice.model_validate(DEVICE).unit_id == 1


def test_a_points_order_beats_the_tables() -> None:
    device_table = table([point("p", 0), point("q", 2, order="DCBA")], order="CDAB")
    assert [device_table.order_of(p) for p in device_table.points] == [ByteOrder.CDAB, ByteOrder.DCBA]


@pytest.mark.parametrize("model", ["pit-logger-modbus", "crane-host-modbus"])
def test_shipped_tables_use_each_bit_once(model: str) -> None:
    taken: set[tuple[int, int, int]] = set()
    for p in shipped_table(model).points:
        first = p.bit or 0
        width = (p.bit_count or 1) if p.type.is_field else 16
        for address in range(p.address, p.address + p.type.words):
            places = {(p.function, address, bit) for bit in range(first, first + width)}
            assert not places & taken, p.key
            taken |= places
