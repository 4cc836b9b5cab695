"""The key-risk list: who is on it and why, this month's checks, and the way out."""

from collections.abc import Callable, Mapping
from typing import Annotated, Final

from fastapi import FastAPI, Path, Request
from fastapi.responses import Response

from regulator.base.days import month_end, read_day
from regulator.base.kinds import ItemLevel, RiskKind
from regulator.base.listed import Listed
from regulator.base.model.actor import Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.texts import read_word
from regulator.base.web.forms import Form
from regulator.parts.registry.registry_door import RegistryDoor, back_to
from regulator.parts.registry.rounds.key_risk import (
    JUDGES,
    RiskEvent,
    approve_exit,
    check_done,
    list_by_hand,
    propose_exit,
    record_event,
)
from regulator.parts.registry.rounds.monthly import DUE_DAYS_BEFORE, MonthlyTask, MonthState, monthly_tasks

Code = Annotated[str, Path(max_length=64, pattern=r"^[0-9A-Za-z_.-]+$")]
LevelName = Annotated[str, Path(pattern=r"^(firm|project)$")]
PAGE = "/key-risks"
MONTHS: Final[Mapping[str, Callable[[MonthlyTask], bool]]] = {
    "": lambda _: True,
    "open": lambda task: task.state is not MonthState.DONE,
    "due": lambda task: task.state is MonthState.DUE,
    "missed": lambda task: task.overdue,
    "exit": lambda task: bool(task.report_sha256),
}
"""What `?month=` chooses: without this month's check, due now, a past month missed, an exit to be decided."""


def risk_pages(app: FastAPI, door: RegistryDoor) -> None:
    """Add every route below `/key-risks` to the application."""
    _looking(app, door)
    _acting(app, door)
    _leaving(app, door)


def _looking(app: FastAPI, door: RegistryDoor) -> None:
    pages = door.pages

    @app.get(PAGE)
    def listed(request: Request) -> Response:
        """The page with the key risks of each level."""
        actor = pages.actor(request)
        with door.reading() as db:
            tasks = monthly_tasks(db, actor.scope, door.today)
        month = request.query_params.get("month", "")
        if month not in MONTHS:
            raise RefusedError(422, "bad_choice", "没有这个选项", f"expected one of: {', '.join(MONTHS)}", "month")
        tasks = [task for task in tasks if MONTHS[month](task)]
        rights = {
            "may_check": actor.has(Duty.INSPECTOR, Duty.REVIEWER),
            "may_judge": actor.has(*JUDGES),
            "may_approve": actor.has(Duty.APPROVER),
        }
        return pages.render(
            request, "registry_risks.html", tasks=tasks, month=month, due=MonthState.DUE, done=MonthState.DONE,
            kinds=[kind for kind in RiskKind if kind is not RiskKind.MANUAL], today=door.today.isoformat(),
            month_end=month_end(door.today).isoformat(), days_before=DUE_DAYS_BEFORE, **rights,
        )  # fmt: skip


def _acting(app: FastAPI, door: RegistryDoor) -> None:
    @app.post(f"{PAGE}/events")
    def event(request: Request, form: Form) -> Response:
        """Enter an event that may make something a key risk."""
        points = form.get("points")
        if points and not (points.isdecimal() and len(points) <= 4):
            raise RefusedError(422, "wrong_points", "扣分应为整数", "points: a whole number", "points")
        happened = RiskEvent(
            kind=read_word(RiskKind, form["kind"], "kind"),
            on_day=read_day(form["on_day"], "on_day"),
            words=form["reason"],
            firm_code=form.get("firm_code").strip(),
            project_code=form.get("project_code").strip(),
            points=int(points or 0),
            source=form.get("source"),
        )
        with door.act(request, form["reason"]) as act:
            record_event(act, happened)
        return back_to(PAGE)

    @app.post(f"{PAGE}/by-hand")
    def by_hand(request: Request, form: Form) -> Response:
        """Put something on the list by hand, with a reason."""
        thing = Listed(read_word(ItemLevel, form["level"], "level"), form["code"].strip())
        with door.act(request, form["reason"]) as act:
            list_by_hand(act, thing)
        return back_to(PAGE)

    @app.post(PAGE + "/{level}/{code}/check")
    def check(request: Request, level: LevelName, code: Code, form: Form) -> Response:
        """Note a check of a key risk, with its result."""
        project_code = code if level == ItemLevel.PROJECT.value else form["project_code"].strip()
        with door.act(request, form["reason"]) as act:
            check_done(act, Listed(ItemLevel.of(level), code), project_code)
        return back_to(PAGE)


def _leaving(app: FastAPI, door: RegistryDoor) -> None:
    shelf = door.desk

    @app.post(PAGE + "/{level}/{code}/exit/upload")
    def proposed(request: Request, level: LevelName, code: Code, form: Form) -> Response:
        """Propose that a key risk leaves the list."""
        files = form.files("report")
        if not files:
            raise RefusedError(422, "no_report", "须附专家评估报告", "the experts' report is needed", "report")
        with door.act(request, form["reason"]) as act:
            sha256 = shelf.shelf.put(files[0].content, files[0].media_type)
            propose_exit(act, Listed(ItemLevel.of(level), code), sha256, shelf.shelf.holds)
        return back_to(PAGE)

    @app.post(PAGE + "/{level}/{code}/exit/approve")
    def approved(request: Request, level: LevelName, code: Code, form: Form) -> Response:
        """Approve that a key risk leaves the list."""
        with door.act(request, form["reason"]) as act:
            approve_exit(act, Listed(ItemLevel.of(level), code))
        return back_to(PAGE)
