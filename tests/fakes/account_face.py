"""A small site's web face with accounts, and browsers that log in to it.

face = AccountFace(folder); await face.start()
boss = await face.set_up()                          # the first administrator's browser
officer = await face.browser_of(Role.SAFETY_OFFICER)
reply = await officer.submit("/me", "/me/password", old=..., password=..., again=...)
"""

import re
from collections.abc import Set
from pathlib import Path

import httpx

from gateway.accounts.accounts import Accounts, Around
from gateway.accounts.audit_reader import AuditReader
from gateway.accounts.logins import SessionBounds
from gateway.accounts.person import Newcomer, Role
from gateway.web.account_pages import account_routes
from gateway.web.account_visitors import AccountVisitors, Policy
from gateway.web.alarm_forms import alarm_routes
from gateway.web.api import web_app
from gateway.web.audit_page import audit_routes
from gateway.web.command_routes import command_routes
from gateway.web.overview_page import overview_routes
from tests.fakes.account_bench import BOSS, GOOD_PASSWORD, OTHER_PASSWORD, quick_passwords
from tests.fakes.web_face import Face

CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')
LOOPBACK = Policy(token=None, loopback=True)
PEOPLE = {Role.VIEWER: "kan", Role.SUPERVISOR: "zhu", Role.SAFETY_OFFICER: "an", Role.ADMINISTRATOR: "guan"}


class Browser:
    """A client that keeps cookies, reads the hidden field of a page's forms and sends what a browser sends."""

    def __init__(
        self, face: "AccountFace", address: str = "127.0.0.1", base_url: str = "http://127.0.0.1:8080"
    ) -> None:
        transport = httpx.ASGITransport(face.app, client=(address, 50_000))
        headers = {"accept": "text/html", "user-agent": "Test browser"}
        self.base_url = base_url
        self.client = httpx.AsyncClient(transport=transport, base_url=base_url, headers=headers)

    async def get(self, path: str, status: int = 200) -> httpx.Response:
        """A page as it is, without following."""
        reply = await self.client.get(path)
        assert reply.status_code == status, f"{reply.status_code} {reply.text[:500]}"
        return reply

    async def csrf(self, page: str = "/login") -> str:
        """The hidden field of the page's forms."""
        found = CSRF.search((await self.client.get(page)).text)
        assert found is not None, page
        return found[1]

    async def post(self, path: str, fields: dict[str, str], **headers: str) -> httpx.Response:
        """A form as it is, with the Origin that a browser sends."""
        return await self.client.post(path, data=fields, headers={"origin": self.base_url} | headers)

    async def submit(self, page: str, action: str, **fields: str) -> httpx.Response:
        """Open the page and send its form."""
        return await self.post(action, {"csrf": await self.csrf(page)} | fields)

    async def log_in(self, name: str, password: str, going_on: str = "/") -> httpx.Response:
        """The login form."""
        return await self.submit("/login", "/login", name=name, password=password, next=going_on)


class AccountFace(Face):
    """A face that knows who asks."""

    def __init__(self, folder: Path, policy: Policy = LOOPBACK, asked_of: Set[Role] = frozenset()) -> None:
        super().__init__(folder)
        self.codes: list[str] = []
        around = Around(folder, self.site.alerts, self.site.recorder, self.site.clock)
        self.accounts = Accounts(
            around, SessionBounds(), self.codes.append, quick_passwords(), second_factor_for=asked_of
        )
        visitors = AccountVisitors(self.accounts, policy, "local-token")
        self.app = web_app(self.view, self.feed, self._acknowledge, policy.token, self.site.clock, visitors)
        command_routes(self.app, self.commands)
        alarm_routes(self.app, self.app.state.pages, self.desk)
        self.feed.picture.cells = overview_routes(self.app, self.app.state.pages).cells
        audit_routes(self.app, self.app.state.pages, AuditReader(self.site.alerts.path))
        account_routes(self.app, self.app.state.pages, self.accounts, visitors)
        self._browsers: list[Browser] = []

    async def start(self) -> None:
        self.site.start()
        await self.accounts.start()

    def browser(self, address: str = "127.0.0.1", base_url: str = "http://127.0.0.1:8080") -> Browser:
        """A fresh one that nobody has used."""
        browser = Browser(self, address, base_url)
        self._browsers.append(browser)
        return browser

    async def set_up(self) -> Browser:
        """The first administrator, `wang`, in the browser that set the box up."""
        browser = self.browser()
        fields = {"name": "wang", "title": "王工", "password": GOOD_PASSWORD, "again": GOOD_PASSWORD}
        reply = await browser.submit("/setup", "/setup", code=self.codes[-1], **fields)
        assert reply.status_code == 303, reply.text
        return browser

    async def add(self, role: Role) -> str:
        """Somebody of this role who has chosen a password; the login name."""
        name = PEOPLE[role]
        await self.accounts.people.add(Newcomer(name, name.title(), role, GOOD_PASSWORD), BOSS)
        await self.accounts.people.change_password(name, OTHER_PASSWORD, BOSS)
        return name

    async def browser_of(self, role: Role) -> Browser:
        """Somebody of this role, logged in."""
        browser = self.browser()
        reply = await browser.log_in(await self.add(role), OTHER_PASSWORD)
        assert reply.status_code == 303, reply.text
        return browser

    async def close(self) -> None:
        for browser in self._browsers:
            await browser.client.aclose()
        await super().close()
        self.accounts.close()
