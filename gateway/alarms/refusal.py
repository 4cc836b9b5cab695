"""The one way in which a command on an alarm is refused: a code for machines, a sentence for people.

In: an alarm and what somebody or something wants of it. Out: the transition that the tables give, or a CommandError.
Knows no row and no time.
"""

from gateway.alarms.tables import (
    DISPLAY,
    EPISODE,
    Change,
    Happening,
    Order,
    Refusal,
    Step,
    Turn,
    display_of,
    episode_of,
)
from gateway.model.alarm import Alarm, TransitionKind

_SENTENCES = {
    Refusal.STILL_ACTIVE: "its condition still holds",
    Refusal.NOT_LATCHED: "it does not latch",
    Refusal.ACKNOWLEDGE_FIRST: "it has to be acknowledged first",
    Refusal.NEVER_P1: "a P1 alarm is never shelved",
    Refusal.NOT_SHELVED: "it is not shelved",
    Refusal.IS_OUT_OF_SERVICE: "its device or point is out of service",
    Refusal.NO_ALARM: "it asks for nothing any more",
}


class CommandError(Exception):
    """The command was not carried out; nothing has changed. `refusal` is the code, the text says what was found."""

    def __init__(self, refusal: Refusal, text: str) -> None:
        super().__init__(text)
        self.refusal = refusal


def happen(alarm: Alarm, happening: Happening) -> TransitionKind:
    """The transition of the episode. Raises CommandError where there is none."""
    return _kind_of(alarm, EPISODE[episode_of(alarm), happening])


def turn(alarm: Alarm, order: Order) -> TransitionKind:
    """The transition of the display. Raises CommandError where there is none."""
    return _kind_of(alarm, DISPLAY[display_of(alarm), order])


def refusal_of(alarm: Alarm, answer: Step | Turn | Change | Refusal) -> CommandError:
    """The table's refusal in words; where it has nothing to happen, the alarm asks for nothing."""
    refusal = answer if isinstance(answer, Refusal) else Refusal.NO_ALARM
    words = {
        Refusal.ALREADY_ACKNOWLEDGED: f"was already acknowledged by {alarm.acknowledged_by}",
        Refusal.ALREADY_SHELVED: f"was already shelved by {alarm.shelved_by}",
        Refusal.SUPPRESSED: f"is suppressed by {alarm.suppressed_by} and was not raised yet",
    }.get(refusal) or _SENTENCES[refusal]
    return CommandError(refusal, f"alarm {alarm.alarm_id}: {words}")


def _kind_of(alarm: Alarm, answer: Step | Turn | Refusal) -> TransitionKind:
    if isinstance(answer, Refusal) or answer.kind is None:
        raise refusal_of(alarm, answer)
    return answer.kind
