"""A small province for the review desk's tests: two projects, people, alarms as the intake keeps them, items.

world = ReviewWorld(database, ledger, clock)
item = world.queue_alarm("a1", severity="P2")
world.judge(world.ling, item, "true")
"""

import base64
import hashlib
import json
from typing import Any

from sqlalchemy import insert, select, update

from contract.messages import AlarmTransition
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.heard import Heard
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.intake import alarm_media, alarms, items
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.review import review_items, review_pictures
from regulator.parts.hazards.opening import open_hazard
from regulator.parts.review.arrivals import Arrivals, facts_of
from regulator.parts.review.funnel import Funnel, Stage, load_funnel
from regulator.parts.review.items import enqueue_all, item_id_of
from regulator.parts.review.judgement import Judgement, read_judgement
from regulator.parts.review.leases import take_lease
from regulator.parts.review.verdicts import Judged, Verdicts
from regulator.twins.picture import drawn_picture
from tests.fakes.desk_database import DeskClock

BOX = "box-1"
REGIONS = {"p1": ("44", "4401", "440105"), "p2": ("44", "4401", "440106"), "p3": ("44", "4403", "440303")}


def reviewer(user_id: str, name: str, scope: Scope, *duties: Duty, on_behalf_of: str = "") -> Actor:
    """A person; without duties a reviewer."""
    return Actor(user_id, name, scope, frozenset(duties or {Duty.REVIEWER}), on_behalf_of)


def heard_of(row: dict[str, Any], message: AlarmTransition) -> Heard:
    """A transition of an alarm's box, as the review hears it."""
    return Heard(row["box_id"], row["project_code"], message, message.event_id)


