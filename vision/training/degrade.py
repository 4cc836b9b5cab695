"""What real cameras do to a picture: glare, infrared light, noise, shake, weather, drops, low bit rates, lost packets.

In: pixels (height, width, 3) uint8 BGR, a random generator, a strength 0..1. Out: pixels of the same shape; what stood
somewhere stands there still, or is hidden. Strength 0 changes nothing, 1 leaves hardly anything to judge. The same
generator state gives the same picture. Must not know of networks, labels' files or cameras' health.

Everything is measured in shares of the picture's height, so that a strength means the same at any size; noise and
blocks are in pixels, as a sensor and a coder make them.
"""

from collections.abc import Callable, Mapping
from enum import StrEnum

import cv2
import numpy
import numpy.typing

Pixels = numpy.typing.NDArray[numpy.uint8]
Floats = numpy.typing.NDArray[numpy.float32]
Numbers = numpy.typing.NDArray[numpy.float32]
Generator = numpy.random.Generator

LUMA = numpy.array([0.114, 0.587, 0.299], numpy.float32)
BLOCK_PX = 16
GREY_LEVEL = 128
# Of a box's own contrast: with less of it left, nobody could say what is in the box.
SEEN_CONTRAST = 0.2


class Degradation(StrEnum):
    """What happens to a picture."""

    GLARE = "glare"
    BLOWN_OUT = "blown_out"
    INFRARED = "infrared"
    NOISE = "noise"
    MOTION = "motion"
    DEFOCUS = "defocus"
    HAZE = "haze"
    RAIN = "rain"
    DROPS = "drops"
    COMPRESSION = "compression"
    COVER = "cover"
    HALF_GREY = "half_grey"
    LOW_LIGHT = "low_light"


def degrade(pixels: Pixels, kind: Degradation, strength_share: float, random: Generator) -> Pixels:
    """The picture as that camera would have sent it. Raises ValueError for a strength outside 0..1."""
    if not 0.0 <= strength_share <= 1.0:
        raise ValueError(f"a strength: expected 0..1, found {strength_share}")
    if strength_share == 0.0:
        return pixels.copy()
    return _MADE_BY[kind](pixels, strength_share, random)


def degrade_at_random(pixels: Pixels, random: Generator, share: float = 0.4, limit: float = 0.8) -> Pixels:
    """For training: in a share of the pictures one thing happens, in a third of those a second one after it.

    Weak ones are more common than strong ones; none is stronger than `limit`. Boxes that it hid: see `still_seen`."""
    if random.random() >= share:
        return pixels
    kinds = list(DRAWN_AT_RANDOM)
    weights = numpy.array(list(DRAWN_AT_RANDOM.values()))
    for index in random.choice(len(kinds), 2 if random.random() < 1 / 3 else 1, False, weights / weights.sum()):
        pixels = degrade(pixels, kinds[index], limit * float(random.beta(1.2, 2.0)), random)
    return pixels


def still_seen(before: Pixels, after: Pixels, boxes: Numbers) -> numpy.typing.NDArray[numpy.bool_]:
    """Which rows of x1, y1, x2, y2 still show something: the contrast that the two pictures share in the box is a fifth
    of what it was. Boxes outside the picture are not seen."""
    seen = numpy.zeros(len(boxes), bool)
    height, width = before.shape[:2]
    for row, box in enumerate(boxes):
        x1, y1 = (int(max(0.0, side)) for side in box[:2])
        x2, y2 = int(min(width, numpy.ceil(box[2]))), int(min(height, numpy.ceil(box[3])))
        if x2 - x1 >= 2 and y2 - y1 >= 2:
            seen[row] = _contrast_left(before[y1:y2, x1:x2], after[y1:y2, x1:x2]) >= SEEN_CONTRAST
    return seen


