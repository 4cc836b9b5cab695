"""Permits and warnings go out to boxes, and come to be known there: one door for entering, withdrawing and looking.

    form --> site_notices (a version) --> for each project of the target: mailbox message + delivery + ledger entry
                                          all in one transaction, in the order of the projects' codes
    box keeps it       mailbox acknowledgement (kept | unsupported)
    person saw it      the box's sealed record, when it arrives as evidence (regulator.parts.site.hearing)

A box that enrols later in the target is caught up by a job. Nobody is ever said to have received what no box has
acknowledged. In: actors and notices. Out: ids and rows. Knows no page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from sqlalchemy import Connection, and_, bindparam, func, insert, select

from contract.canonical import Canonical
from regulator.base.desk import Desk
from regulator.base.model.actor import SYSTEM, Actor, Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.box_standing import IS_HEARD
from regulator.base.records.ledger import Deed
from regulator.base.records.locks import hold_boxes
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.intake import boxes, mailbox
from regulator.base.records.tables.registry import projects
from regulator.base.records.tables.site import site_deliveries, site_notices
from regulator.parts.site.notice import Notice, read_notice, withdrawal_of

ISSUERS = (Duty.REVIEWER, Duty.APPROVER)
SUPERVISION = (Level.PROVINCE, Level.CITY, Level.COUNTY)
MOST_LISTED = 200
MOST_REASON = 2000


class Arrival(Enum):
    """How far one version has come at one project. Nothing here means that all is well by default."""

    NO_BOX = "no_box"
    WAITING = "waiting"
    UNSUPPORTED = "unsupported"
    KEPT = "kept"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One project's row. Times UTC ns, 0 where they have not come."""

    project_code: str
    project_name: str
    box_id: str
    arrival: Arrival
    posted_at_ns: int
    kept_at_ns: int
    acknowledged_at_ns: int
    acknowledged_by: str
    acknowledged_words: str


@dataclass(frozen=True, slots=True)
class Listed:
    """A notice's newest version, and how far it has come in the actor's scope."""

    notice: Notice
    target: Scope
    entered_by: str
    entered_at_ns: int
    reason: str
    counts: dict[Arrival, int]

    @property
    def projects(self) -> int:
        """How many deliveries there should be."""
        return sum(self.counts.values())


