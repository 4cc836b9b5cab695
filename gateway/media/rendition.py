"""What is made of a kept still for people: a picture with faces blurred, and a small one of that for the regulator.

The functions come from outside (`app` brings those of `vision`), so that nothing here decodes a picture.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from contract.canonical import canonical_bytes
from gateway.media.kept import MediaItem
from gateway.store.alert_store import Message

THUMBNAIL_KIND = "thumbnail"
MAX_THUMBNAIL_BYTES = 90_000
Blur = Callable[[bytes, MediaItem], bytes]
"""A still's JPEG with the faces of its head boxes blurred. May run in any thread; raises ValueError when it cannot."""


@dataclass(frozen=True, slots=True)
class SmallPicture:
    """A small JPEG in which faces are blurred."""

    body: bytes
    width_px: int
    height_px: int


Thumb = Callable[[bytes, MediaItem], SmallPicture]
"""A still's thumbnail, faces blurred. May run in any thread; raises ValueError when there is none."""


@dataclass(frozen=True, slots=True)
class Renditions:
    """How large stills are shown, and how blurred."""

    blur: Blur
    thumb: Thumb


def thumbnail_messages(
    item: MediaItem, small: SmallPicture, event_id: str, uplinks: tuple[str, ...], urgency: int
) -> list[Message]:
    """The contract's `thumbnail` of an alarm's frame, for each regulator; none when it is too large for a message."""
    if len(small.body) > MAX_THUMBNAIL_BYTES:
        return []
    body = canonical_bytes(
        {
            "camera_id": item.camera,
            "captured_at_ns": item.captured_at_ns,
            "media_type": "image/jpeg",
            "width_px": small.width_px,
            "height_px": small.height_px,
            "sha256": hashlib.sha256(small.body).hexdigest(),
            "data_base64": base64.b64encode(small.body).decode(),
            "event_id": event_id,
        }
    )
    key = f"{item.alarm_id}:{THUMBNAIL_KIND}"
    return [Message(uplink, key, THUMBNAIL_KIND, body, urgency) for uplink in uplinks]
