"""Draws what the eye made of a frame, and writes pictures to a video file or a window.

In: `Sight`s. Out: pictures with boxes, tracks, votes, findings and the camera's health burnt in: for people who try the
eye out, never for evidence (there boxes stay beside the pixels). Faces are not blurred: the source is the user's own.
"""

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.detections import SeenClass
from gateway.model.verdict import Truth
from vision.helmets.helmets import TrackView
from vision.helmets.looks import Say
from vision.helmets.votes import Decision
from vision.picture.finding import Finding
from vision.watch.eye import Sight

Image = NDArray[np.uint8]
Colour = tuple[int, int, int]
RED, GREEN, YELLOW, GREY, WHITE, BLUE = (
    (60, 60, 230),
    (80, 200, 80),
    (40, 200, 240),
    (160, 160, 160),
    (255, 255, 255),
    (230, 160, 60),
)
LINES = 6
SMALLEST_SIDE_PX = 480
BORDER = 2


class WatchError(Exception):
    """The pictures cannot be written or shown; the text says what is missing."""


def draw(sight: Sight) -> Image:
    """A copy of the frame with what was seen. Small frames are enlarged so that the texts fit."""
    scale = max(1, -(-SMALLEST_SIDE_PX // max(sight.frame.height_px, 1)))
    image = np.repeat(np.repeat(sight.frame.image, scale, axis=0), scale, axis=1)
    seen = sight.detections
    if seen is not None:
        for row in seen.of_class(SeenClass.PERSON):
            if seen.track_id[row] >= 0:
                _box(image, seen.boxes_xyxy_px[row] * scale, BLUE, f"{seen.track_id[row]}")
    for view in sight.views:
        if view.look.say is not Say.NO_HEAD and view.look.track >= 0:
            _box(image, np.array(view.look.box_px) * scale, _colour(view), _label(view))
    for finding in sight.findings:
        if finding.truth is Truth.TRUE and finding.box_px is not None:
            x1, y1, x2, y2 = (round(side * scale) for side in finding.box_px)
            cv2.rectangle(image, (x1 - 4, y1 - 4), (x2 + 4, y2 + 4), RED, 3)
    for number, (line, colour) in enumerate(_lines(sight)):
        _text(image, line, (8, 20 + 20 * number), colour)
    return image


class VideoFile:
    """An H.264 file (MPEG-4 where libav has no H.264). Raises WatchError when it cannot be written."""

    def __init__(self, path: Path, fps: float) -> None:
        self._path = path
        try:
            path.open("ab").close()  # libav opens it with the first picture only
            self._file: Any = av.open(str(path), "w")
            stream: Any = self._file.add_stream(_codec(), rate=Fraction(fps).limit_denominator(1000))
        except (av.FFmpegError, OSError, ValueError) as error:
            raise self._refused(error) from None
        stream.pix_fmt = "yuv420p"
        self._stream = stream
        self._size: tuple[int, int] | None = None

    def show(self, image: Image) -> None:
        """Add a picture. All have the size of the first."""
        if self._size is None:
            self._size = image.shape[1] // 2 * 2, image.shape[0] // 2 * 2
            self._stream.width, self._stream.height = self._size
        width, height = self._size
        if image.shape[1] < width or image.shape[0] < height:
            image = np.asarray(cv2.resize(image, self._size), np.uint8)
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(image[:height, :width]), format="bgr24")
        try:
            self._file.mux(self._stream.encode(picture))
        except (av.FFmpegError, OSError) as error:
            self._size = None
            raise self._refused(error) from None

    def close(self) -> None:
        """Write what is left; no empty file stays where there was no picture."""
        if self._size is not None:
            self._file.mux(self._stream.encode(None))
            self._file.close()
        elif self._path.is_file() and self._path.stat().st_size == 0:
            self._path.unlink()

    def _refused(self, error: Exception) -> WatchError:
        return WatchError(f"{self._path}: cannot be written as a video: {getattr(error, 'strerror', None) or error}")


class Window:
    """A window of the desktop. Raises WatchError where there is none."""

    NAME = "sitewarden"

    def __init__(self) -> None:
        try:
            cv2.namedWindow(self.NAME, cv2.WINDOW_NORMAL)
        except cv2.error:
            raise WatchError(
                "a window needs a desktop and OpenCV with windows: pip install 'sitewarden[box-desktop]' in an "
                "environment without opencv-python-headless; without one use --out FILE.mp4"
            ) from None

    def show(self, image: Image) -> bool:
        """Show a picture; False when the user closed the window or pressed q or Esc."""
        cv2.imshow(self.NAME, image)
        key = cv2.waitKey(1) & 0xFF
        return key not in (ord("q"), 27) and cv2.getWindowProperty(self.NAME, cv2.WND_PROP_VISIBLE) >= 1

    def close(self) -> None:
        """Close it."""
        cv2.destroyWindow(self.NAME)


def _codec() -> str:
    for name in ("libx264", "libopenh264", "mpeg4"):
        try:
            av.Codec(name, "w")
        except (av.FFmpegError, ValueError):
            continue
        return name
    raise WatchError("libav has no encoder for H.264 or MPEG-4")


def _colour(view: TrackView) -> Colour:
    if view.place is not None:
        return RED
    if view.look.say in (Say.WORN, Say.ALONE):
        return GREEN
    return YELLOW if view.look.say is Say.BARE else GREY


def _label(view: TrackView) -> str:
    votes = f" {view.bare_share:.0%} {view.watched_s:.0f}s" if view.watched_s else ""
    decided = "" if view.decision is Decision.OPEN else f" {view.decision.value}"
    return f"{view.look.track} {view.look.say.value}{votes}{decided}"


def _lines(sight: Sight) -> list[tuple[str, Colour]]:
    at_s = sight.frame.captured_at_ns / 1e9
    ailing = [ailment.value for ailment, truth in sight.health.ailing.items() if truth is Truth.TRUE]
    state = "usable" if sight.health.usable else "not usable: " + (", ".join(ailing) or "first bad look")
    lines = [(f"frame {sight.frame.seq}  {at_s:.2f} s  {state}", WHITE if sight.health.usable else YELLOW)]
    if sight.cut:
        lines.append(("another scene: tracks begin anew", YELLOW))
    lines += [(_finding_line(finding), RED) for finding in sight.findings if finding.truth is Truth.TRUE]
    return lines[:LINES]


def _finding_line(finding: Finding) -> str:
    said = " ".join(
        f"{key}={value}" for key, value in finding.about.items() if key in ("zone", "track", "edge", "also")
    )
    return f"{finding.key} {finding.measured:g} {said}" + (" FIRED" if finding.fired else "")


def _box(image: Image, box: NDArray[np.floating[Any]], colour: Colour, label: str) -> None:
    x1, y1, x2, y2 = (round(float(side)) for side in box)
    cv2.rectangle(image, (x1, y1), (x2, y2), colour, BORDER)
    _text(image, label, (x1, max(y1 - 5, 12)), colour, 0.42)


def _text(image: Image, text: str, at: tuple[int, int], colour: Colour, scale: float = 0.5) -> None:
    plain = text.encode("ascii", "replace").decode()
    cv2.putText(image, plain, at, cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(image, plain, at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, 1, cv2.LINE_AA)
