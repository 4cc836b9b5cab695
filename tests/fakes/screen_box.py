"""A real gateway before real Modbus servers, for tests that look at its screens in a browser.

    with ScreenBox(folder) as box:
        alarm = box.raise_alarm()                 # P1, crane-1; there when this returns
        box.return_alarm()

One Modbus server an asset, so that one can fall silent alone. What the box has on its disk says what is so; the screens
are what is tested. `kill`, `start` and `pause` leave folder and port as they are.
"""

import signal
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from gateway.model.alarm import Alarm
from gateway.store.alert_store import alarm_from_json
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.libmodbus_server import LibmodbusServer
from tests.fakes.mosquitto import free_port
from tests.fakes.ready_python import PIPE, READY, Process
from tests.fakes.screen_site import (
    CRANES,
    MOMENT,
    PIT,
    REGISTERS,
    TILT,
    WALL,
    WIND,
    idle_words,
    words_of,
    write_site,
)
from tests.fakes.waiting import wait_until

BEYOND: dict[str, dict[str, float]] = {
    MOMENT: {"moment_pct": 117.0},
    WIND: {"wind_ms": 24.0},
    TILT: {"tilt_deg": 1.5},
    WALL: {"wall_top_h": 33.0},
}
"""For each rule of the site, what an asset says that is beyond its limit."""


class Asset:
    """What answers for one asset. `values` are those that differ from rest."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.values: dict[str, float] = {}
        self.answers = True
        self.server = LibmodbusServer(1, REGISTERS, python=READY)
        self.port = self.server.port
        self.server.set_registers(0, idle_words(name))

    def say(self, **values: float) -> None:
        """From the next poll on."""
        self.values |= values
        self.server.set_registers(0, words_of(self.name, self.values))

    def rest(self, *keys: str) -> None:
        """These values (all when none is named) are those of an asset at rest again."""
        self.values = {key: value for key, value in self.values.items() if keys and key not in keys}
        self.server.set_registers(0, words_of(self.name, self.values))

    def polls(self) -> int:
        """How often it has been asked for its registers."""
        return self.server.requests().get(3, 0)

    def fall_silent(self) -> None:
        """Nobody answers any more."""
        self.answers = False
        self.server.close()

    def come_back(self) -> None:
        """Answer again, on the same port, what was said last."""
        self.server = LibmodbusServer(1, REGISTERS, [self.port], READY)
        self.answers = True
        self.server.set_registers(0, words_of(self.name, self.values))


class ShiftedProcess(GatewayProcess):
    """A gateway process whose wall clock can be put forward."""

    def _spawn(self, log: IO[bytes]) -> Process:
        command = ("tests.fakes.shifted_gateway", str(self._site_file))
        return self._python.start(*command, stderr=log, stdin=PIPE, stdout=PIPE)

    def stop(self) -> None:
        """An orderly stop, and the pipes are closed."""
        super().stop()
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                if pipe is not None:
                    pipe.close()

    def put_forward(self, seconds: float) -> None:
        """The box's clock jumps."""
        assert self._process is not None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{seconds}\n".encode())
        self._process.stdin.flush()
        assert self._process.stdout.readline()


class CameraProcess(GatewayProcess):
    """A gateway process with rendered cameras."""

    def _spawn(self, log: IO[bytes]) -> Process:
        return self._python.start("tests.fakes.camera_gateway", str(self._site_file), stderr=log, stdout=log)


class ScreenBox:
    """The box of one test, in `folder`. `shiftable` lets `put_forward` move its wall clock; with `cameras` it has the
    three of `tests.fakes.eyes`.

    `packs` and `sections` go into the site file (`tests.fakes.screen_site.write_site`).
    """

    def __init__(
        self,
        folder: Path,
        *,
        shiftable: bool = False,
        cameras: bool = False,
        packs: Sequence[str] = ("screen",),
        **sections: Any,
    ) -> None:
        self.assets = {name: Asset(name) for name in (*CRANES, PIT)}
        self.folder = folder / "box"
        port = free_port()
        ports = {name: asset.port for name, asset in self.assets.items()}
        self.site_file = write_site(folder, ports, port, packs, **sections)
        kind = ShiftedProcess if shiftable else CameraProcess if cameras else GatewayProcess
        self.gateway = kind(self.site_file, f"http://127.0.0.1:{port}", python=READY)

    @property
    def url(self) -> str:
        """The web face, without a slash at its end."""
        return self.gateway.url

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def start(self) -> None:
        """Start, and wait until every device that answers has been read twice."""
        wanted = {asset: asset.polls() + 2 for asset in self.assets.values() if asset.answers}
        self.gateway.start()
        wait_until(lambda: all(asset.polls() >= polls for asset, polls in wanted.items()), "every device read")

    def kill(self) -> None:
        """kill -9. `start` goes on with the same folder and port."""
        self.gateway.kill()

    def pause(self) -> None:
        """It hangs: connections stay open and nothing is answered."""
        self.gateway.signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on."""
        self.gateway.signal(signal.SIGCONT)

    def put_forward(self, seconds: float) -> None:
        """Only of a `shiftable` box: its wall clock jumps."""
        assert isinstance(self.gateway, ShiftedProcess), "make the box shiftable"
        self.gateway.put_forward(seconds)

    def close(self) -> None:
        """End the gateway, then the devices."""
        self.gateway.stop()
        for asset in self.assets.values():
            asset.server.close()

    def raise_alarm(self, rule: str = MOMENT, asset: str = "crane-1") -> Alarm:
        """Beyond the rule's limit; returns the alarm once it is on the disk."""
        self.assets[asset].say(**BEYOND[rule])
        wait_until(lambda: self._found(rule, asset, active=True), f"{rule} of {asset} raised")
        return self._found(rule, asset, active=True)[0]

    def return_alarm(self, rule: str = MOMENT, asset: str = "crane-1") -> None:
        """Within the limit again; returns once the box has sealed it."""
        self.assets[asset].rest(*BEYOND[rule])
        wait_until(lambda: not self._found(rule, asset, active=True), f"{rule} of {asset} returned")

    def open_alarms(self) -> list[Alarm]:
        """What the box's database holds as open."""
        return [alarm_from_json(row[0]) for row in self._rows("SELECT state FROM alarm WHERE is_open = 1")]

    def committed(self) -> list[tuple[int, str, int]]:
        """Every record of an alarm: number in the chain, alarm, UTC ns."""
        query = "SELECT seq, alarm_id, at_ns FROM evidence WHERE alarm_id <> '' ORDER BY seq"
        return [(int(seq), str(alarm), int(at_ns)) for seq, alarm, at_ns in self._rows(query)]

    def _found(self, rule: str, asset: str, *, active: bool) -> list[Alarm]:
        return [a for a in self.open_alarms() if (a.rule.rule_id, a.asset, a.active) == (rule, asset, active)]

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        db = sqlite3.connect(f"file:{self.folder / 'alerts.db'}?mode=ro", uri=True)
        try:
            return db.execute(query).fetchall()
        finally:
            db.close()
