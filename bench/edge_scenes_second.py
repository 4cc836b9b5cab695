"""Second generator of edge scenes: boxes in space, cast ray by ray, lit by a sun that moves, lamps and a sky.

Nothing here is taken from the first generator, and the check was not tuned on it. A building shell of concrete boxes
has its floor edge guarded by posts, rails, mesh or boards, each a box; the camera has a bent lens, an exposure control,
a tone curve, shot noise and a codec. The shell is cast once, what comes and goes over it once for each state of the
site, light and haze are mixed once a simulated minute, and a frame adds rain, people (hidden by what stands nearer),
sway, noise and codec. Pictures are grey, which is all that the check looks at. All from the seed.
"""

import itertools
from dataclasses import dataclass

import cv2
import numpy as np

from bench.edge_film import Still, still_of, toned
from gateway.model.survey import Edge, EdgeKind, RailMark, Survey

COLS, LINES, FINE = 640, 360, 2
DAY = 86_400
FACES = np.array([[-1, 0, 0], [1, 0, 0], [0, -1, 0], [0, 1, 0], [0, 0, -1], [0, 0, 1]], float)


@dataclass(frozen=True)
class Gone:
    """A stretch without protection: metres, seconds, and whether it must be found."""

    edge_id: str
    from_m: float
    to_m: float
    from_s: float
    to_s: float
    what: str
    counts: bool = True


@dataclass(frozen=True)
class Box:
    """An upright box; `weave` > 0 makes it a mesh with that spacing (m)."""

    low: tuple[float, float, float]
    high: tuple[float, float, float]
    paint: tuple[float, float, float]
    weave: float = 0.0
    grain: float = 0.25
    casts: bool = False


@dataclass
class Surfaces:
    """What one state of the site looks like without light: reflectance by facing, lamp-lit part, places, depth."""

    facing: list[np.ndarray]
    lamps: np.ndarray
    place: np.ndarray
    depth: np.ndarray
    sky: np.ndarray


@dataclass
class Hits:
    """What each ray meets first: how far (m), which of six faces (-1 for the sky), its reflectance (3)."""

    depth: np.ndarray
    face: np.ndarray
    tint: np.ndarray


