"""A small, strict part of JSONPath: one path names at most one value, so that a table cannot be ambiguous.

    $.wind.speed      $.data[2]["wind speed"]      $['a.b'][0]
    $.sensors[id="wind"].value      $.channels[no=3].raw      $.nodes.*.wind      $.readings[*].tilt

In: the text from a table. Out: steps. `str` is an object's key, `int` a list's position, `Entry` the entry of a list
that has this value at this key, in whatever place it stands, `EVERY` all entries of a list or all values of an object.
`[id="wind"]` must fit one entry, and `*` must lead to one value in the end; anything else is no value, with the reason.
Slices, negative positions, other filters and recursive descent are refused. Knows nothing of files and messages.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

MAX_ENTRIES = 4_096
"""So many entries are looked through for one value; a longer list costs too much and is no value."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The entry of a list whose `key` holds `value`: a text, or a whole number."""

    key: str
    value: str | int

    def fits(self, entry: Any) -> bool:
        """Whether this is it. true is not 1, and "3" is not 3."""
        if not isinstance(entry, dict) or self.key not in entry:
            return False
        found = entry[self.key]
        if isinstance(self.value, str):
            return bool(found == self.value)
        return isinstance(found, int | float) and not isinstance(found, bool) and found == self.value


class Every:
    """All entries of a list, all values of an object."""


EVERY: Final = Every()
Step = str | int | Entry | Every
Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class NoValue:
    """Where a path does not lead to one value: `found` says what is there instead."""

    found: str


MISSING = NoValue("nothing")

_NAME = r"""[^\s.\[\]"'*?@()]+"""
_STEP = re.compile(
    rf"""\.(?P<name>{_NAME})                                # .name
       | \[(?P<index>\d{{1,6}})\]                           # [2]
       | \["(?P<double>[^"]+)"\]                            # ["c d"]
       | \['(?P<single>[^']+)'\]                            # ['c d']
       | (?P<every>\.\*|\[\*\])                             # .* or [*]
       | \[(?P<key>[^\s.\[\]"'*?@()=]+)=                    # [id="wind"], [id='wind'], [no=3]
           (?:"(?P<text>[^"]*)"|'(?P<quoted>[^']*)'|(?P<number>-?\d{{1,15}}))\]
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
            expected = '.name, [2], ["name"], [id="wind"], [no=3] or [*]'
            raise ValueError(f"path {text!r} at character {position + 1}: expected {expected}")
        steps.append(_step(match))
        position = match.end()
    return tuple(steps)


def keys_of(steps: Steps) -> tuple[str, ...]:
    """The keys that a path names, also those that an entry is told by."""
    return tuple(step.key if isinstance(step, Entry) else step for step in steps if isinstance(step, str | Entry))


def is_open(steps: Steps) -> bool:
    """Whether the path may come to keys that it does not name."""
    return EVERY in steps


def value_at(document: Any, steps: Steps) -> Any:
    """The one value that `steps` lead to, or a `NoValue`."""
    found = document
    for i, step in enumerate(steps):
        if isinstance(step, str):
            if not isinstance(found, dict) or step not in found:
                return MISSING
        elif isinstance(step, int):
            if not isinstance(found, list) or step >= len(found):
                return MISSING
        else:
            return _selected(found, steps[i:])
        found = found[step]
    return found


def _step(match: re.Match[str]) -> Step:
    if match["every"] is not None:
        return EVERY
    if match["index"] is not None:
        return int(match["index"])
    if match["key"] is not None:
        text = match["text"] if match["text"] is not None else match["quoted"]
        return Entry(match["key"], text if text is not None else int(match["number"]))
    return match["name"] or match["double"] or match["single"]


def _selected(document: Any, steps: Steps) -> Any:
    """`value_at` for steps that may have several ways to go: all are gone side by side."""
    places, looked_at = [document], 0
    for step in steps:
        further = []
        for place in places:
            children = _children(place, step)
            looked_at += len(children)
            if looked_at > MAX_ENTRIES:
                return NoValue(f"more than {MAX_ENTRIES} entries")
            fitting = [child for child in children if step.fits(child)] if isinstance(step, Entry) else children
            if isinstance(step, Entry) and len(fitting) > 1:
                return NoValue(f"{len(fitting)} entries with {step.key} {step.value!r}")
            further += fitting
        places = further
    return places[0] if len(places) == 1 else NoValue(f"{len(places)} values") if places else MISSING


def _children(place: Any, step: Step) -> list[Any]:
    if isinstance(step, str):
        return [place[step]] if isinstance(place, dict) and step in place else []
    if isinstance(step, int):
        return [place[step]] if isinstance(place, list) and step < len(place) else []
    if isinstance(place, list):
        return place
    return list(place.values()) if isinstance(place, dict) and isinstance(step, Every) else []
