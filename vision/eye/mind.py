"""The mind of one camera: from a frame and its detections to one `Observation`.

    frame -> health -> (moved?) -> detections -> tracks -> helmets --.
                |                                 |-> people --------+--> values, said, still, fired --> Observation
                |                                 '-> edges ---------+
                '------------------------------------- usable? ------'

Time is an argument; the parts are given, so that each can be another one. Knows no process, no slot and no model: the
turn (`vision.eye.turn`) brings the frame and the detections.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import Detections, SeenClass
from gateway.model.hook import HookPose
from gateway.model.picture import FiredScene
from gateway.model.survey import Survey, Zone
from gateway.model.verdict import Truth
from vision.detector.motion import Motion, MotionGate, MotionSettings
from vision.detector.rounds import TileRound
from vision.detector.tiles import Tiling, View
from vision.eye.judged import UNKNOWN, finding_values, health_values, said_text
from vision.eye.pictures import FIRED_QUALITY, PictureRoll, best_of_tracks, picture_of
from vision.eye.watched import Watched
from vision.helmets.people import People
from vision.picture.finding import ON_REQUEST, Finding, FindingKind, PictureHealth
from vision.picture.frame import Frame
from vision.picture.scene_cut import SceneCut
from vision.sight.observation import Observation

PACE_WINDOW_NS = 5_000_000_000
LOOK_AGAIN_S = 1.0
EDGE_KINDS = (FindingKind.EDGE_OPEN, FindingKind.PERSON_AT_EDGE)
KEEP_EDGES_NS = 60_000_000_000
Grey = NDArray[np.uint8]


class HealthPart(Protocol):
    """`vision.health.camera_health.CameraHealth`."""

    def look(self, frame: Frame | None, reference: Grey | None, now_ns: int, now_mono_ns: int) -> PictureHealth:
        """What is wrong with the picture."""
        ...


class TrackPart(Protocol):
    """`vision.tracking.tracker.Tracker`."""

    def step(self, detections: Detections, session: int | None = None) -> Detections:
        """The same boxes with their tracks."""
        ...

    def reset(self) -> None:
        """Another scene: all tracks end."""
        ...


class HelmetPart(Protocol):
    """`vision.helmets.helmets.HelmetWatch`."""

    people: People | None

    def step(self, detections: Detections, usable: bool, now_ns: int) -> tuple[Finding, ...]:
        """Who is bare-headed, by place."""
        ...

    def use_zones(self, zones: Sequence[Zone]) -> None:
        """Another drawing; places keep their heads."""
        ...

    def new_view(self) -> None:
        """Another scene: tracks have ended, places stay."""
        ...


class EdgePart(Protocol):
    """`vision.edges.EdgeWatch`."""

    def step(
        self, frame: Frame, persons_xyxy_px: NDArray[np.float32], usable: bool, now_ns: int
    ) -> tuple[Finding, ...]:
        """Which edges are open, by place."""
        ...

    def kept(self, model: str, now_ns: int) -> bytes:
        """What a restart goes on with."""
        ...


class PresetPart(Protocol):
    """`vision.eye.presets.Presets`: of a camera that turns."""

    @property
    def preset(self) -> str | None:
        """The one that is looked at; None: none."""
        ...

    @property
    def survey(self) -> Survey:
        """What is drawn there."""
        ...

    @property
    def reference(self) -> Grey | None:
        """The picture that it is drawn on; None at no preset."""
        ...

    @property
    def state_of(self) -> str:
        """The preset whose edge state is kept next."""
        ...

    def turn(self, frame: Frame, now_mono_ns: int) -> bool:
        """Find out where it looks. Whether that is another place than before."""
        ...


class PeoplePart(Protocol):
    """`vision.people.watch.PeopleWatch`."""

    @property
    def kinds(self) -> Sequence[FindingKind]:
        """What it is asked for."""
        ...

    def step(self, frame: Frame, boxes: Detections, usable: bool, now_ns: int, now_mono_ns: int) -> tuple[Finding, ...]:
        """Who is concerned, by place."""
        ...

    def use_zones(self, zones: Sequence[Zone]) -> None:
        """Another drawing; places keep their people."""
        ...

    def use_hooks(self, hooks: Sequence[HookPose]) -> None:
        """Take in where the cranes' hooks are now."""
        ...

    def new_view(self) -> None:
        """Another scene: tracks have ended, places stay."""
        ...

    def rule_of(self, kind: FindingKind) -> str:
        """By what it is judged, for the evidence."""
        ...


