"""Builds the gateway from settings and runs it: the one module that knows all others.

    settings -> stores -> rules, alarms, recorder -> pipeline <- drivers
                                        |-> deliveries -> uplinks        all under one supervisor
                                        '-> web face

Start order: stores first (repairing what is damaged), then what was open is taken over, then everything runs.
Stop order: web face while what waits is sent; drivers, pipeline (judging what is queued), recorder, deliveries, stores.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace

from contract import __version__
from contract.canonical import Canonical
from contract.messages import LiveViewRequest
from drivers.frames.driver import KIND as TCP_FRAMES
from drivers.modbus.driver import KIND as MODBUS_TCP
from drivers.modbus.driver import RTU_KIND as MODBUS_RTU
from drivers.modbus.driver import RTU_TCP_KIND as MODBUS_RTU_TCP
from drivers.mqtt.driver import KIND as MQTT
from gateway.accounts.accounts import Accounts, Around
from gateway.accounts.audit_reader import AuditReader
from gateway.accounts.local_token import write_local_token
from gateway.alarms import AlarmTable
from gateway.evidence.evidence import RecordKind
from gateway.line.arming import UnprovenSink, read_arming
from gateway.line.asset_keeping import AssetKeeping
from gateway.line.box_state import BoxTelling
from gateway.line.channel_checks import Channel, ChannelChecks
from gateway.line.clock_state import clock_state
from gateway.line.clock_trust import ClockTrust
from gateway.line.clock_watch import ClockWatch
from gateway.line.commands import AlarmCommands
from gateway.line.delivery import Delivery
from gateway.line.deriving import Deriving
from gateway.line.escalation import Escalation
from gateway.line.housekeeping import Housekeeping
from gateway.line.intake import Intake
from gateway.line.pipeline import Line, Pipeline
from gateway.line.quarantine import Quarantine
from gateway.line.recorder import Entry, Recorder, Route, Told
from gateway.line.stall_watch import AskedDevice, StallWatch
from gateway.line.stand_in import remove as remove_stand_in
from gateway.line.stand_in import stand_in_for
from gateway.line.store_watch import StoreWatch
from gateway.line.supervisor import Supervisor, notify_systemd
from gateway.line.warm_start import warm_start
from gateway.media.expiry import KEPT_DAYS
from gateway.media.kept import MediaClass, MediaItem
from gateway.media.office import MediaNeeds, MediaOffice
from gateway.media.rendition import Renditions, SmallPicture
from gateway.model.derivation import Derivation
from gateway.model.errors import ConfigError
from gateway.model.floor_rise import Rise
from gateway.model.night_picture import NightLook
from gateway.model.picture import Picture
from gateway.model.reading import Readings
from gateway.model.survey import Survey
from gateway.model.verdict import Truth
from gateway.parts.camera.alarm_pictures import alarm_picture_routes
from gateway.parts.camera.hook_feed import HookFeed
from gateway.parts.camera.metrics import CameraCollector, camera_metrics
from gateway.parts.camera.routes import camera_routes
from gateway.parts.camera.score_desk import ScoreDesk
from gateway.parts.camera.score_store import ScoreStore
from gateway.parts.camera.survey_desk import SurveyDesk
from gateway.parts.camera.survey_store import SurveyStore
from gateway.parts.crane.routes import crane_routes
from gateway.parts.identity.watch import IdentityWatch
from gateway.parts.orders.orders_page import OrderSources, order_routes
from gateway.parts.orders.sealing import seal_order
from gateway.parts.permits.permits_page import permit_routes
from gateway.parts.pit.daily_reports import DailyReports
from gateway.parts.pit.day_report import DayStores
from gateway.parts.pit.hand_entries import EntryStores, HandEntries
from gateway.parts.pit.routes import pit_routes
from gateway.parts.pit.running_models import RunningModels
from gateway.parts.pit.zero_orders import ZeroOrders
from gateway.parts.rule_packs.mail import take_pack
from gateway.parts.rule_packs.office import PackNeeds, PackOffice
from gateway.parts.rule_packs.packs_page import pack_routes
from gateway.parts.shift.paper_store import PaperStore
from gateway.parts.shift.routes import OfficeSources, office_routes
from gateway.ports import (
    AssetTag,
    Background,
    Clock,
    Driver,
    DriverKind,
    Eyes,
    Notifier,
    ReadingSink,
    Uplink,
    UplinkContext,
    UplinkKind,
)
from gateway.rules.table import RuleTable
from gateway.rules.window import Window
from gateway.settings import AssetKind, MediaSettings, Settings, load
from gateway.store.alert_store import AlertStore
from gateway.store.asset_reader import AssetReader
from gateway.store.asset_store import AssetBounds, AssetStore
from gateway.store.history_reader import HistoryReader
from gateway.store.history_store import Bounds, HistoryStore
from gateway.store.last_known import lost_stores
from gateway.store.outbox_reader import OutboxReader
from gateway.tls.watch import CertificateWatch, files_of
from gateway.uplinks.dingtalk import KIND as DINGTALK
from gateway.uplinks.docking import KIND as DOCKING
from gateway.uplinks.docking import DockingSources, DockingUplink
from gateway.uplinks.docking_cycles import CycleMessages
from gateway.uplinks.influx import KIND as INFLUX
from gateway.uplinks.mqtt import KIND as MQTT_UPLINK
from gateway.uplinks.regulator import KIND as REGULATOR
from gateway.uplinks.regulator import RegulatorUplink
from gateway.uplinks.regulator_mailbox import MessageHandler
from gateway.uplinks.regulator_sights import Sights
from gateway.uplinks.sms import KIND as SMS
from gateway.uplinks.webhook import KIND as WEBHOOK
from gateway.uplinks.wecom import KIND as WECOM
from gateway.web.account_pages import account_routes
from gateway.web.account_visitors import AccountVisitors, asked_of, policy_of, session_bounds
from gateway.web.alarm_desk import AlarmDesk, AlarmGuide
from gateway.web.alarm_forms import alarm_routes
from gateway.web.api import web_app
from gateway.web.audit_page import audit_routes
from gateway.web.command_routes import command_routes
from gateway.web.curves_page import curves_routes
from gateway.web.feed import Feed
from gateway.web.overview_page import overview_routes
from gateway.web.plain_door import PlainDoor, authority_route
from gateway.web.read_model import AssetView, BoxParts, BoxView
from gateway.web.reloading import ConfigState, ReloadOutcome, reload_route
from gateway.web.server import WebServer
from gateway.web.site_plan import draw
from gateway.web.sound_page import sound_routes
from gateway.web.view_log import Viewed
from kit.clock import SystemClock, elapsed_ns
from kit.folder_lock import lock_folder
from screens.listener import listen
from sitewarden.commissioning.sealing import seal_pending
from sitewarden.composition.docking_sources import DeskPhotos, VaultDrivers
from sitewarden.composition.driver_packages import DriverShelf
from sitewarden.composition.reload import (
    Difference,
    LinkSink,
    carry_alarms,
    carry_delays,
    carry_truths,
    difference,
    moved_to,
)
from sitewarden.composition.site_register import SiteOffice, SiteRegisterParts
from vision.driver import KIND as CAMERA
from vision.driver import camera_drivers
from vision.eye_hub import EyeHub
from vision.sight.edge_states import EdgeStates
from vision.sight.keeping import SightBooks
from vision.site_eyes import SiteEyes
from vision.survey.parsing import read_survey

log = logging.getLogger(__name__)
DRIVERS: Mapping[str, DriverKind] = DriverShelf((MODBUS_TCP, MODBUS_RTU, MODBUS_RTU_TCP, MQTT, TCP_FRAMES, CAMERA))
UPLINKS: Mapping[str, UplinkKind] = {
    kind.name: kind for kind in (INFLUX, MQTT_UPLINK, REGULATOR, WEBHOOK, WECOM, DINGTALK, SMS, DOCKING)
}
INTAKE_POLLS = 20_000
MAX_BUFFERED_POLLS = 50_000
WATCHDOG_S = 5.0
SEND_BEFORE_S = 2.0
"""While all goes on: fields are polled and judged until what waits has left, or this time is over."""
SEND_AFTER_S = 0.5
"""What was raised in the last moment, and that the box stopped."""
CLOSE_S = 1.0
MOST_IN_MEMORY_BYTES = 128 * 2**20
"""Of history, while the disk takes none."""
SMALL_WIDTH_PX = 160


class Gateway:
    """One box, built and ready to run. `url` is the web face's address once `run` has started. `left_behind`: uplinks
    whose threads still wait for a receiver after the stop."""

    left_behind: tuple[str, ...] = ()

    def __init__(
        self, settings: Settings, clock: Clock | None = None, reread: Callable[[], Settings] | None = None
    ) -> None:
        self.settings = settings
        self._reread = reread or (lambda: load(settings.file, DRIVERS, UPLINKS))
        self._reloading = asyncio.Lock()
        self._reloads: set[asyncio.Task[ReloadOutcome]] = set()
        self.clock: Clock = clock or SystemClock()
        self._started_ns = self.clock.now_ns()
        tls = settings.web.tls
        self.certificate = CertificateWatch(files_of(tls), self.clock) if tls is not None else None
        self._folder = self._disk = settings.storage.folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._lock = lock_folder(self._folder)
        self._build_stores()
        self._build_judging()
        self._build_edges()
        self._build_office()
        self._build_web()

    async def run(self, stop: asyncio.Event, started: Callable[[], None] = lambda: None) -> None:
        """Run until `stop` is set, then stop in order. `started` is called once everything runs."""
        content: dict[str, Canonical] = {
            "version": __version__,
            "settings_digest": self.settings.digest,
            "clock": str(self.clock_trust.at_start),
        }
        if self.in_memory:
            content["in_memory"] = True
        self.recorder.record(Entry(RecordKind.STARTED, self.clock.now_ns(), content))
        await self.recorder.probe()
        self.store_watch.report(self._lost, self.recorder)
        await self.housekeeping.report_unclean_stop()
        self.housekeeping.report_repair("assets.db", self.assets.repair)
        self.housekeeping.report_repair("office.db", self.papers.repair)
        self.housekeeping.report_repair("accounts.db", self.accounts.repair)
        self.housekeeping.report_repair("media.db", self.media.index.repair)
        await self.accounts.start()
        now_ns = self.clock.now_ns()
        for said in self.deriving.last_said(now_ns):
            self.pipeline.resume(said, now_ns - said.observed_at_ns)
        self._start_parts()
        self._resuming = asyncio.create_task(self.hand_entries.resume())
        self._drawings = asyncio.create_task(self.surveys.resume(self.eyes()))
        self._sheets = asyncio.create_task(seal_pending(self._folder, self.alerts, self.recorder, self.clock))
        started()
        notify_systemd("READY=1")
        await stop.wait()
        notify_systemd("STOPPING=1")
        await self._stop()

    async def acknowledge(self, alarm_id: str, user: str, reason: str) -> int:
        """Acknowledge, seal, and return the record's number once it is kept."""
        return await self.commands.acknowledge(alarm_id, user, reason)

    async def reload(self, user: str, reason: str) -> ReloadOutcome:
        """Read the site file again and go on by it. What is wrong with it, or needs a restart, leaves all as it was.

        It runs to its end, whoever stops waiting for it: no driver may stay stopped half way.
        """
        return await asyncio.shield(self.reload_soon(user, reason))

    def reload_soon(self, user: str, reason: str) -> "asyncio.Task[ReloadOutcome]":
        """As `reload`, for a signal: nobody waits."""
        task = asyncio.create_task(self._reload(user, reason))
        self._reloads.add(task)
        task.add_done_callback(self._reloads.discard)
        return task

    async def _reload(self, user: str, reason: str) -> ReloadOutcome:
        async with self._reloading:
            try:
                new = await asyncio.to_thread(self._reread)
            except ConfigError as error:
                return self._refuse(ReloadOutcome(faults=error.faults), user)
            found = difference(self.settings, new)
            if found.needs_restart:
                return self._refuse(ReloadOutcome(needs_restart=found.needs_restart), user)
            self.config.differs_from_file, self.config.faults, self.config.needs_restart = False, (), ()
            if new.digest == self.settings.digest:
                self.settings = replace(self.settings, rule_packs=new.rule_packs)  # the same rules from another place
                log.info("event=config_unchanged user=%r", user)
                return ReloadOutcome()
            return await self._go_on_by(new, found, user, reason)

    def _build_stores(self) -> None:
        storage = self.settings.storage
        self._lost = lost_stores(self._disk)
        self.alerts = AlertStore(self._disk, storage.reserve_mib * 2**20)
        stand_in = stand_in_for(self._disk)
        self.in_memory = stand_in is not None
        self._folder = stand_in or self._disk
        most_bytes = MOST_IN_MEMORY_BYTES if self.in_memory else int(storage.history.max_gib * 2**30)
        bounds = Bounds(most_bytes, storage.history.max_days)
        self.history = HistoryStore(self._folder, self.settings.points, bounds, self.clock.now_ns())
        self.reader = HistoryReader(self.history.path, self.settings.points)
        self.identities = IdentityWatch(self._folder, self.settings.identity.key, self._disclosed)
        asset_bounds = AssetBounds(storage.cycles_kept)
        self.assets = AssetStore(self._folder, asset_bounds, self.identities.driver_id, self._may_write)
        self.records = AssetReader(self.assets.path)
        self.papers = PaperStore(self._folder)
        self.store_watch = StoreWatch(self._disk, self.alerts, self.history, self.clock)

    def _may_write(self) -> bool:
        """Whether there is room for anything but alerts."""
        return self.in_memory or self.alerts.reserve.history_may_write()

    def _build_judging(self) -> None:
        settings = self.settings
        self.intake = Intake(INTAKE_POLLS, Quarantine(self._folder / "aside"))
        cranes = [asset.id for asset in settings.assets if asset.kind is AssetKind.TOWER_CRANE]
        self.arming = read_arming(self._folder, cranes)
        self.sink = self._sink_for(settings)
        self.link_sinks = {link.settings.id: self._link_sink(settings) for link in settings.links}
        self.window = Window(settings.points, self.clock.monotonic_ns())
        self.uplinks: list[Uplink] = []
        self.register = SiteRegisterParts(self.alerts.path, lambda: self.settings, lambda: self.uplinks)
        self.deriving = Deriving(self._models(settings), settings.points)
        self.rules = RuleTable(settings.rules)
        self.alarms = self._alarm_table(settings)
        self.alarms.restore_service(self.alerts.out_of_service())
        self.rules.hold(self.alarms.restore(self.alerts.open_alarms()))
        warm_start(self.reader, settings.points, self.rules, self.alarms, self.clock.now_ns())

    def _models(self, settings: Settings) -> Sequence[Derivation]:
        return settings.plan.models(self.identities.standing, self.register.register)

    def _alarm_table(self, settings: Settings) -> AlarmTable:
        device_of = {point.point_id: point.device for point in settings.points.points}
        return AlarmTable(settings.box.id, settings.rules, settings.alarms.bounds, device_of)

    def _line(self, window: Window, rules: RuleTable, alarms: AlarmTable) -> Line:
        parts = self.intake, self.history, window, rules, alarms, self.recorder, self.clock
        return Line(*parts, self.deriving, self.keeping.take)

    def _sink_for(self, settings: Settings) -> ReadingSink:
        suspects = self.arming.suspects(settings.points)
        return UnprovenSink(self.intake, suspects) if suspects.any() else self.intake

    def _link_sink(self, settings: Settings) -> LinkSink:
        return LinkSink(settings.points, self.sink, self.intake)

    def _build_edges(self) -> None:
        settings, clock = self.settings, self.clock
        self._tags = tags = _tags(settings)
        context = UplinkContext(
            settings.box.id, settings.site.project_code, self._folder, clock, lambda: self.recorder.head, tags
        )
        self.uplinks = [bound.kind.build(bound.settings, context) for bound in settings.uplinks]
        for uplink in self.uplinks:
            if isinstance(uplink, RegulatorUplink):
                uplink.show(Sights(self.eyes, _small_still, self._seen_from_afar))
                uplink.on_message = self._sealed(self._taking_packs(uplink), uplink.name)
        self.history.keep_cursors([uplink.name for uplink in self.uplinks])
        routes = [_route(uplink, settings.escalation.uplinks) for uplink in self.uplinks]
        named = settings.box.id, settings.site.project_code
        self.recorder = Recorder(self.alerts, *named, routes, clock, settings.hazards)
        self.commands = AlarmCommands(lambda: self.alarms, self.recorder, clock, self.alerts)
        around = Around(self._folder, self.alerts, self.recorder, clock)
        self.accounts = Accounts(
            around,
            session_bounds(settings.web),
            self._announce_setup,
            second_factor_for=asked_of(settings.web),
        )
        self.keeping = AssetKeeping(self.assets, lambda: self.deriving, self.recorder, clock)
        self.keeping.restore()
        self.drivers: list[Driver] = [DRIVERS[link.settings.driver].build(link, clock) for link in settings.links]
        hub = EyeHub(clock, edge_states=EdgeStates(self._folder))
        books = SightBooks(EdgeStates(self._folder, "sight"))
        self.site_eyes = SiteEyes(hub, lambda: {a.id: (a.title_zh, a.title_en) for a in self.settings.assets}, books)
        self.site_eyes.use(camera_drivers(self.drivers))
        line = self._line(self.window, self.rules, self.alarms)
        self.pipeline = Pipeline(
            line,
            settings.storage.history.flush_ms,
            MAX_BUFFERED_POLLS,
            self._may_write,
            self._wake_deliveries,
        )
        self._uplink_readers = [HistoryReader(self.history.path, settings.points) for _ in self.uplinks]
        self.deliveries = [
            Delivery(uplink, self.alerts, self.history, reader, clock)
            for uplink, reader in zip(self.uplinks, self._uplink_readers, strict=True)
        ]
        summary_uplinks = [uplink.name for uplink in self.uplinks if uplink.takes_evidence]
        self.housekeeping = Housekeeping(self.alerts, self.history, self.reader, self.recorder, summary_uplinks, clock)
        self.clock_watch = ClockWatch(self.recorder, clock, elapsed_ns)
        self.clock_trust = ClockTrust(self.recorder, clock, clock_state, self.history)
        self.clock_watch.on_jump = self.clock_trust.jumped
        self.stall_watch = StallWatch(self.recorder, clock, elapsed_ns, self._asked, self._not_read)
        self.supervisor = Supervisor(clock)

    def _build_office(self) -> None:
        settings, models = lambda: self.settings, RunningModels(lambda: self.deriving, self.keeping.keep)
        stores = EntryStores(self.assets, self.records, self.reader)
        self.hand_entries = HandEntries(settings, self.intake, stores, models, self.recorder, self.clock)
        self.zero_orders = ZeroOrders(models, self.recorder, self.clock)
        asked = DayStores(self.reader, self.records, self.alerts)
        self.daily_reports = DailyReports(settings, asked, self.recorder, self.clock)
        drawings = SurveyStore(self._folder, read_survey)
        self.surveys = SurveyDesk(
            drawings, read_survey, self.alerts, self.recorder, self.clock, _night_look, _has_moved
        )
        self.surveys.propose_rises = _floor_rises
        self.camera_scores = ScoreDesk(ScoreStore(self._folder), self.alerts, self.recorder, self.clock, self.eyes)
        self.media = MediaOffice(
            MediaNeeds(
                folder=self._folder,
                alerts=self.alerts,
                recorder=self.recorder,
                clock=self.clock,
                eyes=self.eyes,
                points=lambda: self.settings.points,
                renditions=Renditions(_blurred, _thumbnail),
                max_bytes=int(self.settings.storage.media.max_gib * 2**30),
                kept_days=_kept_days(self.settings.storage.media),
                carriers=[uplink for uplink in self.uplinks if isinstance(uplink, RegulatorUplink)],
            )
        )
        self._tell_what_the_box_is()
        self.packs = PackOffice(
            PackNeeds(
                folder=self._folder,
                load=lambda packs: load(self.settings.file, DRIVERS, UPLINKS, packs=packs),
                reload=self.reload,
                in_force=lambda: self.settings.rule_packs,
                recorder=self.recorder,
                clock=self.clock,
            )
        )
        self.site_office = SiteOffice(self.register, self.media.shelf, self.recorder, self.clock)
        self._office = OfficeSources(settings, asked, self.papers, self._folder, self.history.path)
        self._lend_to_docking()

    def _lend_to_docking(self) -> None:
        """Pictures, persons and rules to the uplinks that dock with other platforms, and their cycles to the outbox."""
        docked = [uplink for uplink in self.uplinks if isinstance(uplink, DockingUplink)]
        for uplink in docked:
            drivers, photos = VaultDrivers(self.identities), DeskPhotos(self.media.desk)
            uplink.sources = DockingSources(photos, drivers.driver, self._rule_ids)
        takers = {uplink.name: uplink.cycle_assets for uplink in docked if uplink.cycle_assets}
        self.docked_cycles = CycleMessages(self.alerts, self.records, takers, self.clock) if takers else None

    def _rule_ids(self) -> Collection[str]:
        return {rule.info.rule_id for rule in self.settings.rules}

    def _tell_what_the_box_is(self) -> None:
        """Regulators are told from now on."""
        cameras = self.site_eyes.cameras
        telling = BoxTelling(lambda: self.settings, cameras, self._folder, self.alerts, self.recorder, self.clock)
        for uplink in self.uplinks:
            if isinstance(uplink, RegulatorUplink):
                uplink.about = telling

    def _build_web(self) -> None:
        settings = self.settings
        self.config = ConfigState(settings.file, settings.digest, self.clock.now_ns())
        self.view = BoxView(self._box_parts())
        self.feed = Feed(self.alerts, self.view)
        self.escalation = Escalation(
            lambda: self.alarms,
            lambda: self.feed.clients,
            self.recorder,
            self.clock,
            p1_after_s=settings.escalation.p1_after_s,
            no_screen_after_s=settings.escalation.no_screen_after_s,
            channels=settings.escalation.uplinks,
        )
        self.feed.picture.escalation = self.escalation
        self.recorder.listeners.append(self._told)
        self.recorder.on_unsealed = self._told_unsealed
        policy = policy_of(settings.web)
        visitors = AccountVisitors(self.accounts, policy, write_local_token(self._folder))
        self._socket = listen(settings.web.host, settings.web.port)
        scheme = "https" if self.certificate is not None else "http"
        self.url = f"{scheme}://{settings.web.host}:{self._socket.getsockname()[1]}"
        app = web_app(self.view, self.feed, self.acknowledge, policy.token, self.clock, visitors)
        account_routes(app, app.state.pages, self.accounts, visitors)
        audit_routes(app, app.state.pages, AuditReader(self.alerts.path))
        self.feed.picture.cells = overview_routes(app, app.state.pages).cells
        curves_routes(app, app.state.pages)
        camera_routes(app, app.state.pages, self.eyes, self.surveys)
        shelf = self.media.shelf
        camera_metrics(app, CameraCollector(self.eyes, lambda: shelf.held_bytes, lambda: shelf.max_bytes))
        sound_routes(app, app.state.pages, self._channel_checks())
        command_routes(app, self.commands)
        desk = AlarmDesk(self.view, self.commands, self._alarm_guide, self.escalation.outlook)
        alarm_routes(app, app.state.pages, desk)
        alarm_picture_routes(app, app.state.pages, desk, self.media.desk)
        office_routes(app, app.state.pages, self._office)
        order_sources = OrderSources(
            self.site_office.orders,
            OutboxReader(self.alerts.path),
            lambda: self.recorder.regulators,
            self.register.register.source_heard,
        )
        order_routes(app, app.state.pages, order_sources)
        permit_routes(app, app.state.pages, self.site_office.permits)
        pack_routes(app, app.state.pages, self.packs, lambda: self.settings.rule_packs)
        reload_route(app, self.reload)
        pit_routes(app, self.hand_entries, self.zero_orders, self.daily_reports, self.clock)
        crane_routes(app, lambda: self.settings, self.records, self.zero_orders, self.clock)
        self._servers = {"web": WebServer(app, self._socket, self.certificate.context if self.certificate else None)}
        if self.certificate is not None:
            authority_route(app, self.certificate.files.ca_file)
            self._open_plain_door(self.certificate)

    def eyes(self) -> Eyes | None:
        """The cameras; None where none is configured."""
        return self.site_eyes if self.site_eyes else None

    def _box_parts(self) -> BoxParts:
        """Everything that the screens look at."""
        settings = self.settings
        return BoxParts(
            box_id=settings.box.id,
            site_zh=settings.site.title_zh,
            site_en=settings.site.title_en,
            assets=_asset_views(settings),
            points=settings.points,
            window=self.window,
            rules=self.rules,
            alarms=self.alarms,
            recorder=self.recorder,
            intake=self.intake,
            pipeline=self.pipeline,
            alerts=self.alerts,
            history=self.reader,
            deliveries=self.deliveries,
            drivers=self.drivers,
            parts=self.supervisor.parts,
            clock=self.clock,
            arming=self.arming,
            config=self.config,
            certificate=self.certificate,
            drawing=draw(settings),
            in_memory=self.in_memory,
            store_lost=bool(self._lost),
        )

    def _open_plain_door(self, certificate: CertificateWatch) -> None:
        """The port without TLS, where the site asks for one."""
        web = self.settings.web
        if web.http_port is not None:
            door = PlainDoor(certificate.served_names, self._socket.getsockname()[1], certificate.files.ca_file)
            self._servers["web-plain"] = WebServer(door, listen(web.host, web.http_port))

    def _channel_checks(self) -> ChannelChecks:
        settings, told = self.settings, self.settings.escalation.uplinks
        channels = [
            Channel(bound.name, bound.kind.name, isinstance(uplink, Notifier), bound.name in told)
            for bound, uplink in zip(settings.uplinks, self.uplinks, strict=True)
        ]
        named = settings.box.id, settings.site.project_code
        return ChannelChecks(channels, named, self.recorder, OutboxReader(self.alerts.path), self.clock)

    def _alarm_guide(self) -> AlarmGuide:
        settings, bounds = self.settings, self.settings.alarms.bounds
        return AlarmGuide(settings.cards, settings.hazards, bounds.shelve_max_s, bounds.out_of_service_max_s)

    def _start_parts(self) -> None:
        start = self.supervisor.start
        start("recorder", self.recorder.run)
        start("pipeline", self.pipeline.run)
        start("eye", self.site_eyes.hub.run)
        start("camera scores", self.camera_scores.run)
        start("hooks", HookFeed(self.eyes, lambda: self.window, self.clock).run)
        for link, driver in zip(self.settings.links, self.drivers, strict=True):
            start(f"driver:{link.settings.id}", _driver_part(driver, self.link_sinks[link.settings.id]))
        for delivery, uplink in zip(self.deliveries, self.uplinks, strict=True):
            start(f"delivery:{delivery.name}", delivery.run)
            if isinstance(uplink, Background):
                start(f"uplink:{uplink.name}", uplink.run)
        if self.docked_cycles is not None:
            start("docked-cycles", self.docked_cycles.run)
        start("housekeeping", self.housekeeping.run)
        if not self.in_memory:  # its history is another
            start("store-watch", self.store_watch.run)
        start("assets", self.keeping.run)
        start("accounts", self.accounts.run)
        start("identities", lambda: self.identities.run(self.clock))
        start("clock", self.clock_watch.run)
        start("clock-trust", lambda: self.clock_trust.run(self.clock_watch.look))
        start("stalls", self.stall_watch.run)
        start("daily-reports", self.daily_reports.run)
        start("escalation", self.escalation.run)
        start("rule-packs", self.packs.run)
        start("feed", self.feed.run)
        for name, run in self.media.parts.items():
            start(name, run)
        for name, server in self._servers.items():
            start(name, server.run_until_cancelled)
        if self.certificate is not None:
            start("certificate", self.certificate.run)
        start("watchdog", self._feed_watchdog)

    def _refuse(self, outcome: ReloadOutcome, user: str) -> ReloadOutcome:
        """The running settings stay; the log and the health page say why."""
        self.config.differs_from_file = True
        self.config.refused_at_ns = self.clock.now_ns()
        self.config.faults, self.config.needs_restart = outcome.faults, outcome.needs_restart
        for fault in outcome.faults:
            log.error("event=config_fault fault=%r", str(fault))
        sections = ",".join(outcome.needs_restart)
        log.error(
            "event=config_refused user=%r faults=%d needs_restart=%r running_digest=%s",
            user,
            len(outcome.faults),
            sections,
            self.settings.digest,
        )
        return outcome

    async def _go_on_by(self, new: Settings, found: Difference, user: str, reason: str) -> ReloadOutcome:
        """Stop the drivers of what changed, switch every table in one turn of the event loop, start the new drivers."""
        old = self.settings
        kept = {link.settings.id: driver for link, driver in zip(old.links, self.drivers, strict=True)}
        fresh = {
            link.settings.id: DRIVERS[link.settings.driver].build(link, self.clock)
            for link in new.links
            if link.settings.id in {*found.links_added, *found.links_changed}
        }
        tables = RuleTable(new.rules), self._alarm_table(new)
        warm_ns = await asyncio.to_thread(self._warm, new, *tables)
        gone = [f"driver:{name}" for name in (*found.links_removed, *found.links_changed)]
        await self.supervisor.stop(*gone) if gone else None
        for name in gone:
            self.supervisor.parts.pop(name, None)
        self.settings, self.recorder.hazards = new, new.hazards
        self.drivers = [fresh.get(link.settings.id) or kept[link.settings.id] for link in new.links]
        self.site_eyes.use(camera_drivers(self.drivers))
        self._switch_tables(old, new, *tables, warm_ns)
        self._switch_sinks(new, fresh)
        self._show(new)
        await self.surveys.resume(self.eyes())
        for name, driver in fresh.items():
            self.supervisor.start(f"driver:{name}", _driver_part(driver, self.link_sinks[name]))
        content: dict[str, Canonical] = {"user": user, "reason": reason}
        content |= {"old_settings_digest": old.digest, "new_settings_digest": new.digest} | found.content()
        record = await self.recorder.record(Entry(RecordKind.CONFIG_CHANGED, self.clock.now_ns(), content))
        log.warning("event=config_changed user=%r old=%s new=%s seq=%d", user, old.digest, new.digest, record.seq)
        return ReloadOutcome(evidence_seq=record.seq, changes=found.content())

    def _warm(self, new: Settings, rules: RuleTable, alarms: AlarmTable) -> int:
        """Beside the running tables: what the history says, for the new ones; how far it went (UTC ns)."""
        reader = HistoryReader(self.history.path, new.points)
        try:
            warm_start(reader, new.points, rules, alarms, self.clock.now_ns())
            return reader.last_sample_ns()
        finally:
            reader.close()

    def _switch_tables(self, old: Settings, new: Settings, rules: RuleTable, alarms: AlarmTable, warm_ns: int) -> None:
        """Nothing here waits: no reading is judged half by the old and half by the new settings."""
        window = Window(new.points, self.clock.monotonic_ns())
        fresh = Deriving(self._models(new), new.points)

        def next_line() -> Line:
            fresh.restore(self.deriving.saved())
            self.deriving = fresh
            return self._line(window, rules, alarms)

        self.pipeline.switch(next_line)
        self.history.use_points(new.points)
        for reader in (self.reader, *self._uplink_readers):
            reader.use_points(new.points)
        window.carry_over(self.window, moved_to(old.points, new.points))
        carry_alarms(self.alarms, rules, alarms)
        carry_delays(window, rules, alarms, warm_ns)
        carry_truths(self.rules, self.alarms, rules, alarms)
        rules.carry_over(self.rules)
        self.window, self.rules, self.alarms = window, rules, alarms

    def _switch_sinks(self, new: Settings, fresh: Mapping[str, Driver]) -> None:
        """Running drivers go on under the new point numbers."""
        cranes = [asset.id for asset in new.assets if asset.kind is AssetKind.TOWER_CRANE]
        self.arming = read_arming(self._folder, cranes)
        self.sink = self._sink_for(new)
        kept = {name: sink for name, sink in self.link_sinks.items() if name not in fresh}
        self.link_sinks = {link.settings.id: kept.get(link.settings.id) or self._link_sink(new) for link in new.links}
        for sink in self.link_sinks.values():
            sink.retarget(new.points, self.sink)
        self._tags.clear()
        self._tags.update(_tags(new))

    def _show(self, new: Settings) -> None:
        """The screens look at the new tables."""
        self.config.digest, self.config.loaded_at_ns = new.digest, self.clock.now_ns()
        self.view.parts = replace(
            self.view.parts,
            assets=_asset_views(new),
            points=new.points,
            window=self.window,
            rules=self.rules,
            alarms=self.alarms,
            drivers=self.drivers,
            arming=self.arming,
            drawing=draw(new),
        )
        self.view.refresh_alarms()

    async def _stop(self) -> None:
        names = tuple(self.supervisor.parts)
        self.feed.close()
        self._sheets.cancel()
        self._resuming.cancel()
        self._drawings.cancel()
        web = [name for name in names if name.startswith("web")]
        await asyncio.gather(self.supervisor.stop(*web), self._send_last(SEND_BEFORE_S))
        await self.supervisor.stop(
            *[name for name in names if name.startswith(("driver:", "eye", "housekeeping", "daily"))]
        )
        await self.supervisor.stop("pipeline")
        await self.pipeline.stop()
        await self.supervisor.stop(*self.media.parts)
        self._admit_memory()
        self.recorder.record(Entry(RecordKind.STOPPED, self.clock.now_ns(), {"version": __version__}))
        await self.supervisor.stop("recorder")
        await self.recorder.drain()
        await self._send_last(SEND_AFTER_S)
        await self.supervisor.stop()
        await self._close_uplinks()
        for delivery in self.deliveries:
            delivery.close()
        await self.keeping.keep()
        if not self.in_memory:
            await self.store_watch.remember()
        self.accounts.close()
        self.assets.close()
        self.papers.close()
        self.media.close()
        self.records.close()
        self.history.close(self.clock.now_ns())
        self.alerts.close()
        self.reader.close()
        for server in self._servers.values():
            server.listener.close()
        if self.in_memory:
            remove_stand_in(self._folder)
        self._lock.close()

    def _admit_memory(self) -> None:
        """What was measured since a start in memory ends with this run."""
        if self.in_memory:
            now_ns, reason = self.clock.now_ns(), "started while the disk took nothing: the history was in memory alone"
            gap: dict[str, Canonical] = {"from_ns": self._started_ns, "to_ns": now_ns, "reason": reason}
            self.recorder.record(Entry(RecordKind.HISTORY_GAP, now_ns, gap))

    async def _send_last(self, within_s: float) -> None:
        """Give what waits a moment to leave; what does not is sent after the next start."""
        deadline_ns = self.clock.monotonic_ns() + int(within_s * 1e9)
        self._wake_deliveries()
        while self.clock.monotonic_ns() < deadline_ns and not all(d.caught_up for d in self.deliveries):
            await self.clock.sleep(0.02)

    async def _close_uplinks(self) -> None:
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

    async def _feed_watchdog(self) -> None:
        """systemd restarts the box when the pipeline stops ticking."""
        while True:
            if self.view.alive():
                notify_systemd("WATCHDOG=1")
            await self.clock.sleep(WATCHDOG_S)

    def _asked(self) -> list[AskedDevice]:
        """The devices that are polled, and how often."""
        return [
            AskedDevice(device.settings.id, device.point_index, getattr(device.settings, "poll_ms", 0) * 1_000_000)
            for link in self.settings.links
            if DRIVERS[link.settings.driver].asks
            for device in link.devices
        ]

    def _not_read(self, unread: Sequence[Readings]) -> None:
        self.pipeline.note_hole(unread)

    def _disclosed(self, person_id: str, purpose: str) -> None:
        """An adapter is about to send a person's identity: on record first, by the random id alone."""
        content: dict[str, Canonical] = {"person_id": person_id, "purpose": purpose}
        self.recorder.record(Entry(RecordKind.DISCLOSURE, self.clock.now_ns(), content))

    def _announce_setup(self, code: str) -> None:
        """Whoever stands at the box's console may make the first administrator; nobody else reads this."""
        print(f"Sitewarden: no account yet. Open {self.url}/setup, code {code}", file=sys.stderr)
        log.warning("event=first_setup url=%s/setup code=%s", self.url, code)

    def _taking_packs(self, uplink: RegulatorUplink) -> MessageHandler:
        keep = uplink.on_message
        return lambda down: take_pack(down, keep, self.packs, uplink)

    def _sealed(self, keep: MessageHandler, uplink: str) -> MessageHandler:
        return lambda down: seal_order(down, keep, self.recorder, self.clock, uplink)

    async def _seen_from_afar(self, request: LiveViewRequest) -> None:
        """Somebody at the regulator is about to watch: on this site's record first."""
        content: dict[str, Canonical] = {
            "event": str(Viewed.LIVE),
            "user": f"审查台 regulator: {request.requested_by_role}",
            "target": request.camera_id,
            "detail": request.reason,
            "address": "",
        }
        entry = Entry(RecordKind.MEDIA_VIEWED, self.clock.now_ns(), content, about=f"view:{request.camera_id}")
        await self.recorder.record(entry)

    def _told(self, told: Sequence[Told]) -> None:
        self.view.refresh_alarms()
        self.feed.tell(told)
        self._wake_deliveries(urgent=any(entry.transition is not None for entry in told))

    def _told_unsealed(self) -> None:
        self.view.refresh_alarms()
        self.feed.tell_unsealed()
        self._wake_deliveries(urgent=True)

    def _wake_deliveries(self, urgent: bool = False) -> None:
        for delivery in self.deliveries:
            delivery.wake(urgent)


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