class Scene:
    """One camera for a day."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        dice = np.random.default_rng([seed, 77])
        self.run_m = float(dice.choice([9.6, 12.0, 14.4, 18.0]))
        self.bay_m = float(dice.choice([1.5, 1.8, 2.0]))
        self.kind = ("pipes", "weave", "boards", "cables")[int(dice.integers(4))]
        self.paint = [(0.75, 0.16, 0.12), (0.85, 0.7, 0.12), (0.55, 0.55, 0.58), (0.2, 0.35, 0.65)][
            int(dice.integers(4))
        ]
        self.from_street = bool(dice.random() < 0.55)
        self.bend = float(dice.uniform(-0.02, 0.06))
        self.flood = [
            np.array([dice.uniform(0, self.run_m), dice.uniform(1.5, 5), dice.uniform(3.0, 6.0)]) for _ in range(2)
        ]
        self.sun_turn = float(dice.uniform(0, 2 * np.pi))
        self.shell = self._shell(dice)
        self._aim(dice)
        self.grains = dice.standard_normal((LINES + 90, COLS + 90)).astype(np.float32)
        self.spells = [
            (name, start, start + float(dice.uniform(900, 9000)), float(dice.uniform(0.4, 1)))
            for name, times in (("rain", 2), ("fog", 1), ("flare", 1), ("sway", 3), ("overcast", 3))
            for start in dice.uniform(0, DAY - 3600, times)
        ]
        self.stack_s = tuple(sorted(dice.uniform(6 * 3600, 20 * 3600, 2)))
        self.events = self._plan(dice)
        self._hits: Hits | None = None
        self._states: dict[object, Surfaces] = {}
        self._still: tuple[object, Still] | None = None
        self._shade: tuple[int, np.ndarray] | None = None
        self.survey = self._drawn(dice)
        self.reference, self.night_reference = (self._clear(hour * 3600) for hour in (9.5, 21.5))

    def _clear(self, second: float) -> np.ndarray:
        """The site whole, with nobody about and no weather."""
        still = still_of(self._light(second, (), False, clear=True))
        return self._developed(still.mean, still.spread, second)

    # camera

    def _aim(self, dice: np.random.Generator) -> None:
        middle = np.array([self.run_m / 2, 0.3, 0.6])
        far = float(dice.uniform(8, 15))
        y = -far if self.from_street else min(far, 9.5)
        self.eye = np.array([self.run_m * float(dice.uniform(-0.05, 1.05)), y, float(dice.uniform(1.8, 6.5))])
        forward = middle - self.eye
        forward /= np.linalg.norm(forward)
        side = np.cross(forward, (0, 0, 1))
        side /= np.linalg.norm(side)
        roll = float(dice.uniform(-0.03, 0.03))
        down = np.cross(forward, side)
        self.axes = np.array(
            [np.cos(roll) * side + np.sin(roll) * down, np.cos(roll) * down - np.sin(roll) * side, forward]
        )
        corners = np.array(list(itertools.product((0, self.run_m), (0,), (-0.4, 1.7))), float)
        seen = (corners - self.eye) @ self.axes.T
        slope = np.abs(seen[:, :2] / np.maximum(seen[:, 2:], 0.5)).max(0)
        self.zoom = min(COLS * 0.44 / slope[0], LINES * 0.4 / slope[1])
        v, u = np.mgrid[0 : LINES * FINE, 0 : COLS * FINE]
        x = ((u + 0.5) / FINE - COLS / 2) / self.zoom
        y2 = ((v + 0.5) / FINE - LINES / 2) / self.zoom
        stretch = 1 + self.bend * (x * x + y2 * y2)
        local = np.stack([x * stretch, y2 * stretch, np.ones_like(x)], axis=-1)
        self.rays = (local @ self.axes).astype(np.float32)

    def pixel(self, spots: np.ndarray) -> np.ndarray:
        """World (n, 3) to pixels (n, 2), through the bent lens."""
        seen = (np.asarray(spots, float) - self.eye) @ self.axes.T
        straight = seen[:, :2] / np.maximum(seen[:, 2:], 0.3)
        bent = straight.copy()
        for _ in range(8):
            bent = straight / (1 + self.bend * (bent**2).sum(1, keepdims=True))
        return bent * self.zoom + (COLS / 2, LINES / 2)

    # the site as boxes

    def _shell(self, dice: np.random.Generator) -> list[Box]:
        grey = float(dice.uniform(0.35, 0.6))
        concrete = (grey, grey, grey * 0.95)
        run = self.run_m
        boxes = [
            Box((-60, -60, -9.0), (60, 80, -8.5), (0.33, 0.29, 0.22), grain=0.6),
            Box((-4, 0, -0.3), (run + 4, 16, 0), concrete, grain=0.3, casts=True),
        ]
        for x in np.arange(-1.2, run + 3, 4.2):
            boxes.append(Box((x, 1.6, 0), (x + 0.5, 2.1, 3.2), concrete, casts=True))
            boxes.append(Box((x, 9.0, 0), (x + 0.5, 9.5, 3.2), concrete, casts=True))
        if self.from_street:
            boxes.append(Box((-4, 0.2, 3.2), (run + 4, 16, 3.5), concrete, casts=True))
            boxes.append(Box((-4, 12, 0), (run + 4, 12.3, 3.2), (0.4, 0.33, 0.3), grain=0.5))
        for _ in range(9):
            x, y, tall = (
                dice.uniform(-30, 40),
                dice.uniform(20, 60) * (1 if self.from_street else -1),
                dice.uniform(2, 24),
            )
            wide, tint = dice.uniform(3, 11), dice.uniform(0.2, 0.7, 3)
            boxes.append(Box((x, y, -8.5), (x + wide, y + 6, tall - 8.5), tuple(tint), grain=0.5))
        for _ in range(int(dice.integers(3, 9))):
            x, y, side = dice.uniform(0, run), dice.uniform(2.6, 8), dice.uniform(0.3, 1.1)
            boxes.append(Box((x, y, 0), (x + side, y + side, side), tuple(dice.uniform(0.15, 0.7, 3)), grain=0.4))
        return boxes

    def _guard(self, gone: tuple[Gone, ...]) -> list[Box]:
        boxes: list[Box] = []
        bays = round(self.run_m / self.bay_m)
        width = self.run_m / bays
        for n in range(bays + 1):
            x = n * width
            bare = [
                g
                for g in gone
                if g.edge_id == "rail" and g.what == "stripped" and g.from_m - 0.01 <= x <= g.to_m + 0.01
            ]
            if not any(g.from_m + 0.01 < x < g.to_m - 0.01 for g in bare):
                boxes.append(Box((x - 0.03, 0.05, 0), (x + 0.03, 0.11, 1.22), self.paint, grain=0.1))
        for n in range(bays):
            a, b = n * width, (n + 1) * width
            over = [g for g in gone if g.edge_id == "rail" and g.from_m < b - 0.02 and g.to_m > a + 0.02]
            if any(g.what == "collapsed" for g in over):
                boxes.append(Box((a, 0.35, 0.0), (b, 0.42, 0.06), self.paint, grain=0.1))
                boxes.append(Box((a + 0.2, 0.6, 0.0), (b - 0.1, 0.66, 0.06), self.paint, grain=0.1))
            elif any(g.what in ("bays", "stripped") for g in over):
                continue
            else:
                cut = [g for g in over if g.what == "slit"]
                pieces = [(a, cut[0].from_m), (cut[0].to_m, b)] if cut else [(a, b)]
                for from_m, to_m in pieces:
                    boxes += self._bay(from_m, to_m)
        return boxes

    def _bay(self, a: float, b: float) -> list[Box]:
        def bar(low: float, high: float, deep: float = 0.05) -> Box:
            return Box((a, 0.06, low), (b, 0.06 + deep, high), self.paint, grain=0.1)

        if self.kind == "pipes":
            return [bar(1.15, 1.2), bar(0.58, 0.63), bar(0, 0.19, 0.02)]
        if self.kind == "weave":
            mesh = Box((a, 0.08, 0.05), (b, 0.085, 1.18), self.paint, weave=0.12, grain=0.1)
            return [mesh, bar(1.15, 1.2), bar(0.04, 0.08)]
        if self.kind == "boards":
            return [bar(1.06, 1.2, 0.03), bar(0.52, 0.66, 0.03), bar(0, 0.2, 0.03)]
        return [bar(h, h + 0.035) for h in (0.3, 0.6, 0.9, 1.17)] + [bar(0, 0.18, 0.02)]

    def _hatch(self, gone: tuple[Gone, ...]) -> list[Box]:
        x = self.run_m * 0.55
        if any(g.edge_id == "hatch" for g in gone):
            return [Box((x, 3.2, 0.001), (x + 1.6, 4.8, 0.002), (0.03, 0.03, 0.035), grain=0.05)]
        boards = [
            Box((x + 0.4 * n, 3.2, 0), (x + 0.4 * n + 0.37, 4.8, 0.05), (0.6, 0.45, 0.26), grain=0.4) for n in range(4)
        ]
        return [Box((x, 3.2, 0.001), (x + 1.6, 4.8, 0.002), (0.1, 0.09, 0.08)), *boards]

    def _loose(self, gone: tuple[Gone, ...], stacked: bool) -> list[Box]:
        """All that comes and goes: the guard, the hatch, a stack of goods."""
        boxes = self._guard(gone)
        if not self.from_street:
            boxes = boxes + self._hatch(gone)
        if stacked:
            x = self.run_m * 0.25
            boxes = [*boxes, Box((x, 0.9, 0), (x + 1.8, 1.5, 0.8), (0.55, 0.42, 0.3), grain=0.5)]
        return boxes

    # rays and light

    def _surfaces(self, gone: tuple[Gone, ...], stacked: bool) -> Surfaces:
        key = (gone, stacked)
        if key not in self._states:
            if len(self._states) > 4:
                self._states.clear()
            self._states[key] = self._finished(self._cast(self._loose(gone, stacked), self._bare_shell()))
        return self._states[key]

    def _bare_shell(self) -> "Hits":
        """What never changes, cast once."""
        if self._hits is None:
            tall, wide = LINES * FINE, COLS * FINE
            nothing = Hits(
                np.full((tall, wide), 1e6, np.float32),
                np.full((tall, wide), -1, np.int8),
                np.zeros((tall, wide, 3), np.float32),
            )
            self._hits = self._cast(self.shell, nothing)
        return self._hits

    def _cast(self, boxes: list[Box], behind: "Hits") -> "Hits":
        depth, face, tint = behind.depth.copy(), behind.face.copy(), behind.tint.copy()
        eye = self.eye.astype(np.float32)
        for box in boxes:
            part = self._window(box)
            rays = self.rays[part]
            with np.errstate(divide="ignore", invalid="ignore"):
                first, second = ((np.array(end, np.float32) - eye) / rays for end in (box.low, box.high))
            enter, leave = np.minimum(first, second), np.maximum(first, second)
            near, axis = enter.max(-1), enter.argmax(-1)
            hit = (near < leave.min(-1)) & (near > 0.2) & (near < depth[part])
            if not hit.any():
                continue
            place = eye + near[..., None] * rays
            if box.weave:
                hit &= (np.mod(place[..., 0], box.weave) < 0.022) | (np.mod(place[..., 2], box.weave) < 0.022)
            shade = 1 - box.grain / 2 + box.grain * _speckle(place)
            depth[part] = np.where(hit, near, depth[part])
            side = (2 * axis + (np.take_along_axis(rays, axis[..., None], -1)[..., 0] < 0)).astype(np.int8)
            face[part] = np.where(hit, side, face[part])
            tint[part] = np.where(hit[..., None], np.array(box.paint, np.float32) * shade[..., None], tint[part])
        return Hits(depth, face, tint)

    def _finished(self, hits: "Hits") -> Surfaces:
        depth, face, tint = hits.depth, hits.face, hits.tint
        eye = self.eye.astype(np.float32)
        place = eye + np.minimum(depth, 200)[..., None] * self.rays
        lamps = sum(self._lamp(lamp, place, face) for lamp in self.flood)
        small = (COLS, LINES)

        def shrink(field: np.ndarray) -> np.ndarray:
            return cv2.resize(field, small, interpolation=cv2.INTER_AREA)

        return Surfaces(
            [shrink(tint * (face == n)[..., None]) for n in range(6)],
            shrink(tint * np.asarray(lamps, np.float32)[..., None]),
            place[::FINE, ::FINE],
            depth[::FINE, ::FINE],
            shrink((face < 0).astype(np.float32)),
        )

    def _window(self, box: Box) -> tuple[slice, slice]:
        corners = np.array(list(itertools.product(*zip(box.low, box.high, strict=True))), float)
        if (((corners - self.eye) @ self.axes.T)[:, 2] < 0.6).any():
            return (slice(None), slice(None))
        spots = self.pixel(corners) * FINE
        (left, top), (right, foot) = np.floor(spots.min(0)) - 2, np.ceil(spots.max(0)) + 2
        return (
            slice(int(np.clip(top, 0, LINES * FINE)), int(np.clip(foot, 0, LINES * FINE))),
            slice(int(np.clip(left, 0, COLS * FINE)), int(np.clip(right, 0, COLS * FINE))),
        )

    def _lamp(self, lamp: np.ndarray, place: np.ndarray, face: np.ndarray) -> np.ndarray:
        way = lamp.astype(np.float32) - place
        square = (way**2).sum(-1)
        facing = FACES[np.clip(face, 0, 5)].astype(np.float32)
        return np.where(face >= 0, np.maximum((way * facing).sum(-1), 0.08 * np.sqrt(square)) / square**1.5 * 6, 0)

    def _sun(self, second: float) -> tuple[np.ndarray, float]:
        turn = (second / 3600 - 12.2) / 12 * np.pi
        high = np.cos(turn) * 0.85 + 0.08
        way = np.array([np.sin(turn + self.sun_turn), np.cos(turn + self.sun_turn) * 0.7, max(high, 0.02)])
        return way / np.linalg.norm(way), float(np.clip(high * 3, 0, 1))

    def _shadows(self, second: float, surfaces: Surfaces) -> np.ndarray:
        slot = int(second // 300)
        if self._shade and self._shade[0] == slot:
            return self._shade[1]
        sun, _ = self._sun(slot * 300.0)
        place = surfaces.place[::3, ::3].astype(float) + sun * 0.08
        jib = -20 + (slot * 7 % 60)
        blockers = [(b.low, b.high) for b in self.shell if b.casts] + [((jib, -30, 24), (jib + 1.5, 40, 26))]
        free = np.ones(place.shape[:2], np.float32)
        with np.errstate(divide="ignore", invalid="ignore"):
            for low, high in blockers:
                first, second_ = ((np.array(end) - place) / sun for end in (low, high))
                enter, leave = np.minimum(first, second_).max(-1), np.maximum(first, second_).min(-1)
                free[(enter < leave) & (leave > 0)] = 0
        soft = cv2.GaussianBlur(cv2.resize(free, (COLS, LINES), interpolation=cv2.INTER_LINEAR), (0, 0), 1.2)
        self._shade = (slot, soft)
        return soft

    def _light(self, second: float, gone: tuple[Gone, ...], stacked: bool, clear: bool = False) -> np.ndarray:
        """Radiance (h, w, 3), linear, as it is for the minute."""
        surfaces = self._surfaces(gone, stacked)
        second = second // 60 * 60
        sun, high = self._sun(second)
        dull = self._spell("overcast", second) if not clear else 0.0
        direct, around = high * 1.6 * (1 - dull), 0.004 + high * (0.4 + 0.35 * dull)
        total = sum(surfaces.facing) * around
        falls = sum(max(0.0, float(FACES[n] @ sun)) * surfaces.facing[n] for n in range(6))
        lit = total + direct * falls * self._shadows(second, surfaces)[..., None]
        lit = lit + (surfaces.lamps if high < 0.35 else 0)
        lit = lit + surfaces.sky[..., None] * np.array([0.9, 0.75, 0.62]) * (0.01 + 0.9 * high)
        return np.asarray(lit, np.float32)

    # a frame

    def _spell(self, name: str, second: float) -> float:
        return max((s for n, a, b, s in self.spells if n == name and a <= second < b), default=0.0)

    def _stands(self, second: float, gone: tuple[Gone, ...], stacked: bool) -> Still:
        """The picture without what moves, kept for the minute: site, sun, lamps, fog, flare, the veil of rain."""
        weather = tuple(self._spell(name, second) for name in ("fog", "flare", "rain"))
        key = (int(second // 60), gone, stacked, weather)
        if self._still is None or self._still[0] != key:
            light = self._hazed(self._light(second, gone, stacked), second, self._surfaces(gone, stacked))
            self._still = (key, still_of(light))
        return self._still[1]

    def _hazed(self, light: np.ndarray, second: float, surfaces: Surfaces) -> np.ndarray:
        mean = float(light.mean())
        if thick := self._spell("fog", second):
            left = np.exp(-surfaces.depth * 0.035 * thick)[..., None]
            light = light * left + mean * 1.2 * (1 - left)
        if self._spell("rain", second):
            light = light * 0.93
        if (bright := self._spell("flare", second)) and self._sun(second)[1] > 0.2:
            u, v = np.meshgrid(np.arange(COLS) - COLS * 0.25, np.arange(LINES) - LINES * 0.15)
            light = light + (mean * 2.5 * bright / (1 + (u**2 + v**2) / 5000))[..., None].astype(np.float32)
        return light

    def _rain(self, mean: np.ndarray, still: Still, hard: float, second: float) -> None:
        """Streaks of half the mean light, added where they fall."""
        dice = np.random.default_rng([self.seed, int(second), 2])
        u, v, long = dice.integers((0, -20, 6), (COLS, LINES, 30), (int(160 * hard), 3)).T
        lines = np.stack([np.stack([u, v], 1), np.stack([u - 3, v + long], 1)], 1).astype(np.int32)
        veil = np.zeros((LINES, COLS), np.uint8)
        cv2.polylines(veil, list(lines), False, 1)
        wet = np.nonzero(veil)
        mean[wet] = np.sqrt((mean[wet] / 255) ** 2 + 0.5 * still.exposed) * 255

    def _people(
        self, mean: np.ndarray, spread: np.ndarray, still: Still, second: float, surfaces: Surfaces
    ) -> np.ndarray:
        boxes = []
        shift = int(second // 300)
        dice = np.random.default_rng([self.seed, shift, 3])
        for _ in range(int(dice.poisson(0.9))):
            x0, y0, pace = dice.uniform(0, self.run_m), dice.uniform(0.5, 5), dice.uniform(-0.25, 0.25)
            vest = dice.uniform(0.2, 0.9, 3)
            until = dice.uniform(30, 300)
            spot = np.array([x0 + pace * (second % 300), y0, 0.0])
            if second % 300 > until or not 0 < spot[0] < self.run_m:
                continue
            (u, v), (_, top) = self.pixel(np.array([spot, spot + np.array([0, 0, 1.75])]))
            tall = v - top
            rows, columns = np.mgrid[int(top) : int(v) + 1, int(u - tall / 6) : int(u + tall / 6) + 1]
            inside = (rows >= 0) & (rows < LINES) & (columns >= 0) & (columns < COLS)
            rows, columns = rows[inside], columns[inside]
            part = (rows - top) / max(tall, 1)
            slim = np.where(part < 0.15, 0.45, np.where(part < 0.55, 1.0, 0.7))
            body = np.abs(columns - u) < slim * tall / 6.5
            ahead = surfaces.depth[rows, columns] > float((spot - self.eye) @ self.axes[2]) * 0.98
            use = body & ahead
            paint = np.where((part < 0.55)[:, None], vest, 0.12) * (0.3 + part[:, None] * 0.4)
            light = paint[use] * max(still.exposed * 2.2, 0.003 * still.gain)
            mean[rows[use], columns[use]], spread[rows[use], columns[use]] = toned(light[None], still.gain)
            error = np.random.default_rng([self.seed, int(second), 4]).normal(0, 0.02 * tall, 4)
            if np.random.default_rng([self.seed, int(second), 5]).random() < 0.92:
                boxes.append(np.array([u - tall / 6, top, u + tall / 6, v]) + error)
        return np.array(boxes, np.float32).reshape(-1, 4)

    def _developed(self, mean: np.ndarray, spread: np.ndarray, second: float) -> np.ndarray:
        """Shot noise and codec."""
        dice = np.random.default_rng([self.seed, int(second), 1])
        y, x = dice.integers(0, 90, 2)
        noise = cv2.multiply(spread, self.grains[y : y + LINES, x : x + COLS])
        grey = cv2.add(mean, noise, dtype=cv2.CV_8U)
        ok, packed = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 78])
        assert ok
        return cv2.cvtColor(cv2.imdecode(packed, cv2.IMREAD_GRAYSCALE), cv2.COLOR_GRAY2BGR)

    def frame_at(self, second: float) -> tuple[np.ndarray, np.ndarray]:
        """Picture (h, w, 3) uint8, grey in three channels, and the person boxes of a detector that errs a little."""
        gone = tuple(g for g in self.events if g.from_s <= second < g.to_s)
        stacked = self.stack_s[0] < second < self.stack_s[1]
        still = self._stands(second, gone, stacked)
        mean, spread = still.mean.copy(), still.spread.copy()
        if hard := self._spell("rain", second):
            self._rain(mean, still, hard, second)
        boxes = self._people(mean, spread, still, second, self._surfaces(gone, stacked))
        if sway := self._spell("sway", second):
            dx, dy = 1.8 * sway * np.sin(second * 1.7), 0.9 * sway * np.sin(second * 2.9 + 1)
            move = np.array([[1, 0, dx], [0, 1, dy]])
            mean, spread = (
                cv2.warpAffine(field, move, (COLS, LINES), borderMode=cv2.BORDER_REFLECT) for field in (mean, spread)
            )
            boxes = boxes + np.array([dx, dy, dx, dy], np.float32)
        return self._developed(mean, spread, second), boxes

    # what is taken away, and the drawing

    def _plan(self, dice: np.random.Generator) -> tuple[Gone, ...]:
        bays = round(self.run_m / self.bay_m)
        width = self.run_m / bays
        plan: list[Gone] = []
        clock = float(dice.uniform(600, 2400))
        kinds = ["bays", "collapsed", "stripped", "slit", "hatch", "bays", "all"]
        while clock < DAY - 2500:
            kind = kinds[int(dice.integers(len(kinds)))]
            stays = float(dice.uniform(480, 2700))
            first = int(dice.integers(0, bays))
            many = int(dice.integers(1, 4))
            from_m, to_m = first * width, min(bays, first + many) * width
            if kind == "all":
                plan.append(Gone("rail", 0.0, self.run_m, clock, clock + stays, "bays"))
            elif kind == "slit":
                plan.append(Gone("rail", from_m + 0.5, from_m + 0.9, clock, clock + stays, "slit", False))
            elif kind == "hatch":
                if not self.from_street:
                    plan.append(Gone("hatch", 0.0, 6.4, clock, clock + stays, "cover"))
            else:
                plan.append(Gone("rail", from_m, to_m, clock, clock + stays, kind))
            clock += stays + float(dice.uniform(1500, 6000))
        return tuple(plan)

    def _drawn(self, dice: np.random.Generator) -> Survey:
        def at(x: float, y: float, z: float) -> tuple[float, float]:
            u, v = self.pixel(np.array([[x, y, z]]))[0] + dice.normal(0, 0.6, 2)
            return (float(np.clip(u / COLS, 0, 1)), float(np.clip(v / LINES, 0, 1)))

        line = tuple(at(x, 0.08, 0) for x in np.linspace(0, self.run_m, 5))
        marks = tuple(RailMark(at(x, 0.08, 0), at(x, 0.08, 1.2), 1.2) for x in (0.08 * self.run_m, 0.92 * self.run_m))
        edges = [Edge("rail", "rail", EdgeKind.FLOOR_EDGE, line, self.run_m, marks)]
        if not self.from_street:
            x = self.run_m * 0.55
            corners = ((x, 3.2, 0), (x + 1.6, 3.2, 0), (x + 1.6, 4.8, 0), (x, 4.8, 0))
            edges.append(Edge("hatch", "hatch", EdgeKind.OPENING, tuple(at(*c) for c in corners), 6.4))
        return Survey("cam", 1, 0, "bench", "0" * 64, (), tuple(edges))


def _speckle(place: np.ndarray) -> np.ndarray:
    """Value noise in the world, two grain sizes, 0..1."""
    total = np.zeros(place.shape[:-1], np.float32)
    for size, part in ((0.9, 0.6), (0.12, 0.4)):
        cell = np.floor(place / size)
        wave = np.sin(cell[..., 0] * 12.9898 + cell[..., 1] * 78.233 + cell[..., 2] * 37.719) * 43758.5453
        total += part * (wave - np.floor(wave)).astype(np.float32)
    return total
