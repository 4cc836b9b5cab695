"""Whether one software version is older than another. In: texts as programs say them. Out: yes, no, or not known."""

import re
from typing import Final

_NUMBERS: Final = re.compile(r"(\d{1,9}(?:\.\d{1,9}){0,5})(.*)", re.DOTALL)


def is_older(version: str, than: str) -> bool | None:
    """None where either is no version, or they differ only behind the numbers (`1.2.0rc1`)."""
    mine, other = _NUMBERS.fullmatch(version.strip()), _NUMBERS.fullmatch(than.strip())
    if mine is None or other is None:
        return None
    own, wanted = _padded(mine[1]), _padded(other[1])
    if own == wanted and mine[2] != other[2]:
        return None
    return own < wanted


def _padded(numbers: str) -> tuple[int, ...]:
    parts = [int(part) for part in numbers.split(".")]
    return (*parts, *[0] * (6 - len(parts)))
