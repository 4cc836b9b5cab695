"""Accounts over real stores on a simulated clock, with a quick hash, and what the chain says of them."""

import asyncio
import json
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher

from gateway.accounts.accounts import Accounts, Around
from gateway.accounts.logins import SessionBounds
from gateway.accounts.passwords import Passwords
from gateway.accounts.people import Actor
from gateway.accounts.person import Newcomer, Person, Role
from gateway.accounts.workplaces import Caller
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Recorder
from gateway.store.alert_store import AlertStore
from kit.clock import SimulatedClock
from tests.fakes.site import BOX, NOW_NS, until

GOOD_PASSWORD = "塔吊-crane-07"
OTHER_PASSWORD = "another long one"
HERE = Caller("192.168.1.20", "Browser 1")
BOSS = Actor("王工 (wang)", HERE.address)


def quick_passwords() -> Passwords:
    """Real Argon2id, with hardly any work."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def newcomer(name: str = "wang", role: Role = Role.ADMINISTRATOR, password: str = GOOD_PASSWORD) -> Newcomer:
    return Newcomer(name, {"wang": "王工"}.get(name, name), role, password)


class AccountBench:
    """`open` again after `close` is a restart."""

    def __init__(self, folder: Path, passwords: Passwords | None = None) -> None:
        self.folder = folder
        self.clock = SimulatedClock(NOW_NS)
        self.codes: list[str] = []
        self._passwords = passwords
        self.open()

    def open(self) -> None:
        self.alerts = AlertStore(self.folder, 4096)
        self.recorder = Recorder(self.alerts, BOX, "PROJECT-1", (), self.clock)
        around = Around(self.folder, self.alerts, self.recorder, self.clock)
        self.accounts = Accounts(around, SessionBounds(), self.codes.append, self._passwords or quick_passwords())
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self.recorder.run())
        await self.accounts.start()

    async def set_up(self) -> tuple[Person, str]:
        """The first administrator, and the token of the session."""
        return await self.accounts.set_up(self.codes[-1], newcomer(), HERE)

    async def add(self, name: str, role: Role) -> Person:
        """One more who has chosen a password."""
        await self.accounts.people.add(newcomer(name, role), BOSS)
        return await self.accounts.people.change_password(name, OTHER_PASSWORD, BOSS)

    async def events(self) -> list[dict[str, Any]]:
        """What the chain holds of accounts, once everything in line is sealed."""
        await until(lambda: self.recorder.last_in_line() is None)
        kept = [record for record in self.alerts.all_evidence() if record.kind == RecordKind.ACCOUNT]
        return [json.loads(record.body)["content"] for record in kept]

    async def stop_recorder(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None

    async def close(self) -> None:
        await self.stop_recorder()
        await self.recorder.drain()
        self.close_files()

    def close_files(self) -> None:
        """As a kill would: nothing more is sealed."""
        self.accounts.close()
        self.alerts.close()
