from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.parts.crane.settings.crane import CraneSettings, RailsSettings
from gateway.parts.crane.settings.zones import PlanPointSettings
from gateway.settings import AssetSettings, Settings, config_root, load
from gateway.settings.plan_settings import PlanSettings, ViewSettings
from gateway.web.site_plan import Drawing, DrawnCrane, draw, jib_pose
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS

TITLES = {"title_zh": "道路", "title_en": "road"}
STORY = config_root() / "sites" / "afternoon.yaml"


def with_cranes(site: Settings, **changes: Any) -> Settings:
    """The same site, every crane built otherwise."""
    cranes = ((asset, asset.section(CraneSettings)) for asset in site.assets)
    built = ((asset, crane and crane.model_copy(update=changes)) for asset, crane in cranes)
    assets = (asset.model_copy(update={"crane": crane}) for asset, crane in built)
    return replace(site, assets=tuple(assets))


def without(site: Settings, *sections: str) -> Settings:
    """The same site, whose assets lack these sections."""
    gone = dict.fromkeys(sections)
    return replace(site, assets=tuple(asset.model_copy(update=gone) for asset in site.assets))


@pytest.fixture(scope="module")
def site() -> Settings:
    return load(STORY, DRIVERS, UPLINKS, KINDS)


@pytest.fixture(scope="module")
def drawing(site: Settings) -> Drawing:
    return draw(site)


def crane(drawing: Drawing, asset: str = "crane-1") -> DrawnCrane:
    return next(each for each in drawing.cranes if each.asset == asset)


def test_north_is_up_and_east_is_right(drawing: Drawing) -> None:
    first, east, north = (crane(drawing, f"crane-{number}") for number in (1, 2, 3))
    assert east.x - first.x == pytest.approx(60 * drawing.units_per_m, abs=0.2)
    assert east.y == first.y
    assert first.y - north.y == pytest.approx(130 * drawing.units_per_m, abs=0.2)


def test_everything_that_a_crane_reaches_is_on_the_drawing(drawing: Drawing) -> None:
    for each in drawing.cranes:
        assert each.jib <= each.x <= drawing.width - each.jib
        assert each.jib <= each.y <= drawing.height - each.jib


def test_a_pit_is_drawn_as_it_was_given_and_what_nobody_placed_is_said(site: Settings, drawing: Drawing) -> None:
    (pit,) = drawing.shapes
    assert (pit.asset, pit.kind, len(pit.points.split())) == ("pit-1", "deep-pit", 5)
    assert drawing.unplaced == ()
    assert draw(without(site, "plan")).unplaced == ("pit-1", "mast-1", "cam-1")


def test_the_scale_bar_is_as_long_as_it_says(drawing: Drawing) -> None:
    assert drawing.bar == pytest.approx(drawing.bar_m * drawing.units_per_m, abs=0.1)
    assert drawing.bar <= 160


@pytest.mark.parametrize(("slew_deg", "turn_deg"), [(0.0, 30.0), (90.0, 120.0), (350.0, 20.0)])
def test_a_jib_points_where_its_reading_says(site: Settings, slew_deg: float, turn_deg: float) -> None:
    drawing = draw(with_cranes(site, slew_zero_deg=30.0))
    pose = jib_pose(drawing, crane(drawing), slew_deg, 20.0, nan)
    assert pose.turn_deg == pytest.approx(turn_deg)
    assert pose.trolley == pytest.approx(20 * drawing.units_per_m, abs=0.1)


def test_a_reading_that_rises_anticlockwise_turns_the_other_way(site: Settings) -> None:
    drawing = draw(with_cranes(site, slew_clockwise=False))
    assert jib_pose(drawing, crane(drawing), 90.0, 20.0, nan).turn_deg == 270.0


def test_where_nobody_knows_the_slew_no_direction_is_invented(drawing: Drawing) -> None:
    pose = jib_pose(drawing, crane(drawing), nan, nan, nan)
    assert (pose.turn_deg, pose.trolley) == (None, None)
    assert (pose.x, pose.y) == (crane(drawing).x, crane(drawing).y)


def test_a_hook_beyond_the_jib_is_drawn_at_its_tip(drawing: Drawing) -> None:
    assert jib_pose(drawing, crane(drawing), 0.0, 99.0, nan).trolley == crane(drawing).jib


def test_a_crane_on_rails_stands_where_its_travel_says(site: Settings) -> None:
    drawing = draw(with_cranes(site, rails=RailsSettings(min_m=-10, max_m=30, bearing_deg=90)))
    first = crane(drawing)
    assert first.rail is not None
    assert first.rail[2] - first.rail[0] == pytest.approx(40 * drawing.units_per_m, abs=0.2)
    moved = jib_pose(drawing, first, 0.0, 20.0, 30.0)
    assert moved.x - first.x == pytest.approx(30 * drawing.units_per_m, abs=0.2)
    assert moved.y == first.y
    assert jib_pose(drawing, first, 0.0, 20.0, nan).x == first.x


def test_a_zone_of_several_cranes_and_a_line_are_drawn_once(tmp_path: Path) -> None:
    corners = [{"x_m": 100, "y_m": 0}, {"x_m": 200, "y_m": 0}, {"x_m": 200, "y_m": 50}]
    wires = [{"x_m": x, "y_m": -90, "low_m": 10, "high_m": 14} for x in (-80, 120)]
    written = yaml.safe_load(STORY.read_text(encoding="utf-8"))
    written["zones"] = [{"number": 1, "kind": "no_lift", "polygon": corners} | TITLES]
    written["power_lines"] = [{"name": "line-1", "voltage": "1-15kV", "wires": wires} | TITLES]
    file = tmp_path / "site.yaml"
    file.write_text(yaml.safe_dump(written, allow_unicode=True), encoding="utf-8")
    drawing = draw(load(file, DRIVERS, UPLINKS, KINDS))
    assert [shape.kind for shape in drawing.shapes] == ["deep-pit", "no-lift"]
    assert len(drawing.lines) == 1
    ends = [float(each.partition(",")[0]) for each in drawing.lines[0].split()]
    assert min(ends) >= 0
    assert max(ends) <= drawing.width


def test_a_site_without_places_has_no_drawing(site: Settings) -> None:
    drawing = draw(without(site, "plan", "crane"))
    assert (drawing.width, drawing.cranes) == (0.0, ())
    assert set(drawing.unplaced) == {asset.id for asset in site.assets}


def test_a_camera_post_shows_what_it_looks_at_where_that_was_said(site: Settings) -> None:
    place = PlanPointSettings(x_m=0, y_m=-70)
    plan = PlanSettings(place=place, view=ViewSettings(bearing_deg=350, angle_deg=60, range_m=40))
    post = AssetSettings(id="cam", kind="camera-post", serial="C", title_zh="相机", title_en="camera", plan=plan)
    blind = post.model_copy(update={"id": "cam-2", "plan": PlanSettings(place=place)})
    mast, shipped, looking, other = draw(replace(site, assets=(*site.assets, post, blind))).posts
    assert (mast.view, shipped.view != "", looking.view != "", other.view) == ("", True, True, "")
    assert looking.view.split()[-1] == f"{looking.x:g},{looking.y:g}", "the cone begins at the post"
