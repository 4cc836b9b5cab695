"""What the camera of the story sees: the edge of a floor slab with its rail, and two workers in front of it.

    sky, other buildings                     In: the state of the scene (who stands where, with helmet or without, which
    ~~~~~|====|====|    |====|~~~~~ rail     panels of the rail are gone) and a number for the sensor's noise. Out: a
    -----+----+----+----+----+----- edge     picture (540, 960, 3) BGR, and the survey that a person would have drawn.
      floor      /o\\        /o\\

Drawn with our own script; nothing of it is a photograph. Knows no story, no clock and no stream.
"""

from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from drivers.sim.camera_figure import Pose, Worker, figure
from gateway.model.survey import Edge, EdgeKind, RailMark, Survey, Zone, ZoneUse

WIDTH_PX, HEIGHT_PX = 960, 540
EDGE_LEFT, EDGE_RIGHT = (40.0, 300.0), (920.0, 268.0)
EDGE_M, PANEL_M, RAIL_M = 12.0, 2.0, 1.2
PANELS = int(EDGE_M / PANEL_M)
RAIL_LEFT_PX, RAIL_RIGHT_PX = 104.0, 92.0
NOISE_LEVEL = 3.0
Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Standing:
    """One worker: where his feet are (pixels), how tall he is there, who he is and how he stands."""

    x_px: float
    y_px: float
    tall_px: float
    worker: Worker
    pose: Pose


@dataclass(frozen=True, slots=True)
class SceneState:
    """Who is there, the farthest first; the rail's panels that are gone, counted from the left; the light, 1 is day."""

    workers: tuple[Standing, ...] = ()
    gone: frozenset[int] = field(default_factory=frozenset)
    light: float = 1.0


def draw_scene(state: SceneState, noise: int) -> Image:
    """The picture. `noise` chooses the sensor's noise: another number, another noise on the same scene."""
    image = _still(state.gone).copy()
    for standing in state.workers:
        _put(image, standing)
    source = np.random.default_rng(noise)
    down, across = (int(each) for each in source.integers(0, 64, 2))
    grain = _grain()[down : down + HEIGHT_PX, across : across + WIDTH_PX]
    noisy = cv2.add(image, np.ascontiguousarray(grain), dtype=cv2.CV_8U)
    gain = state.light * (1 + 0.004 * float(source.standard_normal()))
    return np.asarray(cv2.convertScaleAbs(noisy, alpha=gain), dtype=np.uint8)


def scene_survey(camera: str, version: int, made_at_ns: int, made_by: str, reference_sha256: str) -> Survey:
    """What a person would have drawn on the picture with its whole rail: the edge with two marks, the whole floor."""
    marks = tuple(RailMark(_fraction(foot), _fraction(top), RAIL_M) for foot, top in (_post(0.0), _post(EDGE_M)))
    line = _fraction(EDGE_LEFT), _fraction(EDGE_RIGHT)
    edge = Edge("north-edge", "3层北侧临边", EdgeKind.FLOOR_EDGE, line, EDGE_M, marks)
    outline = ((0.01, 0.5), (0.99, 0.45), (0.99, 0.99), (0.01, 0.99))
    zone = Zone("floor-3", "3层楼面", ZoneUse.WATCHED, outline)
    return Survey(camera, version, made_at_ns, made_by, reference_sha256, (zone,), (edge,))


def _fraction(spot: tuple[float, float]) -> tuple[float, float]:
    return round(spot[0] / WIDTH_PX, 5), round(spot[1] / HEIGHT_PX, 5)


def _post(along_m: float) -> tuple[tuple[float, float], tuple[float, float]]:
    """Foot and top of a rail post."""
    share = along_m / EDGE_M
    foot = tuple(a + (b - a) * share for a, b in zip(EDGE_LEFT, EDGE_RIGHT, strict=True))
    return (foot[0], foot[1]), (foot[0], foot[1] - (RAIL_LEFT_PX + (RAIL_RIGHT_PX - RAIL_LEFT_PX) * share))


