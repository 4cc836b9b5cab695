"""Old runs of the demonstration are deleted; what is not a run, and a run that is still going on, stay."""

import argparse
import asyncio
from pathlib import Path

import pytest

from kit.folder_lock import lock_folder
from sitewarden.demo.arguments import add_demo_arguments, demo_options
from sitewarden.demo.demo import RUNS_KEPT, folder_bytes, grown_beyond, remove_old_runs


def made(parent: Path, *names: str) -> None:
    for name in names:
        (parent / name).mkdir()
        (parent / name / "desk.db").write_text("made up")


def left(parent: Path) -> list[str]:
    return sorted(path.name for path in parent.iterdir())


def test_the_newest_runs_are_kept(tmp_path: Path) -> None:
    made(tmp_path, *(f"run-20260101-00000{i}" for i in range(5)), "run-20260101-000004x")
    remove_old_runs(tmp_path)
    assert left(tmp_path) == ["run-20260101-000004", "run-20260101-000004x"]
    assert len(left(tmp_path)) == RUNS_KEPT


def test_a_run_that_is_still_going_on_stays(tmp_path: Path) -> None:
    made(tmp_path, *(f"run-20260101-00000{i}" for i in range(4)))
    with lock_folder(tmp_path / "run-20260101-000000"):
        remove_old_runs(tmp_path)
    assert left(tmp_path) == ["run-20260101-000000", "run-20260101-000002", "run-20260101-000003"]


def test_what_is_not_a_run_stays(tmp_path: Path) -> None:
    made(tmp_path, "run-mine", "run-20260101-000000-kept", "other", *(f"run-20260101-00000{i}" for i in range(3)))
    (tmp_path / "run-20250101-000000").write_text("a file")
    remove_old_runs(tmp_path)
    assert {"run-mine", "run-20260101-000000-kept", "other", "run-20250101-000000"} <= set(left(tmp_path))


def test_a_folder_without_runs_is_left_alone(tmp_path: Path) -> None:
    remove_old_runs(tmp_path / "none")
    remove_old_runs(tmp_path)
    assert left(tmp_path) == []


def test_a_folders_size_is_that_of_all_its_files(tmp_path: Path) -> None:
    (tmp_path / "box" / "media").mkdir(parents=True)
    (tmp_path / "log").write_bytes(b"x" * 10)
    (tmp_path / "box" / "media" / "clip").write_bytes(b"x" * 300)
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert folder_bytes(tmp_path) == 310 + len(str(tmp_path / "nowhere"))


async def test_a_run_is_over_once_its_folder_has_grown_beyond_the_bound(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x" * 1000)
    await asyncio.wait_for(grown_beyond(tmp_path, 999 / 2**30), 5)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(grown_beyond(tmp_path, 1000 / 2**30), 0.1)


def test_a_run_may_hold_four_gib_unless_said_otherwise() -> None:
    parser = argparse.ArgumentParser()
    add_demo_arguments(parser)
    assert demo_options(parser.parse_args([])).max_gib == 4
    assert demo_options(parser.parse_args(["--max-gib", "0.5"])).max_gib == 0.5