def _contrast_left(before: Pixels, after: Pixels) -> float:
    """Slope of the picture after over the picture before: 1 unchanged, 0 gone or unrelated."""
    old, new = before.astype(numpy.float32) @ LUMA, after.astype(numpy.float32) @ LUMA
    old, new = old - old.mean(), new - new.mean()
    return float((old * new).mean() / max(float((old * old).mean()), 1.0))


def _glare(pixels: Pixels, strength_share: float, random: Generator) -> Pixels:
    """A lamp or the sun in or near the picture: a burnt core, a veil, rays, and ghosts of the aperture behind it."""
    height, width = pixels.shape[:2]
    x, y = random.uniform(-0.05, 1.05) * width, random.uniform(-0.1, 0.7) * height
    down, across, shrink = _coarse_grid(height, width)
    distance = numpy.hypot(across - x, down - y) / height
    veil = 1.5 * numpy.exp(-distance / (0.08 + 0.3 * strength_share)) + 0.5 * strength_share**1.5
    angle = numpy.arctan2(down - y, across - x)
    rays = numpy.abs(numpy.cos(angle * int(random.integers(2, 5)) + random.uniform(0, numpy.pi))) ** 40
    veil += 0.8 * strength_share * rays * numpy.exp(-distance / 0.35)
    for _ in range(int(random.integers(0, 5))):
        along, radius = random.uniform(0.3, 2.0), random.uniform(0.02, 0.08)
        ghost_x, ghost_y = x + along * (width / 2 - x), y + along * (height / 2 - y)
        inside = numpy.hypot(across - ghost_x, down - ghost_y) < radius * height
        veil += random.uniform(0.1, 0.35) * strength_share * inside
    amount = _enlarged(numpy.clip(veil * strength_share**0.5, 0, 1), (width, height), shrink)
    tint = numpy.array([random.uniform(190, 255), random.uniform(225, 255), 255], numpy.float32)
    return _blend(pixels, tint, amount)


def _blown_out(pixels: Pixels, strength_share: float, random: Generator) -> Pixels:
    """A window or a gate into the sun: white with a bloom around it, the rest as dark as the exposure makes it."""
    height, width = pixels.shape[:2]
    side = numpy.sqrt(0.9 * strength_share)
    wide, tall = side * random.uniform(0.8, 1.25), side * random.uniform(0.8, 1.25)
    x, y = random.uniform(0, 1 - 0.5 * side, 2) * (width, height)
    corners = numpy.array(
        [[x, y], [x + wide * width, y], [x + wide * width, y + tall * height], [x, y + tall * height]]
    )
    corners += random.uniform(-0.05, 0.05, (4, 2)) * (width, height)
    mask = numpy.zeros((height, width), numpy.float32)
    cv2.fillPoly(mask, [corners.round().astype(numpy.int32)], 1.0)
    bloom = _soften(mask, height * random.uniform(0.02, 0.08))
    darker = cv2.convertScaleAbs(pixels, alpha=1 - 0.35 * strength_share)
    return _blend(_pixels(darker), numpy.full(3, 255, numpy.float32), numpy.maximum(mask * 0.97, bloom))


def _infrared(pixels: Pixels, strength_share: float, random: Generator) -> Pixels:
    """Night by the camera's own lamp: grey, bright in the middle, dark around and far away, reflecting cloth white."""
    height, width = pixels.shape[:2]
    weights = numpy.array([random.uniform(0, 0.2), random.uniform(0.2, 0.5), random.uniform(0.4, 0.8)], numpy.float32)
    grey = cv2.transform(pixels, (weights / weights.sum())[None]).astype(numpy.float32).reshape(height, width)
    down, across, shrink = _coarse_grid(height, width)
    x, y = random.uniform(0.35, 0.65) * width, random.uniform(0.45, 0.75) * height
    far = numpy.hypot((across - x) / width, (down - y) / height)
    lamp = 1.1 - strength_share * (numpy.clip(1.3 * far, 0, 0.95) + 0.1)
    grey *= _enlarged(numpy.clip(lamp, 0.03, 1.2), (width, height), shrink)
    reflecting = _reflecting(pixels)
    if reflecting.any():
        shine = numpy.clip(reflecting + 0.7 * _soften(reflecting, 0.01 * height), 0, 1)
        grey += shine * (0.3 + 0.5 * strength_share) * (255 - grey)
    grey += _grain((height, width), 0.7, random) * (2 + 12 * strength_share)
    return _pixels(cv2.cvtColor(_pixels(numpy.clip(grey, 0, 255)), cv2.COLOR_GRAY2BGR))


