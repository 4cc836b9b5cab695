"""Guarantors of hazard sources, and the monthly reports of the key-risk list.

GET  /guarantors?missing=yes                              POST /projects/{code}/works/{work}/guarantors
GET  /key-risks/{level}/{code}/report                      POST the same
"""

from typing import Annotated

from fastapi import FastAPI, Path, Request
from fastapi.responses import Response

from regulator.base.kinds import ItemLevel
from regulator.base.listed import Listed, require_seen
from regulator.base.model.actor import Duty
from regulator.base.texts import read_word
from regulator.base.web.forms import Form
from regulator.parts.registry.guaranteed_alarms import guaranteed_alarms
from regulator.parts.registry.projects.guarantors import GuarantorRole, hazard_sources, name_guarantor
from regulator.parts.registry.registry_door import RegistryDoor, back_to
from regulator.parts.registry.rounds.risk_reports import REPORTERS, figures_of, owed_months, reports_of, submit_report

Code = Annotated[str, Path(max_length=64, pattern=r"^[0-9A-Za-z_.-]+$")]
LevelName = Annotated[str, Path(pattern=r"^(firm|project)$")]
MOST = 500
NAMERS = (Duty.ADMINISTRATOR, Duty.REVIEWER, Duty.APPROVER)


def duty_pages(app: FastAPI, door: RegistryDoor) -> None:
    """Add the routes of these pages to the application."""
    _guarantors(app, door)
    _reports(app, door)


def _guarantors(app: FastAPI, door: RegistryDoor) -> None:
    @app.get("/guarantors")
    def listed(request: Request) -> Response:
        """The page with who answers for which major work."""
        actor, lacking = door.pages.actor(request), request.query_params.get("missing") == "yes"
        project = request.query_params.get("project", "")[:64]
        with door.reading() as db:
            found = hazard_sources(db, actor.scope, project, lacking=lacking)
            standing = guaranteed_alarms(db, actor)
        return door.pages.render(
            request, "registry_guarantors.html", sources=found[:MOST], more=len(found) > MOST, missing=lacking,
            project=project, roles=list(GuarantorRole), may_name=actor.has(*NAMERS),
            standing=standing,
        )  # fmt: skip

    @app.post("/projects/{code}/works/{work_code}/guarantors")
    def named(request: Request, code: Code, work_code: Code, form: Form) -> Response:
        """Name a person who answers for a work."""
        role = read_word(GuarantorRole, form["role"], "role")
        with door.act(request, form["reason"]) as act:
            name_guarantor(act, code, work_code, role, form["name"], form.get("login"))
        return back_to(f"/guarantors?project={code}")


def _reports(app: FastAPI, door: RegistryDoor) -> None:
    @app.get("/key-risks/{level}/{code}/report")
    def drafted(request: Request, level: LevelName, code: Code) -> Response:
        """The page with the months whose report on a key risk is owed."""
        actor, thing = door.pages.actor(request), Listed(ItemLevel.of(level), code)
        with door.reading() as db:
            require_seen(db, actor, thing)
            owed = owed_months(db, thing, door.today)
            draft = figures_of(db, thing, actor.scope, owed[0], door.pages.now_ns()) if owed else None
            done = reports_of(db, thing)
        return door.pages.render(
            request, "registry_report.html", thing=thing, owed=owed, draft=draft, done=done,
            may_report=actor.has(*REPORTERS),
        )  # fmt: skip

    @app.post("/key-risks/{level}/{code}/report")
    def submitted(request: Request, level: LevelName, code: Code, form: Form) -> Response:
        """Hand in the monthly report on a key risk."""
        thing = Listed(ItemLevel.of(level), code)
        with door.act(request, form["words"]) as act:
            submit_report(act, thing, form["month"], form["words"])
        return back_to(f"/key-risks/{level}/{code}/report")
