"""The office's pages over a real box with a pit, asked as a browser would; who asks is whom the test says."""

import asyncio
import re
import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path

import httpx
from fastapi import FastAPI
from starlette.requests import Request

from gateway.accounts.person import Role
from gateway.line.supervisor import PartHealth
from gateway.parts.pit.day_report import DayStores
from gateway.parts.shift.paper_store import PaperStore
from gateway.parts.shift.routes import OfficeSources, office_routes
from gateway.ports import LinkHealth, LinkState, ReadingSink
from gateway.settings import Settings, load
from gateway.web.access_table import Access
from gateway.web.api import web_app
from gateway.web.feed import Feed
from gateway.web.read_model import AssetView, BoxParts, BoxView
from gateway.web.visitor import Visitor, VisitorKind
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.pit_box import PitBox, write_pit_site
from tests.fakes.site import NOW_NS

_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_VERSIONS = re.compile(r'name="versions" value="(\d+)"')
OFFICER = Visitor(VisitorKind.PERSON, Role.SAFETY_OFFICER, "安全员 (an)", "安全员", login="an")
LEADER = Visitor(VisitorKind.PERSON, Role.SUPERVISOR, "主管 (zhu)", "主管", login="zhu")
READER = Visitor(VisitorKind.PERSON, Role.VIEWER, "看护 (kan)", "看护", login="kan")


class WhoIsSaid:
    """Every request is of one visitor."""

    form_key = bytes(32)
    local = True

    def __init__(self) -> None:
        self.now = OFFICER

    async def visitor(self, request: Request) -> Visitor:
        return self.now

    async def check(self, request: Request, visitor: Visitor, access: Access) -> None:
        return None


class OneDriver:
    """A driver with one device."""

    name = "broker"
    link = LinkHealth("mast", LinkState.UP, polls=7)

    async def run(self, sink: ReadingSink) -> None:
        raise AssertionError("never run here")

    def health(self) -> list[LinkHealth]:
        return [self.link]


def site_settings(folder: Path) -> Settings:
    """The settings of the pit box, with its data in `folder`."""
    storage = _settings().storage.model_copy(update={"folder": folder / "box"})
    return replace(_settings(), storage=storage)


@cache
def _settings() -> Settings:
    """Loaded once: it takes a good part of a second."""
    with tempfile.TemporaryDirectory() as folder:
        return load(str(write_pit_site(Path(folder))), DRIVERS, UPLINKS, KINDS)


class OfficeFace:
    """The pages and a client."""

    def __init__(self, folder: Path, now_ns: int = NOW_NS) -> None:
        self.box = PitBox(folder, now_ns, settings=site_settings(folder))
        self.site = site = self.box.site
        self.who = WhoIsSaid()
        self.driver = OneDriver()
        self.running = {"pipeline": PartHealth("pipeline", running=True)}
        parts = BoxParts(
            box_id="pit-box",
            site_zh="示范工地",
            site_en="Site",
            assets=[AssetView(a.id, str(a.kind), a.title_zh, a.title_en) for a in self.box.settings.assets],
            points=site.table,
            window=site.window,
            rules=site.rules,
            alarms=site.alarms,
            recorder=site.recorder,
            intake=site.intake,
            pipeline=site.pipeline,
            alerts=site.alerts,
            history=site.reader,
            deliveries=(),
            drivers=(self.driver,),
            parts=self.running,
            clock=site.clock,
        )
        self.view = BoxView(parts)
        self.feed = Feed(site.alerts, self.view)
        self.app: FastAPI = web_app(self.view, self.feed, self._acknowledge, None, site.clock, self.who)
        self.papers = PaperStore(site.folder)
        stores = DayStores(site.reader, self.box.records, site.alerts)
        sources = OfficeSources(lambda: self.box.settings, stores, self.papers, site.folder, site.history.path)
        office_routes(self.app, self.app.state.pages, sources)
        transport = httpx.ASGITransport(self.app)
        headers = {"accept": "text/html", "origin": "http://127.0.0.1:8080"}
        self.client = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080", headers=headers)
        site.start()

    async def page(self, path: str, status: int = 200) -> str:
        reply = await self.client.get(path)
        assert reply.status_code == status, reply.text
        return reply.text

    async def english(self, path: str, status: int = 200) -> str:
        return await self.page(path + ("&" if "?" in path else "?") + "lang=en", status)

    async def file(self, path: str, status: int = 200) -> httpx.Response:
        reply = await self.client.get(path)
        assert reply.status_code == status, reply.text
        return reply

    async def submit(self, page: str, action: str, status: int = 303, **fields: str) -> httpx.Response:
        """Fill in the form of a page and send it; `versions` as the page says unless given."""
        shown = await self.page(page)
        csrf, versions = _CSRF.search(shown), _VERSIONS.search(shown)
        assert csrf is not None
        known = {"csrf": csrf[1], "versions": versions[1] if versions else "0"}
        reply = await self.client.post(action, data=known | fields)
        assert reply.status_code == status, reply.text
        return reply

    def link(self, **fields: object) -> None:
        self.driver.link = replace(self.driver.link, **fields)  # type: ignore[arg-type]

    async def _acknowledge(self, alarm_id: str, user: str, reason: str) -> int:
        raise AssertionError("not asked here")

    async def close(self) -> None:
        await self.client.aclose()
        self.feed.close()
        self.papers.close()
        await asyncio.wait_for(self.box.stop(), 20)
