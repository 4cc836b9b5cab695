"""What reviewers at the desk said of this box's camera alarms, read from the box's own chain.

In: sealed `alarm_verdict` messages of the regulator. Out: the verdict that stands of each alarm. The highest version
counts, whatever the order of arrival, so that a message that was sealed twice counts once. Any thread. Knows no
picture.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import orjson
from pydantic import ValidationError

from contract.mailbox import AlarmVerdict
from gateway.evidence.sealed_messages import sealed_message
from gateway.store.alarm_reader import AlarmReader
from gateway.store.alert_store import KeptRecord

KIND: Final = "alarm_verdict"
THREAD: Final = "verdict:"


class DeskVerdict(StrEnum):
    """What a reviewer said of an alarm: 属实 true, 误报 false, 存疑 doubtful."""

    TRUE = "true"
    FALSE = "false"
    DOUBTFUL = "doubtful"


class FalseReason(StrEnum):
    """Why an alarm was false. What this box does not know is OTHER."""

    LIGHT = "light"
    WEATHER = "weather"
    OCCLUDED = "occluded"
    NOT_A_PERSON = "not_a_person"
    HELMET_WORN = "helmet_worn"
    GUARD_PRESENT = "guard_present"
    WRONG_CALIBRATION = "wrong_calibration"
    DUPLICATE = "duplicate"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class JudgedAlarm:
    """What stands of one alarm. `reason` with FALSE only; `seq` is the record that holds the signed message."""

    alarm_id: str
    verdict: DeskVerdict
    reason: FalseReason | None
    version: int
    judged_at_ns: int
    seq: int


def verdicts(chain: AlarmReader) -> dict[str, JudgedAlarm]:
    """By alarm, those that stand; an alarm whose verdict was taken back is not among them."""
    return _standing(chain.filed(THREAD))


def verdict_of(records: Iterable[KeptRecord]) -> JudgedAlarm | None:
    """The same from the records that are filed under one alarm's verdict."""
    return next(iter(_standing(records).values()), None)


def filed(alarm_id: str) -> str:
    """What the chain files an alarm's verdicts under."""
    return f"{THREAD}{alarm_id}"


def _standing(records: Iterable[KeptRecord]) -> dict[str, JudgedAlarm]:
    newest: dict[str, tuple[AlarmVerdict, int]] = {}
    for record in records:
        said = _read(record)
        if said is not None and (said.alarm_id not in newest or said.version > newest[said.alarm_id][0].version):
            newest[said.alarm_id] = said, record.seq
    return {alarm_id: _judged(said, seq) for alarm_id, (said, seq) in newest.items() if said.verdict != "open"}


def _read(record: KeptRecord) -> AlarmVerdict | None:
    message = sealed_message(orjson.loads(record.body)["content"])
    if message is None or message.kind != KIND:
        return None
    try:
        return AlarmVerdict.model_validate(message.body)
    except ValidationError:
        return None


def _judged(said: AlarmVerdict, seq: int) -> JudgedAlarm:
    known = said.reason in set(FalseReason)
    reason = FalseReason(said.reason) if known else FalseReason.OTHER
    verdict = DeskVerdict(said.verdict)
    told = reason if verdict is DeskVerdict.FALSE else None
    return JudgedAlarm(said.alarm_id, verdict, told, said.version, said.judged_at_ns, seq)
