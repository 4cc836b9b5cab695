"""Recorded polls through the device tables of a site, of any layout; and the rules that nothing could judge."""

from pathlib import Path

import numpy as np

from gateway.model.reading import BAD, GOOD, SUSPECT, Readings
from gateway.settings import Settings
from sitewarden.replay.replay import ReplaySource, replay
from sitewarden.replay.report import replay_text, unknown_object
from sitewarden.replay.tables import DeviceTables
from tests.fakes.replay_site import register, replay_site

TABLES = {
    "host": [
        register("moment_pct", 0, unit="%", min=0, max=200, fault="error"),
        register("wind_ms", 2, unit="m/s", min=0, max=60, sentinels=[59]),
        register("error", 4, type="bit", bit=0),
    ],
    "tilt": [register("tilt_deg", 0, unit="deg", min=-10, max=10)],
}


def site(folder: Path) -> Settings:
    return replay_site(folder / "site", tables=TABLES)


def series(folder: Path, columns: str, *rows: str) -> ReplaySource:
    path = folder / "series.csv"
    path.write_text("\n".join([columns, *(f"{1_767_225_600 + i},{row}" for i, row in enumerate(rows))]))
    return ReplaySource(path)


def test_each_point_is_judged_by_the_table_of_its_device(tmp_path: Path) -> None:
    settings = site(tmp_path)
    index = np.array([settings.points.index_of[f"crane-1.{key}"] for key in ("tilt_deg", "error", "moment_pct")])
    value, quality = np.array([11.0, 1.0, 120.0]), np.zeros(3, dtype=np.uint8)
    poll = Readings("a device of another day", index.astype(np.int32), value, quality, 1, 1)
    judged = DeviceTables(settings.links, settings.points).judged(poll)
    assert judged.quality.tolist() == [BAD, GOOD, SUSPECT]
    assert np.isnan(judged.value[0])
    assert judged.value[2] == 120.0
    assert judged.point_index is poll.point_index
    assert poll.quality.tolist() == [GOOD, GOOD, GOOD], "the recording itself is left alone"


def test_a_rule_that_was_never_judged_is_told_with_the_reason(tmp_path: Path) -> None:
    settings = site(tmp_path)
    rows = ["120,1,59", "121,1,59", "122,1,59"]
    found = replay(settings, series(tmp_path, "time,crane-1.moment_pct,crane-1.error,crane-1.wind_ms", *rows))
    assert {(each.rule_id, str(each.why), each.points) for each in found.unknown} == {
        ("moment.alarm", "in_doubt", ("crane-1.moment_pct",)),
        ("wind.alarm", "not_believed", ("crane-1.wind_ms",)),
        ("tilt.flat", "not_recorded", ("crane-1.tilt_deg",)),
    }
    assert found.unknown_polls["moment.alarm", "crane-1.moment_pct"] == 3
    text = replay_text(found)
    assert (
        "stayed UNKNOWN 始终未知: 本测点的读数全部可疑 every reading of its own point was in doubt: moment.alarm"
        in text
    )
    assert "记录中没有本测点的读数 the recording has no reading of its own point: tilt.flat @ crane-1.tilt_deg" in text
    assert unknown_object(found.unknown[0])["title_zh"] == "测试"


def test_too_few_readings_are_told_too(tmp_path: Path) -> None:
    found = replay(site(tmp_path), series(tmp_path, "time,crane-1.tilt_deg", "1", "1"))
    assert ("tilt.flat", "too_few") in {(each.rule_id, str(each.why)) for each in found.unknown}


def test_a_point_whose_fault_bit_was_not_recorded_is_told(tmp_path: Path) -> None:
    found = replay(site(tmp_path), series(tmp_path, "time,crane-1.moment_pct", "120", "120"))
    assert found.without_fault_bit == {"crane-1.moment_pct": ("crane-1.error",)}
    assert [str(each.kind) for each in found.transitions] == ["raised"]
    assert "judged without its fault bit 未检查故障位: crane-1.moment_pct (crane-1.error)" in replay_text(found)
