"""Turns what happened into one commit: sealed evidence, alarm states and outbox rows; then, and only then, tells.

    transitions --record--> [waiting] --run--> seal, commit (fsync) --> told: live page, uplinks, whoever waits

The pipeline never waits for the disk: it goes on judging while a commit runs. When the store cannot keep a batch,
the batch stays first in line and is tried again; `failing_since_ns` makes that visible. One chain, one recorder.

A commit under way outlives the task that waits for it: whoever is stopped in the middle of one, the next to come waits
for that same commit first, or the batch would be handed over twice.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from prometheus_client import Histogram

from contract.canonical import Canonical
from contract.chain import ChainHead
from gateway.evidence import (
    RecordKind,
    SealedRecord,
    escalation_key,
    escalation_message,
    hand_over_key,
    hand_over_message,
    note_content,
    record_message,
    seal,
    service_content,
    service_key,
    transition_content,
    transition_key,
    transition_message,
)
from gateway.model.alarm import ALERTING, Alarm, ServiceChange, Transition, TransitionKind
from gateway.model.alarm_note import AlarmNote, NoteKind
from gateway.model.errors import StoreError
from gateway.model.hazard import HazardCatalogue, HazardReference, day_of
from gateway.model.rule import ResolvedRule
from gateway.ports import Clock
from gateway.store.alert_store import AlertStore, Commit, KeptRecord, Message

log = logging.getLogger(__name__)
RETRY_S = 0.5
MAX_ENTRIES_A_COMMIT = 100
COMMIT_SECONDS = Histogram(
    "sitewarden_commit_seconds",
    "From handing a batch of evidence to the store until it is on the disk",
    registry=None,
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
"""Of this process, since its start; commits that failed are not in it."""


def _every(_transition: Transition) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Route:
    """An uplink that takes alerts (reportable ones only, or all, or those that it `wants`) and perhaps the chain.

    `tells_people`: a raise that is shelved or out of service is not sent to it. `escalations`: it is the channel, or
    one of them, for alarms that nobody answers.
    """

    uplink: str
    takes_alerts: bool
    takes_evidence: bool
    reportable_only: bool
    wants: Callable[[Transition], bool] = _every
    tells_people: bool = False
    escalations: bool = False

    def carries(self, transition: Transition) -> bool:
        """Whether a row for this transition goes into the uplink's outbox. What the contract with a regulator does not
        know (shelving, resetting) stays in the chain."""
        silent = self.tells_people and transition.kind is TransitionKind.RAISED and transition.alarm.silenced
        if silent or transition.kind not in ALERTING:
            return False
        reportable = transition.alarm.rule.reportable or not self.reportable_only
        return self.takes_alerts and reportable and self.wants(transition)

    @property
    def takes_hand_overs(self) -> bool:
        """A regulator, to whom a person may report an alarm."""
        return self.takes_alerts and self.takes_evidence


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing to seal. A transition brings its rule and the polls around it; anything else brings its content.

    `about` is what the store files the record under; that of a transition is its alarm's id. `note` is what a person
    said of an alarm; `messages` leave the box with it, each for the uplink that it names."""

    kind: RecordKind
    at_ns: int
    content: Mapping[str, Canonical]
    transition: Transition | None = None
    about: str = ""
    note: AlarmNote | None = None
    messages: Sequence[Message] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """A committed entry, as listeners get it."""

    record: SealedRecord
    transition: Transition | None


_Waiting = tuple[Entry, "asyncio.Future[SealedRecord]"]


