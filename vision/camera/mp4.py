"""Encoded packets into MP4, without re-encoding: whole clips, and fragments for a browser that watches live.

In: H.264 packets of one epoch, the first a key frame with its parameter sets. Out: MP4 bytes that carry the true time.
Runs in the capture process. Knows neither sockets nor cameras.
"""

import datetime
import io
import itertools
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.container import OutputContainer

from vision.camera.capture_state import ClipHead
from vision.camera.packet_ring import TICKS_PER_S, EncodedPacket

_TIME_BASE = Fraction(1, TICKS_PER_S)
_LIVE_FLAGS = {
    "movflags": "empty_moov+frag_keyframe+default_base_moof",
    "frag_duration": "500000",
    "flush_packets": "1",
}
"""A fragment at each key frame, and at least two a second: a camera may send a key frame every four seconds only."""


def write_clip(packets: Sequence[EncodedPacket], path: Path) -> ClipHead:
    """The packets as one MP4 file, its index first ("fast start"). Raises LookupError when its key frame is none."""
    with av.open(str(path), "w", format="mp4", options={"movflags": "faststart"}) as container:
        stream = _open_stream(container, packets[0])
        for packet, duration in zip(packets, _durations(packets), strict=True):
            _mux(container, stream, packet, packets[0].dts, duration)
        size = stream.width, stream.height
    to_ns = max(packet.at_ns for packet in packets)
    return ClipHead(packets[0].at_ns, to_ns, size[0], size[1], len(packets))


class LiveMuxer:
    """One viewer's fragments. Every call returns the bytes that are ready: the first ones hold the initialisation
    segment. Raises LookupError as `write_clip` does."""

    def __init__(self, first: EncodedPacket) -> None:
        self._out = _Outlet()
        self._container: OutputContainer = av.open(self._out, "w", format="mp4", options=dict(_LIVE_FLAGS))
        self._stream = _open_stream(self._container, first)
        self._base = first.dts
        self._held: EncodedPacket | None = None

    def feed(self, packet: EncodedPacket) -> bytes:
        """Bytes that are ready after this packet. The newest packet waits for the next one, which tells its length."""
        if self._held is not None:
            _mux(self._container, self._stream, self._held, self._base, packet.dts - self._held.dts)
        self._held = packet
        return self._out.take()

    def close(self) -> bytes:
        """End the stream; the last bytes of it."""
        if self._held is not None:
            _mux(self._container, self._stream, self._held, self._base, TICKS_PER_S // 25)
            self._held = None
        self._container.close()
        return self._out.take()


class _Outlet(io.RawIOBase):
    """What libav writes to: cannot seek, hands over what came."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """Whether the muxer may write: always, as it asks."""
        return True

    def write(self, octets: Any) -> int:
        """Keep these bytes until they are taken; how many."""
        self._parts.append(bytes(octets))
        return len(octets)

    def take(self) -> bytes:
        """The bytes since the last call, and none twice."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _open_stream(container: OutputContainer, first: EncodedPacket) -> Any:
    """A stream with the parameters of the key frame, read from its own bytes."""
    try:
        with av.open(io.BytesIO(first.body), format="h264") as key_frame:
            stream = container.add_stream_from_template(key_frame.streams.video[0], opaque=True)
    except (av.FFmpegError, IndexError):
        raise LookupError("the stream's key frame cannot be read") from None
    stream.time_base = _TIME_BASE
    taken = datetime.datetime.fromtimestamp(first.at_ns / 1e9, datetime.UTC)
    text = taken.isoformat().replace("+00:00", "Z")
    container.metadata.update({"creation_time": text, "comment": f"first picture {text}"})
    return stream


def _durations(packets: Sequence[EncodedPacket]) -> list[int]:
    """In ticks; the last is taken to be as long as the one before it."""
    between = [after.dts - before.dts for before, after in itertools.pairwise(packets)]
    return [*between, between[-1] if between else TICKS_PER_S // 25]


def _mux(container: OutputContainer, stream: Any, packet: EncodedPacket, base: int, duration: int) -> None:
    muxed = av.Packet(packet.body)
    muxed.pts, muxed.dts, muxed.duration = packet.pts - base, packet.dts - base, duration
    muxed.time_base, muxed.is_keyframe, muxed.stream = _TIME_BASE, packet.key, stream
    container.mux(muxed)
