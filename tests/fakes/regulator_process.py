"""`python -m regulator` as a separate process on a free port, for tests. Ended by its id."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class RegulatorProcess:
    process: subprocess.Popen[str]
    ready: dict[str, Any]
    folder: Path

    @property
    def url(self) -> str:
        return str(self.ready["url"])

    @property
    def enrol_code(self) -> str:
        return (self.folder / "code").read_text(encoding="utf-8").strip()


@contextmanager
def regulator_process(folder: Path, box_id: str, project_code: str) -> Iterator[RegulatorProcess]:
    arguments = ["--db", str(folder / "regulator.db"), "--port", "0", "--enrol-code-file", str(folder / "code")]
    arguments += ["--for-box", box_id, "--for-project", project_code]
    with (folder / "regulator.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "regulator", *arguments], cwd=ROOT, stdout=subprocess.PIPE, stderr=log, text=True
        )
        assert process.stdout is not None
        try:
            yield RegulatorProcess(process, json.loads(process.stdout.readline()), folder)
        finally:
            if process.poll() is None:
                process.terminate()
            process.wait(15)
            process.stdout.close()
