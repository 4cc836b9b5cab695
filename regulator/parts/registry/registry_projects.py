"""The list of projects, R5 (one project), and the forms that keep both."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Final

from fastapi import FastAPI, Path, Query, Request
from fastapi.responses import Response
from sqlalchemy import select

from regulator.base.coverage.facts import Moment, gather
from regulator.base.coverage.ladder import climb
from regulator.base.coverage.set_membership import member_codes_on, memberships_of
from regulator.base.days import read_day
from regulator.base.kinds import Category, DeviceKind, FirmRole, ProjectStatus, Word, WorkStage, WorkType
from regulator.base.model.actor import Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.scope import require_project
from regulator.base.records.tables.coverage import camera_stills
from regulator.base.records.tables.intake import items
from regulator.base.texts import read_word
from regulator.base.web.forms import Form, FormValues
from regulator.parts.registry.projects.device_office import (
    DangerousWork,
    Device,
    add_device,
    end_device,
    put_work,
    watch_work,
)
from regulator.parts.registry.projects.project_lists import Filters, dossier, project_page
from regulator.parts.registry.projects.project_office import (
    Project,
    change_project,
    move_project,
    put_firm,
    register_project,
    release_firm,
)
from regulator.parts.registry.registry_door import RegistryDoor, back_to

Code = Annotated[str, Path(max_length=64, pattern=r"^[0-9A-Za-z_.-]+$")]
Words = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]
KEPT: Final = {"cache-control": "private, max-age=60"}


def project_pages(app: FastAPI, door: RegistryDoor) -> None:
    """Add every route below `/projects` to the application."""
    _looking(app, door)
    _keeping(app, door)
    _owning(app, door)


def _looking(app: FastAPI, door: RegistryDoor) -> None:
    pages = door.pages

    @app.get("/projects")
    def projects(request: Request, after: Words = "") -> Response:
        """The page with the projects of the actor's scope."""
        actor, asked = pages.actor(request), request.query_params
        filters = _filters(asked)
        with door.reading() as db:
            page = project_page(db, actor, door.rules.set_code, door.today, filters, after)
        chosen = {name: asked.get(name, "") for name in ("city", "region", "category", "status", "work", "q", "member")}
        return pages.render(
            request, "registry_projects.html", page=page, chosen=chosen, after=after,
            categories=list(Category), statuses=list(ProjectStatus), works=list(WorkType),
        )  # fmt: skip

    @app.get("/projects/{code}")
    def project(request: Request, code: Code) -> Response:
        """The page of one project, with firms, devices and works."""
        actor = pages.actor(request)
        moment = Moment.today(pages.now_ns(), door.desk.settings.silent_box_s)
        with door.reading() as db:
            found = dossier(db, actor, code)
            members = set(member_codes_on(db, door.rules.set_code, door.today))
            facts = gather(db, moment, members & {code}, [code])[code]
            stays = memberships_of(db, door.rules.set_code, code)
        history = [(row, json.loads(row.body)) for row in found.history]
        moves = [status for status in ProjectStatus if status is not ProjectStatus.UNREGISTERED]
        return pages.render(
            request, "registry_project.html", found=found, facts=facts, ladder=climb(facts), stays=stays,
            history=history, moves=moves, roles=list(FirmRole), camera=DeviceKind.CAMERA,
            word_of=_word_of, categories=list(Category), kinds=list(DeviceKind),
            types=list(WorkType), stages=list(WorkStage),
        )  # fmt: skip

    @app.get("/projects/{code}/cameras/{camera}/still")
    def still(request: Request, code: Code, camera: Annotated[str, Path(max_length=500)]) -> Response:
        """The newest still of a camera of the project."""
        with door.act(request, pages.text(request, "looked at the last still")) as act:
            require_project(act.db, act.actor, code)
            at = camera_stills.c
            row = act.db.execute(
                select(at.media_type, at.sha256, items.c.body)
                .join(items, (items.c.box_id == at.box_id) & (items.c.key == at.item_key))
                .where(at.project_code == code, at.camera_id == camera)
            ).first()
            if row is None:
                raise RefusedError(404, "no_such_still", "没有这张画面", "no such still", "camera")
            act.write("still_viewed", camera, {"sha256": row.sha256}, code)
        picture = base64.b64decode(json.loads(row.body)["data_base64"])
        return Response(picture, media_type=row.media_type, headers=KEPT)