def _reflecting(pixels: Pixels) -> Floats:
    """1 where a colour is that of warning clothes (yellow-green to orange, strong and bright)."""
    hsv = cv2.cvtColor(pixels, cv2.COLOR_BGR2HSV)
    return _floats(cv2.inRange(hsv, (8, 150, 140), (45, 255, 255)) / 255)


def _noise(pixels: Pixels, strength_share: float, random: Generator) -> Pixels:
    """Photons counted and a circuit read: stronger where it is bright, coarser in colour, smoothed as cameras do."""
    height, width = pixels.shape[:2]
    share = random.uniform(0.3, 0.9)
    sigma = 55 * strength_share
    grain_px = random.uniform(0.3, 1.0)
    planes = cv2.cvtColor(pixels, cv2.COLOR_BGR2YCrCb).astype(numpy.float32)
    luma = planes[:, :, 0]
    luma += _grain((height, width), grain_px, random) * numpy.sqrt(share * luma / 128 + (1 - share)) * sigma
    chroma = random.uniform(0.2, 0.7) * sigma
    half = ((height + 1) // 2, (width + 1) // 2)
    for plane in (1, 2):
        coarse = _grain(half, grain_px, random) * chroma
        planes[:, :, plane] += cv2.resize(coarse, (width, height), interpolation=cv2.INTER_LINEAR)
    noisy = _pixels(numpy.clip(planes, 0, 255))
    if random.random() < 0.5:
        noisy = _pixels(cv2.medianBlur(noisy, 3))
    return _pixels(cv2.cvtColor(noisy, cv2.COLOR_YCrCb2BGR))


def _grain(shape: tuple[int, int], grain_px: float, random: Generator) -> Floats:
    """Noise of unit deviation, its grains about so wide."""
    noise = random.standard_normal(shape, numpy.float32)
    if grain_px < 0.4:
        return noise
    smooth = _floats(cv2.GaussianBlur(noise, (5, 5), grain_px))
    return _floats(smooth / max(float(smooth.std()), 1e-6))


def _motion(pixels: Pixels, strength_share: float, random: Generator) -> Pixels:
    """The mast or the whole camera moved while the shutter was open: a straight or slightly bent path."""
    reach = max(1, round(strength_share * 0.05 * pixels.shape[0]))
    size = 2 * reach + 1
    angle, bend = random.uniform(0, numpy.pi), random.uniform(-0.4, 0.4) * reach
    way = numpy.linspace(-1, 1, 4 * size)
    along, aside = reach * way, bend * (way**2 - 0.5)
    x = reach + along * numpy.cos(angle) - aside * numpy.sin(angle)
    y = reach + along * numpy.sin(angle) + aside * numpy.cos(angle)
    kernel = numpy.zeros((size, size), numpy.float32)
    numpy.add.at(kernel, (_inside(y, size), _inside(x, size)), 1.0)
    return _pixels(cv2.filter2D(pixels, -1, kernel / kernel.sum(), borderType=cv2.BORDER_REPLICATE))


def _inside(values: numpy.typing.NDArray[numpy.float64], size: int) -> numpy.typing.NDArray[numpy.intp]:
    return numpy.clip(values.round(), 0, size - 1).astype(numpy.intp)


def _defocus(pixels: Pixels, strength_share: float, _random: Generator) -> Pixels:
    """Out of focus: a disc, not a bell, as apertures make it."""
    radius = strength_share * 0.025 * pixels.shape[0]
    if radius < 1:
        return _pixels(cv2.GaussianBlur(pixels, (0, 0), max(0.15, 0.6 * radius)))
    size = 2 * int(numpy.ceil(radius)) + 1
    down, across = numpy.mgrid[:size, :size] - size // 2
    disc = numpy.clip(radius + 0.5 - numpy.hypot(down, across), 0, 1).astype(numpy.float32)
    return _pixels(cv2.filter2D(pixels, -1, disc / disc.sum(), borderType=cv2.BORDER_REPLICATE))


def _haze(pixels: Pixels, strength_share: float, random: Generator) -> Pixels:
    """Fog or dust: light of the air before what is far, which is up in the picture, in clouds."""
    height, width = pixels.shape[:2]
    down, _across, shrink = _coarse_grid(height, width)
    depth = 1.25 - random.uniform(0.2, 0.8) * down / height
    depth = depth * _clouds(down.shape, 0.15, random)
    amount = 1 - numpy.exp(-3.2 * strength_share**1.5 * depth)
    air = numpy.full(3, random.uniform(150, 230), numpy.float32) + random.uniform(-12, 12, 3).astype(numpy.float32)
    return _blend(pixels, air, _enlarged(amount, (width, height), shrink))


def _clouds(shape: tuple[int, int], depth: float, random: Generator) -> Floats:
    """About 1, a little more or less from place to place."""
    coarse = random.uniform(1 - depth, 1 + depth, (4, 6)).astype(numpy.float32)
    return numpy.asarray(cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_CUBIC), numpy.float32)


