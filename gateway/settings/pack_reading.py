"""The rule packs that a site is judged by: those it names, each from the nearest place that has it.

    what the regulator offered and the box took  >  the site's own `rules/`  >  the shipped ones

A pack of the regulator's that the site does not name comes after those that it names. In: names, folders. Out: the
merged rules, and which packs they are. Faults go to the site file and the packs' own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from contract.packs import pack_sha256
from gateway.model.rule_pack import PackInForce, PackOrigin
from gateway.settings.checking import choice
from gateway.settings.document import Document
from gateway.settings.kept_packs import KeptPack, files_of
from gateway.settings.library import Library, opened_once, parts_of
from gateway.settings.rulepack import Packs, read_pack
from gateway.settings.site import SiteParts


@dataclass(frozen=True, slots=True)
class ReadPacks:
    """The rules of all packs, and each pack in the order of reading."""

    packs: Packs
    in_force: tuple[PackInForce, ...]


def read_packs(
    document: Document, site: SiteParts, library: Library, kept: Sequence[KeptPack], opened: dict[Path, Document]
) -> ReadPacks:
    """Read them all. `document` is the site file."""
    packs, in_force = Packs(), []
    own = {pack.name: pack for pack in kept}
    for name, head in _heads(document, site, library, own).items():
        read_pack({part: opened_once(part, opened) for part in parts_of(head)}, packs)
        in_force.append(PackInForce(name, _digest(head), _origin(name, head, library, own)))
    return ReadPacks(packs, tuple(in_force))


def _heads(document: Document, site: SiteParts, library: Library, own: Mapping[str, KeptPack]) -> dict[str, Path]:
    heads: dict[str, Path] = {}
    for path, name in site.rule_packs:
        found = (own[name].head if name in own else None) or library.find("rules", name)
        if found is None:
            document.cut_short = True
            choice(document, path, name, library.names("rules"))
        else:
            heads[name] = found
    more = {pack.name: pack.head for pack in own.values() if pack.name not in heads}
    return heads | {name: head for name, head in more.items() if head is not None}


def _origin(name: str, head: Path, library: Library, own: Mapping[str, KeptPack]) -> PackOrigin:
    if name in own and head == own[name].head:
        return PackOrigin.REGULATOR
    return PackOrigin.SHIPPED if head.is_relative_to(library.folders[-1] / "rules") else PackOrigin.SITE


def _digest(head: Path) -> str:
    """Empty for files that went away meanwhile: then there is a fault that says so."""
    try:
        return pack_sha256(files_of(head))
    except OSError:
        return ""
