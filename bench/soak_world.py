"""What the soak runs against: a box in its own process on a disk that can fail, twins, a desk, a broker, an InfluxDB.

    twins --Modbus TCP, MQTT--> box on ext4 (loop device, FUSE) --proxy--> desk
                                                               --proxy--> InfluxDB
                                                               --proxy--> broker

Each receiver stands behind a proxy that can be told to misbehave. All of it listens on 127.0.0.1 and ends with the
block.
"""

import asyncio
import contextlib
import json
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from drivers.sim.overload_log import Overload
from regulator.base.intake.holdings import Holdings
from tests.fakes.cut_disk import CutDisk, cut_disk
from tests.fakes.demo_box import DemoBox
from tests.fakes.fault_proxy import FaultProxy, Mode
from tests.fakes.influxdb import InfluxServer
from tests.fakes.regulator_process import RegulatorProcess, regulator_process
from tests.fakes.screen_box import ShiftedProcess
from tests.fakes.sim_field import SimFieldProcess, sim_field
from tests.fakes.waiting import wait_until

RECEIVERS = ("regulator", "broker", "influx")
POLL_MS = 10
"""Ten times the demo's rate: some 2,400 readings a second from two cranes."""
_STORY = {"first": 3, "every": 13.5, "jitter": 1, "for": 7}
OVERLOAD = [word for name, value in _STORY.items() for word in (f"--overload-{name}-s", str(value))]
DISK_MIB = 2048
BACK_WITHIN_S = 90.0


class Doors:
    """The proxies, in a thread of their own."""

    def __init__(self, targets: dict[str, int]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.proxies = {name: FaultProxy(port) for name, port in targets.items()}
        for proxy in self.proxies.values():
            self._run(proxy.__aenter__())

    def misbehave(self, name: str, mode: Mode) -> None:
        """From now on, for what is open too."""
        self._run(self.proxies[name].set_mode(mode, delay_s=1.0, bytes_per_s=200.0, keep_bytes=7))

    def close(self) -> None:
        """All shut."""
        for proxy in self.proxies.values():
            self._run(proxy.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self, coroutine: Any) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(30)


@dataclass
class World:
    """`shifted`: spans (UTC ns) in which the box's clock was moved. `restarts`: the box had ended by itself."""

    folder: Path
    twins: SimFieldProcess
    desk: RegulatorProcess
    disk: CutDisk
    doors: Doors
    box: DemoBox
    shifted: list[tuple[int, int]] = field(default_factory=list)
    restarts: int = 0

    def ended(self) -> list[Overload]:
        """Overloads that are over."""
        return [overload for overload in self.twins.overloads() if overload.ended_at_ns]

    def held(self) -> list[dict[str, Any]]:
        """Alarm transitions at the desk."""
        return self._holdings(lambda held: held.alerts())

    def told(self) -> list[dict[str, Any]]:
        """Bodies of the alarm transitions at the desk."""
        return self._holdings(lambda held: [json.loads(item["body"]) for item in held.items("alarm_transition")])

    def chain_at_desk(self) -> str:
        """What the desk says of the box's chain."""
        return str(self._holdings(lambda held: held.boxes()[0]["chain"].state))

    def next_overload(self, within_s: float = 60.0) -> None:
        """Until one more overload is over."""
        before = len(self.ended())
        wait_until(lambda: len(self.ended()) > before, "one more overload", within_s)

    def start(self) -> None:
        """The box, until it answers and polls."""
        self.box.gateway.start()
        wait_until(lambda: self.box.gateway.metric("sitewarden_polls") > 0, "a poll", 60)

    def revive(self) -> None:
        """What the service manager does with a box that has ended by itself."""
        if not self.alive():
            self.restarts += 1
            self.start()

    def alive(self) -> bool:
        """Whether the process is there."""
        with contextlib.suppress(OSError):
            state = Path(f"/proc/{self.box.gateway.pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
            return state != "Z"
        return False

    def settled(self) -> None:
        """Until every receiver is reached, nothing waits, and the disk is in use."""
        wait_until(self._is_settled, f"the box well again, see {self.box.gateway.log}", BACK_WITHIN_S)

    def limit(self, which: int, soft: int) -> None:
        """One of the box's own limits, from now on."""
        resource.prlimit(self.box.gateway.pid, which, (soft, resource.RLIM_INFINITY if which != _FILES else _HARD))

    def _is_settled(self) -> bool:
        gateway = self.box.gateway
        with contextlib.suppress(OSError):
            return (
                gateway.metric("sitewarden_uplink_up") == len(RECEIVERS)
                and not gateway.get("/api/health")["store_failing"]
                and self.box.pending() == 0
            )
        return False

    def _holdings(self, ask: Any) -> Any:
        held = Holdings.at(self.desk.folder / "regulator.db")
        try:
            return ask(held)
        finally:
            held.close()


_FILES = resource.RLIMIT_NOFILE
_HARD = resource.getrlimit(_FILES)[1]


@contextmanager
def soak_world(folder: Path, seed: int) -> Iterator[World]:
    """Everything but the box started."""
    with contextlib.ExitStack() as stack:
        twins = stack.enter_context(sim_field(folder, *OVERLOAD))
        desk = stack.enter_context(regulator_process(folder, "demo-box", "DEMO-0001"))
        influx = stack.enter_context(InfluxServer())
        disk = stack.enter_context(cut_disk(folder, seed, DISK_MIB))
        targets = (int(desk.url.rsplit(":", 1)[1]), int(twins.ready["broker_port"]), int(influx.url.rsplit(":", 1)[1]))
        doors = Doors(dict(zip(RECEIVERS, targets, strict=True)))
        stack.callback(doors.close)
        ports = {name: proxy.port for name, proxy in doors.proxies.items()}

        def through_doors(site: dict[str, Any]) -> None:
            site["storage"]["history"] |= {"max_gib": 1}
            site["uplinks"][1]["port"] = ports["broker"]
            url = f"http://127.0.0.1:{ports['influx']}"
            series = {"name": "influx", "kind": "influx", "url": url, "org": "o", "bucket": influx.bucket}
            site["uplinks"].append(series)

        storage = disk.folder / "box"
        address = f"http://127.0.0.1:{ports['regulator']}"
        code = folder / "code"
        box = DemoBox(folder, twins, address, code, storage, POLL_MS, change=through_doors, kind=ShiftedProcess)
        with box:
            yield World(folder, twins, desk, disk, doors, box)


def pause(seconds: float) -> None:
    """A fault lasts so long."""
    threading.Event().wait(seconds)


def now_ns() -> int:
    """UTC ns."""
    return time.time_ns()
