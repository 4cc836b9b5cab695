"""The windy afternoon from the twins to the alarms: recorded, replayed by its shipped site file, chapter by chapter."""

import pytest

from drivers.sim.afternoon import CHAPTERS, CRANES, Story
from drivers.sim.recording import START, StoryRecording, main, pit_values
from gateway.model.alarm import TransitionKind
from gateway.parts.crane.settings.crane import CraneSettings
from gateway.settings import Settings, load
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from sitewarden.replay.replay import Replayed, ReplaySource, replay

START_NS = round(START.timestamp()) * 1_000_000_000
BEGINS_AND_ENDS_S = {chapter.name: (chapter.begins_s, chapter.ends_s) for chapter in CHAPTERS}
TOLD = {
    "overload": [("crane.moment.alarm", "crane-1"), ("crane.moment.violation", "crane-1")],
    "wind": [("crane.wind.prealarm", crane) for crane in ("crane-1", "crane-2", "crane-3")]
    + [("crane.wind.no_lifting", crane) for crane in ("crane-1", "crane-2", "crane-3")],
    "climb": [("crane.wind.climbing_stop", "crane-3")],
    "closing": [
        (f"crane.{what}", crane)
        for what in ("prediction.warn", "prediction.alarm", "distance.warn", "distance.alarm")
        for crane in ("crane-1", "crane-2")
    ],
}


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load("afternoon", DRIVERS, UPLINKS, KINDS)


@pytest.fixture(scope="module")
def told(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Replayed:
    path = tmp_path_factory.mktemp("afternoon") / "story.csv"
    lines = ["time,point,value"]
    for each in StoryRecording(Story(), 1).values(90.0):
        lines.append(f"{START_NS + round(each.at_s * 1e9)},{each.point_id},{each.value!r}")
    path.write_text("\n".join(lines))
    return replay(settings, ReplaySource(path))


def raised_s(told: Replayed, rule_id: str, asset: str) -> list[float]:
    return [
        (each.at_ns - START_NS) / 1e9
        for each in told.transitions
        if each.kind is TransitionKind.RAISED and each.alarm.rule.rule_id == rule_id and each.alarm.asset == asset
    ]


@pytest.mark.parametrize("chapter", list(TOLD))
def test_each_chapter_raises_its_alarms_in_its_time(told: Replayed, chapter: str) -> None:
    begins_s, ends_s = BEGINS_AND_ENDS_S[chapter]
    for rule_id, asset in TOLD[chapter]:
        at_s = raised_s(told, rule_id, asset)
        assert at_s, (rule_id, asset)
        assert all(begins_s <= each <= ends_s for each in at_s), (rule_id, asset, at_s)


def test_the_warning_comes_before_the_alarm_and_both_cranes_are_told_at_once(told: Replayed) -> None:
    warned, alarmed = (raised_s(told, f"crane.distance.{level}", "crane-1")[0] for level in ("warn", "alarm"))
    assert warned < alarmed
    assert raised_s(told, "crane.distance.alarm", "crane-2")[0] == alarmed


def test_everything_that_the_twins_say_is_known_to_the_site_and_nothing_is_silent(told: Replayed) -> None:
    assert told.recording.unknown == {}
    assert told.recording.faulty_lines == 0
    assert told.not_in_recording == ("cam-1-eye",), "pictures are no part of a recording"
    assert not [each for each in told.transitions if each.alarm.rule.rule_id == "device.silence"]


def test_the_same_seed_is_the_same_recording(capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for seed in ("3", "3", "4"):
        assert main(["--seconds", "2", "--seed", seed]) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1] != said[2]
    assert said[0].startswith("time,point,value\n2026-01-01T06:00:00.000+00:00,crane-1.load_t,")


def test_the_pit_can_be_recorded_in_its_own_time(settings: Settings) -> None:
    values = list(pit_values(Story(), 1, 1.0))
    assert {round(each.at_s) % 600 for each in values} == {0}
    assert max(each.at_s for each in values) == 86_400 - 600
    assert {each.point_id for each in values} <= set(settings.points.index_of)
    assert {each.point_id.split(".")[0] for each in values} == {"pit-1"}


def test_the_sites_geometry_is_that_of_the_twins(settings: Settings) -> None:
    for asset in settings.assets:
        built = asset.section(CraneSettings)
        if built is None:
            continue
        twin = CRANES[asset.id]
        assert (built.base_x_m, built.base_y_m, built.mast_height_m) == (twin.base_x_m, twin.base_y_m, twin.height_m)
        assert (built.jib_m, built.counter_jib_m) == (twin.radius_max_m, twin.counter_jib_m)
        for point in built.load_chart[0].points:
            assert point.rated_t == pytest.approx(twin.chart.rated_t(point.radius_m), abs=0.001)
