"""Decodes one connection's packets, counts what cannot be decoded, and leaves out pictures when it falls behind.

In: packets in order. Out: whole pictures. Runs in the capture process. Knows neither slot nor socket.
"""

import time
from typing import Any

import av

from vision.camera.arrival import Arrival
from vision.camera.faults import CaptureFault
from vision.camera.lag import LagMeter

_FIRST_KEY_S = 20.0
"""How long to wait for the first key frame; some cameras send one every ten seconds."""


class Decoding:
    """`pictures` and `bad` count over all connections. `begin` at each connection."""

    def __init__(self, read_timeout_s: float) -> None:
        self._read_timeout_s = read_timeout_s
        self._decoder: Any = None
        self._lag = LagMeter()
        self._good_at_s = 0.0
        self._bad_since = 0
        self._seen_key = False
        self.pictures = 0
        self.bad = 0

    @property
    def key_frames_only(self) -> bool:
        """Whether all but key frames are left out now."""
        return self._lag.behind

    def begin(self, decoder: Any) -> None:
        """A new connection."""
        self._decoder = decoder
        self._lag = LagMeter()
        self._good_at_s = time.monotonic()
        self._bad_since = 0
        self._seen_key = False

    def pictures_of(self, arrival: Arrival) -> list[Any]:
        """The whole pictures that this packet completes. Raises CaptureFault when packets come and for too long none of
        them makes a picture."""
        packet, now_s = arrival.packet, time.monotonic()
        self._seen_key = self._seen_key or packet.is_keyframe
        if not self._seen_key:
            self._check(now_s, _FIRST_KEY_S, "no key frame came")
            return []
        self._keep_up(arrival, now_s)
        good = self._decode(packet)
        if good:
            self._good_at_s, self._bad_since = now_s, 0
            self.pictures += len(good)
        elif self._bad_since:
            self._check(now_s, self._read_timeout_s, f"what comes is no video: {self._bad_since} bad packets")
        return good

    def _decode(self, packet: Any) -> list[Any]:
        try:
            decoded = self._decoder.decode(packet)
        except (av.FFmpegError, ValueError, OSError):
            decoded = [None]
        good = [picture for picture in decoded if picture is not None and not picture.is_corrupt]
        bad = len(decoded) - len(good)
        self.bad += bad
        self._bad_since += bad
        return good

    def _keep_up(self, arrival: Arrival, now_s: float) -> None:
        """Behind by a second: key frames only, until caught up at a key frame."""
        if arrival.timeline_s is None:
            return
        was = self._lag.behind
        behind = self._lag.note(arrival.timeline_s, now_s)
        if behind and not was:
            self._decoder.skip_frame = "NONKEY"
        elif not behind and str(self._decoder.skip_frame) != "DEFAULT" and arrival.packet.is_keyframe:
            self._decoder.skip_frame = "DEFAULT"

    def _check(self, now_s: float, patience_s: float, what: str) -> None:
        if now_s - self._good_at_s > patience_s:
            raise CaptureFault(f"{what} in {patience_s:g} s")
