"""Things drawn over a canvas: cloth over mouths, bars before heads, round tops that are no heads.

In: pixels, rows of class, x1, y1, x2, y2, a random generator. Out: pixels; boxes stay as they are. The pictures
that the network learns from hold hardly a face mask and hardly a machine's round cap, and it took both for helmets.
Everything is drawn here, nothing is taken from a picture.
"""

import cv2
import numpy
import numpy.typing

from vision.training.classes import PERSON
from vision.training.pictures import Numbers, Pixels

Generator = numpy.random.Generator
Colour = tuple[int, int, int]
Points = list[tuple[float, float]]

MASKED_FROM_PX = 24.0
MASKED_SHARE = 0.15
BARS_SHARE = 0.3
# A head of which more than this is hidden by one bar would be a lesson in guessing.
HIDDEN_AT_MOST = 0.35
ROUND_TOPS_SHARE = 0.35
ROUND_TOP_PX = (12.0, 90.0)
# Blue, green and red of cloth, and of what is painted on sites: helmets' own colours above all.
CLOTH: tuple[Colour, ...] = ((235, 205, 165), (240, 240, 240), (40, 40, 40), (205, 225, 190), (200, 190, 240))
PAINT: tuple[Colour, ...] = (
    *((245, 245, 245), (40, 200, 240), (40, 60, 210), (210, 120, 40), (30, 120, 240)),
    *((60, 80, 130), (130, 130, 130), (60, 60, 60)),
)


def obstruct(pixels: Pixels, boxes: Numbers, random: Generator) -> Pixels:
    """A canvas with masks, bars and round tops in some places; the one handed in stays as it is."""
    drawn = pixels.copy()
    heads = boxes[boxes[:, 0] < PERSON, 1:]
    if random.random() < ROUND_TOPS_SHARE:
        draw_round_tops(drawn, boxes[:, 1:], random)
    for head in heads:
        if head[3] - head[1] >= MASKED_FROM_PX and random.random() < MASKED_SHARE:
            draw_mask(drawn, head, random)
    if random.random() < BARS_SHARE:
        draw_bars(drawn, heads, random)
    return drawn


def draw_mask(pixels: Pixels, head: Numbers, random: Generator) -> None:
    """Cloth over the lower face, a fold, the bands to the ears. Helmets get it too: it is no sign of a class."""
    left, top, right, bottom = (float(side) for side in head)
    width, height = right - left, bottom - top
    upper = top + height * random.uniform(0.52, 0.66)
    lower = top + height * random.uniform(0.9, 1.02)
    middle = (left + right) / 2 + width * random.uniform(-0.15, 0.15)
    half = width * random.uniform(0.28, 0.42)
    edge: Points = [(middle - half, upper), (middle, upper - 0.04 * height), (middle + half, upper)]
    edge += [(middle + 0.6 * half, lower), (middle - 0.6 * half, lower)]
    colour = _vary(CLOTH, random)
    for side in (-1.0, 1.0):
        band: Points = [(middle + side * half, upper), (middle + side * width / 2, upper - 0.1 * height)]
        cv2.polylines(pixels, [_whole(band)], False, colour, 1, cv2.LINE_AA)
    cv2.fillPoly(pixels, [_whole(edge)], colour, cv2.LINE_AA)
    fold: Points = [(middle - 0.7 * half, (upper + lower) / 2), (middle + 0.7 * half, (upper + lower) / 2)]
    cv2.polylines(pixels, [_whole(fold)], False, _darker(colour, 0.8), max(1, int(height / 40)), cv2.LINE_AA)


def draw_bars(pixels: Pixels, heads: Numbers, random: Generator) -> None:
    """Up to three poles, planks or plates, none of which hides much of a head."""
    height, width = pixels.shape[:2]
    for _ in range(int(random.integers(1, 4))):
        long, thin = random.uniform(0.1, 0.7), random.uniform(0.01, 0.08)
        size = numpy.array((thin * width, long * height) if random.random() < 0.6 else (long * width, thin * height))
        low = random.uniform(0, 1, 2) * numpy.array([width, height]) - size / 2
        bar = numpy.concatenate((low, low + size))
        if _share_hidden(heads, bar) <= HIDDEN_AT_MOST:
            x1, y1, x2, y2 = (int(value) for value in bar)
            cv2.rectangle(pixels, (x1, y1), (x2, y2), _vary(PAINT, random), -1)