class Recorder:
    """The only writer of the chain. `listeners` are called in the event loop after each commit."""

    def __init__(
        self,
        store: AlertStore,
        box_id: str,
        project_code: str,
        routes: Sequence[Route],
        clock: Clock,
        hazards: HazardCatalogue | None = None,
    ) -> None:
        self._store = store
        self.box_id = box_id
        self._project_code = project_code
        self._routes = tuple(routes)
        self._clock = clock
        self.hazards = hazards
        self._waiting: list[_Waiting] = []
        self._filled = asyncio.Event()
        self._committing: asyncio.Task[None] | None = None
        self.head: ChainHead = store.head()
        self.listeners: list[Callable[[Sequence[Told]], None]] = []
        self.failing_since_ns = 0

    def record(self, entry: Entry) -> "asyncio.Future[SealedRecord]":
        """Put an entry in line; the future is done once it has been committed."""
        future: asyncio.Future[SealedRecord] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, future))
        self._filled.set()
        return future

    def record_transition(
        self, transition: Transition, rule: ResolvedRule | None, seen: Sequence[Canonical]
    ) -> "asyncio.Future[SealedRecord]":
        """Put a transition in line, with the rule as set and the polls that were seen."""
        content = transition_content(transition, rule, seen, self._hazard_of(transition.alarm))
        kind = RecordKind.ESCALATION if transition.kind is TransitionKind.ESCALATED else RecordKind.TRANSITION
        return self.record(Entry(kind, transition.at_ns, content, transition))

    def record_service(self, change: ServiceChange) -> "asyncio.Future[SealedRecord]":
        """Put a change of service in line."""
        about = service_key(change.service.target)
        return self.record(Entry(RecordKind.SERVICE, change.at_ns, service_content(change), about=about))

    def record_note(self, note: AlarmNote) -> "asyncio.Future[SealedRecord]":
        """Put in line what a person said of an alarm; a hand-over goes to every regulator too."""
        content = note_content(note, self._hazard_of(note.alarm))
        return self.record(
            Entry(RecordKind.ALARM_NOTE, note.at_ns, content, about=note.alarm.alarm_id, note=note),
        )

    @property
    def reaches_regulator(self) -> bool:
        """Whether anybody takes what a person reports."""
        return bool(self.regulators)

    @property
    def regulators(self) -> tuple[str, ...]:
        """The uplinks to whom a person may report an alarm."""
        return tuple(route.uplink for route in self._routes if route.takes_hand_overs)

    def last_in_line(self) -> "asyncio.Future[SealedRecord] | None":
        """The future of the newest waiting entry; None when everything is committed."""
        return self._waiting[-1][1] if self._waiting else None

    async def run(self) -> None:
        """Commit what waits until cancelled. A batch leaves the line only when it has been kept."""
        while True:
            if self._waiting:
                await self._commit_first()
                continue
            self._filled.clear()
            await self._filled.wait()

    async def drain(self) -> None:
        """Commit what waits and return: for an orderly stop, after `run` has been cancelled. What the store cannot keep
        even then is lost with the process, and said so."""
        while self._waiting:
            await self._commit_first()
            if self.failing_since_ns:
                log.error("event=evidence_lost_at_stop entries=%d", len(self._waiting))
                return

    async def _commit_first(self) -> None:
        """Join the commit that is under way, or begin one. One that has ended is not joined: to await what is done does
        not let the event loop turn, and a caller that asks again would ask for ever."""
        committing = self._committing
        if committing is None or committing.done():
            committing = self._committing = asyncio.create_task(self._commit_batch())
        await asyncio.shield(committing)

    async def _commit_batch(self) -> None:
        batch, records = self._seal_first()
        if not batch:
            return
        commit = self._commit_of([entry for entry, _ in batch], records)
        began_ns = self._clock.monotonic_ns()
        try:
            await asyncio.wrap_future(self._store.commit(commit))
        except StoreError as error:
            self._note_failure(error)
            await self._clock.sleep(RETRY_S)
            return
        COMMIT_SECONDS.observe((self._clock.monotonic_ns() - began_ns) / 1e9)
        self._note_success()
        del self._waiting[: len(batch)]
        self.head = records[-1].head
        told = [Told(record, entry.transition) for (entry, _), record in zip(batch, records, strict=True)]
        for (_, future), record in zip(batch, records, strict=True):
            if not future.done():
                future.set_result(record)
        for listener in self.listeners:
            listener(told)

    def _seal_first(self) -> tuple[list[_Waiting], list[SealedRecord]]:
        """Seal the first entries in line. One without a canonical form leaves the line alone: it must not hold up the
        chain behind it."""
        head, batch, records = self.head, [], []
        for entry, future in self._waiting[:MAX_ENTRIES_A_COMMIT]:
            try:
                record = seal(head, self.box_id, entry.kind, entry.at_ns, entry.content)
            except (TypeError, ValueError) as error:
                log.error("event=entry_not_sealed kind=%s reason=%r", entry.kind, str(error))
                if not future.done():
                    future.set_exception(error)
                continue
            batch.append((entry, future))
            records.append(record)
            head = record.head
        self._waiting[:MAX_ENTRIES_A_COMMIT] = batch
        return batch, records

    def _commit_of(self, entries: Sequence[Entry], records: Sequence[SealedRecord]) -> Commit:
        kept, messages = [], []
        for entry, record in zip(entries, records, strict=True):
            about = entry.transition.alarm.alarm_id if entry.transition else entry.about
            kept.append(KeptRecord(record.seq, str(record.kind), record.at_ns, about, record.sha256, record.body))
            messages += self._messages_of(entry, record)
        alarms = {entry.transition.alarm.alarm_id: entry.transition.alarm for entry in entries if entry.transition}
        return Commit(self._clock.now_ns(), kept, list(alarms.values()), messages)

    def _messages_of(self, entry: Entry, record: SealedRecord) -> list[Message]:
        messages = list(entry.messages)
        transition = entry.transition
        if transition is not None and transition.kind is TransitionKind.ESCALATED:
            messages += self._escalations_of(transition, record)
        elif transition is not None:
            key = transition_key(transition)
            hazard = self._hazard_of(transition.alarm)
            body = transition_message(transition, key, self._project_code, record, hazard)
            messages += [
                Message(route.uplink, key, "alarm_transition", body, 0)
                for route in self._routes
                if route.carries(transition)
            ]
        elif entry.note is not None and entry.note.kind is NoteKind.HANDED_OVER:
            messages += self._hand_overs_of(entry.note, record)
        key = f"{self.box_id}:evidence:{record.seq}"
        messages += [
            Message(route.uplink, key, "evidence_record", record_message(record), 1)
            for route in self._routes
            if route.takes_evidence
        ]
        return messages

    def _hazard_of(self, alarm: Alarm) -> HazardReference | None:
        """What the alarm makes suspected, under the edition in force on the day it was raised."""
        code = alarm.rule.hazard
        if not code or self.hazards is None or self.hazards.find(code) is None:
            return None
        return self.hazards.reference(code, day_of(alarm.raised_at_ns))

    def _escalations_of(self, transition: Transition, record: SealedRecord) -> list[Message]:
        alarm, because = transition.alarm, transition.reason
        body = escalation_message(alarm, because, transition.at_ns, self._project_code, record)
        key = escalation_key(alarm, because)
        return [Message(route.uplink, key, "escalation", body, 0) for route in self._routes if route.escalations]

    def _hand_overs_of(self, note: AlarmNote, record: SealedRecord) -> list[Message]:
        body = hand_over_message(note, self._project_code, record, self._hazard_of(note.alarm))
        key = hand_over_key(note.alarm.alarm_id)
        return [Message(uplink, key, "alarm_transition", body, 0) for uplink in self.regulators]

    def _note_failure(self, error: StoreError) -> None:
        if not self.failing_since_ns:
            self.failing_since_ns = self._clock.now_ns()
            log.error("event=evidence_store_failing reason=%r waiting=%d", str(error), len(self._waiting))

    def _note_success(self) -> None:
        if self.failing_since_ns:
            log.warning("event=evidence_store_back waiting=%d", len(self._waiting))
            self.failing_since_ns = 0
