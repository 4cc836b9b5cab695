"""The edge check of one camera: frames, person boxes and time in, findings of open edges and people at them out.

    frame -> where does it stand? -> strip of each edge -> agreement by column -> confirmed columns -> gaps -> places
             (registration)          (live, view)         (appearance)           (evidence)                 (places)

Nothing is judged while the camera is unusable or the view does not match the reference: findings are UNKNOWN then, and
what was open stays open. Time is an argument; no clock, no file, no model.
"""

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.survey import Edge, Survey
from gateway.model.verdict import Truth
from vision.edges.appearance import Fit
from vision.edges.evidence import NEVER, Columns
from vision.edges.keeping import Belonging, EdgeStateError, KeptEdge, KeptState, packed_state, read_state
from vision.edges.learnt import Learnt
from vision.edges.live import Average, free_of, lit_by_lamps, strip_of
from vision.edges.people import Presence, box_of, people_at
from vision.edges.places import Place, Places, Stretch, What, stretches
from vision.edges.registration import Shift
from vision.edges.settings import EdgeSettings
from vision.edges.standpoint import Standpoint, grey_of, stands
from vision.edges.structure import Agreement, Measured
from vision.edges.view import View, view_of
from vision.picture.finding import Finding, FindingKind
from vision.picture.frame import Frame

SECOND: Final = 1_000_000_000
DARKER: Final = -0.45
"""A hole is darker against its surroundings than its cover was: a third of the light gone."""
DIMMER: Final = -0.1
"""By lamps a hole is never as bright against its surroundings as its cover was, however little its lines agree: a
tenth."""
BLACK: Final = -1.0
"""Two thirds of the light gone: more than a shadow takes, as a rule."""

CLOSED, PLAIN = 0.22, 0.1
"""A closed cover is neither darker nor brighter against its surroundings than this, one without any structure to be
known by even less. What lies between it and a hole is unknown."""

MISSING_FROM: Final = 0.7
"""Share of an edge without protection from which it is called missing rather than a gap."""
NEARLY: Final = 5
"""Frames that speak for a gap before a column is counted to the gap beside it."""

LEAST_HOLD: Final = 8
"""Columns that must agree as they did, to say what light the edge bears."""

Boxes = NDArray[np.float32]
Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
Image = NDArray[np.uint8]
Blank = tuple[str, float]
"""Why and how many metres of all edges are unknown now."""


@dataclass(slots=True)
class _Watched:
    """One edge with all that is remembered of it."""

    edge: Edge
    view: View
    average: Average
    by_day: Learnt
    by_night: Learnt | None
    columns: Columns
    why: str = "not judged yet"
    score: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))

    def known(self, as_by_night: bool) -> Learnt:
        """What the edge is held against in the light of now."""
        return self.by_night if as_by_night and self.by_night is not None else self.by_day


@dataclass(frozen=True, slots=True)
class Section:
    """A stretch of one edge as it is judged now, for pages and evaluation. `verdict` is `ok`, `unknown` or `What`."""

    edge_id: str
    from_m: float
    to_m: float
    verdict: str


