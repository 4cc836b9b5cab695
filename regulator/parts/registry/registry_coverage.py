"""R6: how much of the set is really covered, on the ladder, today or as a past day ended."""

from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import Response
from sqlalchemy import select

from regulator.base.coverage.ladder import Footing, Ladder, Rung
from regulator.base.coverage.standings import Standing, is_unknown, standing_of
from regulator.base.records.among import among
from regulator.base.records.tables.registry import projects
from regulator.base.texts import read_word
from regulator.parts.registry.registry_door import RegistryDoor

UNKNOWN: Final = "unknown"


def coverage_pages(app: FastAPI, door: RegistryDoor) -> None:
    """Add the page `/coverage` to the application."""
    pages = door.pages

    @app.get("/coverage")
    def coverage(request: Request) -> Response:
        """The page that says how far the coverage has come."""
        actor, day = pages.actor(request), door.day_asked(request)
        silent_s = door.desk.settings.silent_box_s
        with door.reading() as db:
            standing = standing_of(db, door.rules.set_code, actor.scope, day, pages.now_ns(), silent_s)
            at = projects.c
            stopped = request.query_params.get("stopped", "")
            rest = _rest(standing, stopped)
            listed = standing.ladders if standing else {}
            known = select(at.project_code, at.name).where(among(at.project_code, listed))
            names = {row[0]: row[1] for row in db.execute(known)}
        rungs = [rung for rung in Rung if rung is not Rung.NOWHERE]
        return pages.render(
            request, "registry_coverage.html", standing=standing, day=day.isoformat(),
            today=door.today.isoformat(), names=names, rungs=rungs, rest=rest, stopped=stopped, Footing=Footing,
        )  # fmt: skip


def _rest(standing: Standing | None, stopped: str) -> list[tuple[str, Ladder]]:
    """Projects below the top; with `stopped` those that stop at this rung, or (`unknown`) of which nobody can say.
    Raises RefusedError 422 for another word."""
    rung = read_word(Rung, stopped, "stopped") if stopped and stopped != UNKNOWN else None
    found = []
    for code, ladder in standing.ladders.items() if standing else ():
        stop = ladder.stopped_at
        if stop is None or (rung is not None and stop.rung is not rung):
            continue
        if stopped != UNKNOWN or is_unknown(ladder):
            found.append((code, ladder))
    return found
