"""Safety logs: a day of the scope, one project's last days, and the forms of the firm's people."""

from datetime import timedelta

from fastapi import FastAPI, Request
from fastapi.responses import Response

from regulator.base.days import read_day
from regulator.base.model.actor import Duty
from regulator.base.records.scope import require_project
from regulator.base.texts import read_word
from regulator.base.web.act_door import ActDoor, back_to
from regulator.base.web.forms import Form
from regulator.parts.supervision.safety_file import SafetyFile
from regulator.parts.supervision.safety_logs import SITE, Role, enter_check_in, enter_log
from regulator.parts.supervision.safety_view import SHOWN, last_days, log_day, own_projects
from regulator.parts.supervision.supervision_door import Code

PAGE = "/safety-logs"


def safety_pages(app: FastAPI, door: ActDoor, file: SafetyFile) -> None:
    """Add every route below `/safety-logs` to the application."""
    _looking(app, door, file)
    _entering(app, door)


def _looking(app: FastAPI, door: ActDoor, file: SafetyFile) -> None:
    pages = door.pages

    @app.get(PAGE)
    def day(request: Request) -> Response:
        """The page with the safety logs of a day."""
        actor, said = pages.actor(request), request.query_params.get("day", "")
        asked = read_day(said, "day") if said else door.today - timedelta(days=1)
        may_enter = actor.has(Duty.RESPONDER) and actor.level in SITE
        with door.reading() as db:
            found = log_day(db, actor, asked)
            own = own_projects(db, actor) if may_enter else []
        roles = [role for role in Role if role is not Role.SHIFT]
        return pages.render(
            request, "supervision_safety.html", found=found, file=file, shown=SHOWN, own_projects=own,
            may_enter=may_enter, roles=roles, today=door.today, yesterday=door.today - timedelta(days=1),
            late=request.query_params.get("late", "") == "1",
        )  # fmt: skip

    @app.get(PAGE + "/{code}")
    def project(request: Request, code: Code) -> Response:
        """The page of one project's safety logs."""
        actor = pages.actor(request)
        with door.reading() as db:
            require_project(db, actor, code)
            days = last_days(db, code, door.today)
        return pages.render(request, "supervision_safety_project.html", code=code, days=days, today=door.today)


def _entering(app: FastAPI, door: ActDoor) -> None:
    @app.post(PAGE)
    def log(request: Request, form: Form) -> Response:
        """Enter what a site wrote into its safety log."""
        code, day = form["project_code"].strip(), read_day(form["day"], "day")
        with door.act(request, form["words"]) as act:
            enter_log(act, code, day, form["words"])
        return back_to(f"{PAGE}/{code}")

    @app.post(f"{PAGE}/check-ins")
    def check_in(request: Request, form: Form) -> Response:
        """Enter that a person in charge has checked in on site."""
        code, role = form["project_code"].strip(), read_word(Role, form["role"], "role")
        with door.act(request, role.zh) as act:
            late = enter_check_in(act, code, role, form["person"])
        return back_to(f"{PAGE}?late=1" if late else PAGE)
