import numpy as np
import pytest

from gateway.model.quantity import Point
from gateway.ports import AssetTag, ReadingBlock
from gateway.uplinks.line_protocol import LATE_AFTER_NS, LineEncoder, escape_key, escape_measurement, series_head
from tests.fakes.blocks import ASSETS, NOW_NS, block

NAN = float("nan")


def lines_of(*args, now_ns=NOW_NS, measurements=None):
    return LineEncoder("DEMO-0001", ASSETS, measurements).lines(block(*args), now_ns)


def test_a_crane_poll_is_one_line_with_sorted_tags():
    assert lines_of(["crane-1.load_t", "crane-1.moment_pct"], [[2.5, 41]]) == [
        f"crane_rt,crane_sn=SIM-TC-1,project=DEMO-0001 q=0i,load_t=2.5,moment_pct=41.0 {NOW_NS}"
    ]


def test_a_pit_poll_is_one_line_a_point():
    assert lines_of(["pit-1.wall_top_h_2", "pit-1.water_level"], [[3.25, -1.5]]) == [
        f"pit_point,item_key=wall_top_h,pit=pit-1,point=wall_top_h_2,project=DEMO-0001 q=0i,value=3.25 {NOW_NS}",
        f"pit_point,item_key=water_level,pit=pit-1,point=water_level,project=DEMO-0001 q=0i,value=-1.5 {NOW_NS}",
    ]


def test_a_weather_mast_goes_to_env_and_an_unknown_asset_to_points():
    assert lines_of(["mast-1.wind", "other-9.level"], [[4.5, 1.0]]) == [
        f"env,project=DEMO-0001,sn=SIM-WM-1 q=0i,wind=4.5 {NOW_NS}",
        f"points,asset=other-9,project=DEMO-0001 q=0i,level=1.0 {NOW_NS}",
    ]


def test_measurements_can_be_renamed_per_kind():
    lines = lines_of(["hoist-1.speed", "crane-1.load_t"], [[1, 2]], measurements={"hoist": "hoist_rt"})
    assert [line.split(" ")[0] for line in lines] == [
        "hoist_rt,asset=hoist-1,project=DEMO-0001",
        "crane_rt,crane_sn=SIM-TC-1,project=DEMO-0001",
    ]


def test_cranes_without_a_serial_number_do_not_share_a_series():
    encoder = LineEncoder("P", {"a": AssetTag("tower-crane", ""), "b": AssetTag("tower-crane", "")})
    heads = {line.split(" ")[0] for line in encoder.lines(block(["a.load_t", "b.load_t"], [[1, 2]]), NOW_NS)}
    assert heads == {"crane_rt,crane_sn=a,project=P", "crane_rt,crane_sn=b,project=P"}


def test_a_bad_value_is_left_out_and_a_suspect_one_is_written_and_said():
    names = ["crane-1.a", "crane-1.b", "crane-1.c"]
    lines = lines_of(names, [[1, NAN, 3], [1, 2, 3], [NAN] * 3], [[0, 2, 1], [0, 1, 0], [2, 2, 2]])
    assert [line.split(" ")[1] for line in lines] == ["q=2i,a=1.0,c=3.0", "q=1i,a=1.0,b=2.0,c=3.0", "q=2i"]


def test_a_number_marked_bad_is_left_out():
    (line,) = lines_of(["crane-1.a", "crane-1.b"], [[65535, 2]], [[2, 0]])
    assert line.split(" ")[1] == "q=2i,b=2.0"


@pytest.mark.parametrize("value", [NAN, float("inf"), float("-inf")])
def test_what_is_no_number_is_bad_whatever_its_quality_says(value):
    (line,) = lines_of(["crane-1.a", "crane-1.b"], [[value, 2]], [[0, 0]])
    assert line.split(" ")[1] == "q=2i,b=2.0"


def test_a_bad_pit_point_is_still_a_line():
    lines = lines_of(["pit-1.x", "pit-1.y"], [[1, NAN], [NAN, 4]], [[1, 2], [2, 0]])
    assert [line.split(" ")[1] for line in lines] == ["q=1i,value=1.0", "q=2i", "q=2i", "q=0i,value=4.0"]


def test_late_begins_after_a_minute_and_is_said_per_poll():
    times = [NOW_NS - LATE_AFTER_NS - 1, NOW_NS - LATE_AFTER_NS, NOW_NS]
    lines = lines_of(["crane-1.a", "pit-1.b"], [[1, 2]] * 3, None, times)
    assert ["late=true" in line for line in lines] == [True, False, False, True, False, False]


