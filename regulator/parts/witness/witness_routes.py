"""The ledger's heads: one code a day to print and to keep elsewhere, and the check of a code that was printed.

GET /witness?code=                     heads, newest first; what a typed code is the code of
GET /witness/{head_number}/head.json        the bytes that a head's digest is of, for whoever audits the whole province
GET /witness/{head_number}/stamp.tsr        its time stamp: openssl ts -verify -data head.json -in stamp.tsr -CAfile ...
"""

import base64
from typing import Annotated, Any, Final

from fastapi import FastAPI, Path, Request
from fastapi.responses import Response

from regulator.base.desk import Desk
from regulator.base.model.actor import Actor, Duty, Level
from regulator.base.model.refusals import RefusedError
from regulator.base.web.pages import Pages
from regulator.parts.witness.heads import Head, head_of, head_with, newest_heads, typed_code
from regulator.parts.witness.office import stamps_of
from regulator.parts.witness.stamping import REPLY_TYPE, TimeStamper

SHOWN: Final = 92
Number = Annotated[int, Path(ge=1, le=2**31)]
NO_SUCH: Final = RefusedError(404, "no_such_head", "没有该期台账日摘要", "no such head", "number")
NOT_YOURS: Final = RefusedError(403, "not_allowed", "仅限省级审计员和系统管理员", "the province's auditors only")


def witness_pages(desk: Desk, stamper: TimeStamper | None, app: FastAPI, pages: Pages) -> None:
    """The routes."""

    @app.get("/witness")
    def listed(request: Request, code: str = "") -> Response:
        """The page with the heads of the ledger."""
        actor = pages.actor(request)
        with desk.database.reading() as db:
            heads = newest_heads(db, SHOWN)
            stamps = {head.number: stamps_of(db, head.number) for head in heads}
            found = head_with(db, code)
        known: dict[str, Any] = {
            "heads": heads,
            "stamps": stamps,
            "found": found,
            "code": code[:100],
            "typed": typed_code(code),
        }
        known |= {"desk_key_id": desk.key.public.key_id, "stamper": stamper, "audits": _audits(actor)}
        return pages.render(request, "witness.html", **known)

    @app.get("/witness/{head_number}/head.json")
    def head(request: Request, head_number: Number) -> Response:
        """A head of the ledger as text to keep elsewhere."""
        known = _known(desk, pages.actor(request), head_number)
        return _file(known.body.encode(), "application/octet-stream", f"head-{known.day}.json")

    @app.get("/witness/{head_number}/stamp.tsr")
    def stamp(request: Request, head_number: Number) -> Response:
        """The time stamp over a head, as the authority gave it."""
        known = _known(desk, pages.actor(request), head_number)
        with desk.database.reading() as db:
            stamps = stamps_of(db, known.number)
        if not stamps:
            raise NO_SUCH
        return _file(base64.b64decode(stamps[-1].token_base64), REPLY_TYPE, f"head-{known.day}.tsr")


def _file(content: bytes, media_type: str, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=media_type, headers=headers)


def _known(desk: Desk, actor: Actor, number: int) -> Head:
    if not _audits(actor):
        raise NOT_YOURS
    with desk.database.reading() as db:
        found = head_of(db, number)
    if found is None:
        raise NO_SUCH
    return found


def _audits(actor: Actor) -> bool:
    """A head names the chains of every project and account."""
    return actor.level is Level.PROVINCE and actor.has(Duty.AUDITOR, Duty.ADMINISTRATOR)