def _rain(pixels: Pixels, strength_share: float, random: Generator) -> Pixels:
    """Streaks all in about one direction, near ones long and wide, before grey air."""
    height, width = pixels.shape[:2]
    streaks = numpy.zeros((height, width), numpy.uint8)
    slant = random.uniform(-0.35, 0.35)
    count = int(900 * strength_share * width / height)
    starts = random.uniform(-0.1, 1, (count, 2)) * (width, height)
    lengths = height * (0.015 + 0.09 * strength_share) * random.uniform(0.4, 1.3, count)
    levels = random.integers(50, 200, count)
    wide = random.random(count) < 0.2 * strength_share
    for (x, y), length, level, thick in zip(starts, lengths, levels, wide, strict=True):
        end = (int(x + slant * length), int(y + length))
        width_px = max(1, round(height / 350)) + int(thick)
        cv2.line(streaks, (int(x), int(y)), end, int(level), width_px, cv2.LINE_AA)
    amount = _soften(_floats(streaks / 255), 0.0015 * height + 0.3) * (0.5 + 0.5 * strength_share)
    air = _blend(
        pixels, numpy.full(3, 190, numpy.float32), numpy.full((height, width), 0.4 * strength_share, numpy.float32)
    )
    return _blend(air, numpy.full(3, 235, numpy.float32), amount)


