"""Reading the site file again while the box works: checked, refused or gone on by, and put on record.

    load (every fault at once) --refused--> the running settings stay, and say that the file differs
            |
            v
    difference(old, new) --needs a restart--> refused the same way
            |
            v
    all parts go on by it --> sealed

In: how the site is read, the running parts. Out: the settings in force; what changed, or why nothing did.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry, Recorder
from gateway.line.reload import Change, difference
from gateway.line.running import RunningParts
from gateway.model.errors import ConfigError
from gateway.part import Part
from gateway.ports import Clock
from gateway.settings import Settings
from gateway.web.reloading import ConfigState, ReloadOutcome

log = logging.getLogger(__name__)


class Reloading(Part[Change]):
    """`settings` are those in force: the first of the parts, so that all others go on by the new ones."""

    def __init__(
        self,
        settings: Settings,
        reread: Callable[[], Settings],
        running: RunningParts,
        recorder: Recorder,
        clock: Clock,
    ) -> None:
        """`reread` reads the site file and raises ConfigError."""
        self.settings = settings
        self.config = ConfigState(settings.file, settings.digest, clock.now_ns())
        self._reread, self._running, self._recorder, self._clock = reread, running, recorder, clock
        self._turn = asyncio.Lock()
        self._under_way: set[asyncio.Task[ReloadOutcome]] = set()

    async def reload(self, user: str, reason: str) -> ReloadOutcome:
        """Read the site file again and go on by it. What is wrong with it, or needs a restart, leaves all as it was.

        It runs to its end, whoever stops waiting for it: no driver may stay stopped half way.
        """
        return await asyncio.shield(self.soon(user, reason))

    def soon(self, user: str, reason: str) -> "asyncio.Task[ReloadOutcome]":
        """As `reload`, for a signal: nobody waits."""
        task = asyncio.create_task(self._reload(user, reason))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def prepare(self, change: Change) -> Callable[[], None]:
        """Nothing is built for it."""
        return lambda: self._take(change.new)

    def _take(self, new: Settings) -> None:
        self.settings = new
        self.config.digest, self.config.loaded_at_ns = new.digest, self._clock.now_ns()

    async def _reload(self, user: str, reason: str) -> ReloadOutcome:
        async with self._turn:
            try:
                new = await asyncio.to_thread(self._reread)
            except ConfigError as error:
                return self._refuse(ReloadOutcome(faults=error.faults), user)
            change = Change(self.settings, new, difference(self.settings, new))
            if change.found.needs_restart:
                return self._refuse(ReloadOutcome(needs_restart=change.found.needs_restart), user)
            self.config.differs_from_file, self.config.faults, self.config.needs_restart = False, (), ()
            if new.digest == self.settings.digest:
                self.settings = replace(self.settings, rule_packs=new.rule_packs)  # the same rules from another place
                log.info("event=config_unchanged user=%r", user)
                return ReloadOutcome()
            await self._running.reload(change)
            return await self._sealed(change, user, reason)

    async def _sealed(self, change: Change, user: str, reason: str) -> ReloadOutcome:
        old, new, found = change.old.digest, change.new.digest, change.found.content()
        content: dict[str, Canonical] = {"user": user, "reason": reason}
        content |= {"old_settings_digest": old, "new_settings_digest": new} | found
        record = await self._recorder.record(Entry(RecordKind.CONFIG_CHANGED, self._clock.now_ns(), content))
        log.warning("event=config_changed user=%r old=%s new=%s seq=%d", user, old, new, record.seq)
        return ReloadOutcome(evidence_seq=record.seq, changes=found)

    def _refuse(self, outcome: ReloadOutcome, user: str) -> ReloadOutcome:
        """The running settings stay; the log and the health page say why."""
        self.config.differs_from_file = True
        self.config.refused_at_ns = self._clock.now_ns()
        self.config.faults, self.config.needs_restart = outcome.faults, outcome.needs_restart
        for fault in outcome.faults:
            log.error("event=config_fault fault=%r", str(fault))
        log.error(
            "event=config_refused user=%r faults=%d needs_restart=%r running_digest=%s",
            user,
            len(outcome.faults),
            ",".join(outcome.needs_restart),
            self.settings.digest,
        )
        return outcome
