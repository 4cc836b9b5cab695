"""A plan of requests that learns which gaps a device refuses to have read over. Pure.

In: a register table; a request that was refused, and the pieces in which it was answered. Out: the decoder in force,
whose `requests` are what to ask. Knows no wire.

    refused   [a . b . . c]  exception     search for the gap in the same poll (`drivers.modbus.gap_search`)
    answered  [a . b] and [c]              ask them so from now on, for RELEARN_S; then try the whole again
    refused   every point                  the gap was not the reason: the plan stays
"""

from drivers.modbus.decode import TableDecoder, compile_table
from drivers.modbus.plan import Request, plan_requests, split_at_gaps
from drivers.modbus.settings import ModbusTable

RELEARN_S = 3600.0


class LearningPlan:
    """One device's requests, for the life of the process."""

    def __init__(self, table: ModbusTable) -> None:
        self._table = table
        self._requests = plan_requests(table)
        self._learned_at_ns = 0
        self.decoder: TableDecoder = compile_table(table)

    @property
    def has_learned(self) -> bool:
        """Whether the requests differ from the plan."""
        return self.decoder.requests != self._requests

    def runs_of(self, request: Request) -> tuple[Request, ...]:
        """The same points without gaps; nothing when the request has none."""
        runs = split_at_gaps(self._table, self.decoder.requests, request)
        return runs if len(runs) > 1 else ()

    def learn(self, request: Request, pieces: tuple[Request, ...], now_ns: int) -> None:
        """The device refuses this request but answers pieces of it: ask for the pieces from now on."""
        before = self.decoder.requests
        place = before.index(request)
        requests = before[:place] + pieces + before[place + 1 :]
        self.decoder = compile_table(self._table, requests)
        self._learned_at_ns = now_ns

    def relearn(self, now_ns: int) -> None:
        """Go back to the plan when what was learned is old: devices are exchanged, firmware is updated."""
        if self.has_learned and now_ns - self._learned_at_ns >= RELEARN_S * 1e9:
            self.decoder = compile_table(self._table)
