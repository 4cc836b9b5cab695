"""The helmet rule: who was seen without a helmet for five seconds, where one is asked for.

In: tracked detections frame by frame, whether the picture may be judged, the time. Out: one `Finding` a place, all of
them after every frame. Pure: no clock, no picture, no model.

    looks    one frame: whose head is this, may it vote          vision.helmets.looks
    votes    one track: bare or safe, and for how long           vision.helmets.votes
    zones    one head: where does it stand, for how long          vision.survey.zones
    still    one spot: somebody or a thing                        vision.helmets.still
    places   bare_head_1 ...: TRUE, FALSE, UNKNOWN                vision.helmets.places
    people   who was in sight, judged or why not                 vision.helmets.people

Two times. `now_ns` comes with every frame and only its differences count. The **usable** time runs only while the
picture may be judged: a head that is hidden by fog for a minute has not left the view.

When a free place is not FALSE but UNKNOWN: while the picture cannot be judged; after that until a bare head would have
been confirmed (as long as it was blind, at most `vote_s`, also at the start); and while people are in sight of whom
none could be judged (too small, cut off, no head found).
"""

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gateway.model.detections import Detections
from gateway.model.survey import Zone
from vision.helmets.looks import CANNOT_TELL, VOTES, Look, Say, look_at
from vision.helmets.people import People, people_of
from vision.helmets.places import Place, Places
from vision.helmets.settings import HelmetSettings
from vision.helmets.still import Spot, StillSpots
from vision.helmets.votes import Decision, Votes
from vision.picture.finding import Finding
from vision.survey.zones import Standing, ZoneMap

SECOND_NS = 1_000_000_000
MOVED = 0.5  # sizes: less is a detector's trembling
A_PERSON_SHARE = 0.3  # of the looks with a person below: more is somebody
PERSON_LOOKS = 50  # that this share is told over
ADOPT_AFTER_NS = SECOND_NS
ADOPT_SIZES, ADOPT_SIZES_PER_S, ADOPT_FARTHEST = 1.5, 2.0, 8.0
ADOPT_SIZE_RATIO = 1.7
UNJUDGED_LOOKS = 3


@dataclass(frozen=True, slots=True)
class TrackView:
    """What the rule knows of a track in the newest frame, to be drawn: `bare_share` of its votes, `watched_s`."""

    look: Look
    decision: Decision
    bare_share: float
    watched_s: float
    place: int | None


@dataclass(slots=True)
class _Head:
    """One track. Times are of usable picture."""

    votes: Votes
    first: Look
    first_ns: int
    last: Look
    last_ns: int
    standing: Standing
    stands_since_ns: int
    next_standing: Standing
    moved: bool = False
    looks: int = 0
    person_share: float = 0.0
    spot: Spot | None = None

    @property
    def may_be_thing(self) -> bool:
        """It never moved, and hardly ever a person was below it."""
        return not self.moved and self.person_share < A_PERSON_SHARE

    def see(self, look: Look, now_ns: int) -> None:
        """Where it is now. Of two boxes in one frame the one that votes, and then the better one, stays."""
        if self.looks and self.last_ns == now_ns and not _tells_more(look, self.last):
            return
        self.last, self.last_ns, self.looks = look, now_ns, self.looks + 1
        self.person_share += ((look.person_row >= 0) - self.person_share) / min(self.looks, PERSON_LOOKS)


