"""A worker as a camera sees one: drawn from shaded balls and limbs, with helmet, bare-headed, or with it in the hand.

In: what he wears and how he stands. Out: a cut-out, BGR with coverage, some hundred pixels high. Every part is lit from
the upper left, so that a helmet has its gloss and a face its shadow. Drawn once for each pose, at twice the size.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

FINER = 2
TALL = 300
WIDE = 150
LIGHT = np.array([-0.45, -0.65, 0.61])
SKIN, HAIR, EYE = (118.0, 150.0, 205.0), (32.0, 34.0, 40.0), (40.0, 40.0, 45.0)
BOOTS, GLOVES, STRIPE = (45.0, 52.0, 60.0), (70.0, 90.0, 110.0), (215.0, 225.0, 228.0)
Colour = tuple[float, float, float]
Spot = tuple[float, float]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Worker:
    """How one looks. Colours are BGR 0..255."""

    helmet: Colour = (30.0, 190.0, 235.0)
    vest: Colour = (40.0, 105.0, 240.0)
    trousers: Colour = (95.0, 70.0, 48.0)
    skin: Colour = SKIN


@dataclass(frozen=True, slots=True)
class Pose:
    """`step` -1..1 is the swing of the legs; `helmet_on` and `in_hand` say where the helmet is; `turn` -1..1 which way
    the face looks."""

    step: float = 0.0
    helmet_on: bool = True
    in_hand: bool = False
    turn: float = 0.0


class _Canvas:
    """Paints shaded parts, the later ones over the earlier. Coordinates are pixels of the finished cut-out."""

    def __init__(self) -> None:
        self.colour = np.zeros((TALL * FINER, WIDE * FINER, 3))
        self.cover = np.zeros((TALL * FINER, WIDE * FINER))

    def ball(self, at: Spot, radii: Spot, colour: Colour, gloss_share: float = 0.0, below_px: float = np.inf) -> None:
        """An ellipsoid; nothing of it under the line y = `below_px`."""
        part, x, y = self._part(at, at, max(radii))
        u, v = (x - at[0]) / radii[0], (y - at[1]) / radii[1]
        self._paint(part, (u * u + v * v <= 1) & (y <= below_px), u, v, (colour, gloss_share))

    def limb(self, a: Spot, b: Spot, radii: Spot, colour: Colour) -> None:
        """A rounded cone between two spots."""
        part, x, y = self._part(a, b, max(radii))
        along_x, along_y = b[0] - a[0], b[1] - a[1]
        length2 = along_x**2 + along_y**2 or 1.0
        t = np.clip(((x - a[0]) * along_x + (y - a[1]) * along_y) / length2, 0, 1)
        radius = radii[0] + (radii[1] - radii[0]) * t
        u, v = (x - a[0] - t * along_x) / radius, (y - a[1] - t * along_y) / radius
        self._paint(part, u * u + v * v <= 1, u, v, (colour, 0.0))

    def flat(self, spots: list[Spot], colour: Colour, share: float = 1.0) -> None:
        """A painted patch on what is there already: a stripe, a brow."""
        mask = np.zeros(self.cover.shape, np.uint8)
        corners = np.round(np.array(spots) * FINER * 16).astype(np.int32)
        cv2.fillPoly(mask, [corners], 255, cv2.LINE_AA, 4)
        rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
        part = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        weight = (mask[part] / 255.0 * share * (self.cover[part] > 0))[..., None]
        lit = self.colour[part].mean(axis=2, keepdims=True) / 140.0
        painted = np.array(colour) * np.clip(lit, 0.55, 1.25)
        self.colour[part] = self.colour[part] * (1 - weight) + painted * weight

    def _part(self, a: Spot, b: Spot, reach_px: float) -> tuple[tuple[slice, slice], Floats, Floats]:
        """The rows and columns that a part between two spots can cover, and their coordinates."""
        x0, x1 = min(a[0], b[0]) - reach_px - 1, max(a[0], b[0]) + reach_px + 1
        y0, y1 = min(a[1], b[1]) - reach_px - 1, max(a[1], b[1]) + reach_px + 1
        across = slice(max(0, int(x0 * FINER)), min(WIDE * FINER, int(x1 * FINER) + 1))
        down = slice(max(0, int(y0 * FINER)), min(TALL * FINER, int(y1 * FINER) + 1))
        ys, xs = np.mgrid[down, across]
        return (down, across), (xs + 0.5) / FINER, (ys + 0.5) / FINER

    def _paint(
        self, part: tuple[slice, slice], inside: NDArray[np.bool_], u: Floats, v: Floats, look: tuple[Colour, float]
    ) -> None:
        """Light what is inside: (u, v) is the surface's direction across the picture, `look` colour and gloss."""
        w = np.sqrt(np.clip(1 - u * u - v * v, 0, 1))
        towards = np.clip(u * LIGHT[0] + v * LIGHT[1] + w * LIGHT[2], 0, 1)
        colour, gloss = look
        shaded = np.array(colour) * (0.55 + 0.6 * towards)[..., None] + (gloss * 255 * towards**24)[..., None]
        self.colour[part][inside] = shaded[inside]
        self.cover[part][inside] = 1.0


