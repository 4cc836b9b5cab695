"""Cameras without a camera: an `Eyes` that serves rendered pictures, clips and live video.

    eyes = StillEyes(three_cameras())      # cam-1 is well, cam-2 sends H.265, cam-3 is offline

In: nothing but the clock it is given. Out: what `gateway.ports.Eyes` promises; H.264 really is H.264, made by libx264
when it is first asked for. Heads in `still` are pixelated, as the eye process does it; in a fired scene they are not.
"""

import asyncio
import hashlib
import io
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import cache
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.camera_scores import CameraScores
from gateway.model.hook import HookPose
from gateway.model.picture import CameraLink, CameraState, FiredScene, Picture
from gateway.model.sight import DAY_H, CameraSight, Reach, SightHour, Why, added
from gateway.model.survey import Survey, empty_survey

WIDTH, HEIGHT = 640, 360
FPS = 5
LIVE_S = 60
SECOND_NS = 1_000_000_000
STOREY = 0.175
"""Of the picture: three metres, where the drawn rail of 1.2 m has 0.07."""
HEADS = ((0, 0.93), (1, 0.88))
"""Class code and score of the two heads of the scene: one helmet, one bare."""
Boxes = tuple[tuple[float, float, float, float, int, float, int], ...]


def camera(name: str, now_ns: int, **changed: Any) -> CameraState:
    """A camera that is well; `changed` are its fields."""
    state = CameraState(
        camera=name,
        asset=name,
        title_zh=f"{name} 号摄像机",
        title_en=f"Camera {name}",
        link=CameraLink.LIVE,
        since_ns=now_ns - 3600 * SECOND_NS,
        address="rtsp://192.168.1.64/ch1",
        codec="h264",
        width_px=WIDTH,
        height_px=HEIGHT,
        browser_video=True,
        why_not="",
        frames_per_s=15.0,
        judged_per_s=5.0,
        ailing=(),
        dangerous_works=True,
        model_version="site_heads 1",
        survey_version=0,
    )
    return replace(state, **changed)


def three_cameras(now_ns: int) -> tuple[CameraState, ...]:
    """One that is well, one whose stream no browser plays, one that is away."""
    nothing = {"frames_per_s": float("nan"), "judged_per_s": float("nan"), "width_px": 0, "height_px": 0}
    return (
        camera(
            "cam-1",
            now_ns,
            title_zh="基坑东侧",
            title_en="Pit, east",
            scores="helmet 0.469, head 0.612, person 0.648",
            own_scores=3,
            own_scores_used=True,
            scores_since_ns=now_ns - 86_400 * SECOND_NS,
        ),
        camera(
            "cam-2",
            now_ns,
            title_zh="大门",
            title_en="Gate",
            codec="hevc",
            browser_video=False,
            why_not="the stream is H.265",
            dangerous_works=False,
            ailing=("blurred",),
            scores="helmet 0.469, head 0.478, person 0.648",
            own_scores=2,
            scores_since_ns=now_ns - 86_400 * SECOND_NS,
        ),
        camera(
            "cam-3",
            now_ns,
            title_zh="钢筋加工区",
            title_en="Steel yard",
            link=CameraLink.OFFLINE,
            since_ns=now_ns - 754 * SECOND_NS,
            codec="",
            browser_video=False,
            why_not="no frame yet",
            last_error="no answer within 5 s",
            model_version="",
            **nothing,
        ),
    )


