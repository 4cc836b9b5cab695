"""Rule packs that a regulator offered and the box took into force: they lie in its data folder.

    <data folder>/rule-packs/<sha256>/rules/<name>.yaml          a pack of one file, or
    <data folder>/rule-packs/<sha256>/rules/<name>/pack.yaml ... a folder, as beside a site file
    <data folder>/rule-packs/active.json                         {name: sha256} of those that count

In: the data folder. Out: `KeptPack`s whose files have the digest that they lie under; others are named and left out, so
that a damaged disk costs a pack and never the judging. Reads only.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from contract.packs import pack_sha256
from gateway.settings.library import PACK_HEAD, Library, parts_of

log = logging.getLogger(__name__)
FOLDER = "rule-packs"
ACTIVE = "active.json"
MOST_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class KeptPack:
    """`root` holds the pack's `rules` folder."""

    name: str
    sha256: str
    root: Path

    @property
    def head(self) -> Path | None:
        """The pack's file, or the head of its folder; None when there is none."""
        return Library((self.root,)).find("rules", self.name)

    @property
    def digest(self) -> str:
        """Of the files as they lie there; empty when they cannot be read."""
        head = self.head
        try:
            return "" if head is None else pack_sha256(files_of(head))
        except OSError:
            return ""

    @property
    def is_whole(self) -> bool:
        """Whether the files are those that lie under this digest."""
        return self.digest == self.sha256


def pack_root(folder: Path, sha256: str) -> Path:
    """Where the pack with this digest lies in a box's data folder."""
    return folder / FOLDER / sha256


def active_names(folder: Path) -> Mapping[str, str]:
    """{name: sha256} of what is to count. Empty when nothing was ever taken, or the file cannot be understood."""
    path = folder / FOLDER / ACTIVE
    try:
        said = json.loads(path.read_bytes()[:MOST_BYTES]) if path.exists() else {}
    except (OSError, ValueError) as error:
        log.error("event=active_packs_unreadable file=%s reason=%r", path, str(error))
        return {}
    if not isinstance(said, dict) or not all(isinstance(value, str) for value in said.values()):
        log.error("event=active_packs_unreadable file=%s reason='expected names with digests'", path)
        return {}
    return said


def kept_packs(folder: Path) -> tuple[KeptPack, ...]:
    """Those that count and are whole, in the order of their names."""
    named = [KeptPack(name, sha256, pack_root(folder, sha256)) for name, sha256 in active_names(folder).items()]
    return tuple(pack for pack in sorted(named, key=lambda pack: pack.name) if _whole(pack))


def files_of(head: Path) -> dict[str, str]:
    """The texts of a pack that was found, by file name. Raises OSError."""
    return {part.name: part.read_bytes().decode("utf-8", "replace") for part in parts_of(head)}


def is_folder_pack(files: Mapping[str, str]) -> bool:
    """Whether these files make a pack with a head and parts, and not one of a single file."""
    return PACK_HEAD in files


def _whole(pack: KeptPack) -> bool:
    if not pack.is_whole:
        log.error("event=kept_pack_damaged pack=%s expected=%s found=%r", pack.name, pack.sha256, pack.digest)
    return pack.is_whole
