"""What a picture measures, taken from one small sample of it: level, contrast, sharpness, texture, change.

    1080 x 1920 x 3 --every 8th row--> rows (135, 1920) grey --areas of 8--> thumb (135, 240) grey --> 9 x 16 tiles
                    --8 bands of 4--> columns (32, 1080) grey, lying

The rows keep the full width, so sharpness and noise can be measured in them; the bands keep the full height, for what
rows cannot show: a smear from top to bottom leaves upright edges sharp. The thumb is for everything that asks where.
All are made once a frame and cost little beside its decoding. In: an image. Out: arrays and numbers. Pure;
knows no camera, no time and no limit.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.uint8]
Tiles = NDArray[np.float32]

THUMB_WIDTH_PX = 240
SAMPLED_ROWS = 135
TILES_ACROSS, TILES_DOWN = 16, 9
BANDS, BAND_PX = 8, 4
NETWORK_WIDTH_PX = 640
"""About what a detector's input is wide: noise is told as it would be left in a picture of that width."""
_COARSE_STEP_PX = 24
_GRAIN_PX = 3  # cameras smooth their noise: its grains are up to so wide
_SIGMA_OF_SMOOTHEST = 1.72  # against the smoothest tenth of runs of 8: a bell of deviation 1 has 0.58 there
_DEAD_CHANGE = 255 * 0.03  # so little of a row changes
_SHARP_SHARE = 0.005  # of the row pixels: the strongest edges say how sharp the lens is, the rest is surface


@dataclass(frozen=True, slots=True, eq=False)
class PictureSample:
    """`rows` (about 135, width), `columns` (32, height) and `thumb` (about 135, 240), grey uint8. The thumb also
    serves motion gating. `colour` is the mean distance of a pixel's channels, 0..255: about 0 under infrared light."""

    rows: Grey
    columns: Grey
    thumb: Grey
    colour: float
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Levels:
    """Grey levels 0..255: `mean`, the level below which 10, 90 and 99 % of the picture lie, and the share of it that
    is burnt out."""

    mean: float
    low: float
    high: float
    highest: float
    burnt_share: float


