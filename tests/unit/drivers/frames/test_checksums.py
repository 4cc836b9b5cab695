"""Checksums against figures that are not ours."""

import pytest

from drivers.frames.checksums import ChecksumKind, checksum

CHECK = b"123456789"
EXAMPLE = b"QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&"
"""The example of HJ 212-2017, 6.3.1, whose checksum is 1C80."""


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (ChecksumKind.SUM8, 0xDD),
        (ChecksumKind.XOR8, 0x31),
        (ChecksumKind.CRC16_MODBUS, 0x4B37),
        (ChecksumKind.CRC16_CCITT, 0x29B1),
        (ChecksumKind.CRC16_XMODEM, 0x31C3),
    ],
)
def test_the_published_check_values(kind: ChecksumKind, expected: int) -> None:
    assert checksum(kind, CHECK) == expected


def test_the_standards_own_example_of_hj212() -> None:
    assert checksum(ChecksumKind.CRC16_HJ212, EXAMPLE) == 0x1C80
