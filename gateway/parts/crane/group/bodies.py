"""A group of cranes as round bodies in space: five segments a crane, at any moment of their motion.

    JIB          slewing axis to tip            MAST       base to its highest part
    COUNTER_JIB  slewing axis to its far end    HOOK_LINE  trolley (or luffing tip) down to the hook
                                                LOAD       a ball under the hook

In: the shapes, and poses (bearing, radius, hook and mast heights). Out: segments, coordinates first; a crane's segment
has the number part * cranes + crane. A level jib lies on top of the mast's height, which is that of its underside. NaN
in a pose makes exactly the parts NaN that depend on it. Knows nothing of distances, limits and time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gateway.parts.crane.model.geometry import CraneGeometry

Floats = NDArray[np.float64]


class Part(IntEnum):
    """Position of a part among the five of a crane."""

    JIB = 0
    COUNTER_JIB = 1
    MAST = 2
    HOOK_LINE = 3
    LOAD = 4


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """The shapes of k cranes as arrays (k,); `base_m` (3, k), `half_m` (5, k): half of how thick each part is."""

    base_m: Floats
    jib_m: Floats
    counter_jib_m: Floats
    head_m: Floats
    luffing: NDArray[np.bool_]
    radius_min_m: Floats
    radius_max_m: Floats
    hook_gap_m: Floats
    half_m: Floats
    reach_m: Floats

    @classmethod
    def of(cls, cranes: Sequence[CraneGeometry]) -> "Body":
        """From the cranes' shapes, in their order."""
        half = [(c.jib_half_m, c.counter_jib_half_m, c.mast_half_m, c.hook_half_m, c.load_half_m) for c in cranes]
        return cls(
            base_m=np.array([(c.base_x_m, c.base_y_m, c.base_z_m) for c in cranes]).T.copy(),
            jib_m=np.array([c.jib_length_m for c in cranes]),
            counter_jib_m=np.array([c.counter_jib_m for c in cranes]),
            head_m=np.array([c.head_height_m for c in cranes]),
            luffing=np.array([c.luffing for c in cranes]),
            radius_min_m=np.array([c.radius_min_m for c in cranes]),
            radius_max_m=np.array([min(c.radius_max_m, c.jib_length_m) for c in cranes]),
            hook_gap_m=np.array([c.hook_gap_m for c in cranes]),
            half_m=np.array(half).T.copy(),
            reach_m=np.array([c.reach_m for c in cranes]),
        )

    @property
    def count(self) -> int:
        """How many cranes."""
        return len(self.jib_m)


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """Where k cranes are at t moments: arrays (k, t), NaN where not known; `mast_m` (k, 1) does not change ahead.

    `bearing_deg` clockwise from site north; `radius_m` of the hook; `hook_m` and `mast_m` above each crane's base.
    """

    bearing_deg: Floats
    radius_m: Floats
    hook_m: Floats
    mast_m: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """All segments at t moments: `start` and `span` are (3, 5 * k, t), metres in the site's frame."""

    start: Floats
    span: Floats

    @property
    def known(self) -> NDArray[np.bool_]:
        """Which segments (5 * k,) are known, at the last moment and so at all of them."""
        return np.asarray(np.isfinite(self.start[:, :, -1] + self.span[:, :, -1]).all(axis=0))


def place(body: Body, pose: Pose) -> Parts:
    """Put the cranes into space."""
    cranes, moments = pose.bearing_deg.shape
    start, span = np.zeros((2, 3, len(Part), cranes, moments))
    angle = np.radians(pose.bearing_deg)
    east, north = np.sin(angle), np.cos(angle)
    radius = np.clip(pose.radius_m, body.radius_min_m[:, None], body.radius_max_m[:, None])
    run, rise = _jib(body, radius)
    pivot_m = body.base_m[2][:, None] + pose.mast_m
    start[:, :] = body.base_m[:, None, :, None]
    start[2, Part.JIB] = pivot_m + np.where(body.luffing, 0.0, body.half_m[Part.JIB])[:, None]
    start[2, Part.COUNTER_JIB] = pivot_m
    _stretch(span[:, Part.JIB], run, rise, east, north)
    _stretch(span[:, Part.COUNTER_JIB], -body.counter_jib_m[:, None], np.zeros((cranes, 1)), east, north)
    span[2, Part.MAST] = pose.mast_m + body.head_m[:, None]
    above_m = pivot_m + rise
    hook_m = np.minimum(body.base_m[2][:, None] + pose.hook_m, above_m - body.hook_gap_m[:, None])
    for part in (Part.HOOK_LINE, Part.LOAD):
        start[0, part] += radius * east
        start[1, part] += radius * north
    start[2, Part.HOOK_LINE] = above_m
    span[2, Part.HOOK_LINE] = hook_m - above_m
    start[2, Part.LOAD] = hook_m - body.half_m[Part.LOAD][:, None]
    shape = (3, len(Part) * cranes, moments)
    return Parts(start.reshape(shape), span.reshape(shape))


def _jib(body: Body, radius: Floats) -> tuple[Floats, Floats]:
    """How far each jib's tip is from its axis in plan, and how far above its pivot, (k, t) or (k, 1)."""
    level_m = body.jib_m[:, None]
    if not body.luffing.any():
        return level_m, np.zeros_like(level_m)
    luffing = body.luffing[:, None]
    rise = np.sqrt(np.maximum(level_m**2 - radius**2, 0.0))
    return np.where(luffing, radius, level_m), np.where(luffing, rise, 0.0)


def _stretch(span: Floats, run: Floats, rise: Floats, east: Floats, north: Floats) -> None:
    span[0] = run * east
    span[1] = run * north
    span[2] = rise
