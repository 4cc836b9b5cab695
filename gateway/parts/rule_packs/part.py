"""Rule packs that regulators offer, as one part.

In: the regulators' mailboxes, how the site is loaded and reloaded. Out: an office that checks offers, and a page.
"""

from collections.abc import Awaitable, Callable, Sequence

from fastapi import FastAPI

from gateway.line.recorder import Recorder
from gateway.line.reload import Change
from gateway.line.stores import BoxStores
from gateway.part import Job, Part
from gateway.parts.rule_packs.mail import take_pack
from gateway.parts.rule_packs.office import PackNeeds, PackOffice, ReloadResult
from gateway.parts.rule_packs.packs_page import pack_routes
from gateway.settings import Settings
from gateway.settings.kept_packs import KeptPack
from gateway.uplinks.regulator import RegulatorUplink
from gateway.uplinks.regulator_mailbox import MessageHandler


class RulePackPart(Part[Change]):
    """`load` reads the site with other packs, `reload` goes on by what counts now."""

    def __init__(
        self,
        stores: BoxStores,
        recorder: Recorder,
        settings: Callable[[], Settings],
        load: Callable[[Sequence[KeptPack]], Settings],
        reload: Callable[[str, str], Awaitable[ReloadResult]],
        regulators: Sequence[RegulatorUplink],
    ) -> None:
        self._in_force = lambda: settings().rule_packs
        self.office = PackOffice(PackNeeds(stores.folder, load, reload, self._in_force, recorder, stores.clock))
        for uplink in regulators:
            uplink.on_message = self._taking(uplink.on_message, uplink)

    def routes(self, app: FastAPI) -> None:
        """Packs in force and on offer, with a person's decision."""
        pack_routes(app, app.state.pages, self.office, self._in_force)

    def jobs(self) -> Sequence[Job]:
        """Offers are looked at as they come."""
        return (Job("rule-packs", self.office.run),)

    def _taking(self, keep: MessageHandler, uplink: RegulatorUplink) -> MessageHandler:
        return lambda down: take_pack(down, keep, self.office, uplink)
