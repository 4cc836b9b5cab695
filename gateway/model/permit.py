"""Work permits (作业许可): dangerous work that somebody allowed, on one machine, for a while. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class WorkKind(StrEnum):
    """Dangerous work that needs a permit: 安拆, 顶升, 动火."""

    ERECTION_DISMANTLING = "erection_dismantling"
    CLIMBING = "climbing"
    HOT_WORK = "hot_work"


CLIMBING_WORK = frozenset({WorkKind.ERECTION_DISMANTLING, WorkKind.CLIMBING})
"""What covers a mast that is seen to grow or shrink: climbing is part of erecting and dismantling."""


@dataclass(frozen=True, slots=True)
class WorkPermit:
    """One permit in one version. Times UTC ns, `valid_until_ns` excluded. `asset` empty: any machine of the site.

    `origin` is the uplink it came through, empty: entered at the site by `user`.
    """

    permit_id: str
    version: int
    number: str
    work: WorkKind
    asset: str
    place: str
    holder: str
    issued_by: str
    valid_from_ns: int
    valid_until_ns: int
    reason: str
    withdrawn: bool
    origin: str = ""
    user: str = ""
    known_at_ns: int = 0
    seq: int = 0

    def covers(self, asset: str, work: frozenset[WorkKind], now_ns: int) -> bool:
        """Whether one of these works may be done on the machine at this moment."""
        fits = self.work in work and self.asset in ("", asset)
        return fits and not self.withdrawn and self.valid_from_ns <= now_ns < self.valid_until_ns
