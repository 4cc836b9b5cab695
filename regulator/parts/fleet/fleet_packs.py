"""Rule packs of the desk: handed in by an administrator, offered to boxes by an approver, answered by the boxes.

GET  /fleet/packs
POST /fleet/packs/import                 files of a pack                      ADMINISTRATOR
GET  /fleet/packs/{sha256}?format=       the pack, and how far each offer of it has come
POST /fleet/packs/{sha256}/offer         to boxes                             APPROVER
POST /fleet/packs/{sha256}/withdraw      from the boxes that it was offered to APPROVER
"""

import json
from typing import Annotated, Any, Final

from fastapi import FastAPI, Path, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Row

from kit.words import Words
from regulator.base.desk import Desk
from regulator.base.model.actor import Actor, Duty
from regulator.base.model.refusals import RefusedError
from regulator.base.web.forms import Form
from regulator.base.web.pages import Pages
from regulator.parts.fleet.offers import OfferOffice, boxes_in_scope, offers_of
from regulator.parts.fleet.packs import SUPERVISION, add_pack, pack_row, packs_of, read_pack

Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
MOST_NOTE: Final = 2000
NOTICES: Final = {
    "offered": Words("已下发：各监控主机校验后答复。", "Offered: each box checks it and answers."),
    "withdrawn": Words("已撤回：正在通知各监控主机。", "Withdrawn: each box is told."),
}


def pack_pages(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """Add every route below `/fleet/packs` to the application."""
    _looking(desk, app, pages)
    _handing_in(desk, app, pages)
    _offering(desk, app, pages)


def _looking(desk: Desk, app: FastAPI, pages: Pages) -> None:
    @app.get("/fleet/packs")
    def packs(request: Request) -> Response:
        """The page with every rule pack that was handed in."""
        actor = _supervisor(pages.actor(request))
        with desk.database.reading() as db:
            found = packs_of(db, actor)
        return pages.render(request, "fleet_packs.html", found=found)

    @app.get("/fleet/packs/{sha256}")
    def pack(request: Request, sha256: Digest) -> Response:
        """The page of one rule pack: files and offers."""
        actor = _supervisor(pages.actor(request))
        with desk.database.reading() as db:
            row, offers, boxes = pack_row(db, actor, sha256), offers_of(db, actor, sha256), boxes_in_scope(db, actor)
        return pages.render(
            request, "fleet_pack.html", pack=row, files=json.loads(row.files), offers=offers, boxes=boxes,
            mine=_is_mine(actor, row), notice=pages.done(request, NOTICES),
        )  # fmt: skip


def _handing_in(desk: Desk, app: FastAPI, pages: Pages) -> None:
    @app.post("/fleet/packs/import")
    def hand_in(request: Request, form: Form) -> Response:
        """Take a rule pack that a person hands in."""
        actor, note = pages.actor(request, Duty.ADMINISTRATOR), form["note"].strip()
        if not 2 <= len(note) <= MOST_NOTE:
            raise RefusedError(422, "note_needed", "请写明依据和用途", "say on what basis and what for", "note")
        pack = read_pack([(file.name, file.content) for file in form.files("files")])
        with desk.database.transaction() as db:
            sha256 = add_pack(db, desk.ledger, pack, note, actor, desk.now_ns())
        return RedirectResponse(f"/fleet/packs/{sha256}", 303)


def _offering(desk: Desk, app: FastAPI, pages: Pages) -> None:
    office = OfferOffice(desk)

    @app.post("/fleet/packs/{sha256}/offer")
    def offer(request: Request, sha256: Digest, form: Form) -> Response:
        """Offer a rule pack to the boxes of a scope."""
        actor = pages.actor(request, Duty.APPROVER)
        office.offer(sha256, form.every("box"), form["reason"].strip(), actor, desk.now_ns())
        return RedirectResponse(f"/fleet/packs/{sha256}?done=offered", 303)

    @app.post("/fleet/packs/{sha256}/withdraw")
    def withdraw(request: Request, sha256: Digest, form: Form) -> Response:
        """Withdraw a rule pack from boxes that have it."""
        actor = pages.actor(request, Duty.APPROVER)
        office.withdraw(sha256, form["reason"].strip(), actor, desk.now_ns())
        return RedirectResponse(f"/fleet/packs/{sha256}?done=withdrawn", 303)


def _supervisor(actor: Actor) -> Actor:
    """Raises RefusedError 404: that there are packs is not told to firms and projects."""
    if actor.level not in SUPERVISION:
        raise RefusedError(404, "no_such_page", "没有这个页面", "no such page")
    return actor


def _is_mine(actor: Actor, row: "Row[Any]") -> bool:
    return bool(actor.persons & set(json.loads(row.added_by)))
