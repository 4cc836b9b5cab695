"""One project's tile: what it shows in every mode, and how it is said in as few bytes as 500 of them need. Pure."""

from dataclasses import asdict, dataclass
from typing import Any, Final

from regulator.base.coverage.ladder import Rung
from regulator.base.kinds import Word

UNKNOWN_SCORE: Final = -1
RUNGS: Final = tuple(Rung)


class Link(Word):
    """Whether anything is heard of the project. What is not heard of is unknown, never normal."""

    HEARD = "heard", "在线", "heard"
    SILENT = "silent", "失联", "silent"
    NONE = "none", "无监控主机", "no box"


class Band(Word):
    """How high a risk score is. UNKNOWN: nobody has scored the project."""

    UNKNOWN = "unknown", "未评分", "not scored"
    LOW = "low", "低", "low"
    MEDIUM = "medium", "中", "medium"
    HIGH = "high", "高", "high"


LINKS: Final = tuple(Link)
BANDS: Final = tuple(Band)


@dataclass(frozen=True, slots=True)
class Tile:
    """How a project stands. `worst`: 1 to 3, the gravest active alarm, 0 without one; `unacknowledged`: nobody at the
    site has answered one of that gravity. `active`: alarms that stand now. `alarms_today`: raised since midnight.
    `hazards`: open ones, `overdue` of them late. `score`: 0 to 100, or -1. `rung`: the coverage ladder's."""

    worst: int = 0
    unacknowledged: bool = False
    active: int = 0
    alarms_today: int = 0
    hazards: int = 0
    overdue: int = 0
    link: Link = Link.NONE
    score: int = UNKNOWN_SCORE
    band: Band = Band.UNKNOWN
    rung: Rung = Rung.NOWHERE
    rung_unknown: bool = True

    def columns(self) -> dict[str, object]:
        """As the table `wall_tiles` keeps it."""
        found = asdict(self) | {"unacknowledged": int(self.unacknowledged), "rung_unknown": int(self.rung_unknown)}
        return found | {"link": self.link.value, "band": self.band.value, "rung": self.rung.value}

    def numbers(self) -> list[int]:
        """As a page gets it, without zeros at the end: rung, whether that is unknown, link, score + 1 (0: unknown),
        band, alarms today, hazards, overdue, worst, unacknowledged, active; words as their place in `RUNGS`, `LINKS`,
        `BANDS`. What is rarely zero stands first."""
        words = [RUNGS.index(self.rung), int(self.rung_unknown), LINKS.index(self.link), self.score + 1]
        counts = [BANDS.index(self.band), self.alarms_today, self.hazards, self.overdue]
        found = [*words, *counts, self.worst, int(self.unacknowledged), self.active]
        while found and not found[-1]:
            found.pop()
        return found


def tile_of(row: Any) -> Tile:
    """From a row of `wall_tiles`."""
    counts = {name: getattr(row, name) for name in ("worst", "active", "alarms_today", "hazards", "overdue", "score")}
    return Tile(
        **counts,
        unacknowledged=bool(row.unacknowledged),
        link=Link.of(row.link),
        band=Band.of(row.band),
        rung=Rung.of(row.rung or Rung.NOWHERE.value),
        rung_unknown=bool(row.rung_unknown),
    )
