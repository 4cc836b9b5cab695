"""Permits and warnings as one part.

In: the chain, read at the start and followed from then on; what a permit may be for, what is checked after a storm.
Out: a register that the asset models ask, and a page.
"""

from collections.abc import Callable, Sequence

from fastapi import FastAPI

from gateway.line.recorder import Recorder
from gateway.line.reload import Change
from gateway.line.stores import BoxStores
from gateway.part import Part
from gateway.parts.permits.desk import PermitDesk
from gateway.parts.permits.permits_page import permit_routes
from gateway.parts.permits.register import REGISTER_KINDS, SCAFFOLD, HeardAt, SiteRegister
from gateway.store.alarm_reader import AlarmReader


class PermitPart(Part[Change]):
    """`cranes()`: what a permit may be for. `checked()`: the assets that are looked at after a storm."""

    def __init__(
        self,
        stores: BoxStores,
        recorder: Recorder,
        heard_at: HeardAt,
        cranes: Callable[[], tuple[str, ...]],
        checked: Callable[[], Sequence[str]],
    ) -> None:
        self.register = SiteRegister(heard_at, lambda: (*checked(), SCAFFOLD))
        self.register.read(AlarmReader(stores.alerts.path).every(REGISTER_KINDS))
        self.desk = PermitDesk(self.register, recorder, stores.clock, cranes)
        recorder.listeners.append(self.register.told)

    def routes(self, app: FastAPI) -> None:
        """Permits, warnings and checks, with their forms."""
        permit_routes(app, app.state.pages, self.desk)
