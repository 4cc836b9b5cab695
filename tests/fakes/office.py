"""The site office's desk over real stores on a simulated clock; what the box knows is a sheet that a test changes."""

import asyncio
from pathlib import Path

from gateway.line.recorder import Recorder
from gateway.parts.shift.handover import Handovers
from gateway.parts.shift.paper_desk import PaperDesk
from gateway.parts.shift.paper_store import PaperStore
from gateway.parts.shift.safety_log import LogDay, LogHead, SafetyLogs
from gateway.store.alarm_reader import AlarmReader
from gateway.store.alert_store import AlertStore
from gateway.web.sheet import Section, Sheet, plain
from kit.clock import SimulatedClock
from kit.words import Words
from tests.fakes.site import BOX, NOW_NS

HEAD = LogHead("一号工地", "Site 1", "PROJECT-1", BOX)


class Office:
    """`open` again on the same folder after `close` is a restart. `wind` is what the box knows."""

    def __init__(self, folder: Path, now_ns: int = NOW_NS) -> None:
        self.clock = SimulatedClock(now_ns)
        self.folder = folder
        self.wind = "3.1 m/s"
        self.alerts = AlertStore(folder, 64 * 1024)
        self.recorder = Recorder(self.alerts, BOX, "PROJECT-1", (), self.clock)
        self._recording = asyncio.create_task(self.recorder.run())
        self.store = PaperStore(folder)
        self.chain = AlarmReader(self.alerts.path)
        self.desk = PaperDesk(self.store, self.chain, self.recorder, self.clock)
        self.logs = SafetyLogs(self.desk, self.store, self._day, lambda: HEAD, self.chain.first_at_ns, self.clock)
        self.handovers = Handovers(self.desk, self.store, self._shift, lambda: HEAD, self.clock)

    async def _day(self, _span: LogDay, now_ns: int) -> Sheet:
        return self._sheet(now_ns)

    async def _shift(self, now_ns: int) -> Sheet:
        return self._sheet(now_ns)

    def _sheet(self, now_ns: int) -> Sheet:
        rows = ((plain("最大风速", "Highest wind"), plain(self.wind)),)
        return Sheet(now_ns, (Section("weather", Words("天气", "Weather"), (), rows),))

    async def close(self) -> None:
        self._recording.cancel()
        await asyncio.gather(self._recording, return_exceptions=True)
        self.store.close()
        self.alerts.close()
