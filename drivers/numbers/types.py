"""How numbers lie in bytes: the orders in use, and what a type's name says.

Nothing flows here; settings, decoders and encoders agree on these names. Knows no table and no wire. A driver lists the
types that its wire can carry (`drivers.modbus.registers`, `drivers.mqtt.settings`).

A word order and a byte order inside the 16-bit word make four arrangements. The letters name the bytes of the value
0xAABBCCDD in the order in which they arrive; the same two choices apply to 16 and 64 bits, and none to a single byte:

    order   words          bytes in a word   32 bits      16 bits   64 bits
    ABCD    big first      big first         AA BB CC DD  AA BB     ABCD EFGH
    CDAB    little first   big first         CC DD AA BB  AA BB     GHEF CDAB
    BADC    big first      little first      BB AA DD CC  BB AA     BADC FEHG
    DCBA    little first   little first      DD CC BB AA  BB AA     HGFE DCBA
"""

from collections.abc import Sequence
from enum import StrEnum
from string import ascii_lowercase

import numpy as np


class ByteOrder(StrEnum):
    """The arrangement of a value's bytes; see the table in the module's docstring."""

    ABCD = "ABCD"
    CDAB = "CDAB"
    BADC = "BADC"
    DCBA = "DCBA"

    @property
    def little_words_first(self) -> bool:
        """The least significant word comes first."""
        return self in (ByteOrder.CDAB, ByteOrder.DCBA)

    @property
    def little_bytes_first(self) -> bool:
        """The least significant byte of each word comes first."""
        return self in (ByteOrder.BADC, ByteOrder.DCBA)

    def least_first(self, places: Sequence[int]) -> list[int]:
        """Positions of a value's bytes, given as they arrive, from the least significant byte on."""
        words = [places[i : i + 2] for i in range(0, len(places), 2)]
        words = words if self.little_words_first else words[::-1]
        return [place for word in words for place in (word if self.little_bytes_first else word[::-1])]


class NumberType(StrEnum):
    """What the names of types say; the names themselves are a driver's. `bit` is one bit and `bits` are several of a
    field that the point names."""

    @property
    def bytes(self) -> int:
        """How many bytes the value takes; of a field: 2, the register that holds it."""
        return 2 if self.is_field else int(self.value.strip(ascii_lowercase)) // 8

    @property
    def words(self) -> int:
        """How many 16-bit words that is (a coil takes one bit, which counts as one)."""
        return -(-self.bytes // 2)

    @property
    def is_field(self) -> bool:
        """Part of a word or a byte."""
        return self.value in ("bit", "bits")

    @property
    def is_bcd(self) -> bool:
        """Whether each word holds four decimal digits."""
        return self.value.startswith("bcd")

    @property
    def is_float(self) -> bool:
        """Whether it is binary floating point (IEEE 754)."""
        return self.value.startswith("float")

    @property
    def dtype(self) -> np.dtype[np.generic]:
        """The value's machine type, least significant byte first; for BCD and fields that of the bits that hold it."""
        name = f"uint{8 * self.bytes}" if self.is_bcd or self.is_field else self.value
        return np.dtype(name).newbyteorder("<")

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest raw value, as float64 (64-bit integers: rounded). Not for `bits`: that has a width."""
        if self.value == "bit":
            return 0.0, 1.0
        if self.is_bcd:
            return 0.0, 10.0 ** (2 * self.bytes) - 1
        limits = np.finfo(self.dtype) if self.is_float else np.iinfo(self.dtype)  # type: ignore[type-var]
        return float(limits.min), float(limits.max)
