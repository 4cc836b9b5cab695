"""The people of a running box, made as people make them: by its pages, with the code from its console.

people = ScreenPeople(box)
people.add(Role.SUPERVISOR)                       # and, before, the first administrator
cookie = people.log_in(Role.SUPERVISOR)           # for a browser's context
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from gateway.accounts.person import Role
from gateway.web.account_visitors import SESSION
from tests.fakes.screen_box import ScreenBox

PASSWORD = "gantry-and-hook-7"
_CODE = re.compile(r"event=first_setup .*code=([A-Z0-9-]+)")
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
NAMES = {
    Role.VIEWER: ("kan", "值班看护"),
    Role.SUPERVISOR: ("zhu", "主管"),
    Role.SAFETY_OFFICER: ("an", "安全员"),
    Role.ADMINISTRATOR: ("guan", "管理员"),
}
"""Login name and display name by role."""


class ScreenPeople:
    """Who may log in to `box`; nobody before the first call. A role has one person, whose password is `PASSWORD`."""

    def __init__(self, box: ScreenBox) -> None:
        self._box = box
        self._known: set[Role] = set()

    def add(self, role: Role) -> None:
        """Make this person, and the first administrator when there is none. A second call changes nothing."""
        if Role.ADMINISTRATOR not in self._known:
            self._set_up()
        if role in self._known:
            return
        name, title = NAMES[role]
        with self._client(Role.ADMINISTRATOR) as boss:
            given = {"name": name, "title": title, "role": str(role.value), **_twice("given-" + PASSWORD)}
            _submit(boss, "/people", "/people", **given)
        with self._client(role, "given-" + PASSWORD) as own:
            _submit(own, "/me", "/me/password", old="given-" + PASSWORD, **_twice(PASSWORD))
        self._known.add(role)

    def log_in(self, role: Role) -> dict[str, str]:
        """A session of this person, as the cookie that a browser keeps for it."""
        self.add(role)
        with self._client(role) as client:
            return {"name": SESSION, "value": client.cookies[SESSION], "url": self._box.url}

    def _set_up(self) -> None:
        name, title = NAMES[Role.ADMINISTRATOR]
        code = _CODE.findall(self._box.gateway.log.read_text())[-1]
        with self._nobody() as client:
            _submit(client, "/setup", "/setup", code=code, name=name, title=title, **_twice(PASSWORD))
        self._known.add(Role.ADMINISTRATOR)

    @contextmanager
    def _client(self, role: Role, password: str = PASSWORD) -> Iterator[httpx.Client]:
        with self._nobody() as client:
            _submit(client, "/login", "/login", name=NAMES[role][0], password=password)
            yield client

    def _nobody(self) -> httpx.Client:
        # plain HTTP: reading the machine's authorities costs more than a page
        return httpx.Client(base_url=self._box.url, headers={"origin": self._box.url}, timeout=20, verify=False)


def _twice(password: str) -> dict[str, str]:
    return {"password": password, "again": password}


def _submit(client: httpx.Client, page: str, action: str, **fields: str) -> None:
    found = _CSRF.search(client.get(page).text)
    assert found is not None, page
    reply = client.post(action, data={"csrf": found[1]} | fields)
    assert reply.status_code == 303, f"{action}: {reply.status_code} {reply.text[:2000]}"
