"""A part of the demo that dies ends the demo, and the last lines of its log are on the terminal."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sitewarden.demo.demo import _process

UP_WITHIN_S = 60.0


def children(pid: int) -> dict[str, int]:
    """The demo's processes by module."""
    found = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        command = Path(f"/proc/{child}/cmdline").read_text().split("\0")
        if "-m" in command:
            found[command[command.index("-m") + 1]] = int(child)
    return found


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="the demo's children are found by /proc")
def test_a_part_that_dies_ends_the_demo_and_its_last_lines_are_printed(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sitewarden", "demo", "--headless", "--sites", "1", "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        deadline = time.monotonic() + UP_WITHIN_S
        while "drivers.sim" not in children(running.pid):
            assert running.poll() is None, running.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        (run,) = tmp_path.iterdir()
        with (run / "drivers.sim.log").open("a") as log:
            log.write("the last words of the twins\n")
        os.kill(children(running.pid)["drivers.sim"], signal.SIGKILL)
        out, err = running.communicate(timeout=UP_WITHIN_S)
    assert running.returncode == 1, out
    assert "drivers.sim" in err
    assert "exit status -9" in err
    assert "the last words of the twins" in err


async def test_a_part_that_cannot_start_says_why(tmp_path: Path) -> None:
    said: list[str] = []
    with pytest.raises(OSError, match="exit status 2 before it was ready") as raised:
        async with _process("drivers.sim", ["--folder", str(tmp_path), "--seed", "x"], tmp_path, said.append):
            raise AssertionError("it does not start")
    assert "argument --seed: invalid int value: 'x'" in str(raised.value)
    assert "drivers.sim.log" in str(raised.value)
