"""Reads kept states of asset models back from plain JSON, and refuses what is none.

In: what `saved()` gave, perhaps by another version. Out: typed values, or ValueError. JSON has no NaN: it is kept as
null. Knows nothing of what the values mean.
"""

from collections.abc import Mapping, Sequence
from math import isfinite, nan

from gateway.model.derivation import Json


def mapping(saved: Json) -> Mapping[str, Json]:
    """The mapping that was saved; raises ValueError for anything else."""
    if not isinstance(saved, Mapping):
        raise ValueError("kept state: a mapping was expected")
    return saved


def items(saved: Json, count: int | None = None) -> Sequence[Json]:
    """A list, of `count` entries if given, or ValueError."""
    if isinstance(saved, str) or not isinstance(saved, Sequence) or (count is not None and len(saved) != count):
        raise ValueError("kept state: a list was expected" + ("" if count is None else f" of {count}"))
    return saved


def number(saved: Json) -> float:
    """The finite number that was saved; raises ValueError for anything else."""
    if isinstance(saved, bool) or not isinstance(saved, int | float) or not isfinite(saved):
        raise ValueError("kept state: a number was expected")
    return float(saved)


def whole(saved: Json) -> int:
    """A whole number, exact whatever its size, or ValueError."""
    if isinstance(saved, bool) or not isinstance(saved, int):
        raise ValueError("kept state: a whole number was expected")
    return saved


def optional_whole(saved: Json) -> int | None:
    """A whole number or None, or ValueError."""
    return None if saved is None else whole(saved)


def known(saved: Json) -> float:
    """A finite number; NaN for null; or ValueError."""
    return nan if saved is None else number(saved)


def text(saved: Json) -> str:
    """The text that was saved; raises ValueError for anything else."""
    if not isinstance(saved, str):
        raise ValueError("kept state: a text was expected")
    return saved


def numbers(saved: Json, count: int | None = None) -> list[float]:
    """A list of finite numbers, or ValueError."""
    return [number(each) for each in items(saved, count)]


def wholes(saved: Json, count: int | None = None) -> list[int]:
    """A list of whole numbers, or ValueError."""
    return [whole(each) for each in items(saved, count)]


def kept(value: float) -> float | None:
    """How a number is kept: None for what is not finite."""
    return value if isfinite(value) else None
