"""Turns what happened into one commit: sealed evidence, alarm states and outbox rows; then, and only then, tells.

    transitions --record--> [waiting] --run--> seal, commit (fsync) --> told: live page, uplinks, whoever waits

The pipeline never waits for the disk: it goes on judging while a commit runs. When the store cannot keep a batch,
the batch stays first in line and is tried again; `failing_since_ns` makes that visible. One chain, one recorder.

    the store fails     alarms are told at once, from memory, and name no record       (docs/adr/0021)
    the store is back   they are sealed with both times, under the keys that they were told with

What was told is not told again: the message that is committed is the one that was told, byte for byte. What waits is
bounded; what finds no room is told, given up and counted, and the chain says so once it can.

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
from gateway.evidence.evidence import (
    NOT_SEALED,
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
    told_content,
    transition_content,
    transition_key,
    transition_message,
)
from gateway.model.alarm import ALERTING, Alarm, ServiceChange, Transition, TransitionKind
from gateway.model.alarm_note import AlarmNote, NoteKind
from gateway.model.alert import OutboxItem
from gateway.model.errors import StoreError
from gateway.model.hazard import HazardCatalogue, HazardReference, day_of
from gateway.model.rule import ResolvedRule
from gateway.ports import Clock
from gateway.store.alert_store import AlertStore, Commit, KeptRecord, Message

log = logging.getLogger(__name__)
RETRY_S = 0.5
MAX_ENTRIES_A_COMMIT = 100
MOST_WAITING = 2000
"""While the store fails: about 30 KB each."""
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


@dataclass(slots=True, eq=False)
class _Waiting:
    """An entry in line. `told_at_ns`: when it was told without its record, 0 when it was not."""

    entry: Entry
    future: "asyncio.Future[SealedRecord]"
    told_at_ns: int = 0


class Recorder:
    """The only writer of the chain. `listeners` are called in the event loop after each commit, `on_unsealed` after
    something was told that could not be committed."""

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
        self.on_unsealed: Callable[[], None] = lambda: None
        self.failing_since_ns = 0
        self._given_up = 0
        self._never_kept: set[tuple[str, str]] = set()

    def record(self, entry: Entry) -> "asyncio.Future[SealedRecord]":
        """Put an entry in line; the future is done once it has been committed. While the store fails it raises
        StoreError for what finds no room."""
        future: asyncio.Future[SealedRecord] = asyncio.get_running_loop().create_future()
        waiting = _Waiting(entry, future)
        if self.failing_since_ns:
            self._tell_unsealed([waiting])
            if len(self._waiting) >= MOST_WAITING:
                self._give_up(waiting)
                return future
        self._waiting.append(waiting)
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
        return self._waiting[-1].future if self._waiting else None

    async def probe(self) -> None:
        """Whether the store can seal. For a site so quiet that nothing else would ask."""
        try:
            await asyncio.wrap_future(self._store.probe(self._clock.now_ns()))
        except StoreError as error:
            self._note_failure(error)
        else:
            if not self._waiting:
                self._note_success()

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
        commit = self._commit_of(batch, records)
        began_ns = self._clock.monotonic_ns()
        try:
            await asyncio.wrap_future(self._store.commit(commit))
        except StoreError as error:
            self._note_failure(error)
            self._tell_unsealed(self._waiting)
            await self._clock.sleep(RETRY_S)
            self.head = self._store.kept_head
            return
        COMMIT_SECONDS.observe((self._clock.monotonic_ns() - began_ns) / 1e9)
        del self._waiting[: len(batch)]
        self.head = records[-1].head
        self._settle(batch, commit.messages)
        self._note_success()
        told = [Told(record, one.entry.transition) for one, record in zip(batch, records, strict=True)]
        for one, record in zip(batch, records, strict=True):
            if not one.future.done():
                one.future.set_result(record)
        for listener in self.listeners:
            listener(told)

    def _tell_unsealed(self, waiting: Sequence[_Waiting]) -> None:
        """Alarms do not wait for a disk that takes nothing: their messages leave now, and name no record."""
        now_ns, told = self._clock.now_ns(), False
        for one in waiting:
            if one.told_at_ns or not _event_id(one.entry):
                continue
            said = self._said(one.entry, NOT_SEALED)
            if self._store.unsealed.tell([OutboxItem(0, m.uplink, m.key, m.kind, m.body, now_ns, 0) for m in said]):
                one.told_at_ns, told = now_ns, True
        if told:
            self.on_unsealed()

    def _give_up(self, waiting: _Waiting) -> None:
        """There is no room to wait in. It is counted; what was told of it needs no row any more once it was sent."""
        self._given_up += 1
        self._never_kept |= {(message.uplink, message.key) for message in self._said(waiting.entry, NOT_SEALED)}
        waiting.future.set_exception(StoreError(f"the store fails and {MOST_WAITING} records wait in memory"))
        waiting.future.exception()  # whoever does not wait for it need not be told

    def _settle(self, batch: Sequence[_Waiting], messages: Sequence[Message]) -> None:
        """The store is back: what was told from memory has its row now, and gets the receipts that have come."""
        if not self.failing_since_ns and not any(one.told_at_ns for one in batch):
            return
        committed = {(message.uplink, message.key) for message in messages} | self._never_kept
        self._never_kept = set()
        self._store.probe(self._clock.now_ns(), committed)

    def _seal_first(self) -> tuple[list[_Waiting], list[SealedRecord]]:
        """Seal the first entries in line. One without a canonical form leaves the line alone: it must not hold up the
        chain behind it."""
        head, batch, records = self.head, [], []
        for one in self._waiting[:MAX_ENTRIES_A_COMMIT]:
            entry = one.entry
            try:
                record = seal(head, self.box_id, entry.kind, entry.at_ns, self._content_of(one))
            except (TypeError, ValueError) as error:
                log.error("event=entry_not_sealed kind=%s reason=%r", entry.kind, str(error))
                if not one.future.done():
                    one.future.set_exception(error)
                continue
            batch.append(one)
            records.append(record)
            head = record.head
        self._waiting[:MAX_ENTRIES_A_COMMIT] = batch
        return batch, records

    def _content_of(self, one: _Waiting) -> Mapping[str, Canonical]:
        if not one.told_at_ns:
            return one.entry.content
        told = told_content(_event_id(one.entry), one.told_at_ns, self._clock.now_ns())
        return {**one.entry.content, "told_unsealed": told}

    def _commit_of(self, batch: Sequence[_Waiting], records: Sequence[SealedRecord]) -> Commit:
        kept, messages = [], []
        entries = [one.entry for one in batch]
        for one, entry, record in zip(batch, entries, records, strict=True):
            about = entry.transition.alarm.alarm_id if entry.transition else entry.about
            kept.append(KeptRecord(record.seq, str(record.kind), record.at_ns, about, record.sha256, record.body))
            messages += [*entry.messages, *self._said(entry, NOT_SEALED if one.told_at_ns else record.head)]
            messages += self._evidence_of(record)
        alarms = {entry.transition.alarm.alarm_id: entry.transition.alarm for entry in entries if entry.transition}
        return Commit(self._clock.now_ns(), kept, list(alarms.values()), messages)

    def _said(self, entry: Entry, record: ChainHead) -> list[Message]:
        """What uplinks are told of an entry; each message names the record."""
        transition = entry.transition
        if transition is not None and transition.kind is TransitionKind.ESCALATED:
            return self._escalations_of(transition, record)
        if transition is not None:
            key, hazard = transition_key(transition), self._hazard_of(transition.alarm)
            body = transition_message(transition, key, self._project_code, record, hazard)
            carrying = [route for route in self._routes if route.carries(transition)]
            return [Message(route.uplink, key, "alarm_transition", body, 0) for route in carrying]
        if entry.note is not None and entry.note.kind is NoteKind.HANDED_OVER:
            return self._hand_overs_of(entry.note, record)
        return []

    def _evidence_of(self, record: SealedRecord) -> list[Message]:
        key = f"{self.box_id}:evidence:{record.seq}"
        takers = [route.uplink for route in self._routes if route.takes_evidence]
        return [Message(uplink, key, "evidence_record", record_message(record), 1) for uplink in takers]

    def _hazard_of(self, alarm: Alarm) -> HazardReference | None:
        """What the alarm makes suspected, under the edition in force on the day it was raised."""
        code = alarm.rule.hazard
        if not code or self.hazards is None or self.hazards.find(code) is None:
            return None
        return self.hazards.reference(code, day_of(alarm.raised_at_ns))

    def _escalations_of(self, transition: Transition, record: ChainHead) -> list[Message]:
        alarm, because = transition.alarm, transition.reason
        body = escalation_message(alarm, because, transition.at_ns, self._project_code, record)
        key = escalation_key(alarm, because)
        return [Message(route.uplink, key, "escalation", body, 0) for route in self._routes if route.escalations]

    def _hand_overs_of(self, note: AlarmNote, record: ChainHead) -> list[Message]:
        body = hand_over_message(note, self._project_code, record, self._hazard_of(note.alarm))
        key = hand_over_key(note.alarm.alarm_id)
        return [Message(uplink, key, "alarm_transition", body, 0) for uplink in self.regulators]

    def _note_failure(self, error: StoreError) -> None:
        if not self.failing_since_ns:
            self.failing_since_ns = self._clock.now_ns()
            log.error("event=evidence_store_failing reason=%r waiting=%d", str(error), len(self._waiting))

    def _note_success(self) -> None:
        if self.failing_since_ns:
            log.warning("event=evidence_store_back waiting=%d given_up=%d", len(self._waiting), self._given_up)
            since_ns, self.failing_since_ns = self.failing_since_ns, 0
            if self._given_up:
                self._admit(since_ns)

    def _admit(self, since_ns: int) -> None:
        """Seal how much could not be kept."""
        now_ns, reason = self._clock.now_ns(), "records given up: the store could not be written and memory was full"
        content: dict[str, Canonical] = {"from_ns": since_ns, "to_ns": now_ns, "reason": reason}
        self.record(Entry(RecordKind.HISTORY_GAP, now_ns, content | {"lost_records": self._given_up}))
        self._given_up = 0


def _event_id(entry: Entry) -> str:
    """The key of the message by which an entry is told; empty when it is none that must not wait."""
    if entry.transition is not None and entry.transition.kind is TransitionKind.ESCALATED:
        return escalation_key(entry.transition.alarm, entry.transition.reason)
    if entry.transition is not None:
        return transition_key(entry.transition)
    if entry.note is not None and entry.note.kind is NoteKind.HANDED_OVER:
        return hand_over_key(entry.note.alarm.alarm_id)
    return ""
