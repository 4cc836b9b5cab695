"""S7 Orders (整改): what the regulator ordered, how long is left, and the site's answer with photos.

    GET  /orders                      all: what is open, nearest deadline first
    GET  /orders/{seq}                one, with its answers and the form
    POST /orders/{seq}/answer         multipart: answer, words, photos (SUPERVISOR; done or disputed: SAFETY_OFFICER)
    GET  /orders/{seq}/photos/{sha}   a photo of an answer, the very bytes

`seq` is the record that sealed the order. In: the order office. Out: pages, redirects, photos. After a mistake the page
comes again with the words that were typed; a browser does not give its files twice.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import UploadFile
from starlette.requests import Request

from gateway.line.clock_state import ClockState, Sync, clock_state
from gateway.media.shelf import DamagedError
from gateway.model.errors import StoreError
from gateway.parts.orders.answering import MAX_WORDS, AnswerRefusedError, NewReply, OrderOffice, Upload
from gateway.parts.orders.order import Answer, SiteOrder
from gateway.parts.orders.order_rows import OFFICERS_ANSWERS, answers_for, sent_replies
from gateway.parts.orders.photos import MAX_PHOTO_BYTES, MAX_PHOTOS, PhotoRefusedError, check_size
from gateway.parts.shift.office_fault import Fault, signer
from gateway.store.outbox_reader import OutboxReader
from gateway.web.answer_fields import OrderSeq, Sha256
from gateway.web.pages import Pages
from gateway.web.visitor import RefusedError, Role, require, visitor_of
from kit.words import Words
from screens.published import Media, operation

KEPT_WITHIN_S = 60.0
DONE = "Sealed. The answer is being sent to the regulator."
MOST_DIGITS = 15
PHOTO = Media(("image/jpeg", "image/png"), "The photo, the very bytes", text=False)
PHOTO_ERRORS = {404: "No such order or photo", 500: "The photo is not what was sealed"}


@dataclass(frozen=True, slots=True)
class OrderSources:
    """What the pages ask. `heard()`: whether the regulator was heard lately, None without one."""

    office: OrderOffice
    outbox: OutboxReader
    regulators: Callable[[], tuple[str, ...]]
    heard: Callable[[int], bool | None]
    clock_asked: Callable[[], ClockState] = clock_state


@dataclass(frozen=True, slots=True)
class _Typed:
    """What stood in a form that was not taken."""

    answer: str = ""
    words: str = ""


def order_routes(app: FastAPI, pages: Pages, sources: OrderSources) -> None:
    """Add these pages and their forms to the application."""
    _list_route(app, pages, sources)
    _order_route(app, pages, sources)
    _answer_route(app, pages, sources)
    _photo_route(app, sources)


def _list_route(app: FastAPI, pages: Pages, sources: OrderSources) -> None:
    @app.get("/orders")
    async def orders_page(request: Request) -> Response:
        """The page with every order to this site."""
        require(request, Role.VIEWER)
        return pages.render(request, "orders.html", orders=sources.office.orders(), **_known(pages, sources))


def _order_route(app: FastAPI, pages: Pages, sources: OrderSources) -> None:
    @app.get("/orders/{seq}")
    async def order_page(request: Request, seq: str) -> Response:
        """The page of one order, with its answers."""
        require(request, Role.VIEWER)
        return await _shown(request, pages, sources, _order(sources.office, seq))


def _answer_route(app: FastAPI, pages: Pages, sources: OrderSources) -> None:
    @app.post("/orders/{seq}/answer")
    async def answer(request: Request, seq: str) -> Response:
        """Take the site's answer to an order, with its photos."""
        user = signer(require(request, Role.SUPERVISOR))
        try:
            return await _answered(request, pages, sources, seq, user)
        finally:
            await request.close()  # large photos lie in files of their own


async def _answered(request: Request, pages: Pages, sources: OrderSources, seq: str, user: str) -> Response:
    form = await pages.form(request)
    order = _order(sources.office, seq)
    typed = _Typed(form.get("answer", ""), form.get("words", ""))
    if typed.answer in OFFICERS_ANSWERS:
        require(request, Role.SAFETY_OFFICER)
    try:
        given, files = _answer(typed), await _files(request)
        reply = NewReply(_reply_id(form.get("reply_id", "")), given, typed.words, user, files)
        async with asyncio.timeout(KEPT_WITHIN_S):
            await sources.office.answer(order.seq, reply)
    except (AnswerRefusedError, PhotoRefusedError, OSError, StoreError, TimeoutError) as error:
        return await _shown(request, pages, sources, order, _fault(error), typed)
    return RedirectResponse(f"/orders/{order.seq}?done=1", 303)


