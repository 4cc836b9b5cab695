"""The examples of docs/docking.md are what check and desk would take."""

import re
from pathlib import Path

import yaml

from docking.loading import load_platform
from docking.shelf import map_path, shipped_names
from gateway.uplinks.docking_settings import DockingSettings, docking_faults
from regulator.base.settings import DockingSettings as DeskDocking
from regulator.parts.docking.places import open_places

TEXT = (Path(__file__).parents[3] / "docs" / "docking.md").read_text()
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]


def test_the_boxs_example_is_sound():
    (entry,) = EXAMPLES[0]["uplinks"]
    assert docking_faults(DockingSettings.model_validate(entry), {"crane-1", "cam-1"}) == []


def test_the_desks_example_is_sound():
    (entry,) = EXAMPLES[1]["docking"]
    assert [place.name for place in open_places([DeskDocking.model_validate(entry)])] == ["province"]


def test_every_shipped_map_has_its_row():
    rows = set(re.findall(r"^\| `(pattern-[a-z-]+)`", TEXT, re.MULTILINE))
    assert rows == set(shipped_names())
    assert all(load_platform(map_path(name)).certainty in ("V1", "M-H") for name in rows)
