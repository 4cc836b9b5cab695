"""The live feed over HTTP.

    GET /api/events      server-sent events; goes on after `Last-Event-ID`, or `last_id` of a browser that starts anew
    GET /api/live        the live picture once, as JSON: also how a page learns why it may not listen

In: the feed; `request.state.welcome`, where the guard knows until when a login holds. Out: the stream, or why not: 400
for a number that is none, 503 when too many listen.
"""

from typing import Final

from fastapi import FastAPI
from fastapi.responses import Response, StreamingResponse
from starlette.requests import Request

from gateway.web.feed import Feed, Welcome
from screens.answers import error_answer, json_answer

MOST_DIGITS: Final = 18


def feed_routes(app: FastAPI, feed: Feed) -> None:
    """Add the routes to the web face."""

    @app.get("/api/events")
    async def events(request: Request) -> Response:
        last = request.headers.get("last-event-id") or request.query_params.get("last_id", "")
        if last and not (last.isascii() and last.isdecimal() and len(last) <= MOST_DIGITS):
            said = f"found {last[:40]!r}, expected a number"
            return error_answer(400, "bad_last_event_id", "Last-Event-ID 应为整数", said, "")
        if feed.full:
            said = "too many pages are listening already"
            return error_answer(503, "too_many_listeners", "同时打开的页面过多", said, "")
        welcome: Welcome | None = getattr(request.state, "welcome", None)
        stream = feed.stream(int(last) if last else None, welcome)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"cache-control": "no-store"})

    @app.get("/api/live")
    async def live() -> Response:
        return json_answer(feed.picture.row())
