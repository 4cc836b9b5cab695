"""The hazard that a true verdict opens: what the box said, in the words that the desk keeps.

In: an item and its alarm. Out: a `NewHazard` of the device channel. A machine only suspects: the grade is general, and
the code of the national list that it suspects goes with it for a person to confirm.
"""

from sqlalchemy import Connection, Row, select

from regulator.base.model.hazard import Channel, Grade, HazardKind, NewHazard
from regulator.base.model.refusals import RefusedError
from regulator.base.records.tables.intake import alarm_media, alarms


def proposed_hazard(db: Connection, row: "Row[tuple[object, ...]]") -> NewHazard:
    """From the alarm of an item. Raises RefusedError 409 when the desk does not hold the alarm."""
    at = alarms.c
    alarm = db.execute(select(alarms).where(at.box_id == row.box_id, at.alarm_id == row.alarm_id)).first()
    if alarm is None:
        raise RefusedError(409, "no_alarm", "平台尚未收到该报警", "the desk does not hold this alarm", "alarm_id")
    return NewHazard(
        project_code=row.project_code,
        channel=Channel.DEVICE,
        kind=HazardKind.HAZARD,
        grade=Grade.GENERAL,
        title_zh=alarm.title_zh or alarm.rule_id,
        title_en=alarm.title_en or alarm.rule_id,
        place_id=alarm.subject,
        observed_at_ns=alarm.raised_at_ns,
        event_key=f"{row.box_id}/{row.alarm_id}",
        rule_id=alarm.rule_id,
        box_id=row.box_id,
        alarm_id=row.alarm_id,
        catalogue_code=alarm.hazard_code,
        catalogue_edition=alarm.hazard_edition,
        other_code=alarm.other_code,
        other_edition=alarm.other_edition,
        blobs=_blobs(db, row),
    )


def _blobs(db: Connection, row: "Row[tuple[object, ...]]") -> tuple[str, ...]:
    """The bodies on the shelf; a thumbnail is part of its message and no evidence of its own."""
    at = alarm_media.c
    of_alarm = (at.box_id == row.box_id) & (at.alarm_id == row.alarm_id) & (at.kind == "segment")
    return tuple(db.scalars(select(at.sha256).where(of_alarm).order_by(at.started_at_ns, at.sha256)))
