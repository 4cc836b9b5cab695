"""Which credentials of a map are secrets, told by their names: those never stand in the settings. Pure."""

import re
from collections.abc import Iterable
from typing import Final

_SECRET: Final = re.compile(r"(secret|password|passwd|token|private_key)$")
"""An `app_key` is none, since some platforms print it in the open."""


def secret_names(names: Iterable[str]) -> list[str]:
    """Those of `names` that are secrets, sorted."""
    return sorted({name for name in names if _SECRET.search(name)})
