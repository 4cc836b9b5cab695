"""The uplinks of the box as one part: each with its delivery, its own work, and at the stop a last moment to send.

In: the uplinks of the settings, the stores, what others lend them (what the box is, its cameras, its pictures). Out:
everything that leaves the box, and the recorder's routes.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from contract.chain import ChainHead
from gateway.line.channel_checks import Channel, ChannelChecks
from gateway.line.delivery import Delivery
from gateway.line.recorder import Recorder, Route
from gateway.line.reload import Change
from gateway.line.stores import BoxStores
from gateway.part import Job, Part, Stop
from gateway.ports import AssetTag, Background, Notifier, Uplink, UplinkContext
from gateway.settings import Settings
from gateway.store.asset_reader import AssetReader
from gateway.store.history_reader import HistoryReader
from gateway.store.outbox_reader import OutboxReader
from gateway.uplinks.docking import DockingSources, DockingUplink
from gateway.uplinks.docking_cycles import CycleMessages
from gateway.uplinks.regulator import RegulatorUplink

log = logging.getLogger(__name__)
SEND_BEFORE_S = 2.0
"""While all goes on: fields are polled and judged until what waits has left, or this time is over."""
SEND_AFTER_S = 0.5
"""What was raised in the last moment, and that the box stopped."""
CLOSE_S = 1.0


class UplinkPart(Part[Change]):
    """`head` is asked for the newest record. `left_behind`: uplinks whose threads still wait for a receiver after the
    stop."""

    left_behind: tuple[str, ...] = ()

    def __init__(self, stores: BoxStores, settings: Settings, head: Callable[[], ChainHead]) -> None:
        self._stores, self._clock, self._settings = stores, stores.clock, settings
        self._tags = _tags(settings)
        named = settings.box.id, settings.site.project_code
        context = UplinkContext(*named, stores.folder, self._clock, head, self._tags)
        self.uplinks: list[Uplink] = [bound.kind.build(bound.settings, context) for bound in settings.uplinks]
        stores.history.keep_cursors([uplink.name for uplink in self.uplinks])
        self.routes_out = [_route(uplink, settings.escalation.uplinks) for uplink in self.uplinks]
        self._readers = [HistoryReader(stores.history.path, settings.points) for _ in self.uplinks]
        self.deliveries = [
            Delivery(uplink, stores.alerts, stores.history, reader, self._clock)
            for uplink, reader in zip(self.uplinks, self._readers, strict=True)
        ]
        self._cycles: CycleMessages | None = None

    @property
    def regulators(self) -> list[RegulatorUplink]:
        """Those that know the box by its key."""
        return [uplink for uplink in self.uplinks if isinstance(uplink, RegulatorUplink)]

    def heard_at(self) -> int | None:
        """When a regulator answered last (UTC ns, 0 never); None: the box has no regulator."""
        return max((uplink.health().last_answer_at_ns for uplink in self.regulators), default=None)

    def lend(self, sources: DockingSources, records: AssetReader) -> None:
        """Pictures, persons and rules to those that dock with other platforms; their cycles go to the outbox."""
        docked = [uplink for uplink in self.uplinks if isinstance(uplink, DockingUplink)]
        for uplink in docked:
            uplink.sources = sources
        takers = {uplink.name: uplink.cycle_assets for uplink in docked if uplink.cycle_assets}
        self._cycles = CycleMessages(self._stores.alerts, records, takers, self._clock) if takers else None

    def checks(self, recorder: Recorder) -> ChannelChecks:
        """Test messages to those that tell people."""
        settings, told = self._settings, self._settings.escalation.uplinks
        channels = [
            Channel(bound.name, bound.kind.name, isinstance(uplink, Notifier), bound.name in told)
            for bound, uplink in zip(settings.uplinks, self.uplinks, strict=True)
        ]
        named = settings.box.id, settings.site.project_code
        return ChannelChecks(channels, named, recorder, OutboxReader(self._stores.alerts.path), self._clock)

    def wake(self, urgent: bool = False) -> None:
        """There is something to send; an urgent word also ends a back-off."""
        for delivery in self.deliveries:
            delivery.wake(urgent)

    def jobs(self) -> Sequence[Job]:
        """A delivery each, and what an uplink does beside it."""
        found = []
        for delivery, uplink in zip(self.deliveries, self.uplinks, strict=True):
            found.append(Job(f"delivery:{delivery.name}", delivery.run))
            if isinstance(uplink, Background):
                found.append(Job(f"uplink:{uplink.name}", uplink.run))
        return found if self._cycles is None else [*found, Job("docked-cycles", self._cycles.run)]

    async def prepare(self, change: Change) -> Callable[[], None]:
        """The same uplinks, other points and assets."""
        return lambda: self._switch(change.new)

    def _switch(self, new: Settings) -> None:
        self._settings = new
        for reader in self._readers:
            reader.use_points(new.points)
        self._tags.clear()
        self._tags.update(_tags(new))

    async def stop(self, step: Stop) -> None:
        """What waits leaves before the fields are let go, and what was sealed last before the stores are."""
        if step is Stop.FACE:
            await self._send_last(SEND_BEFORE_S)
        elif step is Stop.SENT:
            await self._send_last(SEND_AFTER_S)
        elif step is Stop.LET_GO:
            await self._let_go()

    async def _send_last(self, within_s: float) -> None:
        """Give what waits a moment to leave; what does not is sent after the next start."""
        deadline_ns = self._clock.monotonic_ns() + int(within_s * 1e9)
        self.wake()
        while self._clock.monotonic_ns() < deadline_ns and not all(d.caught_up for d in self.deliveries):
            await self._clock.sleep(0.02)

    async def _let_go(self) -> None:
        """All at once, and not for long: one whose thread waits for a receiver is left behind."""
        closing = {asyncio.create_task(uplink.close()): uplink.name for uplink in self.uplinks}
        if not closing:
            return
        done, waiting = await asyncio.wait(closing, timeout=CLOSE_S)
        self.left_behind = tuple(closing[task] for task in waiting)
        for task in waiting:
            log.warning("event=uplink_left_behind uplink=%s", closing[task])
            task.cancel()
        for task in done:
            if (error := task.exception()) is not None:
                log.error("event=uplink_not_closed uplink=%s", closing[task], exc_info=error)

    def close(self) -> None:
        """Let go of the history that deliveries read."""
        for delivery in self.deliveries:
            delivery.close()


def _tags(settings: Settings) -> dict[str, AssetTag]:
    return {asset.id: AssetTag(str(asset.kind), asset.serial) for asset in settings.assets}


def _route(uplink: Uplink, escalation: Sequence[str]) -> Route:
    route = Route(uplink.name, uplink.takes_alerts, uplink.takes_evidence, uplink.takes_evidence)
    if isinstance(uplink, DockingUplink):
        return replace(route, wants=uplink.wants)
    if not isinstance(uplink, Notifier):
        return route
    escalations = uplink.takes_escalations and uplink.name in escalation
    return replace(route, wants=uplink.wants, tells_people=True, escalations=escalations)
