"""One rule on people: from what each frame says of each of them to findings in numbered places. Pure; time is an
argument.

    one frame    Told: this person yes, that one no, a third cannot be told      the rule's own eye (danger, hook ...)
    one person   votes of the last `hold_s` -> yes, no, open                     here
    one camera   in_danger_zone_1 ...: TRUE, FALSE, UNKNOWN                      vision.helmets.places

As with helmets the usable time runs only while the picture may be judged, and a free place is UNKNOWN and not FALSE
until somebody would have been confirmed, and while people are in sight of whom none could be told.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import dist

from vision.helmets.places import Place, Places
from vision.people.settings import Timing
from vision.picture.finding import Finding, FindingKind

SECOND_NS = 1_000_000_000
MOST_VOTES, MOST_PEOPLE, UNTOLD_LOOKS = 512, 256, 3
ADOPT_SIZES, ADOPT_SIZES_PER_S, ADOPT_FARTHEST = 0.5, 0.7, 3.0
"""Of the longer side: how far somebody may have gone whom the tracker lost and found again."""
Box = tuple[float, float, float, float]


class Say(Enum):
    """What a frame says of one person. CANNOT_TELL is somebody who is there and could not be judged."""

    YES = "yes"
    NO = "no"
    CANNOT_TELL = "cannot_tell"


@dataclass(frozen=True, slots=True)
class Told:
    """One person in one frame. `zone_id` is where the finding belongs to, empty where it makes no difference."""

    track: int
    say: Say
    box_px: Box
    zone_id: str = ""
    about: Mapping[str, str | int | float] = field(default_factory=dict)


class _Person:
    """The votes of one track. Times are of usable picture."""

    def __init__(self, timing: Timing, told: Told, now_ns: int) -> None:
        self._timing = timing
        self._votes: deque[tuple[int, bool]] = deque(maxlen=MOST_VOTES)
        self._voted_ns: int | None = None
        self._watched_ns = 0
        self.first, self.first_ns = told, now_ns
        self.last, self.last_ns = told, now_ns
        self.yes: Told | None = None

    def add(self, told: Told, now_ns: int) -> None:
        """Count what was told at this moment."""
        self.last, self.last_ns = told, now_ns
        if told.say is Say.CANNOT_TELL:
            return
        if told.say is Say.YES:
            self.yes = told
        gap_ns = 0 if self._voted_ns is None else now_ns - self._voted_ns
        if gap_ns > self._timing.gone_after_s * SECOND_NS:
            self._votes.clear()
            self._watched_ns = 0
        elif gap_ns <= self._timing.longest_gap_s * SECOND_NS:
            self._watched_ns += gap_ns
        self._voted_ns = now_ns
        self._votes.append((self._watched_ns, told.say is Say.YES))

    @property
    def watched_s(self) -> float:
        """How long the person was watched, in seconds."""
        return self._watched_ns / SECOND_NS

    def share(self, within_s: float) -> tuple[float, int]:
        """Share of the votes of the last `within_s` that say yes, and how many there are."""
        begin_ns = self._watched_ns - within_s * SECOND_NS
        said = [yes for at_ns, yes in self._votes if at_ns > begin_ns]
        return (sum(said) / len(said) if said else 0.0), len(said)

    def is_yes(self) -> bool:
        """A no is asked first: it takes less time."""
        timing = self._timing
        if self.is_no():
            return False
        share, frames = self.share(timing.hold_s)
        return self.watched_s >= timing.hold_s and frames >= timing.min_frames and share >= timing.sure_share

    def is_no(self) -> bool:
        """Whether enough votes say no by now."""
        timing = self._timing
        share, frames = self.share(timing.clear_s)
        return self.watched_s >= timing.clear_s and frames >= 2 and share <= 1 - timing.sure_share


class PersonRule:
    """One kind of finding of one camera. Its state is bounded, whatever is told."""

    def __init__(self, kind: FindingKind, timing: Timing, places: int = 4) -> None:
        self.kind = kind
        self._timing = timing
        self._places: Places[Told] = Places(places, kind)
        self._people: dict[int, _Person] = {}
        self._last_ns: int | None = None
        self._usable_ns = 0
        self._blind_ns = self._hold_ns
        self._told_ns: int | None = None
        self._untold_ns: deque[int] = deque(maxlen=UNTOLD_LOOKS)

    @property
    def text(self) -> str:
        """For the evidence."""
        return f"{self.kind}: {self._timing.sure_share:g} of votes over {self._timing.hold_s:g} s"

    def new_view(self) -> None:
        """The tracks have ended; places stay, unseen."""
        self._people.clear()
        self._blind_ns = self._hold_ns

    def step(self, told: Sequence[Told], known: bool, now_ns: int, *, complete: bool = True) -> tuple[Finding, ...]:
        """One frame; all places in order. `known` false: nothing could be judged at all. `complete` false: a yes
        counts, but that nobody is concerned is not known."""
        passed_ns = 0 if self._last_ns is None else max(now_ns - self._last_ns, 0)
        self._last_ns = now_ns
        if not known:
            self._blind_ns = min(self._blind_ns + passed_ns, self._hold_ns)
            return self._places.say(False, False, self._usable_ns, self._hold_ns)
        if passed_ns > self._timing.longest_gap_s * SECOND_NS:
            self._blind_ns = min(self._blind_ns + passed_ns, self._hold_ns)
        else:
            self._usable_ns += passed_ns
            self._blind_ns = max(self._blind_ns - passed_ns, 0)
        for each in told:
            self._take(each)
        self._clear(now_ns)
        self._place(now_ns)
        self._forget()
        return self._places.say(True, complete and self._is_known(), self._usable_ns, self._hold_ns)

    @property
    def _hold_ns(self) -> int:
        return round(self._timing.hold_s * SECOND_NS)

    def _take(self, told: Told) -> None:
        person = self._people.get(told.track)
        if person is None:
            person = self._people[told.track] = _Person(self._timing, told, self._usable_ns)
        person.add(told, self._usable_ns)
        if told.say is Say.CANNOT_TELL:
            self._untold_ns.append(self._usable_ns)
        else:
            self._told_ns = self._usable_ns

    def _clear(self, now_ns: int) -> None:
        for place in self._places.held:
            person = self._people.get(place.track) if place.track is not None else None
            why = None
            if person is not None and person.last_ns == self._usable_ns:
                self._look_again(place, person)
                why = "not any more" if person.is_no() else None
            elif self._usable_ns - place.seen_ns >= self._timing.gone_after_s * SECOND_NS:
                why = "left view"
            if why is not None:
                self._places.clear(place, why, now_ns, self._usable_ns)

    def _look_again(self, place: Place[Told], person: _Person) -> None:
        place.seen_ns, place.look = self._usable_ns, person.last
        if person.last.say is not Say.CANNOT_TELL:
            place.judged_ns = self._usable_ns
        share, frames = person.share(self._timing.hold_s)
        words = {"track": person.last.track, "frames": frames, "watched_s": round(person.watched_s, 1)}
        place.about.update({**words, "share": round(share, 2), **(person.yes.about if person.yes else {})})

    def _place(self, now_ns: int) -> None:
        seen = {track: each for track, each in self._people.items() if each.last_ns == self._usable_ns}
        waits = set()
        for track in sorted(seen):
            person = seen[track]
            if self._places.of(track) or self._adopted(track, person) or not person.is_yes():
                continue
            waits.add(track)
            zone_id = person.yes.zone_id if person.yes else ""
            if self._places.give(track, zone_id, person.last, now_ns, self._usable_ns):
                place = self._places.of(track)
                assert place is not None
                self._look_again(place, person)
        self._places.forget_waiting(waits | (self._people.keys() - seen.keys()))

    def _adopted(self, track: int, person: _Person) -> bool:
        """Whether somebody new says yes from the start where somebody who holds a place was lost."""
        share, frames = person.share(self._timing.hold_s)
        if frames < 2 or share <= 0.5:
            return False
        for place in self._places.held:
            lost_s = (person.first_ns - place.seen_ns) / SECOND_NS
            if place.look is None or lost_s < 0 or place.seen_ns == self._usable_ns:
                continue
            box = place.look.box_px
            size = max(box[2] - box[0], box[3] - box[1], 1.0)
            reach = min(ADOPT_SIZES + ADOPT_SIZES_PER_S * lost_s, ADOPT_FARTHEST)
            if dist(_middle(box), _middle(person.first.box_px)) <= reach * size:
                place.track = track
                self._look_again(place, person)
                return True
        return False

    def _is_known(self) -> bool:
        if self._blind_ns > 0:
            return False
        begin_ns = self._usable_ns - self._hold_ns
        untold = len(self._untold_ns) == UNTOLD_LOOKS and self._untold_ns[0] > begin_ns
        return not untold or (self._told_ns is not None and self._told_ns > begin_ns)

    def _forget(self) -> None:
        patience_ns = self._timing.gone_after_s * SECOND_NS
        kept = [(track, one) for track, one in self._people.items() if self._usable_ns - one.last_ns <= patience_ns]
        if len(kept) > MOST_PEOPLE:
            kept = sorted(kept, key=lambda item: -item[1].last_ns)[:MOST_PEOPLE]
        self._people = dict(kept)


def _middle(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
