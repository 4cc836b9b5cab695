"""Regions by their names on every page that shows one; the code where nobody entered a name."""

import re

import pytest
from sqlalchemy import insert

from regulator.base.model.actor import Duty, Level, Scope
from regulator.base.records.tables.registry import firms, projects, regions
from regulator.base.web.place_names import PlaceNames, Region
from tests.fakes.desk_face import DeskFace

CITY, COUNTY = Scope(Level.CITY, "9901"), Scope(Level.COUNTY, "990103")
PLACES = (
    ("99", "示范省", "province", ""),
    ("9901", "东江市", "city", "99"),
    ("990103", "临港区", "county", "9901"),
    ("990101", "老城区", "county", "9901"),
    ("9902", "西岭市", "city", "99"),
)


@pytest.fixture(scope="module")
def named(face: DeskFace) -> DeskFace:
    keys = ("code", "name", "level", "parent")
    with face.database.transaction() as db:
        db.execute(insert(regions), [dict(zip(keys, place, strict=True)) for place in PLACES])
        at = {"province_code": "99", "city_code": "9901", "county_code": "990103"}
        db.execute(insert(projects).values(project_code="P-1", name="一号工地", **at))
        db.execute(insert(firms).values(firm_code="F-1", name="示范建工"))
    return face


def shown(text: str) -> str:
    """What a person reads: no tags, no attributes, one space between."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", text))


def test_somebody_acts_for_a_region_by_its_name(named: DeskFace) -> None:
    page = named.client(Duty.REVIEWER, CITY).get("/me").text
    assert "市级 东江市 · 研判" in shown(page)
    assert 'title="9901"' in page


def test_a_project_lies_in_named_regions_and_keeps_its_code_beside_them(named: DeskFace) -> None:
    page = named.client(Duty.VIEWER, COUNTY).get("/projects/P-1").text
    assert "示范省 · 东江市 · 临港区 990103" in shown(page)
    assert '<span title="9901">东江市</span>' in page


@pytest.mark.parametrize("path", ["/projects", "/hazards", "/risk"])
def test_a_list_is_filtered_by_the_name_of_a_region(named: DeskFace, path: str) -> None:
    found = named.client(Duty.VIEWER).get(f"{path}?region=990103").text
    assert '<option value="990103" selected>└ 临港区</option>' in found
    assert 'name="region"' not in named.client(Duty.VIEWER, COUNTY).get(path).text


def test_names_are_read_for_what_is_named_and_codes_stay_for_what_is_not(named: DeskFace) -> None:
    places = PlaceNames(named.database.reading)
    assert [places.region(code) for code in ("990101", "77", "")] == ["老城区", "77", ""]
    assert places.scope(Scope(Level.FIRM, "F-1")) == "示范建工"
    assert places.scope(Scope(Level.PROJECT, "P-1")) == "一号工地"
    assert places.scope(Scope(Level.PROJECT, "P-2")) == "P-2"
    counties = [Region("990101", "老城区", 1), Region("990103", "临港区", 1)]
    assert places.below(CITY) == [Region("9901", "东江市", 0), *counties]
    assert places.below(Scope(Level.PROVINCE, "")) == [*places.below(CITY), Region("9902", "西岭市", 0)]
    assert places.below(COUNTY) == places.below(Scope(Level.FIRM, "F-1")) == []
