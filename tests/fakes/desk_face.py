"""A running desk: the real application on a real socket, a database of its own, people of every duty.

    with DeskFace(folder, clock) as face:
        face.url                                  # http://127.0.0.1:<port>
        cookie = face.log_in(Duty.REVIEWER)       # for a browser's context: context.add_cookies([cookie])
        client = face.client(Duty.REVIEWER)       # an httpx.Client that is logged in and knows its forms
        page = client.get("/hazards")
        client.submit("/hazards/1", "/hazards/1/order", note="...")   # opens the page, sends its form with the token

Everybody acts at the province of the desk unless `face.person(Duty.REVIEWER, Scope(Level.CITY, "440100"))` says
otherwise. `clock` is the desk's only clock: moving it past midnight is enough.
"""

import re
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterable
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
import uvicorn
from argon2 import PasswordHasher
from sqlalchemy import insert, update

from contract.signing import generate_key
from regulator.application import desk_app
from regulator.base.accounts.directory import make_account
from regulator.base.accounts.model import Account, Caller, NewAccount
from regulator.base.accounts.passwords import Passwords
from regulator.base.accounts.rows import known_account
from regulator.base.accounts.sessions import open_session
from regulator.base.desk import Desk
from regulator.base.intake.codes import Wanted, issue_codes
from regulator.base.intake.disk_shelf import DiskShelf
from regulator.base.model.actor import CONSOLE, SYSTEM, Actor, Duty, Level, Scope
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.schema import prepare
from regulator.base.records.tables.people import accounts, grants
from regulator.base.settings import DeskSettings
from regulator.base.web.session_cookie import SESSION
from screens.listener import listen
from tests.fakes.desk_database import DeskClock

PASSWORD = "gantry-and-hook-7"
PROVINCE = Scope(Level.PROVINCE, "")
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
"""The same algorithm at its smallest, so that tests of pages need not wait for it."""
HASH = QUICK.hashed(PASSWORD, "somebody")
NAMES = {
    Duty.VIEWER: "查看员",
    Duty.INSPECTOR: "检查员",
    Duty.REVIEWER: "研判员",
    Duty.APPROVER: "审批员",
    Duty.ADMINISTRATOR: "系统管理员",
    Duty.AUDITOR: "审计员甲",
    Duty.RESPONDER: "项目回复人",
}
_CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')
PATIENCE_S = 20


class DeskClient(httpx.Client):
    """A browser without scripts: keeps cookies, sends what a browser sends, knows the token of a page's forms."""

    def __init__(self, url: str) -> None:
        headers = {"accept": "text/html", "user-agent": "Test browser", "origin": url}
        # plain HTTP: reading the machine's authorities costs more than a page
        super().__init__(base_url=url, headers=headers, timeout=PATIENCE_S, verify=False)

    def csrf(self, page: str = "/me") -> str:
        """The hidden field of a page's forms."""
        text = self.get(page).text
        found = _CSRF.search(text)
        assert found is not None, f"{page}: no form in\n{text[:2000]}"
        return found[1]

    def submit(self, page: str, action: str, *, files: Any = None, **fields: str | list[str]) -> httpx.Response:
        """Open the page, send its form; the answer without following it."""
        return self.post(action, data={"csrf": self.csrf(page)} | fields, files=files)

    def command(self, path: str, **body: Any) -> httpx.Response:
        """A JSON command as a page's script sends it."""
        return self.post(path, json=body, headers={"accept": "application/json"})