def draw_round_tops(pixels: Pixels, boxes: Numbers, random: Generator) -> None:
    """Up to four domes, insulators or balls, clear of everybody: what is round and painted and no head."""
    height, width = pixels.shape[:2]
    for _ in range(int(random.integers(1, 5))):
        side = float(numpy.exp(random.uniform(*numpy.log(ROUND_TOP_PX))))
        x, y = random.uniform(0, width), random.uniform(0, height)
        place = numpy.array([x - side, y - side, x + side, y + 4 * side])
        if _share_hidden(boxes, place) > 0:
            continue
        draw = (_draw_dome, _draw_insulator, _draw_ball)[int(random.integers(3))]
        draw(pixels, (x, y, side), _vary(PAINT, random))


def _draw_dome(pixels: Pixels, place: tuple[float, float, float], colour: Colour) -> None:
    """A bollard or a vessel: a half round on a straight body of its own width."""
    x, y, side = place
    half = int(side / 2)
    cv2.rectangle(pixels, (int(x) - half, int(y)), (int(x) + half, int(y + 3 * side)), _darker(colour, 0.85), -1)
    cv2.ellipse(pixels, (int(x), int(y)), (half, half), 0, 180, 360, colour, -1, cv2.LINE_AA)
    _draw_shine(pixels, (x, y - 0.2 * side, side), colour)


def _draw_insulator(pixels: Pixels, place: tuple[float, float, float], colour: Colour) -> None:
    """A cap on a stack of ribs, each a little darker below than above."""
    x, y, side = place
    for rib in range(5, 0, -1):
        middle = (int(x), int(y + rib * 0.45 * side))
        cv2.ellipse(pixels, middle, (int(side / 2), int(side / 5)), 0, 0, 360, _darker(colour, 0.6), -1, cv2.LINE_AA)
        above = (middle[0], middle[1] - int(side / 10))
        cv2.ellipse(pixels, above, (int(side / 2), int(side / 5)), 0, 0, 360, colour, -1, cv2.LINE_AA)
    cv2.ellipse(pixels, (int(x), int(y)), (int(side / 3), int(side / 2.5)), 0, 180, 360, colour, -1, cv2.LINE_AA)


def _draw_ball(pixels: Pixels, place: tuple[float, float, float], colour: Colour) -> None:
    """A float, a lamp, a sign: darker at its rim."""
    x, y, side = place
    for ring, shade in ((0.5, 0.65), (0.42, 0.85), (0.32, 1.0)):
        cv2.circle(pixels, (int(x), int(y)), max(1, int(ring * side)), _darker(colour, shade), -1, cv2.LINE_AA)
    _draw_shine(pixels, (x, y - 0.1 * side, side), colour)


def _draw_shine(pixels: Pixels, place: tuple[float, float, float], colour: Colour) -> None:
    x, y, side = place
    size = (max(1, int(side / 7)), max(1, int(side / 10)))
    cv2.ellipse(pixels, (int(x - side / 8), int(y)), size, 0, 0, 360, _darker(colour, 1.3), -1, cv2.LINE_AA)


def _share_hidden(boxes: Numbers, place: numpy.typing.NDArray[numpy.float64]) -> float:
    """The largest share of a box that lies under a place; 0 where there is none."""
    low, high = numpy.maximum(boxes[:, :2], place[:2]), numpy.minimum(boxes[:, 2:], place[2:])
    areas = numpy.maximum((boxes[:, 2:] - boxes[:, :2]).prod(1), 1e-6)
    return float((numpy.clip(high - low, 0, None).prod(1) / areas).max(initial=0.0))


def _vary(colours: tuple[Colour, ...], random: Generator) -> Colour:
    base = numpy.array(colours[int(random.integers(len(colours)))]) + random.integers(-25, 26, 3)
    blue, green, red = (int(value) for value in numpy.clip(base, 0, 255))
    return blue, green, red


def _darker(colour: Colour, share: float) -> Colour:
    blue, green, red = (min(255, int(value * share)) for value in colour)
    return blue, green, red


def _whole(points: Points) -> numpy.typing.NDArray[numpy.int32]:
    return numpy.array(points).round().astype(numpy.int32)
