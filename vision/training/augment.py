"""Pictures made harder: canvases cut, turned, scaled, stretched, darkened and blurred from the labelled ones.

In: pictures and a random generator. Out: canvases (height, width, 3) with rows of class, x1, y1, x2, y2. Everything a
canvas shows follows from the generator handed in, so that step 700 of a training is the same canvas on every run.

A canvas is either one picture, or four of them in a mosaic. Heads are small, so a tile is a cut at about the picture's
own scale, laid around one of its heads, never a whole picture shrunk.
"""

from dataclasses import dataclass

import cv2
import numpy
import numpy.typing

from vision.training.classes import HEAD, HELMET, PERSON, UNSURE_HEAD, UNSURE_PERSON
from vision.training.degrade import degrade_at_random, still_seen
from vision.training.obstruct import obstruct
from vision.training.pictures import Numbers, Picture, Pixels

GREY = 114
SMALLEST_SIDE_PX = 6.0
# What must still be seen of a box that an edge cuts.
VISIBLE_SHARE = {HELMET: 0.4, HEAD: 0.4, PERSON: 0.2}

# In this share of tiles the head in focus becomes any size between these, as far as a picture can be enlarged.
EVEN_SIZES_SHARE = 0.35
EVEN_SIZES_PX = (12.0, 160.0)
SCALE_LIMITS = (0.3, 3.0)
SHIPPED_AREA_PX = 200_000
# Where a tile is laid around any place rather than a head: what is no head is then learned from more of a picture.
ANY_PLACE_SHARE = 0.12
# A fixed camera's picture is mostly things that are no heads: valves, lamps, bollards.
ANY_PLACE_OF_CAMERA = 0.3

# Width over height of what is shown, against the picture. Some origins bring every picture to a square.
STRETCH_SHARE = 0.5
STRETCH = (0.75, 4 / 3)
SQUASH_SHARE = 0.1
SQUASH = (0.5, 0.75)

# How many canvases look as cameras send them on a bad day, and how bad the day may be.
SENT_BADLY_SHARE = 0.3
WORST = 0.6

Generator = numpy.random.Generator
Matrix = numpy.typing.NDArray[numpy.float64]


@dataclass(frozen=True, slots=True)
class Focus:
    """A place in a picture, in its pixels, and the longer side of the head there; 0 where there is none."""

    x: float
    y: float
    side_px: float


@dataclass(frozen=True, slots=True)
class Canvas:
    """One training picture: `pixels` (height, width, 3) and `boxes` rows of class, x1, y1, x2, y2."""

    pixels: Pixels
    boxes: Numbers


def make_mosaic(pictures: list[Picture], height: int, width: int, random: Generator) -> Canvas:
    """Four pictures around one crossing."""
    pixels = numpy.full((height, width, 3), GREY, numpy.uint8)
    middle_x = int(width * random.uniform(0.3, 0.7))
    middle_y = int(height * random.uniform(0.3, 0.7))
    rows = []
    for picture, (top, bottom, left, right) in zip(pictures, _quarters(middle_x, middle_y, width, height), strict=True):
        focus = _focus(picture, random)
        tile = cut(picture, bottom - top, right - left, _tile_scale(picture, focus, random), focus, random)
        pixels[top:bottom, left:right] = tile.pixels
        rows.append(tile.boxes + numpy.array([0, left, top, left, top], numpy.float32))
    boxes = numpy.concatenate(rows)
    return _as_a_camera_sends(_recolour(obstruct(pixels, boxes, random), random), boxes, random)


def _quarters(x: int, y: int, width: int, height: int) -> list[tuple[int, int, int, int]]:
    return [(0, y, 0, x), (0, y, x, width), (y, height, 0, x), (y, height, x, width)]


def _tile_scale(picture: Picture, focus: Focus, random: Generator) -> float:
    """About the shipped scale; in a third of the tiles the one that makes the head in focus any size whatever.

    Near heads are rare in crowds and far ones in portraits: without this a network takes size for a sign of a class.
    """
    if focus.side_px and random.random() < EVEN_SIZES_SHARE:
        return float(numpy.clip(_between(random, *EVEN_SIZES_PX) / focus.side_px, *SCALE_LIMITS))
    return _shipped_scale(picture) * _between(random, 0.6, 1.7)


def _shipped_scale(picture: Picture) -> float:
    """What the shipped input shrinks a picture by."""
    tall, wide = picture.pixels.shape[:2]
    return float((SHIPPED_AREA_PX / (tall * wide)) ** 0.5)


