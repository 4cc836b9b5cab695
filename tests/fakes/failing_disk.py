"""A disk of the test's own that fails as real ones do: ext4 on a loop device, and the kernel's own error trigger.

After the error the kernel answers EROFS to every write, `unlink` too, and takes no remount: the disk comes back as
another mount at the same path, once it has been checked.
"""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

SIZE_MIB = 48


class FailingDisk:
    """Mounted at `folder`; `image` is its content."""

    def __init__(self, image: Path, folder: Path) -> None:
        self.folder = folder
        self._image = image
        self._devices: list[str] = []
        with image.open("wb") as file:
            file.truncate(SIZE_MIB * 2**20)
        run_command("mkfs.ext4", "-q", "-F", str(image))
        folder.mkdir()
        self._mount()

    @property
    def trigger(self) -> Path:
        """Writing to it makes the kernel meet an error in this file system."""
        return Path("/sys/fs/ext4") / Path(self._devices[-1]).name / "trigger_fs_error"

    def fail(self) -> None:
        """From now on nothing can be written. Proves it."""
        self.trigger.write_text("1")
        with pytest.raises(OSError, match="Read-only file system"):
            (self.folder / "probe").touch()

    def come_back(self) -> None:
        """Whole again, for whoever opens a path anew: what is open still means the dead mount."""
        run_command("umount", "-l", str(self.folder))
        self._mount()

    def only_read(self) -> None:
        """As a boot leaves a disk that it does not trust. Nobody may have a file of it open for writing."""
        run_command("mount", "-o", "remount,ro", str(self.folder))

    def written_again(self) -> None:
        """What `only_read` did is undone."""
        run_command("mount", "-o", "remount,rw", str(self.folder))

    def close(self) -> None:
        subprocess.run(["umount", "-l", str(self.folder)], check=False)
        for device in self._devices:
            subprocess.run(["losetup", "-d", device], check=False)

    def _mount(self) -> None:
        device = run_command("losetup", "--find", "--show", str(self._image))
        self._devices.append(device)
        checked = subprocess.run(["e2fsck", "-f", "-y", device], check=False, capture_output=True, text=True)
        assert checked.returncode in (0, 1), checked.stdout
        run_command("mount", "-o", "errors=remount-ro", device, str(self.folder))


@contextlib.contextmanager
def failing_disk(folder: Path) -> Iterator[FailingDisk]:
    """Skips, with the reason, where this kernel lends no loop device or has no trigger."""
    if os.geteuid() != 0:
        pytest.skip("a disk of one's own needs root: run `sudo make test`")
    if not Path("/dev/loop-control").exists():
        pytest.skip("this machine lends no loop device (/dev/loop-control is missing)")
    disk = FailingDisk(folder / "disk.img", folder / "disk")
    try:
        if not disk.trigger.exists():
            pytest.skip(f"this kernel has no {disk.trigger}")
        yield disk
    finally:
        disk.close()


def run_command(*command: str) -> str:
    """What it printed. Fails with what it said on its error output."""
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
    return done.stdout.strip()
