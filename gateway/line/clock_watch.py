"""Watches the wall clock against the monotonic one: a jump is sealed into the chain, so that times can be read right.

In: the Clock port. Out: a `clock_jump` record when, between two looks, the wall clock moved more than two seconds apart
from one that never jumps; time in which the machine slept passes on both. It corrects nothing: ages are monotonic
anyway, and delays start again at a step back.
"""

import logging
from collections.abc import Callable

from contract.canonical import Canonical, decimal_text
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry, Recorder
from gateway.ports import Clock

log = logging.getLogger(__name__)
LOOK_EVERY_S = 1.0
JUMP_NS = 2_000_000_000


class ClockWatch:
    """`jumps` counts since start. `on_jump` is told what the wall clock would have said and what it says now."""

    def __init__(self, recorder: Recorder, clock: Clock, elapsed_ns: Callable[[], int] | None = None) -> None:
        """`elapsed_ns`: a clock that runs while the machine sleeps; else the monotonic one."""
        self._recorder = recorder
        self._clock = clock
        self._elapsed_ns = elapsed_ns or clock.monotonic_ns
        self._wall_ns = clock.now_ns()
        self._mono_ns = self._elapsed_ns()
        self.jumps = 0
        self.on_jump: Callable[[int, int], None] = lambda _expected_ns, _found_ns: None

    async def run(self) -> None:
        """Look once a second for as long as it is let run."""
        while True:
            await self._clock.sleep(LOOK_EVERY_S)
            self.look()

    def look(self) -> None:
        """Compare both clocks with the last look."""
        wall_ns, mono_ns = self._clock.now_ns(), self._elapsed_ns()
        expected_ns = self._wall_ns + mono_ns - self._mono_ns
        self._wall_ns, self._mono_ns = wall_ns, mono_ns
        jump_ns = wall_ns - expected_ns
        if abs(jump_ns) <= JUMP_NS:
            return
        self.jumps += 1
        self.on_jump(expected_ns, wall_ns)
        log.warning("event=clock_jump jump_s=%.3f", jump_ns / 1e9)
        content: dict[str, Canonical] = {
            "jump_s": decimal_text(jump_ns / 1e9),
            "expected_at_ns": expected_ns,
            "found_at_ns": wall_ns,
        }
        self._recorder.record(Entry(RecordKind.CLOCK_JUMP, wall_ns, content))
