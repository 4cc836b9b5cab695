"""Register tables and bound links without a site file, for tests and benchmarks of the Modbus driver."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from drivers.modbus.settings import ModbusDevice, ModbusTable, ModbusTcpLink
from gateway.model.quantity import Point
from gateway.ports import BoundDevice, BoundLink

HEADER = {
    "version": 1,
    "model": "test-unit",
    "driver": "modbus-tcp",
    "title_zh": "测试",
    "title_en": "Test unit",
    "source": "test",
    "certainty": "PD",
}


def point(key: str, address: int, type_: str = "float32", function: int = 3, **more: Any) -> dict[str, Any]:
    """One point of a table, as YAML would give it."""
    return {
        "key": key,
        "title_zh": key,
        "title_en": key,
        "function": function,
        "address": address,
        "type": type_,
    } | more


def table(points: Sequence[dict[str, Any]], **more: Any) -> ModbusTable:
    """A checked table of these points."""
    return ModbusTable.model_validate(HEADER | {"points": list(points)} | more)


def float_table(count: int = 50) -> ModbusTable:
    """`count` float32 points, packed from address 0, believable from -1e6 to 1e6."""
    return table([point(f"p{i}", 2 * i, min=-1e6, max=1e6) for i in range(count)])


def shipped_table(model: str) -> ModbusTable:
    """A device table as the product ships it."""
    folder = Path(__file__).parents[2] / "config" / "devices"
    return ModbusTable.model_validate(yaml.safe_load((folder / f"{model}.yaml").read_text(encoding="utf-8")))


def bound_device(
    device_table: ModbusTable, device_id: str = "unit-1", first_index: int = 0, **settings: Any
) -> BoundDevice:
    """A configured device; its points take positions from `first_index` on."""
    device = ModbusDevice.model_validate(
        {"id": device_id, "link": "link-1", "asset": device_id, "table": device_table.model} | settings
    )
    points = tuple(
        Point(f"{device_id}.{p.key}", device_id, p.key, p.unit, device_id, p.title_zh, p.title_en, p.min, p.max)
        for p in device_table.points
    )
    index = np.arange(first_index, first_index + len(points), dtype=np.int32)
    return BoundDevice(device, device_table, points, index)


def bound_link(port: int, devices: Sequence[BoundDevice], **settings: Any) -> BoundLink:
    """A link to a loopback port, with short back-off so that tests of outages are quick."""
    quick = {"backoff_min_ms": 10, "backoff_max_ms": 50, "timeout_ms": 1000}
    link = ModbusTcpLink.model_validate(
        {"id": "link-1", "driver": "modbus-tcp", "host": "127.0.0.1", "port": port} | quick | settings
    )
    return BoundLink(link, tuple(devices))
