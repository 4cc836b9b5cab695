"""How numbers lie in 16-bit Modbus words: the types and orders in use.

Nothing flows here; settings, decode and encode agree on these names. Knows no table and no wire.

A word order and a byte order inside the word make four arrangements. The letters name the bytes of the value 0xAABBCCDD
in the order in which they arrive; the same two choices apply to 16 and 64 bits:

    order   words          bytes in a word   32 bits      16 bits   64 bits
    ABCD    big first      big first         AA BB CC DD  AA BB     ABCD EFGH
    CDAB    little first   big first         CC DD AA BB  AA BB     GHEF CDAB
    BADC    big first      little first      BB AA DD CC  BB AA     BADC FEHG
    DCBA    little first   little first      DD CC BB AA  BB AA     HGFE DCBA
"""

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

READ_COILS = 1
READ_DISCRETE_INPUTS = 2
READ_HOLDING_REGISTERS = 3
READ_INPUT_REGISTERS = 4
BIT_FUNCTIONS = (READ_COILS, READ_DISCRETE_INPUTS)

Words = NDArray[np.uint16]


class ByteOrder(StrEnum):
    """The arrangement of a value's bytes; see the table in the module's docstring."""

    ABCD = "ABCD"
    CDAB = "CDAB"
    BADC = "BADC"
    DCBA = "DCBA"

    @property
    def little_words_first(self) -> bool:
        """The least significant word has the lowest address."""
        return self in (ByteOrder.CDAB, ByteOrder.DCBA)

    @property
    def little_bytes_first(self) -> bool:
        """The bytes inside each word are swapped against the Modbus standard."""
        return self in (ByteOrder.BADC, ByteOrder.DCBA)


class RegisterType(StrEnum):
    """What a point's words mean. `bit` is one bit (of a register, or a coil); `bits` is a field of a register."""

    UINT16 = "uint16"
    INT16 = "int16"
    UINT32 = "uint32"
    INT32 = "int32"
    UINT64 = "uint64"
    INT64 = "int64"
    FLOAT16 = "float16"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    BCD16 = "bcd16"
    BCD32 = "bcd32"
    BIT = "bit"
    BITS = "bits"

    @property
    def words(self) -> int:
        """How many 16-bit words the value takes (a coil takes one bit, which counts as one)."""
        return 1 if self.is_field else int(self.name[-2:]) // 16

    @property
    def is_field(self) -> bool:
        """Part of a word."""
        return self in (RegisterType.BIT, RegisterType.BITS)

    @property
    def is_bcd(self) -> bool:
        """Four decimal digits a word."""
        return self in (RegisterType.BCD16, RegisterType.BCD32)

    @property
    def is_float(self) -> bool:
        """IEEE 754 binary."""
        return self in (RegisterType.FLOAT16, RegisterType.FLOAT32, RegisterType.FLOAT64)

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The value's machine type, least significant byte first; for BCD and fields that of the bits that hold it."""
        name = f"uint{16 * self.words}" if self.is_bcd or self.is_field else self.value
        return np.dtype(name).newbyteorder("<")

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest raw value, as float64 (64-bit integers: rounded). Not for `bits`: that has a width."""
        if self is RegisterType.BIT:
            return 0.0, 1.0
        if self.is_bcd:
            return 0.0, 10.0 ** (4 * self.words) - 1
        limits = np.finfo(self.dtype) if self.is_float else np.iinfo(self.dtype)  # type: ignore[type-var]
        return float(limits.min), float(limits.max)
