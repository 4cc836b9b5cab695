"""The capture process of one camera: opens the stream, keeps packets, decodes, offers pictures, and says how it goes.

    python -m vision.camera.capture CAMERA      standard input is a socket; its first message is the plan

Shuts itself in before it opens anything (`vision.process.confinement`). In: a `CapturePlan` and requests over the
socket. Out: pictures in the frame slot, reports and answers over the socket. Ends when the gateway's end of the socket
closes, or when the gateway is no longer its parent. Holds no model, and neither numpy nor pydantic: six of these run
on a small box.

Theory of operation. One loop opens, reads, keeps, decodes and converts, and is the heart that beats: a report goes out
from it several times a second, and none when it hangs in a call of libav. Requests are answered by other threads
(`control`), so that a clip of 30 s does not hold up a picture.
"""

import os
import socket
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import av

from gateway.model.picture import CameraLink
from vision.camera.address import SourceKind, file_path, redact, source_kind
from vision.camera.arrival import Arrival, believed_ns
from vision.camera.backoff import BackOff
from vision.camera.capture_state import CaptureReport
from vision.camera.control import Control
from vision.camera.decoding import Decoding
from vision.camera.faults import CaptureFault
from vision.camera.folder_input import FolderInput
from vision.camera.needs import capture_needs
from vision.camera.packet_keeper import PacketKeeper, not_kept_because
from vision.camera.packet_ring import PacketRing
from vision.camera.picture_outlet import PictureOutlet
from vision.camera.plan import CapturePlan
from vision.camera.slot_file import SlotWriter, Stamp
from vision.camera.sub_stream import SubStream
from vision.camera.video_input import VideoInput
from vision.camera.wire import receive
from vision.process.confinement import Lack, confine

_BEAT_S = 0.25
_RATE_S = 2.0


