"""Seals what happened with what was seen: records of the box's hash chain, in canonical form.

In: a transition (or another event worth keeping) with the polls around it. Out: the exact bytes to store, their
digest and the next chain head. Pure: the store keeps the bytes, `contract.chain` verifies them anywhere.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from contract.canonical import Canonical, canonical_bytes, decimal_text
from contract.chain import ChainHead, record_digest
from gateway.model.alarm import Alarm, ServiceChange, Transition
from gateway.model.alarm_note import AlarmNote
from gateway.model.hazard import HazardReference
from gateway.model.quantity import PointTable
from gateway.model.reading import RawBlock, Readings
from gateway.model.rule import ResolvedRule

RECORD_VERSION = 1
MAX_POINTS_A_SAMPLE = 64
MAX_RAW_WORDS = 125
MAX_RAW_BLOCKS = 8
MAX_RAW_PAYLOAD_BYTES = 4096
MAX_REASON_CHARS = 4000
"""Of a reason in a message: the contract's bound. The chain holds the whole."""


class RecordKind(StrEnum):
    """What a record is about; the word that it carries."""

    TRANSITION = "alarm_transition"
    STARTED = "gateway_started"
    STOPPED = "gateway_stopped"
    HISTORY_GAP = "history_gap"
    CHECKPOINT = "history_checkpoint"
    MESSAGE = "regulator_message"
    STORE_REPAIRED = "store_repaired"
    STORE_LOST = "store_lost"
    COMMISSIONED = "commissioned"
    ESCALATION = "escalation"
    SERVICE = "service_change"
    CONFIG_CHANGED = "config_changed"
    CLOCK_JUMP = "clock_jump"
    CLOCK_TRUSTED = "clock_trusted"
    ASSET_EVENT = "asset_event"
    REPORT = "report"
    DISCLOSURE = "identity_disclosed"
    HAND_READINGS = "hand_readings"
    SAFETY_LOG = "safety_log"
    HANDOVER = "shift_handover"
    ACCOUNT = "account_event"
    ALARM_NOTE = "alarm_note"
    CHANNEL_TEST = "channel_test"
    MEDIA_VIEWED = "media_viewed"
    MEDIA = "media"
    MEDIA_EXPIRED = "media_expired"
    MEDIA_CASE = "media_case"
    CAMERA_SURVEY = "camera_survey"
    CAMERA_SCORES = "camera_scores"
    ORDER_REPLY = "order_reply"
    WORK_PERMIT = "work_permit"
    WEATHER_WARNING = "weather_warning"
    RULE_PACK = "rule_pack"


@dataclass(frozen=True, slots=True)
class SealedRecord:
    """One link of the chain. `body` is canonical JSON; `sha256` is the digest of exactly those bytes."""

    seq: int
    kind: RecordKind
    at_ns: int
    body: bytes
    sha256: str

    @property
    def head(self) -> ChainHead:
        """The chain's head once this record is kept."""
        return ChainHead(self.seq, self.sha256)


NOT_SEALED = ChainHead()
"""What a message names in place of its record when it is told before it could be sealed: record 0 and 64 zeros."""


def told_content(event_id: str, told_at_ns: int, sealed_at_ns: int) -> Canonical:
    """For a record of something that was told before it could be sealed: which message told it, and both times."""
    return {"event_id": event_id, "told_at_ns": told_at_ns, "sealed_at_ns": sealed_at_ns}


def seal(head: ChainHead, box_id: str, kind: RecordKind, at_ns: int, content: Mapping[str, Canonical]) -> SealedRecord:
    """The record that follows `head`. Raises TypeError when `content` has no canonical form."""
    seq = head.seq + 1
    body = canonical_bytes(
        {
            "version": RECORD_VERSION,
            "seq": seq,
            "prev": head.sha256,
            "box_id": box_id,
            "kind": str(kind),
            "at_ns": at_ns,
            "content": dict(content),
        }
    )
    return SealedRecord(seq, kind, at_ns, body, record_digest(body))


def hazard_content(reference: HazardReference | None) -> Canonical:
    """The suspected major hazard under the edition of its day, and its name in the other edition; None without one."""
    return asdict(reference) if reference is not None else None


def transition_content(
    transition: Transition,
    rule: ResolvedRule | None,
    seen: Sequence[Canonical],
    hazard: HazardReference | None = None,
) -> dict[str, Canonical]:
    """A transition with the rule as it was set, and the last polls of the subject (made by `seen_content`)."""
    return {
        "hazard": hazard_content(hazard),
        "transition": str(transition.kind),
        "measured": decimal_text(transition.measured),
        "user": transition.user,
        "reason": transition.reason,
        "alarm": alarm_content(transition.alarm),
        "rule": rule_content(rule) if rule is not None else None,
        "samples": list(seen),
    }