def _between(random: Generator, low: float, high: float) -> float:
    """Evenly drawn over the logarithm."""
    return float(numpy.exp(random.uniform(numpy.log(low), numpy.log(high))))


def make_single(picture: Picture, height: int, width: int, random: Generator) -> Canvas:
    """One picture at about the scale at which the shipped input shows it, or the part of it that the canvas holds."""
    scale = _shipped_scale(picture) * _between(random, 0.75, 1.35)
    canvas = cut(picture, height, width, scale, _focus(picture, random), random)
    return _as_a_camera_sends(_recolour(obstruct(canvas.pixels, canvas.boxes, random), random), canvas.boxes, random)


def cut(picture: Picture, height: int, width: int, scale: float, focus: Focus, random: Generator) -> Canvas:
    """A part of a picture of the asked size, with the focus in it, turned a little and maybe mirrored."""
    tall, wide = picture.pixels.shape[:2]
    angle = random.uniform(-6, 6) if random.random() < 0.4 else 0.0
    stretch = _draw_aspect(random) ** 0.5
    mirror = -1.0 if random.random() < 0.5 else 1.0
    radians = numpy.deg2rad(angle)
    across = scale * stretch * mirror * numpy.array([numpy.cos(radians), numpy.sin(radians)])
    down = scale / stretch * numpy.array([-numpy.sin(radians), numpy.cos(radians)])
    turn: Matrix = numpy.stack((across, down), 1)
    place = _place(turn, focus, (wide, tall), (width, height), random)
    matrix: Matrix = numpy.concatenate((turn, place[:, None]), 1)
    pixels = cv2.warpAffine(picture.pixels, matrix, (width, height), borderValue=(GREY,) * 3)
    return Canvas(pixels.astype(numpy.uint8), _clip(_move(_with_unsure(picture), matrix), width, height))


def _draw_aspect(random: Generator) -> float:
    """How much wider than high the picture becomes: mostly as it is, sometimes as a file brought to another shape."""
    kind = random.random()
    if kind < SQUASH_SHARE:
        return _between(random, *SQUASH)
    if kind < SQUASH_SHARE + STRETCH_SHARE:
        return _between(random, *STRETCH)
    return 1.0


def _focus(picture: Picture, random: Generator) -> Focus:
    """One of the picture's heads, or now and then any place."""
    heads = picture.boxes[picture.boxes[:, 0] < PERSON]
    if len(heads) == 0 or random.random() < (ANY_PLACE_OF_CAMERA if picture.fixed_camera else ANY_PLACE_SHARE):
        tall, wide = picture.pixels.shape[:2]
        return Focus(random.uniform(0, wide), random.uniform(0, tall), 0.0)
    left, top, right, bottom = (float(side) for side in heads[random.integers(len(heads)), 1:])
    return Focus((left + right) / 2, (top + bottom) / 2, max(right - left, bottom - top))


def _place(turn: Matrix, focus: Focus, size: tuple[int, int], canvas: tuple[int, int], random: Generator) -> Matrix:
    """The shift that puts the focus somewhere inside and shows as little outside of the picture as can be."""
    target = numpy.array(canvas) * random.uniform(0.15, 0.85, 2)
    shift = target - turn @ numpy.array([focus.x, focus.y])
    corners = numpy.array([[0, 0], [size[0], 0], [0, size[1]], list(size)], numpy.float64) @ turn.T
    low, high = corners.min(0), corners.max(0)
    for axis, limit in enumerate(canvas):
        least, most = limit - high[axis], -low[axis]
        if least >= most:  # the whole picture fits
            shift[axis] = random.uniform(most, least)
        else:
            shift[axis] = min(max(shift[axis], least), most)
    return numpy.asarray(shift)


def _with_unsure(picture: Picture) -> Numbers:
    """The boxes, and a body's place below each head that no person box holds where people are not all labelled."""
    boxes = picture.boxes
    if picture.people_complete:
        return boxes
    people = boxes[boxes[:, 0] == PERSON]
    unsure = [box for box in boxes[boxes[:, 0] < PERSON] if not _held(box, people)]
    rows = numpy.array([_body(box) for box in unsure], numpy.float32).reshape(-1, 5)
    return numpy.concatenate((boxes, rows))


def _held(head: Numbers, people: Numbers) -> bool:
    middle = (head[1:3] + head[3:5]) / 2
    return bool(((people[:, 1:3] <= middle) & (middle <= people[:, 3:5])).all(1).any())


