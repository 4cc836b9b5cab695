"""What the API answers about alarms. Models of the published schema; the rows are made in `gateway.web.read_model`."""

from typing import Annotated

from pydantic import Field

from gateway.web.answer_fields import (
    AlarmIdOrEmpty,
    AlarmIdText,
    AssetText,
    CertaintyText,
    ClauseText,
    Ns,
    NsOrNone,
    ReasonText,
    RuleIdOrEmpty,
    RuleIdText,
    SeqInt,
    SeverityText,
    Sha256Text,
    SourceText,
    SubjectText,
    TextEn,
    TextZh,
    TitleEn,
    TitleZh,
    UnitText,
    UserText,
)
from screens.published import Answer


class AlarmState(Answer):
    """One alarm as it stands."""

    alarm_id: AlarmIdText
    rule_id: RuleIdText
    severity: SeverityText
    title_zh: TitleZh
    title_en: TitleEn
    subject: SubjectText
    asset: AssetText
    asset_kind: Annotated[str, Field(examples=["tower-crane"])]
    measured: Annotated[float | None, Field(description="The value that raised it; null: none", examples=[117.0])]
    worst: Annotated[float | None, Field(description="The worst value since; null: unknown", examples=[119.5])]
    limit: Annotated[float | None, Field(examples=[100.0])]
    unit: UnitText
    limit_source: SourceText
    clause: ClauseText
    certainty: CertaintyText
    suspected: Annotated[bool, Field(description="A person or a passed deadline has to confirm it")]
    hazard: Annotated[str, Field(description="Code of the suspected major hazard, or empty", examples=["MH24-8-4"])]
    active: Annotated[bool, Field(description="The condition holds", examples=[True])]
    acknowledged: bool
    unknown: Annotated[bool, Field(description="The condition cannot be judged now")]
    raised_at_ns: Ns
    returned_at_ns: NsOrNone
    acknowledged_at_ns: NsOrNone
    acknowledged_by: UserText
    acknowledge_reason: ReasonText
    latched: Annotated[bool, Field(description="The condition is gone and a person has to reset it")]
    shelved: bool
    shelved_until_ns: NsOrNone
    shelved_by: UserText
    shelve_reason: ReasonText
    out_of_service: bool
    suppressed: Annotated[bool, Field(description="Another rule's active alarm suppresses it by design")]
    suppressed_by: RuleIdOrEmpty
    suppressed_at_ns: NsOrNone
    withheld: Annotated[bool, Field(description="Suppressed before anybody was told of it")]
    first_out_id: AlarmIdOrEmpty
    escalated: Annotated[list[str], Field(description="Why it was escalated", examples=[[]])]


class ListedAlarm(AlarmState):
    """One alarm of the list."""

    first_out: Annotated[bool, Field(description="Other alarms of the list followed this one")]


class EvidenceRecord(Answer):
    """A sealed record of the evidence chain."""

    seq: SeqInt
    sha256: Sha256Text
    record: Annotated[str, Field(description="The record's JSON, the very text that was sealed", examples=["{}"])]


class AlarmDetail(AlarmState):
    """One alarm, open or past, with its sealed records."""

    evidence: list[EvidenceRecord]


class UnjudgedRule(Answer):
    """A rule that has no verdict now."""

    rule_id: RuleIdText
    subject: SubjectText
    asset: AssetText
    title_zh: TitleZh
    title_en: TitleEn
    reason_zh: TextZh
    reason_en: TextEn


class OutOfServiceSubject(Answer):
    """A device or point that is out of service."""

    subject: SubjectText
    since_ns: Ns
    until_ns: Ns
    user: UserText
    reason: ReasonText


class ChatteringAlarm(Answer):
    """An alarm that comes and goes."""

    rule_id: RuleIdText
    subject: SubjectText
    raises: int


class AlarmPerformance(Answer):
    """How the alarm system itself is doing."""

    flood: Annotated[bool, Field(description="More alarms than an operator can follow")]
    raised_in_flood_window: int
    chattering: list[ChatteringAlarm]
    standing: Annotated[list[str], Field(description="Ids of alarms active for a day", examples=[[]])]
    stale: Annotated[list[str], Field(description="Ids of alarms that nobody has answered", examples=[[]])]


class AlarmsAnswer(Answer):
    """Every open alarm, what is suppressed, and what cannot be judged now."""

    at_ns: Ns
    store_failing: Annotated[bool, Field(description="The evidence store cannot be written now")]
    alarms: list[ListedAlarm]
    suppressed: list[ListedAlarm]
    unknown: list[UnjudgedRule]
    out_of_service: list[OutOfServiceSubject]
    performance: AlarmPerformance


class AlarmCommandAnswer(Answer):
    """The command is carried out and sealed."""

    alarm_id: AlarmIdText
    evidence_seq: SeqInt


class SubjectCommandAnswer(Answer):
    """The command on a device or point is carried out and sealed."""

    subject: SubjectText
    evidence_seq: SeqInt
