"""What watches over the line, as one part: the minute's work, the clock, whether the box stood still.

In: the line, the uplinks that take summaries, the devices that are asked. Out: records of what it found.
"""

from collections.abc import Callable, Sequence

from gateway.line.clock_state import clock_state
from gateway.line.clock_trust import ClockTrust
from gateway.line.clock_watch import ClockWatch
from gateway.line.housekeeping import Housekeeping
from gateway.line.part import LinePart
from gateway.line.reload import Change
from gateway.line.stall_watch import AskedDevice, StallWatch
from gateway.part import Job, Part, Stop
from kit.clock import elapsed_ns


class UpkeepPart(Part[Change]):
    """What watches over the line: the minute's work, the clock, a box that stood still."""

    def __init__(
        self, line: LinePart, summary_uplinks: Sequence[str], asked: Callable[[], Sequence[AskedDevice]]
    ) -> None:
        stores, recorder, clock = line.stores, line.recorder, line.clock
        self._stores, self._recorder = stores, recorder
        self.housekeeping = Housekeeping(stores.alerts, stores.history, stores.reader, recorder, summary_uplinks, clock)
        self._clock_watch = ClockWatch(recorder, clock, elapsed_ns)
        self.clock_trust = ClockTrust(recorder, clock, clock_state, stores.history)
        self._clock_watch.on_jump = self.clock_trust.jumped
        self._stall_watch = StallWatch(recorder, clock, elapsed_ns, asked, line.pipeline.note_hole)

    async def report_start(self, parts: Sequence[Part[Change]]) -> None:
        """Seal which stores are gone, what the last stop may have lost, and what the start had to repair."""
        await self._recorder.probe()
        self._stores.watch.report(self._stores.lost, self._recorder)
        await self.housekeeping.report_unclean_stop()
        for part in parts:
            for name, store in part.files.items():
                self.housekeeping.report_repair(name, store.repair)

    def jobs(self) -> Sequence[Job]:
        """What looks at the box every minute, every second, or four times a second."""
        return (
            Job("housekeeping", self.housekeeping.run, Stop.FIELD),
            Job("clock", self._clock_watch.run),
            Job("clock-trust", lambda: self.clock_trust.run(self._clock_watch.look)),
            Job("stalls", self._stall_watch.run),
        )