class ReviewWorld:
    """`ling` and `zhao` review for the city that holds p1 and p2, `wei` for another one."""

    def __init__(self, database: DeskDatabase, ledger: Ledger, clock: DeskClock) -> None:
        self.database, self.ledger, self.clock = database, ledger, clock
        self.verdicts = Verdicts(ledger, open_hazard)
        self.arrivals = Arrivals(load_funnel(), ledger, ("P1", "P2"))
        city = Scope(Level.CITY, "4401")
        self.ling = reviewer("u-ling", "凌一", city)
        self.zhao = reviewer("u-zhao", "赵二", city)
        self.wei = reviewer("u-wei", "魏三", Scope(Level.CITY, "4403"))
        with database.transaction() as db:
            for code, (province, cities, county) in REGIONS.items():
                row = {"project_code": code, "name": f"工程 {code}", "province_code": province, "city_code": cities}
                db.execute(insert(projects).values(**row, county_code=county))

    def use(self, funnel: Funnel, to_review: tuple[str, ...] = ("P1", "P2")) -> None:
        """Another funnel."""
        self.arrivals = Arrivals(funnel, self.ledger, to_review)

    def alarm(self, alarm_id: str, **values: Any) -> None:
        """An alarm as the intake keeps it; `values` over what is usual."""
        with self.database.transaction() as db:
            db.execute(insert(alarms).values(**self._alarm_row(alarm_id, values)))

    def hear(self, alarm_id: str, transition: str = "raised", **values: Any) -> None:
        """The box says it: the row and the listener, in one transaction, as the intake does."""
        row = self._alarm_row(alarm_id, values)
        message = self.transition(row, transition)
        heard = heard_of(row, message)
        with self.database.transaction() as db:
            known = select(alarms.c.alarm_id).where(alarms.c.box_id == row["box_id"], alarms.c.alarm_id == alarm_id)
            if db.scalar(known) is None:
                db.execute(insert(alarms).values(**row))
            self.arrivals.hear_all(db, [heard], self.clock())

    def queue_alarm(self, alarm_id: str, stage: Stage = Stage.PRIORITY, **values: Any) -> str:
        """An alarm and its item; the item's id."""
        row = self._alarm_row(alarm_id, values)
        with self.database.transaction() as db:
            db.execute(insert(alarms).values(**row))
            message = self.transition(row, "raised")
            enqueue_all(db, self.ledger, [(facts_of(heard_of(row, message), message), stage)], self.clock())
        return item_id_of(row["box_id"], alarm_id)

    def picture(self, alarm_id: str, sha256: str, boxes: list[list[int]], media_class: str = "frame") -> None:
        """A still of an alarm: what the intake keeps of it and what the chain says."""
        at_ns = self.clock()
        with self.database.transaction() as db:
            media = {"box_id": BOX, "alarm_id": alarm_id, "event_id": f"{alarm_id}:raised", "sha256": sha256}
            media |= {"item_key": f"{alarm_id}:{media_class}:0", "kind": "segment", "media_type": "image/jpeg"}
            db.execute(insert(alarm_media).values(**media, camera_id="cam-1", started_at_ns=at_ns))
            said = {"box_id": BOX, "alarm_id": alarm_id, "sha256": sha256, "media_class": media_class}
            said |= {"width_px": 640, "height_px": 360, "boxes": json.dumps(boxes), "captured_at_ns": at_ns}
            db.execute(insert(review_pictures).values(**said, versions=json.dumps({"model": "m1"})))

    def thumbnail(self, alarm_id: str, seed: int = 1) -> None:
        """The small, blurred picture of an alarm, as its message brought it."""
        body, at_ns = drawn_picture(seed), self.clock()
        key, digest = f"{alarm_id}:thumbnail", hashlib.sha256(body).hexdigest()
        said = {"data_base64": base64.b64encode(body).decode(), "media_type": "image/jpeg"}
        kept = {"kind": "thumbnail", "body": json.dumps(said), "body_sha256": "0" * 64, "envelope": "{}"}
        with self.database.transaction() as db:
            db.execute(insert(items).values(**kept, box_id=BOX, key=key, envelope_signature="s", receipt="{}"))
            media = {"box_id": BOX, "item_key": key, "alarm_id": alarm_id, "event_id": f"{alarm_id}:raised"}
            media |= {"kind": "thumbnail", "sha256": digest, "media_type": "image/jpeg", "size_bytes": len(body)}
            db.execute(insert(alarm_media).values(**media, camera_id="cam-1", started_at_ns=at_ns))

    def lease(self, actor: Actor, item_id: str) -> None:
        """Look at an item."""
        with self.database.transaction() as db:
            take_lease(db, self.ledger, actor, item_id, self.clock())

    def judge(self, actor: Actor, item_id: str, verdict: str, reason: str = "", words: str = "") -> Judged:
        """Judge an item."""
        said: Judgement = read_judgement(verdict, reason, words)
        with self.database.transaction() as db:
            return self.verdicts.judge(db, actor, item_id, said, self.clock())

    def undo(self, actor: Actor, item_id: str) -> None:
        """Take a verdict back."""
        with self.database.transaction() as db:
            self.verdicts.undo(db, actor, item_id, self.clock())

    def leave_undrawn(self, item_id: str) -> None:
        """Let an item be none of the one in twenty that get a second look."""
        with self.database.transaction() as db:
            db.execute(update(review_items).where(review_items.c.item_id == item_id).values(sampled=0))

    def settle(self) -> int:
        """Ten seconds pass and the desk's job runs; how many verdicts became final."""
        self.clock.move(seconds=10)
        return self.verdicts.finalise_due(self.database, self.clock())

    def item(self, item_id: str) -> Any:
        """How an item stands."""
        with self.database.reading() as db:
            return db.execute(select(review_items).where(review_items.c.item_id == item_id)).one()

    def items(self) -> list[Any]:
        """All items, in the order in which they were made."""
        with self.database.reading() as db:
            return list(db.execute(select(review_items).order_by(review_items.c.queued_at_ns, review_items.c.alarm_id)))

    def transition(self, row: dict[str, Any], transition: str) -> AlarmTransition:
        """The message that a row of `alarms` comes from."""
        same = ("alarm_id", "rule_id", "severity", "subject", "asset", "asset_kind", "title_zh", "title_en", "measured")
        more = ("unit", "limit_source", "clause", "certainty", "raised_at_ns", "evidence_seq", "evidence_sha256")
        hazard = None
        if row.get("hazard_code"):
            hazard = {"code": row["hazard_code"], "edition": "2024", "other_code": "", "other_edition": ""}
        said = {name: row[name] for name in (*same, *more)} | {"hazard": hazard, "project_code": row["project_code"]}
        said |= {"event_id": f"{row['alarm_id']}:{transition}", "transition": transition, "limit": row["limit_value"]}
        return AlarmTransition.model_validate(
            said | {"suspected": False, "observed_at_ns": self.clock(), "user": "", "reason": ""}
        )

    def _alarm_row(self, alarm_id: str, values: dict[str, Any]) -> dict[str, Any]:
        usual = {
            "box_id": BOX,
            "alarm_id": alarm_id,
            "project_code": "p1",
            "rule_id": "vision.bare_head",
            "severity": "P2",
            "subject": "cam-1.bare_head_1",
            "asset": "cam-1",
            "asset_kind": "camera-post",
            "title_zh": "人员未戴安全帽",
            "title_en": "Person without a helmet",
            "measured": "1",
            "limit_value": "1",
            "unit": "",
            "limit_source": "national_code",
            "clause": "JGJ 184-2009 2.0.4",
            "certainty": "V2",
            "raised_event": f"{alarm_id}:raised",
            "raised_at_ns": self.clock(),
            "active": 1,
            "accepted_at_ns": self.clock(),
            "evidence_seq": 1,
            "evidence_sha256": "0" * 64,
        }
        return usual | values
