"""The alarms as pages list them: which list an alarm stands on, in which order, and what is folded below what.

In: rows of the read model, the family of each rule, what people have said. Out: rows and groups for templates. Pure:
knows no request and no clock.

Lists. Each open alarm stands on exactly one. What is suppressed, out of service or shelved stands on that list; of the
rest, what speaks of the measuring (and not of the machine) stands among the diagnostics, so that it never buries a
crane's alarm: severity log, and rules of the families silence, loss, flat line, impossible and change count, or whose
id names a sensor or a logger. A P1, and what makes a major hazard suspected, is never a diagnostic.

Groups. Alarms that followed another of the same asset within seconds are folded below it, the cause on top. A P1 is
never folded away, nor is anything graver than its cause.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from gateway.alarms.judgements import Judgement
from gateway.model.alarm import Severity
from gateway.model.rule import RuleFamily
from gateway.web.read_model import Row

PAGE_ROWS = 100
DIAGNOSTIC_FAMILIES = frozenset(
    {RuleFamily.SILENCE, RuleFamily.LOSS, RuleFamily.FLAT_LINE, RuleFamily.IMPOSSIBLE, RuleFamily.CHANGE_COUNT}
)
DIAGNOSTIC_WORDS = frozenset({"sensor_fault", "logger", "sensor"})


class Tab(StrEnum):
    """A list of S2; values are those of the address."""

    UNACKNOWLEDGED = "unacknowledged"
    ACKNOWLEDGED = "acknowledged"
    RETURNED = "returned"
    SHELVED = "shelved"
    OUT_OF_SERVICE = "out_of_service"
    DIAGNOSTICS = "diagnostics"
    SUPPRESSED = "suppressed"
    HISTORY = "history"


@dataclass(frozen=True, slots=True)
class AlarmGroup:
    """A row of the list, and the rows that are folded below it, in the order in which they began. `cause` is the alarm
    that it followed, where that stands on the same list and this one is too grave to be folded."""

    row: Row
    followers: tuple[Row, ...] = ()
    cause: Row | None = None


@dataclass(frozen=True, slots=True)
class AlarmPage:
    """One page of a list; `pages` counts from 1."""

    groups: tuple[AlarmGroup, ...]
    page: int
    pages: int
    total: int


def is_diagnostic(row: Row, family: RuleFamily | None) -> bool:
    """Whether an alarm speaks of the measuring rather than of the machine."""
    if row["severity"] == Severity.P1 or row["hazard"]:
        return False
    words = DIAGNOSTIC_WORDS.intersection(row["rule_id"].split("."))
    return row["severity"] == Severity.LOG or family in DIAGNOSTIC_FAMILIES or bool(words)


def tab_of(row: Row, family: RuleFamily | None) -> Tab:
    """The one list on which an open alarm stands."""
    if row["suppressed"] or row["withheld"]:
        return Tab.SUPPRESSED
    if row["out_of_service"]:
        return Tab.OUT_OF_SERVICE
    if row["shelved"]:
        return Tab.SHELVED
    if is_diagnostic(row, family):
        return Tab.DIAGNOSTICS
    if row["acknowledged"]:
        return Tab.ACKNOWLEDGED
    return Tab.UNACKNOWLEDGED if row["active"] else Tab.RETURNED


def by_tab(rows: Iterable[Row], family_of: Mapping[str, RuleFamily]) -> dict[Tab, list[Row]]:
    """The open alarms by list."""
    lists: dict[Tab, list[Row]] = {tab: [] for tab in Tab}
    for row in rows:
        lists[tab_of(row, family_of.get(row["rule_id"]))].append(row)
    return lists


def grouped(rows: Sequence[Row]) -> list[AlarmGroup]:
    """Followers below the alarm that came first, when both are on this list; gravest first, then newest."""
    on_list = {row["alarm_id"]: row for row in rows}
    followers: dict[str, list[Row]] = {}
    for row in rows:
        if _folds(row, on_list.get(row["first_out_id"])):
            followers.setdefault(row["first_out_id"], []).append(row)
    folded = {row["alarm_id"] for each in followers.values() for row in each}
    tops = sorted((row for row in rows if row["alarm_id"] not in folded), key=_urgency)
    return [
        AlarmGroup(row, tuple(sorted(followers.get(row["alarm_id"], ()), key=_began)), on_list.get(row["first_out_id"]))
        for row in tops
    ]


def page_of(rows: Sequence[Row], wanted: int) -> AlarmPage:
    """One page of groups; a page that no longer exists is the last one."""
    groups = grouped(rows)
    pages = max(1, -(-len(groups) // PAGE_ROWS))
    page = min(max(1, wanted), pages)
    start = (page - 1) * PAGE_ROWS
    return AlarmPage(tuple(groups[start : start + PAGE_ROWS]), page, pages, len(rows))


def with_words(row: Row, asset_titles: Mapping[str, tuple[str, str]], judgement_of: Callable[[str], Judgement]) -> Row:
    """A row with the names of its asset and what people have said of it."""
    zh, en = asset_titles.get(row["asset"], (row["asset"], row["asset"]))
    return {
        **row,
        "asset_zh": zh or row["subject"],
        "asset_en": en or row["subject"],
        "judgement": judgement_of(row["alarm_id"]),
        "together": may_go_together(row),
    }


def may_go_together(row: Row) -> bool:
    """Whether it may be acknowledged together with others: never a P1, and only what waits for it."""
    waits = not row["acknowledged"] and not row["suppressed"] and not row["withheld"]
    return waits and row["severity"] != Severity.P1


def waiting(rows: Iterable[Row]) -> int:
    """How many of these nobody has acknowledged. A log entry asks nobody for anything."""
    return sum(not row["acknowledged"] and row["severity"] != Severity.LOG for row in rows)


def _folds(row: Row, cause: Row | None) -> bool:
    if cause is None or cause is row or row["severity"] == Severity.P1:
        return False
    return bool(row["severity"] >= cause["severity"])  # "P1" < "P2" < "P3" < "log"


def _began(row: Row) -> int:
    return int(row["raised_at_ns"])


def _urgency(row: Row) -> tuple[str, int]:
    return row["severity"], -row["raised_at_ns"]
