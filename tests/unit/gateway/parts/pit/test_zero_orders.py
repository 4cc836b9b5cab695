"""People tell a point or a crane to count anew: the model does, and the chain says who wanted it."""

from pathlib import Path

import pytest

from gateway.line.deriving import Deriving
from gateway.line.running_models import RunningModels
from gateway.line.zero_orders import NoSuchModelError, ZeroOrders
from gateway.model.quantity import PointTable
from gateway.parts.crane.model.crane import CraneDerivation
from gateway.parts.crane.model.description import undescribed
from gateway.parts.crane.tilt_orders import order_tilt_baseline
from gateway.parts.pit.baseline_orders import OvertakenError, order_baseline
from gateway.parts.pit.hand_entries import Bringer, Table
from gateway.parts.pit.model.description import Baseline, BaselineKind
from tests.fakes.pit_box import PitBox
from tests.fakes.site import NOW_NS

DAY_NS = 86_400_000_000_000


def order(zero: float | None, at_ns: int = NOW_NS - DAY_NS, kind: BaselineKind = BaselineKind.INITIAL) -> Baseline:
    return Baseline(kind, at_ns, "surveyor-1", "初始值", zero, None, 1)


def table(*rows: str) -> Table:
    return Table("\n".join(("测点,时间,读数", *rows)).encode(), "a.csv")


async def test_a_movement_counts_from_the_baseline_that_was_ordered(tmp_path: Path) -> None:
    box = PitBox(tmp_path)
    box.site.start()
    seq = await box.finish(order_baseline(box.orders, "pit-1", "dj-02", order(100.0)))
    await box.finish(box.entries.take("pit-1", table("dj-02,2023-11-15 01:00,104.5"), Bringer("s", "r")))
    assert [value for _, value in box.samples("pit-1.dj-02")] == [4.5]
    (record,) = box.sealed("asset_event")
    assert (record["event"], record["content"]["by"], record["content"]["zero"]) == (
        "pit_baseline_ordered",
        "surveyor-1",
        "100.0",
    )
    assert seq == 1
    (event,) = [event for event in box.site.events if event.kind == "pit_baseline"]
    assert (event.content["new_zero"], event.content["reason"]) == (100.0, "初始值")
    await box.stop()


async def test_an_order_survives_a_kill_before_the_first_reading(tmp_path: Path) -> None:
    box = PitBox(tmp_path)
    box.site.start()
    await box.finish(order_baseline(box.orders, "pit-1", "dj-02", order(100.0)))
    await box.kill()
    again = PitBox(tmp_path)
    again.site.start()
    await again.finish(again.entries.take("pit-1", table("dj-02,2023-11-15 01:00,103.0"), Bringer("s", "r")))
    assert [value for _, value in again.samples("pit-1.dj-02")] == [3.0]
    await again.stop()


async def test_a_baseline_that_a_later_one_has_overtaken_is_refused(tmp_path: Path) -> None:
    box = PitBox(tmp_path)
    box.site.start()
    await box.finish(order_baseline(box.orders, "pit-1", "dj-02", order(100.0)))
    await box.finish(box.entries.take("pit-1", table("dj-02,2023-11-15 01:00,103.0"), Bringer("s", "r")))
    with pytest.raises(OvertakenError):
        await order_baseline(box.orders, "pit-1", "dj-02", order(90.0, NOW_NS - 2 * DAY_NS))
    await box.stop()


@pytest.mark.parametrize(("asset", "point"), [("pit-1", "dj-99"), ("pit-2", "dj-01"), ("pit-1", "pit")])
async def test_what_is_no_monitoring_point_has_no_baseline(tmp_path: Path, asset: str, point: str) -> None:
    box = PitBox(tmp_path)
    with pytest.raises(NoSuchModelError):
        await order_baseline(box.orders, asset, point, order(1.0))
    await box.kill()


async def test_a_pit_has_no_tilt_baseline(tmp_path: Path) -> None:
    box = PitBox(tmp_path)
    with pytest.raises(NoSuchModelError):
        await order_tilt_baseline(box.orders, "pit-1", "a", "b")
    await box.kill()


async def test_a_crane_forgets_its_tilt_baselines_and_the_chain_says_who_wanted_it(tmp_path: Path) -> None:
    box = PitBox(tmp_path)
    crane = CraneDerivation(undescribed("crane-1"), {})
    fresh = crane._parts.tilt.saved()
    crane._parts.tilt._sectors[0].learning.append((1.0, 2.0))
    learned = crane._parts.tilt.saved()
    models = RunningModels(lambda: Deriving([crane], PointTable(crane.outputs)), box.keeping.keep)
    box.site.start()
    orders = ZeroOrders(models, box.site.recorder, box.clock)
    assert await box.finish(order_tilt_baseline(orders, "crane-1", "li", "顶升后复测")) == 1
    assert crane._parts.tilt.saved() == fresh != learned
    (record,) = box.sealed("asset_event")
    assert (record["asset"], record["event"]) == ("crane-1", "crane_tilt_baseline_ordered")
    assert record["content"] == {"by": "li", "reason": "顶升后复测"}
    await box.stop()
