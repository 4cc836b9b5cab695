"""Random draws: the list, one draw with what may be known of it today, its files, and the forms of every step."""

from datetime import date

from fastapi import FastAPI, Request
from fastapi.responses import Response

from regulator.base.act import Act
from regulator.base.days import read_day
from regulator.base.model.actor import Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.web.act_door import ActDoor, back_to
from regulator.base.web.forms import Form, FormValues
from regulator.parts.supervision.draw_answers import PoolFile, ResultFile
from regulator.parts.supervision.draw_file import DrawFile
from regulator.parts.supervision.draw_office import DrawState, NewDraw, PublicValue, begin, draw, freeze, redraw
from regulator.parts.supervision.draw_pool import (
    LEADERS,
    Conflict,
    conflicts_of,
    declare_conflict,
    end_conflict,
    inspectors_of,
)
from regulator.parts.supervision.draw_view import draw_of, draws_of, pool_text, result_text
from regulator.parts.supervision.supervision_door import Id
from screens.days import typed_moment_ns
from screens.published import operation

PAGE = "/draws"
NO_DRAW = {404: "There is no such draw in the scope, or its day has not come"}


def draw_pages(app: FastAPI, door: ActDoor, file: DrawFile) -> None:
    """Add every route below `/draws` to the application."""
    _looking(app, door, file)
    _files(app, door)
    _stepping(app, door, file)
    _keeping_away(app, door)


def _looking(app: FastAPI, door: ActDoor, file: DrawFile) -> None:
    pages = door.pages

    @app.get(PAGE)
    def listed(request: Request) -> Response:
        """The page with the draws of inspections."""
        actor = pages.actor(request)
        with door.reading() as db:
            found, people = draws_of(db, actor), inspectors_of(db, actor.scope)
            away = conflicts_of(db, actor)
        this_year = [
            row for row, state in found if row.on_day[:4] == str(door.today.year) and state is not DrawState.VOID
        ]
        return pages.render(
            request, "supervision_draws.html", draws=found, people=people, away=away, file=file, today=door.today,
            this_year=len(this_year), may_lead=actor.has(*LEADERS) and bool(people), leads=actor.has(*LEADERS),
            inspects=actor.has(Duty.INSPECTOR),
        )  # fmt: skip

    @app.get(PAGE + "/{draw_id}")
    def one(request: Request, draw_id: Id) -> Response:
        """The page of one draw, from pool to result."""
        actor = pages.actor(request)
        with door.reading() as db:
            found = draw_of(db, actor, draw_id, door.today)
        return pages.render(
            request, "supervision_draw.html", found=found, row=found.row, states=DrawState, today=door.today,
            may_lead=found.own and actor.has(*LEADERS),
        )  # fmt: skip


def _files(app: FastAPI, door: ActDoor) -> None:
    pages = door.pages

    @app.get(PAGE + "/{draw_id}/pool.json", **operation("supervision", "The frozen pool", PoolFile, NO_DRAW))
    def pool(request: Request, draw_id: Id) -> Response:
        actor = pages.actor(request)
        with door.reading() as db:
            return _download(pool_text(db, actor, draw_id, door.today), f"pool-{draw_id}.json")

    @app.get(PAGE + "/{draw_id}/result.json", **operation("supervision", "The result", ResultFile, NO_DRAW))
    def result(request: Request, draw_id: Id) -> Response:
        actor = pages.actor(request)
        with door.reading() as db:
            return _download(result_text(db, actor, draw_id, door.today), f"result-{draw_id}.json")


def _stepping(app: FastAPI, door: ActDoor, file: DrawFile) -> None:
    @app.post(PAGE)
    def frozen(request: Request, form: Form) -> Response:
        """Freeze the pool of a draw before its seed is known."""
        new = NewDraw(form["name"], read_day(form["on_day"], "on_day"))
        with door.act(request, form["reason"]) as act:
            draw_id = freeze(act, file, new)
        return back_to(f"{PAGE}/{draw_id}")

    @app.post(PAGE + "/{draw_id}/draw")
    def drawn(request: Request, draw_id: Id, form: Form) -> Response:
        """Draw, now that the seed can be known."""
        public = PublicValue(form["public_value"], form["public_source"], _moment(form))
        with door.act(request, form["public_source"]) as act:
            draw(act, draw_id, public)
        return back_to(f"{PAGE}/{draw_id}")

    @app.post(PAGE + "/{draw_id}/begin")
    def begun(request: Request, draw_id: Id, form: Form) -> Response:
        """Note that the inspection of a drawn project has begun."""
        due: date = read_day(form["due_on"], "due_on")
        with door.act(request, form["reason"]) as act:
            round_id = begin(act, draw_id, due)
        return back_to(f"/rounds/{round_id}")

    @app.post(PAGE + "/{draw_id}/redraw")
    def redrawn(request: Request, draw_id: Id, form: Form) -> Response:
        """Draw again for a place that cannot be inspected."""
        with door.act(request, form["reason"]) as act:
            new_id = redraw(act, file, draw_id)
        return back_to(f"{PAGE}/{new_id}")


def _keeping_away(app: FastAPI, door: ActDoor) -> None:
    @app.post(f"{PAGE}/conflicts")
    def declared(request: Request, form: Form) -> Response:
        """Declare that an inspector must keep away from a project."""
        with door.act(request, form["reason"]) as act:
            declare_conflict(act, _conflict(act, form))
        return back_to(PAGE)

    @app.post(PAGE + "/conflicts/{conflict_id}/end")
    def ended(request: Request, conflict_id: Id, form: Form) -> Response:
        """End a declaration to keep away from a project."""
        with door.act(request, form["reason"]) as act:
            end_conflict(act, conflict_id)
        return back_to(PAGE)


def _conflict(act: Act, form: FormValues) -> Conflict:
    user_id = form.get("user_id") or act.actor.user_id
    return Conflict(user_id, form.get("project_code").strip(), form.get("firm_code").strip())


def _moment(form: FormValues) -> int:
    """When the public value was published, on the site's clock; UTC ns."""
    at_ns = typed_moment_ns(form["public_at"])
    if at_ns is None:
        raise RefusedError(422, "bad_time", "请填写日期和时间", "give a date and a time", "public_at")
    return at_ns


def _download(text: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(text.encode(), media_type="application/json", headers=headers)
