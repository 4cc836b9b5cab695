"""The live feed over HTTP.

    GET /api/events      server-sent events; goes on after `Last-Event-ID`, or `last_id` of a browser that starts anew
    GET /api/live        the live picture once, as JSON: also how a page learns why it may not listen

In: the feed; `request.state.welcome`, where the guard knows until when a login holds. Out: the stream, or why not: 400
for a number that is none, 503 when too many listen, in all or of one
login or address.
"""

from typing import Annotated, Final

from fastapi import FastAPI, Header, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import JsonValue
from starlette.requests import Request

from gateway.web.feed import Feed, Welcome
from gateway.web.reading_answers import LiveAnswer
from gateway.web.visitor import watcher_of
from screens.answers import error_answer, json_answer
from screens.published import Media, operation

MOST_DIGITS: Final = 18
EVENTS: Final = Media(("text/event-stream",), "Server-sent events: hello, live, alarm, sound, change, gap")
EVENT_ERRORS: Final = {400: "Last-Event-ID is no number", 503: "Too many listen already"}
NUMBER: Final[dict[str, JsonValue]] = {"pattern": f"^[0-9]{{0,{MOST_DIGITS}}}$", "maxLength": MOST_DIGITS}
"""What the schema says of an event's number. The route looks at it itself: a browser gets 400 for any other."""
LastHeader = Annotated[str, Header(alias="last-event-id", json_schema_extra=NUMBER)]
LastQuery = Annotated[str, Query(json_schema_extra=NUMBER)]


def feed_routes(app: FastAPI, feed: Feed) -> None:
    """Add the routes to the web face."""

    @app.get("/api/events", **operation("live", "The live feed", EVENTS, EVENT_ERRORS))
    async def events(request: Request, last_event_id: LastHeader = "", last_id: LastQuery = "") -> Response:
        last = last_event_id or last_id
        if last and not (last.isascii() and last.isdecimal() and len(last) <= MOST_DIGITS):
            said = f"found {last[:40]!r}, expected a number"
            return error_answer(400, "bad_last_event_id", "Last-Event-ID 应为整数", said, "")
        who = watcher_of(request)
        if (refusal := feed.quota.refusal(who)) is not None:
            return error_answer(503, "too_many_listeners", *refusal, "")
        welcome: Welcome | None = getattr(request.state, "welcome", None)
        stream = feed.stream(int(last) if last else None, welcome, who)
        return StreamingResponse(stream, media_type="text/event-stream", headers={"cache-control": "no-store"})

    @app.get("/api/live", **operation("live", "The live picture once", LiveAnswer))
    async def live() -> Response:
        return json_answer(feed.picture.row())