def _body(head: Numbers) -> list[float]:
    width, height = head[3] - head[1], head[4] - head[2]
    return [UNSURE_PERSON, head[1] - 2 * width, head[2] - height, head[3] + 2 * width, head[4] + 7 * height]


def _move(boxes: Numbers, matrix: Matrix) -> Numbers:
    """Boxes through a matrix: the box around the ellipse in each, which rotation grows less than its corners."""
    middles = (boxes[:, 1:3] + boxes[:, 3:5]) / 2 @ matrix[:, :2].T + matrix[:, 2]
    halves = numpy.sqrt(((boxes[:, 3:5] - boxes[:, 1:3]) / 2) ** 2 @ (matrix[:, :2] ** 2).T)
    return numpy.concatenate((boxes[:, :1], middles - halves, middles + halves), 1).astype(numpy.float32)


def _clip(boxes: Numbers, width: int, height: int) -> Numbers:
    """Boxes cut at the edges; gone are those of which too little is left. Unsure places stay as far as they reach."""
    limits = numpy.array([width, height, width, height], numpy.float32)
    clipped = boxes.copy()
    clipped[:, 1:] = numpy.clip(boxes[:, 1:], 0, limits)
    before = (boxes[:, 3] - boxes[:, 1]) * (boxes[:, 4] - boxes[:, 2])
    sides = clipped[:, 3:5] - clipped[:, 1:3]
    share = sides.prod(1) / numpy.maximum(before, 1e-6)
    needed = numpy.array([VISIBLE_SHARE.get(int(kind), 0.0) for kind in boxes[:, 0]])
    return clipped[(share > needed) & (sides.max(1, initial=0) >= SMALLEST_SIDE_PX)]


def _as_a_camera_sends(pixels: Pixels, boxes: Numbers, random: Generator) -> Canvas:
    """Weather, night, a cheap lens, a narrow line. A box of which too little is left to see becomes an unsure place."""
    sent = degrade_at_random(pixels, random, SENT_BADLY_SHARE, WORST)
    if sent is pixels or not len(boxes):
        return Canvas(sent, boxes)
    boxes = boxes.copy()
    hidden = ~still_seen(pixels, sent, boxes[:, 1:]) & (boxes[:, 0] <= PERSON)
    boxes[hidden, 0] = numpy.where(boxes[hidden, 0] == PERSON, UNSURE_PERSON, UNSURE_HEAD)
    return Canvas(sent, boxes)


def _recolour(pixels: Pixels, random: Generator) -> Pixels:
    """Other light, other lens, other file."""
    if random.random() < 0.8:
        pixels = _shift_colours(pixels, random)
    if random.random() < 0.3:
        pixels = _change_light(pixels, random)
    if random.random() < 0.12:
        pixels = cv2.GaussianBlur(pixels, (0, 0), random.uniform(0.4, 1.3)).astype(numpy.uint8)
    if random.random() < 0.15:
        code = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 80))])[1]
        pixels = numpy.asarray(cv2.imdecode(code, cv2.IMREAD_COLOR), numpy.uint8)
    return pixels


def _shift_colours(pixels: Pixels, random: Generator) -> Pixels:
    steps = numpy.arange(256)
    turn = 20 if random.random() < 0.15 else 5
    hue = ((steps + random.uniform(-turn, turn)) % 180).astype(numpy.uint8)
    grey = random.random() < 0.06
    saturation = numpy.clip(steps * (0.0 if grey else random.uniform(0.4, 1.6)), 0, 255).astype(numpy.uint8)
    value = numpy.clip(steps * random.uniform(0.6, 1.4), 0, 255).astype(numpy.uint8)
    table = numpy.stack((hue, saturation, value), -1)[None]
    return cv2.cvtColor(cv2.LUT(cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV), table), cv2.COLOR_HSV2BGR).astype(numpy.uint8)


def _change_light(pixels: Pixels, random: Generator) -> Pixels:
    gamma = numpy.exp(random.uniform(-0.6, 0.8))
    low, high = random.uniform(0, 30), random.uniform(140, 255)
    tints = random.uniform(0.9, 1.1, 3)
    curve = low + (high - low) * (numpy.arange(256) / 255) ** gamma
    table = numpy.clip(curve[:, None] * tints, 0, 255).astype(numpy.uint8)[None]
    return cv2.LUT(pixels, table).astype(numpy.uint8)
