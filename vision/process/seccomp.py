"""A filter of system calls for this process: what a decoder of a hostile stream must not be able to ask of the kernel.

In: whether TCP, and names of hosts, are needed. Out: a filter for all threads that nothing takes back. Standard library
only: the capture process imports it.

Theory of operation. The kernel runs a small program (classic BPF) before every call. It ends the process when the call
comes by another architecture's door, answers "no such call" to the 32 bit door and to calls that are newer than this
file, "not permitted" to those that are named here, and lets everything else through. What is allowed is not listed: a
library that calls something harmless and new must not end the watching.

Source: Linux, Documentation/userspace-api/seccomp_filter.rst; BPF as in linux/filter.h.
"""

import ctypes
import errno
import os
import platform
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from vision.process.landlock import forbid_new_privileges
from vision.process.syscall_numbers import NUMBERS

ARCHITECTURES: Final = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
"""AUDIT_ARCH_* and the column in `NUMBERS`."""
NEWEST_KNOWN: Final = 456
_SET_FILTER, _TSYNC, _GET_ACTION_AVAIL = 1, 1, 2
_SECCOMP_CALL: Final = {"x86_64": 317, "aarch64": 277}
_ALLOW, _KILL_PROCESS, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_LOAD, _IF_EQUAL, _IF_ABOVE, _IF_SET, _AND, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x54, 0x06
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16
_CLONE_THREAD = 0x10000
_TERMINAL_INPUT, _TERMINAL_LINUX = 0x5412, 0x541C
_AF_INET, _AF_INET6, _STREAM, _DATAGRAM, _TCP, _UDP = 2, 10, 1, 2, 6, 17
_FAST_OPEN = 0x20000000

_WITH_RULES: Final = frozenset({"clone", "clone3", "prlimit64", "tgkill", "ioctl", "socket"})
_SENDING: Final = ("sendto", "sendmsg", "sendmmsg")
FORBIDDEN: Final = tuple(name for name in NUMBERS if name not in {*_WITH_RULES, "connect", *_SENDING})
"""Refused in every confined process. Besides: new processes, limits and signals of others, typing into terminals."""
_OF_HARDWARE: Final = frozenset({"socketpair", "bind", "listen", "ftruncate", "fallocate", "move_pages"})

Instruction = tuple[int, int, int, int]
_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


@dataclass(frozen=True, slots=True)
class Network:
    """What may be opened: `tcp` connections, and with `names` UDP for name servers. Neither: no socket at all. `free`:
    whatever it likes, for the libraries of graphics processors."""

    tcp: bool = False
    names: bool = False
    free: bool = False


def can_filter() -> bool:
    """Whether the kernel has filters, and this file the numbers of this architecture."""
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        return False
    call = (ctypes.c_long(_SECCOMP_CALL[machine]), ctypes.c_long(_GET_ACTION_AVAIL), ctypes.c_long(0))
    return bool(_libc.syscall(*call, struct.pack("=I", _ERRNO)) == 0)


def filter_calls(network: Network) -> None:
    """From here on, in all threads. Raises OSError when the kernel refuses."""
    install(program(network, platform.machine(), os.getpid()))


def install(instructions: Sequence[Instruction]) -> None:
    """Have the kernel run this program before every call of every thread. Raises OSError when it refuses."""
    machine = platform.machine()
    octets = b"".join(struct.pack("=HBBI", *each) for each in instructions)
    body = ctypes.create_string_buffer(octets, len(octets))
    described = struct.pack("HxxxxxxP", len(octets) // 8, ctypes.addressof(body))
    forbid_new_privileges()
    call = (ctypes.c_long(_SECCOMP_CALL[machine]), ctypes.c_long(_SET_FILTER), ctypes.c_long(_TSYNC))
    if _libc.syscall(*call, described) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def program(network: Network, machine: str, pid: int) -> list[Instruction]:
    """The filter for an architecture and a process."""
    architecture, column = ARCHITECTURES[machine]
    numbers = {name: each[column] for name, each in NUMBERS.items() if each[column] >= 0}
    rules = {**_process_rules(pid), **_socket_rules(network)}
    refused = FORBIDDEN if network.tcp else (*FORBIDDEN, "connect")
    if network.free:
        refused = tuple(name for name in FORBIDDEN if name not in _OF_HARDWARE)
    rules |= {name: [_refuse(errno.EPERM)] for name in refused}
    filtered = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_IF_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_IF_ABOVE, 0, 1, NEWEST_KNOWN),
        _refuse(errno.ENOSYS),
    ]
    for name, rule in rules.items():
        if name in numbers:
            filtered += [(_IF_EQUAL, 0, len(rule), numbers[name]), *rule]
    return [*filtered, _allow()]


def _process_rules(pid: int) -> dict[str, list[Instruction]]:
    """A clone is a thread; clone3 hides its flags behind a pointer, and libraries fall back to clone."""
    return {
        "clone": [_argument(0), (_IF_SET, 0, 1, _CLONE_THREAD), _allow(), _refuse(errno.EPERM)],
        "clone3": [_refuse(errno.ENOSYS)],
        "tgkill": _only(0, (pid,)),
        "prlimit64": _only(0, (0, pid)),
        "ioctl": _never(1, (_TERMINAL_INPUT, _TERMINAL_LINUX)),
    }


def _socket_rules(network: Network) -> dict[str, list[Instruction]]:
    """TCP and UDP proper: Landlock's rules for ports know no other protocol. A first message that opens the connection
    ("fast open") would go past them."""
    if network.free:
        return {}
    if not network.tcp:
        return {"socket": [_refuse(errno.EACCES)]}
    kinds = [(_STREAM, _TCP), *([(_DATAGRAM, _UDP)] if network.names else [])]
    rule = [
        _argument(0),
        (_IF_EQUAL, 2, 0, _AF_INET),
        (_IF_EQUAL, 1, 0, _AF_INET6),
        _refuse(errno.EACCES),
    ]
    for kind, protocol in kinds:
        allowed = [_argument(2), (_IF_EQUAL, 1, 0, 0), (_IF_EQUAL, 0, 1, protocol), _allow(), _refuse(errno.EACCES)]
        rule += [_argument(1), (_AND, 0, 0, 0xF), (_IF_EQUAL, 0, len(allowed), kind), *allowed]
    rules = {"socket": [*rule, _refuse(errno.EACCES)]}
    for name, place in zip(_SENDING, (3, 2, 3), strict=True):
        rules[name] = [_argument(place), (_IF_SET, 0, 1, _FAST_OPEN), _refuse(errno.EACCES), _allow()]
    return rules


def _only(place: int, values: Iterable[int]) -> list[Instruction]:
    tests = [each for value in values for each in ((_IF_EQUAL, 0, 1, value), _allow())]
    return [_argument(place), *tests, _refuse(errno.EPERM)]


def _never(place: int, values: Iterable[int]) -> list[Instruction]:
    tests = [each for value in values for each in ((_IF_EQUAL, 0, 1, value), _refuse(errno.EPERM))]
    return [_argument(place), *tests, _allow()]


def _argument(place: int) -> Instruction:
    """The lower half: both architectures store it first."""
    return _LOAD, 0, 0, _ARGUMENTS_AT + 8 * place


def _allow() -> Instruction:
    return _RETURN, 0, 0, _ALLOW


def _refuse(number: int) -> Instruction:
    return _RETURN, 0, 0, _ERRNO | number
