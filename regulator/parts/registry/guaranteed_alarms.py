"""Which standing alarms are whose, by the dangerous works that people guarantee (包保制, notice A19).

    alarm --a camera that watches the work, or the kind of works that its asset is--> the work --> its guarantors
          `--none of the project's works----------------------------------------------------> all of the project

An alarm of a project with guarantors is always somebody's. Nobody is written to: it stands on the page of those with an
account, and on their first page, until it has returned to normal.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from regulator.base.kinds import WORKS_OF_ASSET, WorkStage
from regulator.base.model.actor import Actor
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.duties import guarantors
from regulator.base.records.tables.intake import alarms
from regulator.base.records.tables.registry import dangerous_works, devices, projects, work_watches

ROUTED: Final = ("P1", "P2")
MOST: Final = 500
_OVER: Final = (WorkStage.FINISHED.value, WorkStage.ENDED.value)
_alarm, _work = alarms.c, dangerous_works.c


@dataclass(frozen=True, slots=True)
class GuaranteedAlarm:
    """One that stands. `works`: names of the works that it is about, empty when it is about the project."""

    project_code: str
    project_name: str
    box_id: str
    alarm_id: str
    severity: str
    title_zh: str
    title_en: str
    subject: str
    raised_at_ns: int
    acknowledged: bool
    works: tuple[str, ...]


def guaranteed_alarms(db: Connection, actor: Actor) -> tuple[GuaranteedAlarm, ...]:
    """Those that stand for this person, in the scope, the gravest and oldest first; `MOST` at most."""
    mine = _guaranteed_by(db, actor)
    if not mine:
        return ()
    works = _works_of(db, {project for project, _ in mine})
    standing = (
        select(alarms, projects.c.name.label("project_name"))
        .join(projects, projects.c.project_code == _alarm.project_code)
        .where(_alarm.active == 1, _alarm.severity.in_(ROUTED), _alarm.project_code.in_(works))
        .where(_alarm.raised_event != "", in_scope(actor.scope, _alarm.project_code))
        .order_by(_alarm.severity, _alarm.raised_at_ns, _alarm.box_id, _alarm.alarm_id)
    )
    found = []
    for row in db.execute(standing):
        about = [work for work in works[row.project_code] if work.concerns(row.asset, row.asset_kind)]
        own = [work for work in about or works[row.project_code] if (row.project_code, work.code) in mine]
        if own:
            found.append(_found(row, [work.name for work in own] if about else ()))
        if len(found) == MOST:
            break
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Works:
    code: str
    name: str
    type: str
    watched_by: frozenset[str]

    def concerns(self, asset: str, asset_kind: str) -> bool:
        return asset in self.watched_by or WORKS_OF_ASSET.get(asset_kind, "-") == self.type


def _guaranteed_by(db: Connection, actor: Actor) -> set[tuple[str, str]]:
    at = guarantors.c
    rows = db.execute(select(at.project_code, at.work_code).where(at.user_id == actor.user_id))
    return {(row.project_code, row.work_code) for row in rows}


def _works_of(db: Connection, codes: Iterable[str]) -> Mapping[str, list[_Works]]:
    """Works that are not over, by project."""
    wanted, watch, device = sorted(codes), work_watches.c, devices.c
    same = (device.project_code == watch.project_code) & (device.device_code == watch.device_code)
    watched: dict[tuple[str, str], set[str]] = {}
    seen = select(watch.project_code, watch.work_code, device.asset).join(devices, same)
    for row in db.execute(seen.where(watch.project_code.in_(wanted), watch.until_ns == 0, device.asset != "")):
        watched.setdefault((row.project_code, row.work_code), set()).add(row.asset)
    found: dict[str, list[_Works]] = {}
    there = select(_work.project_code, _work.work_code, _work.name, _work.type)
    there = there.where(_work.project_code.in_(wanted), _work.stage.not_in(_OVER))
    for code, work_code, name, kind in db.execute(there.order_by(_work.project_code, _work.work_code)):
        watching = frozenset(watched.get((code, work_code), ()))
        found.setdefault(code, []).append(_Works(work_code, name, kind, watching))
    return found


def _found(row: "Row[Any]", works: Sequence[str]) -> GuaranteedAlarm:
    same = ("project_code", "box_id", "alarm_id", "severity", "title_zh", "title_en", "subject", "raised_at_ns")
    return GuaranteedAlarm(
        **{name: getattr(row, name) for name in same},
        project_name=row.project_name or row.project_code,
        acknowledged=bool(row.acknowledged),
        works=tuple(works),
    )
