"""A box that docks: the real uplink and, where asked for, the real outbox, on a simulated clock."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path

import orjson

from gateway.line.recorder import Recorder, Route
from gateway.model.alarm import Transition
from gateway.model.alert import OutboxItem
from gateway.ports import ReadingBlock
from gateway.store.alert_store import AlertStore
from gateway.uplinks.docking import DockingSources, DockingUplink
from gateway.uplinks.docking_crane import ALARM_BITS
from gateway.uplinks.docking_records import Driver, Photo
from kit.clock import SimulatedClock
from sitewarden.composition.box import UPLINKS
from tests.fakes.blocks import block
from tests.fakes.docking_patterns import Docked
from tests.fakes.outbox import NOW_NS, context

SECOND_NS = 1_000_000_000
START_NS = NOW_NS // (10 * SECOND_NS) * (10 * SECOND_NS)
JPEG = b"\xff\xd8\xff\xe0 blurred"
RULES = {rule for bit in ALARM_BITS.values() for rule in bit.rules}
KNOWN = {"load_t": 3.5, "radius_m": 20.0, "slew_deg": 90.0, "hook_m": 30.0, "wind_ms": 4.0, "moment_pct": 55.0}


class Photos:
    """Pictures by alarm; one that is None is still being kept."""

    def __init__(self, **known: Photo | None) -> None:
        self.known = known

    async def photo(self, alarm_id: str) -> Photo | None:
        if alarm_id not in self.known:
            raise LookupError("no frame")
        return self.known[alarm_id]


class DockingBox:
    """`send` hands rows to the uplink; `record` and `deliver` go the whole way through the outbox."""

    def __init__(self, folder: Path, docked: Docked, url: str, clock: SimulatedClock, **settings: object) -> None:
        for name, text in docked.secrets.items():
            (folder / name).write_text(text + "\n")
        content = {
            "name": "town",
            "kind": "docking",
            "platform": docked.platform,
            "url": url,
            "ids": dict(docked.ids),
            "secrets": {name: {"file": str(folder / name)} for name in docked.secrets},
            "devices": {f"crane-{n}": {"sn": f"SN-{n}", "maker": "M"} for n in (1, 2, 9)} | {"cam-1": {"sn": "CAM-1"}},
            "timeout_ms": 5000,
        } | settings
        self.folder, self.docked = folder, docked
        self.clock = clock
        kind = UPLINKS["docking"]
        self.settings = kind.settings.model_validate_json(json.dumps(content))
        self._opened: list[AlertStore] = []
        uplink = UPLINKS["docking"].build(self.settings, context(self.folder, self.clock))
        assert isinstance(uplink, DockingUplink)
        self.uplink = uplink
        uplink.sources = DockingSources(Photos(), lambda *_: Driver("7", "N", "1" * 18), lambda: RULES)
        route = Route("town", True, False, False, uplink.wants)
        self._routes = [route]

    @property
    def store(self) -> AlertStore:
        """Opened when it is first asked for: most tests hand rows over themselves."""
        if not self._opened:
            self._opened.append(AlertStore(self.folder, 4096))
            self.recorder = Recorder(self._opened[0], "box-1", "PROJECT-1", self._routes, self.clock)
        return self._opened[0]

    async def record(self, *transitions: Transition) -> None:
        """Through recorder and outbox."""
        assert self.store.alive
        futures = [self.recorder.record_transition(each, None, ()) for each in transitions]
        task = asyncio.create_task(self.recorder.run())
        await asyncio.gather(*futures)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    async def deliver(self, rounds: int = 1) -> None:
        """So many batches of the outbox, as the delivery loop does them."""
        for _ in range(rounds):
            items = self.store.pending("town", 50)
            if items:
                receipts = await self.uplink.send_alerts(items)
                answers = list(zip(items, receipts, strict=True))
                await asyncio.wrap_future(self.store.resolve(answers, self.clock.now_ns()))

    async def close(self) -> None:
        await self.uplink.close()
        for store in self._opened:
            store.close()


def polls(seconds: Iterable[float], asset: str = "crane-1", **values: float) -> ReadingBlock:
    """Polls of a crane's host, so many seconds after the start."""
    known = KNOWN | values
    times = [START_NS + int(each * SECOND_NS) for each in seconds]
    ids = [f"{asset}.{name}" for name in known]
    return block(ids, [list(known.values())] * len(times), times_ns=times)


def cycle_row(number: int = 1, asset: str = "crane-1", **content: object) -> OutboxItem:
    """A working cycle as it lies in the outbox."""
    end_ns = START_NS + number * 180 * SECOND_NS
    said = {"start_ns": end_ns - 120 * SECOND_NS, "end_ns": end_ns, "load_t": 2.25, "wind_level": 2}
    said |= {"moment_alarm": False, "height_alarm": None, "start_luff_deg": 45.5, "driver_no": "7"} | content
    body = orjson.dumps({"asset": asset, "number": number, "driver": "person-1", "content": said})
    return OutboxItem(number, "town", f"cycle:{asset}:{number}", "crane_cycle", body, START_NS, 0)
