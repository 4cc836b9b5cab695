"""Where people log in from: addresses and browsers that are their own for a while after a login there.

In: rows of `workplace`, written in the transaction of a login that is complete. Out: the workplaces of a caller.
Whoever guesses elsewhere does not slow down who sits here (`screens.guessing`).
"""

import hashlib
import sqlite3
from dataclasses import dataclass

from screens.guessing import MOST_WORKPLACES, SHORTEST_BROWSER, WORKPLACE_NS, network_of


@dataclass(frozen=True, slots=True)
class Caller:
    """Where somebody logs in from: an address, what the browser calls itself, and the cookie that the box gave it."""

    address: str
    agent: str = ""
    browser: str = ""

    @property
    def workplaces(self) -> tuple[str, ...]:
        """The browser first: it says more than the address. Kept as a digest: its cookie is nobody else's to know."""
        address = f"address:{network_of(self.address)}"
        if len(self.browser) < SHORTEST_BROWSER:
            return (address,)
        return f"browser:{hashlib.sha256(self.browser.encode()).hexdigest()[:32]}", address


def remember_workplace(db: sqlite3.Connection, name: str, caller: Caller, now_ns: int) -> None:
    """A login was completed here. Whoever still owes a second factor has not completed one."""
    for workplace in caller.workplaces:
        db.execute("INSERT OR REPLACE INTO workplace VALUES (?, ?, ?)", (name, workplace, now_ns))
    db.execute("DELETE FROM workplace WHERE last_ns < ?", (now_ns - WORKPLACE_NS,))
    db.execute(
        "DELETE FROM workplace WHERE name = ? AND workplace NOT IN"
        " (SELECT workplace FROM workplace WHERE name = ? ORDER BY last_ns DESC, workplace LIMIT ?)",
        (name, name, MOST_WORKPLACES),
    )
