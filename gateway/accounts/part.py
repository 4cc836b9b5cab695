"""The accounts of the box as one part.

In: the stores, when logins end, whose login needs a second factor. Out: accounts for the web face, and their upkeep.
"""

import logging
import sys
from collections.abc import Callable, Sequence, Set

from gateway.accounts.accounts import Accounts, Around
from gateway.accounts.logins import SessionBounds
from gateway.accounts.person import Role
from gateway.line.recorder import Recorder
from gateway.line.reload import Change
from gateway.line.stores import BoxStores
from gateway.part import Job, Part

log = logging.getLogger(__name__)


class AccountPart(Part[Change]):
    """`url`: the web face's address, once there is one."""

    def __init__(
        self,
        stores: BoxStores,
        recorder: Recorder,
        bounds: SessionBounds,
        second_factor_for: Set[Role],
        url: Callable[[], str],
    ) -> None:
        self._url = url
        around = Around(stores.folder, stores.alerts, recorder, stores.clock)
        self.accounts = Accounts(around, bounds, self._announce, second_factor_for=second_factor_for)
        self.files = {"accounts.db": self.accounts}

    async def begin(self) -> None:
        """Seal what the last run could not; announce the set-up code."""
        await self.accounts.start()

    def jobs(self) -> Sequence[Job]:
        """Logins that have ended are forgotten, what is unsealed is sealed."""
        return (Job("accounts", self.accounts.run),)

    def _announce(self, code: str) -> None:
        """Whoever stands at the box's console may make the first administrator; nobody else reads this."""
        url = self._url()
        print(f"Sitewarden: no account yet. Open {url}/setup, code {code}", file=sys.stderr)
        log.warning("event=first_setup url=%s/setup code=%s", url, code)
