"""Finds working cycles (工作循环): from a load that leaves the ground until the hook is empty again.

                 loaded                held 3 s                 empty              empty held 1 s
       EMPTY ------------->  PENDING ------------> OPEN ------------------> ENDING ---------------> EMPTY, record
         ^______ empty _________|                    ^______ loaded again _____|

In: at each step whether the hook is loaded (None: not known) and what else is known. Out: finished cycles.
While the load is not known nothing is decided. Known loads further apart than `gap_s` leave a hole: before the hold is
over the hold begins anew; in a cycle the hole is counted as `missing_s`; after `lost_after_s` the cycle's end was not
seen (`end_seen` false, no end position) and it ends where its load was last known.
Survives a restart in the middle of a cycle. Definition: standards reference 1.8, PD.
"""

from enum import IntEnum

from gateway.model.derivation import Json
from gateway.model.kept_state import kept, mapping, whole
from gateway.parts.crane.model.cycle_record import CycleSample, FinishedCycle, OpenCycle, sample_of
from gateway.parts.crane.model.parameters import CycleMarks, LoadParameters

SECOND_NS = 1_000_000_000


class Phase(IntEnum):
    """Phase of a crane between two cycles."""

    EMPTY = 0
    PENDING = 1
    OPEN = 2
    ENDING = 3


class WorkingCycles:
    """The cycles of one crane. Feed it with rising times (ns, any origin that stays the same)."""

    def __init__(self, parameters: LoadParameters, marks: CycleMarks) -> None:
        self._hold_ns = int(parameters.hold_s * SECOND_NS)
        self._unload_hold_ns = int(parameters.unload_hold_s * SECOND_NS)
        self._gap_ns = int(parameters.gap_s * SECOND_NS)
        self._lost_after_ns = int(parameters.lost_after_s * SECOND_NS)
        self._marks = marks
        self.phase = Phase.EMPTY
        self.open: OpenCycle | None = None
        self._since_ns = 0
        self._known_ns = 0
        self._known_utc_ns = 0
        self._ended_utc_ns = 0
        self._end: CycleSample | None = None

    def step(self, t_ns: int, now_ns: int, loaded: bool | None, sample: CycleSample) -> FinishedCycle | None:
        """Take a step at `t_ns`, which is `now_ns` in UTC. The cycle that it finishes, if it does."""
        finished = self._lost(t_ns)
        if loaded is None:
            return finished
        self._note_hole(t_ns)
        self._known_ns, self._known_utc_ns = t_ns, now_ns
        if self.phase is Phase.EMPTY:
            if loaded:
                self._begin(t_ns, now_ns, sample)
        elif loaded:
            self._go_on(t_ns, sample)
        else:
            finished = self._empty(t_ns, now_ns, sample) or finished
        return finished

    def _begin(self, t_ns: int, now_ns: int, sample: CycleSample) -> None:
        self.phase, self._since_ns = Phase.PENDING, t_ns
        self.open = OpenCycle(now_ns, sample)
        self._promote(t_ns)

    def _go_on(self, t_ns: int, sample: CycleSample) -> None:
        assert self.open is not None, self.phase
        self.open.add(sample)
        if self.phase is Phase.ENDING:
            self.phase = Phase.OPEN
        self._promote(t_ns)

    def _promote(self, t_ns: int) -> None:
        if self.phase is Phase.PENDING and t_ns - self._since_ns >= self._hold_ns:
            self.phase = Phase.OPEN

    def _empty(self, t_ns: int, now_ns: int, sample: CycleSample) -> FinishedCycle | None:
        if self.phase is Phase.PENDING:
            self._forget()
            return None
        if self.phase is Phase.OPEN:
            self.phase, self._since_ns = Phase.ENDING, t_ns
            self._ended_utc_ns, self._end = now_ns, sample
        if t_ns - self._since_ns < self._unload_hold_ns:
            return None
        return self._finish(self._ended_utc_ns, self._end)

    def _note_hole(self, t_ns: int) -> None:
        """A hole before this known load."""
        silent_ns = t_ns - self._known_ns
        if silent_ns <= self._gap_ns or self.open is None:
            return
        if self.phase is Phase.PENDING:
            self._forget()
        else:
            self.open.missing_s += silent_ns / SECOND_NS

    def _lost(self, t_ns: int) -> FinishedCycle | None:
        if self.open is None or t_ns - self._known_ns <= self._lost_after_ns:
            return None
        if self.phase is Phase.PENDING:
            self._forget()
            return None
        ending = self.phase is Phase.ENDING
        return self._finish(self._ended_utc_ns if ending else self._known_utc_ns, self._end if ending else None)

    def _finish(self, end_ns: int, end: CycleSample | None) -> FinishedCycle:
        assert self.open is not None, self.phase
        finished = self.open.finish(end_ns, end, self._marks)
        self._forget()
        return finished

    def _forget(self) -> None:
        self.phase, self.open, self._end = Phase.EMPTY, None, None

    def saved(self) -> Json:
        """The state to keep."""
        return {
            "phase": int(self.phase),
            "open": None if self.open is None else self.open.saved(),
            "since_ns": self._since_ns,
            "known_ns": self._known_ns,
            "known_utc_ns": self._known_utc_ns,
            "ended_utc_ns": self._ended_utc_ns,
            "end": None if self._end is None else [kept(each) for each in self._end],
        }

    def restore(self, saved: Json) -> None:
        """Go on from a kept state. Raises ValueError when it is none."""
        state = mapping(saved)
        kept_open, kept_end = state.get("open"), state.get("end")
        phase = Phase(whole(state.get("phase")))
        if (phase is Phase.EMPTY) != (kept_open is None):
            raise ValueError("kept working cycle does not fit its phase")
        self.open = None if kept_open is None else OpenCycle.restored(kept_open)
        self._end = None if kept_end is None else sample_of(kept_end)
        self.phase = phase
        self._since_ns, self._known_ns = whole(state.get("since_ns")), whole(state.get("known_ns"))
        self._known_utc_ns, self._ended_utc_ns = whole(state.get("known_utc_ns")), whole(state.get("ended_utc_ns"))
