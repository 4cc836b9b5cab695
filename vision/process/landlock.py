"""Landlock: what files and TCP ports this thread, and every thread that it starts, may still touch.

In: paths with rights, ports. Out: a restriction that nothing takes back. Standard library only: the capture process
imports it. The rights grow with the kernel's ABI, and are asked for as far as it knows them.

    ABI 1  Linux 5.13  files        ABI 3  6.2  truncation        ABI 5  6.10  ioctl of devices
    ABI 2  5.19        moving       ABI 4  6.7  TCP ports         ABI 6  6.12  abstract sockets, signals

Source: Linux, Documentation/userspace-api/landlock.rst and include/uapi/linux/landlock.h.
"""

import contextlib
import ctypes
import os
import struct
from collections.abc import Iterable
from enum import IntFlag

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION = 1
_PATH_BENEATH, _NET_PORT = 1, 2
_CONNECT_TCP = 2
_NET, _SCOPES = 0b11, 0b11
_NO_NEW_PRIVS = 38
FILES_ABI, PORTS_ABI = 1, 4
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


class Right(IntFlag):
    """What may be done with a file, or with all that lies in a folder."""

    EXECUTE = 1 << 0
    WRITE_FILE = 1 << 1
    READ_FILE = 1 << 2
    READ_DIR = 1 << 3
    REMOVE_DIR = 1 << 4
    REMOVE_FILE = 1 << 5
    MAKE_CHAR = 1 << 6
    MAKE_DIR = 1 << 7
    MAKE_REG = 1 << 8
    MAKE_SOCK = 1 << 9
    MAKE_FIFO = 1 << 10
    MAKE_BLOCK = 1 << 11
    MAKE_SYM = 1 << 12
    REFER = 1 << 13
    TRUNCATE = 1 << 14
    IOCTL_DEV = 1 << 15


READ = Right.READ_FILE | Right.READ_DIR
CHANGE = Right.READ_FILE | Right.WRITE_FILE
WORK = READ | CHANGE | Right.MAKE_REG | Right.MAKE_DIR | Right.REMOVE_FILE | Right.REMOVE_DIR | Right.TRUNCATE
DEVICE = CHANGE | Right.IOCTL_DEV
_OF_FILES = Right.EXECUTE | Right.WRITE_FILE | Right.READ_FILE | Right.TRUNCATE | Right.IOCTL_DEV
_BY_ABI = {1: Right.REFER - 1, 2: Right.TRUNCATE - 1, 3: Right.IOCTL_DEV - 1, 4: Right.IOCTL_DEV - 1}
_NEWEST = 2 * Right.IOCTL_DEV - 1


def landlock_abi() -> int:
    """The kernel's version of Landlock; 0 where it has none, or where it is switched off or forbidden."""
    return max(0, _call(_CREATE_RULESET, None, 0, _VERSION))


def restrict_files_and_ports(rights: Iterable[tuple[str, Right]], ports: Iterable[int]) -> None:
    """From here on only these paths (what does not exist is left out), and TCP connections to these ports only, where
    the kernel has rules for ports. Sets "no new privileges". Raises OSError when the kernel refuses."""
    abi = landlock_abi()
    handled = Right(_BY_ABI.get(abi, _NEWEST))
    attributes = struct.pack("QQQ", handled, _NET, _SCOPES)[: 8 if abi < PORTS_ABI else 16 if abi < 6 else 24]
    ruleset = _checked(_call(_CREATE_RULESET, attributes, len(attributes), 0))
    try:
        for path, allowed in rights:
            _allow_path(ruleset, path, allowed & handled)
        for port in ports if abi >= PORTS_ABI else ():
            _checked(_call(_ADD_RULE, ruleset, _NET_PORT, struct.pack("QQ", _CONNECT_TCP, port), 0))
        forbid_new_privileges()
        _checked(_call(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)


def forbid_new_privileges() -> None:
    """No program that is started gains rights by its file's mode. Raises OSError."""
    _checked(_libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0))


def _allow_path(ruleset: int, path: str, allowed: Right) -> None:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError):
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            if not os.path.isdir(f"/proc/self/fd/{handle}") and not os.path.isdir(path):  # noqa: PTH112
                allowed &= _OF_FILES
            _checked(_call(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("=Qi", allowed, handle), 0))
        finally:
            os.close(handle)


def _call(number: int, *given: bytes | int | None) -> int:
    converted = [ctypes.c_long(each) if isinstance(each, int) else each for each in given]
    return int(_libc.syscall(ctypes.c_long(number), *converted))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
