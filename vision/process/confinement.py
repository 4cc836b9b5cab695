"""Capture and eye processes shut themselves in before they touch a stream: a camera that takes one over finds little.

In: what one process needs. Out: what could not be done about it (`Lack`), to be said; watching goes on.

    limits    memory, open files, processes, size of a file; no core          always
    Landlock  reads libraries, model, its pictures; writes as good as nothing  Linux 5.13, TCP ports from 6.7
    seccomp   starts nothing, spies on nobody, changes no rights, no sockets   x86-64, aarch64

Nothing of it can be taken back by the process. It stands for threads that are begun later, so it comes before the first
of them. Standard library only: the capture process imports it.
"""

import contextlib
import os
import resource
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from vision.process.landlock import (
    CHANGE,
    DEVICE,
    FILES_ABI,
    PORTS_ABI,
    READ,
    WORK,
    Right,
    landlock_abi,
    restrict_files_and_ports,
)
from vision.process.seccomp import Network, can_filter, filter_calls

_PACKAGES = ("vision", "gateway", "drivers", "contract", "docking", "screens", "kit")
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64", "/opt/vc/lib")
_SYSTEM = (
    *("/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo", "/usr/share/locale", "/usr/lib/locale"),
    *("/dev/urandom", "/dev/random", "/dev/zero", "/sys/devices/system/cpu", "/sys/fs/cgroup", "/proc/self"),
    *("/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/sys/vm", "/proc/sys/kernel/osrelease", "/proc/version"),
)
_NET_FILES = (
    *("/etc/hosts", "/etc/host.conf", "/etc/nsswitch.conf", "/etc/gai.conf", "/etc/resolv.conf", "/etc/services"),
    *("/etc/protocols", "/etc/ssl/openssl.cnf", "/etc/ssl/certs", "/usr/share/ca-certificates", "/etc/pki/tls"),
    *("/etc/pki/ca-trust", "/etc/crypto-policies", "/etc/gnutls"),
)
_MOST_PROCESSES = 4096


class Lack(StrEnum):
    """What this machine does not do, so that a process is shut in less well. `limits`: one at least was refused, by
    whoever keeps the processes of this machine; the others stand."""

    FILES = "files"
    PORTS = "ports"
    CALLS = "calls"
    LIMITS = "limits"


@dataclass(frozen=True, slots=True)
class Needs:
    """What one process may still do. Paths that do not exist are left out. `read`: files and folders; `change`: files
    that are there; `work`: folders in which it makes and removes files; `devices`: read, written, `ioctl`. `ports`: TCP
    ports that it connects to, none: no socket at all; `names`: asks name servers. `hardware`: drives a graphics or
    neural processor, whose libraries open what they like: no rules for files, sockets and memory then."""

    read: tuple[str, ...] = ()
    change: tuple[str, ...] = ()
    work: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    ports: tuple[int, ...] = ()
    names: bool = False
    hardware: bool = False
    memory_bytes: int = 8 << 30
    file_bytes: int = 0
    open_files: int = 256


def kernel_lacks() -> tuple[Lack, ...]:
    """What this kernel cannot do, without doing anything."""
    abi = landlock_abi()
    lacks = ((Lack.FILES, abi < FILES_ABI), (Lack.PORTS, abi < PORTS_ABI), (Lack.CALLS, not can_filter()))
    return tuple(lack for lack, missing in lacks if missing)


def confine(needs: Needs) -> tuple[Lack, ...]:
    """Shut this process in, as far as the kernel can; what it could not do. Before the first thread is begun: Landlock
    holds for threads that come after it."""
    lacks = set(kernel_lacks())
    if not _limited(needs):
        lacks.add(Lack.LIMITS)
    if needs.hardware or _has_threads():
        lacks |= {Lack.FILES, Lack.PORTS}
    if Lack.FILES not in lacks:
        try:
            restrict_files_and_ports(_rights(needs), (*needs.ports, *([53] if needs.names else [])))
        except OSError:
            lacks |= {Lack.FILES, Lack.PORTS}
    if Lack.CALLS not in lacks:
        try:
            filter_calls(Network(bool(needs.ports), needs.names, needs.hardware))
        except OSError:
            lacks.add(Lack.CALLS)
    return tuple(sorted(lacks))


def _has_threads() -> bool:
    tasks = Path("/proc/self/task")
    return tasks.is_dir() and len(list(tasks.iterdir())) > 1


def _limited(needs: Needs) -> bool:
    """Set the limits; whether all of them stand."""
    limits = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NOFILE: needs.open_files,
        resource.RLIMIT_NPROC: _MOST_PROCESSES,
        resource.RLIMIT_FSIZE: needs.file_bytes,
        resource.RLIMIT_AS: needs.memory_bytes,
    }
    if needs.hardware:
        for kind in (resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE):
            del limits[kind]
    stand = 0
    for kind, most in limits.items():
        with contextlib.suppress(OSError, ValueError):
            _, hard = resource.getrlimit(kind)
            bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(kind, (bound, bound))
            stand += 1
    return stand == len(limits)


def _rights(needs: Needs) -> Iterator[tuple[str, Right]]:
    system = (*_LIBRARIES, *_SYSTEM, *_python(), *(_names_and_trust() if needs.ports else ()))
    yield from ((path, READ) for path in (*system, *needs.read))
    yield from ((path, CHANGE) for path in ("/dev/null", *needs.change))
    yield from ((path, WORK) for path in needs.work)
    yield from ((path, DEVICE) for path in needs.devices)


def _python() -> Iterator[str]:
    """The standard library, installed packages and our own: what is imported late. Never the working folder, which
    `python -m` puts first: a service's is its data."""
    yield str(Path(os.__file__).parent)
    yield str(Path(sys.executable).resolve().parent.parent / "lib")
    yield from (path for path in sys.path if path.endswith(("site-packages", "dist-packages", "lib-dynload", ".zip")))
    root = Path(__file__).resolve().parents[2]
    yield from (str(root / package) for package in _PACKAGES)


def _names_and_trust() -> Iterator[str]:
    """Where names and certificates are looked up. A file of name servers that is replaced lies in a folder of its own
    everywhere but in /etc."""
    yield from _NET_FILES
    resolver = Path("/etc/resolv.conf").resolve().parent
    if resolver != Path("/etc"):
        yield str(resolver)
