"""Tracks: the same head, the same person, from frame to frame. ByteTrack's two stages over a constant-velocity filter.

In: detections of one camera, frame by frame, with their times. Out: the same detections with track ids.

                    boxes at or above their class's threshold          below it, down to `low_share` of it
    every track  ---- first stage: cheapest pairs ----> seen
    not seen now, seen a moment ago ------------------------ second stage ----> kept alive, never begun
    left over         begin new tracks                                          dropped: -1

A head is one kind of thing, with helmet or without: the class is evidence for the helmet rule, not who somebody is. A
person is another. Two boxes on one head (helmet and bare head) get the same id. Ids count up as long as the tracker
lives; a new session or a hard cut begins new tracks, never old ids. Pure: time comes with the detections.

Why not a library: docs/adr/0015-tracker.md.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import Detections, SeenClass
from vision.picture.detection_scores import iou_matrix
from vision.tracking.matching import cheapest_pairs
from vision.tracking.motion import Motion

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]

GATE_SPREADS = 3.0
HEAD_OF_PERSON = 0.3  # a head in the geometric mean of width and height of somebody who stands: persons move as heads
FARTHEST = 4.0  # sizes that a box may be from where its track was expected, however long it was lost
LOW_FARTHEST = 1.0
LARGEST_SIZE_RATIO = 2.0
SIZE_COST = 0.7  # a doubled size costs as much as half a size of distance


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """`thresholds` are the operating scores by `SeenClass`; boxes count as weak down to `low`, or to `low_share` of
    the operating scores when None. A track unseen for `lost_after_s` ends, one that was seen
    fewer than three times after a third of that. Boxes of one kind that overlap by more than `duplicate_iou` are two
    opinions on one thing. `again_s`: how lately a track must have been seen for a low box to
    keep it. At most `max_tracks` of each kind are kept, those seen last."""

    thresholds: tuple[float, float, float] = (0.4, 0.4, 0.4)
    low_share: float = 0.4
    low: tuple[float, float, float] | None = None
    lost_after_s: float = 2.0
    again_s: float = 1.0
    duplicate_iou: float = 0.45
    max_tracks: int = 256


class Tracker:
    """The tracks of one camera."""

    def __init__(self, settings: TrackerSettings | None = None) -> None:
        self._settings = settings or TrackerSettings()
        self._threshold = np.array(self._settings.thresholds)
        low = self._settings.low
        self._low = self._threshold * self._settings.low_share if low is None else np.array(low)
        self._last_id = 0
        self._at_ns: int | None = None
        self._seq = -1
        self._session: int | None = None
        self.reset()

    def __len__(self) -> int:
        return len(self._heads) + len(self._persons)

    def reset(self) -> None:
        """End all tracks: another scene. Their ids are never given again."""
        self._heads, self._persons = _Kind(1.0), _Kind(HEAD_OF_PERSON)

    def step(self, detections: Detections, session: int | None = None) -> Detections:
        """The detections of the next frame with `track_id` filled; -1 where a box is too weak to be a track.

        Another `session`, a frame number that goes back, or a time that goes back or leaves out more than
        `lost_after_s` ends all tracks."""
        step_s = self._time_passed(detections, session)
        ids = np.full(len(detections), -1, dtype=np.int32)
        person = detections.class_id == SeenClass.PERSON
        for kind, members in ((self._heads, ~person), (self._persons, person)):
            rows = np.flatnonzero(members)
            ids[rows] = self._step_kind(kind, detections, rows, step_s)
        return replace(detections, track_id=ids)

    def _time_passed(self, detections: Detections, session: int | None) -> float:
        """Seconds since the frame before; resets where there is no frame before."""
        before, self._at_ns = self._at_ns, detections.captured_at_ns
        other_session = session is not None and self._session is not None and session != self._session
        restarted = detections.frame_seq < self._seq
        self._session, self._seq = session if session is not None else self._session, detections.frame_seq
        step_s = 0.0 if before is None else (detections.captured_at_ns - before) / 1e9
        if other_session or restarted or not -0.5 <= step_s <= self._settings.lost_after_s:
            self.reset()
            return 0.0
        return max(step_s, 0.0)

    def _step_kind(self, kind: "_Kind", detections: Detections, rows: Rows, step_s: float) -> NDArray[np.int32]:
        if not len(rows) and not len(kind):
            return np.zeros(0, dtype=np.int32)
        boxes, score = detections.boxes_xyxy_px[rows].astype(np.float64), detections.score[rows]
        threshold = self._threshold[detections.class_id[rows]]
        strong, weak = score >= threshold, (score < threshold) & (score >= self._low[detections.class_id[rows]])
        same_as = _duplicates(boxes, score, self._settings.duplicate_iou)
        first = same_as == np.arange(len(rows))
        ids = np.full(len(rows), -1, dtype=np.int32)
        kind.pass_time(step_s)
        kind.match(boxes, np.flatnonzero(strong & first), ids, np.full(len(kind), True), FARTHEST)
        lately = (kind.unseen_s > 0) & (kind.unseen_s <= self._settings.again_s + step_s)
        kind.match(boxes, np.flatnonzero(weak & first), ids, lately, LOW_FARTHEST)
        fresh = np.flatnonzero(strong & first & (ids < 0))
        ids[fresh] = kind.begin(boxes[fresh], self._last_id)
        self._last_id += len(fresh)
        kind.forget(self._settings)
        return np.where(strong | weak, ids[same_as], -1)


class _Kind:
    """All tracks of heads, or of persons. Rows run through all arrays alike."""

    def __init__(self, scale_share: float) -> None:
        self.motion = Motion(scale_share)
        self.ids = np.zeros(0, dtype=np.int32)
        self.unseen_s: Floats = np.zeros(0)
        self.times_seen = np.zeros(0, dtype=np.int64)

    def __len__(self) -> int:
        return len(self.ids)

    def pass_time(self, step_s: float) -> None:
        """Everybody is where the filter says, and unseen until matched. A step of no time counts as a little."""
        self.motion.predict(step_s)
        self.unseen_s = self.unseen_s + max(step_s, 1e-6)

    def match(
        self, boxes: Floats, rows: Rows, ids: NDArray[np.int32], tracks: NDArray[np.bool_], farthest: float
    ) -> None:
        """Give the boxes `rows` to the tracks that may have one and have none yet; writes into `ids`."""
        free = np.flatnonzero(tracks & (self.unseen_s > 0))
        if not len(rows) or not len(free):
            return
        pairs = cheapest_pairs(self._cost(free, boxes[rows], farthest))
        track = free[[i for i, _ in pairs]].astype(np.intp)
        box = rows[[j for _, j in pairs]].astype(np.intp)
        self.motion.correct(track, boxes[box])
        self.unseen_s[track] = 0.0
        self.times_seen[track] += 1
        ids[box] = self.ids[track]

    def _cost(self, tracks: Rows, boxes: Floats, farthest: float) -> Floats:
        """Distance in sizes of the track, plus the difference in size; infinite beyond the gate."""
        motion = self.motion
        centre, extent = (boxes[:, :2] + boxes[:, 2:]) / 2, np.maximum(boxes[:, 2:] - boxes[:, :2], 1.0)
        scale = motion.scale[tracks]
        away = centre[None, :, :] - motion.centre[tracks][:, None, :]
        gap = np.hypot(away[..., 0], away[..., 1]) / scale[:, None]
        area, tracked = extent[:, 0] * extent[:, 1], motion.extent[tracks]
        ratio = np.abs(np.log(area[None, :] / (tracked[:, 0] * tracked[:, 1])[:, None])) / 2
        reach = np.minimum(GATE_SPREADS * motion.spread[tracks] + 0.3, farthest)
        cost = gap + SIZE_COST * ratio
        return np.where((gap <= reach[:, None]) & (ratio <= np.log(LARGEST_SIZE_RATIO)), cost, np.inf)

    def begin(self, boxes: Floats, after: int) -> NDArray[np.int32]:
        """New tracks for these boxes, with the ids after `after`; returns the ids."""
        n = len(boxes)
        ids = np.arange(after + 1, after + 1 + n, dtype=np.int32)
        if not n:
            return ids
        self.motion.begin(boxes)
        self.ids = np.concatenate([self.ids, ids])
        self.unseen_s = np.concatenate([self.unseen_s, np.zeros(n)])
        self.times_seen = np.concatenate([self.times_seen, np.ones(n, dtype=np.int64)])
        return ids

    def forget(self, settings: TrackerSettings) -> None:
        """Drop whom nobody saw for too long, and the longest unseen beyond the most that are kept."""
        patience = np.where(self.times_seen >= 3, settings.lost_after_s, settings.lost_after_s / 3)
        keep = self.unseen_s <= patience
        if keep.sum() > settings.max_tracks:
            order = np.argsort(np.where(keep, self.unseen_s, np.inf), kind="stable")
            keep = np.zeros(len(self), dtype=bool)
            keep[order[: settings.max_tracks]] = True
        if not keep.all():
            self.motion.keep(keep)
            self.ids, self.unseen_s, self.times_seen = self.ids[keep], self.unseen_s[keep], self.times_seen[keep]


def _duplicates(boxes: Floats, score: NDArray[np.float32], iou: float) -> Rows:
    """For each box the best scored box of the same thing: itself, or one that it overlaps by more than `iou`."""
    same_as = np.arange(len(boxes), dtype=np.intp)
    if len(boxes) < 2:
        return same_as
    overlap = iou_matrix(boxes, boxes)
    for row in np.argsort(-score, kind="stable"):
        if same_as[row] == row:
            below = (overlap[row] > iou) & (same_as == np.arange(len(boxes))) & (score <= score[row])
            below[row] = False
            same_as[below] = row
    return same_as