def alarm_content(alarm: Alarm) -> dict[str, Canonical]:
    """An alarm as it stands, without floats."""
    info = alarm.rule
    return {
        "alarm_id": alarm.alarm_id,
        "rule_id": info.rule_id,
        "severity": str(info.severity),
        "title_zh": info.title_zh,
        "title_en": info.title_en,
        "subject": alarm.subject,
        "asset": alarm.asset,
        "asset_kind": alarm.asset_kind,
        "suspected": alarm.suspected,
        "limit": decimal_text(alarm.limit),
        "unit": info.unit,
        "limit_source": info.limit_source,
        "clause": info.clause,
        "certainty": info.certainty,
        "raised_at_ns": alarm.raised_at_ns,
        "raised_measured": decimal_text(alarm.measured),
        "worst": decimal_text(alarm.worst),
        "active": alarm.active,
        "acknowledged": alarm.acknowledged,
        "acknowledged_at_ns": alarm.acknowledged_at_ns,
        "acknowledged_by": alarm.acknowledged_by,
        "returned_at_ns": alarm.returned_at_ns,
        "latched": alarm.latched,
        "shelved_until_ns": alarm.shelved_until_ns,
        "shelved_by": alarm.shelved_by,
        "out_of_service": alarm.out_of_service,
        "first_out_id": alarm.first_out_id,
        "suppressed_by": alarm.suppressed_by,
        "withheld": alarm.withheld,
    }


def note_content(note: AlarmNote, hazard: HazardReference | None = None) -> dict[str, Canonical]:
    """What a person said of an alarm, with the alarm as it then stood; in the shape of a transition's content."""
    return {
        "hazard": hazard_content(hazard),
        "transition": str(note.kind),
        "measured": decimal_text(note.alarm.measured),
        "user": note.user,
        "reason": note.reason,
        "cause": str(note.cause) if note.cause else "",
        "alarm": alarm_content(note.alarm),
    }


def service_content(change: ServiceChange) -> dict[str, Canonical]:
    """A device or point that went out of service, was renewed or is back; `user` is empty when the time ran out."""
    service = change.service
    return {
        "transition": str(change.kind),
        "target": service.target,
        "since_ns": service.since_ns,
        "until_ns": service.until_ns,
        "taken_out_by": service.user,
        "taken_out_because": service.reason,
        "user": change.user,
        "reason": change.reason,
    }


def service_key(target: str) -> str:
    """What the store files the records of a device or point under, where those of an alarm have its id."""
    return f"service:{target}"


def rule_content(rule: ResolvedRule) -> dict[str, Canonical]:
    """The settings of a rule that decided, and where they come from."""
    content: dict[str, Canonical] = {
        "family": str(rule.family),
        "direction": str(rule.direction),
        "limit": decimal_text(rule.limit),
        "deadband": decimal_text(rule.deadband),
        "on_delay_s": decimal_text(rule.on_delay_s),
        "off_delay_s": decimal_text(rule.off_delay_s),
        "origin": rule.origin,
    }
    if rule.suppressed_while:
        content["suppressed_while"] = list(rule.suppressed_while)
    if rule.parameters is not None:
        content["parameters"] = _parameter(asdict(rule.parameters))
    return content


