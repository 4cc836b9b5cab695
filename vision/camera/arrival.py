"""What an input gives to the capture loop: one encoded packet, or one picture that is decoded already, with its times.

`at_ns` is when it was taken as far as the box believes it; `captured_at_ns` is what the camera says (`stream_time`) or
else the time of arrival. A camera whose clock is more than 5 s off says its own time in `captured_at_ns`, and the
box's in `at_ns`: clips are found by the box's clock.
"""

from dataclasses import dataclass
from typing import Any

BELIEVED_OFFSET_NS = 5_000_000_000


@dataclass(frozen=True, slots=True)
class Arrival:
    """`packet` is an `av.Packet`; `timeline_s` its place on the stream's own timeline, None where it has none."""

    packet: Any
    received_at_ns: int
    timeline_s: float | None


@dataclass(frozen=True, slots=True)
class StreamClock:
    """What the stream says about true time: `utc_ns` at `timeline_s`."""

    timeline_s: float
    utc_ns: int

    def at(self, timeline_s: float) -> int:
        """UTC ns at another place of the timeline."""
        return self.utc_ns + round((timeline_s - self.timeline_s) * 1e9)


def believed_ns(captured_at_ns: int, received_at_ns: int) -> int:
    """The time on the box's clock: the camera's where the two agree within 5 s, else that of arrival."""
    return captured_at_ns if abs(captured_at_ns - received_at_ns) <= BELIEVED_OFFSET_NS else received_at_ns
