"""What left, or must leave, although the disk takes nothing: messages told from memory, and receipts not written down.

    store cannot seal   tell(messages) ----> pending(uplink) ----> the uplink ----> keep(receipts)
    store is back       the recorder commits the same messages under the same keys; settle() gives back the receipts

Both are bounded. A message beyond the bound is not told from here: it waits for the store, as it would have before. In:
messages and receipts, on the event loop. Out: rows for an uplink. Knows no file.
"""

import logging
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from gateway.model.alert import OutboxItem, Receipt, ReceiptKind

log = logging.getLogger(__name__)
MOST_MESSAGES: Final = 10_000
"""About 2 KB each."""
MOST_RECEIPTS: Final = 20_000

Answer = tuple[OutboxItem, Receipt]
_Place = tuple[str, str]


class Unsealed:
    """Rows by uplink and key. `outbox_id` of a row from here is 0: it has none yet."""

    def __init__(self) -> None:
        self._rows: dict[_Place, OutboxItem] = {}
        self._answers: dict[_Place, Answer] = {}

    def tell(self, items: Sequence[OutboxItem]) -> bool:
        """Take rows that have to leave before they can be sealed, all or none of them; False when there is no room."""
        if len(self._rows) + len(items) > MOST_MESSAGES:
            log.error("event=unsealed_not_told messages=%d reason='no room in memory'", len(items))
            return False
        self._rows |= {_place(item): item for item in items}
        return True

    def pending(self, uplink: str, limit: int) -> list[OutboxItem]:
        """What is still to be sent, the oldest first."""
        mine = [item for place, item in self._rows.items() if item.uplink == uplink and place not in self._answers]
        return mine[:limit]

    def counts(self) -> Mapping[str, int]:
        """uplink -> rows still to be sent. For any thread."""
        return Counter(uplink for uplink, key in list(self._rows) if (uplink, key) not in self._answers)

    def holds(self, item: OutboxItem) -> bool:
        """Whether the row is told from here, and stands in no file yet."""
        return _place(item) in self._rows

    def answered(self, item: OutboxItem) -> bool:
        """Whether the receiver has answered for good, though the disk does not know it."""
        return _place(item) in self._answers

    def keep(self, answers: Sequence[Answer]) -> None:
        """Remember what the receivers said for good. Beyond the bound a row is sent again, under the same key."""
        for item, receipt in answers:
            if receipt.kind is not ReceiptKind.RETRY and len(self._answers) < MOST_RECEIPTS:
                self._answers[_place(item)] = (item, receipt)

    def settle(self, committed: Collection[_Place] = ()) -> list[Answer]:
        """The store is back: rows that it holds now are forgotten here. The receipts that it does not know yet."""
        for place in committed:
            self._rows.pop(place, None)
        ready = [place for place in list(self._answers) if place not in self._rows]
        return [self._answers.pop(place) for place in ready]


def _place(item: OutboxItem) -> _Place:
    return item.uplink, item.key
