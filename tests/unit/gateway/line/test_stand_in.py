"""A folder in memory in place of one whose disk takes nothing."""

import os
import stat
from pathlib import Path

from gateway.line.stand_in import MOST_BYTES_A_FILE, remove, stand_in_for
from kit.folder_lock import lock_folder
from tests.fakes.failing_disk import failing_disk


def test_a_disk_that_takes_files_needs_none(tmp_path: Path) -> None:
    assert stand_in_for(tmp_path) is None
    assert list(tmp_path.iterdir()) == []


def test_what_is_small_is_copied_and_what_is_of_the_disk_alone_is_not(tmp_path: Path) -> None:
    with failing_disk(tmp_path) as disk:
        folder = disk.folder / "box"
        for name in ("keys/desk.pem", "uplinks/desk/sequence", "alerts.db", "history.db-wal", "media/ab/abcd", "lock"):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(name)
        (folder / "keys" / "desk.pem").chmod(0o600)
        os.truncate(_made(folder / "large.bin"), MOST_BYTES_A_FILE + 1)
        (folder / "link").symlink_to(folder / "lock")
        disk.only_read()
        made = stand_in_for(folder)
        assert made is not None
        again = stand_in_for(folder)
        assert again == made, "what a killed process left there makes room"
        found = {path.relative_to(made).as_posix() for path in made.rglob("*") if path.is_file()}
        assert found == {"keys/desk.pem", "uplinks/desk/sequence"}
        assert stat.S_IMODE(made.stat().st_mode) == 0o700
        assert stat.S_IMODE((made / "keys" / "desk.pem").stat().st_mode) == 0o600
        lock_folder(folder).close()
        remove(made)
        assert not made.exists()


def _made(path: Path) -> Path:
    path.touch()
    return path
