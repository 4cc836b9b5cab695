"""Killed in the middle of a change or of a new key: the identity file is the one before or the one after, and opens."""

import random
import subprocess
import sys
from pathlib import Path

from gateway.parts.identity.identity import Identities, create_identities

ROOT = Path(__file__).parents[2]
KILLS = 12


def told_until_killed(folder: Path, changes: int) -> int:
    """Let a process change the file, kill it (by its own id) after so many changes; what it told last."""
    command = [sys.executable, "-m", "tests.fakes.identity_writer", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(changes)]
        process.kill()
        told += process.stdout.read().split("\n")[:-1]
    return int(told[-1])


def test_kill_nine_leaves_a_file_and_a_key_that_fit(tmp_path: Path) -> None:
    create_identities(tmp_path)
    digest = Identities(tmp_path).driver_digest("", "1")
    rng = random.Random(166)
    for _ in range(KILLS):
        told = told_until_killed(tmp_path, rng.randint(3, 9))
        identities = Identities(tmp_path)
        kept = len(identities.masked())
        assert told <= kept <= told + 1
        assert identities.person_of("crane-1", str(kept)) is not None
        assert identities.driver_digest("", "1") == digest