class HelmetWatch:
    """One camera's helmets. Its state is bounded, whatever it sees."""

    def __init__(self, settings: HelmetSettings | None = None, zones: Sequence[Zone] = ()) -> None:
        self._settings = settings or HelmetSettings()
        self._zones = ZoneMap(zones)
        self._places: Places[Look] = Places(self._settings.places)
        self._heads: dict[int, _Head] = {}
        self._still = StillSpots(self._settings.still_forgotten_s)
        self._totals: Counter[str] = Counter()
        self._looks: list[Look] = []
        self.people: People | None = None
        """Everybody in the newest frame; None where it was not judged."""
        self._last_ns: int | None = None
        self._usable_ns = 0
        self._blind_ns = self._vote_ns
        self._judged_ns: int | None = None
        self._unjudged_ns: deque[int] = deque(maxlen=UNJUDGED_LOOKS)

    def __len__(self) -> int:
        return len(self._heads)

    @property
    def counts(self) -> Mapping[str, int]:
        """Since the start: looks by what they said (`Say`), and `held_back`, frames in which a thing would have raised
        again. `waiting` are the confirmed heads without a place now."""
        return {
            **{say.value: self._totals[say.value] for say in Say},
            "waiting": self._places.waiting,
            "held_back": self._totals["held_back"],
        }

    def use_zones(self, zones: Sequence[Zone]) -> None:
        """Another version of the survey. Who stands where is seen anew; places keep their heads."""
        self._zones = ZoneMap(zones)

    def new_view(self) -> None:
        """A hard cut, a lorry before the lens: the tracks have ended. Places stay, unseen, until they have left or
        their head is found again; a camera that comes back to its view comes back to its people and things."""
        self._heads.clear()
        self._blind_ns = self._vote_ns

    def step(self, detections: Detections | None, usable: bool, now_ns: int) -> tuple[Finding, ...]:
        """Judge one frame; all places in order. `detections` may be None only where the picture is not usable.

        `now_ns` is the frame's time (or any that runs with it); a time that goes back counts as none passed."""
        passed_ns = 0 if self._last_ns is None else max(now_ns - self._last_ns, 0)
        self._last_ns = now_ns
        self._looks, self.people = [], None
        if not usable or detections is None:
            self._blind_ns = min(self._blind_ns + passed_ns, self._vote_ns)
            return self._places.say(False, False, self._usable_ns, self._vote_ns)
        self._pass_usable(passed_ns)
        self._looks = self._see(detections)
        moved = {track for track, head in self._heads.items() if head.moved}
        self.people = people_of(self._looks, moved, detections, self._settings)
        self._clear_places(now_ns)
        self._place_heads(now_ns)
        self._forget()
        return self._places.say(True, self._known(), self._usable_ns, self._vote_ns)

    def seen(self) -> tuple[TrackView, ...]:
        """Every head box of the newest frame, for drawing."""
        views = []
        for look in self._looks:
            head = self._heads.get(look.track)
            place = self._places.of(look.track) if look.track >= 0 else None
            number = place.number if place else None
            votes = head.votes if head else None
            views.append(
                TrackView(
                    look,
                    votes.decision() if votes else Decision.OPEN,
                    votes.bare_share() if votes else 0.0,
                    votes.watched_ns / 1e9 if votes else 0.0,
                    number,
                )
            )
        return tuple(views)

    @property
    def _vote_ns(self) -> int:
        return round(self._settings.vote_s * SECOND_NS)

    def _pass_usable(self, passed_ns: int) -> None:
        """Time without a frame was not watched, whoever says that the picture is usable."""
        if passed_ns > self._settings.longest_gap_s * SECOND_NS:
            self._blind_ns = min(self._blind_ns + passed_ns, self._vote_ns)
        else:
            self._usable_ns += passed_ns
            self._blind_ns = max(self._blind_ns - passed_ns, 0)

    def _see(self, detections: Detections) -> list[Look]:
        """The frame's looks, each with what it finally says, entered into the heads' votes."""
        looks = look_at(detections, self._settings)
        standings = self._zones.standing(np.array([look.feet for look in looks]))
        by_track: dict[int, list[Look]] = {}
        final = []
        for look, standing in zip(looks, standings, strict=True):
            head = self._head_of(look, standing) if look.track >= 0 else None
            said = self._final(look, standing, head)
            final.append(said)
            self._totals[said.say.value] += 1
            if said.say in CANNOT_TELL:
                self._unjudged_ns.append(self._usable_ns)
            if head is not None and said.say in VOTES:
                by_track.setdefault(look.track, []).append(said)
        for track, votes in by_track.items():
            self._judged_ns = self._usable_ns
            self._heads[track].votes.add(votes, self._usable_ns)
        return final

    def _head_of(self, look: Look, standing: Standing) -> _Head:
        """The track's memory after this look: where it is, where it stands, whether it moved."""
        now_ns = self._usable_ns
        head = self._heads.get(look.track)
        if head is None:
            head = _Head(Votes(self._settings), look, now_ns, look, now_ns, standing, now_ns, standing)
            self._heads[look.track] = head
        lasted_ns = now_ns - head.last_ns
        head.see(look, now_ns)
        if standing != head.next_standing:
            head.next_standing, head.stands_since_ns = standing, now_ns
        elif now_ns - head.stands_since_ns >= self._settings.zone_hold_s * SECOND_NS:
            head.standing = standing
        if not head.moved and _apart(head.first, look) > MOVED:
            head.moved, head.spot = True, None
            self._still.moved(*head.first.centre_px, head.first.size_px)
        if head.may_be_thing and look.say in VOTES and look.person_row < 0:
            head.spot = self._still.seen(look, lasted_ns, now_ns)
        elif not head.may_be_thing:
            head.spot = None
        return head

    def _final(self, look: Look, standing: Standing, head: _Head | None) -> Look:
        say = look.say
        if not (head.standing if head else standing).watched:
            say = Say.UNWATCHED
        elif head is not None and say in VOTES and look.person_row < 0 and self._is_thing(head):
            say = Say.STILL
        return look if say is look.say else replace(look, say=say)

    def _is_thing(self, head: _Head) -> bool:
        spot = head.spot
        return spot is not None and spot.still_ns >= self._settings.still_after_s * SECOND_NS

    def _clear_places(self, now_ns: int) -> None:
        gone_ns = self._settings.gone_after_s * SECOND_NS
        for place in self._places.held:
            head = self._heads.get(place.track) if place.track is not None else None
            if head is not None and head.last_ns == self._usable_ns:
                self._look_again(place, head)
            why = self._why_clear(place, head)
            if why is None and self._usable_ns - place.seen_ns >= gone_ns:
                why = "left view"
            if why is not None:
                self._places.clear(place, why, now_ns, self._usable_ns)

    def _look_again(self, place: Place[Look], head: _Head) -> None:
        place.seen_ns, place.look = self._usable_ns, head.last
        if head.last.say in VOTES:
            place.judged_ns = self._usable_ns
        place.about.update(self._about(head))

    def _why_clear(self, place: Place[Look], head: _Head | None) -> str | None:
        if head is None:
            return None
        if self._is_thing(head):
            return "does not move"
        if head.votes.decision() is Decision.SAFE:
            return "seen safe"
        if not head.standing.watched:
            return "in a place without helmet duty"
        return "left the zone" if head.standing.zone_id != place.zone_id else None

    def _place_heads(self, now_ns: int) -> None:
        bare: set[int] = set()
        for track, head in self._heads.items():
            if head.last_ns != self._usable_ns or not head.standing.watched or self._places.of(track):
                continue
            if self._adopted(track, head):
                continue
            if head.votes.decision() is not Decision.BARE or self._is_thing(head):
                continue
            if head.spot is not None and head.spot.raised:
                self._totals["held_back"] += 1
                continue
            bare.add(track)
        self._places.forget_waiting(bare | {t for t in self._heads if self._heads[t].last_ns != self._usable_ns})
        for track in sorted(bare):
            head = self._heads[track]
            if self._places.give(track, head.standing.zone_id, head.last, now_ns, self._usable_ns):
                self._fire(track, head, now_ns)

    def _fire(self, track: int, head: _Head, now_ns: int) -> None:
        place = self._places.of(track)
        assert place is not None
        if head.spot is not None:
            head.spot.raised = True
        place.about.update(self._about(head), since_ns=now_ns - head.votes.watched_ns)

    def _adopted(self, track: int, head: _Head) -> bool:
        """Whether the head is one that was lost: bare too, in the same zone, begun since, and within a walk's reach."""
        if head.votes.watched_ns < ADOPT_AFTER_NS or head.votes.bare_share() <= 0.5:
            return False
        near = [(gap, place) for place in self._places.held if (gap := self._walk(place, head)) is not None]
        if not near:
            return False
        place = min(near, key=lambda pair: pair[0])[1]
        place.track = track
        self._look_again(place, head)
        return True

    def _walk(self, place: Place[Look], head: _Head) -> float | None:
        """How many sizes the head began from where the place's was lost; None when it cannot be the same."""
        lost_s = (head.first_ns - place.seen_ns) / 1e9
        if place.look is None or lost_s < 0 or place.seen_ns == self._usable_ns:
            return None
        ratio = head.first.size_px / place.look.size_px
        gap = _apart(place.look, head.first)
        reach = min(ADOPT_SIZES + ADOPT_SIZES_PER_S * lost_s, ADOPT_FARTHEST)
        same = head.standing.zone_id == place.zone_id and 1 / ADOPT_SIZE_RATIO <= ratio <= ADOPT_SIZE_RATIO
        return gap if same and gap <= reach else None

    def _about(self, head: _Head) -> dict[str, str | int | float]:
        votes, look = head.votes, head.last
        return {
            "zone": head.standing.zone_id,
            "track": look.track,
            "frames": votes.frames(),
            "watched_s": round(votes.watched_ns / 1e9, 1),
            "bare_share": round(votes.bare_share(), 2),
            "score": round(look.score, 2),
            "head_px": round(look.height_px),
            "person": int(look.person_row >= 0),
        }

    def _known(self) -> bool:
        """Whether a free place may be said to be clear."""
        if self._blind_ns > 0:
            return False
        begin_ns = self._usable_ns - self._vote_ns
        unjudged = len(self._unjudged_ns) == UNJUDGED_LOOKS and self._unjudged_ns[0] > begin_ns
        judged = self._judged_ns is not None and self._judged_ns > begin_ns
        return judged or not unjudged

    def _forget(self) -> None:
        """Tracks unseen for as long as a lost one may be found again, and the longest unseen beyond the most kept."""
        patience_ns = self._settings.gone_after_s * SECOND_NS
        if len(self._heads) > self._settings.max_heads or any(
            self._usable_ns - head.last_ns > patience_ns for head in self._heads.values()
        ):
            newest = sorted(self._heads.items(), key=lambda item: -item[1].last_ns)[: self._settings.max_heads]
            self._heads = {track: head for track, head in newest if self._usable_ns - head.last_ns <= patience_ns}


def _apart(a: Look, b: Look) -> float:
    """Distance of two heads in sizes of the first."""
    (ax, ay), (bx, by) = a.centre_px, b.centre_px
    return float(np.hypot(ax - bx, ay - by)) / a.size_px


def _tells_more(look: Look, than: Look) -> bool:
    return (look.say in VOTES, look.score) > (than.say in VOTES, than.score)
