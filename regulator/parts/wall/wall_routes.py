"""R1, the wall of the set's projects, and the feed that keeps it true.

GET /wall                        the page: filters, modes, tiles
GET /wall/card/{code}            what is said of one project (a part of the page)
GET /api/wall/tiles              all tiles anew, as the page's own data
GET /api/wall/changes?after=n    what changed after a number, once
GET /api/wall/events             server-sent events; goes on after `Last-Event-ID` or `last_id`
GET /api/wall/stills/{code}      the newest small picture, faces blurred; 204 before the first; `camera` chooses one
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

from fastapi import FastAPI, Header, Path, Query, Request
from fastapi.responses import Response, StreamingResponse

from regulator.base.coverage.facts import Moment
from regulator.base.days import day_of
from regulator.base.desk import Desk
from regulator.base.model.actor import Actor
from regulator.base.model.refusals import RefusedError
from regulator.base.web.account_visitors import AccountVisitors
from regulator.base.web.pages import Pages
from regulator.base.web.picture_permissions import LOOKERS, may_watch
from regulator.base.web.visitor import visitor_of
from regulator.parts.wall.card import read_card
from regulator.parts.wall.hub import Sight, WallHub
from regulator.parts.wall.reading import CATEGORIES, WORKS, changes_after, mark_of, places, wall_data
from regulator.parts.wall.stills import newest_still
from regulator.parts.wall.tile import BANDS, LINKS, RUNGS
from regulator.parts.wall.wall_answers import ChangesAnswer, TilesAnswer
from screens.answers import json_answer
from screens.published import Media, operation
from screens.stream_quota import Watcher

Code = Annotated[str, Path(max_length=64, pattern=r"^[0-9A-Za-z_.-]+$")]
Camera = Annotated[str, Query(max_length=500, pattern=r"^[^\x00]*$")]
LastEventId = Annotated[str, Header(description="The number of the last event that came; what was missed follows")]
LastId = Annotated[str, Query(max_length=40, description="The same, for those who can set no header")]
MOST_DIGITS: Final = 18
EVENTS: Final = Media(("text/event-stream",), "Server-sent events: hello, tiles (changed), gap, live (each second)")
STILL: Final = Media(("image/jpeg", "image/png", "image/webp"), "A picture; `x-age-ms` says how old", text=False)
NO_STILL: Final = {
    204: "There is none yet",
    304: "The one that `If-None-Match` names",
    404: "No project in the scope has this code",
}
FEED_ERRORS: Final = {400: "The number of the last event is none", 503: "Too many listen"}


def wall_pages(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """The routes."""
    hub = app.state.wall_hub = WallHub(desk.database, desk.now_ns)
    _pages(desk, app, pages)
    _data(desk, app, pages)
    _events(desk, app, pages, hub)
    _stills(desk, app, pages)


def _pages(desk: Desk, app: FastAPI, pages: Pages) -> None:
    @app.get("/wall")
    def wall(request: Request) -> Response:
        found = _read(desk, pages.actor(request))
        return pages.render(
            request, "wall.html", data=_embedded(found), cities=found["cities"], categories=CATEGORIES, works=WORKS,
            rungs=RUNGS, bands=BANDS, links=LINKS, stages=sorted({stage for _, stage, _ in found["kinds"]} - {""}),
        )  # fmt: skip

    @app.get("/wall/card/{code}")
    def card(request: Request, code: Code) -> Response:
        actor, now_ns = pages.actor(request), desk.now_ns()
        moment = Moment.today(now_ns, desk.settings.silent_box_s)
        with desk.database.reading() as db:
            found = read_card(db, actor, code, desk.set_code, moment)
        return pages.render(request, "wall_card.html", card=found, may_watch=may_watch(actor))


def _data(desk: Desk, app: FastAPI, pages: Pages) -> None:
    @app.get("/api/wall/tiles", **operation("wall", "Every tile anew", TilesAnswer))
    def tiles(request: Request) -> Response:
        return json_answer(_read(desk, pages.actor(request)))

    @app.get("/api/wall/changes", **operation("wall", "What changed after a number", ChangesAnswer))
    def changes(request: Request, after: Annotated[int, Query(ge=0, le=10**MOST_DIGITS - 1)] = 0) -> Response:
        actor = pages.actor(request)
        with desk.database.reading() as db:
            seen = _sight(desk, db, actor).codes
            found = changes_after(db, after)
        seq = max((change.seq for change in found), default=after)
        rows = [change.row() for change in found if change.project_code in seen]
        return json_answer({"from": after, "seq": seq, "rows": rows})


def _events(desk: Desk, app: FastAPI, pages: Pages, hub: WallHub) -> None:
    visitors = AccountVisitors(desk)

    @app.get("/api/wall/events", **operation("wall", "The feed of changes", EVENTS, FEED_ERRORS))
    async def events(request: Request, last_event_id: LastEventId = "", last_id: LastId = "") -> Response:
        actor = pages.actor(request)
        who = Watcher(actor.user_id, visitor_of(request).address)
        last = last_event_id or last_id
        if last and not (last.isascii() and last.isdecimal() and len(last) <= MOST_DIGITS):
            words = ("Last-Event-ID 应为整数", f"found {last[:40]!r}, expected a number")
            raise RefusedError(400, "bad_last_event_id", *words, "last_id")
        if (refusal := hub.quota.refusal(who)) is not None:
            raise RefusedError(503, "too_many_listeners", *refusal)
        stream = hub.stream(int(last) if last else None, _looking(desk, visitors, request), who)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


def _looking(desk: Desk, visitors: AccountVisitors, request: Request) -> Callable[[], Awaitable[Sight | None]]:
    """Asks the login anew each time, and what it may see."""

    def look() -> Sight | None:
        actor = visitors.visitor(request).actor
        if actor is None:
            return None
        with desk.database.reading() as db:
            return _sight(desk, db, actor)

    return lambda: asyncio.to_thread(look)


def _stills(desk: Desk, app: FastAPI, pages: Pages) -> None:
    @app.get(
        "/api/wall/stills/{code}",
        **operation("wall", "A project's newest small picture, faces blurred", STILL, NO_STILL),
    )
    def still(request: Request, code: Code, camera: Camera = "") -> Response:
        actor = pages.actor(request, *LOOKERS)
        with desk.database.reading() as db:
            found = newest_still(db, actor, code, camera)
        if found is None:
            return Response(status_code=204)
        age_ms = max(0, (desk.now_ns() - found.captured_at_ns) // 1_000_000)
        headers = {"etag": f'"{found.sha256}"', "cache-control": "private, no-cache", "x-age-ms": str(age_ms)}
        if request.headers.get("if-none-match") == headers["etag"]:
            return Response(status_code=304, headers=headers)
        return Response(found.body, media_type=found.media_type, headers=headers)


def _read(desk: Desk, actor: Actor) -> dict[str, Any]:
    with desk.database.reading() as db:
        wall = places(db, desk.set_code, actor.scope, day_of(desk.now_ns()))
        return wall_data(db, wall)


def _sight(desk: Desk, db: Any, actor: Actor) -> Sight:
    wall = places(db, desk.set_code, actor.scope, day_of(desk.now_ns()))
    return Sight(frozenset(place.project_code for place in wall), mark_of(wall))


def _embedded(data: dict[str, Any]) -> str:
    """JSON that can stand inside an element of the page: nothing in it is markup."""
    plain = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return plain.replace("&", "\\u0026").replace("<", "\\u003c")
