"""A desk with one project in Hangzhou, its people, a mailbox that keeps what is posted, and photos on a shelf."""

import hashlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import BaseModel
from sqlalchemy import Connection, insert, select

from contract.mailbox import Order
from contract.signing import SignKey
from regulator.base.desk import Desk
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.hazard import Channel, Grade, HazardKind, NewHazard
from regulator.base.model.hazard_states import HazardAction, HazardState
from regulator.base.packs import load_packs
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.hazards import hazards
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.registry import devices, project_firms, projects
from regulator.base.settings import DeskSettings
from regulator.parts.hazards.catalogue_file import load_catalogue
from regulator.parts.hazards.evidence import NewEvidence, put_photo
from regulator.parts.hazards.office import HazardOffice
from regulator.parts.hazards.sections import Section
from regulator.parts.hazards.step import Ask
from regulator.parts.hazards.watch import HazardWatch
from regulator.parts.registry.rounds.from_hazards import note_cause
from tests.fakes.desk_database import HOUR_NS, DeskClock

COUNTY, CITY, PROVINCE = Scope(Level.COUNTY, "330106"), Scope(Level.CITY, "3301"), Scope(Level.PROVINCE, "33")
LI = Actor("li", "李工", COUNTY, frozenset({Duty.REVIEWER}))
WANG = Actor("wang", "王工", COUNTY, frozenset({Duty.REVIEWER, Duty.APPROVER}))
CHEN = Actor("chen", "陈工", CITY, frozenset({Duty.REVIEWER, Duty.APPROVER}))
ZHAO = Actor("zhao", "赵工", PROVINCE, frozenset({Duty.APPROVER}))
SITE = Actor("site", "项目部", Scope(Level.PROJECT, "p1"), frozenset({Duty.RESPONDER}))
AUDITOR = Actor("audit", "审计", PROVINCE, frozenset({Duty.AUDITOR}))
STRANGER = Actor("far", "外市", Scope(Level.CITY, "3302"), frozenset({Duty.REVIEWER, Duty.APPROVER}))
BOX = "box-p1"


class MemoryShelf:
    """Bytes by their digest."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, content: bytes, media_type: str) -> str:
        sha256 = hashlib.sha256(content).hexdigest()
        self.kept[sha256] = content
        return sha256

    def read(self, sha256: str) -> bytes:
        if sha256 not in self.kept:
            raise LookupError(sha256)
        if hashlib.sha256(self.kept[sha256]).hexdigest() != sha256:
            raise ValueError(sha256)
        return self.kept[sha256]

    def holds(self, sha256: str) -> bool:
        return sha256 in self.kept


@dataclass
class Posted:
    """What was put into boxes' mailboxes."""

    messages: list[tuple[str, str, BaseModel]] = field(default_factory=list)

    def __call__(self, db: Connection, box_id: str, kind: str, body: BaseModel, now_ns: int) -> str:
        if db.scalar(select(boxes.c.box_id).where(boxes.c.box_id == box_id)) is None:
            raise LookupError(box_id)
        self.messages.append((box_id, kind, body))
        return f"m{len(self.messages)}"

    @property
    def orders(self) -> list[Order]:
        return [body for _, kind, body in self.messages if kind == "order" and isinstance(body, Order)]


def photo(number: int = 0, kind: str = "JPEG") -> bytes:
    """A small picture whose width tells its number."""
    content = io.BytesIO()
    Image.new("RGB", (16 + number, 24), (200, 120, 90)).save(content, kind)
    return content.getvalue()


