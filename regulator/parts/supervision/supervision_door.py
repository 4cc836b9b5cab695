"""What the pages of differentiated supervision take from an address and a question."""

from typing import Annotated

from fastapi import Path, Query

Words = Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]
Code = Annotated[str, Path(max_length=64, pattern=r"^[0-9A-Za-z_.-]+$")]
Id = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
