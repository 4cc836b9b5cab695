"""The three walks of docs/architecture.md: the files that a value passes today are those that are kept, and the figures
and names in the document are theirs.

`python -m tests.fakes.walks` keeps what is true now.
"""

import asyncio
import re
from pathlib import Path

import pytest
import yaml

from tests.fakes.walks import DOCUMENT, KEPT, Walk, camera_walk, crane_walk, desk_walk

ROW = re.compile(r"^\| ([^|]+) \| (\d+) \| (\d+) \|$", re.MULTILINE)
NAME = re.compile(r"\b(?:contract|docking|drivers|gateway|kit|regulator|screens|sitewarden|vision)/[\w/]+\.py\b")
BY_TIME = {"gateway/rules/silence.py"}
"""Asked every quarter of a second, so at every second poll."""
ENTRIES_MORE = 1.05
"""Two threads may meet or miss each other: a message more in a batch is a dozen entries."""


@pytest.fixture(scope="module")
def kept() -> dict[str, Walk]:
    return dict(yaml.safe_load(KEPT.read_text(encoding="utf-8")))


@pytest.mark.parametrize("name", ["crane", "camera", "desk"])
def test_a_value_passes_the_files_that_are_kept(name: str, kept: dict[str, Walk], tmp_path: Path) -> None:
    walks = {"crane": crane_walk, "camera": camera_walk}
    walk = asyncio.run(walks[name](tmp_path)) if name in walks else desk_walk(tmp_path)
    assert list(walk) == list(kept[name])
    for step, files in walk.items():
        entered, known = set(files), set(kept[name][step])
        assert (entered - known, known - entered - BY_TIME) == (set(), set()), step
        assert sum(files.values()) <= ENTRIES_MORE * sum(kept[name][step].values()), step


def test_the_document_says_how_many(kept: dict[str, Walk]) -> None:
    said = {step: (int(files), int(entries)) for step, files, entries in ROW.findall(DOCUMENT.read_text("utf-8"))}
    assert said == {step: (len(files), sum(files.values())) for walk in kept.values() for step, files in walk.items()}


def test_every_file_in_the_documents_walks_is_entered(kept: dict[str, Walk]) -> None:
    walks = DOCUMENT.read_text("utf-8").split("\n## ")
    for name, walk in kept.items():
        (section,) = [part for part in walks if part.startswith(f"The {name}'s walk")]
        named, entered = set(NAME.findall(section)), {file for files in walk.values() for file in files}
        assert named, name
        assert named - entered == set(), name