class EdgeWatch:
    """Watches every edge of one survey version. `reference_image` (h, w, 3) uint8 BGR is the picture that it was drawn
    on, showing the protection in place; `night_image`, of the same size, shows the same by lamps, where there is such a
    picture. Raises ValueError for images of another kind."""

    def __init__(
        self,
        survey: Survey,
        reference_image: Image,
        settings: EdgeSettings | None = None,
        night_image: Image | None = None,
    ) -> None:
        self.settings = settings or EdgeSettings()
        self.survey = survey
        self._reference = _reference(reference_image, "reference image")
        self._night = None if night_image is None else _reference(night_image, "reference by night")
        if self._night is not None and self._night.shape != self._reference.shape:
            sizes = f"{self._night.shape[:2]}, expected {self._reference.shape[:2]}"
            raise ValueError(f"reference by night: {sizes} as by day")
        self._standpoint = Standpoint(self._reference, self._night)
        self._edges: list[_Watched] = []
        self._size = (0, 0)
        self._shift = Shift(0.0, 0.0, 0.0)
        self._judged_ns = NEVER
        self._standing = False
        self._by_lamps = self._as_by_night = False
        self._places = Places()
        self._presences = [Presence() for _ in self._places.places]
        self._resize(self._reference.shape[1], self._reference.shape[0])

    def step(self, frame: Frame, persons_xyxy_px: Boxes, usable: bool, now_ns: int) -> tuple[Finding, ...]:
        """Judge a frame. `persons_xyxy_px` (n, 4); `usable` as the camera's health says. Findings of every place; none
        at all where the survey has no edge."""
        if not self._edges:
            return ()
        if usable and now_ns - self._judged_ns >= 0.9 * self.settings.judge_every_s * SECOND:
            self._judge(frame, persons_xyxy_px, now_ns)
        unknown = [(self._unknown_m(watched, now_ns), watched.why) for watched in self._edges]
        blank = next((why for metres, why in unknown if metres), ""), sum(metres for metres, _ in unknown)
        gaps = [gap for n, watched in enumerate(self._edges) for gap in self._gaps(n, watched)]
        self._places.step(gaps, [~watched.columns.is_open for watched in self._edges], now_ns)
        opened = [self._open_finding(place, usable, blank, now_ns) for place in self._places.places]
        people = [
            self._person_finding(place, opened[n], persons_xyxy_px, now_ns)
            for n, place in enumerate(self._places.places)
        ]
        return (*opened, *people)

    def sections(self, now_ns: int) -> tuple[Section, ...]:
        """Every edge cut into stretches of one verdict."""
        return tuple(part for watched in self._edges for part in self._sections(watched, now_ns))

    def scores(self) -> Mapping[str, NDArray[np.float32]]:
        """The newest agreement of each column (NaN where it could not be judged), for benches."""
        return {watched.edge.edge_id: watched.score for watched in self._edges}

    def kept(self, model: str, now_ns: int) -> bytes:
        """What was learnt and confirmed, for a restart with the same survey and the same `model` of persons."""
        edges = [
            KeptEdge(
                watched.edge.edge_id,
                watched.columns,
                watched.by_day.state(),
                None if watched.by_night is None else watched.by_night.state(),
            )
            for watched in self._edges
        ]
        return packed_state(self._whose(model), KeptState(edges, self._places.places, self._presences), now_ns)

    def resume(self, kept: bytes, model: str, now_ns: int, oldest_s: float) -> None:
        """Take up what `kept` gave. What was judged within `unknown_after_s` is known as before, the rest after one
        more judged frame. Raises EdgeStateError, and nothing is changed, for a spoilt state, one of another survey or
        model, and one older than `oldest_s`."""
        state = read_state(kept, self._whose(model), self.settings, now_ns, oldest_s)
        found = [(edge.edge_id, edge.by_day.looks[0].level.shape, edge.by_night is not None) for edge in state.edges]
        mine = [(one.edge.edge_id, one.view.map_x.shape, one.by_night is not None) for one in self._edges]
        if found != mine:
            raise EdgeStateError(f"edges: found {found}, expected {mine}")
        for watched, edge in zip(self._edges, state.edges, strict=True):
            watched.columns = edge.columns
            watched.by_day.take_up(edge.by_day)
            if watched.by_night is not None and edge.by_night is not None:
                watched.by_night.take_up(edge.by_night)
        self._places.places[:], self._presences[:] = state.places, state.presences

    def _whose(self, model: str) -> Belonging:
        survey = self.survey
        return Belonging(survey.camera, survey.version, survey.reference_sha256, survey.night_sha256, model)

    # --- judging ---

    def _resize(self, width: int, height: int) -> None:
        """Lay the drawing over a picture of another size. Columns do not depend on the size, so states stay."""
        old = self._edges
        self._size = (width, height)
        self._standpoint.resize(width, height)
        self._edges = []
        for n, edge in enumerate(self.survey.edges):
            view = view_of(edge, width, height)
            day, night = self._standpoint.looks(view)
            by_day = Learnt(day, view)
            by_night = None if night is None else Learnt(night, view, by_day)
            columns = old[n].columns if old else Columns(view.map_x.shape[1], self.settings)
            if old:
                by_day.take_looks(old[n].by_day)
            if by_night is not None and old and (before := old[n].by_night) is not None:
                by_night.take_looks(before)
            average = Average(view, self.settings.average_s)
            self._edges.append(_Watched(edge, view, average, by_day, by_night, columns))

    def _judge(self, frame: Frame, persons: Boxes, now_ns: int) -> None:
        if (frame.width_px, frame.height_px) != self._size:
            self._resize(frame.width_px, frame.height_px)
        elapsed_s = min(3600.0, (now_ns - self._judged_ns) / SECOND)
        self._judged_ns = now_ns
        grey = grey_of(frame.image)
        self._as_by_night = self._standpoint.lit_as_by_night(grey, self._as_by_night)
        shift = self._standpoint.shift(grey, persons, self._as_by_night)
        self._standing = stands(shift, frame.width_px, self.settings.register_px, self.settings.register_sure)
        if not self._standing:
            for watched in self._edges:
                watched.why = "view does not match the reference"
            return
        self._shift = shift
        for watched in self._edges:
            self._judge_edge(watched, frame.image, persons, elapsed_s, now_ns)
        self._by_lamps = lit_by_lamps((watched.average for watched in self._edges), self._by_lamps)

    def _judge_edge(self, watched: _Watched, image: Image, persons: Boxes, elapsed_s: float, now_ns: int) -> None:
        view, columns, known = watched.view, watched.columns, watched.known(self._as_by_night)
        lamps = self._by_lamps and known is watched.by_day
        free = free_of(persons, view, self._shift)
        look = watched.average.add(strip_of(image, view, self._shift), free, elapsed_s)
        live = Measured(look, lamps, known.by_lamps)
        fit = known.appearances.fit(live, columns.is_open)
        lit = known.light.bands(live.look.level, live.usable)
        change = known.light.change(lit, fit.agreement.witness, lamps)
        gap, rail = self._verdicts(watched, known, fit, change, lamps)
        if gap.any():
            gap = gap & ~known.appearances.explained(live, fit, columns.is_open, self.settings.explained_from)
        if columns.is_open.any():
            first = known.appearances.against_reference(live, columns.is_open)
            back = self._verdicts(watched, known, first, change, lamps)[1] & columns.is_open
            gap, rail = gap & ~back, rail | back
        seen = _seen(free, view)
        columns.step(gap, rail, seen, now_ns, self._beside(watched, fit.agreement.judged & seen & ~rail))
        watched.score = np.where(fit.agreement.judged, fit.agreement.score, np.nan).astype(np.float32)
        watched.why = "too dark, hidden, or nothing to recognise"
        since_s = min(60.0, (now_ns - known.followed_ns) / SECOND)
        known.appearances.follow(live, fit, columns.is_open, gap, since_s)
        score = np.maximum(fit.agreement.score, np.float32(view.opening))
        sure = (rail if view.opening else self._plausible(known, fit, change)) & ~(gap | columns.is_open)
        known.light.remember(lit, fit.agreement.witness, score, sure, since_s)
        known.followed_ns = now_ns

    def _beside(self, watched: _Watched, bare: Bools) -> Bools:
        """Columns so near to one that is seen without protection that what they agree by may be its neighbour's."""
        reach = 0 if watched.view.opening else round(self.settings.beside_m / watched.view.column_m)
        return np.asarray(cv2.dilate(bare.astype(np.uint8)[None], np.ones((1, 2 * reach + 1), np.uint8))[0] > 0, bool)

    def _plausible(self, known: Learnt, fit: Fit, change: Floats) -> Bools:
        """Columns that may be protected as they look now: not those that agree less than they did in this very light,
        which may be the ends of a gap."""
        setting, agreed = self.settings, fit.agreement
        fell = (change < setting.gap_below[0][0]) & (agreed.score < setting.fallen_to * known.light.agreed)
        least = setting.protected_by_lamps if known.by_lamps else setting.plausible
        return np.asarray(agreed.judged & (agreed.score >= least) & ~fell, bool)

    def _held(self, fit: Fit, change: Floats, known: Learnt) -> float:
        """A change of the light that the lines of this edge are known to bear: that of columns which agree as they did.
        0 when too few do."""
        agreed = fit.agreement
        hold = agreed.judged & (agreed.score >= self.settings.hold_from * known.light.agreed) & np.isfinite(change)
        if hold.sum() < max(LEAST_HOLD, agreed.judged.mean() * len(hold) / 4):
            return 0.0
        return float(np.percentile(change[hold], 80))

    def _verdicts(self, watched: _Watched, known: Learnt, fit: Fit, change: Floats, lamps: bool) -> tuple[Bools, Bools]:
        """Columns that this frame may call a gap, and those it calls protected. In the light in which a column was seen
        protected, lines that are gone are a gap: the further the light has changed, the less may be left of them. In
        another light they may be there and not be seen. By `lamps`, against a reference by day, only what agrees
        strongly is called protected: there bare columns agree by a half."""
        setting, agreed, view = self.settings, fit.agreement, watched.view
        same_light = change < setting.same_light
        changed, below = zip(*setting.gap_below, strict=True)
        beyond = np.maximum(change - self._held(fit, change, known), 0)
        limit = np.interp(beyond, changed, below) * known.light.agreed
        free = view.judged & ~(agreed.witness < setting.witness_least)
        lost = (agreed.score < limit) & ((agreed.lie < setting.lie_most) | (beyond < changed[0]))
        gap = agreed.judged & free & (beyond < changed[-1]) & lost
        reached, above = zip(*setting.rail_above, strict=True)
        familiar = np.where(
            watched.columns.is_open | view.opening,
            above[-1] * known.light.agreed,
            setting.familiar_from * known.light.usual,
        )
        familiar = np.maximum(familiar, above[0])
        least = np.where(same_light, familiar, np.interp(_or_nothing(fit.typical), reached, above))
        if lamps or known.by_lamps:
            least = np.maximum(least, setting.protected_by_lamps if known.by_lamps else setting.sure_by_lamps)
        if view.opening:
            least = np.maximum(least, setting.cover_from * known.light.agreed)
        rail = agreed.judged & view.judged & (agreed.score > least)
        return _cover(agreed, gap, rail, free, same_light, lamps) if view.opening else (gap, rail)

    # --- telling ---

    def _gaps(self, number: int, watched: _Watched) -> list[Stretch]:
        columns = watched.columns
        nearly = (columns.for_open.frames >= NEARLY) & watched.view.judged
        return stretches(number, columns.is_open, nearly, self._least_columns(watched))

    def _least_columns(self, watched: _Watched) -> int:
        if watched.view.opening:
            return max(2, round(0.25 * int(watched.view.judged.sum())))
        return max(2, math.ceil(self.settings.smallest_gap_m / watched.view.column_m - 1e-6))

    def _open_finding(self, place: Place, known: bool, blank: Blank, now_ns: int) -> Finding:
        if place.stretch is None:
            return self._free_place(place, known, blank)
        watched = self._edges[place.stretch.edge]
        part = slice(place.stretch.first, place.stretch.last + 1)
        asked = (
            watched.columns.is_open[part]
            if place.is_open
            else np.ones(place.stretch.last + 1 - place.stretch.first, bool)
        )
        seen = known and bool((~watched.columns.unknown(now_ns)[part][asked]).mean() >= 0.5)
        about = self._about(watched, place)
        if not seen:
            about["why"] = watched.why if known else "camera not usable"
            return Finding(FindingKind.EDGE_OPEN, place.number, Truth.UNKNOWN, math.nan, None, about)
        if not place.is_open:
            return Finding(FindingKind.EDGE_OPEN, place.number, Truth.FALSE, 0.0, None, about)
        mask = np.zeros(len(watched.view.judged), bool)
        mask[part] = True
        box = watched.view.box_px(mask & watched.view.judged)
        metres = float(about["to_m"]) - float(about["from_m"])
        return Finding(FindingKind.EDGE_OPEN, place.number, Truth.TRUE, metres, box, about, place.fired)

    def _free_place(self, place: Place, known: bool, blank: Blank) -> Finding:
        """A place that never told of a gap: FALSE only when there is no stretch of which nothing is known."""
        why, unknown_m = blank
        if known and unknown_m < self.settings.smallest_gap_m:
            return Finding(FindingKind.EDGE_OPEN, place.number, Truth.FALSE, 0.0)
        about: dict[str, str | int | float] = {"unknown_m": round(unknown_m, 2), "why": why or "not seen"}
        return Finding(FindingKind.EDGE_OPEN, place.number, Truth.UNKNOWN, math.nan, None, about)

    def _unknown_m(self, watched: _Watched, now_ns: int) -> float:
        """Of the ends beside an open stretch its own place tells."""
        columns = watched.columns
        ends = self._beside(watched, columns.is_open) & ~columns.is_open
        return int((columns.unknown(now_ns) & watched.view.judged & ~ends).sum()) * watched.view.column_m

    def _about(self, watched: _Watched, place: Place) -> dict[str, str | int | float]:
        assert place.stretch is not None
        from_m, to_m = self._metres(watched, place.stretch)
        bare = float(watched.columns.is_open[watched.view.judged].mean())
        what = What.OPEN_COVER if watched.view.opening else What.MISSING if bare >= MISSING_FROM else What.GAP
        frames = int(watched.columns.for_open.frames[place.stretch.first : place.stretch.last + 1].max())
        return {
            "edge": watched.edge.edge_id,
            "title": watched.edge.title,
            "from_m": round(from_m, 2),
            "to_m": round(to_m, 2),
            "what": str(what),
            "frames": frames,
            "since_ns": place.since_ns,
        }

    @staticmethod
    def _metres(watched: _Watched, stretch: Stretch) -> tuple[float, float]:
        half = watched.view.column_m / 2
        metre = watched.view.metre
        return (
            max(0.0, float(metre[stretch.first]) - half),
            min(watched.edge.length_m, float(metre[stretch.last]) + half),
        )

    def _person_finding(self, place: Place, told: Finding, persons: Boxes, now_ns: int) -> Finding:
        presence = self._presences[place.number - 1]
        kind = FindingKind.PERSON_AT_EDGE
        if not place.is_open or place.stretch is None:
            presence.clear()
            measured = math.nan if told.truth is Truth.UNKNOWN else 0.0
            return Finding(kind, place.number, told.truth, measured)
        if told.truth is Truth.UNKNOWN:
            return Finding(kind, place.number, Truth.UNKNOWN, math.nan)
        watched = self._edges[place.stretch.edge]
        mask = np.zeros(len(watched.view.judged), bool)
        mask[place.stretch.first : place.stretch.last + 1] = True
        shift = (self._shift.dx_px, self._shift.dy_px)
        row = people_at(watched.view, mask, persons, shift, self.settings.reach_m)
        presence.step(box_of(persons, row), self.settings, now_ns)
        if not presence.is_there:
            return Finding(kind, place.number, Truth.FALSE, 0.0)
        about = {**self._about(watched, place), "since_ns": presence.since_ns}
        return Finding(kind, place.number, Truth.TRUE, 1.0, presence.box_px, about, presence.fired)

    def _sections(self, watched: _Watched, now_ns: int) -> list[Section]:
        unknown = watched.columns.unknown(now_ns)
        state = np.where(unknown, 2, watched.columns.is_open.astype(int))[watched.view.judged]
        metre = (np.arange(len(state) + 1)) * watched.view.column_m
        cuts = [0, *(np.flatnonzero(np.diff(state)) + 1).tolist(), len(state)]
        bare = What.OPEN_COVER if watched.view.opening else What.GAP
        names = ("ok", str(bare), "unknown")
        return [
            Section(watched.edge.edge_id, float(metre[a]), float(metre[b]), names[state[a]])
            for a, b in itertools.pairwise(cuts)
            if b > a
        ]


