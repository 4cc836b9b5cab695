"""Who wears no work clothes, or no reflective vest: one frame's say about each person, from the torso's pixels.

    torso   the part of the box below the head, at a fixed size                      vision.people.torso
    score   0..1, how sure these are somebody's own clothes                          a model, or the colours of a vest
    say     yes above `own`, no below `work`, nothing in between: two more looks tell more than a guess

A torso lower than `least_px` cannot be told, nor one that the frame cuts, nor anybody who stoops, nor anybody in a
picture without colours (infrared at night). A person is looked at
every LOOK_EVERY_S, and at most MOST_LOOKS in a frame, those first whose last look is the oldest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vision.people.persons import Person
from vision.people.torso import Image, crop, fluorescent_share, torso_of, without_colours
from vision.people.votes import Say, Told

LOOK_EVERY_S, MOST_LOOKS = 0.5, 6
SECOND_NS = 1_000_000_000
MOST_TRACKS = 256
VEST_SHARE = (0.01, 0.034)
"""Share of fluorescent pixels in a torso: up to the first no vest, from the second on one. Figures in docs/people.md:
124 torsos of photographs; fixed cameras with vests there were none to measure."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Scores of one's own clothes: a yes from `own` on, a no up to `work`; torsos from `least_px` of height."""

    own: float
    work: float
    least_px: float


class ScoresTorsos(Protocol):
    """What tells clothes."""

    @property
    def version(self) -> str:
        """For the evidence."""
        ...

    @property
    def limits(self) -> Limits:
        """Where it cuts."""
        ...

    def scores(self, torsos: NDArray[np.uint8]) -> Sequence[float]:
        """The score of one's own clothes of torsos (n, 96, 64, 3) BGR."""
        ...


class VestColours:
    """Without a model: a torso without fluorescent yellow or orange wears no reflective vest. For sites on which
    everybody has to wear one; ordinary work clothes are none to it."""

    version = "vest colours"
    limits = Limits(own=1 - VEST_SHARE[0], work=1 - VEST_SHARE[1], least_px=36.0)

    def scores(self, torsos: NDArray[np.uint8]) -> Sequence[float]:
        """One minus the fluorescent share."""
        return [1.0 - fluorescent_share(torso) for torso in torsos]


class ClothesLook:
    """One camera's look at clothes. Remembers when it looked at whom."""

    def __init__(self, by: ScoresTorsos) -> None:
        self._by = by
        self._looked_ns: dict[int, int] = {}

    @property
    def version(self) -> str:
        """By what it tells."""
        return self._by.version

    def told(self, image: Image, persons: Sequence[Person], now_ns: int) -> list[Told]:
        """What the frame says of those who are looked at in it."""
        said: list[Told] = []
        clear: list[tuple[Person, Image]] = []
        due = self._due(persons, now_ns)
        grey = bool(due) and without_colours(image)
        for person in due:
            torso = torso_of(person.box_px, person.frame_width_px, person.frame_height_px)
            if grey or torso is None or torso[3] - torso[1] < self._by.limits.least_px:
                said.append(Told(person.track, Say.CANNOT_TELL, person.box_px))
            else:
                clear.append((person, crop(image, torso)))
        if clear:
            found = self._by.scores(np.stack([torso for _, torso in clear]))
            said += [self._say(person, score) for (person, _), score in zip(clear, found, strict=True)]
        return said

    def _due(self, persons: Sequence[Person], now_ns: int) -> Sequence[Person]:
        oldest_first = sorted(persons, key=lambda person: self._looked_ns.get(person.track, 0))
        fresh_ns = now_ns - round(LOOK_EVERY_S * SECOND_NS)
        due = [each for each in oldest_first if self._looked_ns.get(each.track, 0) <= fresh_ns][:MOST_LOOKS]
        self._looked_ns.update((person.track, now_ns) for person in due)
        if len(self._looked_ns) > MOST_TRACKS:
            newest = sorted(self._looked_ns.items(), key=lambda item: -item[1])[: MOST_TRACKS // 2]
            self._looked_ns = dict(newest)
        return due

    def _say(self, person: Person, score: float) -> Told:
        limits = self._by.limits
        say = Say.YES if score >= limits.own else Say.NO if score <= limits.work else Say.CANNOT_TELL
        return Told(person.track, say, person.box_px, about={"score": round(float(score), 2)})