def _keeping(app: FastAPI, door: RegistryDoor) -> None:
    @app.post("/projects")
    def register(request: Request, form: Form) -> Response:
        """Register a new project, as the form says."""
        door.pages.actor(request, Duty.ADMINISTRATOR)
        with door.act(request, form["reason"]) as act:
            register_project(act, _project(form))
        return back_to(f"/projects/{form['project_code'].strip()}")

    @app.post("/projects/{code}/change")
    def change(request: Request, code: Code, form: Form) -> Response:
        """Change what is registered of a project."""
        with door.act(request, form["reason"]) as act:
            change_project(act, replace(_project(form), project_code=code))
        return back_to(f"/projects/{code}")

    @app.post("/projects/{code}/firms/release")
    def release(request: Request, code: Code, form: Form) -> Response:
        """End a firm's part in the project, with the reason."""
        with door.act(request, form["reason"]) as act:
            release_firm(act, code, form["firm_code"].strip(), read_word(FirmRole, form["role"], "role"))
        return back_to(f"/projects/{code}")

    @app.post("/projects/{code}/status")
    def move(request: Request, code: Code, form: Form) -> Response:
        """Change the project's status from a day on, with the reason."""
        with door.act(request, form["reason"]) as act:
            move_project(act, code, read_word(ProjectStatus, form["status"], "status"), read_day(form["on"], "on"))
        return back_to(f"/projects/{code}")

    @app.post("/projects/{code}/firms")
    def firm(request: Request, code: Code, form: Form) -> Response:
        """Enter a firm's part in the project."""
        with door.act(request, form["reason"]) as act:
            put_firm(act, code, form["firm_code"].strip(), read_word(FirmRole, form["role"], "role"))
        return back_to(f"/projects/{code}")


def _owning(app: FastAPI, door: RegistryDoor) -> None:
    @app.post("/projects/{code}/devices")
    def device(request: Request, code: Code, form: Form) -> Response:
        """Enter a device that stands on the project."""
        kind = read_word(DeviceKind, form["kind"], "kind")
        plain = {name: form.get(name) for name in ("firm_code", "serial", "registration", "asset")}
        with door.act(request, form["reason"]) as act:
            add_device(act, Device(code, form["device_code"], kind, form["name"], **plain))
        return back_to(f"/projects/{code}#devices")

    @app.post("/projects/{code}/devices/{device_code}/end")
    def taken_down(request: Request, code: Code, device_code: Code, form: Form) -> Response:
        """Note that a device was taken down."""
        with door.act(request, form["reason"]) as act:
            end_device(act, code, device_code)
        return back_to(f"/projects/{code}#devices")

    @app.post("/projects/{code}/works")
    def work(request: Request, code: Code, form: Form) -> Response:
        """Enter a dangerous work of the project."""
        wanted = DangerousWork(
            code,
            form["work_code"],
            read_word(WorkType, form["type"], "type"),
            form["name"],
            read_word(WorkStage, form["stage"], "stage"),
            form.get("from_day"),
            form.get("to_day"),
            form.get("over_scale") == "1",
        )
        with door.act(request, form["reason"]) as act:
            put_work(act, wanted)
        return back_to(f"/projects/{code}#works")

    @app.post("/projects/{code}/works/{work_code}/watch")
    def watch(request: Request, code: Code, work_code: Code, form: Form) -> Response:
        """Say whether a device watches over a dangerous work."""
        with door.act(request, form["reason"]) as act:
            watch_work(act, code, work_code, form["device_code"], watches=form.get("watches", "1") == "1")
        return back_to(f"/projects/{code}#works")


def _filters(asked: Mapping[str, str]) -> Filters:
    """Raises RefusedError 422 for a choice that there is not."""
    said = {name: asked.get(name, "")[:100] for name in ("city", "region", "category", "status", "work", "q")}
    return Filters(
        city_code=said["city"],
        region=said["region"],
        category=read_word(Category, said["category"], "category") if said["category"] else None,
        status=read_word(ProjectStatus, said["status"], "status") if said["status"] else None,
        work=read_word(WorkType, said["work"], "work") if said["work"] else None,
        words=said["q"].strip(),
        member=asked.get("member", "") == "1",
    )


def _project(form: FormValues) -> Project:
    return Project(
        project_code=form.get("project_code"),
        name=form["name"],
        province_code=form["province_code"],
        city_code=form["city_code"],
        county_code=form.get("county_code"),
        category=read_word(Category, form["category"], "category"),
        stage=form.get("stage"),
        started_on=form.get("started_on"),
        address=form.get("address"),
    )


_WORDS: Final[Mapping[str, type[Word]]] = {
    "category": Category,
    "status": ProjectStatus,
    "device": DeviceKind,
    "work": WorkType,
    "stage": WorkStage,
}


def _word_of(kind: str, value: str) -> Word:
    """For the template: a kept value as its word."""
    return _WORDS[kind].of(value)
