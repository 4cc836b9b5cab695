"""Whether the machine's clock is kept by a time server, as the Linux kernel says it.

In: nothing. Out: a `ClockState`. The kernel knows whether somebody disciplines its clock (chrony, ntpd, systemd) and
how far it may be off at most; it does not know whether the server itself is right. Where the kernel cannot be asked
(another system, a sandbox) the state is unknown, never "in order".

The call is adjtimex(2) with modes = 0, which changes nothing and needs no right.
"""

import ctypes
import errno
import os
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

STA_UNSYNC: Final = 0x0040
STA_NANO: Final = 0x2000
TIME_ERROR: Final = 5
_NOT_KNOWN_US: Final = 16_000_000
"""At 16 s of possible error the kernel calls its clock unsynchronised (the limit of NTP's phase)."""


class Sync(StrEnum):
    """Whether a time server keeps the clock, as the kernel says."""

    KEPT = "kept"
    FREE = "free"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ClockState:
    """`offset_s` is the correction that is still to be made, `max_error_s` how far the clock may be off at most; both
    None where the kernel does not say. `source` names who was asked."""

    sync: Sync
    offset_s: float | None = None
    max_error_s: float | None = None
    source: str = ""


class _Timex(ctypes.Structure):
    """`struct timex` of 64-bit Linux (include/uapi/linux/timex.h); the tail is padding."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("constant", ctypes.c_long),
        ("precision", ctypes.c_long),
        ("tolerance", ctypes.c_long),
        ("time_sec", ctypes.c_long),
        ("time_usec", ctypes.c_long),
        ("tick", ctypes.c_long),
        ("rest", ctypes.c_byte * 256),
    )


@dataclass(frozen=True, slots=True)
class KernelWord:
    """What the kernel answers: its state, its status bits, offset in micro- or nanoseconds, largest error in µs."""

    state: int
    status: int
    offset: int
    max_error_us: int


def ask_kernel() -> KernelWord:
    """Raises OSError where the kernel does not answer."""
    adjtimex = getattr(ctypes.CDLL(None, use_errno=True), "adjtimex", None)
    if adjtimex is None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    told = _Timex()
    state = int(adjtimex(ctypes.byref(told)))
    if state < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return KernelWord(state, told.status, told.offset, told.maxerror)


def clock_state(ask: Callable[[], KernelWord] = ask_kernel) -> ClockState:
    """The state of the machine's clock."""
    try:
        word = ask()
    except OSError:
        return ClockState(Sync.UNKNOWN)
    kept = not word.status & STA_UNSYNC and word.state != TIME_ERROR and word.max_error_us < _NOT_KNOWN_US
    if not kept:
        return ClockState(Sync.FREE, source="adjtimex")
    scale = 1e9 if word.status & STA_NANO else 1e6
    return ClockState(Sync.KEPT, word.offset / scale, word.max_error_us / 1e6, "adjtimex")
