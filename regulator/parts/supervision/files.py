"""Where the configuration of differentiated supervision lies, and how its files are read.

In: a file's name below `config/desk/supervision`, or a path. Out: a validated model. Raises PackError: file and key.
"""

from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from regulator.base.packs import PackError, config_root, faults_of, read_yaml

Words = Annotated[str, Field(min_length=1, max_length=500)]
Model = TypeVar("Model", bound="Part")


class Part(BaseModel):
    """A piece of a file: frozen, and without anything that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def load(kind: type[Model], name: str, path: Path | None = None) -> Model:
    """The file `name` of the product, or the one at `path`. Raises PackError with every fault."""
    file = path or config_root() / "desk" / "supervision" / name
    try:
        return kind.model_validate(read_yaml(file))
    except ValidationError as error:
        raise PackError(list(faults_of(file, error))) from error