@pytest.mark.parametrize("time_ns", [0, -1, 1_700_000_000_123_456_789, -(2**62), 2**62])
def test_times_are_exact_nanoseconds(time_ns):
    (line,) = lines_of(["crane-1.a"], [[1]], None, [time_ns])
    assert line.split(" ")[2] == str(time_ns)


def test_points_named_like_our_own_fields_get_an_underscore():
    (line,) = lines_of(["crane-1.q", "crane-1.late", "crane-1.time"], [[1, 2, 3]])
    assert line.split(" ")[1] == "q=0i,q_=1.0,late_=2.0,time_=3.0"


def test_a_percent_sign_in_a_name_is_only_a_character():
    encoder = LineEncoder("100%s", {})
    (line,) = encoder.lines(block(["x%d.load%s"], [[1]]), NOW_NS)
    assert line == f"points,asset=x%d,project=100%s q=0i,load%s=1.0 {NOW_NS}"


def test_a_device_whose_points_change_is_laid_out_anew():
    encoder = LineEncoder("P", ASSETS)
    encoder.lines(block(["crane-1.a"], [[1]]), NOW_NS)
    (line,) = encoder.lines(block(["crane-1.a", "crane-1.b"], [[1, 2]]), NOW_NS)
    assert line.split(" ")[1] == "q=0i,a=1.0,b=2.0"


def test_many_patterns_of_missing_values_stay_correct_and_bounded():
    names = [f"crane-1.f{i}" for i in range(10)]
    rows = [[NAN if (pattern >> i) & 1 else float(i) for i in range(10)] for pattern in range(1024)]
    lines = lines_of(names, rows, [[2 if np.isnan(v) else 0 for v in row] for row in rows])
    for pattern, line in enumerate(lines):
        fields = [f"f{i}={float(i)}" for i in range(10) if not (pattern >> i) & 1]
        assert line.split(" ")[1] == ",".join([f"q={2 if pattern else 0}i", *fields])


def test_a_block_without_polls_has_no_lines():
    assert lines_of(["crane-1.a", "pit-1.b"], []) == []


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("plain", "plain"),
        ("塔机 1号", "塔机\\ 1号"),
        ("a,b=c d", "a\\,b\\=c\\ d"),
        ("C:\\x", "C:\\x"),
        ("ends\\", "ends/"),
        ("a\\,b", "a/\\,b"),
        ("a\\\\ b", "a//\\ b"),
        ("two\nlines\r\t", "two\\ lines\\ \\ "),
    ],
)
def test_keys_are_escaped(text, escaped):
    assert escape_key(text) == escaped


def test_an_equals_sign_stays_in_a_measurement():
    assert escape_measurement("a=b c,d") == "a=b\\ c\\,d"


def test_an_empty_tag_is_left_out():
    assert series_head("m", {"b": "", "a": "1"}) == "m,a=1"


def test_what_is_derived_of_a_crane_has_a_line_and_a_quality_of_its_own() -> None:
    derived = Point("crane-1.wind_3s_ms", "crane-1", "wind_3s_ms", "m/s", "crane-1:derived", "阵风", "Gust")
    derived_block = ReadingBlock(
        1, "crane-1:derived", (derived,), np.array([NOW_NS]), np.array([[7.5]]), np.array([[0]], dtype=np.uint8)
    )
    encoder = LineEncoder("P-1", {"crane-1": AssetTag("tower-crane", "TC-1")})
    head = "crane_rt_derived,crane_sn=TC-1,model=derived,project=P-1"
    assert encoder.lines(derived_block, NOW_NS) == [f"{head} q=0i,wind_3s_ms=7.5 {NOW_NS}"]


def test_a_derived_pit_point_says_what_it_monitors() -> None:
    item = "wall_top_horizontal_displacement"
    derived = Point("pit-1.zq-01", "pit-1", "zq-01", "mm", "pit-1:zq-01", "墙顶水平位移", "Wall top", item=item)
    derived_block = ReadingBlock(
        1, "pit-1:zq-01", (derived,), np.array([NOW_NS]), np.array([[7.5]]), np.array([[0]], dtype=np.uint8)
    )
    encoder = LineEncoder("P-1", {"pit-1": AssetTag("deep-pit", "")})
    head = f"pit_point,item_key={item},pit=pit-1,point=zq-01,project=P-1"
    assert encoder.lines(derived_block, NOW_NS) == [f"{head} q=0i,value=7.5 {NOW_NS}"]