def _seen(free: Floats, view: View) -> Bools:
    """Columns of which nobody hides the half."""
    return np.asarray((free * view.protected).sum(0) > 0.5 * view.protected.sum(0), bool)


def _cover(
    agreed: Agreement, gap: Bools, rail: Bools, judged: Bools, same_light: Bools, by_lamps: bool = False
) -> tuple[Bools, Bools]:
    """An opening: structure says it, and where the cover is plain, how dark it has become against its surroundings.
    A shadow darkens what lies beside as well: in another light only what is nearly black is a hole."""
    dark = agreed.darker < np.where(same_light, DARKER, BLACK)
    plain = judged & ~agreed.judged
    gone = (agreed.score < 0.3) & (~np.bool_(by_lamps) | (agreed.darker < DIMMER))
    open_cover = (gap & (dark | gone)) | (plain & dark)
    steady = np.abs(agreed.darker)
    covered = (rail & (steady < CLOSED)) | (plain & (steady < PLAIN))
    return np.asarray(open_cover, bool), np.asarray(covered, bool)


def _or_nothing(part: float) -> float:
    return 0.0 if math.isnan(part) else part


def _reference(image: Image, what: str) -> Image:
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"{what}: {image.shape} {image.dtype}, expected (h, w, 3) uint8")
    return image