def _parameter(value: Any) -> Canonical:
    """A family's own setting without floats; a gate's conditions are lists of mappings."""
    if isinstance(value, dict):
        return {str(key): _parameter(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [_parameter(item) for item in value]
    if isinstance(value, float):
        return decimal_text(value)
    return value if isinstance(value, bool | int) else str(value)


def seen_content(
    seen: Sequence[Readings], points: PointTable, focus: int, *, only_focus: bool = False
) -> list[Canonical]:
    """The last polls for the record: all values of a small device, only point `focus` of a large one (-1: none), and
    the raw words of the newest poll. Bounded, so that a record always fits into one message to the regulator.
    `only_focus`: of a small one too, for what was derived and not read."""
    most = 0 if only_focus else MAX_POINTS_A_SAMPLE
    return [_sample_content(readings, points, focus, most, newest=readings is seen[-1]) for readings in seen]


def _sample_content(
    readings: Readings, points: PointTable, focus: int, most_points: int, *, newest: bool
) -> dict[str, Canonical]:
    columns: Sequence[int] = range(len(readings.point_index))
    if len(columns) > most_points:
        columns = [column for column in columns if readings.point_index[column] == focus]
    content: dict[str, Canonical] = {
        "device": readings.device,
        "observed_at_ns": readings.observed_at_ns,
        "point": [points.points[int(readings.point_index[column])].point_id for column in columns],
        "value": [decimal_text(float(readings.value[column])) for column in columns],
        "quality": [int(readings.quality[column]) for column in columns],
    }
    return content | _raw_content(readings.raw) if newest else content


def _raw_content(raw: RawBlock) -> dict[str, Canonical]:
    """What the wire said, whole where it is small; of a large payload its length, digest and beginning."""
    payload = raw.payload
    return {
        "raw_words": [[address, words[:MAX_RAW_WORDS].tolist()] for address, words in raw.blocks[:MAX_RAW_BLOCKS]],
        "raw_payload_bytes": len(payload),
        "raw_payload_sha256": hashlib.sha256(payload).hexdigest() if payload else "",
        "raw_payload_hex": payload[:MAX_RAW_PAYLOAD_BYTES].hex(),
    }


def transition_message(
    transition: Transition,
    key: str,
    project_code: str,
    record: SealedRecord | ChainHead,
    hazard: HazardReference | None = None,
) -> bytes:
    """The body of the contract's `alarm_transition` message, canonical bytes."""
    said = {
        "event_id": key,
        "transition": str(transition.kind),
        "measured": decimal_text(transition.measured),
        "observed_at_ns": transition.at_ns,
        "user": transition.user,
        "reason": shortened(transition.reason),
    }
    return canonical_bytes(said | _alarm_of_message(transition.alarm, project_code, record, hazard))


def hand_over_message(
    note: AlarmNote, project_code: str, record: SealedRecord | ChainHead, hazard: HazardReference | None = None
) -> bytes:
    """The same message for an alarm that a person reports, canonical bytes; whole, since the receiver may never have
    heard of the alarm."""
    said = {
        "event_id": hand_over_key(note.alarm.alarm_id),
        "transition": str(note.kind),
        "measured": decimal_text(note.alarm.measured),
        "observed_at_ns": note.at_ns,
        "user": note.user,
        "reason": shortened(note.reason),
    }
    return canonical_bytes(said | _alarm_of_message(note.alarm, project_code, record, hazard))


def hand_over_key(alarm_id: str) -> str:
    """The idempotency key of a hand-over: an alarm is handed over once."""
    return f"{alarm_id}:handed_over"


def shortened(reason: str) -> str:
    """A reason that fits into a message; one that was cut says so."""
    return reason if len(reason) <= MAX_REASON_CHARS else reason[: MAX_REASON_CHARS - 1] + "…"


def _alarm_of_message(
    alarm: Alarm, project_code: str, record: SealedRecord | ChainHead, hazard: HazardReference | None
) -> dict[str, Canonical]:
    return {"hazard": hazard_content(hazard)} | _alarm_and_record(alarm, project_code, record)


def _alarm_and_record(alarm: Alarm, project_code: str, record: SealedRecord | ChainHead) -> dict[str, Canonical]:
    info = alarm.rule
    return {
        "alarm_id": alarm.alarm_id,
        "rule_id": info.rule_id,
        "severity": str(info.severity),
        "subject": alarm.subject,
        "asset": alarm.asset,
        "asset_kind": alarm.asset_kind,
        "title_zh": info.title_zh,
        "title_en": info.title_en,
        "limit": decimal_text(alarm.limit),
        "unit": info.unit,
        "limit_source": info.limit_source,
        "clause": info.clause,
        "certainty": info.certainty,
        "suspected": alarm.suspected,
        "raised_at_ns": alarm.raised_at_ns,
        "evidence_seq": record.seq,
        "evidence_sha256": record.sha256,
        "project_code": project_code,
    }


NO_SCREEN = "no screen listening"


def unacknowledged(after_s: int) -> str:
    """The reason of an escalation: nobody has acknowledged the alarm for so long."""
    return f"unacknowledged {after_s} s"


def escalation_key(alarm: Alarm, because: str) -> str:
    """The idempotency key of an escalation: an alarm escalates once for each reason."""
    return f"{alarm.alarm_id}:escalation:{because.replace(' ', '-')}"


def escalation_message(
    alarm: Alarm, because: str, at_ns: int, project_code: str, record: SealedRecord | ChainHead
) -> bytes:
    """The body of an outbox row of kind `escalation`, canonical bytes, for the uplink that a site names for it.

    `because` is `unacknowledged(...)` or `NO_SCREEN`; `at_ns` is when it was decided; `record` is what the chain holds
    of it (or of the alarm's last transition). `measured` is the value that raised the alarm, `worst` the worst since.
    """
    said: dict[str, Canonical] = {
        "escalation_id": escalation_key(alarm, because),
        "because": because,
        "escalated_at_ns": at_ns,
        "measured": decimal_text(alarm.measured),
        "worst": decimal_text(alarm.worst),
    }
    return canonical_bytes(said | _alarm_and_record(alarm, project_code, record))


def record_message(record: SealedRecord) -> bytes:
    """The body of the contract's `evidence_record` message: the record's exact text and its digest."""
    return canonical_bytes({"record": record.body.decode(), "sha256": record.sha256})


def transition_key(transition: Transition) -> str:
    """The idempotency key of a transition's alert: the same for ever, whoever sends it and however often."""
    return f"{transition.alarm.alarm_id}:{transition.kind}"
