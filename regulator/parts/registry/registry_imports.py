"""Handing in lists: a file, what each of its lines would do, and taking the good ones over."""

import json
from typing import Annotated

from fastapi import FastAPI, Path, Request
from fastapi.responses import Response
from sqlalchemy import select

from regulator.base.model.actor import Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.imports import import_lines, imports
from regulator.base.web.forms import Form
from regulator.parts.registry.importing.columns import COLUMNS, ImportKind
from regulator.parts.registry.importing.office import ImportFile, commit, preview
from regulator.parts.registry.importing.table import Fault, UnreadableError
from regulator.parts.registry.registry_door import RegistryDoor, back_to

ImportId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
LATEST = 50


def import_pages(app: FastAPI, door: RegistryDoor) -> None:
    """Add every route below `/import` to the application."""
    pages = door.pages

    def start(request: Request, fault: Fault | None = None) -> Response:
        """The page on which a list is handed in, with its faults."""
        actor = pages.actor(request, Duty.ADMINISTRATOR)
        at = imports.c
        own = select(imports).where(at.user_id == actor.user_id).order_by(at.made_at_ns.desc()).limit(LATEST)
        with door.reading() as db:
            rows = db.execute(own).all()
        columns = [(kind, COLUMNS[kind]) for kind in ImportKind]
        status = 422 if fault else 200
        return pages.render(request, "registry_imports.html", status, rows=rows, fault=fault, columns=columns)

    @app.get("/import")
    def lists(request: Request) -> Response:
        """The page with the lists that this person handed in."""
        return start(request)

    @app.post("/import/preview")
    def handed_in(request: Request, form: Form) -> Response:
        """Take a list that a person hands in, and read it."""
        files = form.files("file")
        if not files or form["kind"] not in {kind.value for kind in ImportKind}:
            raise RefusedError(422, "no_file", "须选择清单类型和文件", "choose the kind of list and a file", "file")
        file = ImportFile(ImportKind(form["kind"]), files[0].name[-200:], files[0].content)
        try:
            with door.act(request, form.get("reason") or file.name) as act:
                import_id = preview(act, door.rules, file)
        except UnreadableError as unreadable:
            return start(request, unreadable.fault)
        return back_to(f"/import/{import_id}")

    @app.get("/import/{import_id}")
    def shown(request: Request, import_id: ImportId) -> Response:
        """The page of one list: what would change, and what is wrong."""
        actor = pages.actor(request, Duty.ADMINISTRATOR)
        with door.reading() as db:
            row = db.execute(select(imports).where(imports.c.import_id == import_id)).first()
            if row is None or row.user_id != actor.user_id:
                raise RefusedError(404, "no_such_import", "没有这份清单", "no such list", "import_id")
            at = import_lines.c
            lines = db.execute(select(import_lines).where(at.import_id == import_id).order_by(at.number)).all()
        bad = [(line, json.loads(line.cells), json.loads(line.faults)) for line in lines if line.faults != "[]"]
        good = [(line, json.loads(line.cells)) for line in lines if line.faults == "[]"]
        names = {column.key: column.zh for column in COLUMNS[ImportKind(row.kind)]}
        return pages.render(request, "registry_import.html", row=row, bad=bad, good=good, names=names)

    @app.post("/import/{import_id}/commit")
    def taken_over(request: Request, import_id: ImportId, form: Form) -> Response:
        """Take the changes of a list over into the registry."""
        with door.act(request, form["reason"]) as act:
            commit(act, door.rules, import_id)
        return back_to(f"/import/{import_id}")
