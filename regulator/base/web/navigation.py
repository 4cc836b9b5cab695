"""The bar of the desk: groups of pages, and beneath them the pages of the group that somebody is in.

In: which routes exist, who looks, the address. Out: groups to render. A group of which somebody sees one page is that
page; one of which nothing is to be seen is not there.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from regulator.base.model.actor import Duty


@dataclass(frozen=True, slots=True)
class NavigationEntry:
    """A page in the bar. Shown once its route exists, to whoever holds one of `duties` (empty: to all). `group`: under
    which word; `beside`: addresses of pages that have no entry of their own and belong to this one."""

    path: str
    text: str
    group: str = ""
    duties: frozenset[Duty] = frozenset()
    beside: tuple[str, ...] = ()

    def leads_to(self, address: str) -> bool:
        """Whether an address is this page or one below it."""
        if self.path == "/":
            return address == "/"
        return any(address == path or address.startswith(f"{path}/") for path in (self.path, *self.beside))


_KEEPERS: Final = frozenset({Duty.ADMINISTRATOR})
_AUDITORS: Final = frozenset({Duty.ADMINISTRATOR, Duty.AUDITOR})
_JUDGES: Final = frozenset({Duty.REVIEWER, Duty.APPROVER, Duty.INSPECTOR})
_LOOP: Final = "Closing hazards"
_REGISTER: Final = "Register and set"
_SUPERVISION: Final = "Differentiated supervision"
_FIGURES: Final = "Figures and reports"
_OPERATION: Final = "Operation and audit"
NAVIGATION: Final = (
    NavigationEntry("/", "Overview"),
    NavigationEntry("/wall", "Projects", beside=("/live",)),
    NavigationEntry("/review", "Review", "", _JUDGES, ("/samples",)),
    NavigationEntry("/hazards", "Hazards", _LOOP, beside=("/accidents",)),
    NavigationEntry("/supervision", "Supervision board", _LOOP),
    NavigationEntry("/documents", "Documents", _LOOP),
    NavigationEntry("/verify", "Verify evidence", _LOOP, beside=("/witness",)),
    NavigationEntry("/projects", "Project register", _REGISTER, beside=("/import", "/regions", "/guarantors")),
    NavigationEntry("/set", "The project set", _REGISTER),
    NavigationEntry("/coverage", "Coverage", _REGISTER),
    NavigationEntry("/permits", "Permits and warnings", _REGISTER),
    NavigationEntry("/rounds", "Rounds", _SUPERVISION, beside=("/key-risks",)),
    NavigationEntry("/risk", "Risk scores", _SUPERVISION),
    NavigationEntry("/draws", "Random draws", _SUPERVISION),
    NavigationEntry("/calendar", "Calendar", _SUPERVISION, beside=("/themes", "/safety-logs")),
    NavigationEntry("/statistics", "Statistics", _FIGURES),
    NavigationEntry("/reports", "Reports", _FIGURES),
    NavigationEntry("/findings", "Findings", _OPERATION),
    NavigationEntry("/fleet", "Fleet", _OPERATION),
    NavigationEntry("/docking", "Docking", _OPERATION),
    NavigationEntry("/people", "People", _OPERATION, _KEEPERS),
    NavigationEntry("/audit", "Audit", _OPERATION, _AUDITORS),
)


@dataclass(frozen=True, slots=True)
class NavigationGroup:
    """A word in the bar, where it leads, and its pages; `current`: somebody is on one of them."""

    text: str
    entries: tuple[NavigationEntry, ...]
    current: NavigationEntry | None

    @property
    def path(self) -> str:
        """Its first page."""
        return self.entries[0].path


def navigation_of(known: Collection[str], has: Callable[..., bool], address: str) -> list[NavigationGroup]:
    """The bar. `known`: routes that exist; `has(*duties)`: whether who looks holds one of them."""
    shown = [entry for entry in NAVIGATION if entry.path in known and (not entry.duties or has(*entry.duties))]
    words = list(dict.fromkeys(entry.group or entry.text for entry in shown))
    return [_group(word, [entry for entry in shown if (entry.group or entry.text) == word], address) for word in words]


def _group(word: str, entries: list[NavigationEntry], address: str) -> NavigationGroup:
    current = next((entry for entry in entries if entry.leads_to(address)), None)
    return NavigationGroup(word if len(entries) > 1 else entries[0].text, tuple(entries), current)
