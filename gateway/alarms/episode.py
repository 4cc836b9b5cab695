"""The changes of one alarm by the state table. Each change makes a new frozen alarm.

In: an alarm. Out: the alarm as it then stands, its id, or the transition to seal. Pure; knows no row and no clock.
"""

import hashlib
from dataclasses import replace

from gateway.alarms.tables import Happening
from gateway.model.alarm import Alarm, Severity, Transition, TransitionKind
from gateway.model.rule import ResolvedRule


def alarm_id_of(box_id: str, rule: ResolvedRule, begun_at_ns: int, repeat: int) -> str:
    """The same episode has the same id on every retry and after every restart; two episodes never share one."""
    text = f"{box_id}|{rule.info.rule_id}|{rule.subject}|{begun_at_ns}" + (f"|{repeat}" if repeat else "")
    return hashlib.sha256(text.encode()).hexdigest()[:26]


def how_it_returns(alarm: Alarm) -> Happening:
    """Effect of the condition's return on this episode."""
    if alarm.rule.severity is Severity.LOG:
        return Happening.RETURNS_LOG
    return Happening.RETURNS_LATCHING if alarm.latching else Happening.RETURNS


def unshelved(alarm: Alarm) -> Alarm:
    """The alarm back on the list, its shelf time over."""
    return replace(alarm, shelved_at_ns=0, shelved_until_ns=0, shelved_by="", shelve_reason="")


def on_the_shelf_of(before: Alarm, alarm: Alarm) -> Alarm:
    """A new episode of an alarm that is shelved is shelved too, for the rest of the time."""
    return replace(
        alarm,
        shelved_at_ns=before.shelved_at_ns,
        shelved_until_ns=before.shelved_until_ns,
        shelved_by=before.shelved_by,
        shelve_reason=before.shelve_reason,
    )


def suppressed(alarm: Alarm, by: str, now_ns: int) -> Transition:
    """The active alarm of the rule `by` suppresses it from now on."""
    alarm = replace(alarm, suppressed_by=by, suppressed_at_ns=now_ns)
    return Transition(TransitionKind.SUPPRESSED, alarm, now_ns, alarm.measured, "", f"while {by} is active")


def unsuppressed(alarm: Alarm, reason: str, now_ns: int) -> Transition:
    """What follows when the suppression of an alarm ends."""
    alarm = replace(alarm, suppressed_by="", suppressed_at_ns=0)
    return Transition(TransitionKind.UNSUPPRESSED, alarm, now_ns, alarm.measured, "", reason)


def returned_unheard(alarm: Alarm, measured: float, now_ns: int) -> Transition:
    """The condition of a withheld alarm is gone before anybody was told of it."""
    alarm = replace(alarm, active=False, returned_at_ns=now_ns, unknown=False)
    return Transition(TransitionKind.UNSUPPRESSED, alarm, now_ns, measured, "", "condition returned")


def abandoned(alarm: Alarm, now_ns: int) -> Transition:
    """Its rule was removed. The suppression ends, and a withheld alarm is not raised."""
    return unsuppressed(replace(alarm, active=alarm.active and not alarm.withheld), "its rule is gone", now_ns)
