"""Weather warnings (气象预警) as the site knows them: four kinds, four colours, a span of time.

Pure. The colours are those of the national warning signals, blue the lightest; the kinds are those that notices name
(大风、暴雨、雷电、高温).
"""

from dataclasses import dataclass
from enum import IntEnum, StrEnum


class WarningKind(StrEnum):
    """What the warning says is coming to the site."""

    WIND = "wind"
    RAINSTORM = "rainstorm"
    LIGHTNING = "lightning"
    HEAT = "heat"


class WarningLevel(IntEnum):
    """蓝、黄、橙、红; a greater number is graver. The numbers are what points and limits speak of."""

    BLUE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4


STORMS = frozenset({WarningKind.WIND, WarningKind.RAINSTORM})
"""After these the site is checked before work begins again."""
NO_LIFTING = frozenset({WarningKind.WIND, WarningKind.RAINSTORM, WarningKind.LIGHTNING})
"""Weather in which cranes do not lift."""


@dataclass(frozen=True, slots=True)
class WeatherWarning:
    """One warning in one version. Times UTC ns; `ended_at_ns` is when it was withdrawn, 0 while it was not.

    `origin` is the uplink it came through, empty: entered at the site by `user`.
    """

    warning_id: str
    version: int
    kind: WarningKind
    level: WarningLevel
    source: str
    words: str
    valid_from_ns: int
    valid_until_ns: int
    withdrawn: bool
    known_at_ns: int
    ended_at_ns: int = 0
    origin: str = ""
    user: str = ""
    seq: int = 0

    @property
    def until_ns(self) -> int:
        """The moment at which it is over, UTC in ns."""
        return min(self.valid_until_ns, self.ended_at_ns) if self.withdrawn else self.valid_until_ns

    def announced(self, now_ns: int) -> bool:
        """Known and not over, whether or not it has begun."""
        return now_ns < self.until_ns

    def in_force(self, now_ns: int) -> bool:
        """Whether it has begun and is not over."""
        return self.valid_from_ns <= now_ns < self.until_ns

    def passed(self, now_ns: int) -> bool:
        """It was in force and is over: one that was withdrawn before it began never was."""
        return self.valid_from_ns < self.until_ns <= now_ns