def _drops(pixels: Pixels, strength_share: float, random: Generator) -> Pixels:
    """Water on the glass: round lenses that show the scene turned and blurred, run together where many."""
    height, width = pixels.shape[:2]
    mask = numpy.zeros((height, width), numpy.uint8)
    covered, wanted = 0.0, 0.75 * strength_share
    while covered < wanted:
        radius = height * random.uniform(0.015, 0.035 + 0.07 * strength_share)
        middle = (int(random.uniform(0, width)), int(random.uniform(0, height)))
        axes = (max(1, int(radius)), max(1, int(radius * random.uniform(0.9, 1.6))))
        cv2.ellipse(mask, middle, axes, 0, 0, 360, 255, -1)
        covered += numpy.pi * axes[0] * axes[1] / (height * width) * (1 - covered)
    soft = _soften(_floats(mask / 255), 0.006 * height + 0.5)
    small = cv2.resize(pixels, (max(8, width // 8), max(8, height // 8)), interpolation=cv2.INTER_AREA)
    turned = cv2.GaussianBlur(small[::-1, ::-1], (0, 0), 0.02 * small.shape[0] + 0.5)
    through = cv2.resize(turned, (width, height), interpolation=cv2.INTER_LINEAR)
    rim = 4 * soft * (1 - soft)
    shaded = _scaled(_pixels(through), 1.05 - 0.45 * rim)
    inverse = 1 - soft
    return _pixels(cv2.blendLinear(shaded, pixels, soft, inverse))


def _compression(pixels: Pixels, strength_share: float, random: Generator) -> Pixels:
    """A coder at a low rate: transform coefficients thrown away, block borders smoothed as a loop filter does."""
    height, width = pixels.shape[:2]
    quality = round(3 + 37 * (1 - strength_share) ** 1.5)
    shrink = 1 + strength_share * random.uniform(0.0, 0.7)
    size = (max(BLOCK_PX, round(width / shrink)), max(BLOCK_PX, round(height / shrink)))
    sent = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    code = cv2.imencode(".jpg", sent, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    seen = _pixels(cv2.imdecode(code, cv2.IMREAD_COLOR))
    if random.random() < 0.7:
        seen = _pixels(cv2.bilateralFilter(seen, 5, 12 + 25 * strength_share, 2.0))
    return _pixels(cv2.resize(seen, (width, height), interpolation=cv2.INTER_LINEAR))


def _cover(pixels: Pixels, strength_share: float, random: Generator) -> Pixels:
    """A hand, a bag, a tape or a leaf before a part of the glass: near, so without detail, its edge out of focus."""
    height, width = pixels.shape[:2]
    down, across, shrink = _coarse_grid(height, width)
    angle = random.uniform(0, 2 * numpy.pi)
    along = (across / width - 0.5) * numpy.cos(angle) + (down / height - 0.5) * numpy.sin(angle)
    aside = (down / height - 0.5) * numpy.cos(angle) - (across / width - 0.5) * numpy.sin(angle)
    edge = along + random.uniform(0.02, 0.1) * numpy.sin(aside * random.uniform(3, 12) + random.uniform(0, 6))
    limit = float(numpy.quantile(edge, 1 - strength_share))
    amount = numpy.clip((edge - limit) / random.uniform(0.01, 0.06) + 0.5, 0, 1).astype(numpy.float32)
    cloth = random.uniform(5, 200) + random.uniform(-25, 25, 3).astype(numpy.float32)
    tinted = numpy.clip(cloth, 0, 255).astype(numpy.float32)
    return _blend(pixels, tinted, _enlarged(amount, (width, height), shrink))


def _half_grey(pixels: Pixels, strength_share: float, random: Generator) -> Pixels:
    """Packets were lost: from one row of blocks on the decoder shows grey, or drags its last row of blocks down."""
    height, width = pixels.shape[:2]
    kept = height * (1 - strength_share)
    first = min(int(kept / BLOCK_PX) * BLOCK_PX, height - 1)
    lost = pixels.copy()
    start = int(random.integers(0, width // BLOCK_PX + 1)) * BLOCK_PX
    gone = numpy.zeros((height, width), bool)
    gone[first + BLOCK_PX :] = True
    gone[first : first + BLOCK_PX, start:] = True
    if first and random.random() < 0.35:
        lost[gone] = numpy.broadcast_to(pixels[first - 1], pixels.shape)[gone]
    else:
        lost[gone] = GREY_LEVEL if random.random() < 0.8 else (76, 154, 0)
    return lost


def _low_light(pixels: Pixels, strength_share: float, random: Generator) -> Pixels:
    """Dusk without infrared: dark, little colour, the gain up and with it the noise."""
    gain = (1 - 0.93 * strength_share) * random.uniform(0.9, 1.1)
    grey = cv2.cvtColor(cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    dull = cv2.addWeighted(pixels, 1 - 0.6 * strength_share, grey, 0.6 * strength_share, 0)
    curve = numpy.clip(255 * (numpy.arange(256) / 255) ** (1 + 0.5 * strength_share) * gain, 0, 255)
    dark = cv2.LUT(dull, curve.astype(numpy.uint8)).astype(numpy.float32)
    dark += (_grain(pixels.shape[:2], random.uniform(0.4, 1.0), random) * (1 + 9 * strength_share))[:, :, None]
    return _pixels(numpy.clip(dark, 0, 255))


_MADE_BY: Mapping[Degradation, Callable[[Pixels, float, Generator], Pixels]] = {
    Degradation.GLARE: _glare,
    Degradation.BLOWN_OUT: _blown_out,
    Degradation.INFRARED: _infrared,
    Degradation.NOISE: _noise,
    Degradation.MOTION: _motion,
    Degradation.DEFOCUS: _defocus,
    Degradation.HAZE: _haze,
    Degradation.RAIN: _rain,
    Degradation.DROPS: _drops,
    Degradation.COMPRESSION: _compression,
    Degradation.COVER: _cover,
    Degradation.HALF_GREY: _half_grey,
    Degradation.LOW_LIGHT: _low_light,
}
DRAWN_AT_RANDOM: Mapping[Degradation, float] = {
    **{Degradation.GLARE: 2.0, Degradation.INFRARED: 1.5, Degradation.NOISE: 2.0, Degradation.MOTION: 1.0},
    **{Degradation.DEFOCUS: 1.0, Degradation.HAZE: 1.5, Degradation.RAIN: 0.7, Degradation.DROPS: 0.5},
    **{Degradation.COMPRESSION: 3.0, Degradation.LOW_LIGHT: 1.5, Degradation.BLOWN_OUT: 0.5},
}
"""How often each is drawn for training, beside 1. Covers and lost packets teach a detector nothing."""


def _coarse_grid(height: int, width: int) -> tuple[Floats, Floats, int]:
    """Rows and columns, in pixels, of every fourth place: what changes slowly is made there and enlarged."""
    shrink = 4
    down, across = numpy.mgrid[0:height:shrink, 0:width:shrink].astype(numpy.float32)
    return down, across, shrink


def _enlarged(plane: numpy.typing.NDArray[numpy.floating], size: tuple[int, int], shrink: int) -> Floats:
    whole = (plane.shape[1] * shrink, plane.shape[0] * shrink)
    large = cv2.resize(plane.astype(numpy.float32), whole, interpolation=cv2.INTER_LINEAR)
    return numpy.ascontiguousarray(large[: size[1], : size[0]], numpy.float32)


def _soften(plane: Floats, sigma_px: float) -> Floats:
    """Blurred; wide blurs are made on a smaller plane, which looks the same."""
    height, width = plane.shape
    shrink = max(1, int(sigma_px / 2))
    small = cv2.resize(plane, (max(1, width // shrink), max(1, height // shrink)), interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small, (0, 0), sigma_px / shrink)
    return numpy.asarray(cv2.resize(soft, (width, height), interpolation=cv2.INTER_LINEAR), numpy.float32)


def _blend(pixels: Pixels, colour: Floats, amount: Floats) -> Pixels:
    """One colour laid over the picture, as much as `amount` (height, width) 0..1 says."""
    plane = numpy.broadcast_to(numpy.clip(colour, 0, 255).astype(numpy.uint8), pixels.shape)
    return _pixels(cv2.blendLinear(numpy.ascontiguousarray(plane), pixels, amount, 1 - amount))


def _scaled(pixels: Pixels, factor: Floats) -> Pixels:
    return _pixels(numpy.clip(pixels * factor[:, :, None], 0, 255))


def _floats(values: object) -> Floats:
    return numpy.asarray(values, numpy.float32)


def _pixels(values: object) -> Pixels:
    return numpy.asarray(values, numpy.uint8)
