"""People's judgements of alarms (false, handed over), read from the sealed notes.

In: notes in the order of the chain. Out: what stands now for an alarm, and why a further word is refused. Pure; changes
no alarm.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gateway.alarms.refusal import CommandError
from gateway.alarms.tables import Refusal
from gateway.model.alarm_note import AlarmNote, FalseAlarmCause, NoteKind


@dataclass(frozen=True, slots=True)
class Judgement:
    """Judgements of one alarm. Times are UTC ns, 0 = not; `notes` counts plain notes."""

    false_alarm: FalseAlarmCause | None = None
    judged_by: str = ""
    judged_at_ns: int = 0
    handed_over_by: str = ""
    handed_over_at_ns: int = 0
    notes: int = 0


NOTHING_SAID = Judgement()


class Judgements:
    """By alarm id. Holds a line only for alarms of which something was said."""

    def __init__(self, notes: Iterable[AlarmNote] = ()) -> None:
        self._by_alarm: dict[str, Judgement] = {}
        for note in notes:
            self._by_alarm[note.alarm.alarm_id] = _after(self.of(note.alarm.alarm_id), note)

    def of(self, alarm_id: str) -> Judgement:
        """What was judged of this alarm so far."""
        return self._by_alarm.get(alarm_id, NOTHING_SAID)

    def take(self, note: AlarmNote) -> None:
        """The newest word counts. Raises CommandError for what was said already."""
        before = self.of(note.alarm.alarm_id)
        _check(before, note)
        self._by_alarm[note.alarm.alarm_id] = _after(before, note)


def _check(before: Judgement, note: AlarmNote) -> None:
    named = f"alarm {note.alarm.alarm_id}"
    if note.kind is NoteKind.FALSE_ALARM and before.false_alarm is not None:
        raise CommandError(Refusal.ALREADY_FALSE, f"{named}: was already judged false by {before.judged_by}")
    if note.kind is NoteKind.WITHDRAWN and before.false_alarm is None:
        raise CommandError(Refusal.NOT_FALSE, f"{named}: was not judged false")
    if note.kind is NoteKind.HANDED_OVER and before.handed_over_at_ns:
        raise CommandError(Refusal.ALREADY_HANDED_OVER, f"{named}: was already handed over by {before.handed_over_by}")


def _after(before: Judgement, note: AlarmNote) -> Judgement:
    if note.kind is NoteKind.FALSE_ALARM:
        return replace(before, false_alarm=note.cause, judged_by=note.user, judged_at_ns=note.at_ns)
    if note.kind is NoteKind.WITHDRAWN:
        return replace(before, false_alarm=None, judged_by="", judged_at_ns=0)
    if note.kind is NoteKind.HANDED_OVER:
        return replace(before, handed_over_by=note.user, handed_over_at_ns=note.at_ns)
    return replace(before, notes=before.notes + 1)
