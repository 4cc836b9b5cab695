"""A camera's second stream, for clips and live pages only: packets into a ring of its own, nothing is decoded.

In: a plan with a `sub_source`. Out: its ring, and why there is nothing in it. A thread of the capture process with its
own reconnecting; a failing sub-stream does not touch the main one.
"""

import threading
import time
from dataclasses import replace

from vision.camera.address import redact
from vision.camera.arrival import believed_ns
from vision.camera.backoff import BackOff
from vision.camera.faults import CaptureFault
from vision.camera.packet_keeper import PacketKeeper, not_kept_because
from vision.camera.packet_ring import PacketRing
from vision.camera.plan import CapturePlan
from vision.camera.video_input import VideoInput


class SubStream:
    """`reason` is empty while packets come."""

    def __init__(self, plan: CapturePlan) -> None:
        self._plan = replace(plan, source=plan.sub_source)
        self._epoch = 0
        self.ring = PacketRing(plan.ring_s, plan.ring_max_bytes)
        self.reason = "the sub-stream has not come yet"
        self.browser_codec = ""

    def start(self) -> None:
        """Begin, in a thread that ends with the process."""
        threading.Thread(target=self._run, name="sub-stream", daemon=True).start()

    def _run(self) -> None:
        back_off = BackOff(self._plan.reconnect_min_s, self._plan.reconnect_max_s)
        while True:
            fault = self._one_connection(back_off)
            text = redact(str(fault), self._plan.username, self._plan.password)
            self.reason = f"the sub-stream does not come: {text}"
            time.sleep(self._plan.reconnect_max_s if fault.slow else back_off.next_s())

    def _one_connection(self, back_off: BackOff) -> CaptureFault:
        try:
            source = VideoInput(self._plan, self._plan.source)
        except CaptureFault as fault:
            return fault
        try:
            if reason := not_kept_because(source.codec):
                raise CaptureFault(reason.replace("the camera", "the sub-stream"), slow=True)
            self._read(source, back_off)
        except CaptureFault as fault:
            return fault
        finally:
            source.close()
        raise AssertionError("an input ends with a fault")

    def _read(self, source: VideoInput, back_off: BackOff) -> None:
        self._epoch += 1
        keeper = PacketKeeper(self.ring, self._epoch, source.stream)
        for arrival in source.packets(time.sleep):
            taken_ns = arrival.received_at_ns
            if source.clock is not None and arrival.timeline_s is not None:
                taken_ns = believed_ns(source.clock.at(arrival.timeline_s), taken_ns)
            keeper.keep(arrival, taken_ns, source.offset_s)
            self._epoch = keeper.epoch
            if keeper.browser_codec:
                self.reason, self.browser_codec = "", keeper.browser_codec
                back_off.reset()
