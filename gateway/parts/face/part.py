"""The web face as one part: the view over the box, the live feed, pages that every box has, servers, who escalates.

In: the line, drivers, deliveries, accounts. Out: an application to which the other parts add their routes, served on
the site's address, by TLS where the site has a certificate.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from gateway.accounts.accounts import Accounts
from gateway.accounts.audit_reader import AuditReader
from gateway.accounts.local_token import write_local_token
from gateway.line.escalation import Escalation
from gateway.line.field import FieldPart
from gateway.line.part import LinePart
from gateway.line.recorder import Told
from gateway.line.reload import Change
from gateway.line.supervisor import PartHealth, notify_systemd
from gateway.part import Job, Part, Stop
from gateway.settings import Settings
from gateway.tls.watch import CertificateWatch
from gateway.uplinks.part import UplinkPart
from gateway.web.account_pages import account_routes
from gateway.web.account_visitors import AccountVisitors, policy_of
from gateway.web.alarm_desk import AlarmDesk, AlarmGuide
from gateway.web.alarm_forms import alarm_routes
from gateway.web.api import Acknowledge, web_app
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
from screens.listener import listen

WATCHDOG_S = 5.0


@dataclass(frozen=True, slots=True)
class Behind:
    """What the web face looks at, and what people may have done."""

    line: LinePart
    field: FieldPart
    uplinks: UplinkPart
    accounts: Accounts
    jobs: dict[str, PartHealth]
    config: ConfigState
    acknowledge: Acknowledge
    reload: Callable[[str, str], Awaitable[ReloadOutcome]]


class FacePart(Part[Change]):
    """`url` is its address. `app.state.alarm_desk` waits for an alarm's pictures."""

    def __init__(self, behind: Behind, settings: Settings, certificate: CertificateWatch | None) -> None:
        self._behind, self._settings, self._certificate = behind, settings, certificate
        line, self._clock = behind.line, behind.line.clock
        alerts = line.stores.alerts
        self.view = BoxView(self._box_parts())
        self.feed = Feed(alerts, self.view)
        self.feed.picture.escalation = self._escalation = self._escalating()
        line.recorder.listeners.append(self._told)
        line.recorder.on_unsealed = self._told_unsealed
        policy = policy_of(settings.web)
        visitors = AccountVisitors(behind.accounts, policy, write_local_token(line.stores.folder))
        listener = listen(settings.web.host, settings.web.port)
        port = listener.getsockname()[1]
        self.url = f"{'https' if certificate is not None else 'http'}://{settings.web.host}:{port}"
        self.app = app = web_app(self.view, self.feed, behind.acknowledge, policy.token, self._clock, visitors)
        pages = app.state.pages
        account_routes(app, pages, behind.accounts, visitors)
        audit_routes(app, pages, AuditReader(alerts.path))
        self.feed.picture.cells = overview_routes(app, pages).cells
        curves_routes(app, pages)
        sound_routes(app, pages, behind.uplinks.checks(line.recorder))
        command_routes(app, line.commands)
        app.state.alarm_desk = AlarmDesk(self.view, line.commands, self._guide, self._escalation.outlook)
        alarm_routes(app, pages, app.state.alarm_desk)
        reload_route(app, behind.reload)
        self._servers = {"web": WebServer(app, listener, certificate.context if certificate else None)}
        if certificate is not None:
            authority_route(app, certificate.files.ca_file)
            self._open_plain_door(certificate, port)

    def jobs(self) -> Sequence[Job]:
        """Escalation, the feed, the servers, and the word to systemd."""
        servers = [Job(name, server.run_until_cancelled, Stop.FACE) for name, server in self._servers.items()]
        if self._certificate is not None:
            servers.append(Job("certificate", self._certificate.run))
        first = Job("escalation", self._escalation.run), Job("feed", self.feed.run)
        return [*first, *servers, Job("watchdog", self._feed_watchdog)]

    async def prepare(self, change: Change) -> Callable[[], None]:
        """The screens look at the new tables."""
        return lambda: self._show(change.new)

    def _show(self, new: Settings) -> None:
        self._settings = new
        self.view.parts = replace(self.view.parts, **self._of_settings())
        self.view.refresh_alarms()

    async def stop(self, step: Stop) -> None:
        """Whoever listens is told to go."""
        if step is Stop.FACE:
            self.feed.close()

    def close(self) -> None:
        """Let go of the ports that it listens on."""
        for server in self._servers.values():
            server.listener.close()

    def _box_parts(self) -> BoxParts:
        """Everything that the screens look at."""
        settings, line, stores = self._settings, self._behind.line, self._behind.line.stores
        return BoxParts(
            box_id=settings.box.id,
            site_zh=settings.site.title_zh,
            site_en=settings.site.title_en,
            recorder=line.recorder,
            intake=line.intake,
            pipeline=line.pipeline,
            alerts=stores.alerts,
            history=stores.reader,
            deliveries=self._behind.uplinks.deliveries,
            parts=self._behind.jobs,
            clock=self._clock,
            config=self._behind.config,
            certificate=self._certificate,
            in_memory=stores.in_memory,
            store_lost=bool(stores.lost),
            **self._of_settings(),
        )

    def _of_settings(self) -> Mapping[str, Any]:
        """What a reload replaces."""
        settings, line, field = self._settings, self._behind.line, self._behind.field
        return {
            "assets": [AssetView(a.id, str(a.kind), a.title_zh, a.title_en) for a in settings.assets],
            "points": settings.points,
            "window": line.window,
            "rules": line.rules,
            "alarms": line.alarms,
            "drivers": field.drivers,
            "arming": field.arming,
            "drawing": draw(settings),
        }

    def _escalating(self) -> Escalation:
        line, escalation = self._behind.line, self._settings.escalation
        return Escalation(
            lambda: line.alarms,
            lambda: self.feed.clients,
            line.recorder,
            self._clock,
            p1_after_s=escalation.p1_after_s,
            no_screen_after_s=escalation.no_screen_after_s,
            channels=escalation.uplinks,
        )

    def _guide(self) -> AlarmGuide:
        settings, bounds = self._settings, self._settings.alarms.bounds
        return AlarmGuide(settings.cards, settings.hazards, bounds.shelve_max_s, bounds.out_of_service_max_s)

    def _open_plain_door(self, certificate: CertificateWatch, port: int) -> None:
        """The port without TLS, where the site asks for one."""
        web = self._settings.web
        if web.http_port is not None:
            door = PlainDoor(certificate.served_names, port, certificate.files.ca_file)
            self._servers["web-plain"] = WebServer(door, listen(web.host, web.http_port))

    async def _feed_watchdog(self) -> None:
        """systemd restarts the box when the pipeline stops ticking."""
        while True:
            if self.view.alive():
                notify_systemd("WATCHDOG=1")
            await self._clock.sleep(WATCHDOG_S)

    def _told(self, told: Sequence[Told]) -> None:
        self.view.refresh_alarms()
        self.feed.tell(told)
        self._behind.uplinks.wake(urgent=any(entry.transition is not None for entry in told))

    def _told_unsealed(self) -> None:
        self.view.refresh_alarms()
        self.feed.tell_unsealed()
        self._behind.uplinks.wake(urgent=True)
