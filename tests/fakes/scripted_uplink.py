"""An uplink whose receiver honours idempotency keys and does as the test says."""

import asyncio
from collections.abc import Callable, Sequence

from gateway.model.alert import OutboxItem, Receipt, ReceiptKind
from gateway.ports import ReadingBlock


class Receiver:
    """The other end: outlives the box's crashes. Holds each key once, counts how often it was sent, and does not take
    later what it refused for good."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}
        self.refused: set[str] = set()
        self.times_sent: dict[str, int] = {}
        self.polls: list[tuple[str, int]] = []

    def take(self, item: OutboxItem) -> None:
        self.times_sent[item.key] = self.times_sent.get(item.key, 0) + 1
        assert self.held.setdefault(item.key, item.body) == item.body, "one key, one message"


class ScriptedUplink:
    """Answers alerts and readings with what stands in the script; ACCEPTED when the script is empty.

    `lost_replies` is how many of the next alert batches the receiver takes while the answer gets lost (RETRY).
    """

    takes_alerts = True
    takes_evidence = True

    def __init__(self, name: str = "regulator", receiver: Receiver | None = None, takes_readings: bool = False) -> None:
        self.name = name
        self.takes_readings = takes_readings
        self.receiver = receiver or Receiver()
        self.alert_answers: list[Receipt | Callable[[OutboxItem], Receipt]] = []
        self.reading_answers: list[Receipt] = []
        self.lost_replies = 0
        self.calls: list[tuple[str, int]] = []
        self.hold: asyncio.Event | None = None
        self.closed = False

    async def send_alerts(self, batch: Sequence[OutboxItem]) -> Sequence[Receipt]:
        self.calls.append(("alerts", len(batch)))
        if self.hold is not None:
            await self.hold.wait()
        if self.lost_replies:
            self.lost_replies -= 1
            for item in batch:
                if item.key not in self.receiver.refused:
                    self.receiver.take(item)
            return [Receipt.retry("the reply was lost")] * len(batch)
        answer = self.alert_answers.pop(0) if self.alert_answers else Receipt.accepted("held")
        return [self._one(item, answer(item) if callable(answer) else answer) for item in batch]

    def _one(self, item: OutboxItem, receipt: Receipt) -> Receipt:
        if item.key in self.receiver.refused:
            return Receipt.rejected("refused before")
        if receipt.kind is ReceiptKind.REJECTED:
            self.receiver.refused.add(item.key)
        if receipt.kind is ReceiptKind.ACCEPTED:
            self.receiver.take(item)
        return receipt

    async def send_readings(self, blocks: Sequence[ReadingBlock]) -> Receipt:
        self.calls.append(("readings", sum(len(block.observed_at_ns) for block in blocks)))
        answer = self.reading_answers.pop(0) if self.reading_answers else Receipt.accepted()
        if answer.kind is ReceiptKind.ACCEPTED:
            self.receiver.polls += [(block.device, t) for block in blocks for t in block.observed_at_ns.tolist()]
        return answer

    async def close(self) -> None:
        self.closed = True
