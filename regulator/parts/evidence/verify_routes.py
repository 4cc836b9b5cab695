"""Evidence out and in again: a hazard's package to download, and the page that checks one (R9).

GET  /hazards/{hazard_id}/package     the zip; an entry of the ledger says who took it
GET  /hazards/{hazard_id}/handed-over the package that was handed over with the case, the same bytes for ever
GET  /verify                          drop a package
POST /verify                          what holds in it and what does not

A package is read in a process of its own (`apart`): a stranger made it.
"""

import asyncio
import tempfile
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

from anyio import CapacityLimiter
from fastapi import FastAPI, Request
from fastapi.responses import Response, StreamingResponse
from starlette.concurrency import run_in_threadpool

from regulator.base.desk import Desk
from regulator.base.model.actor import Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.key_history import KnownKey, known_keys
from regulator.base.records.ledger import Deed
from regulator.base.web.forms import spooled_upload
from regulator.base.web.pages import Pages
from regulator.base.web.visitor import visitor_of
from regulator.parts.evidence.apart import Limits, TooCostlyError, check_apart
from regulator.parts.evidence.handing_over import ZIP_TYPE, handed_package
from regulator.parts.evidence.known_keys import with_known
from regulator.parts.evidence.package import PackageOffice
from regulator.parts.evidence.verifier import Report
from screens.stream_quota import Limit, Quota, Room, Watcher

TAKERS: Final = (Duty.INSPECTOR, Duty.REVIEWER, Duty.APPROVER, Duty.AUDITOR)
"""Whoever may look at raw pictures and clips: they are in the package."""
IN_MEMORY_BYTES: Final = 8 * 1024 * 1024
PIECE_BYTES: Final = 256 * 1024
MOST_AT_ONCE: Final = 2
"""Packages that are read at once."""
ROOM: Final = Room(in_all=6, a_login=1, an_address=3)
"""Packages that are received, wait or are read: each may fill half a gigabyte of disk."""
LIMITS: Final = Limits()
GONE: Final = 499
"""The status of an answer that nobody waits for."""


def verify_pages(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """The routes."""

    @app.get("/hazards/{hazard_id}/handed-over")
    def handed_over(request: Request, hazard_id: str) -> Response:
        """The package as it was handed over; that it was taken goes into the ledger."""
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
        """The evidence package of a hazard, as a download."""
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
    quota, turns = Quota(ROOM), CapacityLimiter(MOST_AT_ONCE)

    @app.get("/verify")
    def page(request: Request) -> Response:
        """The page on which a package is checked."""
        pages.actor(request)
        return pages.render(request, "verify.html", report=None, desk_key_id=desk.key.public.key_id)

    @app.post("/verify")
    async def verify(request: Request) -> Response:
        """Check the package that was sent, and say what was found."""
        who = Watcher(pages.actor(request).user_id, visitor_of(request).address)
        with _entered(quota, who):
            async with spooled_upload(request, "package") as upload:
                if upload is None:
                    raise RefusedError(422, "file_missing", "请选择证据包文件", "choose a package", "package")
                report = await _while_there(request, _verified(desk, turns, upload.file))
        if report is None:
            return Response(status_code=GONE)
        known = {"report": report, "name": upload.name, "desk_key_id": desk.key.public.key_id}
        return pages.render(request, "verify.html", 422 if report.manifest is None else 200, **known)


@contextmanager
def _entered(quota: Quota, who: Watcher) -> Iterator[None]:
    """Room for one package of this person. Raises RefusedError 429, 503."""
    full = quota.full(who)
    if full is Limit.A_LOGIN:
        raise RefusedError(
            429,
            "busy",
            "您的账号已有一个证据包正在核验，请等待其完成",
            "this login has one verified already: wait for it",
        )
    if full is Limit.AN_ADDRESS:
        raise RefusedError(
            429, "busy", "同一地址的核验任务过多，请稍后再试", "too many are verified for this address: try again later"
        )
    if full is not None:
        raise RefusedError(503, "busy", "核验任务过多，请稍后再试", "too many are being verified: try again later")
    quota.enter(who)
    try:
        yield
    finally:
        quota.leave(who)


async def _while_there(request: Request, work: Coroutine[Any, Any, Report]) -> Report | None:
    """What the work gives; None, and it was cancelled, when the visitor has hung up."""
    doing, gone = asyncio.create_task(work), asyncio.create_task(_hung_up(request))
    try:
        await asyncio.wait({doing, gone}, return_when=asyncio.FIRST_COMPLETED)
        return await doing if doing.done() else None
    finally:
        doing.cancel()
        gone.cancel()
        await asyncio.wait({doing, gone})


async def _hung_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _verified(desk: Desk, turns: CapacityLimiter, file: IO[bytes]) -> Report:
    """The report of a package. Raises RefusedError 422 for one that takes more than a package may."""
    try:
        async with turns:
            report = await check_apart(file, LIMITS)
    except TooCostlyError:
        zh = "核验该文件所需的时间或内存超过上限，已停止；证据包不会如此"
        en = "reading this file takes more time or memory than a package may: it was stopped"
        raise RefusedError(422, "package_too_costly", zh, en, "package") from None
    return with_known(report, await run_in_threadpool(_keys, desk))


def _keys(desk: Desk) -> dict[str, KnownKey]:
    with desk.database.reading() as db:
        keys = known_keys(db)
    present = desk.key.public
    return {present.key_id: KnownKey(present, 0, 0, 0)} | keys


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(PIECE_BYTES):
            yield piece
