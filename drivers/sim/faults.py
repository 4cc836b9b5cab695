"""Faults that a twin can be told to have, for a while.

In: commands (one JSON object each) with the twin's name, the fault and how long. Out: the faults in force, settled
once a physics step, so that what a client can read and what the overload log says change at one instant.
Knows nothing of sockets or physics.

    {"twin": "crane-1", "fault": "silence", "for_s": 5}
    {"twin": "pit-1", "fault": "delay", "for_s": 10, "delay_s": 0.8}
"""

from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class FaultKind(StrEnum):
    """What can go wrong on the wire.

    DROP: connections are closed, new ones at once after accepting. DELAY: replies come late. CORRUPT: registers read
    65535 or NaN, messages carry sentinels or are cut short. FREEZE: values stop changing. SILENCE: connections are
    accepted and nothing is ever answered (or published).
    """

    DROP = "drop"
    DELAY = "delay"
    CORRUPT = "corrupt"
    FREEZE = "freeze"
    SILENCE = "silence"


class FaultCommand(BaseModel):
    """One order to one twin (`crane-1`, `crane-2`, `pit-1`, `mast-1`). `delay_s` counts for `delay` only."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    twin: str
    fault: FaultKind
    for_s: Annotated[float, Field(gt=0)] = 5.0
    delay_s: Annotated[float, Field(gt=0)] = 1.0


class Faults:
    """The faults of one twin. `settle` decides which are in force until it is called again."""

    def __init__(self) -> None:
        self._until_ns: dict[FaultKind, int] = {}
        self.active: frozenset[FaultKind] = frozenset()
        self.delay_s = 0.0

    def begin(self, command: FaultCommand, now_ns: int) -> None:
        """From the next `settle` on, for the time ordered. Ordering it again replaces the end."""
        self._until_ns[command.fault] = now_ns + int(command.for_s * 1e9)
        if command.fault is FaultKind.DELAY:
            self.delay_s = command.delay_s

    def settle(self, now_ns: int) -> None:
        """Take in what has begun and what has ended. `now_ns` is monotonic."""
        self._until_ns = {kind: until for kind, until in self._until_ns.items() if until > now_ns}
        self.active = frozenset(self._until_ns)

    @property
    def readable(self) -> bool:
        """Whether a client can get any value at all."""
        return not self.active & {FaultKind.DROP, FaultKind.SILENCE}
