"""Message catalogues: English is written in templates and scripts, Chinese comes from PO files.

In: folders whose `messages/zh/*.po` hold translations, one file an area of the product. Out: texts in a language.
A text without a translation is shown in English and remembered in `missing`; a test finds it before a person does.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Literal

import polib

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")


class CatalogueError(ValueError):
    """A file is no PO file, or two files translate the same text differently."""


class Catalogue:
    """Texts by language. Raises CatalogueError when a file is none or two files disagree."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._chinese: dict[str, str] = {}
        self.missing: set[str] = set()
        for path in _files(folders):
            self._add(path)

    def text(self, language: Language, msgid: str) -> str:
        """The text as it is; whoever asks fills in its values."""
        if language == "en" or not msgid:
            return msgid
        found = self._chinese.get(msgid)
        if found is None:
            self.missing.add(msgid)
            return msgid
        return found

    def plural(self, language: Language, one: str, many: str, count: int) -> str:
        """English has two forms, Chinese one."""
        if language == "en":
            return one if count == 1 else many
        return self.text(language, many)

    def __contains__(self, msgid: str) -> bool:
        return msgid in self._chinese

    def __len__(self) -> int:
        return len(self._chinese)

    def _add(self, path: Path) -> None:
        try:
            translations = _translations(path.read_bytes())
        except (OSError, UnicodeDecodeError) as error:
            raise CatalogueError(f"{path}: not a PO file: {error}") from None
        for msgid, string in translations:
            if self._chinese.setdefault(msgid, string) != string:
                raise CatalogueError(
                    f"{path.name}: {msgid!r} is {string!r} here and {self._chinese[msgid]!r} elsewhere"
                )


@cache
def _translations(file: bytes) -> tuple[tuple[str, str], ...]:
    """What a PO file translates. Kept by its content: a process with several faces reads each file once."""
    entries = [entry for entry in polib.pofile(file.decode("utf-8")) if not entry.obsolete]
    messages = ((entry.msgid_plural or entry.msgid, _string(entry)) for entry in entries)
    return tuple((msgid, string) for msgid, string in messages if string)


def _string(entry: polib.POEntry) -> str:
    """A plural entry is filed under its plural; Chinese has one form."""
    return str(entry.msgstr_plural.get(0, "") if entry.msgid_plural else entry.msgstr)


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((folder / "messages" / "zh").glob("*.po"))