def scene(second: float, width: int = WIDTH, height: int = HEIGHT) -> tuple[NDArray[np.uint8], Boxes]:
    """A slab with a rail and two people who walk; the picture (BGR) and the boxes of heads and people."""
    image = np.full((height, width, 3), (208, 200, 190), np.uint8)
    image[int(height * 0.55) :] = (120, 128, 132)
    cv2.line(image, (0, int(height * 0.5)), (width, int(height * 0.5)), (30, 150, 235), 3)
    boxes = []
    for number, (class_id, score) in enumerate(HEADS):
        x = int(width * (0.25 + 0.4 * number + 0.05 * np.sin(second + number)))
        top, head = int(height * 0.36), int(height * 0.07)
        cv2.rectangle(image, (x - head, top + head), (x + head, top + 6 * head), (60, 90, 160), -1)
        cv2.circle(image, (x, top), head, (140, 170, 220), -1)
        cv2.circle(image, (x + head // 3, top - head // 4), max(1, head // 6), (20, 20, 20), -1)
        if class_id == 0:
            cv2.ellipse(image, (x, top), (head, head), 0, 180, 360, (0, 220, 250), -1)
        boxes.append((float(x - head), float(top - head), float(x + head), float(top + head), class_id, score, number))
        boxes.append((float(x - head), float(top - head), float(x + head), float(top + 6 * head), 2, 0.9, 10 + number))
    cv2.putText(image, f"{second:8.1f}", (8, height - 10), cv2.FONT_HERSHEY_SIMPLEX, 0.6, (0, 0, 0), 1)
    return image, tuple(boxes)


def jpeg(image: NDArray[np.uint8]) -> bytes:
    """As the eye sends it."""
    return bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 80])[1])


def pixelated(image: NDArray[np.uint8], boxes: Boxes) -> NDArray[np.uint8]:
    """Heads without faces."""
    shown = image.copy()
    for x1, y1, x2, y2, class_id, _, _ in boxes:
        if class_id in (0, 1):
            part = shown[int(y1) : int(y2), int(x1) : int(x2)]
            small = cv2.resize(part, (3, 3), interpolation=cv2.INTER_AREA)
            part[:] = cv2.resize(small, (part.shape[1], part.shape[0]), interpolation=cv2.INTER_NEAREST)
    return shown


def picture(name: str, at_ns: int, *, blurred: bool, seq: int = 0) -> Picture:
    """The scene as a JPEG with its boxes."""
    image, boxes = scene(at_ns / SECOND_NS % 100)
    body = jpeg(pixelated(image, boxes) if blurred else image)
    digest = hashlib.sha256(body).hexdigest()
    return Picture(name, at_ns, seq, WIDTH, HEIGHT, "image/jpeg", body, digest, boxes)


