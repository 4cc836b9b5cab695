"""Pictures of an alarm put onto a box's shelf as its keeper does it, for any alarm and from outside of the box.

pictures = keep_pictures(box.folder, alarm.alarm_id, alarm.raised_at_ns)
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from gateway.media.index import MediaIndex
from gateway.media.kept import MediaClass, MediaItem, MediaState
from gateway.media.shelf import MediaShelf
from gateway.model.picture import Picture
from tests.fakes.eyes import SECOND_NS, film, fired_scene

CLIP_S = 20


def keep_pictures(folder: Path, alarm_id: str, at_ns: int, *, clip: bool = True) -> list[MediaItem]:
    """A frame that fired at `at_ns`, the strip before it and, unless there is none, a clip around it."""
    scene = fired_scene("cam-1", "bare_head_1", at_ns)
    index, shelf = MediaIndex(folder), MediaShelf(folder)
    try:
        items = [_kept(shelf, alarm_id, MediaClass.FRAME, 0, scene.frame)]
        items += [_kept(shelf, alarm_id, MediaClass.STRIP, place, each) for place, each in enumerate(scene.strip)]
        items.append(_clip(shelf, alarm_id, at_ns) if clip else _item(alarm_id, MediaClass.CLIP).missing("no H.264"))
        items = [item.of_scene(scene.versions, scene.about) for item in items]
        index.keep(items).result(timeout=20)
        return items
    finally:
        index.close()


def damage(folder: Path, items: Sequence[MediaItem]) -> None:
    """Flip a byte of what lies on the shelf."""
    for item in items:
        path = MediaShelf(folder).path(item.sha256)
        body = bytearray(path.read_bytes())
        body[len(body) // 2] ^= 1
        path.write_bytes(body)


def _clip(shelf: MediaShelf, alarm_id: str, at_ns: int) -> MediaItem:
    body = film(CLIP_S, fragmented=False)
    digest = hashlib.sha256(body).hexdigest()
    picture = Picture("cam-1", at_ns - CLIP_S // 2 * SECOND_NS, 0, 320, 180, "video/mp4", body, digest)
    return _kept(shelf, alarm_id, MediaClass.CLIP, 0, picture, CLIP_S * 1000)


def _kept(
    shelf: MediaShelf, alarm_id: str, media_class: MediaClass, place: int, picture: Picture, duration_ms: int = 0
) -> MediaItem:
    shelf.put(picture.body)
    return replace(_item(alarm_id, media_class, place).of_picture(picture, duration_ms), state=MediaState.KEPT)


def _item(alarm_id: str, media_class: MediaClass, place: int = 0) -> MediaItem:
    return MediaItem(alarm_id, "cam-1", "bare_head_1", media_class, place, MediaState.BEGUN)
