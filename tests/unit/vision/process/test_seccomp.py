"""The filter of system calls, run by a small interpreter of its own kind of program, and its numbers."""

import ctypes
import errno

import pytest

from vision.process.seccomp import ARCHITECTURES, FORBIDDEN, NEWEST_KNOWN, Instruction, Network, program
from vision.process.syscall_numbers import NUMBERS

PID = 4242
ALLOW, KILL, REFUSED = 0x7FFF0000, 0x80000000, 0x00050000
EPERM, EACCES, ENOSYS = REFUSED | errno.EPERM, REFUSED | errno.EACCES, REFUSED | errno.ENOSYS
NETWORKS = {"eye": Network(), "address": Network(tcp=True), "name": Network(tcp=True, names=True)}
CLONE_THREAD, FORK = 0x3D0F00, 0x1200011
STREAM, DATAGRAM, CLOSED_BY_EXEC, TCP, MPTCP = 1, 2, 0x80000, 6, 262
UNIX, INET, INET6, NETLINK = 1, 2, 10, 16


def run(filtered: list[Instruction], architecture: int, number: int, arguments: tuple[int, ...]) -> int:
    """As the kernel runs it; only the kinds of instruction that the filter is made of."""
    words = {0: number, 4: architecture} | {16 + 8 * place: value for place, value in enumerate(arguments)}
    value, at = 0, 0
    while True:
        code, if_true, if_false, constant = filtered[at]
        at += 1
        if code == 0x20:
            value = words.get(constant, 0) & 0xFFFFFFFF
        elif code == 0x54:
            value &= constant
        elif code == 0x06:
            return constant
        else:
            true = {0x15: value == constant, 0x25: value > constant, 0x45: bool(value & constant)}[code]
            at += if_true if true else if_false


def answer(machine: str, network: str, call: str | int, *arguments: int) -> int:
    architecture, column = ARCHITECTURES[machine]
    number = NUMBERS[call][column] if isinstance(call, str) else call
    return run(program(NETWORKS[network], machine, PID), architecture, number, arguments)


MACHINES = pytest.mark.parametrize("machine", ARCHITECTURES)


@MACHINES
@pytest.mark.parametrize("network", NETWORKS)
def test_what_is_forbidden_to_all(machine: str, network: str) -> None:
    column = ARCHITECTURES[machine][1]
    for name in FORBIDDEN:
        if NUMBERS[name][column] >= 0:
            assert answer(machine, network, name) == EPERM, name
    assert answer(machine, network, "clone", CLONE_THREAD) == ALLOW
    assert answer(machine, network, "clone", FORK) == EPERM
    assert answer(machine, network, "clone3") == ENOSYS
    assert answer(machine, network, "tgkill", PID) == ALLOW
    assert answer(machine, network, "tgkill", 1) == EPERM
    assert answer(machine, network, "prlimit64", 0) == ALLOW
    assert answer(machine, network, "prlimit64", 1) == EPERM
    assert answer(machine, network, "ioctl", 0, 0x5412) == EPERM
    assert answer(machine, network, "ioctl", 0, 0xC0585611) == ALLOW


@MACHINES
def test_everything_ends_and_what_is_not_known_is_no_call(machine: str) -> None:
    known = {numbers[ARCHITECTURES[machine][1]] for numbers in NUMBERS.values()}
    for number in range(700):
        outcome = answer(machine, "address", number)
        if number > NEWEST_KNOWN:
            assert outcome == ENOSYS
        elif number not in known:
            assert outcome == ALLOW
    assert answer(machine, "address", 0x40000000 + 59) == ENOSYS


@MACHINES
def test_another_architectures_door_ends_the_process(machine: str) -> None:
    for other in (0x40000003, 0xC00000B7 if machine == "x86_64" else 0xC000003E):
        assert run(program(Network(), machine, PID), other, 1, ()) == KILL


@MACHINES
@pytest.mark.parametrize(
    ("network", "family", "kind", "protocol", "outcome"),
    [
        ("eye", INET, STREAM, 0, EACCES),
        ("address", INET, STREAM, 0, ALLOW),
        ("address", INET6, STREAM | CLOSED_BY_EXEC, TCP, ALLOW),
        ("address", INET, STREAM, MPTCP, EACCES),
        ("address", INET, DATAGRAM, 0, EACCES),
        ("address", UNIX, STREAM, 0, EACCES),
        ("name", INET, DATAGRAM | CLOSED_BY_EXEC, 17, ALLOW),
        ("name", INET, DATAGRAM, 136, EACCES),
        ("name", INET, STREAM, TCP, ALLOW),
        ("name", NETLINK, 3, 0, EACCES),
    ],
)
def test_sockets(machine: str, network: str, family: int, kind: int, protocol: int, outcome: int) -> None:
    assert answer(machine, network, "socket", family, kind, protocol) == outcome


@MACHINES
def test_no_connection_is_opened_by_its_first_bytes(machine: str) -> None:
    fast = 0x20000000
    assert answer(machine, "address", "sendto", 3, 0, 1, fast) == EACCES
    assert answer(machine, "address", "sendmsg", 3, 0, fast) == EACCES
    assert answer(machine, "address", "sendmmsg", 3, 0, 1, fast) == EACCES
    assert answer(machine, "address", "sendto", 3, 0, 1, 0x4000) == ALLOW
    assert answer(machine, "address", "connect", 3) == ALLOW
    assert answer(machine, "eye", "connect", 3) == EPERM


@pytest.fixture(scope="module")
def libseccomp() -> ctypes.CDLL:
    """Every Debian has it: apt needs it."""
    library = ctypes.CDLL("libseccomp.so.2")
    library.seccomp_syscall_resolve_name_arch.argtypes = [ctypes.c_uint32, ctypes.c_char_p]
    return library


@MACHINES
def test_the_numbers_are_those_of_libseccomp(machine: str, libseccomp: ctypes.CDLL) -> None:
    architecture, column = ARCHITECTURES[machine]
    for name, numbers in NUMBERS.items():
        theirs = libseccomp.seccomp_syscall_resolve_name_arch(architecture, name.encode())
        assert numbers[column] == max(-1, theirs), name
