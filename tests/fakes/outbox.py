"""Outbox rows as the recorder makes them, for tests of uplinks that tell people."""

from dataclasses import replace
from pathlib import Path

from contract.chain import ChainHead
from gateway.evidence.evidence import (
    RecordKind,
    SealedRecord,
    escalation_key,
    escalation_message,
    transition_key,
    transition_message,
)
from gateway.model.alarm import Alarm, RuleInfo, Severity, Transition, TransitionKind
from gateway.model.alert import OutboxItem
from gateway.ports import UplinkContext
from kit.clock import SimulatedClock

NOW_NS = 1_700_000_000_000_000_000  # 2023-11-15 06:13:20 in China
RECORD = SealedRecord(42, RecordKind.TRANSITION, NOW_NS, b"{}", "ab" * 32)
MOMENT = RuleInfo(
    "crane.moment",
    "塔机力矩超载",
    "Tower crane moment overload",
    Severity.P1,
    "%",
    "national_code",
    "GB 1 2.3",
    "M-H",
    True,
)


def context(folder: Path, clock: SimulatedClock | None = None) -> UplinkContext:
    return UplinkContext("box-1", "PROJECT-1", folder, clock or SimulatedClock(NOW_NS), ChainHead)


def alarm(number: int = 1, severity: Severity = Severity.P1, **changes: object) -> Alarm:
    base = Alarm(
        alarm_id=f"alarm-{number}",
        rule=replace(MOMENT, severity=severity),
        subject=f"crane-{number}.moment_pct",
        asset=f"crane-{number}",
        asset_kind="tower-crane",
        suspected=False,
        raised_at_ns=NOW_NS,
        measured=112.5,
        limit=100.0,
        worst=112.5,
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def transition(
    number: int = 1, severity: Severity = Severity.P1, kind: TransitionKind = TransitionKind.RAISED, **changes: object
) -> Transition:
    return Transition(kind, alarm(number, severity, **changes), NOW_NS, 112.5)


def row(number: int = 1, severity: Severity = Severity.P1, attempts: int = 0, **changes: object) -> OutboxItem:
    return row_of(transition(number, severity, **changes), number, attempts)


def row_of(what: Transition, number: int = 1, attempts: int = 0, created_at_ns: int = NOW_NS) -> OutboxItem:
    key = transition_key(what)
    body = transition_message(what, key, "PROJECT-1", RECORD)
    return OutboxItem(number, "people", key, "alarm_transition", body, created_at_ns, attempts)


def escalation_row(because: str, number: int = 1) -> OutboxItem:
    what = alarm(number)
    body = escalation_message(what, because, NOW_NS, "PROJECT-1", RECORD)
    return OutboxItem(number, "people", escalation_key(what, because), "escalation", body, NOW_NS, 0)
