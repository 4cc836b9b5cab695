"""One turn of the eye after another: whose frame is due, one batch for the detector, one observation for each camera.

    due cameras (round robin) -> newest frame of each -> look -> wanted: one batch -> judge -> Observations

The newest frame wins: what came between two turns is never judged. Whatever goes wrong with one camera's frame is
counted and said for that camera; the others are judged in the same turn. Knows no pipe: `step` returns what is to say.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from gateway.model.detections import Detections
from gateway.model.picture import Picture
from vision.detector.tiles import View
from vision.eye.mind import CameraMind, MindParts
from vision.eye.models import Detects, ModelShelf, Scores, key_of, operating
from vision.eye.pictures import reference_of
from vision.eye.watched import Alive, AskReference, Forget, Hooks, Order, Redraw, ReferenceFrame, Watched
from vision.picture.frame import Frame
from vision.sight.observation import Observation

log = logging.getLogger(__name__)
BATCH = 8
REST_AFTER_NS, REST_EVERY_NS = 2_500_000_000, 1_000_000_000
"""So long without a new frame, what was seen is no longer known; then the camera's health is judged once a second."""
IDLE_NS = 50_000_000


class Slot(Protocol):
    """`vision.camera.frame_slot.FrameSlotReader`."""

    def newest(self, after_seq: int = 0, session: int | None = None) -> Frame | None:
        """The newest frame that was not taken yet."""
        ...

    def close(self) -> None:
        """Let go of the memory that was mapped."""
        ...


SlotOpener = Callable[[str, str], Slot]
PartsOpener = Callable[[Watched], MindParts]


@dataclass(slots=True)
class _Eye:
    """One camera in the turn. `due_mono_ns`: not before. `frame` is kept for whoever asks for a reference."""

    mind: CameraMind
    slot: Slot | None
    interval_ns: int
    due_mono_ns: int = 0
    rest_due_mono_ns: int = 0
    seq: int = 0
    session: int | None = None
    frame: Frame | None = None
    faults: int = 0


