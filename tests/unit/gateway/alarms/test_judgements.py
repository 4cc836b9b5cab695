from dataclasses import replace

import pytest

from gateway.alarms import CommandError, Refusal
from gateway.alarms.judgements import NOTHING_SAID, Judgements
from gateway.model.alarm import Alarm
from gateway.model.alarm_note import AlarmNote, FalseAlarmCause, NoteKind
from tests.fakes.site import NOW_NS, info

ALARM = Alarm("a1", info(), "crane-1.q0", "crane-1", "tower-crane", False, NOW_NS, 5.0, 4.0)
FALSE = AlarmNote(NoteKind.FALSE_ALARM, ALARM, 10, "李工", "标定后偏 0.3°", FalseAlarmCause.CALIBRATION)
WITHDRAWN = replace(FALSE, kind=NoteKind.WITHDRAWN, at_ns=20, cause=None)
HANDED = replace(WITHDRAWN, kind=NoteKind.HANDED_OVER, at_ns=30)
NOTE = replace(WITHDRAWN, kind=NoteKind.NOTE, at_ns=40)


def test_of_an_alarm_nobody_spoke_of_nothing_stands() -> None:
    assert Judgements([FALSE]).of("other") is NOTHING_SAID


def test_the_newest_word_counts() -> None:
    said = Judgements()
    said.take(FALSE)
    assert (said.of("a1").false_alarm, said.of("a1").judged_by) == (FalseAlarmCause.CALIBRATION, "李工")
    said.take(WITHDRAWN)
    assert said.of("a1") == NOTHING_SAID
    said.take(replace(FALSE, cause=FalseAlarmCause.DUPLICATE))
    assert said.of("a1").false_alarm is FalseAlarmCause.DUPLICATE


def test_notes_are_counted_and_a_hand_over_stays() -> None:
    said = Judgements([NOTE, HANDED, NOTE])
    assert (said.of("a1").notes, said.of("a1").handed_over_at_ns) == (2, 30)


@pytest.mark.parametrize(
    ("before", "again", "refusal"),
    [
        ([FALSE], FALSE, Refusal.ALREADY_FALSE),
        ([], WITHDRAWN, Refusal.NOT_FALSE),
        ([FALSE, WITHDRAWN], WITHDRAWN, Refusal.NOT_FALSE),
        ([HANDED], HANDED, Refusal.ALREADY_HANDED_OVER),
    ],
)
def test_what_was_said_already_is_refused_and_changes_nothing(
    before: list[AlarmNote], again: AlarmNote, refusal: Refusal
) -> None:
    said = Judgements(before)
    stood = said.of("a1")
    with pytest.raises(CommandError) as refused:
        said.take(again)
    assert (refused.value.refusal, said.of("a1")) == (refusal, stood)
