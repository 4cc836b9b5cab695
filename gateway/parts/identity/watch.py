"""What a running gateway knows of its drivers: the identity file as it is now, followed as commands change it.

In: the data folder, looked at once a minute. Out: standings and random ids of drivers. Without a file, or with one that
cannot be read, every driver is unknown and the gateway runs on: `problem` says why, for health. Shows no name.
"""

import logging
from pathlib import Path

from gateway.model.papers import DriverStanding
from gateway.parts.identity.file import IdentityError, IdentityFile
from gateway.parts.identity.identity import Audit, Identities
from gateway.parts.identity.person import Person
from gateway.ports import Clock
from kit.secret import Secret

log = logging.getLogger(__name__)
LOOK_EVERY_S = 60.0


class IdentityWatch:
    """Gives the crane models their `DriverLookup`, the records their `DriverOf`, and adapters a person at the send."""

    def __init__(self, folder: Path, secret: Secret | None, audit: Audit) -> None:
        self._folder = folder
        self._secret = secret
        self._audit = audit
        self._identities: Identities | None = None
        self.problem = ""
        self.look()

    def standing(self, asset: str, driver_no: str) -> DriverStanding | None:
        """What is on file about a driver; None when nobody is known by the number."""
        return self._identities.standing(asset, driver_no) if self._identities is not None else None

    def driver_id(self, asset: str, driver_no: str) -> str:
        """What stands for a driver in records; on a box without identities, the number on the device."""
        return self._identities.driver_id(asset, driver_no) if self._identities is not None else driver_no

    def reveal(self, person_id: str, purpose: str) -> Person:
        """One person in clear, at a send; the audit is told first. Raises LookupError, IdentityError."""
        if self._identities is None:
            raise IdentityError(self.problem or "this box keeps no identities")
        return self._identities.reveal(person_id, purpose)

    def look(self) -> None:
        """Follow the file. What was known stays when it can no longer be read; said once, and once when it is back."""
        try:
            self._follow()
        except IdentityError as error:
            self._say(str(error))
        else:
            self._say("")

    async def run(self, clock: Clock) -> None:
        """Look once a minute for as long as it is let run."""
        while True:
            await clock.sleep(LOOK_EVERY_S)
            self.look()

    def _follow(self) -> None:
        if self._identities is not None:
            self._identities.refresh()
        elif IdentityFile(self._folder).exists():
            self._identities = Identities(self._folder, self._secret, self._audit)

    def _say(self, problem: str) -> None:
        if problem and problem != self.problem:
            log.error("event=identities_unreadable reason=%r", problem)
        elif self.problem and not problem:
            log.info("event=identities_back")
        self.problem = problem
