"""Evidence out and in again: a hazard's package to download, and the page that checks one (R9).

GET  /hazards/{hazard_id}/package     the zip; an entry of the ledger says who took it
GET  /verify                          drop a package
POST /verify                          what holds in it and what does not
"""

import tempfile
from collections.abc import Iterator
from typing import IO, Final

from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse

from regulator.desk import Desk
from regulator.evidence.package import PackageOffice
from regulator.evidence.verifier import verify_package
from regulator.model.actor import Duty
from regulator.model.refusals import RefusedError
from regulator.web.forms import Form
from regulator.web.pages import Pages

TAKERS: Final = (Duty.INSPECTOR, Duty.REVIEWER, Duty.APPROVER, Duty.AUDITOR)
"""Whoever may look at raw pictures and clips: they are in the package."""
IN_MEMORY_BYTES: Final = 8 * 1024 * 1024
PIECE_BYTES: Final = 256 * 1024


def install(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """The routes."""

    @app.get("/hazards/{hazard_id}/package")
    def package(request: Request, hazard_id: str) -> Response:
        actor = pages.actor(request, *TAKERS)
        file = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - closed when the answer has left
        try:
            office = PackageOffice(desk.database, desk.key, desk.shelf)
            name = office.write(hazard_id, actor, desk.now_ns(), file)
        except BaseException:
            file.close()
            raise
        headers = {"content-disposition": f'attachment; filename="{name}"', "content-length": str(file.tell())}
        return StreamingResponse(_pieces(file), media_type="application/zip", headers=headers)

    @app.get("/verify")
    def page(request: Request) -> Response:
        pages.actor(request)
        return pages.render(request, "verify.html", report=None, desk_key_id=desk.key.public.key_id)

    @app.post("/verify")
    def verify(request: Request, form: Form) -> Response:
        pages.actor(request)
        uploads = form.files("package")
        if not uploads:
            raise RefusedError(422, "file_missing", "请选择证据包文件", "choose a package", "package")
        with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as file:
            file.write(uploads[0].content)
            file.seek(0)
            report = verify_package(file, desk.key.public.key_id)
        known = {"report": report, "name": uploads[0].name, "desk_key_id": desk.key.public.key_id}
        return pages.render(request, "verify.html", 422 if report.manifest is None else 200, **known)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(PIECE_BYTES):
            yield piece
