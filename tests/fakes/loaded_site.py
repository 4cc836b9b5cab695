"""A site as its file describes it, on simulated time: readings go in, and what the chain, the regulator and the screen
get comes out.

The file is written and loaded as an operator's is. Behind it stand the real line, models, stores and screen view;
only the wires and the clock are not. Nothing runs by itself: every poll and every second is the test's.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from gateway.line.asset_keeping import AssetKeeping
from gateway.line.deriving import Deriving
from gateway.line.intake import Arrival
from gateway.line.recorder import Route
from gateway.model.derivation import AssetEvent
from gateway.model.reading import Quality, RawBlock, Readings
from gateway.model.site_standing import NOTHING_KNOWN, SiteStanding
from gateway.model.verdict import Truth
from gateway.parts.crane.model.safety_device import SENSOR_FAULT_KEYS
from gateway.ports import BoundDevice
from gateway.settings import Settings
from gateway.store.asset_reader import AssetReader
from gateway.store.asset_store import AssetStore
from gateway.web.read_model import BoxParts, BoxView
from kit.clock import SimulatedClock
from tests.fakes.site import REGULATOR, Site
from tests.unit.gateway.settings.kinds import load_site

TITLES = {"title_zh": "测试", "title_en": "Test"}
TICK_S = 0.25
MOST_ROWS = 1_000_000
LOADED_CRANE: Mapping[str, Any] = {
    "load_chart": [
        {
            "parts_of_line": 2,
            "points": [
                {"radius_m": 2.5, "rated_t": 6.0},
                {"radius_m": 20.0, "rated_t": 6.0},
                {"radius_m": 50.0, "rated_t": 1.5},
            ],
        }
    ],
    "jib_m": 52.0,
    "counter_jib_m": 14.0,
    "base_x_m": 0.0,
    "base_y_m": 0.0,
    "base_z_m": 0.0,
    "mast_height_m": 45.0,
    "hook_height_max_m": 43.0,
    "radius_min_m": 2.5,
    "radius_max_m": 50.0,
}
"""The `crane:` section of a tower crane."""
IDLE_CRANE: Mapping[str, float] = {
    "load_t": 0.0,
    "rated_t": 6.0,
    "moment_pct": 0.0,
    "radius_m": 20.0,
    "hook_m": 20.0,
    "crane_h_m": 45.0,
    "slew_deg": 90.0,
    "wind_ms": 2.0,
    "tilt_deg": 0.05,
    "multiple": 2.0,
    "motor": 0.0,
    "work_status": 0.0,
    "driver_no": 0.0,
    "multi_alarm": 0.0,
    **dict.fromkeys(SENSOR_FAULT_KEYS, 0.0),
}
"""What the host of a crane at rest says."""


def utc_ns(written: str) -> int:
    """A time with its offset, such as 2026-03-01T08:00:00+08:00."""
    moment = datetime.fromisoformat(written)
    assert moment.tzinfo is not None, written
    return round(moment.timestamp()) * 1_000_000_000


def crane_asset(name: str = "crane-1", **sections: Any) -> dict[str, Any]:
    """A described tower crane; `papers` and changes of `crane` are given as sections."""
    crane = {**LOADED_CRANE, **sections.pop("crane", {})}
    return {"id": name, "kind": "tower-crane", "serial": "TC-1", **TITLES, "crane": crane, **sections}


def pit_asset(points: Sequence[Mapping[str, Any]], **pit: Any) -> dict[str, Any]:
    """A described pit, of grade 1 unless it says otherwise."""
    described = {"safety_grade": 1, "third_party_monitored": True, "points": [dict(point) for point in points]} | pit
    described = {key: value for key, value in described.items() if value is not None}
    return {"id": "pit-1", "kind": "deep-pit", "serial": "P-1", **TITLES, "pit": described}


def write_site(
    folder: Path, assets: Sequence[Mapping[str, Any]], packs: Sequence[str] = ("national",), **sections: Any
) -> Path:
    """A site file with these assets, each read by the shipped table of its kind, and these further sections."""
    tables = {"tower-crane": ("crane-host-modbus", 100), "deep-pit": ("pit-logger-modbus", 1000)}
    devices: list[dict[str, Any]] = []
    links: list[dict[str, Any]] = [{"id": "tcp", "driver": "modbus-tcp", "host": "127.0.0.1"}]
    for asset in assets:
        if asset["kind"] == "camera-post":
            name = asset["id"]
            links.append({"id": name, "driver": "camera", "source": f"rtsp://192.0.2.7/{name}"})
            devices.append({"id": f"{name}-eye", "link": name, "asset": name, "table": "site-camera"})
            continue
        table, poll_ms = tables[asset["kind"]]
        device = {"id": f"{asset['id']}-host", "link": "tcp", "asset": asset["id"], "table": table}
        devices.append(device | {"unit_id": len(devices) + 1, "poll_ms": poll_ms})
    site = {
        "version": 1,
        "box": {"id": "box-1"},
        "site": {"project_code": "PROJECT-1", **TITLES},
        "storage": {"folder": str(folder / "data")},
        "rule_packs": list(packs),
        "assets": [dict(asset) for asset in assets],
        "links": links,
        "devices": devices,
        **sections,
    }
    folder.mkdir(exist_ok=True)
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    return path


class LoadedSite:
    """One box by its site file. `async with` closes what it opened."""

    def __init__(
        self,
        folder: Path,
        assets: Sequence[Mapping[str, Any]],
        start: str,
        packs: Sequence[str] = ("national",),
        standing: SiteStanding = NOTHING_KNOWN,
    ) -> None:
        self._standing = standing
        self.settings: Settings = load_site(write_site(folder, assets, packs))
        self.clock = SimulatedClock(utc_ns(start))
        self._open()

    def _open(self, routes: Sequence[Route] = (REGULATOR,)) -> None:
        settings, folder = self.settings, self.settings.storage.folder
        models = settings.plan.models(standing=self._standing)
        self.site = Site(folder, settings.points, settings.rules, self.clock, routes, models=models)
        self.site.recorder.hazards = settings.hazards
        self._deriving = Deriving(models, settings.points)
        self._assets = AssetStore(folder)
        self.keeping = AssetKeeping(self._assets, lambda: self._deriving, self.site.recorder, self.clock)
        self._devices = {device.settings.id: device for link in settings.links for device in link.devices}
        self._said = {name: _nothing(device) for name, device in self._devices.items()}
        self._view = _view_of(self.site)

    async def __aenter__(self) -> "LoadedSite":
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.site.stop()
        self._assets.close()

    async def says(self, after_s: float, device: str = "crane-1-host", **values: float) -> None:
        """Let time pass, then take a poll of the device. What is not given is as it last was; NaN is no value."""
        self.clock.move_to(self.clock.now_ns() + round(after_s * 1e9))
        self._said[device].update(values)
        assert self._said[device].keys() == _nothing(self._devices[device]).keys(), "a point that the device has not"
        assert self.site.intake.offer(self._poll(device))
        await self._step()

    async def takes(self, at_ns: int) -> None:
        """Go on to that time, and take what a driver has put into the intake meanwhile."""
        self.clock.move_to(max(at_ns, self.clock.now_ns()))
        await self._step()

    async def goes_on(self, seconds: float, every_s: float, device: str = "crane-1-host", **values: float) -> None:
        """Polls for so long, all saying the same."""
        for _ in range(round(seconds / every_s)):
            await self.says(every_s, device, **values)

    async def passes(self, seconds: float, every_s: float = TICK_S) -> None:
        """Time in which no device says anything, looked at every so often."""
        for _ in range(round(seconds / every_s)):
            self.clock.move_to(self.clock.now_ns() + round(every_s * 1e9))
            await self._step()

    async def is_stored(self) -> None:
        """Until all polls are handed to the history's writer; a flush must be due, 0.2 s after the last one."""
        while self.site.history.buffered_polls:
            await self._step()
            await asyncio.sleep(0.001)

    def truth(self, rule_id: str, subject: str = "") -> Truth:
        """What the one row of this rule (on this subject) says now."""
        found = [
            self.site.alarms.truth[row]
            for row, rule in enumerate(self.settings.rules)
            if rule.info.rule_id == rule_id and subject in ("", rule.subject)
        ]
        assert len(found) == 1, (rule_id, subject, len(found))
        return Truth(int(found[0]))

    async def sealed(self, rule_id: str = "", transition: str = "raised") -> list[dict[str, Any]]:
        """Contents of the sealed transitions of one kind, of one rule or of all, in the chain's order."""
        await self.site.recorder.drain()
        records = [json.loads(record.body)["content"] for record in self.site.alerts.all_evidence()]
        transitions = [content for content in records if content.get("transition") == transition and "alarm" in content]
        return [content for content in transitions if rule_id in ("", content["alarm"]["rule_id"])]

    async def raised(self, prefix: str = "") -> list[str]:
        """Ids of the rules that raised an alarm, in the order of the chain."""
        ids = [content["alarm"]["rule_id"] for content in await self.sealed()]
        return [rule_id for rule_id in ids if rule_id.startswith(prefix)]

    async def told(self, rule_id: str = "", transition: str = "raised") -> list[dict[str, Any]]:
        """What stands in the outbox for the regulator, of one rule or of all, in the order in which it leaves."""
        await self.site.recorder.drain()
        items = self.site.alerts.pending("regulator", MOST_ROWS)
        bodies = [json.loads(item.body) for item in items if item.kind == "alarm_transition"]
        return [body for body in bodies if body["transition"] == transition and rule_id in ("", body["rule_id"])]

    def shown(self, point_id: str) -> tuple[float | None, str]:
        """A point's value and quality as a screen shows them."""
        (row,) = [row for row in self._view.points() if row["point_id"] == point_id]
        return row["value"], row["quality"]

    def shown_unknown(self, rule_id: str) -> bool:
        """Whether a screen lists this rule among those that cannot be judged."""
        return any(row["rule_id"] == rule_id for row in self._view.unknown_rules())

    async def alarms_shown(self) -> dict[str, dict[str, Any]]:
        """The open alarms of a screen by their rules."""
        await self.site.recorder.drain()
        self._view.refresh_alarms()
        return {row["rule_id"]: row for row in self._view.alarms()["alarms"]}

    async def kept_events(self, asset: str, kind: str) -> list[AssetEvent]:
        """Records of this kind in `assets.db`."""
        await self.keeping.keep()
        reader = AssetReader(self._assets.path)
        try:
            return reader.events(asset, kind, 0, 2**62, 1000)
        finally:
            reader.close()

    def _poll(self, device: str) -> Readings:
        bound, now_ns = self._devices[device], self.clock.now_ns()
        value = np.array([self._said[device][point.quantity] for point in bound.points])
        quality = np.where(np.isnan(value), Quality.BAD, Quality.GOOD).astype(np.uint8)
        raw = RawBlock(blocks=((0, np.array([1, 65535], dtype=np.uint16)),))
        return Readings(device, bound.point_index, value, quality, now_ns, now_ns, raw)

    async def _step(self) -> None:
        self.site.pipeline.step([Arrival(arrival.readings) for arrival in self.site.intake.take_now()])
        if self.site.events:
            self.keeping.take(self.site.events)
            self.site.events.clear()
        await asyncio.sleep(0)


def _nothing(device: BoundDevice) -> dict[str, float]:
    return {point.quantity: nan for point in device.points}


def _view_of(site: Site) -> BoxView:
    history = site.reader
    judging = (site.table, site.window, site.rules, site.alarms, site.recorder, site.intake, site.pipeline)
    return BoxView(BoxParts("box-1", "", "", (), *judging, site.alerts, history, (), (), {}, site.clock))