def _photo_route(app: FastAPI, sources: OrderSources) -> None:
    @app.get("/orders/{seq}/photos/{sha256}", **operation("orders", "A photo of an answer", PHOTO, PHOTO_ERRORS))
    async def photo(request: Request, seq: OrderSeq, sha256: Sha256) -> Response:
        require(request, Role.VIEWER)
        order = _order(sources.office, seq)
        kind = {photo.sha256: photo.media_type for reply in order.replies for photo in reply.photos}
        try:
            body = await sources.office.photo(order, sha256)
        except LookupError:
            raise _gone("photo", "没有这张照片", "no such photo") from None
        except DamagedError:
            raise RefusedError(
                500, "photo_damaged", "照片与存证记录不符", "the photo differs from the sealed record"
            ) from None
        return Response(body, media_type=kind[sha256], headers={"cache-control": "private, max-age=86400"})


async def _shown(
    request: Request,
    pages: Pages,
    sources: OrderSources,
    order: SiteOrder,
    fault: Fault | None = None,
    typed: _Typed | None = None,
) -> Response:
    box_id = sources.office.box_id
    sent = await asyncio.to_thread(sent_replies, order, sources.outbox, box_id, sources.regulators())
    visitor = visitor_of(request)
    return pages.render(
        request,
        "order.html",
        fault.status if fault else 200,
        order=order,
        sent=sent,
        answers=answers_for(order, visitor.role) if visitor.person else (),
        reply_id=secrets.token_hex(16),
        fault=fault,
        typed=typed or _Typed(),
        most_words=MAX_WORDS,
        most_photos=MAX_PHOTOS,
        most_photo_bytes=MAX_PHOTO_BYTES,
        notice=pages.text(request, DONE) if request.query_params.get("done") else "",
        **_known(pages, sources),
    )


def _known(pages: Pages, sources: OrderSources) -> dict[str, Any]:
    now_ns = pages.now_ns()
    kept = sources.clock_asked().sync is Sync.KEPT
    return {"clock_kept": kept, "heard": sources.heard(now_ns), "asked_ns": now_ns}


async def _files(request: Request) -> tuple[Upload, ...]:
    """The photos of a form that was read already. Looked at as to their size before they are read into memory."""
    form = await request.form()
    files = [each for each in form.getlist("photos") if isinstance(each, UploadFile) and each.filename]
    if len(files) > MAX_PHOTOS:
        raise PhotoRefusedError(
            "too_many_photos", "", f"最多 {MAX_PHOTOS} 张照片", f"at most {MAX_PHOTOS} photos with one answer"
        )
    for each in files:
        check_size(each.filename or "", each.size or 0)
    return tuple([Upload(each.filename or "", await each.read()) for each in files])


def _order(office: OrderOffice, seq: str) -> SiteOrder:
    found = office.book.find(int(seq)) if seq.isascii() and seq.isdecimal() and len(seq) <= MOST_DIGITS else None
    if found is None:
        raise _gone("order", "没有这份整改通知", "no such order")
    return found


def _answer(typed: _Typed) -> Answer:
    try:
        return Answer(typed.answer)
    except ValueError:
        raise AnswerRefusedError("answer_missing", "请选择答复", "choose an answer", "answer") from None


def _reply_id(said: str) -> str:
    """The form's own number; a form without one is a new one each time."""
    fits = len(said) == 2 * 16 and set(said) <= set("0123456789abcdef")
    return said if fits else secrets.token_hex(16)


def _fault(error: Exception) -> Fault:
    if isinstance(error, AnswerRefusedError):
        status = 409 if error.code == "answer_not_due" else 422
        return Fault(status, Words(error.words_zh + "。", error.words_en + "."), error.field)
    if isinstance(error, PhotoRefusedError):
        name = f"{error.name}：" if error.name else ""
        zh = f"{name}{error.words_zh}。未提交任何内容，请重新选择照片。"
        en = f"{name.replace('：', ': ')}{error.words_en}. Nothing was sent: choose the photos again."
        return Fault(422, Words(zh, en), "photos")
    if isinstance(error, TimeoutError):
        words = Words("尚未写入，请勿关闭设备，稍后再看。", "Not on the disk yet: do not switch off, look again.")
        return Fault(503, words)
    words = Words("照片无法保存（磁盘已满或故障），未提交。", "The photos could not be kept (disk full or failing).")
    return Fault(507 if isinstance(error, OSError) else 503, words, "photos")


def _gone(field: str, zh: str, en: str) -> RefusedError:
    return RefusedError(404, f"no_such_{field}", zh, en, field)
