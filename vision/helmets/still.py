"""Spots where something that looks like a head has not moved: things, not people. Pure; time is an argument.

A bare-looking bucket on a wall is found in every frame of the night, lost, found again. Its tracks come and go; the
spot stays. So the time without movement and without a person is kept by spot, over all tracks that were seen there:

    still_after_s in all                 -> it is a thing: it abstains (`STILL`), and what it raised is cleared
    it raised once, was lost, is back    -> it does not raise again from the same spot (held back, counted)
    a track moves away from the spot     -> it was somebody: the spot is forgotten
    still_forgotten_s unseen             -> forgotten

What this costs: somebody of whom no person box is ever found, and who does not move for ten minutes, is taken for a
thing until they move by half a head.
"""

from dataclasses import dataclass

from vision.helmets.looks import Look

SECOND_NS = 1_000_000_000
MOST_SPOTS = 64
NEAR = 0.35  # sizes between two looks at the same thing
SAME_SIZE = 1.5


@dataclass(slots=True)
class Spot:
    """`still_ns` is how long something was seen here without moving; `raised` that it was an alarm once."""

    x_px: float
    y_px: float
    size_px: float
    still_ns: int = 0
    seen_ns: int = 0
    raised: bool = False


class StillSpots:
    """The spots of one camera, the 64 seen last."""

    def __init__(self, forgotten_s: float) -> None:
        self._forgotten_ns = round(forgotten_s * SECOND_NS)
        self._spots: list[Spot] = []

    def __len__(self) -> int:
        return len(self._spots)

    def seen(self, look: Look, lasted_ns: int, now_ns: int) -> Spot:
        """Something without a person that has not moved yet was seen, `lasted_ns` after it was seen before."""
        spot = self._at(look)
        if spot is None:
            spot = Spot(*look.centre_px, look.size_px)
            self._spots.append(spot)
        spot.still_ns += lasted_ns
        spot.seen_ns = now_ns
        self._bound(now_ns)
        return spot

    def moved(self, x_px: float, y_px: float, size_px: float) -> None:
        """What stood there moves: it was somebody."""
        self._spots = [spot for spot in self._spots if not _near(spot, x_px, y_px, size_px)]

    def _at(self, look: Look) -> Spot | None:
        x, y = look.centre_px
        near = [spot for spot in self._spots if _near(spot, x, y, look.size_px)]
        return min(near, key=lambda spot: abs(spot.x_px - x) + abs(spot.y_px - y), default=None)

    def _bound(self, now_ns: int) -> None:
        self._spots = [spot for spot in self._spots if now_ns - spot.seen_ns <= self._forgotten_ns]
        if len(self._spots) > MOST_SPOTS:
            self._spots = sorted(self._spots, key=lambda spot: -spot.seen_ns)[:MOST_SPOTS]


def _near(spot: Spot, x_px: float, y_px: float, size_px: float) -> bool:
    close = max(abs(spot.x_px - x_px), abs(spot.y_px - y_px)) <= NEAR * spot.size_px
    return close and 1 / SAME_SIZE <= size_px / spot.size_px <= SAME_SIZE
