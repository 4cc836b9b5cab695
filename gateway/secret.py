"""Secrets in settings: a reference to a file or an environment variable, never the secret itself.

The value is read when a connection is built and never printed, logged or put into an error.
"""

import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, model_validator


class Secret(BaseModel):
    """`{file: PATH}` or `{env: NAME}`; exactly one of them. A relative path counts from the working directory."""

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
                value = Path(str(self.file)).read_text(encoding="utf-8")
            except OSError as error:
                raise LookupError(f"secret {source}: {error.strerror}") from None
            except UnicodeDecodeError:
                raise LookupError(f"secret {source} is not UTF-8 text") from None
        if not value.strip():
            raise LookupError(f"secret {source} is empty or not set")
        return value.strip()
