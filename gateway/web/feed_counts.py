"""What the live feed has done since start, for the health page and the metrics. Knows no client."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class GapReason(StrEnum):
    """Why a client cannot have everything. AHEAD: it knows records that this chain does not hold (repaired, another
    box). TOO_OLD: more than is worth replaying. LOST: the chain itself has a hole."""

    AHEAD = "ahead"
    TOO_OLD = "too_old"
    LOST = "lost"


@dataclass(slots=True)
class FeedCounts:
    """`clients` listen now; since start: alarm events written to clients, gaps by reason, clients dropped for not
    reading."""

    clients: int = 0
    delivered: int = 0
    dropped: int = 0
    gaps: Counter[GapReason] = field(default_factory=Counter)
