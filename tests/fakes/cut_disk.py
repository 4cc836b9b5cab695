"""A disk of the test's own that loses its power: ext4 on a loop device on a file that forgets what was not synced.

    ext4 --blocks--> loop device --writes, flushes--> volatile_image (FUSE, own process) --what was synced--> image

After `cut` the box must be killed by whoever runs it; `power_on` mounts what the image holds. `fail` and `come_back`
are the kernel's own error trigger and a checked, new mount, as of `failing_disk`.
"""

import contextlib
import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.failing_disk import run_command
from tests.fakes.gateway_process import ROOT
from tests.fakes.waiting import wait_until


class CutDisk:
    """Mounted at `folder`."""

    def __init__(self, place: Path, seed: int, size_mib: int = 96) -> None:
        self.folder = place / "disk"
        self._image, self._volatile = place / "disk.img", place / "volatile"
        self._seeds = itertools.count(seed)
        with self._image.open("wb") as file:
            file.truncate(size_mib * 2**20)
        run_command("mkfs.ext4", "-q", "-F", str(self._image))
        self.folder.mkdir()
        self._volatile.mkdir()
        self._devices: list[str] = []
        self._server: subprocess.Popen[str] | None = None
        self.power_on()

    def cut(self) -> tuple[int, int]:
        """The power is gone: pages that were not synced and yet reached the disk, and pages that did not."""
        server = self._running()
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write("cut\n")
        server.stdin.flush()
        word, kept, lost = server.stdout.readline().split()
        assert word == "cut"
        return int(kept), int(lost)

    def power_on(self) -> None:
        """Mounted as a boot does: the journal is played, nothing more."""
        self._let_go()
        command = [sys.executable, "-m", "tests.fakes.volatile_image"]
        command += [str(self._image), str(self._volatile), str(next(self._seeds))]
        self._server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._server.stdout is not None
        assert self._server.stdout.readline() == "ready\n"
        wait_until((self._volatile / "disk").exists, "the image served")
        self._mount()

    @property
    def trigger(self) -> Path:
        """Writing to it makes the kernel meet an error in this file system."""
        return Path("/sys/fs/ext4") / Path(self._devices[-1]).name / "trigger_fs_error"

    def fail(self) -> None:
        """From now on nothing can be written."""
        self.trigger.write_text("1")

    def come_back(self) -> None:
        """Whole again, for whoever opens a path anew: what is open still means the dead mount."""
        run_command("umount", "-l", str(self.folder))
        self._mount(checked=True)

    def close(self) -> None:
        """Everything given back."""
        self._let_go()

    def _mount(self, checked: bool = False) -> None:
        device = run_command("losetup", "--find", "--show", str(self._volatile / "disk"))
        self._devices.append(device)
        if checked:
            subprocess.run(["e2fsck", "-f", "-y", device], check=False, capture_output=True)
        run_command("mount", "-o", "errors=remount-ro", device, str(self.folder))

    def _running(self) -> "subprocess.Popen[str]":
        assert self._server is not None
        return self._server

    def _let_go(self) -> None:
        if self._server is None:
            return
        subprocess.run(["umount", str(self.folder)], check=False, capture_output=True)
        subprocess.run(["umount", "-l", str(self.folder)], check=False, capture_output=True)
        for device in self._devices:
            subprocess.run(["losetup", "-d", device], check=False)
        self._devices.clear()
        subprocess.run(["umount", "-l", str(self._volatile)], check=False)
        with self._server as ended:
            ended.wait(10)
        self._server = None


@contextlib.contextmanager
def cut_disk(place: Path, seed: int, size_mib: int = 96) -> Iterator[CutDisk]:
    """Skips, with the reason, where this machine lends no loop device or no FUSE."""
    if os.geteuid() != 0:
        pytest.skip("a disk of one's own needs root: run `sudo make test`")
    for device in ("/dev/loop-control", "/dev/fuse"):
        if not Path(device).exists():
            pytest.skip(f"this machine lends no such device ({device} is missing)")
    disk = CutDisk(place, seed, size_mib)
    try:
        yield disk
    finally:
        disk.close()
