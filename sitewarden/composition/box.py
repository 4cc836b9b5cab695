"""Builds the gateway from settings and runs it: the one module that knows all others.

    settings -> stores -> rules, alarms, recorder -> pipeline <- drivers
                                        |-> deliveries -> uplinks        all under one supervisor
                                        '-> web face

Everything is a part (`gateway.part`); here they are built, in order, and put into a list. Start order: stores first
(repairing what is damaged), then what was open is taken over, then everything runs. Stop order: web face while what
waits is sent; drivers, pipeline (judging what is queued), recorder, deliveries, stores.
"""

import asyncio
import logging
import signal
from collections.abc import Callable, Collection, Mapping, Sequence

from contract import __version__
from contract.canonical import Canonical
from drivers.frames.driver import KIND as TCP_FRAMES
from drivers.modbus.driver import KIND as MODBUS_TCP
from drivers.modbus.driver import RTU_KIND as MODBUS_RTU
from drivers.modbus.driver import RTU_TCP_KIND as MODBUS_RTU_TCP
from drivers.mqtt.driver import KIND as MQTT
from gateway.accounts.part import AccountPart
from gateway.evidence.evidence import RecordKind
from gateway.line.box_state import BoxTelling
from gateway.line.field import FieldPart
from gateway.line.part import LinePart
from gateway.line.recorder import Entry, Recorder
from gateway.line.reload import Change
from gateway.line.running import RunningParts
from gateway.line.stores import BoxStores
from gateway.line.supervisor import notify_systemd
from gateway.line.upkeep import UpkeepPart
from gateway.media.part import MediaPart
from gateway.model.derivation import Derivation
from gateway.part import Part
from gateway.parts.camera.part import CameraPart
from gateway.parts.crane.kind import TOWER_CRANE
from gateway.parts.crane.part import CranePart
from gateway.parts.face.part import Behind, FacePart
from gateway.parts.identity.part import IdentityPart
from gateway.parts.orders.part import OrderPart
from gateway.parts.permits.part import PermitPart
from gateway.parts.pit.kind import DEEP_PIT
from gateway.parts.pit.part import PitPart
from gateway.parts.rule_packs.part import RulePackPart
from gateway.parts.shift.part import ShiftPart
from gateway.ports import Clock, Driver, DriverKind, Eyes, UplinkKind
from gateway.settings import Settings, load
from gateway.settings.kept_packs import KeptPack
from gateway.tls.watch import CertificateWatch, files_of
from gateway.uplinks.dingtalk import KIND as DINGTALK
from gateway.uplinks.docking import KIND as DOCKING
from gateway.uplinks.docking import DockingSources
from gateway.uplinks.influx import KIND as INFLUX
from gateway.uplinks.mqtt import KIND as MQTT_UPLINK
from gateway.uplinks.part import UplinkPart
from gateway.uplinks.regulator import KIND as REGULATOR
from gateway.uplinks.sms import KIND as SMS
from gateway.uplinks.webhook import KIND as WEBHOOK
from gateway.uplinks.wecom import KIND as WECOM
from gateway.web.account_visitors import asked_of, session_bounds
from kit.clock import SystemClock
from sitewarden.commissioning.part import CommissioningPart
from sitewarden.composition.docking_sources import DeskPhotos, VaultDrivers
from sitewarden.composition.driver_packages import DriverShelf
from sitewarden.composition.kinds import KINDS
from sitewarden.composition.reload import Reloading
from sitewarden.composition.sight import RENDITIONS, sight_of, site_eyes
from vision.driver import KIND as CAMERA
from vision.driver import camera_drivers

log = logging.getLogger(__name__)
DRIVERS: Mapping[str, DriverKind] = DriverShelf((MODBUS_TCP, MODBUS_RTU, MODBUS_RTU_TCP, MQTT, TCP_FRAMES, CAMERA))
UPLINKS: Mapping[str, UplinkKind] = {
    kind.name: kind for kind in (INFLUX, MQTT_UPLINK, REGULATOR, WEBHOOK, WECOM, DINGTALK, SMS, DOCKING)
}
CHECKED_KINDS = (TOWER_CRANE.id, DEEP_PIT.id)
"""What is looked at after a storm, beside the scaffold (notice C16: crane, scaffold, pit)."""