def _kept_days(media: MediaSettings) -> dict[MediaClass, float]:
    return KEPT_DAYS | {
        MediaClass.FRAME: media.frame_days,
        MediaClass.STRIP: media.strip_days,
        MediaClass.CLIP: media.clip_days,
    }


def _blurred(body: bytes, item: MediaItem) -> bytes:
    """Imported when the first picture is asked for: a box without cameras loads no OpenCV."""
    from vision.privacy.still import blurred_still  # noqa: PLC0415

    return blurred_still(body, item.boxes)


def _night_look(survey: Survey, by_day: bytes, by_night: bytes) -> NightLook:
    from vision.edges.survey_night import night_look  # noqa: PLC0415

    return night_look(survey, by_day, by_night)


def _has_moved(then: bytes, now: bytes) -> Truth:
    from vision.health.view_comparison import has_moved  # noqa: PLC0415

    return has_moved(then, now)


def _floor_rises(survey: Survey, before: bytes, now: bytes) -> Sequence[Rise]:
    from vision.edges.floor_shift import floor_rises  # noqa: PLC0415

    return floor_rises(survey, before, now)


def _thumbnail(body: bytes, item: MediaItem) -> SmallPicture:
    from vision.privacy.still import blurred_thumbnail  # noqa: PLC0415

    return SmallPicture(*blurred_thumbnail(body, item.boxes))


def _small_still(still: Picture) -> SmallPicture:
    """Of a picture whose faces are blurred already."""
    from vision.privacy.still import blurred_thumbnail  # noqa: PLC0415

    return SmallPicture(*blurred_thumbnail(still.body, (), SMALL_WIDTH_PX))


def _tags(settings: Settings) -> dict[str, AssetTag]:
    return {asset.id: AssetTag(str(asset.kind), asset.serial) for asset in settings.assets}


def _asset_views(settings: Settings) -> list[AssetView]:
    return [AssetView(a.id, str(a.kind), a.title_zh, a.title_en) for a in settings.assets]


def _driver_part(driver: Driver, sink: ReadingSink) -> Callable[[], Awaitable[None]]:
    return lambda: driver.run(sink)


def _route(uplink: Uplink, escalation: Sequence[str]) -> Route:
    route = Route(uplink.name, uplink.takes_alerts, uplink.takes_evidence, uplink.takes_evidence)
    if isinstance(uplink, DockingUplink):
        return replace(route, wants=uplink.wants)
    if not isinstance(uplink, Notifier):
        return route
    escalations = uplink.takes_escalations and uplink.name in escalation
    return replace(route, wants=uplink.wants, tells_people=True, escalations=escalations)
