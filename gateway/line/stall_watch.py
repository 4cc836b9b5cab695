"""Watches whether the box stood still: suspended, stopped by a signal, or starved by a swap storm.

    look, sleep 0.25 s, look:  the time between two looks on a clock that runs while the machine sleeps
    more than 1 s longer   ->  a hole: nothing was polled or judged in it

In: the Clock port, a clock that counts suspended time too, which devices are asked and how often. Out: a `history_gap`
record that names the hole and the devices whose polls fell into it, and for each of them unreadable values at its
beginning and its end: curves and minutes show the hole as unknown. Rules do not hear of it: a pending alarm goes on
pending. A device that is asked more seldom than the hole is long missed nothing; what devices send by themselves waits
at their broker or in the network.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry, Recorder
from gateway.model.reading import Readings
from gateway.ports import Clock

log = logging.getLogger(__name__)
LOOK_EVERY_S = 0.25
HOLE_NS = 1_000_000_000
REASON = "the box stood still: nothing was polled or judged"


@dataclass(frozen=True, slots=True)
class AskedDevice:
    """A device that the box polls. `point_index` (n,) int32: its points, as the box numbers them now."""

    device: str
    point_index: NDArray[np.int32]
    period_ns: int


class StallWatch:
    """`holes` counts since start. `elapsed_ns` never jumps and runs while the machine sleeps."""

    def __init__(
        self,
        recorder: Recorder,
        clock: Clock,
        elapsed_ns: Callable[[], int],
        asked: Callable[[], Sequence[AskedDevice]],
        note: Callable[[Sequence[Readings]], None],
    ) -> None:
        """`note` takes what the devices concerned did not say, in the order of time."""
        self._recorder = recorder
        self._clock = clock
        self._elapsed_ns = elapsed_ns
        self._asked = asked
        self._note = note
        self._looked_ns = elapsed_ns()
        self._mono_ns = clock.monotonic_ns()
        self.holes = 0

    async def run(self) -> None:
        """Look four times a second until cancelled."""
        self._looked_ns, self._mono_ns = self._elapsed_ns(), self._clock.monotonic_ns()
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """Compare what has moved with the last look."""
        now_ns, mono_ns = self._elapsed_ns(), self._clock.monotonic_ns()
        passed_ns, counted_ns = now_ns - self._looked_ns, mono_ns - self._mono_ns
        self._looked_ns, self._mono_ns = now_ns, mono_ns
        hole_ns = passed_ns - int(LOOK_EVERY_S * 1e9)
        if hole_ns > HOLE_NS:
            self._admit(passed_ns, max(0, passed_ns - counted_ns))

    def _admit(self, passed_ns: int, suspended_ns: int) -> None:
        self.holes += 1
        to_ns = self._clock.now_ns()
        from_ns = to_ns - passed_ns
        concerned = [each for each in self._asked() if each.period_ns < passed_ns]
        log.warning("event=stood_still for_s=%.3f devices=%d", passed_ns / 1e9, len(concerned))
        for at_ns in (from_ns, to_ns):
            self._note([Readings.unreadable(each.device, each.point_index, at_ns) for each in concerned])
        devices: list[Canonical] = [each.device for each in concerned]
        content: dict[str, Canonical] = {
            "from_ns": from_ns,
            "to_ns": to_ns,
            "reason": REASON,
            "suspended_ns": suspended_ns,
            "devices": devices,
        }
        self._recorder.record(Entry(RecordKind.HISTORY_GAP, to_ns, content))
