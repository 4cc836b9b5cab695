"""The browser's files, served under a digest of their content, so that they may be cached for ever.

    /static/<digest>/<area>/<path>       one area a folder: `screens` (shared), `site`, ...; modules import relatively
    /static/<digest>/texts/<language>.js the texts of the scripts, made from the catalogue

In: folders by area, a catalogue. Out: file bodies by path, all read once: a page never waits for the disk, and no path
can leave the folders, because nothing is looked up outside this table.
"""

import hashlib
import json
import mimetypes
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from screens.catalogue import LANGUAGES, Catalogue

SCRIPT_TEXT: Final = re.compile(r"""\bt\(\s*"((?:[^"\\]|\\.)+)\"""")
TYPES: Final = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class StaticFile:
    """The body of a static file and its media type."""

    body: bytes
    media_type: str


class StaticFiles:
    """All files of all areas. `digest` changes when any of them does."""

    def __init__(self, areas: Mapping[str, Path], catalogue: Catalogue) -> None:
        self._files = {name: file for area, folder in areas.items() for name, file in _read(area, folder)}
        msgids = sorted({text for file in self._files.values() for text in script_texts(file)})
        for language in LANGUAGES:
            texts = {msgid: catalogue.text(language, msgid) for msgid in msgids} if language != "en" else {}
            body = f"globalThis.sitewardenTexts = {json.dumps(texts, ensure_ascii=False)};\n"
            self._files[f"texts/{language}.js"] = StaticFile(body.encode(), TYPES[".js"])
        whole = hashlib.sha256()
        for name, file in sorted(self._files.items()):
            whole.update(name.encode() + b"\0" + file.body + b"\0")
        self.digest = whole.hexdigest()[:16]

    def url(self, name: str) -> str:
        """The address of a file, such as `screens/base.css`. KeyError when there is none."""
        if name not in self._files:
            raise KeyError(name)
        return f"/static/{self.digest}/{name}"

    def get(self, name: str) -> StaticFile | None:
        """The static file of this name, None where there is none."""
        return self._files.get(name)

    def names(self) -> list[str]:
        """Every file, for tests and figures."""
        return sorted(self._files)


def script_texts(file: StaticFile) -> Iterator[str]:
    """Every text that a script asks for as `t("...")`."""
    if file.media_type == TYPES[".js"]:
        for match in SCRIPT_TEXT.finditer(file.body.decode()):
            yield str(json.loads(f'"{match[1]}"'))


def _read(area: str, folder: Path) -> Iterator[tuple[str, StaticFile]]:
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            media_type = TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            yield f"{area}/{path.relative_to(folder).as_posix()}", StaticFile(path.read_bytes(), media_type)
