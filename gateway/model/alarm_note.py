"""What people say of an alarm beside the commands that change it: a note, a judgement, a report to the regulator.

In: a command. Out: sealed, and shown with the alarm. None of it changes the alarm: one that is judged false goes on
calling while its condition holds, and an alarm that was handed over is still handled on the site.
"""

from dataclasses import dataclass
from enum import StrEnum

from gateway.model.alarm import Alarm


class NoteKind(StrEnum):
    """NOTE: what was done. FALSE_ALARM: it was no danger. WITHDRAWN: that judgement no longer stands. HANDED_OVER: a
    person reports it to the regulator as a hazard."""

    NOTE = "noted"
    FALSE_ALARM = "judged_false"
    WITHDRAWN = "judgement_withdrawn"
    HANDED_OVER = "handed_over"


class FalseAlarmCause(StrEnum):
    """Why an alarm was false, for the figures."""

    SENSOR_FAULT = "sensor_fault"
    CALIBRATION = "calibration"
    NOTHING_FOUND = "nothing_found"
    DUPLICATE = "duplicate"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class AlarmNote:
    """What a person said at `at_ns` (UTC ns); `alarm` as it then stood. `cause` only of a false alarm."""

    kind: NoteKind
    alarm: Alarm
    at_ns: int
    user: str
    reason: str
    cause: FalseAlarmCause | None = None
