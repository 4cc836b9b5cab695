"""Answers the gateway, in threads of the capture process: clips, live video; and sends the reports.

In: requests over the socket. Out: parts, `done` or `refused`. When the socket closes, or the gateway is no longer the
parent, the process ends at once: a camera must not be held by an orphan.
"""

import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from vision.camera.capture_state import CaptureReport
from vision.camera.mp4 import LiveMuxer, write_clip
from vision.camera.packet_ring import PacketRing
from vision.camera.sub_stream import SubStream
from vision.camera.wire import PART_BYTES, Message, receive

_VIEWERS = 8
_QUIET_S = 1.0


class Control:
    """The socket of one capture process. `offer` says what clips are made of; `browser_codec` is of the main stream;
    `wanted` are the requests that nobody has taken back; `leave` ends the process."""

    def __init__(
        self,
        sock: socket.socket,
        read_timeout_s: float,
        leave: Callable[[int], object] = os._exit,
        work_folder: str = "",
    ) -> None:
        self._work_folder = work_folder or None
        self._leave = leave
        self._sock = sock
        self._read_timeout_s = read_timeout_s
        self._parent = os.getppid()
        self._sending = threading.Lock()
        self._ring: PacketRing | None = None
        self._sub: SubStream | None = None
        self._main_reason = "no picture has come yet"
        self.wanted: set[int] = set()
        self.browser_codec = ""

    def offer(self, ring: PacketRing, reason: str, sub: SubStream | None) -> None:
        """The main stream's ring, and why it is of no use (empty: it is); the sub-stream if there is one."""
        self._ring, self._main_reason, self._sub = ring, reason, sub

    @property
    def no_video_reason(self) -> str:
        """Why there are no clips now; empty when there are."""
        return self._sub.reason if self._main_reason and self._sub is not None else self._main_reason

    @property
    def video_codec(self) -> str:
        """The codec of what a browser would get live."""
        by_sub = self._sub is not None and (self._main_reason or not self._sub.reason)
        return self._sub.browser_codec if self._sub is not None and by_sub else self.browser_codec

    def tell(self, report: CaptureReport) -> None:
        """Send a report; the process ends when nobody is there to hear it."""
        if os.getppid() != self._parent:
            self._leave(0)
        self._send(Message("report", report.to_plain()))

    def serve(self) -> None:
        """Answer until the gateway is gone, and then end the process, whatever its other threads hang in."""
        try:
            while (message := receive(self._sock)) is not None:
                self.take(message)
        finally:
            self._leave(0)

    def take(self, message: Message) -> None:
        """Begin with a request, or let go of one; others are left alone."""
        number = int(message.about.get("id", 0))
        if message.kind == "cancel":
            self.wanted.discard(number)
        elif message.kind in ("clip", "live"):
            self.wanted.add(number)
            work = self._clip if message.kind == "clip" else self._live
            threading.Thread(target=self._answer, args=(number, work, message), daemon=True).start()

    def _answer(self, number: int, work: Callable[[int, Message], None], message: Message) -> None:
        try:
            work(number, message)
        except LookupError as error:
            self._send(Message("refused", {"id": number, "reason": str(error)}))
        except Exception as error:  # noqa: BLE001  a request must be answered, whatever libav makes of the packets
            self._send(Message("refused", {"id": number, "reason": f"no video could be made: {type(error).__name__}"}))
        finally:
            self.wanted.discard(number)

    def _clip(self, number: int, message: Message) -> None:
        ring = self.usable_ring()
        from_ns, to_ns = int(message.about["from_ns"]), int(message.about["to_ns"])
        ring.wait_until(to_ns, (to_ns - time.time_ns()) / 1e9 + self._read_timeout_s + _QUIET_S)
        with tempfile.TemporaryDirectory(prefix="sitewarden-clip-", dir=self._work_folder) as folder:
            path = Path(folder) / "clip.mp4"
            head = write_clip(ring.span(from_ns, to_ns), path)
            with path.open("rb") as file:
                while part := file.read(PART_BYTES):
                    self._send(Message("part", {"id": number}, part))
        self._send(Message("done", {"id": number, **asdict(head)}))

    def _live(self, number: int, _message: Message) -> None:
        if len(self.wanted) > _VIEWERS:
            raise LookupError(f"more than {_VIEWERS} viewers of one camera")
        ring = self._live_ring()
        at = ring.newest_key()
        muxer: LiveMuxer | None = None
        epoch = 0
        while number in self.wanted:
            packets = ring.after(at, self._read_timeout_s + _QUIET_S)
            if number not in self.wanted:  # the viewer left while nothing came
                break
            if not packets or (muxer is not None and any(packet.epoch != epoch for packet in packets)):
                break
            for packet in packets:
                if muxer is None:
                    muxer, epoch = LiveMuxer(packet), packet.epoch
                self._part(number, muxer.feed(packet))
            at += len(packets)
        if muxer is not None:
            self._part(number, muxer.close())
        self._send(Message("done", {"id": number}))

    def usable_ring(self) -> PacketRing:
        """What clips are cut from. Raises LookupError with the reason when there is nothing."""
        if self.no_video_reason:
            raise LookupError(self.no_video_reason)
        if self._main_reason and self._sub is not None:
            return self._sub.ring
        assert self._ring is not None
        return self._ring

    def _live_ring(self) -> PacketRing:
        """Of the sub-stream where it comes: whoever watches live needs no full resolution."""
        return self._sub.ring if self._sub is not None and not self._sub.reason else self.usable_ring()

    def _part(self, number: int, octets: bytes) -> None:
        for start in range(0, len(octets), PART_BYTES):
            self._send(Message("part", {"id": number}, octets[start : start + PART_BYTES]))

    def _send(self, message: Message) -> None:
        try:
            with self._sending:
                self._sock.sendall(message.encode())
        except OSError:
            self._leave(0)
