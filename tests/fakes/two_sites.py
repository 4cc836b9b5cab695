"""Two enrolled boxes of two projects at one whole desk: for what one may say of the other's site.

site = TwoSites(database, key, clock, folder)     # box-1 of P-1 is honest, box-2 of P-2 speaks of P-1
before = site.of_the_honest()                     # every row of every table that is P-1's
"""

import asyncio
import base64
import hashlib
import threading
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from contract.canonical import canonical_bytes
from contract.chain import GENESIS, record_digest
from contract.mailbox import Order
from contract.signing import SignKey
from regulator.application import desk_app
from regulator.base.desk import Desk
from regulator.base.intake.reception import Answer, Reception, Request
from regulator.base.intake.store import ReceiverStore
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.schema import METADATA
from regulator.base.records.tables.fleet import pack_offers
from regulator.base.records.tables.hazards import hazard_orders, hazards
from regulator.base.records.tables.live import live_sessions, live_viewers
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.site import site_deliveries, site_notices
from regulator.base.settings import DeskSettings
from tests.fakes.contract_box import alarm_body
from tests.fakes.desk_database import DeskClock
from tests.fakes.desk_face import QUICK
from tests.fakes.docking_desk import docking_settings
from tests.fakes.docking_patterns import A
from tests.fakes.sending_box import SendingBox, reading

HONEST, OTHER = "P-1", "P-2"
ORDER, WARNING, OFFER, VIEW = "order-of-1", "warning-of-1", "offer-of-1", "view-of-1"
CLIP = b"a clip that only box-1 has"
CLIP_SHA256 = hashlib.sha256(CLIP).hexdigest()


