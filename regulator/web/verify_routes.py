"""Evidence out and in again: a hazard's package to download, and the page that checks one (R9).

GET  /hazards/{hazard_id}/package     the zip; an entry of the ledger says who took it
GET  /hazards/{hazard_id}/handed-over the package that was handed over with the case, the same bytes for ever
GET  /verify                          drop a package
POST /verify                          what holds in it and what does not
"""

import tempfile
from collections.abc import Iterator
from typing import IO, Final

from anyio import CapacityLimiter
from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from regulator.desk import Desk, Job
from regulator.evidence.handing_over import EVERY_S, ZIP_TYPE, HandingOver, handed_package
from regulator.evidence.known_keys import verify_known
from regulator.evidence.package import PackageOffice
from regulator.evidence.verifier import Report
from regulator.model.actor import Duty
from regulator.model.refusals import RefusedError
from regulator.records.key_history import KnownKey, known_keys
from regulator.records.ledger import Deed
from regulator.web.forms import spooled_upload
from regulator.web.pages import Pages

TAKERS: Final = (Duty.INSPECTOR, Duty.REVIEWER, Duty.APPROVER, Duty.AUDITOR)
"""Whoever may look at raw pictures and clips: they are in the package."""
IN_MEMORY_BYTES: Final = 8 * 1024 * 1024
PIECE_BYTES: Final = 256 * 1024
MOST_AT_ONCE: Final = 2
MOST_WAITING: Final = 8
"""Packages that are received and read at once, and how many may wait: each may fill half a gigabyte of disk."""


def install(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """The routes, and the packages that go with a case that is handed over."""
    desk.jobs.append(Job("handed-packages", EVERY_S, HandingOver(desk).run))

    @app.get("/hazards/{hazard_id}/handed-over")
    def handed_over(request: Request, hazard_id: str) -> Response:
        actor = pages.actor(request, *TAKERS)
        with desk.database.reading() as db:
            row = handed_package(db, actor, hazard_id)
        content = desk.shelf.read(row.sha256)
        with desk.database.transaction() as db:
            taken = Deed("handed_package_taken", hazard_id, {"sha256": row.sha256}, row.project_code)
            desk.ledger.append(db, taken, actor, desk.now_ns())
        headers = {"content-disposition": f'attachment; filename="{row.name}"', "etag": f'"{row.sha256}"'}
        return Response(content, media_type=ZIP_TYPE, headers=headers)

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

    _checking(desk, app, pages)


def _checking(desk: Desk, app: FastAPI, pages: Pages) -> None:
    turns = CapacityLimiter(MOST_AT_ONCE)

    @app.get("/verify")
    def page(request: Request) -> Response:
        pages.actor(request)
        return pages.render(request, "verify.html", report=None, desk_key_id=desk.key.public.key_id)

    @app.post("/verify")
    async def verify(request: Request) -> Response:
        pages.actor(request)
        if turns.statistics().tasks_waiting >= MOST_WAITING:
            raise RefusedError(503, "busy", "核验任务过多，请稍后再试", "too many are being verified: try again later")
        async with turns, spooled_upload(request, "package") as upload:
            if upload is None:
                raise RefusedError(422, "file_missing", "请选择证据包文件", "choose a package", "package")
            report = await run_in_threadpool(_verified, desk, upload.file)
        known = {"report": report, "name": upload.name, "desk_key_id": desk.key.public.key_id}
        return pages.render(request, "verify.html", 422 if report.manifest is None else 200, **known)


def _verified(desk: Desk, file: IO[bytes]) -> Report:
    with desk.database.reading() as db:
        keys = known_keys(db)
    present = desk.key.public
    return verify_known(file, {present.key_id: KnownKey(present, 0, 0, 0)} | keys)


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(PIECE_BYTES):
            yield piece
