"""An RTSP stream, a video file or a V4L2 device, opened with libav: packets with their times.

In: a plan's source. Out: `Arrival`s, or `CaptureFault`. Runs in the capture process, in the thread that opened it.
Decodes nothing itself; `decoder` is the context that does. Knows neither slot nor ring.

True time of a stream comes from RTCP sender reports: libav puts it beside packets ("prft"), or says when the stream
began (`start_time_realtime`). Cameras send the first report after up to five seconds; before it, arrival counts.
"""

import struct
import time
from collections.abc import Callable, Iterator
from typing import Any

import av

from vision.camera.address import SourceKind, device_path, file_path, source_kind, with_credentials
from vision.camera.arrival import Arrival, StreamClock
from vision.camera.faults import CaptureFault, fault_of
from vision.camera.plan import CapturePlan

_PRODUCER_TIME = struct.Struct("=q")
_EARLIEST_US = 1_000_000
Wait = Callable[[float], None]


def libav_options(plan: CapturePlan, source: str) -> tuple[str, str | None, dict[str, str]]:
    """Address, format and options for libav; the address may hold the password."""
    kind = source_kind(source)
    if kind is SourceKind.DEVICE:
        return device_path(source), "video4linux2", {"input_format": "mjpeg", "thread_queue_size": "8"}
    if kind is SourceKind.FILE:
        return file_path(source), None, {}
    options = {
        "rtsp_transport": plan.transport,
        "allowed_media_types": "video",
        "timeout": str(int(plan.read_timeout_s * 1e6)),
        "analyzeduration": "300000",
        "probesize": "200000",
        "fflags": "nobuffer",
    }
    if plan.tls_ca_file:
        options |= {"tls_verify": "1", "ca_file": plan.tls_ca_file}
    return with_credentials(source, plan.username, plan.password), None, options


class VideoInput:
    """An opened source. Raises CaptureFault when it cannot be opened, or holds no video that can be decoded."""

    def __init__(self, plan: CapturePlan, source: str) -> None:
        self._plan = plan
        self._kind = source_kind(source)
        self._timeout = (plan.read_timeout_s, plan.read_timeout_s)
        self._container = self._open(source)
        try:
            self._stream = self._video()
        except CaptureFault:
            self._container.close()
            raise
        self.clock: StreamClock | None = None
        self._offset_s = 0.0

    def _open(self, source: str) -> Any:
        address, form, options = libav_options(self._plan, source)
        began_s = time.monotonic()
        try:
            try:
                return av.open(address, format=form, options=options, timeout=self._timeout)
            except OSError as error:
                if self._kind is not SourceKind.DEVICE or isinstance(error, FileNotFoundError | PermissionError):
                    raise
                del options["input_format"]
                return av.open(address, format=form, options=options, timeout=self._timeout)
        except (av.FFmpegError, OSError, ValueError) as error:
            if self._silent_since(began_s):
                raise self._silence() from None
            raise fault_of(error, self._plan.read_timeout_s) from None

    def _silent_since(self, asked_s: float) -> bool:
        """Whether one call of libav took the whole timeout. libav does not always say so: it reports half of an
        answer as invalid, and hands out the last packet it held back before it reports anything."""
        return self._kind is not SourceKind.FILE and time.monotonic() - asked_s >= self._plan.read_timeout_s

    def _silence(self) -> CaptureFault:
        return CaptureFault(f"nothing came for {self._plan.read_timeout_s:g} s")

    def _video(self) -> Any:
        if not self._container.streams.video:
            raise CaptureFault("there is no video in it", final=self._kind is SourceKind.FILE)
        stream = self._container.streams.video[0]
        if stream.codec_context is None:
            raise CaptureFault("there is no decoder for its video")
        stream.codec_context.thread_count = 1
        stream.codec_context.thread_type = "NONE"
        return stream

    @property
    def codec(self) -> str:
        """libav's name: `h264`, `hevc`, `mjpeg` ..."""
        return str(self._stream.codec_context.codec.canonical_name)

    @property
    def decoder(self) -> Any:
        """The decoding context of the video stream, from PyAV."""
        return self._stream.codec_context

    @property
    def stream(self) -> Any:
        """The stream, for a bit stream filter."""
        return self._stream

    @property
    def offset_s(self) -> float:
        """What to add to a packet's own time: grows when a file begins again."""
        return self._offset_s

    def packets(self, wait: Wait) -> Iterator[Arrival]:
        """Until the stream fails or ends, as CaptureFault. `wait` paces a file."""
        while True:
            try:
                yield from self._packets_once(wait)
            except (av.FFmpegError, OSError, ValueError) as error:
                raise fault_of(error, self._plan.read_timeout_s) from None
            if self._kind is not SourceKind.FILE:
                raise CaptureFault("the camera ended the stream")
            if not self._plan.loop:
                raise CaptureFault("the file has ended", final=True)
            self._begin_again()

    def _packets_once(self, wait: Wait) -> Iterator[Arrival]:
        paced = self._kind is SourceKind.FILE and self._plan.realtime
        began_s = time.monotonic() - self._offset_s
        self._last_s = self._offset_s
        self._step_s = 0.04
        for packet in self._demuxed():
            timeline_s = self._timeline(packet)
            if timeline_s is not None:
                self._step_s = max(0.0, timeline_s - self._last_s) or self._step_s
                self._last_s = max(self._last_s, timeline_s)
                if paced:
                    wait(began_s + timeline_s - time.monotonic())
            self._note_time(packet, timeline_s)
            yield Arrival(packet, time.time_ns(), timeline_s)

    def _demuxed(self) -> Iterator[Any]:
        packets = self._container.demux(self._stream)
        while True:
            asked_s = time.monotonic()
            packet = next(packets, None)
            if self._silent_since(asked_s):
                raise self._silence()
            if packet is None:
                return
            if packet.size:
                yield packet

    def _timeline(self, packet: Any) -> float | None:
        is_file = self._kind is SourceKind.FILE
        first, second = (packet.dts, packet.pts) if is_file else (packet.pts, packet.dts)
        ticks = second if first is None else first
        if ticks is None:
            return None
        start = (self._stream.start_time or 0) if is_file else 0
        return float((ticks - start) * packet.time_base) + self._offset_s

    def _begin_again(self) -> None:
        self._offset_s = self._last_s + self._step_s
        try:
            self._container.seek(0)
        except (av.FFmpegError, OSError) as error:
            raise fault_of(error, self._plan.read_timeout_s) from None
        self.decoder.flush_buffers()

    def _note_time(self, packet: Any, timeline_s: float | None) -> None:
        """Keep the newest thing that the stream has said about true time."""
        if self._kind is not SourceKind.STREAM or timeline_s is None:
            return
        if packet.has_sidedata("prft"):
            utc_us = _PRODUCER_TIME.unpack_from(bytes(packet.get_sidedata("prft")))[0]
        elif self.clock is None and (began_us := self._container.start_time_realtime):
            utc_us = began_us + round(timeline_s * 1e6)
        else:
            return
        if utc_us >= _EARLIEST_US:
            self.clock = StreamClock(timeline_s, utc_us * 1000)

    def close(self) -> None:
        """Close the connection; a peer that does not answer is not waited for longer than the read timeout."""
        self._container.close()
