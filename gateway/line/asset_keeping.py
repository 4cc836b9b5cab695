"""Keeps what the asset models know and notice: their states for the next start, their records for good.

In: events, as the pipeline hands them over, and the models. Out: rows in `assets.db`; and what somebody will be asked
about (a baseline set anew, a climb) sealed in the chain as well. Events go with the states that know of them, so that
after a kill a crane's counters fit its records.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence

from contract.canonical import Canonical, decimal_text
from gateway.evidence.evidence import RecordKind
from gateway.line.deriving import Deriving
from gateway.line.recorder import Entry, Recorder
from gateway.model.derivation import AssetEvent, Json
from gateway.model.errors import StoreError
from gateway.model.id_numbers import mask_content
from gateway.ports import Clock
from gateway.store.asset_store import AssetStore

log = logging.getLogger(__name__)
LOOK_EVERY_S = 1.0
STATES_EVERY_NS = 60_000_000_000
UNSEALED = frozenset({"crane_cycle", "data_quality"})
"""Kinds that are many and are nobody's decision: kept as records, not sealed one by one."""


class AssetKeeping:
    """One box's models and their store. `deriving` is asked each time, because a reload changes it."""

    def __init__(self, store: AssetStore, deriving: Callable[[], Deriving], recorder: Recorder, clock: Clock) -> None:
        self._store = store
        self._deriving = deriving
        self._recorder = recorder
        self._clock = clock
        self._states_due_mono_ns = 0
        self._events_waiting = False

    def restore(self) -> Sequence[str]:
        """Before the first sample: the models go on from what was kept. Names of those that start anew."""
        found = self._store.states_at_open()
        for device, saved in found.items():
            if saved.fell_back:
                log.warning("event=asset_state_fell_back device=%s saved_at_ns=%d", device, saved.saved_at_ns)
        states = {device: saved.state for device, saved in found.items()}
        return self._deriving().restore(states)

    def take(self, events: Sequence[AssetEvent]) -> None:
        """From the pipeline; does not wait."""
        self._store.note(self._clock.now_ns(), events)
        self._events_waiting = True
        for event in events:
            if event.kind not in UNSEALED:
                self._recorder.record(Entry(RecordKind.ASSET_EVENT, self._clock.now_ns(), _sealable(event)))

    async def run(self) -> None:
        """Every few seconds until cancelled. A full disk costs the turn; what waits is kept with a later one."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            mono_ns = self._clock.monotonic_ns()
            if self._events_waiting or mono_ns >= self._states_due_mono_ns:
                self._states_due_mono_ns = mono_ns + STATES_EVERY_NS
                await self.keep()

    async def keep(self) -> None:
        """Write the states and events of all assets now."""
        self._events_waiting = False
        self._store.note(self._clock.now_ns(), states=self._deriving().saved())
        try:
            await asyncio.wrap_future(self._store.flush())
        except StoreError as error:
            self._events_waiting = True
            log.warning("event=asset_states_not_kept reason=%r", str(error))


def _sealable(event: AssetEvent) -> dict[str, Canonical]:
    """The event in canonical form: numbers that are not whole become decimal texts."""
    return {
        "asset": event.asset,
        "event": event.kind,
        "observed_at_ns": event.at_ns,
        "content": _canonical(mask_content(event.content)),
    }


def _canonical(value: Json) -> Canonical:
    if isinstance(value, float):
        return decimal_text(value)
    if isinstance(value, Mapping):
        return {str(name): _canonical(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)