class NoticeOffice:
    """The one door through which anything of this is changed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def enter(self, notice: Notice, target: Scope, actor: Actor, now_ns: int) -> str:
        """Told to every project of the target; its id. Raises RefusedError: 403, or 404 for an empty target."""
        _require_issuer(actor)
        with self._desk.database.transaction() as db:
            codes = _codes(db, target, actor.scope)
            if not codes:
                raise RefusedError(404, "no_projects", "范围内没有项目", "no project of yours lies there", "target")
            self._write(db, notice, target, codes, "", actor, now_ns)
        return notice.notice_id

    def withdraw(self, notice_id: str, reason: str, actor: Actor, now_ns: int) -> None:
        """Ended from now on, everywhere. Raises RefusedError: 403, 404, 409, 422 without a reason."""
        _require_issuer(actor)
        if not reason.strip() or len(reason) > MOST_REASON:
            raise RefusedError(422, "reason_missing", "请写明撤销理由", "say why it is withdrawn", "reason")
        with self._desk.database.transaction() as db:
            newest, target = _newest(db, notice_id, lock=True)
            told = _told(db, notice_id)
            if not told or told != _codes_in(db, actor.scope, told):
                raise RefusedError(404, "no_such_notice", "没有这份许可或预警", "no such notice in your scope")
            self._write(db, withdrawal_of(newest), target, sorted(told), reason, actor, now_ns)

    def catch_up(self, now_ns: int) -> None:
        """Tell boxes that enrolled since (a job): what is still in force in their region, or was withdrawn late."""
        with self._desk.database.reading() as db:
            known = {notice_id: _newest(db, notice_id) for notice_id in db.scalars(_IN_FORCE, {"now": now_ns}).all()}
            lacking = [each for each, (notice, target) in known.items() if _late(db, notice, target)]
        for notice_id in lacking:
            with self._desk.database.transaction() as db:
                _newest(db, notice_id, lock=True)  # whoever tells or withdraws it meanwhile is waited for
                notice, target = _newest(db, notice_id)
                self._tell_missing(db, notice, target, now_ns)

    def listed(self, actor: Actor) -> list[Listed]:
        """The newest notices that concern the actor's scope."""
        with self._desk.database.reading() as db:
            visible = in_scope(actor.scope, site_deliveries.c.project_code)
            ids = db.scalars(
                select(site_notices.c.notice_id)
                .join(site_deliveries, site_deliveries.c.notice_id == site_notices.c.notice_id)
                .where(visible)
                .group_by(site_notices.c.notice_id)
                .order_by(func.max(site_notices.c.entered_at_ns).desc())
                .limit(MOST_LISTED)
            ).all()
            return [_listed(db, notice_id, actor) for notice_id in ids]

    def shown(self, notice_id: str, actor: Actor) -> tuple[Listed, list[Delivery]]:
        """One notice with every delivery in scope. Raises RefusedError 404."""
        with self._desk.database.reading() as db:
            rows = _deliveries(db, notice_id, actor)
            if not rows:
                raise RefusedError(404, "no_such_notice", "没有这份许可或预警", "no such notice in your scope")
            return _listed(db, notice_id, actor), rows

    def _write(
        self,
        db: Connection,
        notice: Notice,
        target: Scope,
        codes: Sequence[str],
        reason: str,
        actor: Actor,
        now_ns: int,
    ) -> None:
        hold_boxes(db, codes)
        db.execute(insert(site_notices).values(**_row(notice, target, reason, actor, now_ns)))
        for code in codes:
            self._tell(db, notice, code, reason, actor, now_ns)

    def _tell(self, db: Connection, notice: Notice, code: str, reason: str, actor: Actor, now_ns: int) -> None:
        """One project: each of its boxes, or nobody; written down either way."""
        mine = select(boxes.c.box_id).where(boxes.c.project_code == code, IS_HEARD)
        box_ids = list(db.scalars(mine.order_by(boxes.c.box_id)))
        for box_id in box_ids or [""]:
            self._post(db, notice, code, box_id, now_ns)
        content: dict[str, Canonical] = {
            "version": notice.version,
            "kind": notice.kind.value,
            "boxes": list(box_ids),
            "withdrawn": notice.withdrawn,
            "reason": reason,
            "body": notice.message.model_dump(mode="json"),
        }
        deed = Deed(f"{notice.kind.value}_told", notice.notice_id, content, code)
        self._desk.ledger.append(db, deed, actor, now_ns)

    def _tell_missing(self, db: Connection, notice: Notice, target: Scope, now_ns: int) -> None:
        late = _late(db, notice, target)
        hold_boxes(db, [row.project_code for row in late])
        for row in late:
            self._post(db, notice, row.project_code, row.box_id, now_ns)
            content: dict[str, Canonical] = {"version": notice.version, "boxes": [row.box_id], "late": True}
            deed = Deed(f"{notice.kind.value}_told", notice.notice_id, content, row.project_code)
            self._desk.ledger.append(db, deed, SYSTEM, now_ns)

    def _post(self, db: Connection, notice: Notice, code: str, box_id: str, now_ns: int) -> None:
        message_id = self._desk.post(db, box_id, notice.kind.value, notice.message, now_ns) if box_id else ""
        row = {
            "notice_id": notice.notice_id,
            "version": notice.version,
            "project_code": code,
            "box_id": box_id,
            "message_id": message_id,
            "posted_at_ns": now_ns if box_id else 0,
        }
        db.execute(insert(site_deliveries).values(**row))


def _late(db: Connection, notice: Notice, target: Scope) -> Sequence[Any]:
    """Boxes of its range that were not told of it; none when it is withdrawn."""
    if notice.withdrawn:
        return ()
    had = and_(
        site_deliveries.c.notice_id == notice.notice_id,
        site_deliveries.c.version == notice.version,
        site_deliveries.c.box_id == boxes.c.box_id,
    )
    lacking = select(boxes.c.box_id, boxes.c.project_code).where(
        in_scope(target, boxes.c.project_code), IS_HEARD, ~select(site_deliveries.c.box_id).where(had).exists()
    )
    return db.execute(lacking.order_by(boxes.c.project_code, boxes.c.box_id)).all()


_IN_FORCE = select(site_notices.c.notice_id).where(site_notices.c.valid_until_ns > bindparam("now")).distinct()
"""By any version: the newest one is looked at before anybody is told."""


