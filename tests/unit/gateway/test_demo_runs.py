"""Old runs of the demonstration are deleted; what is not a run, and a run that is still going on, stay."""

from pathlib import Path

from gateway.demo import RUNS_KEPT, remove_old_runs
from gateway.folder_lock import lock_folder


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
