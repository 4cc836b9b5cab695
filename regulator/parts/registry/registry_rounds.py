"""Rounds: the list with its countdown, one round with what is left, and the sheets."""

from typing import Annotated

from fastapi import FastAPI, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy import select

from regulator.base.days import read_day
from regulator.base.kinds import Answer, ItemLevel
from regulator.base.model.actor import Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.rounds import rounds
from regulator.base.texts import read_word
from regulator.base.web.forms import Form
from regulator.parts.registry.registry_door import RegistryDoor, back_to
from regulator.parts.registry.rounds.coverage import coverage_of, days_left, dropped_items, not_inspected
from regulator.parts.registry.rounds.round_office import (
    INSPECTORS,
    Check,
    Inspecting,
    ItemKey,
    check_item,
    close_round,
    follow_registry,
    open_round,
    read_answers,
)
from regulator.parts.registry.rounds.sheets import SheetKind

RoundId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
Code = Annotated[str, Query(max_length=64, pattern=r"^[0-9A-Za-z_.-]*$")]
SHOWN = 200


def round_pages(app: FastAPI, door: RegistryDoor) -> None:
    """Add every route below `/rounds` to the application."""
    _looking(app, door)
    _inspecting(app, door)
    _leading(app, door)


def _looking(app: FastAPI, door: RegistryDoor) -> None:
    pages = door.pages

    @app.get("/rounds")
    def listed(request: Request) -> Response:
        """The page with the rounds of inspection."""
        actor = pages.actor(request)
        with door.reading() as db:
            rows = db.execute(select(rounds).order_by(rounds.c.starts_on.desc(), rounds.c.round_id)).all()
            found = [(row, coverage_of(db, str(row.round_id), actor.scope)) for row in rows]
        shown = [
            (row, levels, days_left(row.due_on, door.today)) for row, levels in found if any(x.all for x in levels)
        ]
        may_open = actor.has(Duty.ADMINISTRATOR, Duty.APPROVER)
        return pages.render(request, "registry_rounds.html", rounds=shown, may_open=may_open, today=door.today)

    @app.get("/rounds/{round_id}")
    def one(request: Request, round_id: RoundId) -> Response:
        """The page of one round and how far it is."""
        actor = pages.actor(request)
        with door.reading() as db:
            row = db.execute(select(rounds).where(rounds.c.round_id == round_id)).first()
            levels = coverage_of(db, round_id, actor.scope)
            if row is None or not any(each.all + each.dropped for each in levels):
                raise RefusedError(404, "no_such_round", "没有这一轮检查", "no such round", "round_id")
            left = not_inspected(db, round_id, actor.scope, SHOWN)
            dropped = dropped_items(db, round_id, actor.scope, SHOWN)
        return pages.render(
            request, "registry_round.html", row=row, levels=levels, left=left, dropped=dropped, shown=SHOWN,
            days=days_left(row.due_on, door.today), level_of=ItemLevel.of, sheet_of=SheetKind.of,
            may_check=actor.has(*INSPECTORS), may_close=actor.has(Duty.APPROVER),
        )  # fmt: skip


def _inspecting(app: FastAPI, door: RegistryDoor) -> None:
    pages = door.pages

    @app.get("/rounds/{round_id}/sheet")
    def sheet(
        request: Request, round_id: RoundId, level: Code, sheet: Code, firm: Code = "", project: Code = "",
        device: Code = "",
    ) -> Response:  # fmt: skip
        """The sheet on which an inspection is written down."""
        pages.actor(request, *INSPECTORS)
        kind = read_word(SheetKind, sheet, "sheet")
        item = ItemKey(read_word(ItemLevel, level, "level"), firm, project, device)
        return pages.render(
            request, "registry_sheet.html", round_id=round_id, item=item, kind=kind,
            questions=door.book.questions(kind), answers=list(Answer),
        )  # fmt: skip

    @app.post("/rounds/{round_id}/checks")
    def checked(request: Request, round_id: RoundId, form: Form) -> Response:
        """Keep an inspection that was written down."""
        kind = read_word(SheetKind, form["sheet"], "sheet")
        codes = (form.get("firm"), form.get("project"), form.get("device"))
        item = ItemKey(read_word(ItemLevel, form["level"], "level"), *codes)
        with door.act(request, form.get("words") or kind.zh) as act:
            answers = read_answers(door.book, kind, form)
            check = Check(item, kind, answers, form.get("words"), form.get("at_project"))
            check_item(act, Inspecting(door.book, door.desk.open_hazard), round_id, check)
        return back_to(f"/rounds/{round_id}")


def _leading(app: FastAPI, door: RegistryDoor) -> None:
    @app.post("/rounds")
    def opened(request: Request, form: Form) -> Response:
        """Open a round of inspection, with its first and last day."""
        starts, due = read_day(form["starts_on"], "starts_on"), read_day(form["due_on"], "due_on")
        with door.act(request, form["reason"]) as act:
            round_id = open_round(act, form["name"], starts, due)
        return back_to(f"/rounds/{round_id}")

    @app.post("/rounds/{round_id}/follow")
    def followed(request: Request, round_id: RoundId, form: Form) -> Response:
        """Add what was registered since the round was opened."""
        with door.act(request, form["reason"]) as act:
            follow_registry(act, round_id)
        return back_to(f"/rounds/{round_id}")

    @app.post("/rounds/{round_id}/close")
    def closed(request: Request, round_id: RoundId, form: Form) -> Response:
        """Close a round of inspection; it stays as it is."""
        with door.act(request, form["reason"]) as act:
            close_round(act, round_id)
        return back_to(f"/rounds/{round_id}")
