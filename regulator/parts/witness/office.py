"""Publishing the head of each day, and having it stamped.

    every ten minutes   a new day: heads and ledger are held against each other, then the day's head is published
                        a newest head without a stamp: the authority is asked, outside any transaction

In: the desk. Out: heads, stamps, and findings: `head_broken` where the ledger no longer agrees with a head,
`head_unstamped` while the authority gives no stamp (closed by itself with the next one). A stamp on a head covers the
days before it, so only the newest is asked for.
"""

import base64
import hashlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, Row, exists, insert, select

from contract.canonical import Canonical
from regulator.base.intake.findings import Finding, FindingKind, close_of, open_finding
from regulator.base.model.actor import SYSTEM
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.tables.witness import witness_stamps
from regulator.base.settings import WitnessSettings
from regulator.parts.witness.heads import CHAIN, Head, HeadFault, head_faults, head_of, newest_head, publish_head
from regulator.parts.witness.stamping import Stamp, StampError, TimeStamper

log = logging.getLogger(__name__)
EVERY_S: Final = 600.0
HEAD_STAMPED: Final = "head_stamped"
LATE_NS: Final = 3_600_000_000_000
"""How long after the next head a stamp may be made: two replicas, and the difference of clocks."""


def time_stamper(settings: WitnessSettings | None) -> TimeStamper | None:
    """The authority of the desk's file. Raises OSError or ValueError for its certificates."""
    return TimeStamper(settings.url, settings.ca_file, settings.timeout_s) if settings is not None else None


@dataclass(frozen=True, slots=True)
class WitnessJob:
    """`stamper` None: heads are published and printed, nobody stamps them."""

    database: DeskDatabase
    ledger: Ledger
    stamper: TimeStamper | None

    def run(self, now_ns: int) -> None:
        """Do one round of this job at this moment."""
        with self.database.transaction() as db:
            head = publish_head(db, self.ledger, now_ns)
        if head is not None:
            log.info("event=head_published day=%s number=%d code=%r", head.day, head.number, head.code)
            self._look(now_ns)
        if self.stamper is not None:
            self._stamp(self.stamper, now_ns)

    def _look(self, now_ns: int) -> None:
        with self.database.reading() as db:
            faults = list(head_faults(db))
        for fault in faults:
            with self.database.transaction() as db:
                finding = Finding(FindingKind.HEAD_BROKEN, fault.at, fault.text_zh, fault.text_en)
                open_finding(db, self.ledger, finding, now_ns)

    def _stamp(self, stamper: TimeStamper, now_ns: int) -> None:
        with self.database.reading() as db:
            head = newest_head(db)
            if head is None or _stamped(db, head, stamper.url):
                return
        try:
            stamp = stamper.stamp(head.body.encode())
        except StampError as error:
            log.warning("event=head_unstamped day=%s authority=%s reason=%r", head.day, stamper.url, str(error))
            zh = f"{head.day} 的台账日摘要未取得时间戳（{stamper.url}）：{error}"
            en = f"the ledger's head of {head.day} has no time stamp ({stamper.url}): {error}"
            with self.database.transaction() as db:
                finding = Finding(FindingKind.HEAD_UNSTAMPED, stamper.url, zh, en)
                open_finding(db, self.ledger, finding, now_ns)
            return
        with self.database.transaction() as db:
            keep_stamp(db, self.ledger, head, stamper.url, stamp, now_ns)
            because = "已取得时间戳 a time stamp was given"
            close_of(db, self.ledger, FindingKind.HEAD_UNSTAMPED, stamper.url, because, now_ns)


def keep_stamp(db: Connection, ledger: Ledger, head: Head, authority: str, stamp: Stamp, now_ns: int) -> None:
    """Once: a second replica's goes."""
    ledger.hold(db, CHAIN)
    if _stamped(db, head, authority):
        return
    row = {"number": head.number, "authority": authority, "stamped_at_ns": stamp.stamped_at_ns}
    db.execute(insert(witness_stamps), row | {"token_base64": base64.b64encode(stamp.token).decode()})
    said: dict[str, Canonical] = {"number": head.number, "authority": authority, "stamped_at_ns": stamp.stamped_at_ns}
    said |= {"sha256": hashlib.sha256(stamp.token).hexdigest()}
    ledger.append(db, Deed(HEAD_STAMPED, head.day, said, chain=CHAIN), SYSTEM, now_ns)


def stamps_of(db: Connection, number: int) -> "list[Row[tuple[int, str, int, str]]]":
    """Rows of a head's stamps, by authority."""
    at = witness_stamps.c
    return list(db.execute(select(witness_stamps).where(at.number == number).order_by(at.authority)))


def stamp_faults(db: Connection, stamper: TimeStamper) -> Iterator[HeadFault]:
    """Stamps of this authority that do not hold over their heads, or were made after their day: a head that was
    written anew can be stamped again, but not for a time that has passed."""
    at = witness_stamps.c
    for row in db.execute(select(witness_stamps).where(at.authority == stamper.url).order_by(at.number)).all():
        head, following = head_of(db, row.number), head_of(db, row.number + 1)
        fault = _fault_of(stamper, row, head)
        if not fault and following is not None and row.stamped_at_ns > following.at_ns + LATE_NS:
            fault = "it was made after its day"
        if fault:
            zh = f"第 {row.number} 期台账日摘要的时间戳不成立"
            yield HeadFault(f"stamp {row.number}", zh, f"the time stamp on head {row.number} does not hold: {fault}")


def _fault_of(stamper: TimeStamper, row: "Row[tuple[int, str, int, str]]", head: Head | None) -> str:
    if head is None:
        return "the head is gone"
    try:
        stamp = stamper.check(base64.b64decode(row.token_base64), head.body.encode())
    except (StampError, ValueError) as error:
        return str(error)
    return "" if stamp.stamped_at_ns == row.stamped_at_ns else "it names another time"


def _stamped(db: Connection, head: Head, authority: str) -> bool:
    mine = (witness_stamps.c.number == head.number) & (witness_stamps.c.authority == authority)
    return bool(db.scalar(select(exists().where(mine))))
