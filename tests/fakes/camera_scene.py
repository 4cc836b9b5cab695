"""A small rendered site for the tests of camera health: a slab with rails, a hut, a crane, people; day and night.

Deterministic: `Scene(seed)` draws the same noise again. Frames are 640 x 360, which the sample handles as any other.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from gateway.model.picture import CameraLink
from vision.health.camera_health import CameraHealth
from vision.picture.frame import Frame

NS = 1_000_000_000
WIDTH, HEIGHT = 640, 360


def site(shift_px=0):
    """The still background, seen with the camera turned by so many pixels."""
    return _site(shift_px).copy()


@cache
def _site(shift_px):
    wide = np.full((HEIGHT + 200, WIDTH + 400, 3), 150, np.uint8)
    wide[:200] = (200, 170, 140)
    draw = np.random.default_rng(5)
    for _ in range(160):
        x, y = int(draw.integers(0, WIDTH + 400)), int(draw.integers(160, HEIGHT + 200))
        grey = int(draw.integers(40, 220))
        cv2.rectangle(wide, (x, y), (x + int(draw.integers(8, 70)), y + int(draw.integers(6, 40))), (grey,) * 3, -1)
    for x in range(0, WIDTH + 400, 45):
        cv2.line(wide, (x, 300), (x, 345), (20, 60, 200), 3)
    for y in (302, 322):
        cv2.line(wide, (0, y), (WIDTH + 400, y), (20, 60, 200), 3)
    cv2.line(wide, (500, 0), (500, 260), (30, 160, 230), 6)
    cv2.line(wide, (300, 30), (800, 60), (30, 160, 230), 5)
    return wide[100 : 100 + HEIGHT, 200 + shift_px : 200 + shift_px + WIDTH].copy()


def with_noise(image, seed, sigma=2.0):
    """Another piece of one large field of noise for each seed: as good as new noise, and quickly there."""
    brighter, darker = _noise(sigma)
    down, across = (seed * 7919) % 251, (seed // 251 * 104_729 + seed * 31) % 241
    piece = np.s_[down : down + image.shape[0], across : across + image.shape[1]]
    return cv2.subtract(cv2.add(image, brighter[piece]), darker[piece])


@cache
def _noise(sigma):
    field = np.random.default_rng(11).normal(0, sigma, (HEIGHT + 251, WIDTH + 241))[..., None].repeat(3, axis=2)
    whole = np.rint(field).astype(np.int16)
    return np.clip(whole, 0, 255).astype(np.uint8), np.clip(-whole, 0, 255).astype(np.uint8)


def with_person(image, x, y=200, height=110):
    out = image.copy()
    wide = height // 3
    cv2.rectangle(out, (x, y), (x + wide, y + height), (60, 110, 60), -1)
    cv2.circle(out, (x + wide // 2, y - wide // 3), wide // 3, (40, 200, 230), -1)
    return out


def at_night(image):
    """Dark, with two lamps and their light on the ground."""
    lit = np.clip(image * (0.22 * (1 + 3.5 * _lamp_light())), 0, 255).astype(np.uint8)
    for x, y in ((160, 60), (480, 80)):
        cv2.circle(lit, (x, y), 9, (255, 255, 255), -1)
    return lit


@cache
def _lamp_light():
    light = np.zeros((HEIGHT, WIDTH), np.float32)
    for x, y in ((160, 60), (480, 80)):
        cv2.circle(light, (x, y + 120), 130, 0.9, -1)
    return cv2.GaussianBlur(light, (0, 0), 45)[..., None]


@dataclass
class Watch:
    """Shows pictures to a `CameraHealth` at 5 a second, with a box clock that runs along."""

    health: CameraHealth
    reference: np.ndarray | None = None
    at_s: float = 100.0
    seq: int = 0
    clock_off_s: float = 0.0
    stream_time: bool = True
    last = None

    def show(self, image, link=CameraLink.LIVE, every_s=0.2):
        self.seq += 3
        self.at_s += every_s
        now_ns = int((1_700_000_000 + self.at_s) * NS)
        captured_ns = now_ns + int(self.clock_off_s * NS)
        frame = Frame("cam-1", self.seq, captured_ns, now_ns, self.stream_time, 1, image)
        self.last = self.health.look(frame, self.reference, now_ns, int(self.at_s * NS), link)
        return self.last

    def show_for(self, seconds, draw, every_s=0.2):
        """`draw(i)` gives picture i; returns every answer."""
        return [self.show(draw(i), every_s=every_s) for i in range(round(seconds / every_s))]

    def nothing_for(self, seconds, link=CameraLink.LIVE):
        for _ in range(round(seconds)):
            self.at_s += 1
            now_ns = int((1_700_000_000 + self.at_s) * NS)
            self.last = self.health.look(None, self.reference, now_ns, int(self.at_s * NS), link)
        return self.last


def grey(image):
    return cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