class Capture:
    """One camera, connection after connection. `lacks`: how this process is not shut in."""

    def __init__(self, plan: CapturePlan, control: Control, lacks: Sequence[Lack] = ()) -> None:
        self._lacks = ",".join(lacks)
        self._plan = plan
        self._control = control
        self._slot = SlotWriter(Path(plan.slot_path)) if plan.slot_path else None
        self._seq = self._slot.last_seq if self._slot else 0
        self._outlet = PictureOutlet(self._slot, plan.fps_cap)
        self._session = plan.first_session - 1
        self._epoch = 0
        self._ring = PacketRing(plan.ring_s, plan.ring_max_bytes)
        self._sub = SubStream(plan) if plan.sub_source else None
        self._decoding = Decoding(plan.read_timeout_s)
        self._link = CameraLink.CONNECTING
        self._phase = "opening"
        self._codec = "files" if source_kind(plan.source) is SourceKind.FOLDER else ""
        self._size = (0, 0)
        self._packets = 0
        self._error = ""
        self._ended = False
        self._stream_time = False
        self._beat_at_s = 0.0
        self._rate_from = (time.monotonic(), 0)
        self._rate = 0.0

    def run(self) -> None:
        """Until the process ends, or the source has ended for good (then it only beats)."""
        back_off = BackOff(self._plan.reconnect_min_s, self._plan.reconnect_max_s)
        if self._sub is not None:
            self._sub.start()
        while True:
            pictures = self._decoding.pictures
            fault = self._one_connection()
            if self._decoding.pictures > pictures:
                back_off.reset()
            self._lose(fault)
            wait_s = self._plan.reconnect_max_s if fault.slow else back_off.next_s()
            self._rest(float("inf") if fault.final else wait_s)

    def _one_connection(self) -> CaptureFault:
        self._enter("opening")
        try:
            kind = source_kind(self._plan.source)
            path = Path(file_path(self._plan.source))
            if kind is SourceKind.FOLDER or (kind is SourceKind.FILE and path.is_dir()):
                self._show_folder(path)
            else:
                self._read_stream()
        except CaptureFault as fault:
            return fault
        raise AssertionError("an input ends with a fault")

    def _read_stream(self) -> None:
        source = VideoInput(self._plan, self._plan.source)
        try:
            self._session += 1
            self._codec, self._epoch = source.codec, self._epoch + 1
            self._stream_time = False
            self._control.offer(self._ring, not_kept_because(self._codec), self._sub)
            keeper = PacketKeeper(self._ring, self._epoch, source.stream) if self._codec == "h264" else None
            self._decoding.begin(source.decoder)
            self._enter("reading")
            for arrival in source.packets(self._pause):
                self._take(arrival, source, keeper)
                if keeper is not None:
                    self._epoch = keeper.epoch
        except CaptureFault as fault:
            self._lose(fault)
            raise
        finally:
            source.close()

    def _lose(self, fault: CaptureFault) -> None:
        """Say so before anything is closed: closing may take its time."""
        self._error = redact(str(fault), self._plan.username, self._plan.password)
        self._link, self._ended = CameraLink.OFFLINE, fault.final
        self._enter("opening")

    def _take(self, arrival: Arrival, source: VideoInput, keeper: PacketKeeper | None) -> None:
        self._packets += 1
        clock = source.clock
        pictures = self._decoding.pictures_of(arrival)
        if keeper is not None:
            taken_ns = arrival.received_at_ns
            if clock is not None and arrival.timeline_s is not None:
                taken_ns = believed_ns(clock.at(arrival.timeline_s), taken_ns)
            keeper.keep(arrival, taken_ns, source.offset_s)
            self._control.browser_codec = keeper.browser_codec
        for picture in pictures:
            captured_ns = arrival.received_at_ns
            if clock is not None and picture.pts is not None:
                captured_ns = clock.at(float(picture.pts * picture.time_base))
            self._show(picture, captured_ns, arrival.received_at_ns, stream_time=clock is not None)
        self._beat()

    def _show_folder(self, path: Path) -> None:
        pictures = FolderInput(path, fps=self._plan.fps_cap, loop=self._plan.loop, realtime=self._plan.realtime)
        self._session += 1
        self._codec = "files"
        self._control.offer(self._ring, "pictures from a folder make no clip", self._sub)
        self._enter("reading")
        for picture in pictures.pictures(self._pause):
            now_ns = time.time_ns()
            if picture is None:
                self._decoding.bad += 1
            else:
                self._decoding.pictures += 1
                self._show(picture, now_ns, now_ns, stream_time=False)
            self._beat()

    def _show(self, picture: av.VideoFrame, captured_ns: int, received_ns: int, *, stream_time: bool) -> None:
        self._seq += 1
        self._size, self._stream_time = (picture.width, picture.height), stream_time
        if self._link is not CameraLink.LIVE:
            self._link, self._error = CameraLink.LIVE, ""
            self._rate_from, self._rate = (time.monotonic(), self._decoding.pictures), 0.0
            self._tell()
        if self._outlet.due(time.monotonic()) or self._codec == "files":
            stamp = Stamp(self._seq, captured_ns, received_ns, stream_time, self._session)
            self._outlet.write(picture, stamp)

    # --- waiting and telling ---

    def _enter(self, phase: str) -> None:
        self._phase = phase
        self._tell()

    def _rest(self, seconds: float) -> None:
        self._phase = "waiting"
        self._tell()
        self._pause(seconds)

    def _pause(self, seconds: float) -> None:
        """Wait, and beat meanwhile."""
        until_s = time.monotonic() + seconds
        while (left_s := until_s - time.monotonic()) > 0:
            time.sleep(min(left_s, _BEAT_S))
            self._beat()

    def _beat(self) -> None:
        if time.monotonic() - self._beat_at_s >= _BEAT_S:
            self._tell()

    def _tell(self) -> None:
        self._beat_at_s = time.monotonic()
        self._control.tell(self._report())

    def _report(self) -> CaptureReport:
        since_s, pictures = self._rate_from
        if (passed_s := time.monotonic() - since_s) >= _RATE_S:
            self._rate = (self._decoding.pictures - pictures) / passed_s
            self._rate_from = (time.monotonic(), self._decoding.pictures)
        return CaptureReport(
            link=self._link,
            phase=self._phase,
            codec=self._codec,
            width_px=self._size[0],
            height_px=self._size[1],
            session=max(0, self._session),
            frames=self._decoding.pictures,
            converted=self._outlet.converted,
            packets=self._packets,
            bad=self._decoding.bad,
            frames_per_s=self._rate if self._link is CameraLink.LIVE else 0.0,
            key_frames_only=self._decoding.key_frames_only,
            stream_time=self._stream_time,
            no_video_reason=self._control.no_video_reason,
            browser_codec=self._control.video_codec,
            last_error=self._error,
            ended=self._ended,
            lacks=self._lacks,
        )


def main() -> int:
    """Read the plan and capture; the exit code is 2 when no plan came."""
    av.logging.set_level(None)
    sock = socket.socket(fileno=os.dup(0))
    first = receive(sock)
    if first is None or first.kind != "plan":
        return 2
    plan = CapturePlan.from_json(first.body)
    lacks = confine(capture_needs(plan))
    control = Control(sock, plan.read_timeout_s, work_folder=plan.work_folder)
    threading.Thread(target=control.serve, name="control", daemon=True).start()
    Capture(plan, control, lacks).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
