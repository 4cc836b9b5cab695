"""Decodes one connection's packets, counts what cannot be decoded, and leaves out pictures when it falls behind.

In: packets in order. Out: whole pictures. Runs in the capture process. Knows neither slot nor socket.
"""

import time
from collections import deque
from typing import Any, NamedTuple

import av

from vision.camera.arrival import Arrival
from vision.camera.faults import CaptureFault
from vision.camera.lag import LagMeter

_FIRST_KEY_S = 20.0
"""How long to wait for the first key frame; some cameras send one every ten seconds."""
_LEAST_PACKETS = 5
_LEAST_SHARE = 0.2
"""Fewer pictures than this share of the packets: no video. A decoder makes a picture out of noise now and then."""


class _Outcome(NamedTuple):
    """What became of one packet."""

    at_s: float
    good: int
    bad: int


class Decoding:
    """`pictures` and `bad` count over all connections. `begin` at each connection."""

    def __init__(self, read_timeout_s: float) -> None:
        self._read_timeout_s = read_timeout_s
        self._decoder: Any = None
        self._lag = LagMeter()
        self._began_s = 0.0
        self._seen_key = False
        self._recent: deque[_Outcome] = deque()
        self.pictures = 0
        self.bad = 0

    @property
    def key_frames_only(self) -> bool:
        """Whether all but key frames are left out now."""
        return self._lag.behind

    def begin(self, decoder: Any) -> None:
        """Begin anew with the decoder of a new connection."""
        self._decoder = decoder
        self._lag = LagMeter()
        self._began_s = time.monotonic()
        self._seen_key = False
        self._recent.clear()

    def pictures_of(self, arrival: Arrival) -> list[Any]:
        """The whole pictures that this packet completes. Raises CaptureFault when packets come and for too long next to
        none of them makes a picture."""
        packet, now_s = arrival.packet, time.monotonic()
        if not self._seen_key and not packet.is_keyframe:
            if now_s - self._began_s > _FIRST_KEY_S:
                raise CaptureFault(f"no key frame came in {_FIRST_KEY_S:g} s")
            return []
        self._seen_key = True
        self._keep_up(arrival, now_s)
        bad_before = self.bad
        good = self._decode(packet)
        self.pictures += len(good)
        self._judge(_Outcome(now_s, len(good), self.bad - bad_before))
        return good

    def _decode(self, packet: Any) -> list[Any]:
        try:
            decoded = self._decoder.decode(packet)
        except (av.FFmpegError, ValueError, OSError):
            self.bad += 1
            return []
        good = [picture for picture in decoded if not picture.is_corrupt]
        self.bad += len(decoded) - len(good)
        return good

    def _judge(self, outcome: _Outcome) -> None:
        """Over the last read timeout: are there pictures in what comes? What a decoder swallows without a word is
        counted only then: now and then it is right to do so."""
        if self._lag.behind:
            self._recent.clear()
            return
        self._recent.append(outcome)
        whole = False
        while outcome.at_s - self._recent[0].at_s > self._read_timeout_s:
            self._recent.popleft()
            whole = True
        packets, pictures = len(self._recent), sum(recent.good for recent in self._recent)
        if whole and packets >= _LEAST_PACKETS and pictures < packets * _LEAST_SHARE:
            self.bad += sum(not recent.good and not recent.bad for recent in self._recent)
            raise CaptureFault(f"the stream is not video: {pictures} pictures in {packets} packets")

    def _keep_up(self, arrival: Arrival, now_s: float) -> None:
        """Behind by a second: key frames only, until caught up at a key frame."""
        if arrival.timeline_s is None:
            return
        behind = self._lag.note(arrival.timeline_s, now_s)
        skipping = str(self._decoder.skip_frame) != "DEFAULT"
        if behind and not skipping:
            self._decoder.skip_frame = "NONKEY"
        elif not behind and skipping and arrival.packet.is_keyframe:
            self._decoder.skip_frame = "DEFAULT"
