"""Where configuration files lie: in a checkout, in an installed wheel, and beside a site file.

In: names. Out: paths, and the names that would have been found. Reads no file's content.

A site's own `devices/` and `rules/` folders beside its file are looked into first, then the shipped ones.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import gateway
from gateway.settings.document import Document
from gateway.settings.source import read_document

Shelf = Literal["devices", "rules"]


def config_root() -> Path:
    """The shipped `config/` folder: inside the package when installed from a wheel, else at the checkout's root."""
    package = Path(gateway.__file__).resolve().parent
    installed = package / "config"
    return installed if installed.is_dir() else package.parent / "config"


def site_path(site_file: Path, root: Path) -> Path:
    """The site file itself; a bare word such as `demo` means the shipped site of that name."""
    is_word = len(site_file.parts) == 1 and not site_file.suffix
    return root / "sites" / f"{site_file}.yaml" if is_word and not site_file.is_file() else site_file


@dataclass(frozen=True, slots=True)
class Library:
    """The folders that hold device tables and rule packs, in the order they are looked into."""

    folders: tuple[Path, ...]

    @classmethod
    def of_site(cls, site_file: Path, root: Path) -> "Library":
        """The site's own folder first, then the shipped one."""
        return cls((site_file.parent, root))

    def find(self, shelf: Shelf, name: str) -> Path | None:
        """The file of this name, None when there is none. The name must have passed the name pattern."""
        paths = (folder / shelf / f"{name}.yaml" for folder in self.folders)
        return next((path for path in paths if path.is_file()), None)

    def names(self, shelf: Shelf) -> set[str]:
        """All names that `find` would find."""
        return {path.stem for folder in self.folders for path in (folder / shelf).glob("*.yaml")}


def read_named(library: Library, shelf: Shelf, name: str, opened: dict[Path, Document]) -> tuple[Path, Document] | None:
    """The document of this name, read once; None when there is no such file."""
    path = library.find(shelf, name)
    if path is None:
        return None
    if path not in opened:
        opened[path] = read_document(path)
    return path, opened[path]