def sample_picture(image: NDArray[np.uint8]) -> PictureSample:
    """The sample of an (h, w, 3) BGR or (h, w) grey image. Raises ValueError for anything else."""
    if image.ndim not in (2, 3) or image.dtype != np.uint8 or min(image.shape[:2]) < TILES_ACROSS:
        raise ValueError(f"a picture: expected (h, w, 3) uint8 of at least 16 x 16, got {image.shape} {image.dtype}")
    height, width = image.shape[:2]
    step = max(1, height // SAMPLED_ROWS)
    lines = image[step // 2 :: step]
    rows = cv2.cvtColor(lines, cv2.COLOR_BGR2GRAY) if image.ndim == 3 else np.ascontiguousarray(lines)
    thumb_height = max(TILES_DOWN, round(THUMB_WIDTH_PX * height / width))
    thumb = cv2.resize(rows, (THUMB_WIDTH_PX, thumb_height), interpolation=cv2.INTER_AREA)
    return PictureSample(_grey(rows), _columns(image), _grey(thumb), _colour(lines), width, height)


def _columns(image: NDArray[np.uint8]) -> Grey:
    """Bands from top to bottom, evenly spread, each column a row of the answer."""
    width = image.shape[1]
    begins = [round((band + 0.5) * (width - BAND_PX) / BANDS) for band in range(BANDS)]
    bands = [image[:, begin : begin + BAND_PX] for begin in begins]
    if image.ndim == 3:
        bands = [_grey(cv2.cvtColor(band, cv2.COLOR_BGR2GRAY)) for band in bands]
    return np.concatenate([cv2.transpose(band) for band in bands])


def _colour(lines: NDArray[np.uint8]) -> float:
    if lines.ndim == 2:
        return 0.0
    blue, green, red = cv2.split(cv2.resize(lines[::4], None, fx=0.25, fy=1, interpolation=cv2.INTER_NEAREST))
    spread = cv2.subtract(cv2.max(cv2.max(blue, green), red), cv2.min(cv2.min(blue, green), red))
    return float(cv2.mean(spread)[0])


def levels(thumb: Grey) -> Levels:
    """How bright it is."""
    counts = _histogram(thumb)
    reached = np.cumsum(counts) / counts.sum()
    low, high, highest = (float(np.searchsorted(reached, share)) for share in (0.1, 0.9, 0.99))
    return Levels(float(thumb.mean()), low, high, highest, float(counts[250:].sum() / counts.sum()))


@dataclass(frozen=True, slots=True)
class Sharpness:
    """`ratio` 0..1: how much of the strongest edges' height lies within two pixels (a step edge 1, a blur of sigma
    6 px about 0.13). `contrast` is that height in grey levels: where it is small, the ratio says nothing."""

    ratio: float
    contrast: float


def sharpness(lines: Grey) -> Sharpness:
    """Slope of the strongest edges against their height, so that the light cancels out; noise is taken off both.

    An edge of height C blurred by sigma s rises by erf(1 / (s * sqrt 2)) * C within +-1 px: Pertuz et al., "Analysis
    of focus measure operators", Pattern Recognition 46 (2013), for why gradients are taken relative to contrast.
    """
    if lines.shape[1] <= 2 * _COARSE_STEP_PX:
        return Sharpness(0.0, 0.0)
    fine, coarse = _steps(lines, 1), _steps(lines, _COARSE_STEP_PX)
    noise = _level_at(fine, 0.5)
    slope, contrast = _level_at(fine, 1 - _SHARP_SHARE), _level_at(coarse, 1 - _SHARP_SHARE)
    clean_slope, clean_contrast = (max(0.0, value**2 - (2.5 * noise) ** 2) ** 0.5 for value in (slope, contrast))
    return Sharpness(min(1.0, clean_slope / clean_contrast) if clean_contrast > 0 else 0.0, clean_contrast)


@dataclass(frozen=True, slots=True)
class Grain:
    """What the finest detail is made of. `noise` is in grey levels, as it would be in a picture 640 px wide: of the
    smoothest tenth of the picture, so that leaves and gravel are none. `flat_share` is the share of the picture, dark
    and burnt places aside, in which not one level changes from pixel to pixel along a straight slope: a coder at a low
    rate leaves little else. `dead_share` is the share of its rows that are one level, or a copy of the row above."""

    noise: float
    flat_share: float
    dead_share: float


def grain(sample: PictureSample) -> Grain:
    """Noise as the mean second difference along rows, which takes slopes for nothing: Immerkaer, "Fast noise variance
    estimation", Computer Vision and Image Understanding 64 (1996)."""
    some = sample.rows[1::9]
    bends = _bends(some, _GRAIN_PX).astype(np.float32)
    runs = cv2.resize(bends, (max(1, bends.shape[1] // 8), bends.shape[0]), interpolation=cv2.INTER_AREA)
    noise = quantile(np.asarray(runs, np.float32).ravel(), 0.1) * _SIGMA_OF_SMOOTHEST
    lit = cv2.inRange(some[:, 1:-1], 6, 249)
    flat = cv2.bitwise_and(lit, cv2.inRange(_bends(some, 1), 0, 0))
    flat_share = cv2.countNonZero(flat) / max(1, cv2.countNonZero(lit))
    return Grain(noise / max(1.0, sample.width_px / NETWORK_WIDTH_PX), flat_share, _dead_share(sample.rows))


def _bends(lines: Grey, reach: int) -> Grey:
    between = cv2.addWeighted(lines[:, 2 * reach :], 0.5, lines[:, : -2 * reach], 0.5, 0)
    return _grey(cv2.absdiff(between, lines[:, reach:-reach]))


def _dead_share(rows: Grey) -> float:
    """Rows that a decoder filled in, black and burnt ones aside."""
    across = cv2.compare(rows[:, 1:], rows[:, :-1], cv2.CMP_NE)
    flat = cv2.reduce(across, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel() < _DEAD_CHANGE
    down = cv2.compare(rows[1:], rows[:-1], cv2.CMP_NE)
    copied = cv2.reduce(down, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel() < _DEAD_CHANGE
    level = cv2.reduce(rows, 1, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel()
    flat[1:] |= copied
    return float((flat & (level > 8) & (level < 247)).mean())


def quantile(values: NDArray[np.float32], share: float) -> float:
    """The value below which that share lies, of (n,), n > 0; several times as fast as numpy's, which interpolates."""
    place = int(share * (len(values) - 1))
    return float(np.partition(values, place)[place])


def tile_means(plane: Grey) -> Tiles:
    """Mean of each tile (9, 16)."""
    tiles = cv2.resize(plane.astype(np.float32), (TILES_ACROSS, TILES_DOWN), interpolation=cv2.INTER_AREA)
    return np.asarray(tiles, dtype=np.float32)


def tile_change(before: Grey, now: Grey) -> Tiles:
    """Share of the pixels of each tile (9, 16) that are not exactly equal in two grey pictures; to 1/255."""
    _, changed = cv2.threshold(cv2.absdiff(before, now), 0, 255, cv2.THRESH_BINARY)
    tiles = cv2.resize(changed, (TILES_ACROSS, TILES_DOWN), interpolation=cv2.INTER_AREA)
    return np.asarray(tiles, dtype=np.float32) / np.float32(255)


def _steps(lines: Grey, reach: int) -> Grey:
    return _grey(cv2.absdiff(lines[:, 2 * reach :], lines[:, : -2 * reach]))


def _level_at(plane: Grey, share: float) -> float:
    counts = _histogram(plane)
    return float(np.searchsorted(np.cumsum(counts), share * counts.sum()))


def _histogram(plane: Grey) -> NDArray[np.float32]:
    counts = cv2.calcHist([plane], [0], None, [256], [0, 256])
    return np.asarray(counts, dtype=np.float32).ravel()


def _grey(plane: object) -> Grey:
    return np.asarray(plane, dtype=np.uint8)
