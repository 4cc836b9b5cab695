"""Reads the hazard catalogue from `hazards/*.yaml`. Raises PackError with file, key and what was expected."""

import re
from datetime import date
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from regulator.base.packs import PackError, config_root, faults_of, read_yaml
from regulator.parts.hazards.catalogue import CatalogueItem, Edition, HazardCatalogue


class _Item(BaseModel):
    model_config = ConfigDict(frozen=True)

    code: str
    article: str
    title_zh: str
    title_en: str
    counterpart: str = ""


class _Edition(BaseModel):
    model_config = ConfigDict(frozen=True)

    edition: str
    document: str
    in_force_from: date
    hazards: tuple[_Item, ...]


def load_catalogue(folder: Path | None = None) -> HazardCatalogue:
    """All editions of a folder, oldest first."""
    root = folder or config_root() / "hazards"
    editions = [_read(path) for path in sorted(root.glob("*.yaml"))]
    if not editions:
        raise PackError([f"{root}: expected at least one edition of the hazard catalogue, <edition>.yaml"])
    return HazardCatalogue(tuple(sorted(editions, key=lambda each: each.in_force_from)))


def _read(path: Path) -> Edition:
    try:
        read = _Edition.model_validate(read_yaml(path))
    except ValidationError as error:
        raise PackError(list(faults_of(path, error))) from error
    return Edition(
        edition=read.edition,
        document=read.document,
        in_force_from=read.in_force_from,
        items=tuple(_item(path, read.edition, each) for each in read.hazards),
    )


def _item(path: Path, edition: str, item: _Item) -> CatalogueItem:
    number = re.match(r"\d+", item.article)
    if number is None:
        raise PackError([f"{path}: hazards: {item.code}: article: expected a number first; found {item.article!r}"])
    return CatalogueItem(item.code, edition, int(number[0]), item.title_zh, item.title_en, item.counterpart)
