"""Weighted votes of a track's heads: bare, safe, or undecided. Pure; time is an argument.

    weight = score × size        size: 0.5 at the smallest head that is judged, 1 from twice that on
    a helmet alone               nothing where the head was mostly seen on a person; else it speaks against bare as any
                                 other does, and half as loudly for safe: each decision has its doubts against it

Time counts while the head is watched: from one vote to the next, unless they lie further apart than `longest_gap_s`.
So five seconds of votes are five seconds in which it could be seen, at 2 frames a second as at 10. After a pause of
`gone_after_s` the votes begin again.
"""

from collections import deque
from enum import Enum

from vision.helmets.looks import Look, Say
from vision.helmets.settings import HelmetSettings

SECOND_NS = 1_000_000_000
ALONE_FOR_SAFE = 0.5
SAYS = (Say.BARE, Say.WORN, Say.ALONE)
MOST_VOTES = 512  # of a track: 5 s at 100 frames a second


class Decision(Enum):
    """OPEN: not enough votes, or they disagree."""

    OPEN = "open"
    BARE = "bare"
    SAFE = "safe"


class Votes:
    """One track's votes. Bounded."""

    def __init__(self, settings: HelmetSettings) -> None:
        self._settings = settings
        self._votes: deque[tuple[int, float, float, float]] = deque(maxlen=MOST_VOTES)
        self._last_ns: int | None = None
        self.watched_ns = 0
        self.looks = 0
        self.with_person = 0

    def add(self, looks: list[Look], now_ns: int) -> None:
        """The votes of one frame on this head: usually one, two where the detector has two opinions."""
        gap_ns = 0 if self._last_ns is None else max(now_ns - self._last_ns, 0)
        if gap_ns > self._settings.gone_after_s * SECOND_NS:
            self._begin_again()
        bare, worn, alone = (sum(self._weight(look) for look in looks if look.say is say) for say in SAYS)
        if not bare + worn + alone:
            return
        self.watched_ns += gap_ns if gap_ns <= self._settings.longest_gap_s * SECOND_NS else 0
        self._last_ns = now_ns
        self.looks += 1
        self.with_person += any(look.person_row >= 0 for look in looks)
        self._votes.append((self.watched_ns, bare, worn, alone))

    @property
    def on_a_person(self) -> bool:
        """Whether the head was mostly seen with a person below it."""
        return self.with_person * 2 >= self.looks > 0

    def bare_share(self) -> float:
        """Share of the weight of the last `vote_s` that says bare; 0 without votes."""
        bare, worn, alone, _frames = self._since(self._settings.vote_s)
        return bare / (bare + worn + alone) if bare + worn + alone else 0.0

    def frames(self) -> int:
        """Votes within the last `vote_s`."""
        return self._since(self._settings.vote_s)[3]

    def decision(self) -> Decision:
        """Safe is asked first: it takes less time, and who has put the helmet on is believed."""
        settings = self._settings
        if self._says(settings.safe_s, settings.min_safe_frames, bare=False):
            return Decision.SAFE
        if self._says(settings.vote_s, settings.min_frames, bare=True):
            return Decision.BARE
        return Decision.OPEN

    def _begin_again(self) -> None:
        """What was said that long ago says nothing of now."""
        self._votes.clear()
        self.watched_ns = self.looks = self.with_person = 0

    def _says(self, within_s: float, frames: int, bare: bool) -> bool:
        if self.watched_ns < within_s * SECOND_NS:
            return False
        for_bare, worn, alone, seen = self._since(within_s)
        for_safe = worn + (alone if bare else alone * ALONE_FOR_SAFE)
        total, wanted = for_bare + for_safe, for_bare if bare else for_safe
        return seen >= frames and total > 0 and wanted >= self._settings.sure_share * total

    def _since(self, within_s: float) -> tuple[float, float, float, int]:
        """Weights for bare, worn and alone, and number of the votes of the last `within_s`."""
        bare, worn, alone, frames = 0.0, 0.0, 0.0, 0
        begin_ns = self.watched_ns - within_s * SECOND_NS
        for at_ns, for_bare, for_worn, for_alone in reversed(self._votes):
            if at_ns <= begin_ns:
                break
            bare, worn, alone, frames = bare + for_bare, worn + for_worn, alone + for_alone, frames + 1
        return bare, worn, alone, frames

    def _weight(self, look: Look) -> float:
        if look.say is Say.ALONE and self.on_a_person:
            return 0.0
        return look.score * min(1.0, look.times_smallest / 2)
