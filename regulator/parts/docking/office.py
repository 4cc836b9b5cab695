"""What people see of the platforms above, and may do: how each lane stands, what was refused, send it again.

In: an actor. Out: lanes and rows of their scope. A refused record is sent again by an administrator or an approver,
with a reason, in the ledger.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, func, select, update

from regulator.base.model.actor import Actor, Duty, Level
from regulator.base.model.refusals import RefusedError
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.docking import docking_lanes, docking_outbox
from regulator.parts.docking.places import Place

RETRIERS: Final = (Duty.ADMINISTRATOR, Duty.APPROVER)
OPEN_STATES: Final = ("waiting", "refused")
REFUSED_SHOWN: Final = 100
LONGEST_REASON: Final = 500
_row = docking_outbox.c


@dataclass(frozen=True, slots=True)
class LaneView:
    """One platform as it stands; counts of the viewer's scope. `trouble` '' while all is well."""

    name: str
    title_zh: str
    title_en: str
    pattern: str
    certainty: str
    source: str
    url: str
    waiting: int
    oldest_ns: int
    accepted_at_ns: int
    refused: int
    trouble: str
    trouble_since_ns: int
    due_at_ns: int


@dataclass(frozen=True, slots=True)
class RefusedRow:
    """A record that a platform never takes, and its words."""

    platform: str
    key: str
    kind: str
    project_code: str
    alarm_id: str
    words: str
    attempts: int
    queued_at_ns: int
    settled_at_ns: int


class DockingOffice:
    """`places`: what the settings name; a platform that is no longer named is shown by its rows alone."""

    def __init__(self, database: DeskDatabase, ledger: Ledger, places: Sequence[Place]) -> None:
        self._database = database
        self._ledger = ledger
        self._places = tuple(places)

    def lanes(self, actor: Actor) -> list[LaneView]:
        """Every platform of the settings, in their order."""
        with self._database.reading() as db:
            held = {row.platform: row for row in db.execute(select(docking_lanes))}
            counts = _counts(db, actor)
        return [_view(place, held.get(place.name), counts) for place in self._places]

    def refused(self, actor: Actor) -> list[RefusedRow]:
        """What platforms refused in the actor's scope, the newest first."""
        wanted = select(docking_outbox).where(_visible(actor), _row.state == "refused")
        with self._database.reading() as db:
            rows = db.execute(wanted.order_by(_row.settled_at_ns.desc(), _row.key).limit(REFUSED_SHOWN))
            return [RefusedRow(**{name: getattr(row, name) for name in RefusedRow.__slots__}) for row in rows]

    def send_again(self, actor: Actor, platform: str, key: str, because: str, now_ns: int) -> None:
        """Put a refused record back in line. Raises RefusedError: 403, 404, 409, 422."""
        _require(actor)
        if not 2 <= len(because) <= LONGEST_REASON:
            words = (f"请填写 2 至 {LONGEST_REASON} 字的理由", f"a reason of 2 to {LONGEST_REASON} characters")
            raise RefusedError(422, "reason_needed", *words, "because")
        this = (_row.platform == platform) & (_row.key == key)
        with self._database.transaction() as db:
            row = db.execute(select(docking_outbox).where(this, _visible(actor)).with_for_update()).first()
            if row is None:
                raise RefusedError(404, "no_such_record", "没有这条记录", "no such record in your scope", "key")
            if row.state != "refused":
                raise RefusedError(409, "not_refused", "该记录未被拒收", "this record was not refused", "key")
            again = {"state": "waiting", "attempts": 0, "due_at_ns": 0, "settled_at_ns": 0}
            db.execute(update(docking_outbox).where(this).values(**again))
            content = {"platform": platform, "because": because, "refused_because": row.words}
            deed = Deed("docking.sent_again", key, content, project_code=row.project_code)
            self._ledger.append(db, deed, actor, now_ns)

    def try_now(self, actor: Actor, platform: str, now_ns: int) -> None:
        """End the pause after trouble. Raises RefusedError: 403, 404."""
        _require(actor)
        if platform not in {place.name for place in self._places}:
            raise RefusedError(404, "no_such_platform", "没有这个平台", "no such platform", "platform")
        with self._database.transaction() as db:
            db.execute(update(docking_lanes).where(docking_lanes.c.platform == platform).values(due_at_ns=now_ns))
            deed = Deed("docking.tried_now", platform, {"platform": platform}, chain=f"docking:{platform}")
            self._ledger.append(db, deed, actor, now_ns)


def _require(actor: Actor) -> None:
    if not actor.has(*RETRIERS):
        raise RefusedError(403, "duty_needed", "需要管理员或审批员", "an administrator or an approver is needed")


def _visible(actor: Actor) -> "ColumnElement[bool]":
    mine = in_scope(actor.scope, _row.project_code)
    return mine | (_row.project_code == "") if actor.level is Level.PROVINCE else mine


def _counts(db: Connection, actor: Actor) -> dict[tuple[str, str], Any]:
    """(platform, state) -> how many, and the oldest. What was accepted is not counted: it grows for ever."""
    oldest = func.min(_row.queued_at_ns).label("oldest_ns")
    asked = select(_row.platform, _row.state, func.count().label("many"), oldest).where(_row.state.in_(OPEN_STATES))
    rows = db.execute(asked.where(_visible(actor)).group_by(_row.platform, _row.state))
    return {(row.platform, row.state): row for row in rows}


def _view(place: Place, lane: "Row[Any] | None", counts: dict[tuple[str, str], Any]) -> LaneView:
    platform = place.platform
    waiting, refused = (counts.get((place.name, state)) for state in OPEN_STATES)
    return LaneView(
        name=place.name,
        title_zh=platform.title_zh,
        title_en=platform.title_en,
        pattern=platform.transport.pattern.value,
        certainty=platform.certainty,
        source=platform.source,
        url=place.settings.url,
        waiting=waiting.many if waiting else 0,
        oldest_ns=waiting.oldest_ns if waiting else 0,
        accepted_at_ns=lane.accepted_at_ns if lane else 0,
        refused=refused.many if refused else 0,
        trouble=lane.trouble if lane else "",
        trouble_since_ns=lane.trouble_since_ns if lane else 0,
        due_at_ns=lane.due_at_ns if lane else 0,
    )