def _put(image: Image, standing: Standing) -> None:
    """Lay a worker over the picture, his shadow under him."""
    colour, cover = figure(standing.worker, standing.pose)
    tall = max(8, round(standing.tall_px))
    wide = max(4, round(tall * colour.shape[1] / colour.shape[0]))
    colour = np.asarray(cv2.resize(colour, (wide, tall), interpolation=cv2.INTER_AREA), np.uint8)
    cover = np.asarray(cv2.resize(cover, (wide, tall), interpolation=cv2.INTER_AREA), np.float32)
    _shadow(image, standing)
    left, top = round(standing.x_px - wide / 2), round(standing.y_px - tall)
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(WIDTH_PX, left + wide), min(HEIGHT_PX, top + tall)
    if x0 >= x1 or y0 >= y1:
        return
    part = (slice(y0 - top, y1 - top), slice(x0 - left, x1 - left))
    weight = cover[part][..., None]
    laid = image[y0:y1, x0:x1] * (1 - weight) + colour[part] * weight
    image[y0:y1, x0:x1] = laid.astype(np.uint8)


def _shadow(image: Image, standing: Standing) -> None:
    size = standing.tall_px
    y0, y1 = max(0, int(standing.y_px - 0.06 * size)), min(HEIGHT_PX, int(standing.y_px + 0.05 * size))
    x0, x1 = max(0, int(standing.x_px - 0.2 * size)), min(WIDTH_PX, int(standing.x_px + 0.45 * size))
    if x0 >= x1 or y0 >= y1:
        return
    ys, xs = np.mgrid[y0:y1, x0:x1]
    far = ((xs - standing.x_px - 0.12 * size) / (0.3 * size)) ** 2 + ((ys - standing.y_px) / (0.05 * size)) ** 2
    shade = 1 - 0.4 * np.clip(1.2 - far, 0, 1)[..., None].astype(np.float32)
    image[y0:y1, x0:x1] = (image[y0:y1, x0:x1] * shade).astype(np.uint8)


@cache
def _grain() -> NDArray[np.int16]:
    source = np.random.default_rng(7)
    grain = source.normal(0, NOISE_LEVEL, (HEIGHT_PX + 64, WIDTH_PX + 64, 1)).round().astype(np.int16)
    return np.repeat(grain, 3, axis=2)


@cache
def _still(gone: frozenset[int]) -> Image:
    """Everything that does not move."""
    image = _beyond()
    _floor(image)
    for panel in range(PANELS):
        if panel not in gone:
            _panel(image, panel)
    return np.clip(cv2.GaussianBlur(image, (0, 0), 0.6), 0, 255).astype(np.uint8)


def _beyond() -> NDArray[np.float32]:
    """Sky and other buildings, with windows, a crane's mast, haze."""
    source = np.random.default_rng(11)
    image = np.empty((HEIGHT_PX, WIDTH_PX, 3), np.float32)
    image[:] = np.linspace((222, 205, 190), (214, 214, 210), HEIGHT_PX)[:, None, :]
    x = -20
    while x < WIDTH_PX:
        width, top = int(source.integers(70, 170)), int(source.integers(20, 170))
        wall = source.uniform(120, 185, 3) * np.array([1.02, 1.0, 0.97])
        cv2.rectangle(image, (x, top), (x + width, 320), wall.tolist(), -1)
        for wx in range(x + 10, x + width - 14, 24):
            for wy in range(top + 12, 310, 30):
                shade = (wall * source.uniform(0.55, 0.8)).tolist()
                cv2.rectangle(image, (wx, wy), (wx + 12, wy + 17), shade, -1)
        x += width + int(source.integers(0, 40))
    for y in range(0, 300, 22):
        cv2.line(image, (700, y), (716, y + 22), (70, 130, 170), 2, cv2.LINE_AA)
    cv2.rectangle(image, (698, 0), (718, 300), (70, 130, 170), 2, cv2.LINE_AA)
    return image


