"""The chain's word on media: what a MEDIA, MEDIA_EXPIRED or MEDIA_CASE record says, and items read back from it.

    media          what of an alarm is kept (digest, size, boxes beside the pixels, versions) and what is missing, why
    media_expired  a body is no more; its digest stays here
    media_case     somebody opened or closed an alarm's case, and why

Floats have no canonical form: a box's corners are whole pixels and its score is in thousandths. In: items. Out:
canonical content, outbox messages, and items again. Pure.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from contract.canonical import Canonical, canonical_bytes, decimal_text
from gateway.evidence.evidence import RecordKind
from gateway.media.kept import MediaCase, MediaClass, MediaItem, MediaState
from gateway.store.alert_store import MEDIA_URGENCY, KeptRecord, Message

MEDIA_KIND = "media_segment"
MAX_BOXES = 200
MAX_ABOUT_CHARACTERS = 200


def media_filed(alarm_id: str) -> str:
    """What the store files the MEDIA records of an alarm under."""
    return f"media:{alarm_id}"


def case_filed(alarm_id: str) -> str:
    """What the store files the case of an alarm under."""
    return f"case:{alarm_id}"


def media_content(items: Sequence[MediaItem]) -> dict[str, Canonical]:
    """Items of one alarm as they are sealed. Raises ValueError without any."""
    if not items:
        raise ValueError("a media record: expected at least one item")
    first = items[0]
    return {
        "alarm_id": first.alarm_id,
        "camera": first.camera,
        "key": first.key,
        "versions": {str(name): str(value) for name, value in first.versions.items()},
        "about": {str(name): _plain(value) for name, value in first.about.items()},
        "items": [_item_content(item) for item in items],
    }


def _item_content(item: MediaItem) -> Canonical:
    content: dict[str, Canonical] = {"class": str(item.media_class), "place": item.place, "state": str(item.state)}
    if item.reason:
        content["reason"] = item.reason
    if not item.sha256:
        return content
    return content | {
        "sha256": item.sha256,
        "size_bytes": item.size_bytes,
        "media_type": item.media_type,
        "captured_at_ns": item.captured_at_ns,
        "duration_ms": item.duration_ms,
        "width_px": item.width_px,
        "height_px": item.height_px,
        "boxes": [_box_content(box) for box in item.boxes[:MAX_BOXES]],
    }


def _box_content(box: Sequence[float]) -> Canonical:
    x1, y1, x2, y2, code, score, track = box
    return [round(x1), round(y1), round(x2), round(y2), int(code), round(score * 1000), int(track)]


def _plain(value: str | int | float) -> Canonical:
    if isinstance(value, float):
        return decimal_text(value)
    return value if isinstance(value, int) else str(value)[:MAX_ABOUT_CHARACTERS]


def expiry_content(item: MediaItem, receipts: Mapping[str, str]) -> dict[str, Canonical]:
    """A body that is let go: its digest, and the regulators' receipts that allow it."""
    return {
        "alarm_id": item.alarm_id,
        "camera": item.camera,
        "key": item.key,
        "receipts": dict(receipts),
        "items": [_item_content(item)],
    }


def case_content(alarm_id: str, event: str, user: str, reason: str) -> dict[str, Canonical]:
    """What the chain keeps of a case; `event` is `case_opened` or `case_closed`."""
    return {"event": event, "user": user, "reason": reason, "target": alarm_id}


def media_messages(items: Sequence[MediaItem], event_id: str, uplinks: Sequence[str]) -> list[Message]:
    """One `media_segment` of the contract for each body and regulator, for the commit that holds the record."""
    return [
        Message(uplink, segment_id(item), MEDIA_KIND, _segment(item, event_id), MEDIA_URGENCY)
        for item in items
        if item.sha256
        for uplink in uplinks
    ]


def segment_id(item: MediaItem) -> str:
    """The idempotency key: an item of an alarm is sent once."""
    return f"{item.alarm_id}:{item.media_class}:{item.place}"


def _segment(item: MediaItem, event_id: str) -> bytes:
    return canonical_bytes(
        {
            "segment_id": segment_id(item),
            "camera_id": item.camera,
            "started_at_ns": item.captured_at_ns,
            "duration_ms": item.duration_ms,
            "media_type": item.media_type,
            "blob_sha256": item.sha256,
            "size_bytes": item.size_bytes,
            "event_id": event_id,
        }
    )


@dataclass(frozen=True, slots=True)
class ReadMedia:
    """What a record says; `receipts` only of one that let go."""

    items: tuple[MediaItem, ...]
    receipts: Mapping[str, str] = field(default_factory=dict)


def read_media(record: KeptRecord) -> ReadMedia:
    """Items of a MEDIA or MEDIA_EXPIRED record. Raises ValueError when it does not hold what its kind should."""
    try:
        content = orjson.loads(record.body)["content"]
        items = tuple(_item(content, said, record.seq) for said in content["items"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"record {record.seq} of kind {record.kind}: {error!r}") from None
    if record.kind == RecordKind.MEDIA_EXPIRED:
        items = tuple(replace(item, state=MediaState.EXPIRED) for item in items)
    return ReadMedia(items, content.get("receipts", {}))


def _item(content: Mapping[str, Any], said: Mapping[str, Any], seq: int) -> MediaItem:
    state = MediaState(said["state"])
    return MediaItem(
        alarm_id=content["alarm_id"],
        camera=content["camera"],
        key=content["key"],
        media_class=MediaClass(said["class"]),
        place=said["place"],
        state=MediaState.KEPT if state is MediaState.STORED else state,
        reason=said.get("reason", ""),
        sha256=said.get("sha256", ""),
        size_bytes=said.get("size_bytes", 0),
        media_type=said.get("media_type", ""),
        captured_at_ns=said.get("captured_at_ns", 0),
        duration_ms=said.get("duration_ms", 0),
        width_px=said.get("width_px", 0),
        height_px=said.get("height_px", 0),
        boxes=tuple((*box[:4], box[4], box[5] / 1000, box[6]) for box in said.get("boxes", ())),
        versions=content.get("versions", {}),
        about=content.get("about", {}),
        record_seq=seq,
    )


def read_case(records: Sequence[KeptRecord]) -> MediaCase | None:
    """The newest case of one alarm from its records, oldest first; None when there never was one."""
    case: MediaCase | None = None
    for record in records:
        said = orjson.loads(record.body)["content"]
        if said["event"] == "case_opened":
            case = MediaCase(said["target"], record.at_ns, said["user"], said["reason"], record.seq)
        elif case is not None and case.open:
            case = replace(case, closed_at_ns=record.at_ns, closed_by=said["user"])
    return case
