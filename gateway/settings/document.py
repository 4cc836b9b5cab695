"""A configuration file as read: plain data, and the line on which every part of it stands.

In: filled by `gateway.settings.source`. Out: data for the models, places for the faults. Knows nothing of YAML, nor of
what the keys mean.
"""

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gateway.model.errors import Fault
from gateway.settings.wording import make_fault

WHOLE_FILE = "(file)"
FULL_WIDTH = re.compile("[：，｛｝［］＃“”]")  # what a Chinese input method types for : , { } [ ] # "

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands: the line of its key (or list item) and of the value itself; `text` as it was written."""

    key_line: int
    line: int
    text: str | None = None


@dataclass(slots=True)
class Document:
    """One configuration file. `places` has an entry for every value; `faults` stop a start, `warnings` do not.

    `cut_short`: a part with a fault was left out of the checks that come after, so that more faults may follow.
    """

    file: str
    data: Any = None
    places: dict[KeyPath, Place] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[Fault] = field(default_factory=list)
    cut_short: bool = False

    @property
    def name(self) -> str:
        """The file's name without its folder."""
        return self.file.replace(os.sep, "/").rsplit("/", 1)[-1]

    def key_line(self, path: KeyPath) -> int:
        """The line of the key; for a path that is not there, of its nearest parent."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, Place(1, 1)).key_line

    def line(self, path: KeyPath) -> int:
        """The line of the value; for a path that is not there, of its nearest parent's key."""
        return self.places[path].line if path in self.places else self.key_line(path)

    def text(self, path: KeyPath) -> str | None:
        """How the value was written, when it is a single word or text."""
        return self.places[path].text if path in self.places else None

    def fault(self, path: KeyPath, code: str, /, **params: object) -> Fault:
        """A fault with the value at this path; not yet noted."""
        return make_fault(self.file, self.line(path), dotted(path), code, **params)

    def add(self, path: KeyPath, code: str, /, **params: object) -> None:
        """Note a fault with the value at this path."""
        self.faults.append(self.fault(path, code, **params))

    def warn(self, path: KeyPath, code: str, /, **params: object) -> None:
        """Note something at this path that is allowed, and that its author should know."""
        self.warnings.append(self.fault(path, code, **params))

    def add_at(self, line: int, path: KeyPath, code: str, /, **params: object) -> None:
        """Note a fault that stands on another line than the value: at its key, or where the file broke off."""
        self.faults.append(make_fault(self.file, line, dotted(path), code, **params))


def dotted(path: KeyPath) -> str:
    """`("devices", 2, "unit_id")` as `devices[2].unit_id`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or WHOLE_FILE


def display_name(path: Path) -> str:
    """The path as a person would type it: relative to the working directory where it lies below it."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
