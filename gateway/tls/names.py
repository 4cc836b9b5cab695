"""The names and addresses that a box is reached by, for its certificate.

In: what an operator typed, and what this machine says of itself. Out: `ServerNames`. `found_names` asks the machine;
the rest is pure.
"""

import fcntl
import ipaddress
import re
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from gateway.tls.faults import TlsError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

LOOPBACK_HOST: Final = "localhost"
LOOPBACK_ADDRESSES: Final[tuple[Address, ...]] = (
    ipaddress.IPv4Address("127.0.0.1"),
    ipaddress.IPv6Address("::1"),
)
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_HOST: Final = re.compile(rf"(?=.{{1,253}}$){_LABEL}(\.{_LABEL})*")
_SIOCGIFADDR: Final = 0x8915  # linux/sockios.h: an interface's IPv4 address


@dataclass(frozen=True, slots=True)
class ServerNames:
    """Host names in lower case, and addresses; a certificate is called by the first of them."""

    hosts: tuple[str, ...]
    addresses: tuple[Address, ...]

    def with_loopback(self) -> "ServerNames":
        """The same, and what programs on the box itself use; each once."""
        hosts = tuple(dict.fromkeys((*self.hosts, LOOPBACK_HOST)))
        return ServerNames(hosts, tuple(dict.fromkeys((*self.addresses, *LOOPBACK_ADDRESSES))))

    @property
    def shown(self) -> tuple[str, ...]:
        """Every name of the server as text: hosts, then addresses."""
        return (*self.hosts, *map(str, self.addresses))


def parse_names(hosts: Iterable[str], addresses: Iterable[str]) -> ServerNames:
    """What an operator typed. Raises TlsError for what no certificate can carry."""
    return ServerNames(tuple(map(_host, hosts)), tuple(map(_address, addresses)))


def found_names() -> ServerNames:
    """What this machine calls itself: its host name, that name in `.local`, and the IPv4 address of each interface."""
    name = socket.gethostname().lower().split(".")[0]
    hosts = (f"{name}.local", name) if _HOST.fullmatch(name) and name != LOOPBACK_HOST else ()
    return ServerNames(hosts, tuple(address for address in _interface_addresses() if not address.is_loopback))


def _host(written: str) -> str:
    host = written.strip().lower().rstrip(".")
    if not _HOST.fullmatch(host) or re.fullmatch(r"[\d.]+", host):
        raise TlsError(f"{written!r} is no host name; expected one such as box.local, and addresses as --address")
    return host


def _address(written: str) -> Address:
    try:
        return ipaddress.ip_address(written.strip())
    except ValueError:
        raise TlsError(f"{written!r} is no IP address; expected one such as 192.168.1.10") from None


def _interface_addresses() -> Iterator[Address]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, interface in socket.if_nameindex():
            try:
                answer = fcntl.ioctl(asking.fileno(), _SIOCGIFADDR, struct.pack("256s", interface.encode()[:15]))
            except OSError:  # an interface without an IPv4 address
                continue
            yield ipaddress.IPv4Address(answer[20:24])
