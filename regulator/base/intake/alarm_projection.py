"""Alarms as they stand, put together from transitions that may come in any order, and the media that belongs to them.

    raised ─┐
    acknowledged ─┤  each transition sets its own moment; whether the alarm is active follows from the newest of
    returned ─┤      raised and returned by `observed_at_ns`, never from the order of arrival
    handed_over ─┘

What describes the alarm (severity, measured, limit, clause) is taken from its raise; until that has come, from whatever
came. The project is the one that the box is enrolled for, not the one that a message claims.
"""

from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from contract.envelope import Envelope
from contract.messages import AlarmTransition, MediaSegment, Thumbnail
from regulator.base.records.tables.intake import alarm_media, alarms, alerts

_SAME = ("rule_id", "severity", "subject", "asset", "title_zh", "title_en", "measured", "unit")
_DESCRIBES = (*_SAME, "asset_kind", "limit_source", "clause", "certainty", "evidence_seq", "evidence_sha256")
_MOMENTS = {
    "raised": "raised_at_ns",
    "acknowledged": "acknowledged_at_ns",
    "returned": "returned_at_ns",
    "handed_over": "handed_over_at_ns",
}

_this = (alarms.c.box_id == bindparam("box")) & (alarms.c.alarm_id == bindparam("alarm"))
_HELD = select(alarms).where(_this)
_ADD_ALERT = insert(alerts)
_ADD_ALARM = insert(alarms)
_CHANGE = update(alarms).where(_this)
_WHOSE = select(alerts.c.alarm_id).where(alerts.c.box_id == bindparam("box"), alerts.c.key == bindparam("event"))
_ADD_MEDIA = insert(alarm_media)
_ADOPT = update(alarm_media).where(
    alarm_media.c.box_id == bindparam("box"), alarm_media.c.event_id == bindparam("event")
)
_ADOPT = _ADOPT.where(alarm_media.c.alarm_id == "").values(alarm_id=bindparam("alarm"))


def file_transition(db: Connection, box: "Row[Any]", envelope: Envelope, body: AlarmTransition, now_ns: int) -> None:
    """Keep the transition's row and bring its alarm up to date."""
    db.execute(_ADD_ALERT, alert_row(box, envelope, body, now_ns))
    place = {"box": box.box_id, "alarm": body.alarm_id}
    held = db.execute(_HELD, place).first()
    if held is None:
        db.execute(_ADD_ALARM, alarm_row(box, envelope, body, now_ns))
    else:
        change_alarm(db, held, envelope, body)
    adopt_media(db, box.box_id, envelope.key, body.alarm_id)


def change_alarm(db: Connection, held: "Row[Any]", envelope: Envelope, body: AlarmTransition) -> None:
    """Bring an alarm that is held up to date with one more transition."""
    place = {"box": held.box_id, "alarm": held.alarm_id}
    db.execute(_CHANGE.values(**changes_of(held, envelope, body)), place)


def adopt_media(db: Connection, box_id: str, event_id: str, alarm_id: str) -> None:
    """Pictures and clips that came before their alarm's event belong to it now."""
    db.execute(_ADOPT, {"box": box_id, "event": event_id, "alarm": alarm_id})


def file_media(db: Connection, box_id: str, item_key: str, body: Thumbnail | MediaSegment) -> None:
    """Note a picture or clip of an alarm; what names no event belongs to none."""
    if not body.event_id:
        return
    alarm_id = db.scalar(_WHOSE, {"box": box_id, "event": body.event_id}) or ""
    db.execute(_ADD_MEDIA, media_row(box_id, item_key, body, alarm_id))


def media_row(box_id: str, item_key: str, body: Thumbnail | MediaSegment, alarm_id: str) -> dict[str, object]:
    """A picture or clip as a row of `alarm_media`; `alarm_id` empty until its alarm came."""
    row: dict[str, object] = {"box_id": box_id, "item_key": item_key, "alarm_id": alarm_id, "event_id": body.event_id}
    row |= {"media_type": body.media_type, "camera_id": body.camera_id}
    if isinstance(body, Thumbnail):
        row |= {"kind": "thumbnail", "sha256": body.sha256, "started_at_ns": body.captured_at_ns, "duration_ms": 0}
        row |= {"size_bytes": len(body.data_base64) * 3 // 4 - body.data_base64[-2:].count("=")}
    else:
        row |= {"kind": "segment", "sha256": body.blob_sha256, "started_at_ns": body.started_at_ns}
        row |= {"duration_ms": body.duration_ms, "size_bytes": body.size_bytes}
    return row


def alarm_row(box: "Row[Any]", envelope: Envelope, body: AlarmTransition, now_ns: int) -> dict[str, object]:
    """An alarm of which nothing is held yet, by its first transition to arrive."""
    first = {"box_id": box.box_id, "alarm_id": body.alarm_id, "project_code": box.project_code}
    return first | {"accepted_at_ns": now_ns} | changes_of(None, envelope, body)


def alert_row(box: "Row[Any]", envelope: Envelope, body: AlarmTransition, now_ns: int) -> dict[str, object]:
    """The transition as a row of `alerts`."""
    row: dict[str, object] = {name: getattr(body, name) for name in _SAME}
    row |= {"box_id": box.box_id, "key": envelope.key, "alarm_id": body.alarm_id, "project_code": box.project_code}
    row |= {"transition": body.transition, "limit_value": body.limit, "suspected": int(body.suspected)}
    row |= {"user_name": body.user, "reason": body.reason, "observed_at_ns": body.observed_at_ns}
    return row | {"late": int(envelope.late), "accepted_at_ns": now_ns}


def changes_of(held: "Row[Any] | None", envelope: Envelope, body: AlarmTransition) -> dict[str, object]:
    """What the transition changes of its alarm, or sets when nothing is held of it yet."""
    changes: dict[str, object] = {}
    raised = body.transition == "raised"
    newer = held is None or body.observed_at_ns >= held.raised_at_ns
    if held is None or (raised and (newer or not held.raised_event)):
        changes |= _description(envelope, body)
    if raised and (newer or (held is not None and not held.raised_event)):
        changes["raised_event"] = envelope.key
    moments = {name: getattr(held, name) if held is not None else 0 for name in _MOMENTS.values()}
    moments["raised_at_ns"] = max(moments["raised_at_ns"], body.raised_at_ns)
    mine = _MOMENTS[body.transition]
    moments[mine] = max(moments[mine], body.observed_at_ns)
    returned, since = moments["returned_at_ns"], moments["raised_at_ns"]
    answered = moments["acknowledged_at_ns"]
    states = {
        "active": int(not returned or returned < since),
        "acknowledged": int(bool(answered) and answered >= since),
    }
    return changes | moments | states


def _description(envelope: Envelope, body: AlarmTransition) -> dict[str, object]:
    said: dict[str, object] = {name: getattr(body, name) for name in _DESCRIBES}
    said |= {"limit_value": body.limit, "suspected": int(body.suspected), "late": int(envelope.late)}
    if body.hazard is not None:
        said |= {"hazard_code": body.hazard.code, "hazard_edition": body.hazard.edition}
        said |= {"other_code": body.hazard.other_code, "other_edition": body.hazard.other_edition}
    return said
