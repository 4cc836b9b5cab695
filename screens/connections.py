"""Which connections a web face keeps: how many, from whom, and for how long without a request.

A connection costs a file handle, and a box or desk that has none left can neither open a store nor call a regulator.
uvicorn has no time limit for a request that does not end, and none for the number of connections. Here:

    what the peer does                     what happens
    nothing, or a header without end       closed after `header_s`
    a header without measure               closed beyond `header_bytes`
    a body more slowly than agreed         closed after `body_grace_s` and a second for every `body_bytes_s`
    a body after its answer                closed after `header_s`
    one connection more than there may be  the oldest that has no request gives way; if all have one, it is refused
    waits for an answer, or gets one       nothing: a request that came whole is never cut, an event stream neither

The time in which we do not read is not counted. Of IPv6 the /64 is one address: so many are given to one line. In:
connections that tell what they do. Out: closed connections, and a log line for each. Knows no HTTP server and no pages.
"""

import logging
import resource
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, Protocol

from screens.guessing import network_of

logger = logging.getLogger(__name__)

MOST_AT_ONCE: Final = 25
"""So many connections are accepted, and so many closed, before the event loop does something else: alarms do not wait
for a crowd."""
TOO_SLOW: Final = 408
TOO_LARGE: Final = 431
NO_ROOM: Final = 503


@dataclass(frozen=True, slots=True)
class Limits:
    """`in_all` and `an_address` count connections. Grace and rate of a body are those of Apache's mod_reqtimeout."""

    in_all: int
    an_address: int
    header_s: float = 10.0
    header_bytes: int = 65_536
    body_grace_s: float = 20.0
    body_bytes_s: int = 500


def limits_of(most: int) -> Limits:
    """Half of the process's file handles, at most `most`: the other half is for stores, uplinks, devices and cameras.
    One address gets half of that."""
    in_all = min(most, handles() // 2)
    return Limits(in_all, in_all // 2)


def backlog() -> int:
    """How many connections the system may hand over at once, before the first of them is counted."""
    return min(1024, handles() // 8)


def handles() -> int:
    """How many file handles this process may have."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return 1_048_576 if soft == resource.RLIM_INFINITY else soft


class Phase(Enum):
    """What a connection does: its last request is answered; a request is to come, or its header comes; its body comes;
    the rest of a body comes that was answered already; it waits for an answer, or gets one."""

    IDLE = auto()
    HEADER = auto()
    BODY = auto()
    REST = auto()
    RUNNING = auto()


class Connection(Protocol):
    """What the door asks of a connection."""

    address: str
    waited_s: float
    """How long it is in its phase, as far as it was read."""
    received_bytes: int
    """In its phase."""

    @property
    def phase(self) -> Phase:
        """What the connection does now, one of `Phase`."""

    @property
    def is_read(self) -> bool:
        """Whether it is we who wait."""

    def end(self, status: int | None) -> None:
        """Answer with this status, unless an answer has begun, and close."""


class Door:
    """Every connection of a listener passes here. On one event loop."""

    def __init__(self, limits: Limits, is_proxy: Callable[[str], bool] = lambda _: False) -> None:
        """`is_proxy`: whether an address speaks for many, and may have all connections."""
        self.limits = limits
        self._is_proxy = is_proxy
        self._inside: dict[Connection, str] = {}
        self._networks: Counter[str] = Counter()
        self._slow: deque[Connection] = deque()
        self._swept_s: float | None = None

    @property
    def open(self) -> int:
        """How many connections are open at this moment."""
        return len(self._inside)

    def enter(self, connection: Connection) -> None:
        """One more came. When there is no room, it is ended."""
        if self._has_room(connection.address):
            network = self._inside[connection] = network_of(connection.address)
            self._networks[network] += 1
        else:
            self._end(connection, NO_ROOM, "too many connections")

    def leave(self, connection: Connection) -> None:
        """One is closed. Nothing happens for one that is gone already."""
        if connection not in self._inside:
            return
        network = self._inside.pop(connection)
        self._networks[network] -= 1
        if not self._networks[network]:
            del self._networks[network]

    def measure(self, connection: Connection) -> None:
        """It received something: a header without measure ends it."""
        if connection.phase is Phase.HEADER and connection.received_bytes > self.limits.header_bytes:
            self._end(connection, TOO_LARGE, "a request header without measure")

    def sweep(self, now_s: float) -> None:
        """Find what is too slow; to be called about once a second, with a time that never goes back."""
        passed_s = 0.0 if self._swept_s is None else now_s - self._swept_s
        self._swept_s = now_s
        for connection in self._inside:
            connection.waited_s += passed_s if connection.is_read else 0.0
        self._slow = deque(connection for connection in self._inside if self._too_slow(connection))

    def close_slow(self) -> None:
        """Close some of what the last sweep found; to be called several times a second."""
        for _ in range(min(MOST_AT_ONCE, len(self._slow))):
            connection = self._slow.popleft()
            reason = self._too_slow(connection)
            if reason and connection in self._inside:
                self._end(connection, TOO_SLOW if connection.received_bytes else None, reason)

    def _too_slow(self, connection: Connection) -> str:
        limits = self.limits
        if connection.phase in {Phase.HEADER, Phase.REST}:
            return "no whole request in time" if connection.waited_s > limits.header_s else ""
        allowed_s = limits.body_grace_s + connection.received_bytes / limits.body_bytes_s
        return "a body too slow" if connection.phase is Phase.BODY and connection.waited_s > allowed_s else ""

    def _has_room(self, address: str) -> bool:
        """Whether one more of this address may come in. Another one gives way for it, if need be and one can."""
        network = network_of(address)
        if self._networks[network] >= self.limits.an_address and not self._is_proxy(address):
            return self._make_room(network)
        return self.open < self.limits.in_all or self._make_room(None)

    def _make_room(self, network: str | None) -> bool:
        """End the oldest connection without a request, of this network if one is named: an idle one before one whose
        request is only to come."""
        giving_way: Connection | None = None
        for connection, its_network in self._inside.items():
            if network is not None and its_network != network:
                continue
            if connection.phase is Phase.IDLE:
                giving_way = connection
                break
            if connection.phase in {Phase.HEADER, Phase.REST} and giving_way is None:
                giving_way = connection
        if giving_way is not None:
            self._end(giving_way, None, "gave way to a newer one")
        return giving_way is not None

    def _end(self, connection: Connection, status: int | None, reason: str) -> None:
        logger.warning("event=connection_closed why=%r address=%s open=%d", reason, connection.address, self.open)
        self.leave(connection)
        connection.end(status)
