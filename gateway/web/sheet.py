"""The box's own part of a paper: sections of rows. Each cell is kept in both languages as signed.

In: cells from whoever gathers them. Out: canonical content to be sealed, and back. A value that is not known is a cell
that says so, with the mark UNKNOWN, never an empty one. Knows neither HTML nor PDF.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Any

from contract.canonical import Canonical
from gateway.model.errors import DecodeError
from kit.words import NO_WORDS, Words
from screens.formats import local_day_time, number, unit_sign


class Mark(StrEnum):
    """How a cell stands out."""

    PLAIN = "plain"
    NUMBER = "number"
    UNKNOWN = "unknown"
    ATTENTION = "attention"
    DANGER = "danger"


NONE = Words("无", "none")


@dataclass(frozen=True, slots=True)
class Cell:
    """A text in both languages and how it stands out."""

    words: Words
    mark: Mark = Mark.PLAIN


@dataclass(frozen=True, slots=True)
class Section:
    """A table. `key` names it for programs, `note` is a line below it (may be empty)."""

    key: str
    title: Words
    header: tuple[Words, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: Words = NO_WORDS

    @property
    def nothing(self) -> bool:
        """Whether its one row says that there is none."""
        return len(self.rows) == 1 and self.rows[0][0].words == NONE


@dataclass(frozen=True, slots=True)
class Sheet:
    """All sections, as of `until_ns` (UTC)."""

    until_ns: int
    sections: tuple[Section, ...]


UNKNOWN = Cell(Words("未知", "unknown"), Mark.UNKNOWN)


def plain(zh: str, en: str | None = None) -> Cell:
    """A text; the same in English where none is given. An empty one is unknown."""
    return Cell(Words(zh, zh if en is None else en)) if zh.strip() else UNKNOWN


def amount(value: float | None, unit: str = "", mark: Mark = Mark.NUMBER) -> Cell:
    """A number with its unit, by the one rule for decimals; unknown when there is none."""
    if value is None or not isfinite(value):
        return UNKNOWN
    text = f"{number(value, unit)} {unit_sign(unit)}".strip()
    return Cell(Words(text, text), mark)


def count(value: int, mark: Mark = Mark.NUMBER) -> Cell:
    """A whole number."""
    return Cell(Words(str(value), str(value)), mark)


def moment(at_ns: int) -> Cell:
    """A time on the site's clock; a dash for one that has not come."""
    text = local_day_time(at_ns)
    return Cell(Words(text, text))


def content_of(sheet: Sheet) -> dict[str, Canonical]:
    """As it is sealed."""
    return {
        "until_ns": sheet.until_ns,
        "sections": [
            {
                "key": section.key,
                "title": _both(section.title),
                "header": [_both(words) for words in section.header],
                "rows": [[_cell(cell) for cell in row] for row in section.rows],
                "note": _both(section.note),
            }
            for section in sheet.sections
        ],
    }


def sheet_of(content: Mapping[str, Any]) -> Sheet:
    """Back from what was sealed. Raises DecodeError when it is no sheet."""
    try:
        return Sheet(int(content["until_ns"]), tuple(_section(each) for each in content["sections"]))
    except (KeyError, TypeError, ValueError) as error:
        raise DecodeError(f"this is no sheet: {error}") from None


def _both(words: Words) -> list[Canonical]:
    return [words.zh, words.en]


def _cell(cell: Cell) -> list[Canonical]:
    return [cell.words.zh, cell.words.en, str(cell.mark)]


def _words(pair: Sequence[str]) -> Words:
    zh, en = pair
    return Words(str(zh), str(en))


def _section(content: Mapping[str, Any]) -> Section:
    rows = tuple(tuple(Cell(_words(cell[:2]), Mark(cell[2])) for cell in row) for row in content["rows"])
    header = tuple(_words(pair) for pair in content["header"])
    return Section(str(content["key"]), _words(content["title"]), header, rows, _words(content["note"]))
