"""Major accident hazards by edition: which edition judges a day, and what the other one calls the same. Pure.

What was found before an edition came into force is judged by the one before (check 16); both codes are shown. The kind
of works that an article speaks of tells where a look-alike has to be sought (举一反三).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

WORKS_OF_ARTICLE: Final[Mapping[int, str]] = {
    5: "pit",
    6: "formwork",
    7: "scaffold",
    8: "lifting",
    12: "demolition",
    13: "underground",
}
"""Articles 5 to 8, 12 and 13 of both editions speak of one group of dangerous works; the others of none."""
DEVICES_OF_WORKS: Final[Mapping[str, frozenset[str]]] = {
    "pit": frozenset({"deep_pit"}),
    "formwork": frozenset({"formwork"}),
    "scaffold": frozenset({"scaffold"}),
    "lifting": frozenset({"tower_crane", "hoist", "gantry_crane"}),
    "demolition": frozenset(),
    "underground": frozenset({"shield", "tunnel_face"}),
}
"""The kinds of devices that belong to a group of works."""


@dataclass(frozen=True, slots=True)
class CatalogueItem:
    """One item in words of our own; `article` is its number, `counterpart` its code in the other edition, or empty."""

    code: str
    edition: str
    article: int
    title_zh: str
    title_en: str
    counterpart: str


@dataclass(frozen=True, slots=True)
class Edition:
    """In force from the first moment of `in_force_from` in Shanghai until the next one is."""

    edition: str
    document: str
    in_force_from: date
    items: tuple[CatalogueItem, ...]


@dataclass(frozen=True, slots=True)
class Judged:
    """A hazard under the edition of its day, and its name in the other. A code is empty where there is no such item."""

    code: str
    edition: str
    other_code: str
    other_edition: str


@dataclass(frozen=True, slots=True)
class HazardCatalogue:
    """All editions, oldest first."""

    editions: tuple[Edition, ...]

    def find(self, code: str) -> CatalogueItem | None:
        """The item of this code in any edition."""
        return next((item for edition in self.editions for item in edition.items if item.code == code), None)

    def judged_under(self, day: date) -> Edition:
        """The edition in force; for a day before all of them, the oldest."""
        return next((each for each in reversed(self.editions) if each.in_force_from <= day), self.editions[0])

    def judge(self, code: str, day: date) -> Judged:
        """Either edition's code, under the edition of this day. Raises KeyError for a code of none."""
        item = self.find(code)
        if item is None:
            raise KeyError(code)
        judging = self.judged_under(day).edition
        other = self.find(item.counterpart)
        rest = other.edition if other else next((e.edition for e in self.editions if e.edition != item.edition), "")
        if item.edition == judging:
            return Judged(code, judging, item.counterpart, rest)
        return Judged(item.counterpart if rest == judging else "", judging, code, item.edition)

    def works_type(self, *codes: str) -> str:
        """The group of works that the first known code speaks of; empty for none."""
        found = (self.find(code) for code in codes if code)
        return next((WORKS_OF_ARTICLE.get(item.article, "") for item in found if item), "")
