"""Which requests read a table: as few as possible.

In: a register table. Out: `Request`s in (function, address) order. Pure. Knows nothing of values or sockets.

Points of one function are walked in address order; a point joins the open request while the gap before it and the
request's length allow. Taking each as far as it goes is optimal: a request can only start at a point, so starting it
later never saves one.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from drivers.modbus.registers import BIT_FUNCTIONS
from drivers.modbus.settings import ModbusTable, RegisterPoint


@dataclass(frozen=True, slots=True)
class Request:
    """One read: `count` registers (functions 3, 4) or bits (functions 1, 2) from `address` on."""

    function: int
    address: int
    count: int

    @property
    def end(self) -> int:
        """The first register address after those that it reads."""
        return self.address + self.count

    def covers(self, point: RegisterPoint) -> bool:
        """Whether the reply holds the whole point."""
        inside = self.address <= point.address and point.address + point.type.words <= self.end
        return self.function == point.function and inside


def plan_requests(table: ModbusTable) -> tuple[Request, ...]:
    """The fewest requests that read every point of `table` whole, within its limits."""
    requests: list[Request] = []
    for point in sorted(table.points, key=lambda point: (point.function, point.address, point.type.words)):
        limit = table.max_registers * (16 if point.function in BIT_FUNCTIONS else 1)
        if requests and _joins(requests[-1], point, table.max_gap, limit):
            requests[-1] = _extended(requests[-1], point)
        else:
            requests.append(Request(point.function, point.address, point.type.words))
    return tuple(requests)


def split_at_gaps(table: ModbusTable, requests: Sequence[Request], request: Request) -> tuple[Request, ...]:
    """Requests for the same points that read over no unused address; the request alone when it does not either."""
    place = requests.index(request)
    points = tuple(point for point in table.points if request_of(requests, point) == place)
    return plan_requests(table.model_copy(update={"points": points, "max_gap": 0}))


def request_of(requests: Sequence[Request], point: RegisterPoint) -> int:
    """Position of the request whose reply holds `point`. Raises StopIteration for a point of another table."""
    return next(i for i, request in enumerate(requests) if request.covers(point))


def _joins(request: Request, point: RegisterPoint, max_gap: int, limit: int) -> bool:
    near = request.function == point.function and point.address - request.end <= max_gap
    return near and _extended(request, point).count <= limit


def _extended(request: Request, point: RegisterPoint) -> Request:
    end = max(request.end, point.address + point.type.words)
    return Request(request.function, request.address, end - request.address)
