"""A running desk with something of everything that its API tells: alarms to judge, hazards, a set with tiles, a draw.

with published_desk(folder, url) as desk:
    desk.client.hazards()          # somebody with every duty at the province
    reply = desk.ask("GET", "/api/wall/tiles")
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert

from contract.client import DeskClient
from regulator.base.kinds import Category
from regulator.base.model.actor import Duty
from regulator.base.model.hazard import Channel, Grade, HazardKind, NewHazard
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.project_set import set_memberships
from regulator.parts.hazards.opening import open_hazard
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import PASSWORD, PROVINCE, DeskFace
from tests.fakes.review_world import BOX, REGIONS, ReviewWorld

LOGIN = "everybody"
BOXES = [[10, 20, 110, 220, 1, 913, 7]]
ALARMS = 6


class PublishedDesk:
    """The desk, what lies in it, and a program that has logged in."""

    def __init__(self, face: DeskFace) -> None:
        self.face, self.url = face, face.url
        assert isinstance(face.clock, DeskClock)
        self.clock = face.clock
        self.client = DeskClient(face.url)
        self.world = ReviewWorld(face.database, face.desk.ledger, face.clock)
        self.items = [self._alarm(f"alarm-{number}") for number in range(ALARMS)]
        self._set()
        self.hazard = self._hazard()
        face.add(LOGIN, "全职", [(PROVINCE, list(Duty))])
        self.work()
        self.client.log_in(LOGIN, PASSWORD)
        self.page = httpx.Client(base_url=face.url, cookies=dict(self.client.cookies), timeout=30, trust_env=False)

    def ask(self, method: str, path: str, **parts: Any) -> httpx.Response:
        """One request as the program that has logged in; `parts` as httpx takes them."""
        return self.page.request(method, path, **parts)

    def submit(self, path: str, **fields: object) -> httpx.Response:
        """A form with its token."""
        return self.ask("POST", path, data={"csrf": self.csrf} | fields)

    @property
    def csrf(self) -> str:
        """The token of every form of this login."""
        found = self.page.get("/me", headers={"accept": "text/html"}).text
        return found.partition('name="csrf" value="')[2][:64]

    def work(self) -> None:
        """Every job once."""
        for job in self.face.desk.jobs:
            job.run(self.clock())

    def _alarm(self, name: str) -> str:
        item = self.world.queue_alarm(name)
        self.world.picture(name, f"{name:0<64}".replace("-", "0"), BOXES)
        self.world.thumbnail(name)
        return item

    def _set(self) -> None:
        same = {"set_code": "province", "category": Category.OTHER.value, "from_day": "2025-01-01", "added_by": "t"}
        stays = [{"membership_id": p, "project_code": p, "city_code": at[1], **same} for p, at in REGIONS.items()]
        with self.face.database.transaction() as db:
            db.execute(insert(set_memberships), stays)
            box = {"box_id": BOX, "project_code": "p1", "last_seen_ns": self.clock(), "verified_sha256": "0" * 64}
            db.execute(insert(boxes).values(**box))

    def _hazard(self) -> str:
        actor, now_ns = self.face.actor(Duty.REVIEWER), self.clock()
        kind, grade = HazardKind.HAZARD, Grade.GENERAL
        new = NewHazard("p1", Channel.INSPECTION, kind, grade, "临边无防护", "Edge unprotected", "3F", now_ns, "key-1")
        with self.face.database.transaction() as db:
            return open_hazard(db, self.face.desk.ledger, new, actor, now_ns)


@contextmanager
def published_desk(folder: Path, url: str = "") -> Iterator[PublishedDesk]:
    """Started, with all of that; ended in the end. `url`: of a migrated database; else a file of its own."""
    with DeskFace(folder, DeskClock(), url=url) as face:
        desk = PublishedDesk(face)
        try:
            yield desk
        finally:
            desk.page.close()
            desk.client.close()
