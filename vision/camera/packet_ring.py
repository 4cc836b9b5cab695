"""The last seconds of a stream as it came, encoded: what clips and live pages are cut from.

In: packets, from the capture loop. Out: whole groups of pictures, to the threads that answer clips and live pages.
Bounded in seconds and in bytes; the oldest group of pictures (key frame to key frame) goes first. Knows no libav.

    oldest                                                         newest
    K p p p p | K p p p p | K p p p p | K p p p p | K p p p
    `- thrown away as soon as the rest still covers `ring_s`, or at once when the bytes are too many

An epoch is a stretch that one MP4 can hold: one connection, one set of stream parameters, no jump in time.
"""

import threading
from collections import deque
from dataclasses import dataclass, field

TICKS_PER_S = 90_000


@dataclass(frozen=True, slots=True)
class EncodedPacket:
    """One picture as it came: Annex B bytes, a key frame with its parameter sets before it. `at_ns` is when it was
    taken, on the box's clock; `pts` and `dts` in 1/90,000 s."""

    body: bytes = field(repr=False)
    at_ns: int
    pts: int
    dts: int
    key: bool
    epoch: int


class PacketRing:
    """One stream's packets; one thread appends, any number read."""

    def __init__(self, ring_s: float, max_bytes: int) -> None:
        self._ring_ns = int(ring_s * 1e9)
        self._max_bytes = max_bytes
        self._packets: deque[EncodedPacket] = deque()
        self._keys: deque[int] = deque()
        self._first_number = 0
        self._bytes = 0
        self._closed = False
        self._news = threading.Condition()

    @property
    def size_bytes(self) -> int:
        """Bytes of the packets kept now."""
        return self._bytes

    def append(self, packet: EncodedPacket) -> None:
        """Keep a packet. What comes before the first key frame is of no use, and is not kept."""
        with self._news:
            if not self._packets and not packet.key:
                self._first_number += 1
                return
            if packet.key:
                self._keys.append(self._first_number + len(self._packets))
            self._packets.append(packet)
            self._bytes += len(packet.body)
            self._trim()
            self._news.notify_all()

    def _trim(self) -> None:
        horizon_ns = self._packets[-1].at_ns - self._ring_ns
        while self._packets and (self._bytes > self._max_bytes or self._covered_without_first(horizon_ns)):
            self._drop_first_group()

    def _covered_without_first(self, horizon_ns: int) -> bool:
        return len(self._keys) > 1 and self._packets[self._keys[1] - self._first_number].at_ns <= horizon_ns

    def _drop_first_group(self) -> None:
        self._keys.popleft()
        until = self._keys[0] if self._keys else self._first_number + len(self._packets)
        while self._first_number < until:
            self._bytes -= len(self._packets.popleft().body)
            self._first_number += 1

    def close(self) -> None:
        """The stream ended for good: nobody waits any longer."""
        with self._news:
            self._closed = True
            self._news.notify_all()

    def wait_until(self, at_ns: int, within_s: float) -> None:
        """Return when a packet of that time has been kept, when `within_s` are over, or when the ring is closed."""
        with self._news:
            self._news.wait_for(
                lambda: self._closed or bool(self._packets and self._packets[-1].at_ns >= at_ns), max(0.0, within_s)
            )

    def span(self, from_ns: int, to_ns: int) -> list[EncodedPacket]:
        """The packets from the key frame at or before `from_ns` (else the first one kept) to `to_ns`, of one epoch: of
        several, the one that covers most. Raises LookupError when nothing of that time has been kept."""
        with self._news:
            packets = list(self._packets)
        best: list[EncodedPacket] = []
        best_ns = -1
        for epoch in dict.fromkeys(packet.epoch for packet in packets):
            stretch = [packet for packet in packets if packet.epoch == epoch]
            covered_ns = min(stretch[-1].at_ns, to_ns) - max(stretch[0].at_ns, from_ns)
            if covered_ns > best_ns:
                best, best_ns = stretch, covered_ns
        if not best:
            raise LookupError("nothing has been kept of that time")
        starts = [i for i, packet in enumerate(best) if packet.key]
        start = max((i for i in starts if best[i].at_ns <= from_ns), default=starts[0])
        return [packet for packet in best[start:] if packet.at_ns <= to_ns or packet is best[start]]

    def newest_key(self) -> int:
        """Number of the newest key frame kept. Raises LookupError when there is none."""
        with self._news:
            if not self._keys:
                raise LookupError("no picture has come yet")
            return self._keys[-1]

    def after(self, number: int, within_s: float) -> list[EncodedPacket] | None:
        """The packets from `number` on, waiting for at least one: an empty list when none came in time. None when they
        were thrown away meanwhile, or the ring is closed."""
        with self._news:
            self._news.wait_for(lambda: self._closed or self._first_number + len(self._packets) > number, within_s)
            if self._closed or number < self._first_number:
                return None
            return [self._packets[i] for i in range(number - self._first_number, len(self._packets))]
