"""Hazards on the desk: the list, one by hand, the order of one (R3), the board (R4), accidents, stock and flow.

GET  /hazards?state=&grade=&channel=&kind=&project=&region=&due=&listed=&asked=&before=
GET  /hazards/new              POST /hazards/new/evidence          opened by hand, with photos
GET  /hazards/{id}             POST /hazards/{id}/act | /evidence  an action; with photos
GET  /hazards/{id}/evidence/{sha256}                               the bytes; who looked is written down
POST /hazards/{id}/analogy | /follow-up | /receipt/evidence
GET  /supervision (also /board)  GET /accidents  GET /hazards/stock
"""

import secrets
from dataclasses import replace

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import select

from kit.words import Words
from regulator.base.deadline_days import DueClass
from regulator.base.desk import Desk
from regulator.base.model.hazard import Channel, Grade, HazardKind
from regulator.base.model.hazard_states import HazardState
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Deed
from regulator.base.records.tables.hazards import hazard_evidence
from regulator.base.web.forms import Form
from regulator.base.web.pages import Pages
from regulator.parts.hazards.accidents import AccidentDesk, FollowUp, clocks_of
from regulator.parts.hazards.analogy import AnalogyResult, Seen, checks_owed, record_check
from regulator.parts.hazards.board import PAGE, Filter, board, due_counts, find_hazards
from regulator.parts.hazards.chain import EVENTS
from regulator.parts.hazards.evidence import EvidenceKind
from regulator.parts.hazards.hazard_forms import (
    BY_HAND,
    ask_of,
    member,
    new_hazard_of,
    photos_of,
    receipt_of,
    text,
)
from regulator.parts.hazards.hazard_view import view_of
from regulator.parts.hazards.notices import note_read, notices_of
from regulator.parts.hazards.office import OPENERS, HazardOffice
from regulator.parts.hazards.record import find_hazard
from regulator.parts.hazards.sections import Section
from regulator.parts.hazards.stock import AGES, stock_of
from regulator.parts.hazards.words import WORDS

MONTHS = 12
SHOWN_TYPES = ("image/jpeg", "image/png", "image/webp", "video/mp4")
FOLLOW_UPS = {
    FollowUp.PUBLICITY: Words("公开曝光", "made public"),
    FollowUp.CREDIT: Words("信用扣分", "credit deduction"),
    FollowUp.MARKET_CONDUCT: Words("倒查市场行为", "market conduct checked"),
    FollowUp.LICENCE: Words("暂扣安许证", "licence withheld"),
    FollowUp.STATE_ASSETS: Words("国资通报", "state assets office told"),
}


def hazard_pages(desk: Desk, office: HazardOffice, app: FastAPI, pages: Pages) -> None:
    """Hang the pages on the application."""
    app.state.hazards = office
    pages.environment.globals |= {"wording": WORDS.__getitem__, "follow_up_words": FOLLOW_UPS, "event_words": EVENTS}
    _lists(desk, app, pages)
    _by_hand(desk, app, pages, office)
    _one(desk, app, pages, office)
    _parts(desk, app, pages, office)


