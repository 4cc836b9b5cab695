"""docs/pits.md is read: its settings are good ones, its table of a surveyor is taken, its codes are the box's."""

import re
from pathlib import Path

import pytest
import yaml

from gateway.parts.pit.hand_entry import KnownPoint, When, parse
from gateway.parts.pit.model.instrument import DEFECT_TITLES, Defect
from gateway.parts.pit.model.outputs import point_outputs
from gateway.parts.pit.settings.pit import PitSettings
from gateway.settings.shapes import shapes_of
from sitewarden.composition.kinds import KINDS

DOCUMENT = Path(__file__).parents[4] / "docs" / "pits.md"


@pytest.fixture(scope="module")
def text() -> str:
    return DOCUMENT.read_text(encoding="utf-8")


def block(text: str, language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None
    return found[1]


def test_its_settings_are_good_ones(text: str) -> None:
    (raw,) = yaml.safe_load(block(text, "yaml"))["assets"]
    section = shapes_of(tuple(KINDS)).asset.model_validate(raw).section(PitSettings)
    assert section is not None
    pit = section.build("pit-1")
    assert [point.name for point in pit.points][:3] == ["cx-1-1950cm", "cx-1-1900cm", "cx-1-1850cm"]
    said = {output.quantity for point in pit.points for output in point_outputs("pit-1", point)}
    named = {"zq-1", "zq-1_rate", "zq-1_day_rate", "zl-1_pct_f2", "zl-1_gauges", "zq-1_quality", "zq-1_tangent_deg"}
    assert named <= said
    assert all(point.baselines for point in pit.points if point.name != "zl-1")


def test_its_table_of_a_surveyor_is_taken(text: str) -> None:
    table = parse(block(text, "csv").encode(), "a.csv", {"zq-1": KnownPoint("p", "mm")}, When(2_000_000_000 * 10**9))
    assert [row.value for row in table.rows] == [12.5, 12.9]
    assert table.faults == ()


def test_its_codes_are_the_boxs(text: str) -> None:
    rows = dict(re.findall(r"^\| (\d) \| .*?\((.*?)\)", text, re.MULTILINE))
    for defect in Defect:
        if defect is not Defect.NONE:
            assert DEFECT_TITLES[defect][0].startswith(rows[str(int(defect))])
