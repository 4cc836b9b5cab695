"""A small painted site for the edge tests: a floor edge of 12 m with posts and two bars over a plain yard, an opening
with a cover. Drawn straight on, so that metres are pixels; every picture is a few lines of paint."""

from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.survey import Edge, EdgeKind, RailMark, Survey
from gateway.model.verdict import Truth
from vision.edges.settings import EdgeSettings
from vision.edges.watch import EdgeWatch
from vision.picture.finding import Finding, FindingKind
from vision.picture.frame import Frame

WIDTH, HEIGHT = 480, 270
FOOT_Y, LEFT_X, PX_M = 180, 60, 30.0
LENGTH_M = 12.0
SECOND = 1_000_000_000
NOBODY = np.empty((0, 4), np.float32)

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Look:
    """How the site is painted: metres without rail, the cover, light from 0 to 1, a shadow from that column on."""

    gone: tuple[tuple[float, float], ...] = ()
    covered: bool = True
    light: float = 1.0
    shadow_x: int | None = None
    noise: float = 1.5
    truck: tuple[float, float] | None = None
    rain: bool = False


def x_of(metre: float) -> int:
    return round(LEFT_X + metre * PX_M)


def painted(look: Look = Look(), seed: int = 0) -> Image:
    """One picture (h, w, 3): the paint of a look, with weather and noise of its own."""
    image = _paint(replace(look, light=1.0, noise=0.0, rain=False))
    if look.rain:
        image, dice = image.copy(), np.random.default_rng(seed)
        for _ in range(120):
            x, y = int(dice.integers(0, WIDTH)), int(dice.integers(0, HEIGHT))
            cv2.line(image, (x, y), (x + 1, y + 14), (205.0,) * 3, 1)
    grain = _GRAIN[seed * 7 % 40 : seed * 7 % 40 + HEIGHT, seed * 13 % 40 : seed * 13 % 40 + WIDTH]
    return np.clip(image * np.float32(look.light) + np.float32(look.noise) * grain, 0, 255).astype(np.uint8)


@lru_cache(maxsize=64)
def _paint(look: Look) -> NDArray[np.float32]:
    fixed = np.random.default_rng(7)
    image = np.full((HEIGHT, WIDTH, 3), 150, np.float32)
    for _ in range(40):
        x, y = int(fixed.integers(0, WIDTH)), int(fixed.integers(0, HEIGHT))
        shade = float(fixed.uniform(130, 170))
        cv2.rectangle(image, (x, y), (x + int(fixed.integers(8, 60)), y + int(fixed.integers(6, 40))), (shade,) * 3, -1)
    cv2.rectangle(image, (0, FOOT_Y), (WIDTH, FOOT_Y + 14), (95.0,) * 3, -1)
    cv2.rectangle(image, (0, FOOT_Y + 14), (WIDTH, HEIGHT), (120.0,) * 3, -1)
    for metre in np.arange(0, LENGTH_M + 0.1, 2.0):
        if not any(a < metre < b for a, b in look.gone):
            cv2.rectangle(image, (x_of(metre) - 1, FOOT_Y - 36), (x_of(metre), FOOT_Y), (40.0, 60.0, 210.0), -1)
    for step in range(int(LENGTH_M / 0.1)):
        metre = step * 0.1
        if not any(a <= metre + 0.05 < b for a, b in look.gone):
            for high in (36, 18):
                y = FOOT_Y - high
                cv2.rectangle(image, (x_of(metre), y), (x_of(metre + 0.1), y + 1), (40.0, 60.0, 210.0), -1)
    hole = (60.0, 110.0, 150.0) if look.covered else (12.0,) * 3
    cv2.rectangle(image, (300, 215), (360, 250), hole, -1)
    if look.covered:
        for x in (320, 340):
            cv2.line(image, (x, 215), (x, 250), (30.0, 60.0, 90.0), 2)
    if look.truck:
        cv2.rectangle(image, (x_of(look.truck[0]), 90), (x_of(look.truck[1]), 230), (200.0, 180.0, 60.0), -1)
    if look.shadow_x is not None:
        image[:, look.shadow_x :] *= 0.45
    return image


_GRAIN = np.random.default_rng(1).normal(0, 1, (HEIGHT + 40, WIDTH + 40, 1)).astype(np.float32)


def rail() -> Edge:
    """The floor edge, drawn exactly."""
    foot, top = FOOT_Y / HEIGHT, (FOOT_Y - 36) / HEIGHT
    ends = (x_of(0) / WIDTH, x_of(LENGTH_M) / WIDTH)
    marks = tuple(RailMark((x, foot), (x, top), 1.2) for x in ends)
    line = ((ends[0], foot), (ends[1], foot))
    return Edge("north", "北边", EdgeKind.FLOOR_EDGE, line, LENGTH_M, marks)


def hole() -> Edge:
    """The opening."""
    corners = ((300, 215), (360, 215), (360, 250), (300, 250))
    return Edge("shaft", "井口", EdgeKind.OPENING, tuple((x / WIDTH, y / HEIGHT) for x, y in corners), 6.0)


def survey(*edges: Edge) -> Survey:
    return Survey("cam-1", 1, 0, "wang", "0" * 64, (), edges or (rail(),))


class Site:
    """A watch with a clock that runs at one frame a second unless told otherwise."""

    def __init__(self, *edges: Edge, settings: EdgeSettings | None = None) -> None:
        self.watch = EdgeWatch(survey(*edges), painted(seed=99), settings)
        self.second = 0.0
        self.findings: tuple[Finding, ...] = ()
        self.fired: list[Finding] = []

    def run(
        self,
        seconds: float,
        look: Look = Look(),
        persons: NDArray[np.float32] = NOBODY,
        *,
        every: float = 1.0,
        usable: bool = True,
        shake: float = 0.0,
    ) -> None:
        """Show one look for so long."""
        for _ in range(round(seconds / every)):
            self.second += every
            image = painted(look, seed=int(self.second * 10) % 50)
            if shake:
                dice = np.random.default_rng(int(self.second * 10))
                move = np.array([[1, 0, dice.normal(0, shake)], [0, 1, dice.normal(0, shake)]])
                image = cv2.warpAffine(image, move, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)
            for x1, y1, x2, y2 in persons.astype(int):
                cv2.rectangle(image, (int(x1), int(y1)), (int(x2), int(y2)), (30, 200, 230), -1)
            self.show(image, persons, usable)

    def show(self, image: Image, persons: NDArray[np.float32] = NOBODY, usable: bool = True) -> None:
        """Judge one picture at the clock's time."""
        now = int(self.second * SECOND)
        frame = Frame("cam-1", int(self.second), now, now, True, 1, image)
        self.findings = self.watch.step(frame, persons, usable, now)
        self.fired += [finding for finding in self.findings if finding.fired]

    def truth(self, kind: FindingKind = FindingKind.EDGE_OPEN, place: int = 1) -> Truth:
        return self.finding(kind, place).truth

    def finding(self, kind: FindingKind = FindingKind.EDGE_OPEN, place: int = 1) -> Finding:
        return next(one for one in self.findings if one.kind is kind and one.place == place)


def bare(look: Look, *gone: tuple[float, float]) -> Look:
    """The same with rails taken away."""
    return replace(look, gone=gone)
