"""An S3-compatible store that is not ours: npm s3rver in Node.js, on a free loopback port.

`.ci/system-packages` installs it from tests/fakes/s3rver/package-lock.json into the user's cache folder.
"""

import json
import os
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

SERVER = Path(__file__).parent / "s3rver" / "server.js"
BUCKET = "desk-files"
SECRET = "S3RVER\nS3RVER\n"
"""The one pair of keys that s3rver knows."""


def installed_folder() -> Path:
    """Where the package lies. Raises FileNotFoundError naming the command that puts it there."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "sitewarden-tests" / "s3rver"
    if not (folder / "node_modules" / "s3rver").is_dir():
        raise FileNotFoundError(f"s3rver is not in {folder}: run .ci/system-packages")
    return folder


class S3Server:
    """A running store with one bucket; its files lie in `folder`. Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / BUCKET
        self.secret_file = folder.parent / f"{folder.name}.secret"
        self.secret_file.write_text(SECRET)
        environment = os.environ | {"NODE_PATH": str(installed_folder() / "node_modules")}
        command = ["node", str(SERVER), str(folder), BUCKET]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
        assert self._process.stdout is not None
        self.url = f"http://127.0.0.1:{json.loads(self._process.stdout.readline())['port']}"

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