class Gateway:
    """One box, built and ready to run. `url` is the web face's address once `run` has started."""

    def __init__(
        self, settings: Settings, clock: Clock | None = None, reread: Callable[[], Settings] | None = None
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        tls = settings.web.tls
        self._certificate = CertificateWatch(files_of(tls), self.clock) if tls is not None else None
        self._running = RunningParts(self.clock)
        self.stores = BoxStores(settings, self.clock)
        self.alerts, self.history = self.stores.alerts, self.stores.history
        self.outlets = UplinkPart(self.stores, settings, lambda: self.recorder.head)
        self.deliveries = self.outlets.deliveries
        named = settings.box.id, settings.site.project_code
        self.recorder = Recorder(self.alerts, *named, self.outlets.routes_out, self.clock, settings.hazards)
        read = reread or (lambda: load(settings.file, DRIVERS, UPLINKS, KINDS))
        self._reloading = Reloading(settings, read, self._running, self.recorder, self.clock)
        self.reload, self.reload_soon = self._reloading.reload, self._reloading.soon
        self._build_line(settings)
        self._running.parts = (self._reloading, self.stores, *self._parts(settings))
        for part in self._running.parts:
            part.routes(self.web.app)

    @property
    def settings(self) -> Settings:
        """Those in force."""
        return self._reloading.settings

    def eyes(self) -> Eyes | None:
        """The cameras; None where none is configured."""
        return self.site_eyes if self.site_eyes else None

    async def run(self, stop: asyncio.Event, started: Callable[[], None] = lambda: None) -> None:
        """Run until `stop` is set, then stop in order. `started` is called once everything runs."""
        content: dict[str, Canonical] = {
            "version": __version__,
            "settings_digest": self.settings.digest,
            "clock": str(self._upkeep.clock_trust.at_start),
        }
        if self.stores.in_memory:
            content["in_memory"] = True
        self.recorder.record(Entry(RecordKind.STARTED, self.clock.now_ns(), content))
        await self._upkeep.report_start(self._running.parts)
        await self._running.start()
        started()
        notify_systemd("READY=1")
        await stop.wait()
        notify_systemd("STOPPING=1")
        await self._running.stop()

    def _build_line(self, settings: Settings) -> None:
        """From the wire to the chain."""
        stores, recorder = self.stores, self.recorder
        self._identity = IdentityPart(stores, recorder, settings)
        self._permits = PermitPart(stores, recorder, self.outlets.heard_at, self._cranes, self._checked)
        driver_of, wake = self._identity.watch.driver_id, self.outlets.wake
        self.line = LinePart(stores, settings, recorder, self._models, driver_of, wake)
        self.acknowledge = self.line.commands.acknowledge
        self.site_eyes = site_eyes(self.clock, stores.folder, self._now)
        self._field = FieldPart(DRIVERS, self.line, settings, _cranes, self._use_cameras)
        summary_uplinks = [uplink.name for uplink in self.outlets.uplinks if uplink.takes_evidence]
        self._upkeep = UpkeepPart(self.line, summary_uplinks, self._field.asked)

    def _parts(self, settings: Settings) -> Sequence[Part[Change]]:
        """All but the first two, in the order in which they start and go on by new settings."""
        stores, recorder, line, outlets = self.stores, self.recorder, self.line, self.outlets
        regulators, bounds, asked = outlets.regulators, session_bounds(settings.web), asked_of(settings.web)
        media = MediaPart(stores, recorder, self._now, self.eyes, RENDITIONS, regulators)
        camera = CameraPart(line, self.eyes, sight_of(self.site_eyes), media, regulators)
        account = AccountPart(stores, recorder, bounds, asked, lambda: self.url)
        pit = PitPart(line, self._now)
        packs = RulePackPart(stores, recorder, self._now, self._load_with, self.reload, regulators)
        orders = OrderPart(stores, recorder, media.shelf, regulators, self._permits.register.source_heard)
        self._lend(media)
        self.accounts, self.surveys, self.hand_entries = account.accounts, camera.surveys, pit.hand_entries
        jobs, config = self._running.supervisor.parts, self._reloading.config
        behind = Behind(line, self._field, outlets, self.accounts, jobs, config, self.acknowledge, self.reload)
        self.web = FacePart(behind, settings, self._certificate)
        self.url, self.feed = self.web.url, self.web.feed
        return (
            line,
            camera,
            self._field,
            outlets,
            self._upkeep,
            ShiftPart(line, self._now),
            account,
            self._identity,
            pit,
            CranePart(line, self._now, pit.zero_orders),
            self._permits,
            packs,
            orders,
            media,
            CommissioningPart(stores, recorder),
            self.web,
        )

    def _lend(self, media: MediaPart) -> None:
        """To the uplinks: what the box is, pictures, persons, rules."""
        cameras, folder = self.site_eyes.cameras, self.stores.folder
        telling = BoxTelling(self._now, cameras, folder, self.alerts, self.recorder, self.clock)
        for uplink in self.outlets.regulators:
            uplink.about = telling
        drivers, photos = VaultDrivers(self._identity.watch), DeskPhotos(media.desk)
        self.outlets.lend(DockingSources(photos, drivers.driver, self._rule_ids), self.line.records)

    def _now(self) -> Settings:
        return self.settings

    def _models(self, settings: Settings) -> Sequence[Derivation]:
        return settings.plan.models(self._identity.watch.standing, self._permits.register)

    def _use_cameras(self, drivers: Sequence[Driver]) -> None:
        self.site_eyes.use(camera_drivers(drivers))

    def _load_with(self, packs: Sequence[KeptPack]) -> Settings:
        return load(self.settings.file, DRIVERS, UPLINKS, KINDS, packs=packs)

    def _rule_ids(self) -> Collection[str]:
        return {rule.info.rule_id for rule in self.settings.rules}

    def _cranes(self) -> tuple[str, ...]:
        return _cranes(self.settings)

    def _checked(self) -> Sequence[str]:
        return [asset.id for asset in self.settings.assets if asset.kind in CHECKED_KINDS]


def run_until_signal(gateway: Gateway) -> None:
    """Run the gateway in its own event loop until SIGTERM or SIGINT."""

    async def main() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        loop.add_signal_handler(signal.SIGHUP, gateway.reload_soon, "SIGHUP", "signal to the process")
        await gateway.run(stop, lambda: log.info("event=started box=%s url=%s", gateway.settings.box.id, gateway.url))

    asyncio.run(main())


def _cranes(settings: Settings) -> tuple[str, ...]:
    return tuple(asset.id for asset in settings.assets if asset.kind == TOWER_CRANE.id)
