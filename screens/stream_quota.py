"""How many event streams may be open: in all, for one login and for one address, so that nobody takes them all.

In: who wants to listen. Out: why not, in both languages, or None. A stream that is over the limit is refused and those
that are open stay: a page that gave way would come back at once, and throw out another. Knows no page and no account.
"""

from collections import Counter
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from screens.guessing import network_of


@dataclass(frozen=True, slots=True)
class Watcher:
    """Who listens. `login`: of a person, a wall screen or a token; empty for one who has none. `address`: counted by
    its network, of IPv6 the /64."""

    login: str = ""
    address: str = ""


NOBODY: Final = Watcher()
"""Counts in all alone."""


@dataclass(frozen=True, slots=True)
class Room:
    """The most streams: in all, for one login, for one address."""

    in_all: int
    a_login: int
    an_address: int


class Limit(Enum):
    """Which limit is full: of all, of a login or of an address."""

    IN_ALL = auto()
    A_LOGIN = auto()
    AN_ADDRESS = auto()


class Quota:
    """Counts who is in: the streams of a face, or any other thing that each may have a share of. On one event loop."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self._logins: Counter[str] = Counter()
        self._networks: Counter[str] = Counter()
        self.open = 0

    def full(self, who: Watcher) -> Limit | None:
        """What leaves no room for one more, None when there is room."""
        found = None
        if self.open >= self.room.in_all:
            found = Limit.IN_ALL
        elif who.login and self._logins[who.login] >= self.room.a_login:
            found = Limit.A_LOGIN
        elif who.address and self._networks[network_of(who.address)] >= self.room.an_address:
            found = Limit.AN_ADDRESS
        return found

    def enter(self, who: Watcher) -> bool:
        """Count one more; False, and nothing is counted, when there is no room."""
        if self.full(who) is not None:
            return False
        self.open += 1
        self._logins[who.login] += 1
        self._networks[network_of(who.address)] += 1
        return True

    def leave(self, who: Watcher) -> None:
        """Note that somebody who had entered is gone."""
        self.open -= 1
        for counter, name in ((self._logins, who.login), (self._networks, network_of(who.address))):
            counter[name] -= 1
            if not counter[name]:
                del counter[name]


class StreamQuota(Quota):
    """The same, with words about event streams."""

    def refusal(self, who: Watcher) -> tuple[str, str] | None:
        """Why one more is too many: a sentence in Chinese and one in English; None when there is room."""
        room = self.room
        match self.full(who):
            case Limit.IN_ALL:
                return "同时打开的页面过多", f"too many pages are listening already: expected at most {room.in_all}"
            case Limit.A_LOGIN:
                zh = f"您的账号同时打开的实时页面过多（上限 {room.a_login}），请先关闭其他页面"
                return zh, f"this login listens with too many pages: expected at most {room.a_login}, close one first"
            case Limit.AN_ADDRESS:
                zh = f"同一地址同时打开的实时页面过多（上限 {room.an_address}）"
                return zh, f"too many pages listen from this address: expected at most {room.an_address}"
            case None:
                return None
