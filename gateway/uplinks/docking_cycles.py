"""Working cycles into the outbox of every uplink that docks: each once, in order, none left out.

In: the cycles that the box keeps (`assets.db`). Out: outbox rows, keyed by crane and number. How far this has come is
read from the outbox itself, which forgets nothing: a kill between the two files costs nothing, and a repeated hand-over
is the same row. An uplink that is new begins with the newest cycle.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path

import orjson

from gateway.model.errors import StoreError
from gateway.ports import Clock
from gateway.store.alert_store import AlertStore, Commit, Message
from gateway.store.asset_reader import AssetReader
from gateway.store.asset_records import Cycle
from gateway.store.database import open_reader
from gateway.uplinks.docking_records import CYCLE_ROW

LOOK_EVERY_S = 2.0
MOST_A_TURN = 200
URGENCY = 2
"""Behind alarms, as summaries are."""


class CycleMessages:
    """`uplinks`: by name, the cranes whose cycles it takes."""

    def __init__(
        self, alerts: AlertStore, cycles: AssetReader, uplinks: Mapping[str, Sequence[str]], clock: Clock
    ) -> None:
        self._alerts = alerts
        self._cycles = cycles
        self._uplinks = dict(uplinks)
        self._clock = clock
        self._up_to: dict[tuple[str, str], int] = {}

    async def run(self) -> None:
        """Every few seconds until cancelled. A full disk costs the turn."""
        while True:
            try:
                await self.catch_up()
            except StoreError:
                self._up_to.clear()
            await self._clock.sleep(LOOK_EVERY_S)

    async def catch_up(self) -> int:
        """Put every cycle that is not there yet into the outboxes; how many rows. Raises StoreError."""
        return sum(
            [await self._hand_over(uplink, asset) for uplink, assets in self._uplinks.items() for asset in assets]
        )

    async def _hand_over(self, uplink: str, asset: str) -> int:
        waiting = await asyncio.to_thread(self._waiting, uplink, asset)
        for begin in range(0, len(waiting), MOST_A_TURN):
            part = waiting[begin : begin + MOST_A_TURN]
            messages = [Message(uplink, _key(cycle), CYCLE_ROW, _body(cycle), URGENCY) for cycle in part]
            await asyncio.wrap_future(self._alerts.commit(Commit(self._clock.now_ns(), messages=messages)))
            self._up_to[uplink, asset] = part[-1].number
        return len(waiting)

    def _waiting(self, uplink: str, asset: str) -> list[Cycle]:
        """Oldest first."""
        place = (uplink, asset)
        if place not in self._up_to:
            self._up_to[place] = self._last_handed_over(uplink, asset)
        newest = self._cycles.last_cycles(asset, 1)
        if not newest or newest[0].number <= self._up_to[place]:
            return []
        missing = newest[0].number - self._up_to[place] if self._up_to[place] else 1
        return self._cycles.last_cycles(asset, missing)[::-1]

    def _last_handed_over(self, uplink: str, asset: str) -> int:
        """The highest number in the outbox, 0 when there is none. Looks at all rows of the uplink, once a start."""
        prefix = _prefix(asset)
        with closing(open_reader(Path(self._alerts.path))) as db:
            row = db.execute(
                "SELECT max(CAST(substr(key, ?) AS INTEGER)) FROM outbox WHERE uplink = ? AND kind = ?"
                " AND substr(key, 1, ?) = ?",
                (len(prefix) + 1, uplink, CYCLE_ROW, len(prefix), prefix),
            ).fetchone()
        return int(row[0] or 0)


def _prefix(asset: str) -> str:
    return f"cycle:{asset}:"


def _key(cycle: Cycle) -> str:
    return f"{_prefix(cycle.asset)}{cycle.number}"


def _body(cycle: Cycle) -> bytes:
    said = {"asset": cycle.asset, "number": cycle.number, "driver": cycle.driver, "content": dict(cycle.content)}
    return orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
