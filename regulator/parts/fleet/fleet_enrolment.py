"""Enrolment: one-time codes for boxes, boxes that wait for an approver, boxes that are not heard any more.

GET  /fleet/enrolment                             ADMINISTRATOR, APPROVER, AUDITOR
POST /fleet/enrolment/issue                       a code for one box                    ADMINISTRATOR
POST /fleet/enrolment/import                      codes for a list (CSV), as a sheet    ADMINISTRATOR
POST /fleet/enrolment/codes/{code_sha256}/revoke                                        ADMINISTRATOR
POST /fleet/enrolment/boxes/{box_id}/revoke                                             ADMINISTRATOR or APPROVER
POST /fleet/enrolment/boxes/{box_id}/admit        one that waits, another person        APPROVER
POST /fleet/enrolment/boxes/{box_id}/assign       the project's orders go to it         APPROVER

A code is in the answer to its issuing and nowhere else; the answer is kept by no browser.
"""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import FastAPI, Path, Request
from fastapi.responses import Response
from sqlalchemy import Connection, select

from regulator.base.desk import Desk
from regulator.base.documents.exports import CSV_TYPE, csv_bytes
from regulator.base.documents.paper_html import paper_policy
from regulator.base.intake.codes import Issued, Wanted
from regulator.base.model.refusals import RefusedError
from regulator.base.records.among import among
from regulator.base.records.tables.registry import projects
from regulator.base.web.act_door import ActDoor, back_to
from regulator.base.web.forms import Form
from regulator.base.web.pages import Pages
from regulator.parts.fleet.code_sheet import MOST_BOXES, list_faults, read_boxes, sheet_html, sheet_table
from regulator.parts.fleet.enrolling import (
    DECIDERS,
    KEEPERS,
    admit,
    assign,
    faults_of,
    issue,
    revoke_box,
    revoke_code,
    standings,
)
from regulator.parts.registry.importing.table import Fault, UnreadableError
from screens.display import language_of

PAGE: Final = "/fleet/enrolment"
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
BoxId = Annotated[str, Path(pattern=r"^[a-z0-9_.-]{1,64}$")]


def enrolment_pages(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """Add every route below `/fleet/enrolment` to the application."""
    door = ActDoor(desk, pages)
    _looking(app, door)
    _issuing(app, door)
    _deciding(app, door)


def _looking(app: FastAPI, door: ActDoor) -> None:
    @app.get(PAGE)
    def shown(request: Request) -> Response:
        """The page with codes, boxes and keys of the enrolment."""
        return _page(request, door)


def _issuing(app: FastAPI, door: ActDoor) -> None:
    pages = door.pages

    @app.post(f"{PAGE}/issue")
    def one(request: Request, form: Form) -> Response:
        """Issue one enrolment code for a project."""
        pages.actor(request, *KEEPERS)
        wanted = [Wanted(form["project_code"].strip(), form["box_id"].strip())]
        with door.act(request, "") as act:
            issued = issue(act, wanted)
        return _sheet(door, issued)

    @app.post(f"{PAGE}/import")
    def many(request: Request, form: Form) -> Response:
        """Issue codes for the projects of a file, as sheet or CSV."""
        pages.actor(request, *KEEPERS)
        files = form.files("file")
        if not files:
            raise RefusedError(422, "no_file", "请选择 CSV 文件", "choose a CSV file", "file")
        name = files[0].name[-200:]
        try:
            entries = read_boxes(name, files[0].content)
        except UnreadableError as unreadable:
            return _page(request, door, [unreadable.fault])
        wanted = [entry.wanted for entry in entries]
        with door.act(request, "") as act:
            faults = faults_of(act, wanted)
            issued = [] if faults else issue(act, wanted)
        if faults:
            return _page(request, door, list_faults(name, entries, faults))
        return _csv(request, issued) if form.get("as") == "csv" else _sheet(door, issued)

    @app.post(f"{PAGE}/codes/{{code_sha256}}/revoke")
    def take_back(request: Request, code_sha256: Digest, form: Form) -> Response:
        """Take back a code that nobody has used."""
        pages.actor(request, *KEEPERS)
        with door.act(request, form["reason"]) as act:
            revoke_code(act, code_sha256)
        return back_to(PAGE)


def _deciding(app: FastAPI, door: ActDoor) -> None:
    pages = door.pages

    @app.post(f"{PAGE}/boxes/{{box_id}}/revoke")
    def revoke(request: Request, box_id: BoxId, form: Form) -> Response:
        """Revoke a box: nothing that it sends is taken any more."""
        pages.actor(request, *KEEPERS, *DECIDERS)
        with door.act(request, form["reason"]) as act:
            revoke_box(act, box_id)
        return back_to(PAGE)

    @app.post(f"{PAGE}/boxes/{{box_id}}/admit")
    def let_in(request: Request, box_id: BoxId, form: Form) -> Response:
        """Let a box be heard that waits for an approver."""
        pages.actor(request, *DECIDERS)
        with door.act(request, form["reason"]) as act:
            admit(act, box_id, takes_orders=form.get("orders") == "here")
        return back_to(PAGE)

    @app.post(f"{PAGE}/boxes/{{box_id}}/assign")
    def give_orders(request: Request, box_id: BoxId, form: Form) -> Response:
        """Send the project's orders to this box from now on."""
        pages.actor(request, *DECIDERS)
        with door.act(request, form["reason"]) as act:
            assign(act, box_id)
        return back_to(PAGE)


def _page(request: Request, door: ActDoor, faults: Sequence[Fault] = ()) -> Response:
    actor = door.pages.actor(request)
    with door.reading() as db:
        found = standings(db, actor, door.pages.now_ns())
    waiting = [box for box in found.boxes if box.waiting]
    in_force = [box for box in found.boxes if not box.waiting and not box.revoked_at_ns]
    revoked = [box for box in found.boxes if box.revoked_at_ns]
    return door.pages.render(
        request, "fleet_enrolment.html", 422 if faults else 200, found=found, waiting=waiting, in_force=in_force,
        revoked=revoked, faults=faults, may_issue=actor.has(*KEEPERS), may_decide=actor.has(*DECIDERS),
        most=MOST_BOXES,
    )  # fmt: skip


def _sheet(door: ActDoor, issued: Sequence[Issued]) -> Response:
    settings = door.desk.settings
    with door.reading() as db:
        names = _names(db, issued)
    page = sheet_html(settings.name_zh, settings.name_en, issued, names, door.pages.now_ns())
    headers = {"content-security-policy": paper_policy(page), "cache-control": "no-store"}
    return Response(page, media_type="text/html; charset=utf-8", headers=headers)


def _csv(request: Request, issued: Sequence[Issued]) -> Response:
    table = sheet_table(issued)
    headers = {"content-disposition": f"attachment; filename={table.name}.csv", "cache-control": "no-store"}
    return Response(csv_bytes(table, chinese=language_of(request) == "zh-CN"), media_type=CSV_TYPE, headers=headers)


def _names(db: Connection, issued: Sequence[Issued]) -> dict[str, str]:
    at = projects.c
    asked = select(at.project_code, at.name).where(among(at.project_code, [each.project_code for each in issued]))
    return {row.project_code: row.name for row in db.execute(asked)}
