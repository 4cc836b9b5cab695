"""Who lies and does not move: one frame's say about each person, from the shape and the height of the box.

    upright     \\o/   higher than wide: no
    lying      ____o   wider than high by LYING, and the middle has not moved for STILL_S: yes
    between            stooped, sitting, or lying towards the camera: yes only where the same person was seen upright
                       here and is less than half as high now, no where more than 0.6; else nobody can tell

In: persons of a frame, time. Out: `Told`s. Small persons and those cut off by the frame cannot be told. Remembers of
each track where it was and how high it stood. Pure.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import dist

from vision.people.persons import Person
from vision.people.votes import Say, Told

SECOND_NS = 1_000_000_000
LEAST_PX = 40.0
"""Of the longer side: below it a box trembles by more than it tells."""
LYING, UPRIGHT = 1.2, 0.8
LOW, NOT_LOW = 0.5, 0.6
STILL_S, STILL_SHARE = 3.0, 0.25
"""So long the middle may not have moved by more than this part of the longer side."""
FORGET_S = 120.0
MOST_TRACKS = 256


@dataclass(slots=True)
class _Track:
    """`stood_px` is how high it stood, with its feet at `stood_y_px`; 0 before it did."""

    seen_ns: int
    stood_px: float = 0.0
    stood_y_px: float = 0.0
    middles: deque[tuple[int, float, float]] = field(default_factory=lambda: deque(maxlen=128))

    def moved_px(self) -> float:
        """How far the middle was from where it is, at most."""
        _, x, y = self.middles[-1]
        return max(dist((x, y), (a, b)) for _, a, b in self.middles)


class Lying:
    """One camera's look for somebody who lies."""

    def __init__(self) -> None:
        self._tracks: dict[int, _Track] = {}

    def new_view(self) -> None:
        """All tracks have ended."""
        self._tracks.clear()

    def told(self, persons: Sequence[Person], now_ns: int) -> list[Told]:
        """What the frame says of everybody in it."""
        said = [self._of(person, now_ns) for person in persons]
        if len(self._tracks) > MOST_TRACKS or any(self._gone(each, now_ns) for each in self._tracks.values()):
            newest = sorted(self._tracks.items(), key=lambda item: -item[1].seen_ns)[:MOST_TRACKS]
            self._tracks = {track: each for track, each in newest if not self._gone(each, now_ns)}
        return said

    def _of(self, person: Person, now_ns: int) -> Told:
        track = self._tracks.setdefault(person.track, _Track(now_ns))
        track.seen_ns = now_ns
        longer_px = max(person.width_px, person.height_px)
        if person.cut or longer_px < LEAST_PX:
            return Told(person.track, Say.CANNOT_TELL, person.box_px)
        self._keep(track, person, now_ns)
        shape = person.width_px / person.height_px
        about = {"shape": round(shape, 2), "height_px": round(person.height_px)}
        if shape < UPRIGHT:
            return Told(person.track, Say.NO, person.box_px)
        if track.moved_px() > STILL_SHARE * longer_px:
            return Told(person.track, Say.NO, person.box_px)
        if shape >= LYING:
            return Told(person.track, Say.YES, person.box_px, about=about)
        return Told(person.track, self._between(track, person), person.box_px, about=about)

    def _keep(self, track: _Track, person: Person, now_ns: int) -> None:
        x1, y1, x2, y2 = person.box_px
        track.middles.append((now_ns, (x1 + x2) / 2, (y1 + y2) / 2))
        while now_ns - track.middles[0][0] > STILL_S * SECOND_NS:
            track.middles.popleft()
        if person.width_px / person.height_px < UPRIGHT * 0.8:
            track.stood_px, track.stood_y_px = person.height_px, y2

    def _between(self, track: _Track, person: Person) -> Say:
        """By the height that the same person had when it stood here."""
        near = abs(person.box_px[3] - track.stood_y_px) <= 0.5 * track.stood_px
        if not track.stood_px or not near:
            return Say.CANNOT_TELL
        share = person.height_px / track.stood_px
        if share <= LOW:
            return Say.YES
        return Say.NO if share > NOT_LOW else Say.CANNOT_TELL

    @staticmethod
    def _gone(track: _Track, now_ns: int) -> bool:
        return now_ns - track.seen_ns > FORGET_S * SECOND_NS