def _lists(desk: Desk, app: FastAPI, pages: Pages) -> None:
    @app.get("/hazards")
    def hazard_list(request: Request) -> Response:
        """The page with the hazards of the actor's scope."""
        actor, wanted = pages.actor(request), _filter(request)
        with desk.database.reading() as db:
            found = find_hazards(db, actor, wanted, pages.now_ns())
            counts = due_counts(db, actor, pages.now_ns())
        values = {"states": HazardState, "grades": Grade, "channels": Channel, "kinds": HazardKind, "dues": DueClass}
        more = found[PAGE - 1].hazard.hazard_id if len(found) > PAGE else ""
        may_open = actor.has(*OPENERS)
        rest = {"wanted": wanted, "counts": counts, "more": more, "may_open": may_open}
        return pages.render(request, "hazard_list.html", 200, found=found[:PAGE], **values, **rest)

    @app.get("/supervision")
    def supervision(request: Request) -> Response:
        """The page with the hazards that higher levels supervise."""
        actor, now_ns = pages.actor(request), pages.now_ns()
        with desk.database.reading() as db:
            columns, counts = board(db, actor, now_ns), due_counts(db, actor, now_ns)
            owed = checks_owed(db, actor)
        return pages.render(request, "hazard_board.html", columns=columns, counts=counts, owed=owed)

    @app.get("/board")
    def old_board() -> Response:
        """The old address of the page, kept by a redirect."""
        return RedirectResponse("/supervision", 307)

    @app.get("/accidents")
    def accidents(request: Request) -> Response:
        """The page with reported accidents and what follows them."""
        actor, now_ns = pages.actor(request), pages.now_ns()
        kinds = (HazardKind.NON_FATAL_ACCIDENT, HazardKind.DANGEROUS_SITUATION)
        with desk.database.reading() as db:
            lists = [(kind, find_hazards(db, actor, Filter(kind=kind.value), now_ns)) for kind in kinds]
            clocks = {
                card.hazard.hazard_id: clocks_of(db, card.hazard.hazard_id, now_ns)
                for _, cards in lists
                for card in cards
            }
        return pages.render(request, "hazard_accidents.html", lists=lists, clocks=clocks)

    @app.get("/hazards/stock")
    def stock(request: Request) -> Response:
        """The page with how many hazards were open, month by month."""
        actor, grade = pages.actor(request), request.query_params.get("grade", "")
        wanted = member(Grade, grade, "grade").value if grade else ""
        with desk.database.reading() as db:
            found = stock_of(db, actor, MONTHS, pages.now_ns(), wanted)
        return pages.render(request, "hazard_stock.html", stock=found, bounds=AGES, grade=wanted, grades=Grade)


def _by_hand(desk: Desk, app: FastAPI, pages: Pages, office: HazardOffice) -> None:
    @app.get("/hazards/new")
    def new(request: Request) -> Response:
        """The page on which a person opens a hazard."""
        pages.actor(request, *OPENERS)
        items = [item for edition in office.catalogue.editions[-1:] for item in edition.items]
        values = {"channels": BY_HAND, "kinds": HazardKind, "items": items, "key": secrets.token_urlsafe(18)}
        return pages.render(request, "hazard_new.html", 200, **values)

    @app.post("/hazards/new/evidence")
    def opened(request: Request, form: Form) -> Response:
        """Open a hazard by hand, as the form says."""
        actor = pages.actor(request, *OPENERS)
        evidence = photos_of(form, desk.shelf)
        found = new_hazard_of(form, office.catalogue, evidence)
        with desk.database.transaction() as db:
            reason = text(form, "back_date_reason", 1000)
            hazard_id = office.open(db, found, actor, pages.now_ns(), reason)
        return RedirectResponse(f"/hazards/{hazard_id}", 303)


def _one(desk: Desk, app: FastAPI, pages: Pages, office: HazardOffice) -> None:
    @app.get("/hazards/{hazard_id}")
    def hazard(request: Request, hazard_id: str) -> Response:
        """The page of one hazard, with all that was done."""
        actor = pages.actor(request)
        with desk.database.reading() as db:
            view = view_of(db, office, desk.shelf, actor, hazard_id, pages.now_ns())
        if any(each.user_id == actor.user_id and not each.read_at_ns for each in view.notices):
            with desk.database.transaction() as db:
                note_read(db, office.ledger, view.hazard, actor, pages.now_ns())
                view = replace(view, notices=notices_of(db, hazard_id))
        values = {"sections": Section, "kinds": EvidenceKind, "follow_ups": FollowUp, "results": AnalogyResult}
        return pages.render(request, "hazard_page.html", 200, view=view, hazard=view.hazard, **values)

    def done(request: Request, hazard_id: str, form: Form) -> Response:
        """Do one step of a hazard's way, as the form says."""
        actor = pages.actor(request)
        ask = ask_of(form, desk.shelf)
        with desk.database.transaction() as db:
            office.act(db, hazard_id, ask, actor, pages.now_ns())
        return RedirectResponse(f"/hazards/{hazard_id}", 303)

    app.post("/hazards/{hazard_id}/act")(done)
    app.post("/hazards/{hazard_id}/evidence")(done)

    @app.get("/hazards/{hazard_id}/evidence/{sha256}")
    def bytes_of(request: Request, hazard_id: str, sha256: str) -> Response:
        """A photo of a hazard by its digest; the look is in the ledger."""
        actor, now_ns = pages.actor(request), pages.now_ns()
        at = hazard_evidence.c
        with desk.database.transaction() as db:
            found = find_hazard(db, actor, hazard_id)
            row = db.execute(select(hazard_evidence).where(at.hazard_id == hazard_id, at.sha256 == sha256)).first()
            if row is None:
                raise RefusedError(404, "no_such_evidence", "没有这项证据", "no such evidence", "sha256")
            content = _read(desk, sha256)
            deed = Deed("evidence_viewed", hazard_id, {"sha256": sha256, "evidence": [sha256]}, found.project_code)
            office.ledger.append(db, deed, actor, now_ns)
        shown = row.media_type if row.media_type in SHOWN_TYPES else "application/octet-stream"
        headers = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
        return Response(content, media_type=shown, headers=headers)