@lru_cache(maxsize=128)
def figure(worker: Worker, pose: Pose) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The cut-out (300, 150, 3) and its coverage (300, 150) 0..1. The feet stand on its lower edge."""
    canvas = _Canvas()
    _legs(canvas, worker, pose)
    _body(canvas, worker, pose)
    _head(canvas, worker, pose)
    size = (WIDE, TALL)
    colour = cv2.resize(canvas.colour, size, interpolation=cv2.INTER_AREA)
    cover = cv2.resize(canvas.cover, size, interpolation=cv2.INTER_AREA)
    lifted = colour / np.maximum(cover[..., None], 0.05)  # outside the figure nothing was painted
    return np.clip(lifted, 0, 255).astype(np.uint8), cover.astype(np.float32)


def _legs(canvas: _Canvas, worker: Worker, pose: Pose) -> None:
    swing = 16 * pose.step
    for side, sway in ((-1, -swing), (1, swing)):
        hip, knee, foot = (75 + 11 * side, 165), (75 + 12 * side + sway * 0.6, 225), (75 + 13 * side + sway, 284)
        canvas.limb(hip, knee, (15, 12), worker.trousers)
        canvas.limb(knee, foot, (12, 9), worker.trousers)
        canvas.limb((foot[0] - 2, 290), (foot[0] + 9, 293), (8, 6), BOOTS)


def _body(canvas: _Canvas, worker: Worker, pose: Pose) -> None:
    swing = 12 * pose.step
    for side, sway in ((-1, swing), (1, -swing)):
        shoulder, elbow = (75 + 30 * side, 74), (75 + 38 * side + sway * 0.4, 118)
        hand = (75 + 36 * side + sway, 160)
        canvas.limb(shoulder, elbow, (11, 9), worker.trousers)
        canvas.limb(elbow, hand, (9, 7), worker.trousers)
        canvas.ball(hand, (7.5, 8.5), GLOVES)
    canvas.limb((75, 70), (75, 160), (30, 25), worker.vest)
    canvas.ball((52, 68), (13, 12), worker.vest)
    canvas.ball((98, 68), (13, 12), worker.vest)
    for y in (112, 142):
        canvas.flat([(43, y), (107, y), (107, y + 9), (43, y + 9)], STRIPE, 0.9)
    for x in (57, 87):
        canvas.flat([(x, 62), (x + 8, 62), (x + 8, 112), (x, 112)], STRIPE, 0.9)
    if pose.in_hand:
        _helmet(canvas, worker, (75 - 40, 176), 0.92)


def _head(canvas: _Canvas, worker: Worker, pose: Pose) -> None:
    x = 75.0
    canvas.limb((x, 44), (x, 62), (10, 12), _shade(worker.skin, 0.8))
    if pose.helmet_on:
        canvas.ball((x, 32), (18.5, 23), worker.skin)
    else:
        canvas.ball((x, 29), (19, 21), HAIR)
        canvas.ball((x, 34), (17.5, 20), worker.skin)
    _face(canvas, worker, x, x + 5 * pose.turn)
    if pose.helmet_on:
        _helmet(canvas, worker, (x, 23), 1.0)
        return
    fringe = ((-17, 26), (-14, 17), (-4, 14), (8, 15), (15, 19), (17, 26), (11, 21), (2, 19.5), (-8, 20), (-13, 23))
    canvas.flat([(x + across, y) for across, y in fringe], HAIR)


def _face(canvas: _Canvas, worker: Worker, at_px: float, face_px: float) -> None:
    """Ears at the sides of `at_px`; eyes, brows, nose and mouth about `face_px`."""
    for side in (-1, 1):
        canvas.ball((at_px + 17.5 * side, 35), (3.5, 6), worker.skin)
        eye = face_px + 7 * side
        canvas.flat([(eye - 4, 29), (eye + 4, 29), (eye + 3, 32.5), (eye - 3, 32.5)], EYE, 0.85)
        canvas.flat([(eye - 5, 25), (eye + 5, 24.5), (eye + 5, 26.5), (eye - 5, 27)], HAIR, 0.8)
    nose: list[Spot] = [(face_px - 2.5, 33), (face_px + 2.5, 33), (face_px + 4, 40), (face_px - 4, 40)]
    canvas.flat(nose, _shade(worker.skin, 0.78), 0.7)
    canvas.flat([(face_px - 7, 45), (face_px + 7, 45), (face_px + 5, 47.5), (face_px - 5, 47.5)], (80, 80, 150), 0.8)


def _helmet(canvas: _Canvas, worker: Worker, at: Spot, scale: float) -> None:
    """Dome, ridge and brim; `at` is the middle of the brim."""
    x, y = at
    canvas.ball((x, y), (23 * scale, 24 * scale), worker.helmet, 0.75, below_px=y)
    ridge: list[Spot] = [(x - 3 * scale, y - 23 * scale), (x + 3 * scale, y - 23 * scale), (x + 4 * scale, y - 3)]
    canvas.flat([*ridge, (x - 4 * scale, y - 3)], _shade(worker.helmet, 1.12), 0.5)
    canvas.ball((x, y + 1), (27 * scale, 4.5 * scale), _shade(worker.helmet, 0.85), 0.2)


def _shade(colour: Colour, share: float) -> Colour:
    blue, green, red = (min(255.0, share * each) for each in colour)
    return blue, green, red
