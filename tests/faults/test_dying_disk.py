"""A disk that takes nothing any more: alarms leave from memory, marked, and are sealed once the disk is back."""

from pathlib import Path

import pytest

from tests.fakes.failing_disk import failing_disk
from tests.fakes.reporting_box import ReportingBox, reporting_box
from tests.fakes.waiting import wait_until

pytestmark = pytest.mark.alone


def heard_on_a_dead_disk(box: ReportingBox) -> set[str]:
    """Two alarms, one after the other; their keys. What the box says of itself meanwhile."""
    keys = {box.raise_alarm()}
    box.return_alarm()
    keys.add(box.raise_alarm())
    assert keys <= box.unsealed_at_regulator()
    assert box.failing()
    wait_until(lambda: box.counters().get("store_failing") == 1, "the heartbeat says it")
    return keys


def sealed_on_a_living_disk(box: ReportingBox, keys: set[str]) -> None:
    """What was told is sealed, once, with both times, and the regulator knows."""
    wait_until(lambda: not box.failing(), "the disk taken up again")
    wait_until(lambda: keys <= set(box.told_unsealed()), "what was told is sealed")
    told = box.told_unsealed()
    assert all(0 < told[key]["told_at_ns"] < told[key]["sealed_at_ns"] for key in keys)
    wait_until(lambda: not box.unsealed_at_regulator(), "the regulator has the records")
    wait_until(lambda: "store_failing" not in box.counters(), "the heartbeat says no more of it")
    box.return_alarm()
    box.gateway.stop()
    assert len(box.raised()) == len(set(box.raised()))
    box.assert_chain_holds()


def test_alarms_leave_a_box_whose_disk_failed_and_are_sealed_when_it_is_back(tmp_path: Path) -> None:
    with failing_disk(tmp_path) as disk, reporting_box(tmp_path, disk.folder / "box") as box:
        box.gateway.start()
        box.raise_alarm()
        box.return_alarm()
        disk.fail()
        keys = heard_on_a_dead_disk(box)
        disk.come_back()
        sealed_on_a_living_disk(box, keys)
        assert len(box.raised()) == 3


@pytest.mark.parametrize("ended_by", ["an orderly stop", "kill -9"])
def test_a_start_on_a_read_only_disk_alarms_and_seals_when_the_disk_is_back(tmp_path: Path, ended_by: str) -> None:
    with failing_disk(tmp_path) as disk, reporting_box(tmp_path, disk.folder / "box") as box:
        box.gateway.start()
        box.raise_alarm()
        box.return_alarm()
        box.gateway.kill() if ended_by == "kill -9" else box.gateway.stop()
        disk.only_read()
        box.gateway.start()
        keys = heard_on_a_dead_disk(box)
        disk.written_again()
        sealed_on_a_living_disk(box, keys)
        assert [gap for gap in box.contents("history_gap") if "in memory" in gap["reason"]]