class DeskFace:
    """`database`: one that is open already and stays open; else its own, at `url` or else in a file in `folder`."""

    def __init__(
        self,
        folder: Path,
        clock: Callable[[], int] | None = None,
        *,
        database: DeskDatabase | None = None,
        url: str = "",
        settings: DeskSettings | None = None,
    ) -> None:
        self.clock = clock or DeskClock()
        self._own = database is None
        self.database = database or (_opened(url) if url else _opened_file(folder / "desk.db"))
        self.settings = settings or DeskSettings(
            database=str(self.database.url),
            blobs=str(folder / "blobs"),
            key_file=folder / "desk.key.pem",
        )
        if "second_factor_for" not in self.settings.model_fields_set:  # people of tests have no phones
            self.settings = self.settings.model_copy(update={"second_factor_for": ()})
        self.desk = Desk(self.settings, self.database, generate_key(), self.clock)
        self.desk.shelf = DiskShelf(folder / "blobs", self.settings.max_blob_bytes)
        self._people: dict[tuple[Duty, Scope], Account] = {}
        self._clients: list[httpx.Client] = []
        self.app = desk_app(self.desk, QUICK)
        self._listener = listen("127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._server = _Server(self.app)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive(), "the desk did not start"
            time.sleep(0.01)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for client in self._clients:
            client.close()
        self._server.should_exit = True
        self._thread.join(PATIENCE_S)
        self._listener.close()
        if self._own:
            self.database.close()

    def person(self, duty: Duty, scope: Scope = PROVINCE) -> Account:
        """Somebody with this one duty in this scope; the same one at every call. The password is `PASSWORD`."""
        found = self._people.get((duty, scope))
        if found is not None:
            return found
        login = f"{duty.value}{len(self._people) + 1}"
        account = self.add(login, f"{NAMES[duty]}{scope.code}", [(scope, [duty])])
        self._people[(duty, scope)] = account
        return account

    def add(self, login: str, name: str, held: Iterable[tuple[Scope, Iterable[Duty]]] = ()) -> Account:
        """An account that has chosen its password, with these grants in force."""
        new, now_ns = NewAccount(login, name, PASSWORD), self.clock()
        with self.database.transaction() as db:
            account = make_account(db, self.desk.ledger, new, HASH, PROVINCE, SYSTEM, now_ns)
            db.execute(update(accounts).where(accounts.c.user_id == account.user_id).values(must_change=0))
            for number, (scope, duties) in enumerate(held):
                db.execute(insert(grants).values(**_grant(account, number, scope, duties, now_ns)))
            return known_account(db, account.user_id)

    def actor(self, duty: Duty, scope: Scope = PROVINCE) -> Actor:
        """The same person, as offices know them."""
        account = self.person(duty, scope)
        return Actor(account.user_id, account.name, scope, frozenset({duty}))

    def log_in(self, duty: Duty, scope: Scope = PROVINCE) -> dict[str, Any]:
        """A session of this person, as the cookie that a browser keeps for it."""
        return self.session_of(self.person(duty, scope))

    def session_of(self, account: Account) -> dict[str, Any]:
        """A session of an account, made as a login makes it."""
        with self.database.transaction() as db:
            token = open_session(db, self.desk.ledger, account, Caller("127.0.0.1", "test"), self.clock())
        return {"name": SESSION, "value": token, "url": self.url}

    def code_for(self, box_id: str, project_code: str) -> str:
        """A one-time enrolment code."""
        with self.database.transaction() as db:
            wanted = [Wanted(project_code, box_id)]
            return issue_codes(db, self.desk.ledger, wanted, CONSOLE, self.desk.now_ns())[0].code

    def client(self, duty: Duty | None = None, scope: Scope = PROVINCE) -> DeskClient:
        """A browser without scripts; of nobody without `duty`."""
        return self.client_of(None if duty is None else self.person(duty, scope))

    def client_of(self, account: Account | None) -> DeskClient:
        """A browser without scripts in which this account is logged in."""
        client = DeskClient(self.url)
        self._clients.append(client)
        if account is not None:
            cookie = self.session_of(account)
            client.cookies.set(cookie["name"], cookie["value"])
        return client


def _opened(url: str) -> DeskDatabase:
    database = DeskDatabase(url)
    prepare(database)
    return database


def _opened_file(path: Path) -> DeskDatabase:
    """A new file is a copy of the first one that was migrated: each migration costs as much as ten pages."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_migrated())
    return _opened(f"sqlite:///{path}")


@cache
def _migrated() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "desk.db"
        _opened(f"sqlite:///{path}").close()
        return path.read_bytes()


class _Server(uvicorn.Server):
    def __init__(self, app: Any) -> None:
        super().__init__(uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off"))

    def install_signal_handlers(self) -> None:
        """Signals belong to the test."""

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        super().run(sockets)


def _grant(account: Account, number: int, scope: Scope, duties: Iterable[Duty], now_ns: int) -> dict[str, object]:
    held = ",".join(f'"{duty.value}"' for duty in duties)
    return {
        "grant_id": f"g-{account.user_id}-{number}",
        "user_id": account.user_id,
        "level": scope.level.value,
        "scope_code": scope.code,
        "duties": f"[{held}]",
        "proposed_by": '["system"]',
        "proposed_at_ns": now_ns,
        "approved_at_ns": now_ns,
        "decided_by": "system",
    }
