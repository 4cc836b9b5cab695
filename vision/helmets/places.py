"""The numbered places of one kind of finding on people: who has which, since when, and what each says. Pure; time is
an argument. Written for bare heads, whose words are used below; the rules of `vision.people` use it as well.

A place belongs to one head in one zone from the frame that confirmed it until it is clear:

    free --confirmed--> held --seen safe / left view / left the zone / a thing--> free, and FALSE for a frame at least
                         |  \\
                         |   unseen: TRUE for gone_after_s of usable picture; the head may come back as a new track
                         '-- in sight but cannot be judged: UNKNOWN

When all places are held, further heads wait. The last place then stands for them too: it says how many (`also`), and
goes over to the next of them when its own head is clear. Every head fires once, when it gets a place.
"""

from dataclasses import dataclass, field
from math import nan
from typing import Generic, Protocol, TypeVar

from gateway.model.verdict import Truth
from vision.picture.finding import Finding, FindingKind

SECOND_NS = 1_000_000_000
REST_NS = 10 * SECOND_NS
"""A place that became free is not given again so soon, if there is another: a new alarm should not look like the old
one coming back."""

About = dict[str, str | int | float]


class Boxed(Protocol):
    """Whatever was seen of somebody, with its box in the frame."""

    @property
    def box_px(self) -> tuple[float, float, float, float]:
        """x1, y1, x2, y2."""
        ...


Seen = TypeVar("Seen", bound=Boxed)


@dataclass(slots=True)
class Place(Generic[Seen]):
    """One place. `track` is the head's newest track, None when it is free. Times are of usable picture, but `since_ns`,
    which is the frame's."""

    number: int
    track: int | None = None
    zone_id: str = ""
    since_ns: int = 0
    seen_ns: int = 0
    judged_ns: int = 0
    look: Seen | None = None
    about: About = field(default_factory=dict)
    freed_ns: int | None = None
    said_free: bool = True
    fired: bool = False

    @property
    def held(self) -> bool:
        """Whether it belongs to a head."""
        return self.track is not None


class Places(Generic[Seen]):
    """The places of one kind of finding of one camera."""

    def __init__(self, count: int, kind: FindingKind = FindingKind.BARE_HEAD) -> None:
        self._kind = kind
        self._places: list[Place[Seen]] = [Place(number) for number in range(1, count + 1)]
        self._waiting: list[int] = []

    @property
    def held(self) -> list[Place[Seen]]:
        """Those that belong to a head."""
        return [place for place in self._places if place.held]

    @property
    def waiting(self) -> int:
        """Heads that are confirmed and have no place of their own."""
        return len(self._waiting)

    def of(self, track: int) -> Place[Seen] | None:
        """The place of a track."""
        return next((place for place in self._places if place.track == track), None)

    def clear(self, place: Place[Seen], why: str, now_ns: int, usable_ns: int) -> None:
        """The head is no finding any more, for this reason."""
        place.about = {**place.about, "cleared": why, "cleared_ns": now_ns}
        place.track, place.look, place.freed_ns, place.said_free = None, None, usable_ns, False

    def give(self, track: int, zone_id: str, look: Seen, now_ns: int, usable_ns: int) -> bool:
        """A place for a confirmed head. False when all are held: it waits then."""
        place = self._free(usable_ns)
        if place is None:
            if track not in self._waiting:
                self._waiting.append(track)
            return False
        if track in self._waiting:
            self._waiting.remove(track)
        place.track, place.zone_id, place.since_ns, place.look = track, zone_id, now_ns, look
        place.seen_ns = place.judged_ns = usable_ns
        place.fired, place.about = True, {}
        return True

    def forget_waiting(self, still_waiting: set[int]) -> None:
        """Those who wait and are not bare any more, or are gone."""
        self._waiting = [track for track in self._waiting if track in still_waiting]

    def say(self, usable: bool, known: bool, usable_ns: int, doubt_after_ns: int) -> tuple[Finding, ...]:
        """All places after a frame. `known` is false while a free place cannot be said to be clear. A held place whose
        head is in sight but was not judged for `doubt_after_ns` is UNKNOWN."""
        return tuple(self._finding(place, usable, known, usable_ns, doubt_after_ns) for place in self._places)

    def _free(self, usable_ns: int) -> Place[Seen] | None:
        """The lowest that has rested, else the one that has rested longest and has been said to be free; the last one
        at once, while it stands for those who wait."""
        free = [place for place in self._places if not place.held]
        ready = [place for place in free if place.said_free]
        rested = [place for place in ready if place.freed_ns is None or usable_ns - place.freed_ns >= REST_NS]
        if rested:
            return rested[0]
        if ready:
            return min(ready, key=lambda place: place.freed_ns or 0)
        last = self._places[-1]
        return last if not last.held and self._waiting else None

    def _finding(self, place: Place[Seen], usable: bool, known: bool, usable_ns: int, doubt_after_ns: int) -> Finding:
        waiting = self.waiting if place is self._places[-1] else 0
        if not place.held and not waiting:
            truth = Truth.FALSE if usable and known else Truth.UNKNOWN
            place.said_free = place.said_free or truth is Truth.FALSE
            measured = 0.0 if truth is Truth.FALSE else nan
            return Finding(self._kind, place.number, truth, measured, None, place.about)
        in_doubt = place.held and place.seen_ns == usable_ns and usable_ns - place.judged_ns > doubt_after_ns
        truth = Truth.TRUE if usable and not in_doubt else Truth.UNKNOWN
        about = {**place.about, "also": waiting} if waiting else place.about
        box = place.look.box_px if place.look else None
        measured = 1.0 if truth is Truth.TRUE else nan
        fired, place.fired = place.fired, False
        return Finding(self._kind, place.number, truth, measured, box, about, fired)
