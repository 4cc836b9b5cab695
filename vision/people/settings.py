"""Settings of the rules on people, with the source of each number. Pure. No standard that was read gives any of them:
all are product design (PD), and a site sets its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from vision.picture.finding import FindingKind


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of usable picture. Somebody is a finding when `sure_share` of the votes of the last `hold_s` say so, over
    `min_frames` at least, and none any more when those of the last `clear_s` do. Votes that lie further apart than
    `longest_gap_s` do not count as time watched. Nobody seen for `gone_after_s` has left."""

    hold_s: float
    clear_s: float = 2.0
    sure_share: float = 0.7
    min_frames: int = 3
    longest_gap_s: float = 1.2
    gone_after_s: float = 10.0

    def at(self, fps: float) -> "Timing":
        """Times that can be met at `fps` judged frames a second."""
        least_s = (self.min_frames + 1) / fps
        gap_s = max(self.longest_gap_s, 2.5 / fps)
        return replace(
            self, hold_s=max(self.hold_s, least_s), clear_s=max(self.clear_s, least_s / 2), longest_gap_s=gap_s
        )


TIMINGS: Final[Mapping[FindingKind, Timing]] = MappingProxyType(
    {
        FindingKind.NO_WORK_CLOTHES: Timing(hold_s=10.0, clear_s=5.0, gone_after_s=30.0),
        FindingKind.IN_DANGER_ZONE: Timing(hold_s=2.0),
        FindingKind.UNDER_HOOK: Timing(hold_s=1.0, clear_s=1.0),
        FindingKind.PERSON_DOWN: Timing(hold_s=10.0, gone_after_s=120.0),
    }
)


@dataclass(frozen=True, slots=True)
class HookSettings:
    """Whose hook is looked for, and where it is dangerous: `radius_m` around the point below it, while it carries a
    load and is more than `above_m` over the ground at `ground_z_m`. A position older than `stale_s` is none."""

    cranes: tuple[str, ...]
    radius_m: float
    above_m: float = 6.0
    ground_z_m: float = 0.0
    stale_s: float = 3.0
