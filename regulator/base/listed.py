"""A firm or a project as something that lists name, and who may see it."""

from dataclasses import dataclass

from sqlalchemy import Connection, select

from regulator.base.kinds import ItemLevel
from regulator.base.model.actor import Actor
from regulator.base.model.refusals import RefusedError
from regulator.base.records.scope import in_scope, require_project
from regulator.base.records.tables.registry import project_firms


@dataclass(frozen=True, slots=True)
class Listed:
    """A firm or a project: `level` FIRM or PROJECT, and its code."""

    level: ItemLevel
    code: str


def require_seen(db: Connection, actor: Actor, thing: Listed) -> None:
    """Raises RefusedError 404 for a project outside the scope, or a firm that builds nothing in it."""
    if thing.level is ItemLevel.PROJECT:
        require_project(db, actor, thing.code)
        return
    at = project_firms.c
    here = select(at.firm_code).where(at.firm_code == thing.code, in_scope(actor.scope, at.project_code))
    if db.scalar(here.limit(1)) is None:
        raise RefusedError(404, "no_such_firm", "辖区内没有该企业", "no such firm in your scope", "firm_code")