@dataclass(slots=True)
class Turn:
    """All cameras of the eye process. Orders come between two steps. Times are arguments."""

    shelf: ModelShelf
    open_slot: SlotOpener
    open_parts: PartsOpener
    turns: int = 0
    last_fault: str = ""
    lacks: str = ""
    _eyes: dict[str, _Eye] = field(default_factory=dict)
    _first: int = 0

    def obey(self, order: Order) -> ReferenceFrame | None:
        """Take an order; the answer where there is one. Raises ValueError or OSError when it cannot be followed."""
        if isinstance(order, Watched):
            self._watch(order)
        elif isinstance(order, Forget):
            self._forget(order.camera)
        elif isinstance(order, Redraw):
            self._redraw(order)
        elif isinstance(order, Hooks):
            for eye in self._eyes.values():
                eye.mind.use_hooks(order.hooks)
        else:
            return self._reference(order)
        return None

    def step(self, now_ns: int, now_mono_ns: int) -> list[Observation]:
        """Judge whoever is due; what there is to say of them."""
        self.turns += 1
        said: list[Observation] = []
        taken: list[tuple[_Eye, Frame]] = []
        for eye in self._due(now_mono_ns):
            frame = self._newest(eye, now_mono_ns)
            if frame is not None:
                taken.append((eye, frame))
                eye.due_mono_ns = max(eye.due_mono_ns + eye.interval_ns, now_mono_ns + eye.interval_ns // 2)
                eye.rest_due_mono_ns = now_mono_ns + REST_AFTER_NS
            elif now_mono_ns >= eye.rest_due_mono_ns:
                eye.rest_due_mono_ns = now_mono_ns + REST_EVERY_NS
                said.append(eye.mind.rest(self._model(eye, now_mono_ns), now_ns, now_mono_ns))
        return said + self._judged(taken, now_ns, now_mono_ns)

    def next_due_ns(self, now_mono_ns: int) -> int:
        """How long nothing is due; never longer than 50 ms, because frames come unannounced."""
        due = min((eye.due_mono_ns for eye in self._eyes.values()), default=now_mono_ns + IDLE_NS)
        return min(IDLE_NS, max(5_000_000, due - now_mono_ns))

    def alive(self) -> Alive:
        """What is said once a second."""
        faults = {camera: eye.faults for camera, eye in self._eyes.items() if eye.faults}
        return Alive(len(self._eyes), self.turns, self.shelf.failures, faults, self.last_fault, self.lacks)

    def _due(self, now_mono_ns: int) -> Sequence[_Eye]:
        """At most a batch, beginning where the last turn ended."""
        eyes = list(self._eyes.values())
        order = [*eyes[self._first :], *eyes[: self._first]]
        due = [eye for eye in order if eye.due_mono_ns <= now_mono_ns][:BATCH]
        if due and len(eyes) > BATCH:
            self._first = (eyes.index(due[-1]) + 1) % len(eyes)
        return due

    def _newest(self, eye: _Eye, now_mono_ns: int) -> Frame | None:
        try:
            if eye.slot is None:
                eye.slot = self.open_slot(eye.mind.watched.slot, eye.mind.watched.camera)
            frame = eye.slot.newest(eye.seq, eye.session)
        except (OSError, ValueError) as error:
            eye.due_mono_ns = now_mono_ns + REST_EVERY_NS
            self._fault(eye, error)
            return None
        if frame is not None:
            eye.seq, eye.session, eye.frame = frame.seq, frame.session, frame
        return frame

    def _judged(self, taken: Sequence[tuple[_Eye, Frame]], now_ns: int, now_mono_ns: int) -> list[Observation]:
        wanted: list[tuple[_Eye, Frame]] = []
        broken: dict[str, Observation] = {}
        for eye, frame in taken:
            try:
                if eye.mind.look(frame, now_ns, now_mono_ns):
                    wanted.append((eye, frame))
            except Exception as error:  # noqa: BLE001 - one camera's picture must not blind the others
                broken[frame.camera] = self._broken(eye, error, now_ns, now_mono_ns)
        seen = self._detected(wanted, now_mono_ns)
        said = list(broken.values())
        for eye, frame in taken:
            if frame.camera in broken:
                continue
            found = seen.get(frame.camera)
            try:
                if isinstance(found, Exception):
                    raise found
                said.append(eye.mind.judge(frame, found, self._model(eye, now_mono_ns), now_ns, now_mono_ns))
            except Exception as error:  # noqa: BLE001 - as above
                said.append(self._broken(eye, error, now_ns, now_mono_ns))
        return said

    def _detected(
        self, wanted: Sequence[tuple[_Eye, Frame]], now_mono_ns: int
    ) -> dict[str, Detections | Exception | None]:
        """By camera. Cameras that share a detector go through it in one batch; a batch that fails goes one by one."""
        found: dict[str, Detections | Exception | None] = {}
        batches: dict[tuple[str, str, str], list[tuple[_Eye, Frame]]] = {}
        for eye, frame in wanted:
            batches.setdefault(key_of(eye.mind.watched.settings), []).append((eye, frame))
        for batch in batches.values():
            detector = self.shelf.detector(batch[0][0].mind.watched.settings, now_mono_ns)
            if detector is not None:
                found |= _batch(
                    detector,
                    [
                        (frame, eye.mind.beside(frame, now_mono_ns), operating(detector, eye.mind.watched.scores))
                        for eye, frame in batch
                    ],
                )
        return found

    def _model(self, eye: _Eye, now_mono_ns: int) -> str:
        detector = self.shelf.detector(eye.mind.watched.settings, now_mono_ns)
        return detector.version if detector is not None else ""

    def _broken(self, eye: _Eye, error: Exception, now_ns: int, now_mono_ns: int) -> Observation:
        self._fault(eye, error)
        return eye.mind.failed(now_ns, now_mono_ns)

    def _fault(self, eye: _Eye, error: Exception) -> None:
        eye.faults += 1
        self.last_fault = f"{eye.mind.watched.camera}: {type(error).__name__}: {error}"[:500]
        if eye.faults & (eye.faults - 1) == 0:
            log.error("event=frame_not_judged count=%d reason=%r", eye.faults, self.last_fault, exc_info=error)

    def _watch(self, watched: Watched) -> None:
        self._forget(watched.camera)
        mind = CameraMind(watched, self.open_parts(watched))
        self._eyes[watched.camera] = _Eye(mind, None, round(1e9 / watched.settings.analyse_fps))

    def _forget(self, camera: str) -> None:
        eye = self._eyes.pop(camera, None)
        self._first = 0
        if eye is not None and eye.slot is not None:
            eye.slot.close()

    def _redraw(self, order: Redraw) -> None:
        eye = self._eyes.get(order.survey.camera)
        if eye is None:
            return
        watched = replace(
            eye.mind.watched,
            survey=order.survey,
            reference=order.reference,
            edge_state=b"",
            night=order.night,
            presets=order.presets,
        )
        eye.mind.redraw(watched, self.open_parts(watched))

    def _reference(self, order: AskReference) -> ReferenceFrame:
        eye = self._eyes.get(order.camera)
        frame = eye.frame if eye is not None else None
        picture: Picture | None = reference_of(frame, eye.mind.seen) if eye is not None and frame is not None else None
        return ReferenceFrame(order.number, picture)


def _batch(
    detector: Detects, looks: Sequence[tuple[Frame, Sequence[View], Scores]]
) -> dict[str, Detections | Exception | None]:
    frames, beside = [frame for frame, _, _ in looks], [views for _, views, _ in looks]
    scores = [at for _, _, at in looks]
    try:
        return {frame.camera: each for frame, each in zip(frames, detector.detect(frames, beside, scores), strict=True)}
    except Exception:  # noqa: BLE001 - one of them is at fault: find out which
        return {frame.camera: _tried(detector, frame, views, at) for frame, views, at in looks}


def _tried(detector: Detects, frame: Frame, beside: Sequence[View], scores: Scores) -> Detections | Exception:
    try:
        return detector.detect([frame], [beside], [scores])[0]
    except Exception as error:  # noqa: BLE001 - said for this camera by the caller
        return error
