"""Watch for missing events: a silent box, a gap that stays open, an unregistered project; and for wrong clocks.

In: the tables and now. Out: findings, opened, and closed by themselves once the cause is gone. A silent box is a
finding, not a zero: nothing here counts its alarms as none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from regulator.base.intake.findings import Finding, FindingKind, close_of, open_finding
from regulator.base.records.box_standing import IS_HEARD
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.intake import boxes, findings
from regulator.base.records.tables.registry import projects
from screens.formats import site_time

WATCH_EVERY_S = 60.0
GAP_LIMIT_S = 600
CLOCK_LIMIT_S = 60
"""Beyond what a slow way makes of a clock that is right."""
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
            unregistered, clocks = _unregistered(db), list(_wrong_clocks(db))
        self._agree(FindingKind.SILENT_BOX, silent, "设备恢复通信 the box is heard again", now_ns)
        self._agree(FindingKind.CHAIN_GAP, gaps, "缺失记录已补齐 the gap has healed", now_ns)
        self._agree(
            FindingKind.CLOCK_OFF, self._new_today(clocks, now_ns), "时钟已校正 the clock is right again", now_ns
        )
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

    def _new_today(self, there: Sequence[Finding], now_ns: int) -> list[Finding]:
        """Without those of boxes that had one today already and are in order since: one a box and day."""
        at, midnight = findings.c, site_time(now_ns).replace(hour=0, minute=0, second=0)
        with self.database.reading() as db:
            had = (
                at.kind == FindingKind.CLOCK_OFF,
                at.closed_at_ns > 0,
                at.opened_at_ns >= int(midnight.timestamp()) * SECOND_NS,
            )
            closed = set(db.scalars(select(at.subject).where(*had)))
        return [finding for finding in there if finding.subject not in closed]

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


def _wrong_clocks(db: Connection) -> Iterable[Finding]:
    at = boxes.c
    off = (at.clock_heard_at_ns > 0) & (func.abs(at.clock_offset_ns) >= CLOCK_LIMIT_S * SECOND_NS)
    for box in db.execute(select(boxes).where(off, IS_HEARD).order_by(at.box_id)).all():
        seconds = abs(box.clock_offset_ns) // SECOND_NS
        side_zh, side_en = ("快", "ahead") if box.clock_offset_ns > 0 else ("慢", "behind")
        zh = f"设备 {box.box_id} 的时钟比监管平台{side_zh} {seconds} 秒，其报警和读数的时间不可信"
        en = (
            f"the clock of {box.box_id} is {seconds} s {side_en}; the times of its alarms and readings are not reliable"
        )
        yield Finding(FindingKind.CLOCK_OFF, box.box_id, zh, en, box.project_code, box.box_id)


def _unregistered(db: Connection) -> set[str]:
    return set(db.scalars(select(projects.c.project_code).where(projects.c.status == "unregistered")))
