"""Sound and channels: whether this browser can be heard, and whether the channels that tell people really do.

    /sound                              tones, volume and mute of this browser; every uplink with what its receiver said
    POST /sound/channels/{name}/test    one clearly marked test message, by the running delivery

In: the channels' checks and the running deliveries. Out: the page, its part, refusals in words. What is shown of a
message is what its receiver said of it; that a person has read it nobody can know here.
"""

import asyncio
from dataclasses import dataclass
from typing import Final

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response
from starlette.requests import Request

from gateway.line.channel_checks import ChannelCheckError, ChannelChecks, ChannelRecord, CheckRefusal
from gateway.web.pages import Pages
from gateway.web.visitor import Role, require

KEPT_WITHIN_S: Final = 10.0
ANSWER_WITHIN_S: Final = 3.0
STATUS: Final = {CheckRefusal.NO_CHANNEL: 404, CheckRefusal.TELLS_NOBODY: 409, CheckRefusal.TOO_SOON: 429}


@dataclass(frozen=True, slots=True)
class ChannelRow:
    """A channel as the page shows it. `down_since_ns` is 0 while the receiver answers; `wait_s` until the next test."""

    record: ChannelRecord
    down_since_ns: int
    last_error: str
    wait_s: int


def sound_routes(app: FastAPI, pages: Pages, checks: ChannelChecks) -> None:
    """The page, its part, and the button."""

    @app.get("/sound")
    async def sound(request: Request) -> Response:
        require(request, Role.VIEWER)
        return await _page(request, pages, checks)

    @app.get("/parts/channels")
    async def channels(request: Request) -> Response:
        require(request, Role.VIEWER)
        return pages.render(request, "sound_channels.html", channels=await _rows(pages, checks))

    @app.post("/sound/channels/{name}/test")
    async def test(request: Request, name: str) -> Response:
        visitor = require(request, Role.SUPERVISOR)
        await pages.form(request)
        try:
            async with asyncio.timeout(KEPT_WITHIN_S):
                await asyncio.shield(checks.test(name, visitor.name or visitor.kind.value))
        except ChannelCheckError as error:
            said = _refusal_text(request, pages, error)
            return await _page(request, pages, checks, STATUS[error.refusal], said)
        except TimeoutError:
            said = pages.text(request, "The test is not recorded yet. It is sent when the disk can be written")
            return await _page(request, pages, checks, 503, said)
        await checks.settled(name, ANSWER_WITHIN_S)
        return RedirectResponse("/sound#channels", 303)


async def _page(request: Request, pages: Pages, checks: ChannelChecks, status: int = 200, error: str = "") -> Response:
    rows = await _rows(pages, checks)
    return pages.render(request, "sound.html", status, channels=rows, error=error)


async def _rows(pages: Pages, checks: ChannelChecks) -> list[ChannelRow]:
    deliveries = {delivery.name: delivery for delivery in pages.view.parts.deliveries}
    rows = []
    for record in await asyncio.to_thread(checks.records):
        name = record.channel.name
        delivery = deliveries.get(name)
        down_ns, error = (delivery.down_since_ns, delivery.last_error) if delivery else (0, "")
        rows.append(ChannelRow(record, down_ns, error, checks.wait_s(name)))
    return rows


def _refusal_text(request: Request, pages: Pages, error: ChannelCheckError) -> str:
    if error.refusal is CheckRefusal.TOO_SOON:
        return pages.text(request, "One test a minute for each channel: again in %(seconds)s s", seconds=error.wait_s)
    if error.refusal is CheckRefusal.TELLS_NOBODY:
        return pages.text(request, "This uplink sends no messages to people and takes no test message")
    return pages.text(request, "There is no such channel")