def _require_issuer(actor: Actor) -> None:
    if actor.level not in SUPERVISION or not actor.has(*ISSUERS):
        raise RefusedError(403, "not_your_duty", "您的职责不能录入许可和预警", "your duty does not issue notices")


def _codes(db: Connection, target: Scope, scope: Scope) -> list[str]:
    """Projects of the target that lie in the scope, in order."""
    code = projects.c.project_code
    return list(db.scalars(select(code).where(in_scope(target, code), in_scope(scope, code)).order_by(code)))


def _codes_in(db: Connection, scope: Scope, codes: set[str]) -> set[str]:
    """Those of these projects that lie in the scope."""
    code = projects.c.project_code
    return set(db.scalars(select(code).where(code.in_(codes), in_scope(scope, code))))


def _told(db: Connection, notice_id: str) -> set[str]:
    return set(
        db.scalars(
            select(site_deliveries.c.project_code).where(site_deliveries.c.notice_id == notice_id).distinct(),
        )
    )


def _newest(db: Connection, notice_id: str, *, lock: bool = False) -> tuple[Notice, Scope]:
    found = select(site_notices).where(site_notices.c.notice_id == notice_id).order_by(site_notices.c.version.desc())
    row = db.execute(found.limit(1).with_for_update() if lock else found.limit(1)).first()
    if row is None:
        raise RefusedError(404, "no_such_notice", "没有这份许可或预警", "no such notice in your scope")
    return read_notice(notice_id, row.version, row.kind, row.body), Scope(Level(row.target_level), row.target_code)


def _listed(db: Connection, notice_id: str, actor: Actor) -> Listed:
    notice, target = _newest(db, notice_id)
    row = db.execute(
        select(site_notices).where(site_notices.c.notice_id == notice_id, site_notices.c.version == notice.version)
    ).one()
    counts = dict.fromkeys(Arrival, 0)
    for delivery in _deliveries(db, notice_id, actor):
        counts[delivery.arrival] += 1
    return Listed(notice, target, row.entered_by, row.entered_at_ns, row.reason, counts)


def _deliveries(db: Connection, notice_id: str, actor: Actor) -> list[Delivery]:
    """Those of the newest version in the actor's scope."""
    own = site_deliveries.c
    newest = select(func.max(own.version)).where(own.notice_id == notice_id).scalar_subquery()
    rows = db.execute(
        select(
            site_deliveries,
            projects.c.name,
            func.coalesce(mailbox.c.acknowledged_at_ns, 0).label("kept_at_ns"),
            func.coalesce(mailbox.c.outcome, "").label("outcome"),
        )
        .outerjoin(projects, projects.c.project_code == own.project_code)
        .outerjoin(mailbox, and_(mailbox.c.message_id == own.message_id, own.message_id != ""))
        .where(own.notice_id == notice_id, own.version == newest, in_scope(actor.scope, own.project_code))
        .order_by(own.project_code, own.box_id)
    )
    return [_delivery(row) for row in rows]


def _delivery(row: object) -> Delivery:
    known = {name: getattr(row, name) for name in Delivery.__slots__ if name not in ("project_name", "arrival")}
    return Delivery(project_name=getattr(row, "name", None) or "", arrival=_arrival(row), **known)


def _arrival(row: object) -> Arrival:
    said = {name: getattr(row, name) for name in ("box_id", "acknowledged_at_ns", "outcome", "kept_at_ns")}
    if not said["box_id"]:
        return Arrival.NO_BOX
    if said["acknowledged_at_ns"]:
        return Arrival.ACKNOWLEDGED
    if not said["kept_at_ns"]:
        return Arrival.WAITING
    return Arrival.UNSUPPORTED if said["outcome"] == "unsupported" else Arrival.KEPT


def _row(notice: Notice, target: Scope, reason: str, actor: Actor, now_ns: int) -> dict[str, object]:
    return {
        "notice_id": notice.notice_id,
        "version": notice.version,
        "kind": notice.kind.value,
        "body": notice.message.model_dump_json(),
        "target_level": target.level.value,
        "target_code": target.code,
        "withdrawn": int(notice.withdrawn),
        "reason": reason,
        "entered_by": actor.name,
        "entered_at_ns": now_ns,
        "valid_until_ns": notice.message.valid_until_ns,
    }
