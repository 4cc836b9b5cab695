"""The tower crane as one part: its records on the web face.

In: the line, the settings in force, who sets a tilt anew. Out: routes.
"""

from collections.abc import Callable

from fastapi import FastAPI

from gateway.line.part import LinePart
from gateway.line.reload import Change
from gateway.line.zero_orders import ZeroOrders
from gateway.part import Part
from gateway.parts.crane.routes import crane_routes
from gateway.settings import Settings


class CranePart(Part[Change]):
    """Its models run in the line."""

    def __init__(self, line: LinePart, settings: Callable[[], Settings], zero_orders: ZeroOrders) -> None:
        self._line, self._settings, self._zero_orders = line, settings, zero_orders

    def routes(self, app: FastAPI) -> None:
        """Cycles, the ledger, the tilt's baseline."""
        crane_routes(app, self._settings, self._line.records, self._zero_orders, self._line.clock)
