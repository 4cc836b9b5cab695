"""A small, strict part of JSONPath: one path names at most one value, so that a table cannot be ambiguous.

    $.wind.speed      $.data[2]["wind speed"]      $['a.b'][0]

In: the text from a table. Out: steps (`str` = object key, `int` = array position). Wildcards, filters, slices and
recursive descent are refused. Knows nothing of files and messages.
"""

import re
from typing import Any

Step = str | int
Steps = tuple[Step, ...]

MISSING = object()

_STEP = re.compile(
    r"""\.(?P<name>[^\s.\[\]"'*?@()]+)   # .name
      | \[(?P<index>\d{1,6})\]           # [2]
      | \["(?P<double>[^"]+)"\]          # ["c d"]
      | \['(?P<single>[^']+)'\]          # ['c d']
    """,
    re.VERBOSE,
)


def compile_path(text: str) -> Steps:
    """The steps of a path. Raises ValueError that says where the path stops making sense."""
    if not text.startswith("$"):
        raise ValueError(f"a path starts with $, for example $.WindSpeed, not {text!r}")
    steps: list[Step] = []
    position = 1
    while position < len(text):
        match = _STEP.match(text, position)
        if match is None:
            raise ValueError(f'path {text!r} at character {position + 1}: expected .name, [2] or ["name"]')
        index = match["index"]
        steps.append(int(index) if index is not None else match["name"] or match["double"] or match["single"])
        position = match.end()
    return tuple(steps)


def value_at(document: Any, steps: Steps) -> Any:
    """The value that `steps` lead to, or `MISSING`."""
    found = document
    for step in steps:
        if isinstance(step, str):
            if not isinstance(found, dict) or step not in found:
                return MISSING
        elif not isinstance(found, list) or step >= len(found):
            return MISSING
        found = found[step]
    return found
