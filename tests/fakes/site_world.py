"""A small province for permits and warnings: four projects, three of them with boxes, a real mailbox, people."""

import hashlib
import json
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from contract.chain import GENESIS
from contract.messages import Acknowledged, EvidenceRecord, MailboxAck, MailboxMessage
from contract.signing import SignKey
from regulator.base.desk import Desk
from regulator.base.intake import mailbox as box_mail
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.heard import Heard
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.registry import projects
from regulator.base.settings import DeskSettings
from regulator.parts.site.hearing import SiteHearing
from regulator.parts.site.notice import Notice, new_permit, new_warning
from regulator.parts.site.office import NoticeOffice
from tests.fakes.desk_database import HOUR_NS, START_NS, DeskClock

REGIONS = {
    "p1": ("44", "4401", "440105"),
    "p2": ("44", "4401", "440106"),
    "p3": ("44", "4403", "440303"),
    "p4": ("44", "4401", "440105"),
}
BOXES = {"box-1": "p1", "box-2": "p2", "box-3": "p3"}
COUNTY, CITY, OTHER = Scope(Level.COUNTY, "440105"), Scope(Level.CITY, "4401"), Scope(Level.CITY, "4403")


def person(scope: Scope, duty: Duty = Duty.REVIEWER) -> Actor:
    """Somebody with one duty."""
    return Actor(f"u-{scope.code}-{duty.value}", f"监管{scope.code}", scope, frozenset({duty}))


def warning(**changes: Any) -> Notice:
    """An orange rainstorm warning for the three hours from the start on."""
    fields = {
        "kind": "rainstorm",
        "level": "orange",
        "source": "市气象台",
        "words": "3小时内降雨量将达50毫米以上",
        "valid_from_ns": START_NS,
        "valid_until_ns": START_NS + 3 * HOUR_NS,
    }
    return new_warning(fields | changes)


def permit(**changes: Any) -> Notice:
    """A climbing permit for crane-1."""
    fields = {
        "number": "2026-017",
        "work": "climbing",
        "asset": "crane-1",
        "place": "",
        "holder": "安装负责人",
        "issued_by": "县住建局",
        "reason": "第3次顶升",
        "valid_from_ns": START_NS,
        "valid_until_ns": START_NS + 8 * HOUR_NS,
    }
    return new_permit(fields | changes)


class SiteWorld:
    """`office` over a database with REGIONS and BOXES."""

    def __init__(self, database: DeskDatabase, key: SignKey, clock: DeskClock) -> None:
        settings = DeskSettings(database=str(database.url), blobs="unused", key_file=Path("unused"))
        self.desk = Desk(settings, database, key, clock)
        self.database, self.clock, self._key = database, clock, key
        self.desk.post = lambda db, box_id, kind, body, now_ns: box_mail.post(db, box_id, kind, body, key, now_ns)
        self.office = NoticeOffice(self.desk)
        self.hearing = SiteHearing(self.desk.ledger)
        with database.transaction() as db:
            for code, (province, city, county) in REGIONS.items():
                row = {"project_code": code, "name": f"工程 {code}", "province_code": province, "city_code": city}
                db.execute(insert(projects).values(**row, county_code=county))
        for box_id, code in BOXES.items():
            self.enrol(box_id, code)

    def enrol(self, box_id: str, code: str) -> None:
        """One more box."""
        row = {"box_id": box_id, "project_code": code, "verified_sha256": GENESIS}
        with self.database.transaction() as db:
            db.execute(insert(boxes).values(**row))

    def mail(self, box_id: str) -> list[MailboxMessage]:
        """What waits for a box."""
        with self.database.reading() as db:
            signed = box_mail.waiting(db, box_id, 100)
        return [MailboxMessage.model_validate_json(each.text) for each in signed]

    def box_keeps(self, box_id: str, outcome: str = "kept") -> None:
        """The box acknowledges all that waits."""
        done = [
            Acknowledged.model_validate({"message_id": m.message_id, "outcome": outcome}) for m in self.mail(box_id)
        ]
        with self.database.transaction() as db:
            box_mail.acknowledge(db, box_id, MailboxAck(messages=tuple(done)), self.clock())

    def hears(self, box_id: str, kind: str = "weather_warning", **content: Any) -> None:
        """A sealed record of a box arrives."""
        said = {"event": "acknowledged", "user": "安全员 (an)", "words": "已停工", "version": 1} | content
        record = json.dumps({"seq": 7, "kind": kind, "at_ns": self.clock(), "content": said}, separators=(",", ":"))
        body = EvidenceRecord(record=record, sha256=hashlib.sha256(record.encode()).hexdigest())
        with self.database.transaction() as db:
            self.hearing.hear(db, Heard(box_id, BOXES.get(box_id, ""), body, "k"), self.clock())

    def count(self, table: Any) -> int:
        """Rows of a table."""
        with self.database.reading() as db:
            return len(db.execute(select(table)).all())
