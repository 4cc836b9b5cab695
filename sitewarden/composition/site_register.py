"""Builds what answers the regulator's orders and what keeps permits and warnings, for `app`.

In: the box's folder and stores, its settings as they are now, its uplinks. Out: a register that the asset models ask,
and two offices for the pages. Both are read from the chain at the start and follow it from then on.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from gateway.line.recorder import Recorder
from gateway.media.shelf import MediaShelf
from gateway.parts.orders.answering import OrderOffice
from gateway.parts.orders.order_book import BOOK_KINDS
from gateway.parts.permits.desk import PermitDesk
from gateway.parts.permits.register import REGISTER_KINDS, SCAFFOLD, SiteRegister
from gateway.ports import Clock, Uplink
from gateway.settings import AssetKind, Settings
from gateway.store.alarm_reader import AlarmReader
from gateway.uplinks.regulator import RegulatorUplink

MOST_RECORDS = 1_000_000
FOR_EVER_NS = 2**63 - 1
CHECKED_KINDS = (AssetKind.TOWER_CRANE, AssetKind.DEEP_PIT)
"""What is looked at after a storm, beside the scaffold (notice C16: crane, scaffold, pit)."""


class SiteRegisterParts:
    """The register, which the asset models need before there is a recorder."""

    def __init__(self, chain: Path, settings: Callable[[], Settings], uplinks: Callable[[], Sequence[Uplink]]) -> None:
        self._settings = settings
        self._uplinks = uplinks
        self.chain = AlarmReader(chain)
        self.register = SiteRegister(self._heard_at, self._items)
        self.register.read(self.chain.records(REGISTER_KINDS, 0, FOR_EVER_NS, MOST_RECORDS))

    def cranes(self) -> tuple[str, ...]:
        """What a permit may be for."""
        return tuple(asset.id for asset in self._settings().assets if asset.kind is AssetKind.TOWER_CRANE)

    def _items(self) -> Sequence[str]:
        return (*(asset.id for asset in self._settings().assets if asset.kind in CHECKED_KINDS), SCAFFOLD)

    def _heard_at(self) -> int | None:
        regulators = [uplink for uplink in self._uplinks() if isinstance(uplink, RegulatorUplink)]
        return max((uplink.health().last_answer_at_ns for uplink in regulators), default=None)


class SiteOffice:
    """Orders and permits, once the recorder is there."""

    def __init__(self, parts: SiteRegisterParts, shelf: MediaShelf, recorder: Recorder, clock: Clock) -> None:
        self.orders = OrderOffice(shelf, recorder, clock, lambda: recorder.regulators)
        self.orders.read(parts.chain.records(BOOK_KINDS, 0, FOR_EVER_NS, MOST_RECORDS))
        self.permits = PermitDesk(parts.register, recorder, clock, parts.cranes)
        recorder.listeners += [parts.register.told, self.orders.told]
