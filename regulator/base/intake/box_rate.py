"""How fast one box may speak: messages and bytes a minute, alarms apart from all else.

In: what an authenticated box has sent. Out: Overloaded with the seconds after which it may go on. A box that comes back
after a week sends its backlog as fast as that, and waits in between: nothing is lost by it. Alarms, heartbeats, answers
and the mailbox have an allowance of their own, so that no backlog holds them up. A process has an account of each box
that it hears. On one event loop.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from contract.faults import Overloaded

MOST_BOXES: Final = 4096
LONGEST_WAIT_S: Final = 60
BULK: Final = frozenset(
    {
        "evidence_record",
        "minute_summary",
        "thumbnail",
        "media_segment",
        "box_state",
        "camera_still",
        "blob",
        "blob_query",
        "live_part",
    }
)
"""Kinds that may wait. All others tell of now, and are few."""


@dataclass(frozen=True, slots=True)
class Rate:
    """The most messages and bytes in a minute; so many at once, too."""

    messages: int
    size_bytes: int


BULK_RATE: Final = Rate(messages=6000, size_bytes=256 * 1024 * 1024)
"""A hundred a second: a week of a site with ten assets (200,000 messages) takes half an hour. Two live streams of
8 Mbit/s take half of the bytes."""
URGENT_RATE: Final = Rate(messages=1200, size_bytes=16 * 1024 * 1024)


@dataclass(slots=True)
class _Account:
    at_s: float
    messages: float
    size_bytes: float


class BoxRates:
    """`now_s`: a clock that never goes back."""

    def __init__(
        self, bulk: Rate = BULK_RATE, urgent: Rate = URGENT_RATE, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._rates = {True: bulk, False: urgent}
        self._now_s = now_s
        self._accounts: OrderedDict[tuple[str, bool], _Account] = OrderedDict()

    def take(self, box_id: str, kind: str, size_bytes: int) -> None:
        """Count a message. Raises Overloaded, and counts nothing, while the box has nothing left."""
        bulk = kind in BULK
        rate, account = self._rates[bulk], self._account(box_id, bulk=bulk)
        wait_s = 60 * max((1 - account.messages) / rate.messages, -account.size_bytes / rate.size_bytes)
        if wait_s > 0:
            most = f"at most {rate.messages} messages and {rate.size_bytes} bytes a minute of one box"
            raise Overloaded("", most, min(math.ceil(wait_s), LONGEST_WAIT_S))
        account.messages -= 1
        account.size_bytes -= size_bytes

    def add(self, box_id: str, kind: str, size_bytes: int) -> None:
        """Bytes beside a message that was counted: read already, they make the next one wait."""
        self._account(box_id, bulk=kind in BULK).size_bytes -= size_bytes

    def _account(self, box_id: str, *, bulk: bool) -> _Account:
        now_s, rate = self._now_s(), self._rates[bulk]
        account = self._accounts.get((box_id, bulk))
        if account is None:
            account = self._accounts[box_id, bulk] = _Account(now_s, rate.messages, rate.size_bytes)
            if len(self._accounts) > MOST_BOXES:
                self._accounts.popitem(last=False)
        share = (now_s - account.at_s) / 60
        account.at_s = now_s
        account.messages = min(account.messages + share * rate.messages, rate.messages)
        account.size_bytes = min(account.size_bytes + share * rate.size_bytes, rate.size_bytes)
        return account
