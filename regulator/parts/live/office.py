"""Asking for live video, watching it, and ending it: every step of every person in the ledger.

    ask --> ASKED --opening--> OPENING --part 0--> PLAYING --> ENDED     the box says `refused` --> REFUSED
     |       mailbox            the box's word      first byte let through: `live_viewed` is written before it
     '-- another view of the same camera joins the session that runs

A view is held by a lease that its page renews; it ends when the page stops it, leaves, or the time is over.
"""

import json
import uuid
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from contract.mailbox import LiveViewRequest
from regulator.base.desk import Post
from regulator.base.model.actor import Actor, Duty, Level, Scope
from regulator.base.model.refusals import RefusedError
from regulator.base.records.box_standing import IS_HEARD
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.scope import require_project
from regulator.base.records.tables.intake import boxes
from regulator.base.records.tables.live import live_sessions, live_viewers
from regulator.base.records.tables.wall import wall_stills
from regulator.base.texts import read_reason
from regulator.parts.live.relay import Relay
from regulator.parts.live.states import (
    GIVE_UP_NS,
    HEARD_WITHIN_NS,
    LEASE_NS,
    MOST_NS,
    MOST_OF_A_BOX,
    MOST_OF_A_DESK,
    MOST_OF_A_PERSON,
    SECOND_NS,
    LiveReason,
    LiveStage,
)

OPEN: Final = (LiveStage.ASKED.value, LiveStage.OPENING.value, LiveStage.PLAYING.value)


@dataclass(frozen=True, slots=True)
class Wish:
    """Who wants to watch what, and why. `session_id`: the login."""

    actor: Actor
    session_id: str
    project_code: str
    camera_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class View:
    """One person's view as it stands. `words`: what the box said beside its reason."""

    viewer_id: str
    request_id: str
    project_code: str
    camera_id: str
    stage: LiveStage
    reason: LiveReason | None
    words: str
    asked_at_ns: int
    until_ns: int
    began_at_ns: int
    ended: bool


