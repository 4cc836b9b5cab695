"""Checksums of frames. Bytes in, a number out. Pure.

`crc16-hj212` is that of HJ 212-2017: the polynomial of Modbus, but each byte replaces the low byte of what was shifted
out instead of being added to it. Checked against the standard's example (`tests/unit/drivers/frames`).
"""

import binascii
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import reduce

_POLYNOMIAL = 0xA001
_START = 0xFFFF


class ChecksumKind(StrEnum):
    """How a frame's checksum is computed: one byte for the first two, two bytes for the others."""

    SUM8 = "sum8"
    XOR8 = "xor8"
    CRC16_MODBUS = "crc16-modbus"
    CRC16_CCITT = "crc16-ccitt"
    CRC16_XMODEM = "crc16-xmodem"
    CRC16_HJ212 = "crc16-hj212"

    @property
    def width(self) -> int:
        """How many bytes the checksum takes in a frame."""
        return 1 if self in (ChecksumKind.SUM8, ChecksumKind.XOR8) else 2


def checksum(kind: ChecksumKind, data: bytes) -> int:
    """The checksum of these bytes, by this kind."""
    return _COMPUTED[kind](data)


def _shifted(value: int) -> int:
    for _ in range(8):
        value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
    return value


_SHIFTED = tuple(_shifted(value) for value in range(256))


def _modbus(data: bytes) -> int:
    crc = _START
    for byte in data:
        crc = crc >> 8 ^ _SHIFTED[(crc ^ byte) & 0xFF]
    return crc


def _hj212(data: bytes) -> int:
    crc = _START
    for byte in data:
        crc = _SHIFTED[crc >> 8 ^ byte]
    return crc


_COMPUTED: Mapping[ChecksumKind, Callable[[bytes], int]] = {
    ChecksumKind.SUM8: lambda data: sum(data) & 0xFF,
    ChecksumKind.XOR8: lambda data: reduce(int.__xor__, data, 0),
    ChecksumKind.CRC16_MODBUS: _modbus,
    ChecksumKind.CRC16_CCITT: lambda data: binascii.crc_hqx(data, 0xFFFF),
    ChecksumKind.CRC16_XMODEM: lambda data: binascii.crc_hqx(data, 0),
    ChecksumKind.CRC16_HJ212: _hj212,
}
