"""The audit: who did what and when, read directly from the evidence chain.

In: a file that somebody else is writing, and what is asked. Out: entries, newest first, page by page. Each call opens a
connection of its own and may run in any thread. Machines' own records (a raise, a checkpoint, an instrument's zero) are
no entries.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import orjson

from gateway.evidence.evidence import RecordKind
from gateway.store.database import open_reader

SCANNED_AT_ONCE: Final = 100_000
"""Then the next page goes on: nobody waits for a chain of years."""
LAST_SEQ: Final = 2**62
_USER: Final = (
    "coalesce(json_extract(CAST(body AS TEXT), '$.content.user'),"
    " json_extract(CAST(body AS TEXT), '$.content.content.by'),"
    " json_extract(CAST(body AS TEXT), '$.content.operator'), '')"
)


class AuditGroup(StrEnum):
    """What entries are about."""

    ALARMS = "alarms"
    SERVICE = "service"
    ACCOUNTS = "accounts"
    CONFIGURATION = "configuration"
    READINGS = "readings"
    PAPERS = "papers"
    PICTURES = "pictures"


KINDS: Final[Mapping[AuditGroup, tuple[RecordKind, ...]]] = {
    AuditGroup.ALARMS: (RecordKind.TRANSITION, RecordKind.ALARM_NOTE),
    AuditGroup.SERVICE: (RecordKind.SERVICE,),
    AuditGroup.ACCOUNTS: (RecordKind.ACCOUNT,),
    AuditGroup.CONFIGURATION: (RecordKind.CONFIG_CHANGED, RecordKind.COMMISSIONED, RecordKind.CHANNEL_TEST),
    AuditGroup.READINGS: (RecordKind.HAND_READINGS, RecordKind.ASSET_EVENT),
    AuditGroup.PAPERS: (RecordKind.SAFETY_LOG, RecordKind.HANDOVER),
    AuditGroup.PICTURES: (
        RecordKind.MEDIA_VIEWED,
        RecordKind.MEDIA_CASE,
        RecordKind.CAMERA_SURVEY,
        RecordKind.CAMERA_SCORES,
    ),
}


@dataclass(frozen=True, slots=True)
class AuditQuestion:
    """Entries before `before_seq`, of one group or all, by people whose name holds `user`."""

    before_seq: int = LAST_SEQ
    group: AuditGroup | None = None
    user: str = ""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that somebody did, or (a failed login) tried. `action` is the record's own word within its kind."""

    seq: int
    at_ns: int
    kind: RecordKind
    action: str
    user: str
    subject: str
    title_zh: str
    title_en: str
    detail: str
    address: str
    count: int
    sha256: str


@dataclass(frozen=True, slots=True)
class AuditPage:
    """Entries, and where the next page begins; 0: there is no more."""

    entries: tuple[AuditEntry, ...]
    next_before_seq: int


class AuditReader:
    """Asks the chain in `path`; one page looks through `scanned_at_once` records at most."""

    def __init__(self, path: Path, scanned_at_once: int = SCANNED_AT_ONCE) -> None:
        self._path = path
        self._scanned_at_once = scanned_at_once

    def page(self, question: AuditQuestion, limit: int) -> AuditPage:
        """At most `limit` entries. A page may hold fewer, and none, though older ones follow: `next_before_seq` says
        so."""
        kinds = KINDS[question.group] if question.group else tuple(kind for each in KINDS.values() for kind in each)
        holders = ", ".join("?" for _ in kinds)
        reader = open_reader(self._path)
        try:
            newest = int(reader.execute("SELECT coalesce(max(seq), 0) FROM evidence").fetchone()[0])
            top = min(question.before_seq, newest + 1)
            lowest = max(1, top - self._scanned_at_once)
            rows = reader.execute(
                f"SELECT seq, at_ns, kind, sha256, body, {_USER} AS said FROM evidence"  # noqa: S608 - constants
                f" WHERE seq < ? AND seq >= ? AND kind IN ({holders})"
                " AND (said NOT IN ('', 'instrument') OR kind = ?) AND (? = '' OR instr(said, ?) > 0)"
                " ORDER BY seq DESC LIMIT ?",
                (top, lowest, *map(str, kinds), str(RecordKind.ACCOUNT), question.user, question.user, limit + 1),
            ).fetchall()
        finally:
            reader.close()
        entries = tuple(_entry(row) for row in rows[:limit])
        if len(rows) > limit:
            return AuditPage(entries, entries[-1].seq)
        return AuditPage(entries, lowest if lowest > 1 else 0)

    def all(self, question: AuditQuestion, most: int) -> Iterator[AuditEntry]:
        """Every entry, newest first, up to `most`; read as it is asked for."""
        before, left = question.before_seq, most
        while before and left > 0:
            page = self.page(AuditQuestion(before, question.group, question.user), min(1000, left))
            yield from page.entries
            before, left = page.next_before_seq, left - len(page.entries)


def _entry(row: Mapping[str, Any]) -> AuditEntry:
    content = orjson.loads(row["body"])["content"]
    alarm, inner = content.get("alarm") or {}, content.get("content") or {}
    names = ("subject", "target", "filed_under", "uplink", "asset", "sheet", "alarm_id")
    return AuditEntry(
        seq=row["seq"],
        at_ns=row["at_ns"],
        kind=RecordKind(row["kind"]),
        action=_first(content, ("event", "transition", "stage")),
        user=str(row["said"]),
        subject=str(alarm.get("subject") or _first(content, names)),
        title_zh=str(alarm.get("title_zh", "")),
        title_en=str(alarm.get("title_en", "")),
        detail=_first(content, ("reason", "detail", "file")) or str(inner.get("reason", "")),
        address=_first(content, ("address",)),
        count=int(content.get("count", 1)) if row["kind"] == RecordKind.ACCOUNT else 1,
        sha256=row["sha256"],
    )


def _first(content: Mapping[str, Any], names: tuple[str, ...]) -> str:
    """The first of these that says something."""
    return next((str(content[name]) for name in names if content.get(name)), "")
