"""First generator of edge scenes: the one the check was built with. Painted layers under changing light.

A pinhole camera projects a slab edge with its rail panels into flat painted layers (once per state of the panels);
each second only the light, the weather, the people and the sensor are put over them. Everything follows from the seed.
`bench.edge_scenes_second` is the other generator; the two share no code on purpose.
"""

import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from gateway.model.survey import Edge, EdgeKind, RailMark, Survey

WIDTH, HEIGHT = 800, 450
DAY_S = 86_400
STYLES = ("tube", "mesh", "net", "timber")
WHAT = ("panels", "fallen", "panels", "net_only", "small", "cover")


@dataclass(frozen=True)
class Missing:
    """Truth: from second `from_s` to `to_s` the edge lacks its protection from `from_m` to `to_m`. `counts` is false
    for what the check may find or not (a net gone while the rails stand, a gap under half a metre)."""

    edge_id: str
    from_m: float
    to_m: float
    from_s: float
    to_s: float
    what: str
    counts: bool = True


@dataclass
class Layers:
    """Reflectance (h, w, 3), and how much the lamps of the site reach each pixel (h, w)."""

    albedo: np.ndarray
    near: np.ndarray = field(default_factory=lambda: np.zeros((HEIGHT, WIDTH), np.float32))


class Scene:
    """One camera over one day. `frame_at(second)` gives a picture and the person boxes a detector would give."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        rng = np.random.default_rng(seed)
        self.length_m = float(rng.uniform(10, 22))
        self.panel_m = 2.0
        self.style = STYLES[seed % len(STYLES)]
        self.inside = bool(rng.random() < 0.5)
        self.colours = rng.uniform(40, 210, (6, 3))
        self.rail_colour = [(30, 190, 220), (60, 60, 210), (200, 200, 200), (70, 110, 150)][int(rng.integers(4))]
        self._camera(rng)
        self.backdrop = self._backdrop(rng)
        self.toe_board = bool(rng.random() < 0.6)
        self.lamp = (rng.uniform(0.1, 0.9), rng.uniform(0.2, 0.8), rng.uniform(0.25, 0.6))
        self.shadow = self._shadow(rng)
        self.noise = rng.normal(0, 1, (HEIGHT + 64, WIDTH + 64)).astype(np.float32)
        self.rain = self._rain(rng)
        self.weather = self._weather(rng)
        self.events = self._events(rng)
        self._cache: tuple[object, Layers] | None = None
        self.survey = self._survey(rng)
        self.reference, self.night_reference = (
            self._expose(hour * 3600.0, self._layers(()), plain=True) for hour in (10, 22)
        )

    # --- geometry ---

    def _camera(self, rng: np.random.Generator) -> None:
        side = 1.0 if self.inside else -1.0
        away = rng.uniform(7, 14)
        at = np.array([rng.uniform(-0.1, 1.1) * self.length_m, side * away, rng.uniform(2.5, 6.0)])
        look = np.array([self.length_m / 2, 0.0, 0.4])
        ahead = (look - at) / np.linalg.norm(look - at)
        right = np.cross(ahead, [0, 0, 1.0])
        right /= np.linalg.norm(right)
        self.at, self.turn = at, np.stack([right, np.cross(ahead, right), ahead])
        self.focal = WIDTH * 0.5
        spots = self.project(np.array([[0, 0, 0], [self.length_m, 0, 0], [0, 0, 1.6], [self.length_m, 0, 1.6]], float))
        spread = np.abs(spots - [WIDTH / 2, HEIGHT / 2]).max(0)
        self.focal *= min(WIDTH * 0.46 / spread[0], HEIGHT * 0.44 / spread[1])

    def project(self, points: np.ndarray) -> np.ndarray:
        """World metres (n, 3) to pixels (n, 2)."""
        seen = (np.asarray(points, float) - self.at) @ self.turn.T
        return self.focal * seen[:, :2] / np.maximum(seen[:, 2:], 0.2) + [WIDTH / 2, HEIGHT / 2]

    def _scale(self, x_m: float) -> float:
        a, b = self.project(np.array([[x_m, 0, 0], [x_m, 0, 1.0]]))
        return float(np.linalg.norm(a - b))

    # --- painting ---

    def _backdrop(self, rng: np.random.Generator) -> np.ndarray:
        image = np.empty((HEIGHT, WIDTH, 3), np.float32)
        image[:] = np.linspace(190, 120, HEIGHT)[:, None, None] * rng.uniform(0.7, 1.1, 3)
        for _ in range(int(rng.integers(25, 70))):
            x, y, w, h = rng.integers(0, WIDTH), rng.integers(0, HEIGHT), rng.integers(10, 160), rng.integers(8, 120)
            cv2.rectangle(image, (int(x), int(y)), (int(x + w), int(y + h)), rng.uniform(30, 220, 3).tolist(), -1)
        for _ in range(int(rng.integers(5, 25))):
            a, b = rng.integers(0, WIDTH, 2), rng.integers(0, HEIGHT, 2)
            shade = rng.uniform(20, 220, 3).tolist()
            cv2.line(image, (int(a[0]), int(b[0])), (int(a[1]), int(b[1])), shade, int(rng.integers(1, 4)), cv2.LINE_AA)
        grain = cv2.resize(rng.normal(0, 14, (HEIGHT // 5, WIDTH // 5)).astype(np.float32), (WIDTH, HEIGHT))
        return np.clip(image + grain[..., None], 5, 250)

    def _quad(self, layers: Layers, corners: list[tuple[float, float, float]], colour, near: float = 1.0) -> None:
        spots = np.round(self.project(np.array(corners, float)) * 16).astype(np.int32)
        cv2.fillPoly(layers.albedo, [spots], [float(c) for c in colour], cv2.LINE_AA, 4)
        cv2.fillPoly(layers.near, [spots], near, cv2.LINE_AA, 4)

    def _bar(self, layers: Layers, a, b, width_m: float, colour) -> None:
        """A bar as a quad that faces the camera, never thinner than a pixel."""
        ends = self.project(np.array([a, b], float))
        scale = self._scale((a[0] + b[0]) / 2)
        thick = max(1, round(width_m * scale))
        spots = [tuple(round(float(v) * 16) for v in end) for end in ends]
        cv2.line(layers.albedo, spots[0], spots[1], [float(c) for c in colour], thick, cv2.LINE_AA, 4)
        cv2.line(layers.near, spots[0], spots[1], 1.0, thick, cv2.LINE_AA, 4)

    def _layers(self, gone: tuple[Missing, ...]) -> Layers:
        if self._cache and self._cache[0] == gone:
            return self._cache[1]
        layers = Layers(self.backdrop.copy())
        deep = 9.0
        floor, face = self.colours[0] * 0.5 + 70, self.colours[1] * 0.5 + 50
        length = self.length_m
        wide = [(-3, 0, 0), (length + 3, 0, 0), (length + 3, deep, 0), (-3, deep, 0)]
        if self.inside:
            self._quad(layers, [*wide[:2], (length + 3, self.at[1] - 1.5, 0), (-3, self.at[1] - 1.5, 0)], floor)
        else:
            self._quad(layers, wide, floor)
            self._quad(layers, [(-3, 0, 0), (length + 3, 0, 0), (length + 3, 0, -0.35), (-3, 0, -0.35)], face)
        self._opening(layers, any(m.what == "cover" for m in gone))
        panels = int(self.length_m // self.panel_m)
        for n in range(panels):
            self._panel(layers, n, [m for m in gone if m.what != "cover"])
        self._cache = (gone, layers)
        return layers

    def _opening_corners(self) -> list[tuple[float, float, float]]:
        x, y = self.length_m * 0.4, (3.0 if self.inside else 2.0)
        return [(x, y, 0), (x + 1.8, y, 0), (x + 1.8, y + 1.8, 0), (x, y + 1.8, 0)]

    def _opening(self, layers: Layers, uncovered: bool) -> None:
        if not self.inside:
            return
        corners = self._opening_corners()
        self._quad(layers, corners, (25, 28, 30) if uncovered else (95, 150, 190), 0.15 if uncovered else 1.0)
        if uncovered:
            return
        for part in (0.33, 0.67):
            x = corners[0][0] + 1.8 * part
            self._bar(layers, (x, corners[0][1], 0), (x, corners[2][1], 0), 0.03, (50, 80, 110))

    def _panel(self, layers: Layers, n: int, gone: list[Missing]) -> None:
        a, b = n * self.panel_m, (n + 1) * self.panel_m
        hits = [m for m in gone if m.from_m < b - 0.01 and m.to_m > a + 0.01]
        fallen = any(m.what == "fallen" for m in hits)
        bare = any(m.what == "panels" for m in hits)
        small = [m for m in hits if m.what == "small"]
        colour = self.rail_colour
        self._bar(layers, (a, 0, 0), (a, 0, 1.2), 0.05, colour)
        if n == int(self.length_m // self.panel_m) - 1:
            self._bar(layers, (b, 0, 0), (b, 0, 1.2), 0.05, colour)
        if bare:
            return
        if fallen:
            self._bar(layers, (a, 0, 0.1), (b, -0.3, 0.02), 0.05, colour)
            self._bar(layers, (a, 0, 0.6), (b, 0, 0.1), 0.05, colour)
            return
        for from_m, to_m in _without(a, b, small):
            self._filling(layers, from_m, to_m, any(m.what == "net_only" for m in hits))

    def _filling(self, layers: Layers, a: float, b: float, net_gone: bool) -> None:
        colour = self.rail_colour
        if self.style == "net" and not net_gone:
            under = layers.albedo.copy(), layers.near.copy()
            self._quad(layers, [(a, 0, 0.05), (b, 0, 0.05), (b, 0, 1.2), (a, 0, 1.2)], (70, 140, 60))
            layers.albedo[:] = 0.55 * layers.albedo + 0.45 * under[0]
            layers.near[:] = 0.6 * layers.near + 0.4 * under[1]
        if self.style == "mesh":
            for x in np.arange(a + 0.14, b, 0.14):
                self._bar(layers, (x, 0, 0.1), (x, 0, 1.15), 0.012, colour)
        heights = {"tube": (0.6, 1.2), "mesh": (0.12, 1.2), "net": (0.6, 1.2), "timber": (0.55, 0.6, 1.15, 1.2)}
        for height in heights[self.style]:
            self._bar(layers, (a, 0, height), (b, 0, height), 0.09 if self.style == "timber" else 0.05, colour)
        if self.toe_board:
            board = (60, 200, 230) if self.style != "timber" else colour
            self._quad(layers, [(a, 0, 0), (b, 0, 0), (b, 0, 0.18), (a, 0, 0.18)], board)

    # --- light, weather, people, sensor ---

    def _shadow(self, rng: np.random.Generator) -> np.ndarray:
        mask = np.ones((HEIGHT, WIDTH * 2), np.float32)
        for _ in range(4):
            x = rng.integers(0, WIDTH * 2)
            spots = np.array(
                [[x, 0], [x + rng.integers(40, 260), 0], [x + rng.integers(40, 500), HEIGHT], [x - 60, HEIGHT]]
            )
            cv2.fillPoly(mask, [spots.astype(np.int32)], float(rng.uniform(0.35, 0.6)))
        return cv2.GaussianBlur(mask, (0, 0), 2)

    def _rain(self, rng: np.random.Generator) -> np.ndarray:
        streaks = np.zeros((HEIGHT + 200, WIDTH), np.float32)
        for _ in range(500):
            x, y, long = int(rng.integers(0, WIDTH)), int(rng.integers(0, HEIGHT + 180)), int(rng.integers(8, 24))
            cv2.line(streaks, (x, y), (x + 2, y + long), float(rng.uniform(15, 55)), 1, cv2.LINE_AA)
        return streaks

    def _weather(self, rng: np.random.Generator) -> list[tuple[str, float, float, float]]:
        """(kind, from second, to second, strength)."""
        spells = []
        for kind, often in (("rain", 2), ("glare", 2), ("dust", 2), ("wind", 3), ("cloud", 4)):
            for _ in range(often):
                start = float(rng.uniform(0, DAY_S - 3600))
                spells.append((kind, start, start + float(rng.uniform(600, 7200)), float(rng.uniform(0.3, 1.0))))
        return spells

    def _events(self, rng: np.random.Generator) -> tuple[Missing, ...]:
        panels, found, second = int(self.length_m // self.panel_m), [], 900.0
        number = 0
        while second < DAY_S - 3000:
            what = WHAT[number % len(WHAT)]
            number += 1
            lasts = float(rng.uniform(600, 2400))
            first = int(rng.integers(0, panels - 1))
            last = min(panels, first + int(rng.integers(1, 3)))
            from_m, to_m, edge, counts = first * self.panel_m, last * self.panel_m, "edge", True
            if what == "small":
                from_m, to_m, counts = from_m + 0.6, from_m + 0.95, False
            if what == "net_only":
                counts = False
            if what == "cover":
                edge, from_m, to_m = "opening", 0.0, 7.2
            if what != "cover" or self.inside:
                found.append(Missing(edge, from_m, to_m, second, second + lasts, what, counts))
            second += lasts + float(rng.uniform(1200, 5400))
        return tuple(found)

    def _strength(self, kind: str, second: float) -> float:
        return max((s for k, a, b, s in self.weather if k == kind and a <= second < b), default=0.0)

    def _expose(self, second: float, layers: Layers, plain: bool = False) -> np.ndarray:
        hour = second / 3600
        sun = float(np.clip(math.sin((hour - 5.5) / 13 * math.pi), 0, 1)) if 5.5 < hour < 18.5 else 0.0
        night = 1 - min(1.0, sun * 4)
        ambient = 0.02 + 1.05 * sun**0.6
        light = np.full((HEIGHT, WIDTH), ambient, np.float32)
        if not plain and sun > 0.1 and not self._strength("cloud", second):
            move = int(second / DAY_S * WIDTH * 3) % WIDTH
            light *= self.shadow[:, move : move + WIDTH]
        if night > 0:
            light += night * self._lamp_light() * layers.near
        gain = 1.0 / max(0.16, min(1.0, float(light.mean()) * 1.1))
        image = layers.albedo * (light * gain)[..., None]
        sigma = 1.5 + 1.2 * (gain - 1)
        if not plain:
            image = self._weathered(image, second)
        return self._sensed(image, second, sigma)

    def _lamp_light(self) -> np.ndarray:
        y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        away = ((x / WIDTH - self.lamp[0]) ** 2 + (y / HEIGHT - self.lamp[1]) ** 2) / self.lamp[2] ** 2
        return (0.05 + 0.55 * np.exp(-away)).astype(np.float32)

    def _weathered(self, image: np.ndarray, second: float) -> np.ndarray:
        rng = np.random.default_rng((self.seed, int(second), 1))
        if rain := self._strength("rain", second):
            roll = int(rng.integers(0, 200))
            image = 0.92 * image + (rain * self.rain[roll : roll + HEIGHT])[..., None]
        if dust := self._strength("dust", second):
            thick = 0.45 * dust * (0.6 + 0.4 * math.sin(second / 9.0))
            image = image * (1 - thick) + 150 * thick
        if (glare := self._strength("glare", second)) and 6 < second / 3600 < 18:
            y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
            spot = np.exp(-(((x - WIDTH * 0.7) / 160) ** 2 + ((y - HEIGHT * 0.3) / 130) ** 2))
            image = image + (260 * glare * spot)[..., None]
        return image

    def _sensed(self, image: np.ndarray, second: float, sigma: float) -> np.ndarray:
        rng = np.random.default_rng((self.seed, int(second), 2))
        x, y = rng.integers(0, 64, 2)
        image = image + (sigma * self.noise[y : y + HEIGHT, x : x + WIDTH])[..., None]
        return np.clip(image, 0, 255).astype(np.uint8)

    def _people(self, image: np.ndarray, second: float) -> np.ndarray:
        """Walkers: a 3-minute walk along the edge every now and then, in front of or behind the rail."""
        boxes = []
        slot = int(second // 240)
        rng = np.random.default_rng((self.seed, slot, 3))
        for _ in range(int(rng.integers(0, 3))):
            speed, off = float(rng.uniform(-0.5, 0.5)), float(rng.uniform(-1.0, 3.0))
            start = float(rng.uniform(0, self.length_m))
            pause = float(rng.uniform(0, 240))
            x = start + speed * (min(second % 240, pause))
            y = off if self.inside else abs(off) + 0.3
            if not 0 < x < self.length_m:
                continue
            foot, top = self.project(np.array([[x, y, 0], [x, y, 1.75]]))
            half = (foot[1] - top[1]) * 0.16
            box = [foot[0] - half, top[1], foot[0] + half, foot[1]]
            colour = rng.uniform(30, 220, 3)
            cv2.rectangle(image, (int(box[0]), int(box[1] + half)), (int(box[2]), int(box[3])), colour.tolist(), -1)
            cv2.circle(image, (int(foot[0]), int(top[1] + half * 0.8)), max(1, int(half * 0.7)), (60, 170, 220), -1)
            seen = np.random.default_rng((self.seed, int(second), 4)).random()
            if seen < 0.9:
                boxes.append(box)
        return np.array(boxes, np.float32).reshape(-1, 4)

    def frame_at(self, second: float) -> tuple[np.ndarray, np.ndarray]:
        """Picture (h, w, 3) uint8 and person boxes (n, 4)."""
        gone = tuple(m for m in self.events if m.from_s <= second < m.to_s)
        image = self._expose(second, self._layers(gone))
        boxes = self._people(image, second)
        if wind := self._strength("wind", second):
            rng = np.random.default_rng((self.seed, int(second), 5))
            dx, dy = rng.normal(0, 1.6 * wind, 2)
            angle = rng.normal(0, 0.0006 * wind)
            image = cv2.warpAffine(
                image, np.array([[1, -angle, dx], [angle, 1, dy]]), (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE
            )
        if int(second) % 3 == 0:
            image = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 70])[1], cv2.IMREAD_COLOR)
        return image, boxes

    # --- survey ---

    def _survey(self, rng: np.random.Generator) -> Survey:
        """As a careful person would draw it: each spot off by about a pixel."""
        end = (self.length_m // self.panel_m) * self.panel_m

        def spot(x: float, y: float, z: float) -> tuple[float, float]:
            at = self.project(np.array([[x, y, z]]))[0] + rng.normal(0, 0.7, 2)
            return (float(np.clip(at[0] / WIDTH, 0, 1)), float(np.clip(at[1] / HEIGHT, 0, 1)))

        marks = tuple(RailMark(spot(x, 0, 0), spot(x, 0, 1.2), 1.2) for x in (0.0, end))
        line = (spot(0, 0, 0), spot(end, 0, 0))
        edges = [Edge("edge", "edge", EdgeKind.FLOOR_EDGE, line, end, marks)]
        if self.inside:
            outline = tuple(spot(*corner) for corner in self._opening_corners())
            edges.append(Edge("opening", "opening", EdgeKind.OPENING, outline, 7.2))
        return Survey("cam", 1, 0, "bench", "0" * 64, (), tuple(edges))


def _without(a: float, b: float, holes: list[Missing]) -> list[tuple[float, float]]:
    parts = [(a, b)]
    for hole in holes:
        parts = [
            piece
            for x, y in parts
            for piece in ((x, max(x, min(y, hole.from_m))), (min(y, max(x, hole.to_m)), y))
            if piece[1] > piece[0]
        ]
    return parts
