"""Watch for missing events: a silent box, a gap that stays open, an unregistered project.

In: the tables and now. Out: findings, opened, and closed by themselves once the cause is gone. A silent box is a
finding, not a zero: nothing here counts its alarms as none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from regulator.intake.findings import Finding, FindingKind, close_of, open_finding
from regulator.records.box_standing import IS_HEARD
from regulator.records.engine import DeskDatabase
from regulator.records.ledger import Ledger
from regulator.records.tables.intake import boxes, findings
from regulator.records.tables.registry import projects

WATCH_EVERY_S = 60.0
GAP_LIMIT_S = 600
SECOND_NS = 1_000_000_000


@dataclass(frozen=True, slots=True)
class WatchJob:
    """`silent_box_s`: how long a box may say nothing."""

    database: DeskDatabase
    ledger: Ledger
    silent_box_s: int

    def run(self, now_ns: int) -> None:
        """One round. A transaction a finding: when a whole province falls silent no box that is heard again waits for
        it, and nobody's chains are held in an order of their own."""
        with self.database.reading() as db:
            silent, gaps = list(self._silent(db, now_ns)), list(_gaps(db, now_ns))
            unregistered = _unregistered(db)
        self._agree(FindingKind.SILENT_BOX, silent, "设备恢复通信 the box is heard again", now_ns)
        self._agree(FindingKind.CHAIN_GAP, gaps, "缺失记录已补齐 the gap has healed", now_ns)
        registered = "项目已备案 the project was registered"
        self._close_gone(FindingKind.UNREGISTERED_PROJECT, unregistered, registered, now_ns)

    def _agree(self, kind: FindingKind, there: Sequence[Finding], because: str, now_ns: int) -> None:
        """Open what is there and close what is not any more."""
        opened = self._open_subjects(kind)
        for finding in there:
            if finding.subject not in opened:
                with self.database.transaction() as db:
                    open_finding(db, self.ledger, finding, now_ns)
        self._close_gone(kind, {finding.subject for finding in there}, because, now_ns)

    def _close_gone(self, kind: FindingKind, there: set[str], because: str, now_ns: int) -> None:
        for subject in sorted(self._open_subjects(kind) - there):
            with self.database.transaction() as db:
                close_of(db, self.ledger, kind, subject, because, now_ns)

    def _open_subjects(self, kind: FindingKind) -> set[str]:
        at = findings.c
        with self.database.reading() as db:
            return set(db.scalars(select(at.subject).where(at.kind == kind, at.closed_at_ns == 0)))

    def _silent(self, db: Connection, now_ns: int) -> Iterable[Finding]:
        limit = now_ns - self.silent_box_s * SECOND_NS
        silent = select(boxes).where(boxes.c.last_seen_ns < limit, IS_HEARD)
        for box in db.execute(silent.order_by(boxes.c.box_id)).all():
            minutes = self.silent_box_s // 60
            zh = f"设备 {box.box_id} 已超过 {minutes} 分钟没有任何消息，其报警数未知"
            en = f"{box.box_id} has not been heard for more than {minutes} min; its alarms are unknown"
            yield Finding(FindingKind.SILENT_BOX, box.box_id, zh, en, box.project_code, box.box_id)


def _gaps(db: Connection, now_ns: int) -> Iterable[Finding]:
    limit = now_ns - GAP_LIMIT_S * SECOND_NS
    old = (boxes.c.gap_since_ns > 0) & (boxes.c.gap_since_ns < limit)
    for box in db.execute(select(boxes).where(old, IS_HEARD).order_by(boxes.c.box_id)).all():
        zh = f"设备 {box.box_id} 的证据链从记录 {box.verified_seq + 1} 起缺失超过 {GAP_LIMIT_S // 60} 分钟"
        en = f"the chain of {box.box_id} misses record {box.verified_seq + 1} for more than {GAP_LIMIT_S // 60} min"
        yield Finding(FindingKind.CHAIN_GAP, box.box_id, zh, en, box.project_code, box.box_id)


def _unregistered(db: Connection) -> set[str]:
    return set(db.scalars(select(projects.c.project_code).where(projects.c.status == "unregistered")))
