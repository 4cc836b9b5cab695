"""What is wrong with a map: where it stands, what was found and what was expected, in both languages."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """One sentence part in English and Chinese."""

    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class MapFault:
    """`line` is 1-based, 0 when the file as a whole is meant; `key` is dotted, such as `records.alarm.fields[3].of`."""

    file: str
    line: int
    key: str
    found: Words
    expected: Words

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key}: found {self.found.en}, expected {self.expected.en}"


class MapError(Exception):
    """A map that no record may be sent by: every fault at once, in line order."""

    def __init__(self, faults: Sequence[MapFault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.file, fault.line, fault.key)))
        super().__init__("\n".join(map(str, self.faults)))