class TwoSites:
    """`honest` and `other` are boxes without a wire. `hold_writer` keeps what is sent waiting, so that it is written
    together."""

    def __init__(self, database: DeskDatabase, key: SignKey, clock: DeskClock, folder: Path) -> None:
        self.database, self.clock = database, clock
        docking = docking_settings(folder, A, "https://127.0.0.1:1")
        settings = DeskSettings(
            database="sqlite://", blobs=str(folder / "blobs"), key_file=folder / "key", docking=(docking,)
        )
        self.desk = Desk(settings, database, key, clock)
        self.reception: Reception = desk_app(self.desk, QUICK).state.reception
        self.store = ReceiverStore(database, key, clock)
        for number, code in enumerate((HONEST, OTHER), 1):
            with database.transaction() as db:
                row = {"project_code": code, "name": code, "status": "running", "city_code": f"440{number}"}
                db.execute(insert(projects).values(**row))
        self.honest, self.other = self._box("box-1", HONEST), self._box("box-2", OTHER)

    def _box(self, box_id: str, project: str) -> SendingBox:
        code = self.store.issue_code(box_id, project)
        return SendingBox(self.reception, self.clock, box_id, project, code)

    async def open(self) -> None:
        """Both enrol; the honest site has one of everything."""
        self.reception.open()
        for box in (self.honest, self.other):
            assert (await box.enrol()).status == 200
        await self.honest.alarm()
        await self.honest.segment("clip", CLIP, "a:raised")
        await self.honest.record("one")
        with self.database.transaction() as db:
            db.execute(insert(hazards).values(**_row(hazards, hazard_id="hazard-1", project_code=HONEST)))
            order = {"order_id": ORDER, "hazard_id": "hazard-1", "project_code": HONEST, "box_id": "box-1"}
            db.execute(insert(hazard_orders).values(**_row(hazard_orders, **order)))
            notice = {"notice_id": WARNING, "version": 1, "kind": "weather_warning"}
            db.execute(insert(site_notices).values(**_row(site_notices, **notice)))
            told = {"notice_id": WARNING, "version": 1, "project_code": HONEST, "box_id": "box-1"}
            db.execute(insert(site_deliveries).values(**told))
            offer = {"offer_id": OFFER, "project_code": HONEST, "box_id": "box-1"}
            db.execute(insert(pack_offers).values(**_row(pack_offers, **offer)))
            view = {"request_id": VIEW, "project_code": HONEST, "box_id": "box-1", "until_ns": self.clock() * 2}
            db.execute(insert(live_sessions).values(**_row(live_sessions, **view)))
            watching = {"viewer_id": "v", "request_id": VIEW, "project_code": HONEST, "lease_until_ns": 2**62}
            db.execute(insert(live_viewers).values(**_row(live_viewers, **watching)))
            said = Order(
                order_id=ORDER, number="1", title_zh="整改", words="", legal_basis="", severity="P1", deadline_at_ns=1
            )
            self.message_id = self.desk.post(db, "box-1", "order", said, self.clock())

    def close(self) -> None:
        """Finish what is being written."""
        self.reception.close()

    def of_the_honest(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row that names its project or its box, by table."""
        found = {}
        with self.database.reading() as db:
            for name, table in METADATA.tables.items():
                mine = [
                    table.c[column] == value
                    for column, value in (("project_code", HONEST), ("box_id", "box-1"), ("chain", f"project:{HONEST}"))
                    if column in table.c
                ]
                rows = [tuple(row) for clause in mine for row in db.execute(select(table).where(clause))]
                found[name] = sorted(map(tuple, rows), key=str)
        return {name: rows for name, rows in found.items() if rows}

    async def together(self, sending: Iterable[Callable[[], Awaitable[Answer]]]) -> list[Answer]:
        """Send all at once while the writer is held: what may be written together is written together."""
        release, begun = threading.Event(), threading.Event()

        def hold(_db: Any) -> None:
            begun.set()
            assert release.wait(20)

        holding = self.reception._threads._writes.submit("", hold)
        assert await asyncio.to_thread(begun.wait, 20)
        answers = [asyncio.ensure_future(send()) for send in sending]
        while self.reception._threads._writes_waiting < len(answers):
            await asyncio.sleep(0)
        release.set()
        found = await asyncio.gather(*answers)
        holding.result(20)
        return list(found)


def _row(table: Any, **values: object) -> dict[str, object]:
    """A row with something in every column that has no default."""
    needed = (column for column in table.columns if column.server_default is None and not column.nullable)
    return {column.name: column.name for column in needed} | values


def sealed(box: SendingBox, kind: str, **content: object) -> dict[str, Any]:
    """The next record of the box's chain as an `evidence_record`."""
    prev = box.records[-1][1] if box.records else GENESIS
    fields: dict[str, Any] = {"seq": len(box.records) + 1, "prev": prev, "box_id": box.box_id, "kind": kind}
    text = canonical_bytes(fields | {"at_ns": box.clock(), "content": content})
    box.records.append((text.decode(), record_digest(text)))
    return {"record": text.decode(), "sha256": record_digest(text)}


def picture(event_id: str) -> dict[str, Any]:
    """A `thumbnail`."""
    content = b"\xff\xd8 a picture"
    said = {"camera_id": "cam-1", "captured_at_ns": 5, "media_type": "image/jpeg", "width_px": 16, "height_px": 9}
    said |= {"sha256": hashlib.sha256(content).hexdigest(), "event_id": event_id}
    return said | {"data_base64": base64.b64encode(content).decode()}


def alarm_of(project: str, transition: str, name: str = "b") -> tuple[str, dict[str, Any]]:
    """Key and body of an alarm that names a project."""
    key = f"{name}:{transition}"
    said = {"alarm_id": name, "transition": transition, "project_code": project, "raised_at_ns": 2, "user": "x"}
    return key, alarm_body(key, **said)


def beside(box: SendingBox, kind: str, body: dict[str, Any], digest: str, content: bytes = b"") -> Request:
    """What travels with its envelope in a header."""
    request = box.request(kind, kind, body)
    return Request(request.raw, request.signature, "/v1/beside", digest, reading(content))