def register(database: DeskDatabase) -> None:
    """p1 and its firm's other works: p2 has a tower crane too, p3 has none; p4 is another firm's."""
    with database.transaction() as db:
        for code, county in [("p1", "330106"), ("p2", "330105"), ("p3", "330106"), ("p4", "330106")]:
            row = {"project_code": code, "name": f"项目 {code}", "province_code": "33", "city_code": "3301"}
            db.execute(insert(projects).values(**row, county_code=county))
        for code, firm in [("p1", "f1"), ("p2", "f1"), ("p3", "f1"), ("p4", "f2")]:
            db.execute(insert(project_firms).values(project_code=code, firm_code=firm, role="contractor"))
        for code in ("p1", "p2", "p4"):
            row = {"project_code": code, "device_code": "tc-1", "kind": "tower_crane", "name": "1 号塔吊"}
            db.execute(insert(devices).values(**row))
        db.execute(insert(boxes).values(box_id=BOX, project_code="p1", verified_sha256="0" * 64))


class HazardBench:
    """Does what people do, one transaction each."""

    def __init__(self, database: DeskDatabase, key: SignKey, clock: DeskClock, *packs: str) -> None:
        self.database, self.clock = database, clock
        self.shelf, self.posted = MemoryShelf(), Posted()
        settings = DeskSettings(database="sqlite://", blobs="unused", key_file=Path("unused"))
        self.desk = Desk(settings, database, key, clock, post=self.posted, shelf=self.shelf)
        self.desk.cause_listeners.append(note_cause)
        names = packs or ("national", "pack-zj-2021", "pack-gd-2023")
        self.office = HazardOffice(self.desk, load_packs(names), load_catalogue())
        self.watch = HazardWatch(database, self.office)
        self._photos = 0

    def photo(self) -> NewEvidence:
        """A new photo on the shelf."""
        self._photos += 1
        return put_photo(self.shelf, photo(self._photos), f"photo-{self._photos}.jpg")

    def found(self, **changes: object) -> NewHazard:
        """A general hazard found by an inspector an hour ago."""
        values: dict[str, object] = {
            "project_code": "p1",
            "channel": Channel.INSPECTION,
            "kind": HazardKind.HAZARD,
            "grade": Grade.GENERAL,
            "title_zh": "临边防护缺失",
            "title_en": "Edge rail missing",
            "place_id": "edge-3",
            "observed_at_ns": self.clock() - HOUR_NS,
            "event_key": "inspection/1",
        }
        return NewHazard(**(values | changes))  # type: ignore[arg-type]

    def open(self, actor: Actor = LI, reason: str = "", **changes: object) -> str:
        with self.database.transaction() as db:
            return self.office.open(db, self.found(**changes), actor, self.clock(), reason)

    def act(self, hazard_id: str, action: HazardAction, actor: Actor = LI, **what: object) -> HazardState:
        with self.database.transaction() as db:
            return self.office.act(db, hazard_id, Ask(action, **what), actor, self.clock())  # type: ignore[arg-type]

    def row(self, hazard_id: str) -> Any:
        with self.database.reading() as db:
            return db.execute(select(hazards).where(hazards.c.hazard_id == hazard_id)).one()

    def value(self, hazard_id: str, name: str) -> object:
        return getattr(self.row(hazard_id), name)

    def major(self, **changes: object) -> str:
        """A confirmed major hazard of a tower crane's safety device, ordered."""
        found = {"title_zh": "安全装置失效", "catalogue_code": "MH24-8-4", "catalogue_edition": "2024"}
        hazard_id = self.open(**(found | changes))
        self.act(hazard_id, HazardAction.CONFIRM, LI, grade_major=True)
        self.act(hazard_id, HazardAction.ORDER, LI)
        return hazard_id

    def put_right(self, hazard_id: str) -> None:
        """The site says so, with a photo."""
        self.act(hazard_id, HazardAction.SUBMIT, SITE, words="已整改", evidence=(self.photo(),))

    def sign_sections(self, hazard_id: str) -> None:
        """All four written by the site and signed by Wang."""
        for section in Section:
            told = {"section": section, "words": "见附件", "evidence": (self.photo(),)}
            self.act(hazard_id, HazardAction.WRITE_SECTION, SITE, **told)
            self.act(hazard_id, HazardAction.SIGN_SECTION, WANG, section=section)
