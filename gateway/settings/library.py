"""Where configuration files lie: in a checkout, in an installed wheel, and beside a site file.

In: names. Out: paths, and the names that would have been found. Reads no file's content.

A site's own `devices/`, `rules/`, `hazards/` and `cards/` folders beside its file are looked into first, then the
shipped ones. A rule pack is one file `<name>.yaml`, or a folder `<name>/` with a `pack.yaml` and any number of files
beside it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import gateway
from gateway.settings.document import Document
from gateway.settings.source import read_document

Shelf = Literal["devices", "rules", "hazards", "cards"]
PACK_HEAD = "pack.yaml"


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
    """The folders that hold device tables, rule packs, the hazard catalogue and the rule cards, in the order they are
    looked into."""

    folders: tuple[Path, ...]

    @classmethod
    def of_site(cls, site_file: Path, root: Path) -> "Library":
        """The site's own folder first, then the shipped one."""
        return cls((site_file.parent, root))

    def find(self, shelf: Shelf, name: str) -> Path | None:
        """The file of this name, or the head of the pack's folder; None when there is none. The name must have passed
        the name pattern."""
        paths = (path for folder in self.folders for path in _places(folder / shelf, shelf, name))
        return next((path for path in paths if path.is_file()), None)

    def names(self, shelf: Shelf) -> set[str]:
        """All names that `find` would find."""
        found = {path.stem for folder in self.folders for path in (folder / shelf).glob("*.yaml")}
        if shelf == "rules":
            found |= {path.parent.name for folder in self.folders for path in (folder / shelf).glob(f"*/{PACK_HEAD}")}
        return found


def parts_of(pack: Path) -> tuple[Path, ...]:
    """The files of a rule pack that was found, its head first, then by name."""
    if pack.name != PACK_HEAD or pack.parent.name == "rules":
        return (pack,)
    return (pack, *sorted(path for path in pack.parent.glob("*.yaml") if path != pack))


def _places(folder: Path, shelf: Shelf, name: str) -> tuple[Path, ...]:
    file = folder / f"{name}.yaml"
    return (file, folder / name / PACK_HEAD) if shelf == "rules" else (file,)


def read_named(library: Library, shelf: Shelf, name: str, opened: dict[Path, Document]) -> tuple[Path, Document] | None:
    """The document of this name, read once; None when there is no such file."""
    path = library.find(shelf, name)
    return None if path is None else (path, opened_once(path, opened))


def opened_once(path: Path, opened: dict[Path, Document]) -> Document:
    """The document at this path, read when it is asked for the first time."""
    if path not in opened:
        opened[path] = read_document(path)
    return opened[path]
