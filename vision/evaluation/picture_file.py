"""A picture file as pixels, or the reason why not. Half a picture is no picture: decoders fill the missing part with
grey and say nothing."""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from vision.detector.faults import PictureError

PICTURE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})
LARGEST_FILE_BYTES = 64 << 20
JPEG_START, JPEG_SCAN, JPEG_END = b"\xff\xd8\xff", b"\xff\xda", b"\xff\xd9"
PNG_START, PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND"


def read_picture(path: Path) -> NDArray[np.uint8]:
    """BGR (h, w, 3) uint8, upright as its EXIF says. Raises PictureError that names the file."""
    return decode_picture(read_body(path), path.name)


def read_body(path: Path) -> bytes:
    """The file's bytes. Raises PictureError when it cannot be read or is beyond `LARGEST_FILE_BYTES`."""
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise PictureError(path.name, f"{path.stat().st_size} bytes, at most {LARGEST_FILE_BYTES} expected")
        return path.read_bytes()
    except OSError as error:
        raise PictureError(path.name, error.strerror or "cannot be read") from error


def decode_picture(body: bytes, source: str) -> NDArray[np.uint8]:
    """The same of bytes; `source` is what an error names."""
    if not body:
        raise PictureError(source, "empty file")
    if body.startswith(JPEG_START) and body.rfind(JPEG_END) <= body.rfind(JPEG_SCAN):
        raise PictureError(source, "truncated JPEG: its last scan has no end")
    if body.startswith(PNG_START) and PNG_END not in body[-16:]:
        raise PictureError(source, "truncated PNG: no IEND chunk at its end")
    try:
        picture = cv2.imdecode(np.frombuffer(body, dtype=np.uint8), cv2.IMREAD_COLOR)
    except cv2.error as error:
        raise PictureError(source, f"no picture: {error.err}") from error
    if picture is None:
        raise PictureError(source, "no picture that can be decoded")
    return np.asarray(picture, dtype=np.uint8)
