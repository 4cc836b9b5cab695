"""Secrets in settings: a reference to a file or an environment variable, never the secret itself.

The value is read when a connection is built and never printed, logged or put into an error.
"""

import os
import re
from pathlib import Path

from pydantic import BaseModel, ConfigDict, model_validator

_WILD = re.compile(r"[*?\[]")


class Secret(BaseModel):
    """`{file: PATH}` or `{env: NAME}`; exactly one of them. A relative path counts from the working directory.

    PATH may hold `*`, `?` and `[...]`, for a file on a stick whose mount point is not known: one file may match.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    file: Path | None = None
    env: str | None = None

    @model_validator(mode="after")
    def _one_source(self) -> "Secret":
        if (self.file is None) == (self.env is None):
            raise ValueError("give either file or env")
        return self

    def reveal(self) -> str:
        """The secret, without surrounding white space. Raises LookupError that names the source, never the value."""
        if self.env is not None:
            value = os.environ.get(self.env, "")
            source = f"environment variable {self.env}"
        else:
            source = f"file {self.file}"
            try:
                value = _only_match(str(self.file)).read_text(encoding="utf-8")
            except OSError as error:
                raise LookupError(f"secret {source}: {error.strerror}") from None
            except UnicodeDecodeError:
                raise LookupError(f"secret {source} is not UTF-8 text") from None
        if not value.strip():
            raise LookupError(f"secret {source} is empty or not set")
        return value.strip()

    def place(self) -> str:
        """Where a person mends the secret: `FILE:LINE` of its text, or the environment variable."""
        if self.env is not None:
            return f"environment variable {self.env}"
        try:
            path = _only_match(str(self.file))
            lines = path.read_text(encoding="utf-8").splitlines()
        except (LookupError, OSError, UnicodeDecodeError):
            return f"{self.file}:1"
        return f"{path}:{next((number for number, line in enumerate(lines, 1) if line.strip()), 1)}"


def _only_match(pattern: str) -> Path:
    """The file itself, or the one that a pattern finds. Raises LookupError when several match."""
    path = Path(pattern)
    if not _WILD.search(pattern) or path.is_file():
        return path
    found = sorted(Path(path.anchor).glob(str(path.relative_to(path.anchor))))
    if len(found) > 1:
        raise LookupError(f"secret file {pattern}: found {len(found)} files, expected one")
    return found[0] if found else path
