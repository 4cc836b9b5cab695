"""Showing pictures and clips: to whom, and never without an entry in the ledger.

    digest -> what it belongs to (alarm, hazard) -> project in scope? -> duty? -> entry `media_viewed` -> bytes

Everything here is as it was captured, faces and all; blurred thumbnails travel in messages and are shown elsewhere.
Stills are for whoever works on the case, clips only for who judges, inspects or audits. Who keeps accounts sees none.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, literal, select, union_all
from sqlalchemy.dialects import postgresql, sqlite

from regulator.base.model.actor import Actor
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.hazards import hazard_evidence, hazards
from regulator.base.records.tables.intake import alarm_media, alarms
from regulator.base.records.tables.viewing import media_views
from regulator.base.web.picture_permissions import LOOKERS, WATCHERS

ONE_VIEWING_NS: Final = 600 * 1_000_000_000
"""Requests of one login for one file within this time are one viewing."""
NOT_FOUND: Final = RefusedError(404, "no_such_media", "没有这份影像", "no such picture or clip", "sha256")


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown. `subject`: the alarm or hazard that it belongs to."""

    sha256: str
    media_type: str
    project_code: str
    subject: str

    @property
    def moving(self) -> bool:
        """A clip, not a still."""
        return not self.media_type.startswith("image/")


def require_shown(db: Connection, actor: Actor, sha256: str) -> Shown:
    """What a digest is. Raises RefusedError: 404 outside the scope or unknown, 403 without the duty."""
    shown = _found(db, actor, sha256)
    if shown is None:
        raise NOT_FOUND
    if not actor.has(*(WATCHERS if shown.moving else LOOKERS)):
        words = ("您的岗位无权查看原始影像", "your role does not allow looking at raw pictures or clips")
        raise RefusedError(403, "duty_needed", *words, "sha256")
    return shown


def write_viewing(db: Connection, ledger: Ledger, shown: Shown, actor: Actor, session_id: str, now_ns: int) -> None:
    """The entry, unless this login has one of the last minutes for the same file."""
    dialect = postgresql if db.dialect.name == "postgresql" else sqlite
    mine = {"session_id": session_id, "sha256": shown.sha256}
    written = dialect.insert(media_views).values(**mine, written_at_ns=now_ns)
    again = written.on_conflict_do_update(
        index_elements=["session_id", "sha256"],
        set_={"written_at_ns": now_ns},
        where=media_views.c.written_at_ns <= now_ns - ONE_VIEWING_NS,
    )
    if db.execute(again.returning(media_views.c.sha256)).first() is not None:
        content = {"sha256": shown.sha256, "media_type": shown.media_type, "session_id": session_id}
        ledger.append(db, Deed("media_viewed", shown.subject, content, shown.project_code), actor, now_ns)


def viewing_is_written(db: Connection, session_id: str, sha256: str, now_ns: int) -> bool:
    """Whether this login's viewing is in the ledger already, so that nothing need be locked."""
    mine = (media_views.c.session_id == session_id) & (media_views.c.sha256 == sha256)
    written_ns = db.scalar(select(media_views.c.written_at_ns).where(mine)) or 0
    return written_ns > now_ns - ONE_VIEWING_NS


def _found(db: Connection, actor: Actor, sha256: str) -> Shown | None:
    of_alarms = (
        select(alarm_media.c.media_type, alarms.c.project_code, alarms.c.alarm_id.label("subject"), literal(1))
        .join(alarms, (alarms.c.box_id == alarm_media.c.box_id) & (alarms.c.alarm_id == alarm_media.c.alarm_id))
        .where(alarm_media.c.sha256 == sha256, in_scope(actor.scope, alarms.c.project_code))
    )
    of_hazards = (
        select(hazard_evidence.c.media_type, hazards.c.project_code, hazards.c.hazard_id.label("subject"), literal(2))
        .join(hazards, hazards.c.hazard_id == hazard_evidence.c.hazard_id)
        .where(hazard_evidence.c.sha256 == sha256, in_scope(actor.scope, hazards.c.project_code))
    )
    row = db.execute(union_all(of_alarms, of_hazards).limit(1)).first()
    return Shown(sha256, row.media_type, row.project_code, row.subject) if row else None
