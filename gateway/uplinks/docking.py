"""Docks with one other platform: alarms and cycles from the outbox, real-time records from the history.

    outbox rows  -> record -> payload -> request -> Ack -> Receipt          one after the other, in order
    history      -> real-time records, one a crane and interval             the map says whether an outage is filled in

Theory of operation
- A row keeps its id and its times however often it is sent. A reply that was lost makes the platform see it twice, with
  the same content: what the map lists as `duplicate` is then the receipt.
- Rows leave in order: the first that cannot leave now ends the batch. Only an AI alarm that waits for its picture lets
  the others pass, at most `PHOTO_WITHIN_S`.
- A code that the map does not know is asked again and given up after its `give_up_after`; a wrong clock, a wrong key or
  a server in trouble never is.
- Knows a person only for the moment of a send, and only where settings and map both ask for it.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from docking.acknowledgement import Ack, HttpReply, Outcome
from docking.courier import Courier
from docking.encoding import CannotEncodeError, Payload, encode
from docking.loading import load_platform
from docking.platform import RecordMap, Replay
from docking.quantities import AI_RULES, RecordKind
from docking.record import DockingRecord
from gateway.model.alarm import Transition, TransitionKind
from gateway.model.alert import OutboxItem, Receipt, ReceiptKind
from gateway.model.id_numbers import mask_id_numbers
from gateway.ports import ReadingBlock, Uplink, UplinkContext, UplinkKind
from gateway.store.alert_store import ALERTS_FILE, ChainReader
from gateway.uplinks.docking_crane import CraneNaming, CraneStream
from gateway.uplinks.docking_records import (
    Driver,
    NotARecordError,
    Photo,
    ai_record,
    alarm_record,
    cycle_record,
    kind_of_row,
    said_in,
)
from gateway.uplinks.docking_settings import DockedDevice, DockingSettings, docking_faults
from gateway.uplinks.http_door import HttpDoor, HttpRequest, NoAnswerError, hidden

log = logging.getLogger(__name__)
PHOTO_WITHIN_S = 60.0
PHOTO_AGAIN_S = 2.0


class PhotoSource(Protocol):
    """Where the blurred picture of an alarm comes from."""

    async def photo(self, alarm_id: str) -> Photo | None:
        """None: there is none yet. Raises LookupError when there never will be."""
        ...


class NoPhotos:
    """A box without a picture store."""

    async def photo(self, alarm_id: str) -> Photo | None:
        """None, always: this box has no pictures of alarms."""
        raise LookupError(f"no pictures are kept of {alarm_id}")


def _nobody(_driver: str, _purpose: str) -> Driver:
    return Driver()


@dataclass(slots=True)
class DockingSources:
    """What the gateway lends after everything is built: pictures; persons at a send, by the random id in the record and
    for what; which rules judge this site."""

    photos: PhotoSource = field(default_factory=NoPhotos)
    driver: Callable[[str, str], Driver] = _nobody
    rules: Callable[[], Collection[str]] = tuple


class DockingUplink:
    """Sends what one platform wants in the form it wants."""

    takes_alerts = True
    takes_evidence = False

    def __init__(self, settings: DockingSettings, context: UplinkContext) -> None:
        self.name = settings.name
        self.sources = DockingSources()
        self._settings = settings
        self._clock = context.clock
        self._project = settings.project_code or context.project_code
        self._platform = load_platform(settings.map_file)
        self._chosen = settings.chosen(self._platform)
        self.takes_readings = RecordKind.CRANE_REALTIME in self._chosen
        self._courier = Courier(self._platform, context.clock.now_ns)
        self._door = HttpDoor(settings.timeout_ms, settings.ca_file, context.clock)
        self._alarms = ChainReader(context.folder / ALERTS_FILE)
        self._stream = self._open_stream(context.box_id)
        self._unclear: dict[str, int] = {}
        self._closed = False
        self.records_refused = 0
        self.records_passed_over = 0

    @property
    def cycle_assets(self) -> tuple[str, ...]:
        """The assets whose working cycles it takes."""
        return tuple(self._settings.devices) if RecordKind.CRANE_CYCLE in self._chosen else ()

    def wants(self, transition: Transition) -> bool:
        """Whether a transition becomes a record. Pure."""
        alarm = transition.alarm
        if alarm.asset not in self._settings.devices:
            return False
        if alarm.rule.rule_id in AI_RULES and RecordKind.AI_ALARM in self._chosen:
            return transition.kind is TransitionKind.RAISED
        return RecordKind.ALARM in self._chosen and alarm.rule.reportable and self._settings.wants(transition)

    async def send_alerts(self, batch: Sequence[OutboxItem]) -> Sequence[Receipt]:
        """Send the rows in order; exactly one Receipt an item."""
        receipts: list[Receipt] = []
        try:
            credentials = await asyncio.to_thread(self._credentials)
            for item in batch:
                receipt, waits = await self._send_row(item, credentials)
                receipts.append(receipt)
                if receipt.kind is ReceiptKind.RETRY and not waits:
                    break
        except (LookupError, NoAnswerError) as error:
            receipts.append(Receipt.retry(str(error)))
        return [*receipts, *[receipts[-1]] * (len(batch) - len(receipts))] if batch else []

    async def send_readings(self, blocks: Sequence[ReadingBlock]) -> Receipt:
        """Send the real-time records of these blocks, oldest first. ACCEPTED when each is held, or refused for good."""
        map_ = self._platform.records[RecordKind.CRANE_REALTIME]
        found = await asyncio.to_thread(self._stream.due, blocks, self._alarms.active_between)
        due = self._worth_sending(found, map_)
        try:
            credentials = await asyncio.to_thread(self._credentials)
            for begin in range(0, len(due), map_.batch):
                receipt = await self._send_records(due[begin : begin + map_.batch], map_, credentials)
                if receipt.kind is ReceiptKind.RETRY:
                    return receipt
        except (LookupError, NoAnswerError) as error:
            return Receipt.retry(str(error))
        self._stream.advance(blocks)
        return Receipt.accepted(f"{len(due)} records")

    async def close(self) -> None:
        """Send nothing more and let go of the connection."""
        self._closed = True
        await self._door.close()

    def _open_stream(self, box_id: str) -> CraneStream:
        settings, map_ = self._settings, self._platform.records.get(RecordKind.CRANE_REALTIME)
        naming = CraneNaming(box_id, self._project, settings.devices, settings.identities == "send")
        return CraneStream(naming, map_.every_s if map_ else 1.0, self._rules)

    def _rules(self) -> Collection[str]:
        return self.sources.rules()

    def _credentials(self) -> dict[str, str]:
        """Read anew for every batch, so that a new secret needs no restart. Raises LookupError."""
        return {**self._settings.ids, **{name: each.reveal() for name, each in self._settings.secrets.items()}}

    async def _send_row(self, item: OutboxItem, credentials: dict[str, str]) -> tuple[Receipt, bool]:
        """The receipt, and whether the row only waits for its picture. Raises NoAnswerError."""
        try:
            kind = kind_of_row(item, self._chosen)
            record = await self._record_of(item, kind)
            if record is None:
                return Receipt.retry("the picture is not there yet", PHOTO_AGAIN_S), True
            payload = self._payload(record)
        except (NotARecordError, CannotEncodeError, KeyError, ValueError) as error:
            return Receipt.rejected(f"not sent: {error}"), False
        ack = await self._deliver(self._platform.records[kind], [payload], credentials)
        return self._receipt(ack, item.attempts + 1), False

    async def _record_of(self, item: OutboxItem, kind: RecordKind) -> DockingRecord | None:
        device = self._device(str(said_in(item).get("asset", "")))
        if kind is RecordKind.CRANE_CYCLE:
            return cycle_record(item, device, self._project, self._driver(str(said_in(item).get("driver", ""))))
        if kind is RecordKind.ALARM:
            return alarm_record(item, device, self._project)
        photo, waits = await self._photo(item)
        return None if waits else ai_record(item, device, self._project, photo)

    def _device(self, asset: str) -> DockedDevice:
        device = self._settings.devices.get(asset)
        if device is None:
            raise NotARecordError(f"asset {asset} is not among the devices of {self.name}")
        return device

    def _driver(self, person_id: str) -> Driver:
        if self._settings.identities != "send" or not person_id:
            return Driver()
        return self.sources.driver(person_id, f"docking {self._platform.name}")

    async def _photo(self, item: OutboxItem) -> tuple[Photo | None, bool]:
        """The picture, and whether it is worth waiting for."""
        if self._settings.photos == "none":
            return None, False
        try:
            photo = await self.sources.photos.photo(str(said_in(item)["alarm_id"]))
        except LookupError:
            return None, False
        age_s = (self._clock.now_ns() - item.created_at_ns) / 1e9
        return photo, photo is None and age_s < PHOTO_WITHIN_S

    def _payload(self, record: DockingRecord) -> Payload:
        """Raises CannotEncodeError."""
        map_ = self._platform.records[record.kind]
        return encode(record, map_, self._platform.time_zone, personal=self._settings.identities == "send")

    def _worth_sending(
        self, found: Sequence[tuple[str, DockingRecord]], map_: RecordMap
    ) -> list[tuple[str, DockingRecord]]:
        """All of them; or, where the map says so, of each crane the newest that is fresh."""
        if map_.replay is Replay.ALL:
            return list(found)
        newest = dict(found)
        oldest_ns = self._clock.now_ns() - int(map_.fresh_s * 1e9)
        kept = [(asset, record) for asset, record in newest.items() if record.observed_at_ns >= oldest_ns]
        self.records_passed_over += len(found) - len(kept)
        return sorted(kept, key=lambda each: each[1].observed_at_ns)

    async def _send_records(
        self, due: Sequence[tuple[str, DockingRecord]], map_: RecordMap, credentials: dict[str, str]
    ) -> Receipt:
        """One request; one by one when the platform refuses it as a whole. Raises NoAnswerError."""
        payloads = []
        for asset, record in due:
            try:
                payloads.append((asset, self._payload(record)))
            except CannotEncodeError as error:
                self._give_up(asset, record.record_id, record.observed_at_ns, str(error))
        if not payloads:
            return Receipt.accepted()
        ack = await self._deliver(map_, [payload for _, payload in payloads], credentials)
        if ack.outcome in (Outcome.REFUSED, Outcome.UNCLEAR) and len(payloads) > 1:
            for one in due:
                receipt = await self._send_records([one], map_, credentials)
                if receipt.kind is ReceiptKind.RETRY:
                    return receipt
            return Receipt.accepted()
        return self._note(ack, payloads)

    def _note(self, ack: Ack, payloads: Sequence[tuple[str, Payload]]) -> Receipt:
        first = payloads[0][1].record_id
        attempts = self._unclear.get(first, 0) + (ack.outcome is Outcome.UNCLEAR)
        receipt = self._receipt(ack, attempts)
        self._unclear = {first: attempts} if receipt.kind is ReceiptKind.RETRY else {}
        for asset, payload in payloads:
            if receipt.kind is ReceiptKind.REJECTED:
                self._give_up(asset, payload.record_id, payload.observed_at_ns, receipt.detail)
            elif receipt.kind is ReceiptKind.ACCEPTED:
                self._stream.sent(asset, payload.observed_at_ns)
        return Receipt.accepted() if receipt.kind is ReceiptKind.REJECTED else receipt

    def _give_up(self, asset: str, record_id: str, at_ns: int, why: str) -> None:
        """A real-time record that the platform never takes is one of thousands: said, counted, passed."""
        self.records_refused += 1
        log.warning("event=docking_record_refused uplink=%s record=%s reason=%r", self.name, record_id, why)
        self._stream.sent(asset, at_ns)

    async def _deliver(self, map_: RecordMap, payloads: Sequence[Payload], credentials: dict[str, str]) -> Ack:
        """One conversation. Raises NoAnswerError, LookupError."""
        talk = self._courier.deliver(map_, payloads, credentials)
        call = next(talk)
        while True:
            if self._closed:
                raise NoAnswerError("the uplink is closing")
            request = HttpRequest(self._settings.url + call.path, call.content, call.headers, secrets=call.secrets)
            answer = await self._door.ask(request)
            try:
                call = talk.send(HttpReply(answer.status, answer.body, answer.retry_after_s))
            except StopIteration as end:
                ack: Ack = end.value
                words = hidden(_without_persons(ack.words, map_, payloads), call.secrets)
                return Ack(ack.outcome, words, ack.after_s)

    def _receipt(self, ack: Ack, attempts: int) -> Receipt:
        if ack.outcome is Outcome.TAKEN:
            return Receipt.accepted(ack.words)
        if ack.outcome is Outcome.REFUSED:
            return Receipt.rejected(ack.words)
        most = self._platform.reply.give_up_after
        if ack.outcome is Outcome.UNCLEAR and most and attempts >= most:
            return Receipt.rejected(f"given up after {attempts} attempts: {ack.words}")
        return Receipt.retry(ack.words, ack.after_s)


def _without_persons(words: str, map_: RecordMap, payloads: Sequence[Payload]) -> str:
    """A platform that echoes what it was sent must not put a person into our receipts and logs."""
    names = [field.name for field in map_.fields if field.personal]
    told = {str(payload.fields[name]) for payload in payloads for name in names if name in payload.fields}
    for each in sorted(told, key=len, reverse=True):
        words = words.replace(each, "***")
    return mask_id_numbers(words)


def _build(settings: DockingSettings, context: UplinkContext) -> Uplink:
    return DockingUplink(settings, context)


KIND = UplinkKind(name="docking", settings=DockingSettings, build=_build, check=docking_faults)