def _parts(desk: Desk, app: FastAPI, pages: Pages, office: HazardOffice) -> None:
    accidents = AccidentDesk(office.ledger)

    @app.post("/hazards/{hazard_id}/analogy")
    def analogy(request: Request, hazard_id: str, form: Form) -> Response:
        """Note what the check of like places has found."""
        actor = pages.actor(request)
        result = member(AnalogyResult, form["result"], "result")
        seen = Seen(result, text(form, "words", 4000), text(form, "found_hazard_id", 64))
        with desk.database.transaction() as db:
            record_check(db, office.ledger, (hazard_id, form["project_code"]), seen, actor, pages.now_ns())
        back = "/supervision" if form.get("back") == "board" else f"/hazards/{hazard_id}"
        return RedirectResponse(back, 303)

    @app.post("/hazards/{hazard_id}/receipt/evidence")
    def receipt(request: Request, hazard_id: str, form: Form) -> Response:
        """Keep the receipt of whoever was notified."""
        actor = pages.actor(request)
        found = receipt_of(form, photos_of(form, desk.shelf))
        with desk.database.transaction() as db:
            accidents.record_receipt(db, hazard_id, found, actor, pages.now_ns())
        return RedirectResponse(f"/hazards/{hazard_id}", 303)

    @app.post("/hazards/{hazard_id}/follow-up")
    def follow_up(request: Request, hazard_id: str, form: Form) -> Response:
        """Note that a follow-up of an accident was done."""
        actor, item = pages.actor(request), member(FollowUp, form["item"], "item")
        with desk.database.transaction() as db:
            accidents.follow_up(db, hazard_id, item, text(form, "words", 4000), actor, pages.now_ns())
        return RedirectResponse(f"/hazards/{hazard_id}", 303)


def _read(desk: Desk, sha256: str) -> bytes:
    try:
        return desk.shelf.read(sha256)
    except LookupError as error:
        raise RefusedError(404, "bytes_missing", "证据文件不在库中", "the bytes are not there", "sha256") from error
    except ValueError as error:
        zh, en = "证据文件与登记的校验值不符", "the bytes are not those that were registered"
        raise RefusedError(500, "bytes_changed", zh, en, "sha256") from error


def _filter(request: Request) -> Filter:
    asked = request.query_params
    kinds = {"state": HazardState, "grade": Grade, "channel": Channel, "kind": HazardKind, "due": DueClass}
    chosen = {name: member(kind, asked[name], name).value for name, kind in kinds.items() if asked.get(name)}
    project, region = asked.get("project", "")[:64], asked.get("region", "")[:64]
    listed, waiting, unread = (asked.get(name) == "yes" for name in ("listed", "asked", "unread"))
    where = Filter(**chosen, project=project, region=region, before=asked.get("before", "")[:64])
    return replace(where, listed=listed, asked=waiting, unread=unread)
