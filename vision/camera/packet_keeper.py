"""Puts a stream's packets into the ring in the one form that MP4 is made of, and says where a new epoch begins.

In: libav packets of one connection. Out: `EncodedPacket`s: Annex B, parameter sets before each key frame, 90 kHz ticks
that only grow. H.264 alone is kept: no browser here plays anything else.
"""

from typing import Any

import av
from av.bitstream import BitStreamFilterContext

from vision.camera.arrival import Arrival
from vision.camera.packet_ring import TICKS_PER_S, EncodedPacket, PacketRing
from vision.camera.parameter_sets import browser_codec, parameter_sets

_JUMP_TICKS = 10 * TICKS_PER_S


def not_kept_because(codec: str) -> str:
    """Why there is no clip of a stream of this codec; empty for H.264."""
    if codec == "h264":
        return ""
    if codec == "hevc":
        return "the camera sends H.265 only, which browsers do not play; give it an H.264 sub_source"
    return f"the camera sends {codec or 'no video yet'}; clips need H.264"


class PacketKeeper:
    """One connection's packets, into the ring. `epoch` numbers go on from connection to connection."""

    def __init__(self, ring: PacketRing, epoch: int, stream: Any) -> None:
        self._ring = ring
        self.epoch = epoch
        self._sets = b""
        self._first_sets = bytes(stream.codec_context.extradata or b"")
        self._to_annex_b: BitStreamFilterContext | None = None
        if self._first_sets[:1] == b"\x01":
            self._to_annex_b = BitStreamFilterContext("h264_mp4toannexb", stream)
            self._first_sets = b""
        self._last_dts: int | None = None

    @property
    def browser_codec(self) -> str:
        """As `avc1.640028`; empty before the first key frame."""
        return browser_codec(self._sets)

    def keep(self, arrival: Arrival, at_ns: int, offset_s: float) -> None:
        """One packet, decoded already: a bit stream filter takes its bytes away. What it cannot turn is left out."""
        for packet in self._annex_b(arrival.packet):
            body = bytes(packet)
            pts = _ticks(packet.pts if packet.pts is not None else packet.dts, packet, offset_s)
            dts = _ticks(packet.dts if packet.dts is not None else packet.pts, packet, offset_s)
            if pts is None or dts is None:
                continue
            if packet.is_keyframe:
                body = self._with_sets(body)
            dts = self._growing(dts)
            self._ring.append(EncodedPacket(body, at_ns, max(pts, dts), dts, bool(packet.is_keyframe), self.epoch))

    def _annex_b(self, packet: Any) -> list[Any]:
        if self._to_annex_b is None:
            return [packet]
        try:
            return list(self._to_annex_b.filter(packet))
        except av.FFmpegError:
            return []

    def _with_sets(self, body: bytes) -> bytes:
        """The key frame with its parameter sets; others than before begin a new epoch."""
        sets = parameter_sets(body, "h264")
        if not sets:
            sets = self._sets or self._first_sets
            body = sets + body
        if self._sets and sets != self._sets:
            self.epoch += 1
        self._sets = sets
        return body

    def _growing(self, dts: int) -> int:
        last = self._last_dts
        if last is not None and dts <= last and last - dts < _JUMP_TICKS:
            dts = last + 1
        elif last is not None and abs(dts - last) > _JUMP_TICKS:
            self.epoch += 1
        self._last_dts = dts
        return dts


def _ticks(value: int | None, packet: Any, offset_s: float) -> int | None:
    return None if value is None else round((float(value * packet.time_base) + offset_s) * TICKS_PER_S)
