"""A process that shuts itself in as a capture or an eye does, and then tries what somebody would who had taken it over.

confined_child.py    standard input: JSON {"face": "capture" | "eye", "plan": {...}, "arguments": [...], "deeds": {...}}
                     "limits_refused": true: whoever keeps this process lets it set no limits

It prints one JSON object: what it could not be shut in by, and what became of every deed: "done" or the error's name.
"""

import ctypes
import json
import mmap
import os
import platform
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vision.camera.needs import capture_needs
from vision.camera.plan import CapturePlan
from vision.eye.needs import eye_needs
from vision.process.confinement import confine
from vision.process.seccomp import ARCHITECTURES, install
from vision.process.syscall_numbers import NUMBERS

LIBC = ctypes.CDLL(None, use_errno=True)
MPTCP, FAST_OPEN = 262, 0x20000000


def called(result: int) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def syscall(number: int) -> None:
    called(LIBC.syscall(number, 0, 0, 0, 0, 0, 0))


def typed_into_a_terminal() -> None:
    called(LIBC.ioctl(0, 0x5412, b"x"))


def connected(port: int) -> None:
    with socket.socket() as sock:
        sock.settimeout(5)
        sock.connect(("127.0.0.1", port))


def opened_fast(port: int) -> None:
    with socket.socket() as sock:
        sock.sendto(b"x", FAST_OPEN, ("127.0.0.1", port))


def listened() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))


def opened(family: int, kind: int, protocol: int) -> None:
    socket.socket(family, kind, protocol).close()


def sent_by_udp(port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.sendto(b"x", ("127.0.0.1", port))


def remembered(count: int) -> None:
    mmap.mmap(-1, count).close()


def shrunk(path: str) -> None:
    os.truncate(path, 0)


def in_a_thread(path: str) -> None:
    failed: list[BaseException] = []

    def read() -> None:
        try:
            Path(path).read_bytes()
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


DEEDS: dict[str, Callable[..., Any]] = {
    "read": lambda path: Path(path).read_bytes(),
    "read in a thread": in_a_thread,
    "list": os.listdir,
    "write": lambda path: Path(path).write_bytes(b"x"),
    "append": lambda path: Path(path).open("ab").close(),
    "remove": os.unlink,
    "rename": lambda path: Path(path).rename(f"{path}.moved"),
    "chmod": lambda path: Path(path).chmod(0o777),
    "shrink": shrunk,
    "exec": lambda path: os.execv(path, [path]),
    "fork": os.fork,
    "kill": lambda pid: os.kill(pid, 0),
    "limit": lambda pid: called(LIBC.prlimit(pid, 7, b"\1\0\0\0\0\0\0\0" * 2, None)),
    "ptrace": lambda pid: called(LIBC.ptrace(16, pid, 0, 0)),
    "mount": lambda: called(LIBC.mount(b"none", b"/mnt", b"tmpfs", 0, None)),
    "unshare": lambda: called(LIBC.unshare(0x10000000)),
    "setuid": lambda: os.setuid(65534),
    "call": syscall,
    "terminal": typed_into_a_terminal,
    "connect": connected,
    "fast open": opened_fast,
    "bind": listened,
    "socket": opened,
    "udp": sent_by_udp,
    "memory": remembered,
}


def refuse_limits() -> None:
    """As a filter of a service manager does that was begun before this process."""
    number = NUMBERS["prlimit64"][ARCHITECTURES[platform.machine()][1]]
    install([(0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7FFF0000)])


def outcome(deed: str, given: list[Any]) -> str:
    try:
        DEEDS[deed](*given)
    except (OSError, MemoryError) as error:
        return type(error).__name__
    return "done"


def main() -> int:
    asked = json.load(sys.stdin)
    is_capture = asked["face"] == "capture"
    if asked.get("limits_refused"):
        refuse_limits()
    lacks = confine(capture_needs(CapturePlan(**asked["plan"])) if is_capture else eye_needs(asked["arguments"]))
    done = {name: outcome(deed, given) for name, (deed, given) in asked["deeds"].items()}
    print(json.dumps({"lacks": lacks, "done": done}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
