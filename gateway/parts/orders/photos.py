"""Photos that come with an answer: every one is opened for real before it counts as one.

In: a file's name and bytes. Out: a `Photo`, or `PhotoRefusedError` with the name and what was expected. The bytes stay
as they were sent, with what the camera wrote into them (time, place): they are evidence, and a digest speaks of exactly
these bytes. Opens nothing, keeps nothing.
"""

import hashlib
import io
from typing import Final

from PIL import Image, UnidentifiedImageError

from gateway.parts.orders.order import Photo

MAX_PHOTO_BYTES: Final = 12 * 2**20
MAX_PHOTOS: Final = 9
MAX_PIXELS: Final = 60_000_000
MIN_SIDE_PX: Final = 64
MEDIA_TYPES: Final = {"JPEG": "image/jpeg", "MPO": "image/jpeg", "PNG": "image/png"}
"""What is taken. MPO is what phones call a JPEG that carries a second picture behind the first."""


class PhotoRefusedError(Exception):
    """A file that does not count as a photo: which, and why, in both languages."""

    def __init__(self, code: str, name: str, words_zh: str, words_en: str) -> None:
        self.code, self.name, self.words_zh, self.words_en = code, name[:100], words_zh, words_en
        super().__init__(f"{code}: {self.name}: {words_en}")


def check_photo(name: str, body: bytes) -> Photo:
    """What the file is. Decodes every pixel. Raises PhotoRefusedError."""
    if not body:
        raise PhotoRefusedError("photo_empty", name, "文件是空的", "the file is empty")
    check_size(name, len(body))
    width_px, height_px, media_type = _opened(name, body)
    return Photo(hashlib.sha256(body).hexdigest(), len(body), media_type, width_px, height_px)


def check_size(name: str, size_bytes: int) -> None:
    """Raises PhotoRefusedError for one that is too large; asked before it is read."""
    if size_bytes > MAX_PHOTO_BYTES:
        most, found = MAX_PHOTO_BYTES / 2**20, size_bytes / 2**20
        raise PhotoRefusedError(
            "photo_too_large",
            name,
            f"{found:.1f} MB，每张最大 {most:.0f} MB；请用手机降低分辨率后重拍或压缩",
            f"{found:.1f} MB; at most {most:.0f} MB each: take it again at a lower resolution, or compress it",
        )


def _opened(name: str, body: bytes) -> tuple[int, int, str]:
    try:
        with Image.open(io.BytesIO(body), formats=("JPEG", "PNG")) as picture:
            _check_shape(name, *picture.size)
            media_type = MEDIA_TYPES[picture.format or ""]
            picture.load()
            return *picture.size, media_type
    except (UnidentifiedImageError, KeyError):
        raise PhotoRefusedError("no_photo", name, "不是 JPEG 或 PNG 照片", "no JPEG or PNG photo") from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise PhotoRefusedError(
            "photo_damaged", name, "照片损坏或不完整，无法打开", "damaged or cut off: it cannot be opened"
        ) from None


def _check_shape(name: str, width_px: int, height_px: int) -> None:
    """Looked at before any pixel is decoded: a small file may say that it is enormous."""
    if width_px * height_px > MAX_PIXELS or min(width_px, height_px) < MIN_SIDE_PX:
        most = MAX_PIXELS // 1_000_000
        raise PhotoRefusedError(
            "photo_shape",
            name,
            f"{width_px}×{height_px} 像素，应为边长至少 {MIN_SIDE_PX}、最多 {most} 百万像素",
            f"{width_px}×{height_px} px: expected sides of {MIN_SIDE_PX} px or more, at most {most} megapixels",
        )
