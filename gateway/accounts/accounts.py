"""The accounts of one box, put together: people, logins, wall screens, tokens, the first set-up, and their upkeep.

In: the storage folder, the chain with its recorder, a clock. Out: the parts, for the web face. Knows no HTTP.
"""

import logging
from collections.abc import Callable, Set
from dataclasses import dataclass
from pathlib import Path

from gateway.accounts.account_ledger import AccountLedger
from gateway.accounts.account_store import AccountStore
from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.logins import Logins, SessionBounds
from gateway.accounts.passwords import Passwords
from gateway.accounts.people import People
from gateway.accounts.person import Newcomer, Person, Role
from gateway.accounts.recovery import RecoveryCode
from gateway.accounts.second_factor import SecondFactors
from gateway.accounts.setup_code import SetupCode
from gateway.accounts.throttle import Throttle
from gateway.accounts.tokens import Tokens
from gateway.accounts.walls import Walls
from gateway.accounts.workplaces import Caller
from gateway.line.recorder import Recorder
from gateway.model.errors import StoreError
from gateway.model.repair import Repair
from gateway.ports import Clock
from gateway.store.alert_store import AlertStore

log = logging.getLogger(__name__)
UPKEEP_EVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class Around:
    """What accounts need of the box."""

    folder: Path
    chain: AlertStore
    recorder: Recorder
    clock: Clock


class Accounts:
    """Opens the file. `announce` gets the set-up code, when there is one, for the console and nowhere else."""

    def __init__(
        self,
        around: Around,
        bounds: SessionBounds,
        announce: Callable[[str], None],
        passwords: Passwords | None = None,
        second_factor_for: Set[Role] = frozenset(),
    ) -> None:
        clock = self._clock = around.clock
        self._store = AccountStore(around.folder, around.chain.reserve.release)
        self._passwords = passwords or Passwords()
        self._ledger = AccountLedger(self._store, around.chain, around.recorder)
        self._code = SetupCode(announce)
        self._recovery = RecoveryCode(around.folder)
        self._code_throttle = Throttle()
        self.people = People(self._store, self._ledger, self._passwords, clock)
        self.logins = Logins(self._store, self._ledger, self._passwords, clock, bounds)
        self.factors = SecondFactors(self._store, self._ledger, clock, second_factor_for)
        self.walls = Walls(self._store, self._ledger, clock)
        self.tokens = Tokens(self._store, self._ledger, clock)

    @property
    def repair(self) -> Repair | None:
        """What was lost, when the file was damaged."""
        return self._store.repair

    @property
    def form_key(self) -> bytes:
        """What makes the forms of pages; the same after a restart."""
        return self._store.form_key()

    async def start(self) -> None:
        """Seal what the last run could not, and announce the set-up code while there is no account."""
        await self._ledger.seal_left_over()
        if not self.people.exist():
            self._code.renew()

    async def run(self) -> None:
        """Upkeep once a minute until cancelled. A full disk costs the turn."""
        while True:
            await self._clock.sleep(UPKEEP_EVERY_S)
            try:
                self.logins.forget_ended()
                self.factors.forget_begun()
                await self._ledger.seal_left_over()
                await self._ledger.seal_held_back(self._clock.now_ns())
            except StoreError as error:
                log.warning("event=account_upkeep_failed reason=%r", str(error))

    @property
    def recoverable(self) -> bool:
        """Whether somebody on the box itself has made a code for a lost administrator's password."""
        return self._recovery.waiting(self._clock.now_ns())

    async def set_up(self, code: str, newcomer: Newcomer, caller: Caller) -> tuple[Person, str]:
        """The first administrator, or one who is back, logged in: the person and the session's token. Raises
        AccountError."""
        first = not self.people.exist()
        if not first and not self.recoverable:
            raise AccountError(AccountFault.ALREADY_SET_UP)
        self._check_code(code, caller.address, first=first)
        if first:
            person = await self.people.add_first(newcomer, caller.address)
            self._code.spend()
        else:
            person = await self.people.recover(newcomer, caller.address)
            self._recovery.spend()
        return person, await self.logins.open(person, caller)

    def _check_code(self, code: str, address: str, *, first: bool) -> None:
        now_mono_ns = self._clock.monotonic_ns()
        wait_s = self._code_throttle.wait_s(address, now_mono_ns)
        if wait_s:
            raise AccountError(AccountFault.WAIT, wait_s)
        right = self._code.matches(code) if first else self._recovery.matches(code, self._clock.now_ns())
        if not right:
            self._code_throttle.failed(address, now_mono_ns)
            raise AccountError(AccountFault.WRONG_CODE)

    def close(self) -> None:
        """After the recorder's last commit: finish the writes and let go of the file."""
        self._store.close()
        self._passwords.close()