class LiveOffice:
    """SQL and rules of live views. Every method works in a transaction it is given."""

    def __init__(self, ledger: Ledger, relay: Relay, post: Post) -> None:
        self._ledger, self._relay, self._post = ledger, relay, post

    def ask(self, db: Connection, wish: Wish, now_ns: int) -> str:
        """Begin a view; its id. Raises RefusedError: 404 outside the scope, 409 no box or a silent one, 422, 429."""
        require_project(db, wish.actor, wish.project_code)
        reason = read_reason(wish.reason)
        box = self._box(db, wish, now_ns)
        self._require_room(db, wish)
        session = self._running(db, box.box_id, wish.camera_id, now_ns)
        request_id = session.request_id if session else self._request(db, box.box_id, wish, reason, now_ns)
        return self._admit(db, request_id, wish, reason, now_ns)

    def view(self, db: Connection, actor: Actor, viewer_id: str) -> View:
        """As it stands. Raises RefusedError 404 for another person's."""
        viewer = _viewer(db, actor, viewer_id)
        session = _session(db, viewer.request_id)
        said = session.reason
        return View(
            viewer_id=viewer_id,
            request_id=viewer.request_id,
            project_code=viewer.project_code,
            camera_id=session.camera_id,
            stage=LiveStage.ENDED if viewer.ended_at_ns and session.state in OPEN else LiveStage(session.state),
            reason=next((each for each in LiveReason if each.value == said), None),
            words=session.words,
            asked_at_ns=viewer.asked_at_ns,
            until_ns=session.until_ns,
            began_at_ns=viewer.began_at_ns,
            ended=bool(viewer.ended_at_ns),
        )

    def renew(self, db: Connection, actor: Actor, viewer_id: str, now_ns: int) -> None:
        """The page is still there. Nothing for a view that has ended."""
        _viewer(db, actor, viewer_id)
        mine = (live_viewers.c.viewer_id == viewer_id) & (live_viewers.c.ended_at_ns == 0)
        db.execute(update(live_viewers).where(mine).values(lease_until_ns=now_ns + LEASE_NS))

    def is_held(self, db: Connection, actor: Actor, viewer_id: str, now_ns: int) -> bool:
        """Whether pictures may go on: the page renews, the time is not over."""
        viewer = _viewer(db, actor, viewer_id)
        session = _session(db, viewer.request_id)
        held = not viewer.ended_at_ns and viewer.lease_until_ns >= now_ns
        return held and not session.ended_at_ns and session.until_ns >= now_ns

    def begin(self, db: Connection, actor: Actor, viewer_id: str, now_ns: int) -> None:
        """The first byte is about to be let through: on record before it. Raises RefusedError 409 for an ended view."""
        viewer = _viewer(db, actor, viewer_id, lock=True)
        if viewer.ended_at_ns:
            raise RefusedError(409, "view_ended", "本次观看已结束", "this view has ended", "viewer_id")
        if viewer.began_at_ns:
            return
        session = _session(db, viewer.request_id)
        db.execute(update(live_viewers).where(live_viewers.c.viewer_id == viewer_id).values(began_at_ns=now_ns))
        content = {"viewer_id": viewer_id, "camera": session.camera_id, "box": session.box_id, "from_ns": now_ns}
        content |= {"reason": viewer.reason}
        deed = Deed("live_viewed", f"camera:{session.camera_id}", content, viewer.project_code)
        self._ledger.append(db, deed, actor, now_ns)

    def stop(self, db: Connection, actor: Actor, viewer_id: str, now_ns: int) -> None:
        """End one person's view: he has had enough."""
        self._end_viewer(db, _viewer(db, actor, viewer_id, lock=True), LiveReason.STOPPED, now_ns, now_ns)

    def sweep(self, db: Connection, now_ns: int) -> int:
        """End what nobody renews and what has run too long; how much ended."""
        at, seat = live_sessions.c, live_viewers.c
        lapsed = db.execute(
            select(live_viewers)
            .where(seat.ended_at_ns == 0, seat.lease_until_ns < now_ns)
            .order_by(seat.project_code, seat.viewer_id)
            .with_for_update()
        ).all()
        for viewer in lapsed:
            self._end_viewer(db, viewer, LiveReason.LEFT, viewer.lease_until_ns, now_ns)
        watched = select(seat.request_id).where(seat.ended_at_ns == 0)
        unheard = (at.state == LiveStage.ASKED.value) & (at.asked_at_ns < now_ns - GIVE_UP_NS)
        over = (at.until_ns < now_ns) | unheard | at.request_id.not_in(watched)
        sessions = db.execute(select(live_sessions).where(at.ended_at_ns == 0, over).with_for_update()).all()
        for session in sessions:
            self.end(db, session.request_id, _why_over(session, now_ns), now_ns)
        return len(lapsed) + len(sessions)

    def end(
        self,
        db: Connection,
        request_id: str,
        reason: LiveReason,
        now_ns: int,
        *,
        refused: bool = False,
        words: str = "",
    ) -> None:
        """The session is over, and every view of it. A second end changes nothing."""
        stage = LiveStage.REFUSED if refused else LiveStage.ENDED
        values = {"state": stage.value, "reason": reason.value, "words": words, "ended_at_ns": now_ns}
        at, seat = live_sessions.c, live_viewers.c
        db.execute(update(live_sessions).where(at.request_id == request_id, at.ended_at_ns == 0).values(**values))
        viewers = select(live_viewers).where(seat.request_id == request_id, seat.ended_at_ns == 0)
        for viewer in db.execute(viewers.with_for_update()).all():
            self._end_viewer(db, viewer, reason, now_ns, now_ns)
        self._relay.drop(db, request_id)

    def _box(self, db: Connection, wish: Wish, now_ns: int) -> "Row[Any]":
        """The box that has the camera, its row held: two who ask at once take turns."""
        at, still = boxes.c, wall_stills.c
        mine = select(boxes).where(at.project_code == wish.project_code, IS_HEARD)
        known = select(still.box_id).where(
            still.project_code == wish.project_code,
            (still.camera_id == wish.camera_id) | (still.asset == wish.camera_id),
        )
        found = db.execute(mine.where(at.box_id.in_(known)).with_for_update()).first()
        found = found or db.execute(mine.order_by(at.last_seen_ns.desc()).limit(1).with_for_update()).first()
        if found is None:
            words = ("该项目没有已登记的监控主机", "no box of this project has enrolled")
            raise RefusedError(409, "no_box", *words, "project_code")
        if now_ns - found.last_seen_ns > HEARD_WITHIN_NS:
            words = ("监控主机失联，无法请求实时视频", "nothing is heard of the box: it cannot be asked")
            raise RefusedError(409, "box_silent", *words, "project_code")
        return found

    def _require_room(self, db: Connection, wish: Wish) -> None:
        seat = live_viewers.c
        mine = select(func.count()).where(seat.user_id == wish.actor.user_id, seat.ended_at_ns == 0)
        if (db.scalar(mine) or 0) >= MOST_OF_A_PERSON:
            words = (f"您已同时观看 {MOST_OF_A_PERSON} 路", f"you watch {MOST_OF_A_PERSON} already: stop one first")
            raise RefusedError(429, "too_many_views", *words)

    def _running(self, db: Connection, box_id: str, camera_id: str, now_ns: int) -> "Row[Any] | None":
        at = live_sessions.c
        same = (at.box_id == box_id, at.camera_id == camera_id, at.ended_at_ns == 0, at.until_ns > now_ns)
        return db.execute(select(live_sessions).where(*same).limit(1)).first()

    def _request(self, db: Connection, box_id: str, wish: Wish, reason: str, now_ns: int) -> str:
        at = live_sessions.c
        running = select(func.count()).where(at.ended_at_ns == 0)
        if (db.scalar(running.where(at.box_id == box_id)) or 0) >= MOST_OF_A_BOX:
            words = (
                f"该监控主机同时最多 {MOST_OF_A_BOX} 路",
                f"at most {MOST_OF_A_BOX} live videos of a box at a time",
            )
            raise RefusedError(429, "box_busy", *words)
        if (db.scalar(running) or 0) >= MOST_OF_A_DESK:
            words = (f"审查台同时最多 {MOST_OF_A_DESK} 路", f"at most {MOST_OF_A_DESK} live videos at a time")
            raise RefusedError(429, "desk_busy", *words)
        request_id = uuid.uuid4().hex
        asked = LiveViewRequest(
            request_id=request_id,
            camera_id=wish.camera_id,
            duration_s=MOST_NS // SECOND_NS,
            requested_by_role=_role(wish.actor),
            reason=reason,
        )
        message_id = self._post(db, box_id, "live_view_request", asked, now_ns)
        row = {"request_id": request_id, "project_code": wish.project_code, "box_id": box_id, "message_id": message_id}
        row |= {"camera_id": wish.camera_id}
        db.execute(insert(live_sessions).values(**row, asked_at_ns=now_ns, until_ns=now_ns + MOST_NS))
        return request_id

    def _admit(self, db: Connection, request_id: str, wish: Wish, reason: str, now_ns: int) -> str:
        viewer_id, actor = uuid.uuid4().hex, wish.actor
        row = {"viewer_id": viewer_id, "request_id": request_id, "project_code": wish.project_code, "reason": reason}
        row |= {"user_id": actor.user_id, "session_id": wish.session_id, "actor": _actor_text(actor)}
        db.execute(insert(live_viewers).values(**row, asked_at_ns=now_ns, lease_until_ns=now_ns + LEASE_NS))
        content = {"viewer_id": viewer_id, "camera": wish.camera_id, "request_id": request_id, "reason": reason}
        deed = Deed("live_view_asked", f"camera:{wish.camera_id}", content, wish.project_code)
        self._ledger.append(db, deed, actor, now_ns)
        return viewer_id

    def _end_viewer(self, db: Connection, viewer: "Row[Any]", why: LiveReason, to_ns: int, now_ns: int) -> None:
        """`to_ns`: until when pictures may have been seen."""
        if viewer.ended_at_ns:
            return
        seat = live_viewers.c
        db.execute(update(live_viewers).where(seat.viewer_id == viewer.viewer_id).values(ended_at_ns=now_ns))
        session = _session(db, viewer.request_id)
        content = {"viewer_id": viewer.viewer_id, "camera": session.camera_id, "from_ns": viewer.began_at_ns}
        content |= {"to_ns": to_ns if viewer.began_at_ns else 0, "seen": bool(viewer.began_at_ns), "why": why.value}
        deed = Deed("live_view_ended", f"camera:{session.camera_id}", content, viewer.project_code)
        self._ledger.append(db, deed, _actor_of(viewer), now_ns)


