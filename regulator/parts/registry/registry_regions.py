"""Regions and firms: what projects hang on, with the forms that keep them.

GET  /regions                          regions as a tree, firms of the scope
POST /regions | /regions/{code}/name   by the province's administrators
POST /firms | /firms/{code}/name | /firms/{code}/end
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final

from fastapi import FastAPI, Path, Request
from fastapi.responses import Response
from sqlalchemy import Connection, Row, select

from regulator.base.kinds import FirmRole, RegionLevel
from regulator.base.model.actor import Actor, Duty, Level
from regulator.base.records.scope import in_scope
from regulator.base.records.tables.registry import firms, project_firms, regions
from regulator.base.texts import read_word
from regulator.base.web.forms import Form
from regulator.parts.registry.projects.region_office import (
    Firm,
    Region,
    add_firm,
    add_region,
    end_firm,
    rename_firm,
    rename_region,
)
from regulator.parts.registry.registry_door import RegistryDoor, back_to

Code = Annotated[str, Path(max_length=64, pattern=r"^[0-9A-Za-z_.-]+$")]
PAGE: Final = "/regions"
MOST_FIRMS: Final = 500


def region_pages(app: FastAPI, door: RegistryDoor) -> None:
    """Add the routes below `/regions` and `/firms`."""
    _looking(app, door)
    _regions(app, door)
    _firms(app, door)


def _looking(app: FastAPI, door: RegistryDoor) -> None:
    pages = door.pages

    @app.get(PAGE)
    def listed(request: Request) -> Response:
        """The page with regions and firms of the actor's scope."""
        actor, asked = pages.actor(request), request.query_params.get("q", "")[:100].strip()
        with door.reading() as db:
            tree = list(_tree(db.execute(select(regions).order_by(regions.c.code)).all(), ""))
            known = _firms_of(db, actor, asked)
        of_province = actor.level is Level.PROVINCE and actor.has(Duty.ADMINISTRATOR)
        return pages.render(
            request, "registry_regions.html", tree=tree, q=asked,
            firms=known[:MOST_FIRMS], more=len(known) > MOST_FIRMS,
            levels=list(RegionLevel), roles=list(FirmRole), level_of=RegionLevel.of, role_of=FirmRole.of,
            may_regions=of_province, may_firms=actor.has(Duty.ADMINISTRATOR),
        )  # fmt: skip


def _regions(app: FastAPI, door: RegistryDoor) -> None:
    @app.post(PAGE)
    def entered(request: Request, form: Form) -> Response:
        """Enter a region, with its level and the one above it."""
        level = read_word(RegionLevel, form["level"], "level")
        with door.act(request, form["reason"]) as act:
            add_region(act, Region(form["code"], form["name"], level, form.get("parent").strip()))
        return back_to(PAGE)

    @app.post("/regions/{code}/name")
    def renamed(request: Request, code: Code, form: Form) -> Response:
        """Give a region another name from now on."""
        with door.act(request, form["reason"]) as act:
            rename_region(act, code, form["name"])
        return back_to(PAGE)


def _firms(app: FastAPI, door: RegistryDoor) -> None:
    @app.post("/firms")
    def entered(request: Request, form: Form) -> Response:
        """Enter a firm with its unified credit code."""
        kind = read_word(FirmRole, form["kind"], "kind")
        with door.act(request, form["reason"]) as act:
            add_firm(act, Firm(form["firm_code"], form["name"], kind))
        return back_to(f"{PAGE}#firms")

    @app.post("/firms/{code}/name")
    def renamed(request: Request, code: Code, form: Form) -> Response:
        """Give a firm another name from now on."""
        with door.act(request, form["reason"]) as act:
            rename_firm(act, code, form["name"])
        return back_to(f"{PAGE}#firms")

    @app.post("/firms/{code}/end")
    def ended(request: Request, code: Code, form: Form) -> Response:
        """End a firm's entry; what it did stays."""
        with door.act(request, form["reason"]) as act:
            end_firm(act, code)
        return back_to(f"{PAGE}#firms")


def _tree(
    rows: "Sequence[Row[tuple[str, ...]]]", parent: str, depth: int = 0
) -> "Iterator[tuple[int, Row[tuple[str, ...]]]]":
    """Each region with its depth, those below right behind it."""
    for row in rows:
        if row.parent == parent:
            yield depth, row
            yield from _tree(rows, str(row.code), depth + 1)


def _firms_of(db: Connection, actor: Actor, words: str) -> "Sequence[Row[tuple[str, ...]]]":
    """The province's keepers see every firm; everybody else those that build in their scope."""
    at, wanted = firms.c, select(firms)
    if actor.level is not Level.PROVINCE:
        here = select(project_firms.c.firm_code).where(in_scope(actor.scope, project_firms.c.project_code))
        wanted = wanted.where(at.firm_code.in_(here))
    if words:
        wanted = wanted.where(
            at.name.contains(words, autoescape=True) | at.firm_code.startswith(words, autoescape=True)
        )
    return db.execute(wanted.order_by(at.firm_code).limit(MOST_FIRMS + 1)).all()