def _floor(image: NDArray[np.float32]) -> None:
    """The slab from its edge to the camera: concrete with joints and stains."""
    source = np.random.default_rng(13)
    (x0, y0), (x1, y1) = EDGE_LEFT, EDGE_RIGHT
    slope = (y1 - y0) / (x1 - x0)
    left, right = y0 - slope * x0, y0 + slope * (WIDTH_PX - x0)
    mask = np.zeros((HEIGHT_PX, WIDTH_PX), np.float32)
    corners = np.array([(0, left), (WIDTH_PX, right), (WIDTH_PX, HEIGHT_PX), (0, HEIGHT_PX)])
    cv2.fillPoly(mask, [np.round(corners * 16).astype(np.int32)], 1.0, cv2.LINE_AA, 4)
    rough = cv2.resize(source.normal(0, 10, (54, 96)).astype(np.float32), (WIDTH_PX, HEIGHT_PX))
    fine = cv2.resize(source.normal(0, 6, (270, 480)).astype(np.float32), (WIDTH_PX, HEIGHT_PX))
    shade = np.linspace(128, 172, HEIGHT_PX, dtype=np.float32)[:, None] + rough + fine
    slab = np.stack([shade * 0.96, shade, shade * 1.02], axis=-1)
    image[:] = image * (1 - mask[..., None]) + slab * mask[..., None]
    for x_far in range(-200, WIDTH_PX + 200, 150):
        cv2.line(
            image, (x_far, int(left)), (int(480 + (x_far - 480) * 2.2), HEIGHT_PX), (112, 116, 120), 1, cv2.LINE_AA
        )
    for y in (360, 430, 505):
        cv2.line(image, (0, y), (WIDTH_PX, y - 14), (114, 118, 122), 1, cv2.LINE_AA)
    a, b = (0, round(left)), (WIDTH_PX, round(right))
    cv2.line(image, a, b, (85, 88, 92), 4, cv2.LINE_AA)
    cv2.rectangle(image, (60, 345), (150, 392), (60, 95, 125), -1)
    cv2.rectangle(image, (60, 345), (150, 392), (40, 65, 85), 2)


def _panel(image: NDArray[np.float32], panel: int) -> None:
    """Two posts, top and middle bar, a toe board, yellow and black as site rails are."""
    (foot_a, top_a), (foot_b, top_b) = _post(panel * PANEL_M), _post((panel + 1) * PANEL_M)
    yellow, black = (40, 185, 225), (35, 38, 42)
    for height, thick in ((1.0, 7), (0.52, 6)):
        a, b = _between(foot_a, top_a, height), _between(foot_b, top_b, height)
        _bar(image, a, b, yellow, thick)
        for i in range(0, 8, 2):
            _bar(image, _between(a, b, i / 8), _between(a, b, (i + 1) / 8), black, thick)
    for i in range(1, 16):
        low, high = _between(foot_a, foot_b, i / 16), _between(top_a, top_b, i / 16)
        _bar(image, low, high, (92, 110, 120), 1)
    toe = 0.15
    spots = [foot_a, foot_b, _between(foot_b, top_b, toe), _between(foot_a, top_a, toe)]
    cv2.fillPoly(image, [np.round(np.array(spots) * 16).astype(np.int32)], (45, 60, 190), cv2.LINE_AA, 4)
    for foot, top in ((foot_a, top_a), (foot_b, top_b)):
        _bar(image, foot, top, (38, 165, 205), 8)


def _between(a: tuple[float, float], b: tuple[float, float], share: float) -> tuple[float, float]:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _bar(
    image: NDArray[np.float32], a: tuple[float, float], b: tuple[float, float], colour: tuple[int, int, int], thick: int
) -> None:
    ends = [(round(x * 16), round(y * 16)) for x, y in (a, b)]
    cv2.line(image, ends[0], ends[1], colour, thick, cv2.LINE_AA, 4)
