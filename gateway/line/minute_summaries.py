"""Each minute's summary of every asset, for the uplinks that take evidence: once, in order, none left out.

In: how far the history is known to hold everything. Out: messages in the outbox. How far this has come is kept in the
history, so that a turn that was missed, a flush that came late and a restart are caught up, oldest first. After a crash
a minute may be put into the outbox again, under the same key. Knows nothing of receivers.
"""

import asyncio
import logging
from collections.abc import Sequence

from contract.canonical import Canonical, canonical_bytes, decimal_text
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry, Recorder
from gateway.model.quantity import Point
from gateway.store.alert_store import SUMMARY_KIND, AlertStore, Commit, Message
from gateway.store.blocks import MINUTE_NS, Minutes
from gateway.store.history_reader import HistoryReader
from gateway.store.history_store import HistoryStore

log = logging.getLogger(__name__)
CATCH_UP_MIN = 60
"""Minutes with readings that one turn makes up for. What is older is counted and sealed. PD"""
POINTS_A_SUMMARY = 1000  # some 200 KB, a tenth of what one message may hold


class MinuteSummaries:
    """Puts summaries into the outbox of each of `uplinks`."""

    def __init__(
        self,
        alerts: AlertStore,
        history: HistoryStore,
        reader: HistoryReader,
        recorder: Recorder,
        uplinks: Sequence[str],
    ) -> None:
        self._alerts = alerts
        self._history = history
        self._reader = reader
        self._recorder = recorder
        self._uplinks = tuple(uplinks)
        self._up_to_ns = history.summarised_at_open_ns

    async def catch_up(self, complete_ns: int, now_ns: int) -> None:
        """Every minute since the last one that ends by `complete_ns` (UTC): up to there the history holds all that was
        received. Raises StoreError when it cannot be kept; the next turn then goes on from there.
        """
        last_ns = complete_ns // MINUTE_NS * MINUTE_NS - MINUTE_NS
        before_ns = self._begun_from(last_ns, now_ns)
        if last_ns <= before_ns:
            return
        if self._uplinks:
            for minute_ns in await self._due(before_ns + MINUTE_NS, last_ns, now_ns):
                await self._summarise(minute_ns, now_ns)
                await self._pass(minute_ns)
        await self._pass(last_ns)

    def _begun_from(self, last_ns: int, now_ns: int) -> int:
        """The last minute that is done. A box that never summarised begins with the last one; so does one whose clock
        was set back, which would otherwise wait until it has caught up with its own past."""
        set_back = self._up_to_ns > now_ns // MINUTE_NS * MINUTE_NS - MINUTE_NS
        return last_ns - MINUTE_NS if set_back or not self._up_to_ns else self._up_to_ns

    async def _due(self, first_ns: int, last_ns: int, now_ns: int) -> Sequence[int]:
        """The minutes to summarise, oldest first."""
        if first_ns == last_ns:
            return (last_ns,)
        kept = await asyncio.to_thread(self._reader.kept_minutes, first_ns, last_ns)
        if left_out := kept[:-CATCH_UP_MIN]:
            await self._leave_out(left_out, now_ns)
        return kept[-CATCH_UP_MIN:]

    async def _leave_out(self, minutes_ns: Sequence[int], now_ns: int) -> None:
        log.error("event=summaries_left_out from_ns=%d minutes=%d", minutes_ns[0], len(minutes_ns))
        await self._pass(minutes_ns[-1])
        gap: dict[str, Canonical] = {
            "from_ns": minutes_ns[0],
            "to_ns": minutes_ns[-1] + MINUTE_NS,
            "reason": "minute summaries could not be made for too long: the oldest are left out",
            "summaries_left_out": len(minutes_ns),
        }
        self._recorder.record(Entry(RecordKind.HISTORY_GAP, now_ns, gap))

    async def _summarise(self, minute_ns: int, now_ns: int) -> None:
        found = await asyncio.to_thread(self._reader.minute, minute_ns)
        messages = []
        for asset, points in _by_asset(found).items():
            for start in range(0, len(points), POINTS_A_SUMMARY):
                key = f"summary:{asset}:{minute_ns}" + (f":{start}" if start else "")
                part = points[start : start + POINTS_A_SUMMARY]
                body = canonical_bytes({"minute_at_ns": minute_ns, "asset": asset, "points": part})
                messages += [Message(uplink, key, SUMMARY_KIND, body, 2) for uplink in self._uplinks]
        if messages:
            await asyncio.wrap_future(self._alerts.commit(Commit(now_ns, messages=messages)))

    async def _pass(self, minute_ns: int) -> None:
        """This minute is done: known at once, and kept for the next start."""
        if minute_ns != self._up_to_ns:
            self._up_to_ns = minute_ns
            await asyncio.wrap_future(self._history.note_summarised(minute_ns))


def _by_asset(found: Sequence[tuple[tuple[Point, ...], Minutes]]) -> dict[str, list[Canonical]]:
    """One minute of every point, grouped by asset, in the contract's form."""
    assets: dict[str, list[Canonical]] = {}
    for points, minutes in found:
        for column, point in enumerate(points):
            row: dict[str, Canonical] = {
                "point_id": point.point_id,
                "unit": point.unit,
                "min": decimal_text(float(minutes.low[0, column])),
                "max": decimal_text(float(minutes.high[0, column])),
                "mean": decimal_text(float(minutes.mean[0, column])),
                "count": int(minutes.count[0, column]),
                "quality": int(minutes.quality[0, column]),
            }
            assets.setdefault(point.asset, []).append(row)
    return assets
