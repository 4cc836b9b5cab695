"""The newest edge state of each camera on disk: replaced whole, read once, and no reason to stop judging."""

import logging
from pathlib import Path

import pytest

from vision.sight.edge_states import EdgeStates


def test_the_newest_is_on_the_disk_after_flush_and_there_after_a_restart(tmp_path: Path) -> None:
    states = EdgeStates(tmp_path)
    assert states.newest("cam-1") == b""
    for state in (b"one", b"two"):
        states.take("cam-1", state)
    states.flush()
    states.take("cam-1", b"not flushed")
    again = EdgeStates(tmp_path)
    assert (again.newest("cam-1"), again.newest("cam-2")) == (b"two", b"")
    assert [path.name for path in (tmp_path / "edge_states").iterdir()] == ["cam-1.edges"]


def test_without_a_folder_it_is_kept_for_this_run_only() -> None:
    states = EdgeStates()
    states.take("cam-1", b"one")
    states.flush()
    assert states.newest("cam-1") == b"one"


def test_a_disk_that_refuses_is_logged_and_the_state_still_counts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "edge_states").write_text("a file where the folder should be")
    states = EdgeStates(tmp_path)
    with caplog.at_level(logging.ERROR):
        states.take("cam-1", b"one")
        states.flush()
    assert states.newest("cam-1") == b"one"
    assert "edge_state_not_kept camera=cam-1" in caplog.text


def test_a_name_that_is_no_name_never_becomes_a_path(tmp_path: Path) -> None:
    states = EdgeStates(tmp_path / "data")
    states.take("../outside", b"one")
    states.flush()
    assert list(tmp_path.iterdir()) == []


def test_each_preset_has_a_file_of_its_own(tmp_path: Path) -> None:
    states = EdgeStates(tmp_path)
    for preset in ("", "大门", "yard"):
        states.take("cam-1", f"state of {preset}".encode(), preset)
    states.flush()
    again = EdgeStates(tmp_path)
    assert [again.newest("cam-1", preset).decode() for preset in ("", "大门", "yard", "none")] == [
        "state of ",
        "state of 大门",
        "state of yard",
        "",
    ]
    assert len(list((tmp_path / "edge_states").glob("cam-1*.edges"))) == 3
