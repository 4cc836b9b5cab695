"""Hand readings as polls: one array a point as long as the settings stay, the new numbers once they change."""

from pathlib import Path

from gateway.parts.pit.hand_points import HandPolls, hand_points, pit_of
from gateway.settings import Settings, load
from gateway.store.asset_records import HandReading
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.pit_box import write_pit_site
from tests.fakes.site import NOW_NS

READING = HandReading("pit-1", "pit-1.dj-01_hand", NOW_NS - 5, 3.5, "mm", NOW_NS, "li")


def settings(folder: Path, **pit: object) -> Settings:
    return load(str(write_pit_site(folder, **pit)), DRIVERS, UPLINKS, KINDS)


def test_only_points_that_are_measured_by_hand_are_hand_points(tmp_path: Path) -> None:
    box = settings(tmp_path)
    pit = pit_of(box, "pit-1")
    assert pit is not None
    assert {each.device for each in hand_points(pit).values()} == {
        "pit-1:zq-01_hand",
        "pit-1:dj-01_hand",
        "pit-1:dj-02_hand",
    }
    assert pit_of(box, "crane-1") is None


def test_a_point_has_one_array_and_each_point_another(tmp_path: Path) -> None:
    box = settings(tmp_path)
    polls = HandPolls(lambda: box)
    first, second = polls.poll(READING, NOW_NS), polls.poll(READING, NOW_NS + 1)
    other = polls.poll(HandReading("pit-1", "pit-1.zq-01_hand", NOW_NS, 1.0, "mm", NOW_NS, "li"), NOW_NS)
    assert first is not None
    assert second is not None
    assert other is not None
    assert first.point_index is second.point_index
    assert other.point_index is not first.point_index
    assert (first.device, first.observed_at_ns, first.received_at_ns) == ("pit-1:dj-01_hand", NOW_NS - 5, NOW_NS)


def test_after_a_reload_a_poll_has_the_new_number_or_there_is_none(tmp_path: Path) -> None:
    box = settings(tmp_path)
    polls = HandPolls(lambda: box)
    before = polls.poll(READING, NOW_NS)
    (tmp_path / "b").mkdir()
    box = settings(tmp_path / "b", points=[{"name": "dj-01", "item": "surface_settlement", "by_hand": True}])
    after = polls.poll(READING, NOW_NS)
    assert before is not None
    assert after is not None
    assert after.point_index is not before.point_index
    assert box.points[int(after.point_index[0])].point_id == READING.point_id
    (tmp_path / "c").mkdir()
    box = settings(tmp_path / "c", points=[{"name": "dj-09", "item": "surface_settlement", "by_hand": True}])
    assert polls.poll(READING, NOW_NS) is None
