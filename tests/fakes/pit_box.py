"""A box with a pit whose points are measured by hand, over real stores and the real line, on a simulated clock."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import yaml

from gateway.line.asset_keeping import AssetKeeping
from gateway.line.deriving import Deriving
from gateway.line.running_models import RunningModels
from gateway.line.zero_orders import ZeroOrders
from gateway.parts.pit.daily_reports import DailyReports
from gateway.parts.pit.day_report import DayStores
from gateway.parts.pit.hand_entries import EntryStores, HandEntries
from gateway.settings import Settings, load
from gateway.store.asset_reader import AssetReader
from gateway.store.asset_store import AssetStore
from kit.clock import SimulatedClock
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.site import NOW_NS, Site, advance_until

T = TypeVar("T")
TITLES = {"title_zh": "一号基坑", "title_en": "Pit 1"}
CONTROL = {"cumulative": 30, "rate_per_day": 3, "clause": "设计总说明 5.2"}
POINTS = (
    {"name": "zq-01", "item": "wall_top_horizontal_displacement", "by_hand": True, "already_cumulative": True},
    {"name": "dj-01", "item": "surface_settlement", "by_hand": True, "control": CONTROL, "already_cumulative": True},
    {"name": "dj-02", "item": "surface_settlement", "by_hand": True, "control": CONTROL},
    {"name": "zl-01", "item": "support_axial_force", "input": "mast-1.wind"},
)


def write_pit_site(folder: Path, *, web_port: int = 8080, broker_port: int = 1, **pit: Any) -> Path:
    """`site.yaml` in `folder`: a pit of hand-read points, a mast, and a tower crane nobody reads."""
    described = {"design_depth_m": 12, "safety_grade": 1, "excavated_m": 6.5, "points": list(POINTS), **pit}
    site = {
        "version": 1,
        "box": {"id": "pit-box"},
        "site": {"project_code": "P-1", "title_zh": "示范工地", "title_en": "Site"},
        "storage": {"folder": str(folder / "box"), "reserve_mib": 1, "history": {"flush_ms": 100}},
        "rule_packs": ["national"],
        "assets": [
            {"id": "pit-1", "kind": "deep-pit", "serial": "JK-1", **TITLES, "pit": described},
            {"id": "mast-1", "kind": "weather-mast", "serial": "WM-1", **TITLES},
            {"id": "crane-1", "kind": "tower-crane", "serial": "TC-1", **TITLES},
        ],
        "links": [{"id": "broker", "driver": "mqtt", "host": "127.0.0.1", "port": broker_port}],
        "devices": [
            {"id": "mast", "link": "broker", "asset": "mast-1", "table": "weather-mast-mqtt", "topic": "site/mast"}
        ],
        "web": {"host": "127.0.0.1", "port": web_port},
    }
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(site, allow_unicode=True))
    return path


class PitBox:
    """One run of the box. A second one in the same folder, after `kill` or `stop`, is a restart. `settings`: as they
    were loaded before, where a test does not look at the site file."""

    def __init__(self, folder: Path, now_ns: int = NOW_NS, *, settings: Settings | None = None, **pit: Any) -> None:
        settings = settings or load(str(write_pit_site(folder, **pit)), DRIVERS, UPLINKS, KINDS)
        self.settings: Settings = replace(settings)
        self.clock = SimulatedClock(now_ns)
        self.models = settings.plan.models()
        self.deriving = Deriving(self.models, settings.points)
        data = settings.storage.folder
        self.site = Site(data, settings.points, settings.rules, self.clock, models=self.models)
        self.assets = AssetStore(data)
        self.records = AssetReader(self.assets.path)
        self.keeping = AssetKeeping(self.assets, lambda: self.deriving, self.site.recorder, self.clock)
        self.keeping.restore()
        models = RunningModels(lambda: self.deriving, self.keeping.keep)
        stores = EntryStores(self.assets, self.records, self.site.reader)
        recorder = self.site.recorder
        self.entries = HandEntries(lambda: self.settings, self.site.intake, stores, models, recorder, self.clock)
        self.orders = ZeroOrders(models, recorder, self.clock)
        asked = DayStores(self.site.reader, self.records, self.site.alerts)
        self.reports = DailyReports(lambda: self.settings, asked, recorder, self.clock)

    async def finish(self, doing: Coroutine[Any, Any, T]) -> T:
        """Let time pass until it is done."""
        task = asyncio.ensure_future(doing)
        await advance_until(self.clock, task.done, step_s=0.05)
        return await task

    def samples(self, point_id: str) -> list[tuple[int, float]]:
        """Everything that the history holds of a point."""
        trace = self.site.reader.trace(point_id, 0, 2**62, 1000)
        return list(zip(trace.t_ns.tolist(), trace.value.tolist(), strict=True))

    def sealed(self, kind: str) -> list[Mapping[str, Any]]:
        """The contents of the chain's records of one kind."""
        records = [record for record in self.site.alerts.all_evidence() if record.kind == kind]
        return [yaml.safe_load(record.body)["content"] for record in records]

    async def stop(self) -> None:
        """An orderly stop."""
        await self.site.stop()
        self.close_assets()

    async def kill(self) -> None:
        """Nothing more is judged or written; what is in memory is gone."""
        await self.site.cancel()
        self.site.intake.take_now()
        self.site.history.drop_buffered()
        self.site.close()
        self.close_assets()

    def close_assets(self) -> None:
        """Let go of `assets.db`."""
        self.assets.close()
        self.records.close()
