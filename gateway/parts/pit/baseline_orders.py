"""People's orders that a pit point counts anew. The point's model itself makes the event that a baseline came into
force, once the readings for it have come."""

from contract.canonical import Canonical, decimal_text
from gateway.line.zero_orders import ZeroOrders
from gateway.parts.pit.model.description import Baseline
from gateway.parts.pit.model.point import PitPointDerivation


class OvertakenError(ValueError):
    """A later baseline is in force at the point already."""


async def order_baseline(orders: ZeroOrders, asset: str, point: str, order: Baseline) -> int:
    """A point's baseline; the number of the sealed order. Raises NoSuchModelError and OvertakenError."""
    if not orders.model(f"{asset}:{point}", PitPointDerivation).order_baseline(order):
        raise OvertakenError(point)
    content: dict[str, Canonical] = {
        "point": point,
        "kind": order.kind.value,
        "since_ns": order.at_ns,
        "zero": None if order.zero is None else decimal_text(order.zero),
        "carried": None if order.carried is None else decimal_text(order.carried),
        "readings": order.readings,
    }
    return await orders.seal(asset, "pit_baseline_ordered", (order.by, order.reason), content)
