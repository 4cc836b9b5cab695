"""Values -> words: the inverse of decode, for device twins, tests and golden frames.

In: a table and engineering values by point key. Out: words (bits for functions 1 and 2). Pure; nothing in the gateway's
own path calls it, because the gateway never writes to a device.
"""

from collections.abc import Mapping

import numpy as np

from drivers.modbus.registers import BIT_FUNCTIONS, RegisterType, Words
from drivers.modbus.settings import ModbusTable, RegisterPoint

Image = dict[int, dict[int, int]]


def encode_point(table: ModbusTable, point: RegisterPoint, value: float) -> Words:
    """The words at `point.address` that decode to `value` (nearest the type can hold), lowest address first.

    A field is placed at its bit, the rest of the word is 0. NaN becomes NaN in float types, elsewhere the point's first
    sentinel. Raises ValueError when the type cannot hold the value.
    """
    raw = _raw_value(point, value)
    order = table.order_of(point)
    words = np.frombuffer(_bits_of(point, raw), dtype="<u2").astype(np.uint16)
    if not order.little_words_first:
        words = words[::-1].copy()
    swapped = order.little_bytes_first and point.function not in BIT_FUNCTIONS
    return words.byteswap() if swapped else words


def encode_table(table: ModbusTable, values: Mapping[str, float]) -> Image:
    """What a device showing `values` answers: function -> address -> word (0 or 1 for functions 1 and 2).

    Keys that are missing leave their words 0; points that share a register are merged. Raises KeyError for a key that
    the table does not have, and for a point whose decimals are not among the values.
    """
    points = {point.key: point for point in table.points}
    image: Image = {}
    for point in table.points:
        words = image.setdefault(point.function, {})
        for address in range(point.address, point.address + point.type.words):
            words.setdefault(address, 0)
    for key, value in values.items():
        point = points[key]
        if point.decimals is not None:
            point = point.model_copy(update={"scale": point.scale / 10.0 ** values[point.decimals]})
        for i, word in enumerate(encode_point(table, point, value)):
            image[point.function][point.address + i] |= int(word)
    return image


def raw_of(value: float, scale: float, offset: float) -> float:
    """The raw value behind an engineering value."""
    return (value - offset) / scale


def _raw_value(point: RegisterPoint, value: float) -> float:
    if np.isnan(value) and not point.type.is_float:
        if not point.sentinels:
            raise ValueError(f"point {point.key}: {point.type} has no NaN, and the table names no sentinel")
        return point.raw_sentinel(point.sentinels[0])
    raw = raw_of(value, point.scale, point.offset)
    low, high = point.raw_bounds
    if point.type.is_float:
        fits = low <= raw <= high or not np.isfinite(value)
    else:
        raw = float(np.rint(raw))
        fits = low <= raw <= high
    if not fits:
        raise ValueError(f"point {point.key}: raw value {raw:g} is outside {point.type} ({low:g} to {high:g})")
    return raw


def _bits_of(point: RegisterPoint, raw: float) -> bytes:
    if point.type.is_float:
        return np.array([raw]).astype(point.type.dtype).tobytes()
    whole = int(raw)
    if point.type.is_bcd:
        whole = int(str(whole), 16)
    elif point.type.is_field:
        whole <<= point.bit or 0
    elif point.type in (RegisterType.INT64, RegisterType.UINT64):
        limits = np.iinfo(point.type.dtype)  # type: ignore[type-var]
        whole = min(max(whole, int(limits.min)), int(limits.max))  # float64 bounds are rounded outwards
    return whole.to_bytes(2 * point.type.words, "little", signed=point.raw_bounds[0] < 0)