def _why_over(session: "Row[Any]", now_ns: int) -> LiveReason:
    if session.until_ns < now_ns:
        return LiveReason.TIME_UP
    unheard = session.state == LiveStage.ASKED.value and session.asked_at_ns < now_ns - GIVE_UP_NS
    return LiveReason.NO_ANSWER if unheard else LiveReason.LEFT


def is_watched(db: Connection, session: "Row[Any]", now_ns: int) -> bool:
    """Whether the box should go on."""
    seat = live_viewers.c
    seats = (seat.request_id == session.request_id, seat.ended_at_ns == 0, seat.lease_until_ns >= now_ns)
    held = db.scalar(select(func.count()).where(*seats)) or 0
    return session.ended_at_ns == 0 and now_ns <= session.until_ns and held > 0


def _viewer(db: Connection, actor: Actor, viewer_id: str, *, lock: bool = False) -> "Row[Any]":
    found = select(live_viewers).where(live_viewers.c.viewer_id == viewer_id)
    row = db.execute(found.with_for_update() if lock else found).first()
    if row is None or row.user_id != actor.user_id:
        raise RefusedError(404, "no_such_view", "没有这次观看", "no such view of yours", "viewer_id")
    return row


def _session(db: Connection, request_id: str) -> "Row[Any]":
    return db.execute(select(live_sessions).where(live_sessions.c.request_id == request_id)).one()


def _role(actor: Actor) -> str:
    """What the site is told of who asks: the office, no name."""
    return f"{'/'.join(sorted(duty.value for duty in actor.duties))}, {actor.level.value} {actor.scope.code}".strip()


def _actor_text(actor: Actor) -> str:
    said = {"name": actor.name, "level": actor.level.value, "scope": actor.scope.code}
    return json.dumps(said | {"duties": sorted(duty.value for duty in actor.duties), "for": actor.on_behalf_of})


def _actor_of(viewer: "Row[Any]") -> Actor:
    said = json.loads(viewer.actor)
    duties = frozenset(Duty(each) for each in said["duties"])
    return Actor(viewer.user_id, said["name"], Scope(Level(said["level"]), said["scope"]), duties, said["for"])
