"""A hazard's whole chain of events, from the ledger; and what the row says otherwise than the ledger does.

The row is what lists are made from; the ledger is what was signed. Where somebody changed the row behind the desk's
back (a find dated otherwise, a deadline moved) the two differ, and the page says so.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from kit.words import Words
from regulator.base.model.actor import Level
from regulator.base.model.hazard_states import HazardAction
from regulator.base.records.ledger import LedgerEntry, entries_about
from regulator.base.records.tables.hazards import hazard_deadlines
from regulator.parts.hazards.record import HazardRecord
from regulator.parts.hazards.sections import Section
from regulator.parts.hazards.words import DEADLINES, WORDS

EVENTS: Final[dict[str, Words]] = {
    **{f"hazard_{action.value}": WORDS[action] for action in HazardAction},
    "hazard_opened": Words("登记", "Opened"),
    "hazard_escalated": Words("逾期升级", "Handed up: overdue"),
    "deadline_started": Words("期限开始", "Deadline set"),
    "deadline_ended": Words("期限结束", "Deadline ended"),
    "deadline_warning": Words("到期预警", "Warning"),
    "deadline_overdue": Words("逾期", "Overdue"),
    "order_issued": Words("下达文书", "Order issued"),
    "order_seen": Words("现场已阅", "Seen by the site"),
    "order_handed_over": Words("文书转至另一监控主机", "Order moved to another box"),
    "reply_moved_nothing": Words("回复已留存，未改变状态", "Answer kept, nothing moved"),
    "document_issued": Words("文书签发", "Document issued"),
    "hazard_notified": Words("告知主要负责人", "Principals told"),
    "hazard_notice_read": Words("主要负责人已阅", "Read by a principal"),
    "evidence_viewed": Words("查看证据", "Evidence viewed"),
    "analogy_asked": Words("举一反三", "Look-alikes asked for"),
    "analogy_checked": Words("同类排查", "Look-alike checked"),
    "accident_receipt": Words("事故报送回执", "Receipt of the accident report"),
    "accident_follow_up": Words("事故后续", "Follow-up of the accident"),
    "supervision_proposed": Words("提请挂牌督办", "Listing proposed"),
}
_DETAILS: Final = (
    "number",
    "what",
    "level",
    "warning",
    "rule_zh",
    "outcome",
    "section",
    "due_day",
    "receipt_number",
    "override",
)
_CALLED: Final[dict[tuple[str, str], Words]] = {
    **{("what", kind.value): words for kind, words in DEADLINES.items()},
    **{("level", level.value): WORDS[level] for level in Level},
    **{("section", section.value): WORDS[section] for section in Section},
    ("outcome", "met"): Words("按期完成", "met"),
    ("outcome", "extended"): Words("已延期", "extended"),
    ("outcome", "void"): Words("不再计算", "void"),
    ("outcome", "granted"): Words("同意", "granted"),
    ("outcome", "refused"): Words("不同意", "refused"),
}
"""What a value of an entry is called; others stand as they are."""
DATED: Final = ("observed_at_ns", "opened_at_ns")


@dataclass(frozen=True, slots=True)
class ChainEvent:
    """One entry for people. `moved`: from and to, or empty. `digest` is the entry's own."""

    seq: int
    at_ns: int
    what: Words
    user_id: str
    name: str
    level: str
    for_whom: str
    moved: tuple[str, str]
    words: str
    detail: Words
    evidence: tuple[str, ...]
    digest: str


def chain_of(db: Connection, hazard_id: str) -> tuple[ChainEvent, ...]:
    """Everything that was done to it, oldest first."""
    return tuple(_event(entry) for entry in entries_about(db, hazard_id))


def contradictions(db: Connection, hazard: HazardRecord) -> tuple[str, ...]:
    """Names of what the rows say otherwise than the signed entries; empty when both agree."""
    entries = entries_about(db, hazard.hazard_id)
    opened = next((_content(each) for each in entries if each.fields["kind"] == "hazard_opened"), None)
    if opened is None:
        return ("hazard_opened",)
    wrong = [name for name in DATED if opened.get(name) != getattr(hazard, name)]
    signed = {
        str(each["deadline_id"]): each["due_at_ns"]
        for each in map(_content, entries)
        if "rule_zh" in each and "deadline_id" in each
    }
    rows = db.execute(select(hazard_deadlines).where(hazard_deadlines.c.hazard_id == hazard.hazard_id))
    wrong += [row.deadline_id for row in rows if signed.get(row.deadline_id) != row.due_at_ns]
    return tuple(wrong)


def _event(entry: LedgerEntry) -> ChainEvent:
    fields: dict[str, Any] = entry.fields
    actor, content, kind = fields["actor"], fields["content"], str(fields["kind"])
    moved = (str(content.get("from", "")), str(content.get("to", "")))
    return ChainEvent(
        seq=entry.seq,
        at_ns=fields["at_ns"],
        what=EVENTS.get(kind, Words(kind, kind)),
        user_id=actor["user_id"],
        name=actor["name"],
        level=actor["level"],
        for_whom=actor["on_behalf_of"],
        moved=moved if moved[0] != moved[1] else ("", ""),
        words=str(content.get("words") or content.get("reason") or ""),
        detail=_detail(content),
        evidence=tuple(content.get("evidence", content.get("blobs", ()))),
        digest=entry.sha256,
    )


def _detail(content: dict[str, Any]) -> Words:
    known = [(name, str(content[name])) for name in _DETAILS if content.get(name)]
    said = [_CALLED.get((name, value), Words(value, value)) for name, value in known if name != "rule_zh"]
    if rule := content.get("rule_zh"):
        said.append(Words(str(rule), str(content.get("rule_en") or rule)))
    return Words(" · ".join(each.zh for each in said), " · ".join(each.en for each in said))


def _content(entry: LedgerEntry) -> dict[str, Any]:
    content: dict[str, Any] = dict(entry.fields)["content"]  # type: ignore[assignment]
    return content
