"""Where people log in from: addresses and browsers that are their own for a while after a login there.

In: rows of `seat`, written in the transaction of a login that is complete. Out: the seat of a caller. Whoever guesses
elsewhere does not slow down who sits here (`screens.guessing`).
"""

import hashlib
import sqlite3
from dataclasses import dataclass

from screens.guessing import MOST_SEATS, SEAT_NS, SHORTEST_BROWSER, network_of


@dataclass(frozen=True, slots=True)
class Caller:
    """Where somebody logs in from: an address, what the browser calls itself, and the cookie that the box gave it."""

    address: str
    agent: str = ""
    browser: str = ""

    @property
    def seats(self) -> tuple[str, ...]:
        """The browser first: it says more than the address. Kept as a digest: its cookie is nobody else's to know."""
        address = f"address:{network_of(self.address)}"
        if len(self.browser) < SHORTEST_BROWSER:
            return (address,)
        return f"browser:{hashlib.sha256(self.browser.encode()).hexdigest()[:32]}", address


def remember_seat(db: sqlite3.Connection, name: str, caller: Caller, now_ns: int) -> None:
    """A login was completed here. Whoever still owes a second factor has not completed one."""
    for seat in caller.seats:
        db.execute("INSERT OR REPLACE INTO seat VALUES (?, ?, ?)", (name, seat, now_ns))
    db.execute("DELETE FROM seat WHERE last_ns < ?", (now_ns - SEAT_NS,))
    db.execute(
        "DELETE FROM seat WHERE name = ? AND seat NOT IN"
        " (SELECT seat FROM seat WHERE name = ? ORDER BY last_ns DESC, seat LIMIT ?)",
        (name, name, MOST_SEATS),
    )
