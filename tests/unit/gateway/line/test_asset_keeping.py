"""Asset models over a stop: states go on, events are kept once, and what somebody decided is in the chain."""

import json
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gateway.line.asset_keeping import AssetKeeping
from gateway.line.deriving import Deriving
from gateway.model.derivation import AssetEvent, Json, Times, Values
from gateway.model.quantity import Point, PointTable
from gateway.store.asset_reader import AssetReader
from gateway.store.asset_store import AssetStore
from tests.fakes.site import NOW_NS, Site, points, until


class Counter:
    """Counts its steps."""

    device = "crane-1:count"
    inputs: tuple[str, ...] = ("crane-1.q0",)
    outputs: tuple[Point, ...] = (Point("crane-1.count", "crane-1", "count", "", device, "计数", "Count"),)
    period_s = 0.0

    def __init__(self) -> None:
        self.count = 0

    def step(self, value: Values, observed_at_ns: Times, now_ns: int) -> Values | None:
        self.count += 1
        return np.array([float(self.count)])

    def take_events(self) -> Sequence[AssetEvent]:
        return ()

    def saved(self) -> Json:
        return {"count": self.count}

    def restore(self, saved: Json) -> None:
        match saved:
            case {"count": int(count)}:
                self.count = count
            case _:
                raise ValueError("no count")


def _keeping(site: Site, model: Counter) -> AssetKeeping:
    table = PointTable((*points(4).points, *model.outputs))
    deriving = Deriving([model], table)
    return AssetKeeping(AssetStore(site.folder), lambda: deriving, site.recorder, site.clock)


def _event(kind: str, at_ns: int = NOW_NS) -> AssetEvent:
    return AssetEvent("crane-1", kind, at_ns, {"load_t": 2.5, "driver_no": "7", "on": True, "turns": [0.5, 1]})


async def test_a_model_goes_on_where_it_was_kept(tmp_path: Path) -> None:
    site = Site(tmp_path, points(4), [])
    before = Counter()
    before.count = 41
    keeping = _keeping(site, before)
    await keeping.keep()
    keeping._store.close()
    after = Counter()
    again = _keeping(site, after)
    assert again.restore() == []
    assert after.count == 41
    again._store.close()
    site.close()


async def test_a_state_of_another_shape_is_refused_by_name_and_the_model_starts_anew(tmp_path: Path) -> None:
    site = Site(tmp_path, points(4), [])
    keeping = _keeping(site, Counter())
    keeping._store.note(NOW_NS, states={"crane-1:count": {"number": "many"}})
    keeping._store.flush().result()
    keeping._store.close()
    after = Counter()
    again = _keeping(site, after)
    assert again.restore() == ["crane-1:count"]
    assert after.count == 0
    again._store.close()
    site.close()


async def test_cycles_are_kept_and_decisions_are_sealed_as_well(tmp_path: Path) -> None:
    site = Site(tmp_path, points(4), [])
    site.start()
    keeping = _keeping(site, Counter())
    keeping.take([_event("crane_cycle"), _event("pit_baseline")])
    await keeping.keep()
    await until(lambda: site.alerts.head().seq == 1)
    (record,) = site.alerts.all_evidence()
    content = json.loads(record.body)["content"]
    assert (record.kind, content["event"], content["asset"]) == ("asset_event", "pit_baseline", "crane-1")
    assert content["content"] == {"load_t": "2.5", "driver_no": "7", "on": True, "turns": ["0.5", 1]}
    reader = AssetReader(tmp_path / "assets.db")
    assert [cycle.content["load_t"] for cycle in reader.last_cycles("crane-1", 9)] == [2.5]
    assert [event.kind for event in reader.last_events("crane-1", 9)] == ["pit_baseline"]
    reader.close()
    keeping._store.close()
    await site.stop()


async def test_what_the_disk_did_not_take_waits_for_the_next_turn(tmp_path: Path) -> None:
    site = Site(tmp_path, points(4), [])
    keeping = _keeping(site, Counter())
    connection: sqlite3.Connection = keeping._store._writer._connection
    connection.execute("PRAGMA query_only=1")
    keeping.take([_event("crane_cycle")])
    await keeping.keep()
    assert keeping._store.health().failing
    connection.execute("PRAGMA query_only=0")
    await keeping.keep()
    reader = AssetReader(tmp_path / "assets.db")
    assert reader.cycles_kept("crane-1") == 1
    reader.close()
    keeping._store.close()
    site.close()