def before_houses(seen: Picture) -> Picture:
    """The same with houses behind the rail and posts in it: one view is told from another by what stands still."""
    image, dice = decoded(seen), np.random.default_rng(5)
    for _ in range(60):
        x, y, wide, high = (int(part) for part in dice.integers((0, 0, 8, 8), (WIDTH, int(0.46 * HEIGHT), 60, 50)))
        shade = [float(part) for part in dice.uniform(40, 250, 3)]
        cv2.rectangle(image, (x, y), (x + wide, min(y + high, int(0.47 * HEIGHT))), shade, -1)
    for x in range(6, WIDTH, WIDTH // 9):
        cv2.rectangle(image, (x, int(0.5 * HEIGHT)), (x + 3, int(0.55 * HEIGHT)), (30, 150, 235), -1)
    return of_pixels(seen, image)


def a_storey_up(seen: Picture) -> Picture:
    """The same with the rail and the slab `STOREY` of the picture higher."""
    image = decoded(seen)
    low, high, up = int(0.62 * HEIGHT), int(0.48 * HEIGHT), int(STOREY * HEIGHT)
    band = image[high:low].copy()
    image[high:low] = image[low : low + 1]
    image[high - up : low - up] = band
    return of_pixels(seen, image)


def decoded(seen: Picture) -> NDArray[np.uint8]:
    """The pixels of a picture, BGR."""
    image = cv2.imdecode(np.frombuffer(seen.body, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, np.uint8)


def of_pixels(seen: Picture, image: NDArray[np.uint8]) -> Picture:
    """The picture with other pixels."""
    body = jpeg(image)
    return replace(seen, body=body, sha256=hashlib.sha256(body).hexdigest())


def by_lamp(seen: Picture) -> Picture:
    """The same by night: a lamp at the left, and the grain of a camera that sees little."""
    image = decoded(seen)
    reach = np.linspace(0.8, 0.1, seen.width_px)[None, :, None]
    grain = np.random.default_rng(seen.captured_at_ns % 2**32).normal(0, 6, image.shape)
    return of_pixels(seen, np.clip(image * reach + grain, 0, 255).astype(np.uint8))


def fired_scene(name: str, key: str, at_ns: int) -> FiredScene:
    """What is kept when a finding is confirmed: a frame and the eight stills before it."""
    strip = tuple(picture(name, at_ns - (8 - n) * SECOND_NS, blurred=False, seq=n) for n in range(8))
    frame = picture(name, at_ns, blurred=False, seq=8)
    versions = {"model": "site_heads 1", "rule": "vision.helmet 1", "survey": "3"}
    about: dict[str, str | int | float] = {"zone": "slab", "track": 17, "frames": 25}
    return FiredScene(name, key, at_ns, frame, strip, about, versions)


@cache
def film(seconds: int, *, fragmented: bool) -> bytes:
    """MP4 of the scene, H.264 by libx264, a key frame a second."""
    buffer = io.BytesIO()
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof"} if fragmented else {}
    with av.open(buffer, "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        stream.options = {"preset": "ultrafast", "tune": "zerolatency", "g": str(FPS)}
        stream.codec_context.time_base = Fraction(1, FPS)
        for number in range(seconds * FPS):
            frame = av.VideoFrame.from_ndarray(scene(number / FPS, 320, 180)[0], format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return buffer.getvalue()


def boxes_of(body: bytes) -> list[tuple[bytes, bytes]]:
    """The top-level boxes of an MP4: name and bytes."""
    found, at = [], 0
    while at < len(body):
        size = int.from_bytes(body[at : at + 4], "big")
        found.append((body[at + 4 : at + 8], body[at : at + size]))
        at += size
    return found


def fragments(body: bytes) -> list[bytes]:
    """The initialisation segment, then one element a `moof` with its `mdat`."""
    parts = [b""]
    for name, box in boxes_of(body):
        if name == b"moof":
            parts.append(b"")
        if name in (b"ftyp", b"moov", b"moof", b"mdat"):
            parts[-1] += box
    return parts


def sight_of(now_ns: int, *, judged: float = 0.58, hours: int = 60, reach: Reach | None = None) -> CameraSight:
    """A man and a half in sight all day; of the person-seconds this part was judged, the rest for every reason."""
    last = now_ns // (3600 * SECOND_NS)
    rest = {Why.TOO_SMALL: 0.7, Why.CUT: 0.1, Why.NO_HEAD: 0.15, Why.UNCLEAR: 0.05}
    person_s = {why: 5400 * (1 - judged) * part for why, part in rest.items()}
    row = {Why.JUDGED: 5400 * judged, Why.UNWATCHED: 90.0, **person_s}
    kept = tuple(SightHour(hour, row, 3000.0, 400.0, 200.0) for hour in range(last - hours + 1, last + 1))
    return CameraSight(kept, added(kept[-DAY_H:], last - DAY_H + 1), reach or Reach(0.28, 0.94, 0.47))


class StillEyes:
    """`Eyes` over rendered pictures. `states` may be replaced while it is looked at."""

    def __init__(
        self, states: Sequence[CameraState], now_ns: Callable[[], int] = time.time_ns, pace_s: float = 0.2
    ) -> None:
        self.states = {state.camera: state for state in states}
        self.drawn: dict[str, dict[str, Survey]] = {}
        self.turned_to: str | None = None
        """The preset at which every camera that has some looks."""
        self.references: dict[str, bytes] = {}
        self.nights: dict[str, bytes] = {}
        self.scores: dict[str, CameraScores] = {}
        self.by_night = False
        """When set, pictures to draw on are lit by one lamp."""
        self.floor_up = False
        """When set, the rail of pictures to draw on stands a storey higher."""
        self.sights: dict[str, CameraSight] = {}
        self.live_open = 0
        self.breaks_off = ""
        """When set, live video ends after its third part for this reason, as for a viewer that is too slow."""
        self._now_ns = now_ns
        self._pace_s = pace_s

    def cameras(self) -> Sequence[CameraState]:
        return tuple(self._with_drawings(state) for state in self.states.values())

    def _with_drawings(self, state: CameraState) -> CameraState:
        drawn = self.surveys(state.camera)
        presets = tuple(survey.preset for survey in drawn) if any(survey.preset for survey in drawn) else ()
        newest = max((survey.version for survey in drawn), default=0)
        preset = self.turned_to if self.turned_to in presets else None
        return replace(state, survey_version=newest, presets=presets, preset=preset)

    def still(self, camera: str) -> Picture | None:
        if self.states[camera].link is not CameraLink.LIVE:
            return None
        second_ns = self._now_ns() // SECOND_NS * SECOND_NS
        return picture(camera, second_ns, blurred=True)

    def fired(self, camera: str, key: str) -> FiredScene | None:
        if self.states[camera].link is not CameraLink.LIVE:
            return None
        return fired_scene(camera, key, self._now_ns())

    def sight(self, camera: str, now_ns: int) -> CameraSight:
        if self.states[camera].link is not CameraLink.LIVE:
            return CameraSight((), added((), 0), None)
        return self.sights.get(camera) or sight_of(now_ns)

    async def reference(self, camera: str) -> Picture | None:
        if self.states[camera].link is not CameraLink.LIVE:
            return None
        seen = before_houses(picture(camera, self._now_ns(), blurred=True))
        seen = a_storey_up(seen) if self.floor_up else seen
        return by_lamp(seen) if self.by_night else seen

    async def clip(self, camera: str, from_ns: int, to_ns: int) -> Picture:
        self._playable(camera)
        body = await asyncio.to_thread(film, 20, fragmented=False)
        return Picture(camera, from_ns, 0, 320, 180, "video/mp4", body, hashlib.sha256(body).hexdigest())

    async def live(self, camera: str) -> AsyncIterator[bytes]:
        self._playable(camera)
        self.live_open += 1
        try:
            for number, part in enumerate(fragments(await asyncio.to_thread(film, LIVE_S, fragmented=True))):
                if self.breaks_off and number == 3:
                    raise LookupError(self.breaks_off)
                yield part
                await asyncio.sleep(self._pace_s)
        finally:
            self.live_open -= 1

    def surveys(self, camera: str) -> Sequence[Survey]:
        if camera not in self.states:
            raise KeyError(camera)
        return tuple(self.drawn.get(camera, {}).values())

    def survey(self, camera: str, preset: str = "") -> Survey:
        """What is drawn for a preset."""
        return self.drawn.get(camera, {}).get(preset) or empty_survey(camera)

    def hook_cranes(self) -> Sequence[str]:
        return ()

    def use_hooks(self, hooks: Sequence[HookPose]) -> None:
        raise AssertionError("nobody asked for hooks")

    def use_scores(self, scores: CameraScores) -> None:
        self.scores[scores.camera] = scores

    def use_survey(self, survey: Survey, reference: bytes, night: bytes = b"") -> None:
        drawn = self.drawn.setdefault(survey.camera, {})
        drawn[survey.preset] = survey
        if not reference:
            del drawn[survey.preset]
        self.references[survey.camera] = reference
        self.nights[survey.camera] = night

    def _playable(self, camera: str) -> None:
        if not self.states[camera].browser_video:
            raise LookupError(self.states[camera].why_not)
