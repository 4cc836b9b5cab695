"""Whether bytes are a photo: really decoded, within bounds. In: bytes. Out: the media type, or a clear refusal."""

import io
import warnings

from PIL import Image, UnidentifiedImageError

from regulator.base.model.refusals import RefusedError

MAX_PHOTO_BYTES = 20 * 1024 * 1024
MAX_PHOTO_PIXELS = 64_000_000
MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png"}


def check_photo(content: bytes, name: str = "") -> str:
    """`image/jpeg` or `image/png`. Raises RefusedError 413 or 422: too large, no photo, broken, too many pixels."""
    shown = name[:80] or "photo"
    if len(content) > MAX_PHOTO_BYTES:
        most = MAX_PHOTO_BYTES // 2**20
        zh, en = f"照片 {shown} 超过 {most} MB", f"the photo {shown} is larger than {most} MB"
        raise RefusedError(413, "photo_too_large", zh, en, "photo")
    try:
        return MEDIA_TYPES[_decoded(content)]
    except _TooManyPixelsError as error:
        zh, en = f"照片 {shown} 像素过多", f"the photo {shown} has more than {MAX_PHOTO_PIXELS:,} pixels"
        raise RefusedError(422, "photo_too_many_pixels", zh, en, "photo") from error
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, KeyError) as error:
        zh = f"{shown} 不是可打开的 JPEG 或 PNG 照片"
        en = f"{shown} is no JPEG or PNG photo that can be opened"
        raise RefusedError(422, "no_photo", zh, en, "photo") from error


class _TooManyPixelsError(Exception):
    """Refused by its header, before anything is decoded."""


def _decoded(content: bytes) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            with Image.open(io.BytesIO(content), formats=tuple(MEDIA_TYPES)) as image:
                if image.width * image.height > MAX_PHOTO_PIXELS:
                    raise _TooManyPixelsError
                image.load()
                return str(image.format)
        except Image.DecompressionBombError as error:
            raise _TooManyPixelsError from error