@dataclass(frozen=True, slots=True)
class MindParts:
    """What judges one camera. `edges` is None where no edge is drawn; where one is, its places are then unknown.
    `presets` is None for a camera that stands. `scores` are the operating ones by `SeenClass`, for whoever asks how
    the camera is judged. `people` is None where none of its checks is asked for; their places are then unknown, and no
    point shows them."""

    health: HealthPart
    tracker: TrackPart
    helmets: HelmetPart
    edges: EdgePart | None
    reference: Grey | None
    presets: PresetPart | None = None
    scores: tuple[float, float, float] | None = None
    people: PeoplePart | None = None


class CameraMind:
    """One camera. `look` first, then `judge` with the detections that it asked for, or `rest` without a frame."""

    def __init__(self, watched: Watched, parts: MindParts) -> None:
        self.watched = watched
        self._parts = parts
        self._gate = MotionGate(MotionSettings(look_again_s=LOOK_AGAIN_S))
        self._round = TileRound()
        self._cut = SceneCut()
        self._roll = PictureRoll()
        self._health: PictureHealth | None = None
        self._seen: Detections | None = None
        self._digests: dict[str, tuple[str, ...]] = {}
        self._judged_at: deque[int] = deque(maxlen=256)
        self._open_edges: frozenset[str] = frozenset()
        self._edges_kept_ns: int | None = None

    @property
    def seen(self) -> Detections | None:
        """The newest detections, tracked; None before the first and while nothing judges."""
        return self._seen

    def redraw(self, watched: Watched, parts: MindParts) -> None:
        """Another survey: health, tracks and places of heads go on, edges begin anew. Where the camera looks is found
        out anew, and presets bring their own health."""
        self._use(watched)
        kept = self._parts
        health = parts.health if parts.presets or kept.presets else kept.health
        self._parts = replace(parts, health=health, tracker=kept.tracker, helmets=kept.helmets, people=kept.people)

    def use_hooks(self, hooks: Sequence[HookPose]) -> None:
        """Take in where the cranes' hooks are now."""
        if self._parts.people is not None:
            self._parts.people.use_hooks(hooks)

    def look(self, frame: Frame, now_ns: int, now_mono_ns: int) -> bool:
        """Judge the picture itself. Whether its boxes are wanted: it is usable, and something moved or time passed."""
        self._turn(frame, now_mono_ns)
        self._health = self._parts.health.look(frame, self._parts.reference, now_ns, now_mono_ns)
        if not self._health.usable:
            self._gate.forget(frame.camera)
            return False
        if self._cut.step(frame.image):
            self._parts.tracker.reset()
            self._parts.helmets.new_view()
            if self._parts.people is not None:
                self._parts.people.new_view()
            self._seen = None
        return self._gate.judge(frame, now_mono_ns) is not Motion.STILL or self._seen is None

    def beside(self, frame: Frame, now_mono_ns: int) -> tuple[View, ...]:
        """After `look`: the parts of the frame that are looked at beside the full view. All tiles where the settings
        ask for them, else the one whose turn it is."""
        tiles = self.watched.settings.tiles
        if tiles > 1:
            return Tiling(tiles, tiles).views(frame.width_px, frame.height_px)[1:]
        return self._round.next(frame.width_px, frame.height_px, self._gate.moved(frame.camera), now_mono_ns)

    def judge(
        self, frame: Frame, detections: Detections | None, model: str, now_ns: int, now_mono_ns: int
    ) -> Observation:
        """After `look`: what this frame says. `detections` None means that nothing moved (the last ones count again);
        `model` is the model's version, empty when none works, and then no finding is judged."""
        health = self._health
        assert health is not None, "look comes first"
        judging = bool(model)
        boxes = self._tracked(frame, detections) if judging else None
        findings, kinds = (
            self._findings(frame, boxes, health.usable, now_ns, now_mono_ns) if boxes is not None else ((), ())
        )
        self._judged_at.append(now_mono_ns)
        still = self._roll.take(frame, boxes, now_mono_ns)
        fired = tuple(self._fired(frame, boxes, each, model) for each in findings if each.fired)
        self._keep_digests(findings, fired)
        values = finding_values(findings, kinds) | self._health_values(health, judging)
        values |= self._counts(boxes if health.usable else None, now_mono_ns)
        people = self._parts.helmets.people if boxes is not None and health.usable else None
        values["judged"] = float(people is not None and people.judged)
        said = said_text(findings, health, self._about(frame, model), self._digests)
        return Observation(
            self.watched.camera,
            frame.captured_at_ns,
            frame.received_at_ns,
            values,
            said,
            still,
            fired,
            health.figures,
            *self._edge_state(findings, model, now_ns, now_mono_ns, boxes is not None),
            people,
        )

    def rest(self, model: str, now_ns: int, now_mono_ns: int) -> Observation:
        """There is no new frame: only the camera's health is judged, every finding is unknown."""
        health = self._parts.health.look(None, self._parts.reference, now_ns, now_mono_ns)
        unusable = replace(health, usable=False)
        values = finding_values((), ()) | self._health_values(unusable, bool(model)) | self._counts(None, now_mono_ns)
        values["judged"] = 0.0
        said = said_text((), health, {"camera": self.watched.camera, "frame": "none"}, {})
        return Observation(self.watched.camera, now_ns, now_ns, values, said, counts=health.figures)

    def failed(self, now_ns: int, now_mono_ns: int) -> Observation:
        """This frame's judging broke off: nothing is known, and that is said."""
        self._gate.forget(self.watched.camera)
        values = finding_values((), ()) | self._counts(None, now_mono_ns)
        values |= {"judge_failed": 1.0, "usable": UNKNOWN, "judged": 0.0}
        values["blind_dangerous"] = float(self.watched.settings.dangerous_works)
        return Observation(self.watched.camera, now_ns, now_ns, values)

    def _turn(self, frame: Frame, now_mono_ns: int) -> None:
        """Judge by what is drawn where the camera looks now. What the edges of the preset that it left know is kept
        with this frame."""
        presets = self._parts.presets
        if presets is None or not presets.turn(frame, now_mono_ns):
            return
        self._use(replace(self.watched, survey=presets.survey))
        self._parts = replace(self._parts, reference=presets.reference)
        self._edges_kept_ns = now_mono_ns - KEEP_EDGES_NS

    def _use(self, watched: Watched) -> None:
        """Judge by this drawing from now on, also those parts that know nothing of presets."""
        self.watched = watched
        self._parts.helmets.use_zones(watched.survey.zones)
        if self._parts.people is not None:
            self._parts.people.use_zones(watched.survey.zones)

    def _tracked(self, frame: Frame, detections: Detections | None) -> Detections | None:
        """With tracks. What stands still is seen again where it was."""
        if detections is None and self._seen is not None:
            detections = replace(self._seen, frame_seq=frame.seq, captured_at_ns=frame.captured_at_ns)
        if detections is None or (detections.frame_width_px, detections.frame_height_px) != (
            frame.width_px,
            frame.height_px,
        ):
            detections = _nothing(frame)
        self._seen = self._parts.tracker.step(detections, frame.session)
        return self._seen

    def _findings(
        self, frame: Frame, boxes: Detections, usable: bool, now_ns: int, now_mono_ns: int
    ) -> tuple[tuple[Finding, ...], Iterable[FindingKind]]:
        """All findings, and which kinds were judged. An unusable picture is told to the parts, so that they forget
        what they were about to confirm, and its places are unknown."""
        helmets = self._parts.helmets.step(boxes, usable, now_ns)
        edges = self._edges(frame, boxes, usable, now_ns)
        part = self._parts.people
        people = part.step(frame, boxes, usable, now_ns, now_mono_ns) if part is not None else ()
        unseen = {kind for kind in ON_REQUEST if part is None or kind not in part.kinds}
        unseen.update(EDGE_KINDS if self.watched.survey.edges and self._parts.edges is None else ())
        kinds = tuple(kind for kind in FindingKind if usable and kind not in unseen)
        return (*helmets, *edges, *people), kinds

    def _edges(self, frame: Frame, boxes: Detections, usable: bool, now_ns: int) -> tuple[Finding, ...]:
        """The edge check paces itself; people at an edge are looked for in every frame."""
        if self._parts.edges is None:
            return ()
        rows = boxes.of_class(SeenClass.PERSON)
        persons = boxes.boxes_xyxy_px[rows[boxes.track_id[rows] >= 0]]
        return self._parts.edges.step(frame, persons, usable, now_ns)

    def _edge_state(
        self, findings: Sequence[Finding], model: str, now_ns: int, now_mono_ns: int, judged: bool
    ) -> tuple[bytes, str]:
        """To be kept now and then, and at once when a gap was confirmed or cleared, with the preset that it is of; else
        empty."""
        if self._parts.edges is None or not judged:
            return b"", ""
        told = {finding.key: finding.truth for finding in findings if finding.kind is FindingKind.EDGE_OPEN}
        cleared = {key for key in self._open_edges if told.get(key) is Truth.FALSE}
        opened = {key for key, truth in told.items() if truth is Truth.TRUE} - self._open_edges
        self._open_edges = (self._open_edges | opened) - cleared
        if self._edges_kept_ns is None:
            self._edges_kept_ns = now_mono_ns
        if not (opened or cleared or now_mono_ns - self._edges_kept_ns >= KEEP_EDGES_NS):
            return b"", ""
        self._edges_kept_ns = now_mono_ns
        of = self._parts.presets.state_of if self._parts.presets is not None else ""
        return self._parts.edges.kept(model, now_ns), of

    def _fired(self, frame: Frame, boxes: Detections | None, finding: Finding, model: str) -> FiredScene:
        settings, survey = self.watched.settings, self.watched.survey
        versions = {"model": model, "survey": str(survey.version), "reference_sha256": survey.reference_sha256}
        if finding.kind in EDGE_KINDS:
            versions["rule"] = f"{finding.kind}: confirmed {settings.edge_confirm_s:g} s"
        elif finding.kind in ON_REQUEST and self._parts.people is not None:
            versions["rule"] = self._parts.people.rule_of(finding.kind)
        else:
            versions["rule"] = f"{finding.kind}: vote {settings.vote_s:g} s, heads from {settings.min_head_px:g} px"
        versions |= self._scores_said(model)
        picture = picture_of(frame, frame.image, boxes, FIRED_QUALITY)
        return FiredScene(
            self.watched.camera,
            finding.key,
            frame.captured_at_ns,
            picture,
            tuple(self._roll.strip),
            {**finding.about, **_box_of(finding)},
            versions,
        )

    def _keep_digests(self, findings: Sequence[Finding], fired: Sequence[FiredScene]) -> None:
        """The digests of what fired go with every reading until the place is clear."""
        for scene in fired:
            self._digests[scene.key] = (scene.frame.sha256, *(picture.sha256 for picture in scene.strip))
        held = {finding.key for finding in findings}
        self._digests = {key: digests for key, digests in self._digests.items() if key in held}

    def _about(self, frame: Frame, model: str) -> dict[str, str | int]:
        presets = self._parts.presets
        where: dict[str, str | int] = {}
        if presets is not None:
            where = {"at_preset": int(presets.preset is not None), "preset": presets.preset or ""}
        return where | {
            "camera": self.watched.camera,
            "frame": frame.seq,
            "session": frame.session,
            "model": model,
            "survey": self.watched.survey.version,
            **self._scores_said(model),
        }

    def _scores_said(self, model: str) -> dict[str, str]:
        """At which scores it is judged, and the version of the camera's own, where they are used."""
        if self._parts.scores is None or not model:
            return {}
        said = ", ".join(f"{seen.name.lower()} {self._parts.scores[seen]:.3f}" for seen in SeenClass)
        own = self.watched.scores
        used = own is not None and own.model == model and own.scores
        return {"scores": said} | ({"scores_version": str(own.version)} if own is not None and used else {})

    def _health_values(self, health: PictureHealth, judging: bool) -> dict[str, float]:
        return health_values(health, judging=judging, dangerous_works=self.watched.settings.dangerous_works)

    def _counts(self, boxes: Detections | None, now_mono_ns: int) -> dict[str, float]:
        while self._judged_at and now_mono_ns - self._judged_at[0] > PACE_WINDOW_NS:
            self._judged_at.popleft()
        counts = {"judged_per_s": len(self._judged_at) * 1e9 / PACE_WINDOW_NS}
        keys = {"helmets": SeenClass.HELMET, "heads": SeenClass.HEAD, "persons": SeenClass.PERSON}
        codes = None if boxes is None else boxes.class_id[best_of_tracks(boxes)]
        for key, seen in keys.items():
            counts[key] = UNKNOWN if codes is None else float(np.count_nonzero(codes == seen))
        return counts


def _nothing(frame: Frame) -> Detections:
    none = np.zeros(0, np.float32)
    return Detections(
        frame.camera,
        frame.seq,
        frame.captured_at_ns,
        frame.width_px,
        frame.height_px,
        np.zeros((0, 4), np.float32),
        none,
        np.zeros(0, np.uint8),
        np.zeros(0, np.int32),
    )


def _box_of(finding: Finding) -> dict[str, float]:
    if finding.box_px is None:
        return {}
    names = ("box_x1_px", "box_y1_px", "box_x2_px", "box_y2_px")
    return {name: round(float(side), 1) for name, side in zip(names, finding.box_px, strict=True)}
