"""Rule packs (规则包): which the box judges by, which a regulator offered, and what became of each.

    GET  /packs
    POST /packs/{offer_id}/approve      taken into force                 SAFETY_OFFICER
    POST /packs/{offer_id}/decline      not wanted, with a reason        SAFETY_OFFICER

In: the office of packs, the packs in force. Out: pages.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from gateway.model.errors import StoreError
from gateway.model.rule_pack import PackInForce
from gateway.parts.rule_packs.offer_file import Outcome
from gateway.parts.rule_packs.office import PackDecisionError, PackOffice
from gateway.parts.shift.office_fault import Fault, signer
from gateway.web.pages import Pages
from gateway.web.visitor import Role, require
from kit.words import Words

KEPT_WITHIN_S = 30.0
MOST_ROWS = 100
NOTICES = {
    "active": Words("已启用并存证。", "Taken into force and sealed."),
    "declined": Words("已登记为不接受并存证。", "Declined and sealed."),
}


def pack_routes(app: FastAPI, pages: Pages, office: PackOffice, in_force: Callable[[], Sequence[PackInForce]]) -> None:
    """Add the page and its forms."""

    @app.get("/packs")
    async def packs_page(request: Request) -> Response:
        """The page with the rule packs in force and on offer."""
        require(request, Role.VIEWER)
        return await _shown(request, pages, office, in_force)

    @app.post("/packs/{offer_id}/approve")
    async def approve(request: Request, offer_id: str) -> Response:
        """Take an offered rule pack, as a person decides."""
        user, _ = signer(require(request, Role.SAFETY_OFFICER)), await pages.form(request)
        return await decided(request, office.approve(offer_id, user))

    @app.post("/packs/{offer_id}/decline")
    async def decline(request: Request, offer_id: str) -> Response:
        """Decline an offered rule pack, as a person decides."""
        user, form = signer(require(request, Role.SAFETY_OFFICER)), await pages.form(request)
        return await decided(request, office.decline(offer_id, user, form.get("reason", "")))

    async def decided(request: Request, deciding: Coroutine[Any, Any, Any]) -> Response:
        """Back to the page with what came of it; a decision that has begun goes on, whoever stops waiting."""
        try:
            async with asyncio.timeout(KEPT_WITHIN_S):
                ended = await asyncio.shield(asyncio.create_task(deciding))
        except PackDecisionError as error:
            return await _shown(request, pages, office, in_force, Fault(422, Words(error.words_zh, error.words_en)))
        except (StoreError, OSError, TimeoutError):
            words = Words("尚未写入，请勿关闭设备，稍后再看。", "Not on the disk yet: do not switch off, look again.")
            return await _shown(request, pages, office, in_force, Fault(503, words))
        return RedirectResponse(f"/packs?done={ended.outcome}", 303)


async def _shown(
    request: Request,
    pages: Pages,
    office: PackOffice,
    in_force: Callable[[], Sequence[PackInForce]],
    fault: Fault | None = None,
) -> Response:
    offers = await asyncio.to_thread(office.offers)
    return pages.render(
        request,
        "packs.html",
        fault.status if fault else 200,
        offers=offers[:MOST_ROWS],
        in_force=in_force(),
        waiting=Outcome.WAITING,
        fault=fault,
        notice=pages.done(request, NOTICES),
    )
