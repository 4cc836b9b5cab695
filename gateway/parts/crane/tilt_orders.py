"""People's orders that a crane learns its tilt anew: after erection, or when the base was corrected."""

from gateway.line.zero_orders import ZeroOrders
from gateway.parts.crane.model.crane import CraneDerivation


async def order_tilt_baseline(orders: ZeroOrders, asset: str, user: str, reason: str) -> int:
    """From now on the crane's tilt counts from what it is; the number of the sealed order. Raises NoSuchModelError."""
    orders.model(f"{asset}:derived", CraneDerivation).learn_tilt_baseline()
    return await orders.seal(asset, "crane_tilt_baseline_ordered", (user, reason), {})
