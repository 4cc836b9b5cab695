"""Edge scenes made of real photographs: protection of several builds drawn into a picture, then minutes of video of it.

A pinhole camera is put over the photograph (height, pitch and heading from the seed), a straight edge is laid on its
ground, and the protection is drawn along it three times finer than the picture, made soft by the lens and laid over the
photograph; its shadow falls on the ground. For each second the light, clouds, haze, rain, people, shake, sensor noise
and an H.264 encoder are put over that. Twice in a scene a section is away for 70 seconds:

    0 -------- 45 ------- 115 ------ 160 ------- 230 --- 235 s
      guarded   section away  guarded  another away  guarded

Cables lie nearer than the others, so that they are half a pixel
wide. Everything follows from the seed and the photographs. No code is shared with the other two generators.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.survey import Edge, EdgeKind, Protection, RailMark, Survey
from vision.edges.scoring import MissingSection

TYPES: Final = ("rail", "mesh", "net", "cable", "tape", "cover", "pit_fence", "stair")
WEATHER: Final = ("clear", "clouds", "dusk", "rain", "haze", "shake")
AWAY_S: Final = ((45, 115), (160, 230))
LENGTH_S: Final = 235
FINE: Final = 3
MOST_PX: Final = 640
RAIL_M: Final = 1.2

Floats = NDArray[np.float32]
Image = NDArray[np.uint8]
Point = tuple[float, float, float]


class Folder:
    """The photographs of a folder by series, and the persons cut out of the labelled ones."""

    def __init__(self, folder: Path, reporting: bool) -> None:
        named: dict[str, list[Path]] = {}
        for path in sorted(folder.rglob("*")):
            if path.suffix.lower() in (".jpg", ".png", ".mp4"):
                stem = path.stem.rsplit("_", 1)[0] if path.stem.startswith("cctv") else path.stem
                if path.parts[-3:-1] != ("helmets", "images"):
                    named.setdefault(stem, []).append(path)
        cameras = [paths for _, paths in sorted(named.items())]
        self.cameras = cameras[int(reporting) :: 2]
        """Every second series is for trying, the others for reporting. Several may be of one camera."""

    def background(self, dice: np.random.Generator) -> tuple[str, Image]:
        """A photograph of some camera, at most 640 pixels wide."""
        while True:
            paths = self.cameras[int(dice.integers(len(self.cameras)))]
            path = paths[int(dice.integers(len(paths)))]
            image = _picture(path)
            if image is not None and min(image.shape[:2]) >= 340:
                return path.stem, image

    def people(self, dice: np.random.Generator, count: int) -> list[Image]:
        """Persons as the labels box them, at least 70 pixels tall."""
        found: list[Image] = []
        for _ in range(400):
            paths = self.cameras[int(dice.integers(len(self.cameras)))]
            path = paths[int(dice.integers(len(paths)))]
            label = path.parent.parent / "labels" / f"{path.stem}.txt"
            if len(found) == count or not label.exists():
                continue
            image = cv2.imread(str(path))
            for row in (line.split() for line in label.read_text().splitlines()):
                x, y, w, h = (float(part) for part in row[1:5])
                high, wide = image.shape[:2]
                if row[0] == "2" and h * high >= 70 and 0.2 < w * wide / (h * high) < 0.7:
                    top, left = int((y - h / 2) * high), int((x - w / 2) * wide)
                    found.append(image[max(0, top) : int((y + h / 2) * high), max(0, left) : int((x + w / 2) * wide)])
                    break
        return found


def _picture(path: Path) -> Image | None:
    if path.suffix == ".mp4":
        good, image = cv2.VideoCapture(str(path)).read()
        image = image if good else None
    else:
        image = cv2.imread(str(path))
    if image is None:
        return None
    zoom = min(1.0, MOST_PX / image.shape[1])
    size = (int(image.shape[1] * zoom) // 2 * 2, int(image.shape[0] * zoom) // 2 * 2)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


class Pinhole:
    """Looks along y, pitched down; metres, z up, the ground at 0. Throws where an edge would not be in the picture."""

    def __init__(self, dice: np.random.Generator, size: tuple[int, int]) -> None:
        self.width, self.height = size
        self.focal = size[0] * dice.uniform(0.8, 1.25)
        self.eye_m = dice.uniform(3.0, 7.0)
        self.pitch = dice.uniform(0.18, 0.5)

    def spots(self, points: Sequence[Point] | NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixels (n, 2) and depth in metres (n,), as (n, 3)."""
        x, y, z = np.asarray(points, float).T
        z = z - self.eye_m
        ahead = np.maximum(y * math.cos(self.pitch) - z * math.sin(self.pitch), 0.3)
        under = -y * math.sin(self.pitch) - z * math.cos(self.pitch)
        across = self.focal * x / ahead + self.width / 2
        return np.stack([across, self.focal * under / ahead + self.height / 2, ahead], axis=1)


