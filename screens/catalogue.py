"""Message catalogues: English is written in templates and scripts, Chinese comes from PO files.

In: folders whose `messages/zh/*.po` hold translations, one file an area of the product. Out: texts in a language.
A text without a translation is shown in English and remembered in `missing`; a test finds it before a person does.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Literal

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po

Language = Literal["zh-CN", "en"]
LANGUAGES: tuple[Language, ...] = ("zh-CN", "en")


class CatalogueError(ValueError):
    """Two files translate the same text differently."""


class Catalogue:
    """Texts by language. Raises CatalogueError when two files disagree."""

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
        for msgid, string in _translations(path.read_bytes()):
            if self._chinese.setdefault(msgid, string) != string:
                raise CatalogueError(
                    f"{path.name}: {msgid!r} is {string!r} here and {self._chinese[msgid]!r} elsewhere"
                )


@cache
def _translations(file: bytes) -> tuple[tuple[str, str], ...]:
    """What a PO file translates. Kept by its content: a process with several faces reads each file once."""
    messages = ((_single(message.id), _single(message.string or "")) for message in _messages(file) if message.id)
    return tuple((msgid, string) for msgid, string in messages if string)


def _messages(file: bytes) -> Catalog:
    return read_po(BytesIO(file), locale="zh_CN", abort_invalid=True)


def _single(text: str | Sequence[str]) -> str:
    """A plural entry is filed under its plural; Chinese has one form."""
    return text if isinstance(text, str) else text[-1]


def _files(folders: Sequence[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((folder / "messages" / "zh").glob("*.po"))
