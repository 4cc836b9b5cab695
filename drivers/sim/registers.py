"""A twin's values as the words of its device table, and what a broken device shows instead.

In: the device table as shipped (`config/devices`), values by key. Out: words from address 0. The same table is used to
read the twin, so the two cannot drift apart. Knows nothing of physics or sockets.
"""

import math
from collections.abc import Mapping
from pathlib import Path

import yaml

from drivers.modbus.encode import Image, encode_table
from drivers.modbus.settings import ModbusTable, RegisterPoint

_READ_HOLDING_REGISTERS = 3


class RegisterFace:
    """The words that a device of this table shows. The table must use function 3 only, as the shipped ones do."""

    def __init__(self, table: ModbusTable) -> None:
        strangers = sorted({point.function for point in table.points} - {_READ_HOLDING_REGISTERS})
        if strangers:
            raise ValueError(f"table {table.model}: found function {strangers}, expected 3 only (a twin has no other)")
        self.table = table
        self.size = max(point.address + point.type.words for point in table.points)

    def words(self, values: Mapping[str, float]) -> list[int]:
        """Every word from address 0; unused ones are 0."""
        return self._dense(encode_table(self.table, values))

    def corrupt(self, turn: int) -> list[int]:
        """What a broken device shows, by turns: 65535 in every word; NaN and sentinels; 65535 in every value."""
        if turn % 3 == 0:
            return [0xFFFF] * self.size
        show = _absent if turn % 3 == 1 else _largest
        places = {point.decimals: 0.0 for point in self.table.points if point.decimals is not None}
        return self.words({point.key: show(point) for point in self.table.points} | places)

    def _dense(self, image: Image) -> list[int]:
        registers = image[_READ_HOLDING_REGISTERS]
        return [registers.get(address, 0) for address in range(self.size)]


def _absent(point: RegisterPoint) -> float:
    """NaN where the type or a sentinel can say "no value", else the largest value."""
    return math.nan if point.type.is_float or point.sentinels else _largest(point)


def _largest(point: RegisterPoint) -> float:
    """The raw value 65535, or the largest that the type can hold."""
    return min(65535.0, point.raw_bounds[1]) * point.scale + point.offset


def load_table(folder: Path, model: str) -> ModbusTable:
    """Read one device table. Raises OSError when it is not there and ValueError when it is not a register table."""
    return ModbusTable.model_validate(yaml.safe_load((folder / f"{model}.yaml").read_text(encoding="utf-8")))


def shipped_tables() -> Path:
    """Where the device tables lie: beside the packages in a checkout, inside `gateway` in an installed wheel."""
    packages = Path(__file__).resolve().parents[2]
    installed = packages / "gateway" / "config" / "devices"
    return installed if installed.is_dir() else packages / "config" / "devices"