@dataclass(slots=True)
class Layer:
    """What is drawn, `FINE` times finer: how much of the picture it covers, its colour, and its shadow."""

    cover: Floats
    colour: Floats
    shade: Floats

    @classmethod
    def empty(cls, size: tuple[int, int]) -> "Layer":
        """Nothing drawn yet, over a picture of `size` (width, height)."""
        width, height = size
        return cls(
            np.zeros((height * FINE, width * FINE), np.float32),
            np.zeros((height * FINE, width * FINE, 3), np.float32),
            np.zeros((height, width), np.float32),
        )

    def soft(self, lens_px: float) -> tuple[Floats, Floats, Floats]:
        """Cover, colour times cover and shadow at the size of the picture."""
        size = (self.shade.shape[1], self.shade.shape[0])
        cover = cv2.resize(self.cover, size, interpolation=cv2.INTER_AREA)
        paint = cv2.resize(self.colour * self.cover[..., None], size, interpolation=cv2.INTER_AREA)
        soft = [cv2.GaussianBlur(part, (0, 0), lens_px) for part in (cover, paint)]
        return soft[0], soft[1], cv2.GaussianBlur(self.shade, (0, 0), 1.5)


class Builder:
    """Draws pieces of protection along an edge: `place(s, up)` is the point `s` metres along and `up` over the foot."""

    def __init__(self, lens: Pinhole, start: Point, way: Point, sun: tuple[float, float], layer: Layer) -> None:
        self.lens, self.start, self.way, self.sun, self.layer = lens, np.array(start), np.array(way), sun, layer

    def place(self, s_m: float, up_m: float) -> Point:
        """The point `s_m` along the edge and `up_m` over its foot."""
        x, y, z = self.start + s_m * self.way
        return (float(x), float(y), float(z + up_m))

    def bars(self, ends: Sequence[tuple[Point, Point]], wide_m: float, bgr: tuple[float, ...]) -> None:
        """Bars of one colour, thinner than a pixel where they are, a little brighter along one flank."""
        veil = np.zeros(self.layer.cover.shape, np.uint8)
        shade = np.zeros(self.layer.shade.shape, np.uint8)
        flank = np.zeros_like(veil)
        for one, other in ends:
            a, b = self.lens.spots([one, other])
            wide = wide_m * self.lens.focal / ((a[2] + b[2]) / 2) * FINE
            full = int(255 * min(1.0, wide))
            cv2.line(veil, _fine(a), _fine(b), full, max(1, round(wide)), cv2.LINE_AA, 4)
            up = max(1, round(wide / 3))
            cv2.line(flank, _fine(a - [0, up / FINE, 0]), _fine(b - [0, up / FINE, 0]), full, up, cv2.LINE_AA, 4)
            self._shadow(shade, one, other, wide_m)
        self._lay(veil.astype(np.float32) / 255, bgr)
        brighter = np.minimum(flank, veil)[..., None].astype(np.float32) / 255 * 30
        self.layer.colour = np.minimum(self.layer.colour + brighter, 255)
        self.layer.shade = np.maximum(self.layer.shade, shade.astype(np.float32) / 255)

    def sheet(
        self, corners: Sequence[Point], thick: float, bgr: tuple[float, ...], folds: Floats | None = None
    ) -> None:
        """A surface that lets through what it does not cover."""
        veil = np.zeros(self.layer.cover.shape, np.uint8)
        spots = self.lens.spots(corners)
        cv2.fillPoly(veil, [np.round(spots[:, :2] * FINE * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        self._lay(veil.astype(np.float32) / 255 * thick, bgr, folds)
        shade = np.zeros(self.layer.shade.shape, np.uint8)
        fallen = self.lens.spots([self._fallen(corner) for corner in corners])
        cv2.fillPoly(shade, [np.round(fallen[:, :2] * 16).astype(np.int32)], int(200 * thick), cv2.LINE_AA, 4)
        self.layer.shade = np.maximum(self.layer.shade, shade.astype(np.float32) / 255)

    def _lay(self, veil: Floats, bgr: tuple[float, ...], folds: Floats | None = None) -> None:
        layer, part = self.layer, veil[..., None]
        paint = np.array(bgr, np.float32) if folds is None else np.array(bgr, np.float32) * folds[..., None]
        before = layer.cover[..., None] * layer.colour * (1 - part)
        layer.cover = veil + layer.cover * (1 - veil)
        layer.colour = (part * paint + before) / np.maximum(layer.cover[..., None], 1e-4)

    def _fallen(self, point: Point) -> Point:
        up = point[2] - self.start[2]
        return (point[0] + self.sun[0] * up, point[1] + self.sun[1] * up, self.start[2])

    def _shadow(self, shade: Image, one: Point, other: Point, wide_m: float) -> None:
        a, b = self.lens.spots([self._fallen(one), self._fallen(other)])
        wide = wide_m * self.lens.focal / ((a[2] + b[2]) / 2)
        cv2.line(shade, _whole(a), _whole(b), int(255 * min(1, wide)), max(1, round(wide)), cv2.LINE_AA, 4)


def _fine(spot: NDArray[np.float64]) -> tuple[int, int]:
    return (round(spot[0] * FINE * 16), round(spot[1] * FINE * 16))


def _whole(spot: NDArray[np.float64]) -> tuple[int, int]:
    return (round(spot[0] * 16), round(spot[1] * 16))


@dataclass(slots=True)
class Walker:
    """Somebody who walks along the edge, cut out of a photograph or drawn."""

    cut: Image | None
    from_s: float
    pace_m_s: float
    first_m: float
    aside_m: float
    vest: tuple[float, ...]


@dataclass(slots=True)
class Weather:
    """What lies over the pictures of a scene. `drift`: how far the light swings, over `swing_s` seconds."""

    name: str
    drift: float
    swing_s: float
    grain: float
    crf: int
    shake_px: float
    haze: float = 0.0
    rain: int = 0
    cloud: Floats | None = field(default=None)


class RealScene:
    """One camera over `LENGTH_S` seconds. `kind` is what guards the edge, `background` the name of the photograph."""

    def __init__(self, folder: Folder, seed: int) -> None:
        dice = np.random.default_rng([seed, 77])
        self.seed, self.kind = seed, TYPES[seed % len(TYPES)]
        self.background, self._photo = folder.background(dice)
        self.size = (self._photo.shape[1], self._photo.shape[0])
        self._grain = dice.standard_normal((self.size[1] + 64, self.size[0] + 64, 3), np.float32)
        self.weather = self._weather(dice, WEATHER[(seed + seed // len(TYPES)) % len(WEATHER)])
        self._sun = (float(dice.uniform(-1.2, 1.2)), float(dice.uniform(0.2, 1.2)))
        self._lens_px = float(dice.uniform(0.55, 1.0))
        self._look = {name: dice.uniform(0, 1) for name in ("colour", "toe", "thick", "every", "sag")}
        self.lens, self.start, self.way, self.length_m = self._placed(dice)
        self._folds = self._creases(dice)
        self.away = self._sections(dice)
        self._layers: dict[int, tuple[Floats, Floats, Floats]] = {}
        self._walkers = self._people(dice, folder.people(dice, 3))
        self.survey = self._survey(dice)
        self.reference = self._finished(self._composed(-1, 1.0), 1.6, np.random.default_rng([seed, 5]))
        self._encoder = _Encoder(self.size, self.weather.crf)

    @property
    def truth(self) -> tuple[MissingSection, ...]:
        """What is away, and when."""
        if self.kind == "tape":
            return (MissingSection("edge", 0.0, self.length_m, 0.0, LENGTH_S, "tape"),)
        edge = "hole" if self.kind == "cover" else "edge"
        return tuple(
            MissingSection(edge, a, b, *AWAY_S[n], "cover" if edge == "hole" else self.kind)
            for n, (a, b) in enumerate(self.away)
        )

    def frame_at(self, second: int, whole: bool = False) -> tuple[Image, Floats]:
        """Picture and person boxes; seconds follow on each other, as the encoder remembers. `whole`: nothing is
        away."""
        dice = np.random.default_rng([self.seed, second, 9])
        gone = next((n for n, (a, b) in enumerate(AWAY_S) if a <= second < b and not whole), -1)
        sunny, light = self._light(second)
        image = self._composed(gone, sunny)
        boxes = self._walk(image, second, dice)
        image *= light[..., None]
        self._rain(image, dice)
        if self.weather.haze:
            thick = self.weather.haze * (0.6 + 0.4 * math.sin(second / 23.0))
            image = image * (1 - thick) + 175 * thick
        image, boxes = self._shaken(image, boxes, second, dice)
        dark = 1.0 / max(0.25, float(light.mean()))
        return self._encoder.sent(self._finished(image, self.weather.grain * min(2.5, dark), dice)), boxes

    # what is drawn

    def _placed(self, dice: np.random.Generator) -> tuple[Pinhole, Point, Point, float]:
        for _ in range(5000):
            lens = Pinhole(dice, self.size)
            length, turn = float(dice.uniform(7, 14)), float(dice.uniform(-0.9, 0.9))
            away, side = float(dice.uniform(7, 16)), float(dice.uniform(-3, 3))
            way = (math.cos(turn), math.sin(turn), 0.0)
            if self.kind == "stair":
                length, way = 6.0, (way[0] * 0.85, way[1] * 0.85, 0.53)
            middle = np.array([side, away, 0.0])
            start = middle - np.array([way[0], way[1], 0]) * length / 2
            ends = [start, start + np.array(way) * length]
            tops = [end + np.array([0, 0, 1.5]) for end in ends]
            seen = lens.spots(np.array([*ends, *tops]))
            inside = (seen[:, :2] > [0.03 * lens.width, 0.04 * lens.height]) & (
                seen[:, :2] < [0.97 * lens.width, 0.95 * lens.height]
            )
            tall = (seen[:2, 1] - seen[2:, 1]) / 1.5 * RAIL_M
            least = 45 if self.kind == "cable" else 20
            if (
                inside.all()
                and tall.min() >= least
                and tall.max() <= 140
                and abs(seen[0, 0] - seen[1, 0]) > 0.25 * lens.width
            ):
                return lens, (float(start[0]), float(start[1]), 0.0), way, length
        raise ValueError(f"seed {self.seed}: no place for an edge in a picture of {self.size}")

    def _sections(self, dice: np.random.Generator) -> list[tuple[float, float]]:
        if self.kind == "cover":
            return [(0.0, self._hole_run_m), (0.0, self._hole_run_m)]
        found = []
        for _ in AWAY_S:
            wide = float(dice.uniform(1.5, 3.6))
            first = float(dice.uniform(0.3, self.length_m - wide - 0.3))
            found.append((round(first, 2), round(first + wide, 2)))
        return found

    _hole_run_m: float = 6.4

    def _hole(self) -> list[Point]:
        middle = np.array(self.start) + np.array(self.way) * self.length_m / 2
        across = np.array([-self.way[1], self.way[0], 0])
        along = np.array(self.way)
        ends = ((-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8))
        return [tuple(float(part) for part in middle + along * a + across * b) for a, b in ends]  # type: ignore[misc]

    def _drawn(self, gone: int) -> tuple[Floats, Floats, Floats]:
        if gone not in self._layers:
            layer = Layer.empty(self.size)
            builder = Builder(self.lens, self.start, self.way, self._sun, layer)
            away = [self.away[gone]] if gone >= 0 else []
            if self.kind == "cover":
                self._cover(builder, bool(away))
            else:
                self._protection(builder, away)
            self._layers[gone] = layer.soft(self._lens_px)
        return self._layers[gone]

    def _cover(self, builder: Builder, away: bool) -> None:
        corners = self._hole()
        if not away:
            builder.sheet(corners, 1.0, (95 + 60 * self._look["colour"], 140, 170))
            a, b, c, d = corners
            builder.bars([(a, b), (b, c), (c, d), (d, a)], 0.05, (60, 90, 110))
            return
        builder.sheet(corners, 1.0, (26, 28, 30))
        a, b, c, d = corners
        builder.sheet([d, c, (c[0], c[1], -0.5), (d[0], d[1], -0.5)], 1.0, (70, 75, 78))

    def _protection(self, builder: Builder, away: list[tuple[float, float]]) -> None:
        pieces = _without(self.length_m, away)
        look, colours = self._look, ((60, 200, 225), (60, 60, 200), (190, 190, 190), (90, 90, 95), (200, 130, 40))
        paint = colours[int(look["colour"] * len(colours))]
        apart = {"cable": 3.0, "tape": 3.0}.get(self.kind, 2.0)
        posts = [s for a, b in pieces for s in (a, *np.arange(math.ceil(a / apart) * apart, b, apart), b)]
        wide = 0.03 if self.kind in ("mesh", "pit_fence") else 0.048
        if self.kind == "net":
            for a, b in pieces:
                low, high = 0.05, RAIL_M - 0.02
                corners = [builder.place(s, up) for s, up in ((a, low), (b, low), (b, high), (a, high))]
                builder.sheet(corners, 0.5 + 0.35 * look["thick"], (70, 125, 45), self._folds)
        if self.kind == "mesh":
            self._wires(builder, pieces, 0.06 + 0.06 * look["every"], paint, True)
        if self.kind == "pit_fence":
            self._wires(builder, pieces, 0.11, paint, False)
        builder.bars([(builder.place(s, 0), builder.place(s, RAIL_M)) for s in posts], wide, paint)
        levels = {
            "rail": (0.6, RAIL_M), "stair": (0.6, RAIL_M), "mesh": (0.1, RAIL_M), "pit_fence": (0.12, RAIL_M),
            "net": (RAIL_M,), "cable": (0.45, 0.82, 1.18), "tape": (),
        }[self.kind]  # fmt: skip
        thick = {"cable": 0.012, "net": 0.015}.get(self.kind, wide)
        grey = (120, 120, 122) if self.kind == "cable" else paint
        sag = 0.05 * look["sag"] if self.kind in ("cable", "net") else 0.0
        for a, b in pieces:
            builder.bars([line for up in levels for line in _hung(builder, a, b, up, apart, sag)], thick, grey)
            if self.kind in ("rail", "stair") and look["toe"] > 0.4:
                builder.sheet([builder.place(s, up) for s, up in ((a, 0), (b, 0), (b, 0.18), (a, 0.18))], 1.0, paint)
            if self.kind == "tape":
                _tape(builder, a, b, apart, 0.1 * look["sag"])

    def _wires(
        self, builder: Builder, pieces: list[tuple[float, float]], every_m: float, paint: tuple[int, ...], both: bool
    ) -> None:
        upright = [
            (builder.place(s, 0.1), builder.place(s, RAIL_M)) for a, b in pieces for s in np.arange(a, b, every_m)
        ]
        builder.bars(upright, 0.005 if both else 0.016, paint)
        if both:
            level = [
                (builder.place(a, up), builder.place(b, up)) for a, b in pieces for up in np.arange(0.1, 1.2, every_m)
            ]
            builder.bars(level, 0.005, paint)

    def _creases(self, dice: np.random.Generator) -> Floats:
        coarse = dice.normal(1, 0.09, (self.size[1] // 12, self.size[0] // 6)).astype(np.float32)
        return np.asarray(cv2.resize(coarse, (self.size[0] * FINE, self.size[1] * FINE), interpolation=cv2.INTER_CUBIC))

    # a frame

    def _composed(self, gone: int, sunny: float) -> Floats:
        cover, paint, shade = self._drawn(gone)
        ground = self._photo.astype(np.float32) * (1 - 0.45 * sunny * shade)[..., None]
        return np.asarray(ground * (1 - cover)[..., None] + paint * (0.7 + 0.3 * sunny), np.float32)

    def _weather(self, dice: np.random.Generator, name: str) -> Weather:
        made = Weather(
            name, float(dice.uniform(0.05, 0.2)), float(dice.uniform(150, 600)), float(dice.uniform(1.5, 4.0)),
            int(dice.integers(24, 33)), float(dice.uniform(0.1, 0.5)),
        )  # fmt: skip
        if name == "clouds":
            made.drift, made.swing_s = 0.35, float(dice.uniform(90, 240))
            soft = cv2.resize(dice.uniform(0, 1, (4, 12)).astype(np.float32), (self.size[0] * 2, self.size[1]))
            made.cloud = np.clip(soft * 1.4, 0.35, 1).astype(np.float32)
        elif name == "dusk":
            made.drift, made.grain, made.crf = 0.75, 5.0, 31
        elif name == "rain":
            made.rain, made.haze = int(dice.integers(80, 220)), 0.12
        elif name == "haze":
            made.haze = float(dice.uniform(0.2, 0.45))
        elif name == "shake":
            made.shake_px = float(dice.uniform(1.0, 2.5))
        return made

    def _light(self, second: float) -> tuple[float, Floats]:
        weather = self.weather
        swing = 0.5 - 0.5 * math.cos(2 * math.pi * second / weather.swing_s)
        if weather.name == "dusk":
            swing = second / LENGTH_S
        gain = (1 - weather.drift * swing) ** 0.7
        field = np.full((self.size[1], self.size[0]), gain, np.float32)
        if weather.cloud is not None:
            move = int(abs((second * 1.5) % (2 * self.size[0]) - self.size[0]))
            field *= weather.cloud[:, move : move + self.size[0]]
        return 1 - swing * min(1.0, 2 * weather.drift), field

    def _people(self, dice: np.random.Generator, cuts: list[Image]) -> list[Walker]:
        made = []
        for n in range(int(dice.integers(4, 9))):
            cut = cuts[n % len(cuts)] if cuts and n % 3 else None
            vest = tuple(float(part) for part in dice.uniform(30, 230, 3))
            made.append(
                Walker(cut, float(dice.uniform(0, LENGTH_S)), float(dice.choice([-1, 1]) * dice.uniform(0.05, 1.0)),
                       float(dice.uniform(0, self.length_m)), float(dice.uniform(-2.0, -0.3)), vest)
            )  # fmt: skip
        return made

    def _walk(self, image: Floats, second: float, dice: np.random.Generator) -> Floats:
        boxes = []
        for one in self._walkers:
            gone_s = second - one.from_s
            if not 0 <= gone_s < 60:
                continue
            s = (one.first_m + one.pace_m_s * gone_s) % self.length_m
            aside = np.array([-self.way[1], self.way[0], 0.0]) * one.aside_m
            foot = np.array(self.start) + s * np.array(self.way) + aside
            (u, v, _), (_, top, _) = self.lens.spots(np.array([foot, foot + np.array([0, 0, 1.72])]))
            box = _put(image, one, float(u), float(v), float(top))
            if box is not None and dice.random() < 0.9:
                boxes.append(np.array(box) + dice.normal(0, 0.03 * (v - top), 4))
        return np.array(boxes, np.float32).reshape(-1, 4)

    def _rain(self, image: Floats, dice: np.random.Generator) -> None:
        veil = np.zeros(image.shape[:2], np.uint8)
        for _ in range(self.weather.rain):
            u, v, long = (
                int(dice.integers(0, self.size[0])),
                int(dice.integers(0, self.size[1])),
                int(dice.integers(8, 26)),
            )
            cv2.line(veil, (u, v), (u - 3, v + long), int(dice.integers(15, 45)), 1, cv2.LINE_AA)
        image += veil[..., None]

    def _shaken(self, image: Floats, boxes: Floats, second: float, dice: np.random.Generator) -> tuple[Floats, Floats]:
        by = self.weather.shake_px
        dx, dy = by * math.sin(second * 1.9) + dice.normal(0, by / 3), by * math.sin(second * 2.7) * 0.7
        turn = math.radians(dice.normal(0, 0.03 * by))
        u, v = self.size[0] / 2, self.size[1] / 2
        move = np.array([[1, -turn, dx + turn * v], [turn, 1, dy - turn * u]])
        shaken = cv2.warpAffine(image, move, self.size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        return np.asarray(shaken, np.float32), boxes + np.array([dx, dy, dx, dy], np.float32)

    def _finished(self, image: Floats, grain: float, dice: np.random.Generator) -> Image:
        x, y = dice.integers(0, 64, 2)
        noise = self._grain[y : y + self.size[1], x : x + self.size[0]]
        spread = cv2.sqrt(np.maximum(image, 8)) * np.float32(grain / 128**0.5)
        return np.asarray(cv2.add(image, cv2.multiply(spread, noise), dtype=cv2.CV_8U), np.uint8)

    def _survey(self, dice: np.random.Generator) -> Survey:
        def at(point: Point) -> tuple[float, float]:
            u, v, _ = self.lens.spots([point])[0] + [*dice.normal(0, 0.6, 2), 0]
            return (float(np.clip(u / self.size[0], 0, 1)), float(np.clip(v / self.size[1], 0, 1)))

        if self.kind == "cover":
            hole = Edge("hole", "hole", EdgeKind.OPENING, tuple(at(one) for one in self._hole()), self._hole_run_m)
            return Survey("real", 1, 0, "bench", "0" * 64, (), (hole,))
        end = np.array(self.start) + np.array(self.way) * self.length_m
        line = tuple(at(tuple(np.array(self.start) + (end - self.start) * part)) for part in (0.0, 1.0))  # type: ignore[arg-type]
        marks = []
        for part in (0.04, 0.96):
            foot = np.array(self.start) + (end - self.start) * part
            spot = np.array(line[0]) + (np.array(line[1]) - line[0]) * _along(self.lens, self.start, end, part)
            shift = at((foot[0], foot[1], foot[2] + RAIL_M))
            marks.append(RailMark((float(spot[0]), float(spot[1])), shift, RAIL_M))
        kind = EdgeKind.PIT_EDGE if self.kind == "pit_fence" else EdgeKind.FLOOR_EDGE
        stands = Protection.TAPE if self.kind == "tape" else Protection.UNKNOWN
        edge = Edge("edge", "edge", kind, line, self.length_m, tuple(marks), stands)
        return Survey("real", 1, 0, "bench", "0" * 64, (), (edge,))


def _along(lens: Pinhole, start: Point, end: NDArray[np.float64], part: float) -> float:
    """Where along the picture's line the point at `part` of the edge lies, 0 to 1."""
    a, b, c = lens.spots(np.array([start, end, np.array(start) + (end - start) * part]))[:, :2]
    return float(np.hypot(*(c - a)) / np.hypot(*(b - a)))


def _without(length_m: float, away: list[tuple[float, float]]) -> list[tuple[float, float]]:
    pieces = [(0.0, length_m)]
    for a, b in away:
        pieces = [part for x, y in pieces for part in ((x, min(y, a)), (max(x, b), y)) if part[1] - part[0] > 0.05]
    return pieces


def _hung(builder: Builder, a: float, b: float, up: float, apart: float, sag: float) -> list[tuple[Point, Point]]:
    """A line from `a` to `b` that sags between the posts, in pieces of half a metre."""
    stops = np.linspace(a, b, max(2, math.ceil((b - a) / 0.5) + 1))
    spots = [builder.place(s, up - sag * 4 * (s / apart % 1) * (1 - s / apart % 1)) for s in stops]
    return list(itertools.pairwise(spots))


def _tape(builder: Builder, a: float, b: float, apart: float, sag: float) -> None:
    """Red and white, 75 mm, stripes of 0.3 m."""
    for n, s in enumerate(np.arange(a, b, 0.3)):
        ends = (s, min(s + 0.3, b))
        heights = [1.0 - sag * 4 * (x / apart % 1) * (1 - x / apart % 1) for x in ends]
        builder.bars(
            [(builder.place(ends[0], heights[0]), builder.place(ends[1], heights[1]))],
            0.075,
            (40, 40, 200) if n % 2 else (225, 225, 225),
        )


def _put(image: Floats, one: Walker, u: float, v: float, top: float) -> tuple[float, ...] | None:
    """Paste a person with the foot at (u, v): a cut one with a soft border, or head, vest and legs."""
    tall = int(v - top)
    wide = max(6, int(tall * (one.cut.shape[1] / one.cut.shape[0] if one.cut is not None else 0.36)))
    left, high = int(u - wide / 2), int(top)
    if tall < 12 or left < 0 or high < 0 or left + wide >= image.shape[1] or high + tall >= image.shape[0]:
        return None
    y, x = np.mgrid[0:tall, 0:wide].astype(np.float32)
    part, across = y / tall, np.abs(x / wide - 0.5) * 2
    slim = np.where(part < 0.14, 0.42, np.where(part < 0.55, 0.95, 0.62))
    if one.cut is not None:
        body = cv2.resize(one.cut, (wide, tall), interpolation=cv2.INTER_AREA).astype(np.float32)
        mask = np.clip((1 - across**4 - np.abs(part * 2 - 1) ** 8) * 3, 0, 1)
    else:
        shade = np.where(part < 0.14, 150, np.where(part < 0.55, 1, 0))[..., None]
        body = np.where(shade == 150, (90, 120, 160), np.where(shade == 1, one.vest, (60, 50, 45))).astype(np.float32)
        mask = cv2.GaussianBlur((across < slim).astype(np.float32), (0, 0), 0.8)
    window = image[high : high + tall, left : left + wide]
    window += (body - window) * mask[..., None]
    return (left, high, left + wide, high + tall)


class _Encoder:
    """An H.264 stream of one frame a second, sent and seen again."""

    def __init__(self, size: tuple[int, int], crf: int) -> None:
        self._size, self._crf = size, crf
        self._begin()

    def _begin(self) -> None:
        writer = av.CodecContext.create("libx264", "w")
        writer.width, writer.height = self._size
        writer.pix_fmt, writer.time_base = "yuv420p", Fraction(1, 1)
        writer.options = {"crf": str(self._crf), "preset": "veryfast", "tune": "zerolatency", "threads": "1", "g": "50"}
        self._writer, self._reader, self._number = writer, av.CodecContext.create("h264", "r"), 0
        self._reader.thread_count = 1
        self._last: Image | None = None

    def sent(self, image: Image) -> Image:
        frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p")
        frame.pts = self._number
        self._number += 1
        for packet in self._writer.encode(frame):
            for seen in self._reader.decode(packet):
                self._last = np.asarray(seen.to_ndarray(format="bgr24"), np.uint8)
        return image if self._last is None else self._last
