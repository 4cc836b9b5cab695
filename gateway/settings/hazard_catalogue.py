"""Reads the catalogue of major accident hazards, `hazards/<edition>.yaml`, and checks that it is complete.

In: the site's library of configuration files. Out: a `HazardCatalogue`, or faults in the files: an article without one
of its items, a counterpart that no edition has. A site's own `hazards/` folder is looked into first, so that the day on
which an edition came into force can be corrected without a new release.
"""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from gateway.model.hazard import Hazard, HazardCatalogue, HazardEdition, HazardEvidence
from gateway.settings.checking import check, choice
from gateway.settings.document import Document, KeyPath
from gateway.settings.library import Library, opened_once
from gateway.settings.rule_shape import HazardCode
from gateway.settings.rulepack import Packs
from gateway.settings.schema import Certainty, SettingsModel, Title


class HazardEntry(SettingsModel):
    """One item of an edition, in words of our own."""

    code: HazardCode
    """MH<edition>-<article>-<item>, unique."""
    article: Annotated[str, Field(min_length=1, max_length=20)]
    """Article and item as the document counts them."""
    title_zh: Title
    """Chinese words."""
    title_en: Annotated[str, Field(min_length=1, max_length=200)]
    """English words."""
    evidence: Annotated[tuple[HazardEvidence, ...], Field(min_length=1)]
    """What can show it: S a sensor, V vision, J a join of records, H only a person. Of several, several are needed."""
    counterpart: HazardCode | None = None
    """The same hazard in the other edition."""
    certainty: Certainty
    """How sure the item is."""


class HazardFile(SettingsModel):
    """One edition of the criteria."""

    version: Literal[1]
    """Version of this file format."""
    edition: Annotated[str, Field(pattern=r"^20\d{2}$")]
    """The year, which is also the file's name."""
    document: Title
    """Number of the document."""
    title_zh: Title
    """Chinese title."""
    title_en: Annotated[str, Field(min_length=1, max_length=200)]
    """English title."""
    in_force_from: date
    """First day on which it counts."""
    certainty: Certainty
    """How sure that day is."""
    articles: Annotated[tuple[tuple[int, int], ...], Field(min_length=1)]
    """Each article with the number of its items, for the check that none is missing."""
    hazards: Annotated[tuple[HazardEntry, ...], Field(min_length=1)]
    """The items."""


@dataclass(frozen=True, slots=True, eq=False)
class Hazards:
    """The catalogue, None when a file of it has faults, and the files it was read from."""

    catalogue: HazardCatalogue | None
    files: tuple[HazardFile, ...]


def read_hazards(library: Library, opened: dict[Path, Document]) -> Hazards:
    """Read and check all editions. Faults go to their documents."""
    paths = [path for name in sorted(library.names("hazards")) if (path := library.find("hazards", name)) is not None]
    read = [(path, opened_once(path, opened)) for path in paths]
    files = [(document, check(HazardFile, document, (), document.data)) for _, document in read]
    for (path, document), (_, file) in zip(read, files, strict=True):
        if file is not None:
            _check_complete(document, path.stem, file)
    known = {entry.code for _, file in files if file is not None for entry in file.hazards}
    for document, file in files:
        if file is not None:
            _check_counterparts(document, file, known)
    good = tuple(file for document, file in files if file is not None and not document.faults)
    whole = len(good) == len(files) > 0
    return Hazards(HazardCatalogue(tuple(_edition(file) for file in good)) if whole else None, good)


def check_hazards(packs: Packs, catalogue: HazardCatalogue) -> None:
    """Every hazard that a rule names is one of the newest edition. Faults go to the packs' documents."""
    codes = {hazard.code for hazard in catalogue.newest.hazards}
    for rule in packs.rules.values():
        if rule.settings is not None and rule.settings.hazard not in (None, *codes):
            choice(rule.document, (*rule.path, "hazard"), rule.settings.hazard, codes)
    for named in packs.hazards.values():
        if named.code not in codes:
            choice(named.document, named.path, named.code, codes)


def _check_complete(document: Document, name: str, file: HazardFile) -> None:
    if file.edition != name:
        document.add(("edition",), "pack.name", found=file.edition, expected=name)
    codes = Counter(entry.code for entry in file.hazards)
    for i, entry in enumerate(file.hazards):
        path: KeyPath = ("hazards", i, "code")
        if codes[entry.code] > 1 or not entry.code.startswith(f"MH{file.edition[2:]}-"):
            document.add(path, "hazard.code", found=entry.code, edition=file.edition)
    items = {tuple(entry.code.split("-")[1:3]) for entry in file.hazards}
    for article, count in file.articles:
        wanted = {(str(article), str(item)) for item in range(1, count + 1)}
        if count == 1 and (str(article),) in items:
            continue
        missing = sorted("-".join(each) for each in wanted - items)
        if missing:
            document.add(("hazards",), "hazard.missing", article=article, missing=", ".join(missing))


def _check_counterparts(document: Document, file: HazardFile, known: set[str]) -> None:
    for i, entry in enumerate(file.hazards):
        if entry.counterpart is not None and entry.counterpart not in known:
            choice(document, ("hazards", i, "counterpart"), entry.counterpart, known)


def _edition(file: HazardFile) -> HazardEdition:
    hazards = tuple(
        Hazard(
            code=entry.code,
            article=entry.article,
            title_zh=entry.title_zh,
            title_en=entry.title_en,
            evidence=entry.evidence,
            counterpart=entry.counterpart or "",
            certainty=entry.certainty,
        )
        for entry in file.hazards
    )
    titles = file.title_zh, file.title_en
    return HazardEdition(file.edition, file.document, *titles, file.in_force_from, file.certainty, hazards)
