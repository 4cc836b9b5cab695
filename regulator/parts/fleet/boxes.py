"""Every box of a scope on one list: what it is, how it is, and whether it needs somebody; the worst first.

In: an actor, the time, filters. Out: `FleetBox`es. What a box has not said is None or empty, and counts as unknown; a
silent box's figures are those of its last word, with its time beside them.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from sqlalchemy import Connection, Row, Select, and_, func, select

from contract.messages import BoxState
from regulator.base.model.actor import Actor
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.fleet import box_states, pack_offers
from regulator.base.records.tables.intake import boxes, chain_records
from regulator.base.records.tables.registry import projects
from regulator.parts.fleet.versions import is_older

SECOND_NS: Final = 1_000_000_000
LARGE_OFFSET_NS: Final = 2 * SECOND_NS
"""A clock that is further off is pointed out (PD): the box's own bound for a jump."""


class Standing(Enum):
    """What a box needs, the most urgent first. Words are the page's."""

    SILENT = "silent"
    OUTDATED = "outdated"
    UNKNOWN = "unknown"
    CURRENT = "current"


@dataclass(frozen=True, slots=True)
class FleetBox:
    """One box. Times UTC ns, 0: has not come. None: not known. `packs_behind`: offers that are not in force there."""

    box_id: str
    project_code: str
    project_name: str
    standing: Standing
    state: BoxState | None
    state_heard_at_ns: int
    older_software: bool | None
    packs_behind: tuple[str, ...]
    clock_offset_ns: int | None
    last_seen_ns: int
    head_seq: int
    verified_seq: int
    record_at_ns: int
    chain_fault: str
    waiting: int | None
    disk_days_left: int | None
    waiting_for_approver: bool
    revoked: bool

    @property
    def clock_off(self) -> bool:
        """Whether its clock is known to be far off."""
        return self.clock_offset_ns is not None and abs(self.clock_offset_ns) >= LARGE_OFFSET_NS

    @property
    def records_missing(self) -> int:
        """How many records its chain has that have not been verified here."""
        return max(0, self.head_seq - self.verified_seq)


@dataclass(frozen=True, slots=True)
class Filters:
    """`show`: a standing or ''. `words`: in the id of the box, the code or the name of the project. `software`: exactly
    this version; '-' those that have not said it. `pack`: a pack's name or the beginning of its digest."""

    show: str = ""
    words: str = ""
    software: str = ""
    pack: str = ""


@dataclass(frozen=True, slots=True)
class Fleet:
    """`rows` that fit the filters; counts and versions are of all boxes of the scope. A box that was revoked stands at
    the end and counts for nothing: nobody waits for it."""

    rows: tuple[FleetBox, ...]
    counts: Mapping[Standing, int]
    versions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Yardstick:
    """What boxes are held against: the time, how long one may say nothing, the desk's own version."""

    now_ns: int
    silent_s: int
    software: str


def fleet_of(db: Connection, actor: Actor, yardstick: Yardstick, filters: Filters) -> Fleet:
    """All boxes that the actor may see."""
    offers = newest_offers(db, actor)
    found = [_box(row, offers.get(row.box_id, ()), yardstick) for row in db.execute(_boxes(actor))]
    order = list(Standing)
    found.sort(key=lambda box: (box.revoked, order.index(box.standing), box.last_seen_ns, box.box_id))
    counts = {each: sum(box.standing is each and not box.revoked for box in found) for each in Standing}
    versions = sorted({box.state.software for box in found if box.state is not None})
    return Fleet(tuple(box for box in found if _fits(box, filters)), counts, tuple(versions))


def newest_offers(db: Connection, actor: Actor) -> "dict[str, list[Row[Any]]]":
    """The newest offer of each pack to each box of the scope, by box."""
    at = pack_offers.c
    newest = select(at.box_id, at.name, func.max(at.offered_at_ns).label("at_ns")).group_by(at.box_id, at.name)
    last = newest.subquery()
    same = and_(at.box_id == last.c.box_id, at.name == last.c.name, at.offered_at_ns == last.c.at_ns)
    wanted = select(pack_offers).join(last, same).where(in_scope(actor.scope, at.project_code))
    found: dict[str, list[Row[Any]]] = {}
    for row in db.execute(wanted.order_by(at.box_id, at.name)):
        found.setdefault(row.box_id, []).append(row)
    return found


def _boxes(actor: Actor) -> "Select[Any]":
    record = and_(
        chain_records.c.box_id == boxes.c.box_id,
        chain_records.c.seq == boxes.c.verified_seq,
        chain_records.c.sha256 == boxes.c.verified_sha256,
    )
    return (
        select(
            boxes,
            projects.c.name,
            box_states.c.body,
            box_states.c.heard_at_ns,
            func.coalesce(chain_records.c.accepted_at_ns, 0).label("record_at_ns"),
        )
        .outerjoin(projects, projects.c.project_code == boxes.c.project_code)
        .outerjoin(box_states, box_states.c.box_id == boxes.c.box_id)
        .outerjoin(chain_records, record)
        .where(in_scope(actor.scope, boxes.c.project_code))
    )


def _box(row: "Row[Any]", offers: "Sequence[Row[Any]]", yardstick: Yardstick) -> FleetBox:
    state = BoxState.model_validate_json(row.body) if row.body else None
    figures = json.loads(row.counters)
    older = None if state is None else is_older(state.software, yardstick.software)
    behind = tuple(offer.name for offer in offers if state is not None and _is_behind(offer, state))
    silent = row.last_seen_ns < yardstick.now_ns - yardstick.silent_s * SECOND_NS
    return FleetBox(
        box_id=row.box_id,
        project_code=row.project_code,
        project_name=row.name or "",
        standing=_standing(silent=silent, outdated=bool(older or behind), known=older is not None),
        state=state,
        state_heard_at_ns=row.heard_at_ns or 0,
        older_software=older,
        packs_behind=behind,
        clock_offset_ns=row.clock_offset_ns if row.clock_heard_at_ns else None,
        last_seen_ns=row.last_seen_ns,
        head_seq=row.head_seq,
        verified_seq=row.verified_seq,
        record_at_ns=row.record_at_ns,
        chain_fault=row.chain_fault,
        waiting=figures.get("waiting"),
        disk_days_left=figures.get("disk_days_left"),
        waiting_for_approver=bool(row.waiting),
        revoked=row.revoked_at_ns > 0,
    )


def _standing(*, silent: bool, outdated: bool, known: bool) -> Standing:
    if silent:
        return Standing.SILENT
    if outdated:
        return Standing.OUTDATED
    return Standing.CURRENT if known else Standing.UNKNOWN


def _is_behind(offer: "Row[Any]", state: BoxState) -> bool:
    """Whether what was offered last is not what the box says that it judges by."""
    mine = [pack for pack in state.rule_packs if pack.name == offer.name]
    if offer.withdrawn:
        return any(pack.origin == "regulator" for pack in mine)
    return all(pack.sha256 != offer.sha256 for pack in mine)


def _fits(box: FleetBox, filters: Filters) -> bool:
    packs = [] if box.state is None else [(pack.name, pack.sha256) for pack in box.state.rule_packs]
    software = "-" if box.state is None else box.state.software
    words = filters.words.strip().casefold()
    return (
        (not filters.show or (filters.show == box.standing.value and not box.revoked))
        and filters.software in ("", software)
        and any(words in text.casefold() for text in (box.box_id, box.project_code, box.project_name))
        and (not filters.pack or any(filters.pack == name or sha.startswith(filters.pack) for name, sha in packs))
    )
