"""A small site with its web face, a client as a browser on the box has one, and a listener to its live feed."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import httpx
from fastapi import FastAPI

from gateway.line.commands import AlarmCommands
from gateway.line.delivery import Delivery
from gateway.line.recorder import Told
from gateway.line.supervisor import PartHealth
from gateway.model.reading import Quality
from gateway.model.rule import ResolvedRule
from gateway.ports import LinkHealth, LinkState, ReadingSink
from gateway.store.history_reader import HistoryReader
from gateway.web.alarm_desk import AlarmDesk, AlarmGuide
from gateway.web.alarm_forms import alarm_routes
from gateway.web.api import web_app
from gateway.web.command_routes import command_routes
from gateway.web.feed import Feed
from gateway.web.overview_page import overview_routes
from gateway.web.read_model import AssetView, BoxParts, BoxView
from tests.fakes.scripted_uplink import ScriptedUplink
from tests.fakes.site import BOX, NOW_NS, SECOND_NS, Site, layout, points, poll, threshold, until

LAYOUT = layout()
RULES = [threshold(0), threshold(1)]


class StillDriver:
    """A driver whose one device answers, or not."""

    name = "link-1"
    state = LinkState.UP

    async def run(self, sink: ReadingSink) -> None:
        raise AssertionError("never run here")

    def health(self) -> Sequence[LinkHealth]:
        return [LinkHealth("host-1", self.state, polls=7, failures=2, skipped=1, last_error="timed out")]


class Face:
    """A site with its web face, and a client that speaks to it as a browser on the box would."""

    def __init__(
        self,
        folder: Path,
        token: str | None = None,
        host: str = "127.0.0.1:8080",
        rules: Sequence[ResolvedRule] = RULES,
    ) -> None:
        self.site = Site(folder, points(), rules)
        site = self.site
        self.uplink = ScriptedUplink()
        self.driver = StillDriver()
        reader = HistoryReader(site.history.path, site.table)
        self.delivery = Delivery(self.uplink, site.alerts, site.history, reader, site.clock)
        self.running = {"pipeline": PartHealth("pipeline", running=True)}
        parts = BoxParts(
            box_id=BOX,
            site_zh="一号工地",
            site_en="Site 1",
            assets=(AssetView("crane-1", "tower-crane", "一号塔吊", "crane 1"),),
            points=site.table,
            window=site.window,
            rules=site.rules,
            alarms=site.alarms,
            recorder=site.recorder,
            intake=site.intake,
            pipeline=site.pipeline,
            alerts=site.alerts,
            history=site.reader,
            deliveries=(self.delivery,),
            drivers=(self.driver,),
            parts=self.running,
            clock=site.clock,
        )
        self.view = BoxView(parts)
        self.feed = Feed(site.alerts, self.view, queue_events=20, replay_page=3)
        site.recorder.listeners.append(self._told)
        self.app: FastAPI = web_app(self.view, self.feed, self._acknowledge, token, site.clock)
        self.commands = AlarmCommands(lambda: site.alarms, site.recorder, site.clock, site.alerts)
        command_routes(self.app, self.commands)
        self.desk = AlarmDesk(self.view, self.commands, lambda: self.guide)
        self.guide = AlarmGuide()
        alarm_routes(self.app, self.app.state.pages, self.desk)
        self.feed.picture.cells = overview_routes(self.app, self.app.state.pages).cells
        transport = httpx.ASGITransport(self.app)
        self.client = httpx.AsyncClient(transport=transport, base_url=f"http://{host}")

    def _told(self, told: Sequence[Told]) -> None:
        self.view.refresh_alarms()
        self.feed.tell(told)

    async def _acknowledge(self, alarm_id: str, user: str, reason: str) -> int:
        return await self.commands.acknowledge(alarm_id, user, reason)

    async def value(self, value: float, at_s: float = 0.0, quality: int = Quality.GOOD) -> None:
        judged = self.site.pipeline.judged_polls
        self.site.intake.offer(poll(LAYOUT, value, NOW_NS + round(at_s * SECOND_NS), quality))
        await until(lambda: self.site.pipeline.judged_polls > judged)
        await until(lambda: self.site.recorder.last_in_line() is None)

    async def raised(self) -> str:
        """Raise the two rules' alarms; the id of the first."""
        await self.value(120.0)
        return str((await self.get("/api/alarms"))["alarms"][0]["alarm_id"])

    async def get(self, path: str, status: int = 200, **params: object) -> dict[str, object] | object:  # type: ignore[misc]
        reply = await self.client.get(path, params=params)  # type: ignore[arg-type]
        assert reply.status_code == status, reply.text
        return reply.json()

    async def acknowledge(self, alarm_id: str, body: object, status: int = 200) -> dict[str, object]:
        return await self.post(f"/api/alarms/{alarm_id}/acknowledge", body, status)

    async def post(self, path: str, body: object, status: int = 200) -> dict[str, object]:
        reply = await self.client.post(path, json=body)
        assert reply.status_code == status, reply.text
        answer: dict[str, object] = reply.json()
        return answer

    async def close(self) -> None:
        await self.client.aclose()
        self.feed.close()
        await self.site.stop()
        self.delivery.close()


class Listener:
    """One client of the live feed, reading as a browser does."""

    def __init__(self, face: Face, last_seq: int | None) -> None:
        self.events: list[tuple[str, str, dict[str, object]]] = []
        self.ended = False
        self._stream = face.feed.stream(last_seq)
        self.task = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for chunk in self._stream:
            fields = dict(line.split(": ", 1) for line in chunk.decode().strip().splitlines())
            if "data" in fields:
                self.events.append((fields.get("id", ""), fields["event"], json.loads(fields["data"])))
        self.ended = True

    @property
    def alarms(self) -> list[int]:
        return [int(number) for number, name, _ in self.events if name == "alarm"]

    async def leave(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def is_house_error(answer: object, code: str, field: str) -> bool:
    assert isinstance(answer, dict)
    error = answer["error"]
    assert error["message_zh"]
    assert error["message_en"]
    return set(error) == {"code", "message_zh", "message_en", "field"} and (error["code"], error["field"]) == (
        code,
        field,
    )
