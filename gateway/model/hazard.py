"""Major accident hazards (重大事故隐患): the items of each edition of the national criteria, and which edition counts.

In: built by the settings from the catalogue files. Out: read by whoever names a hazard. A machine only ever suspects a
hazard; a person or a passed deadline confirms it. Knows nothing of files and rules.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

BEIJING = timezone(timedelta(hours=8))


class HazardEvidence(StrEnum):
    """What can show that a hazard is there; of several, several are needed."""

    SENSOR = "S"
    VISION = "V"
    RECORDS = "J"
    HUMAN = "H"


@dataclass(frozen=True, slots=True)
class Hazard:
    """One item, in words of our own. `code` such as MH24-8-4 is ours too; `article` is as the document counts.

    `counterpart` is the same hazard's code in the other edition, empty where that edition has none.
    """

    code: str
    article: str
    title_zh: str
    title_en: str
    evidence: tuple[HazardEvidence, ...]
    counterpart: str
    certainty: str


@dataclass(frozen=True, slots=True)
class HazardEdition:
    """One edition of the criteria, in force from the day `in_force_from` (Beijing) until the next one is."""

    edition: str
    document: str
    title_zh: str
    title_en: str
    in_force_from: date
    certainty: str
    hazards: tuple[Hazard, ...]


@dataclass(frozen=True, slots=True)
class HazardReference:
    """A hazard as it is judged on a day, with its other name. A code is empty where that edition has no such item:
    what was no item then is not judged as one."""

    code: str
    edition: str
    other_code: str
    other_edition: str


@dataclass(frozen=True)
class HazardCatalogue:
    """All editions, oldest first. Raises ValueError without any, or when two editions share a code."""

    editions: tuple[HazardEdition, ...]
    _by_code: dict[str, tuple[HazardEdition, Hazard]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        by_code = {hazard.code: (edition, hazard) for edition in self.editions for hazard in edition.hazards}
        if not self.editions or len(by_code) != sum(len(edition.hazards) for edition in self.editions):
            raise ValueError("a catalogue has editions, and every code once")
        object.__setattr__(self, "editions", tuple(sorted(self.editions, key=lambda each: each.in_force_from)))
        object.__setattr__(self, "_by_code", by_code)

    def find(self, code: str) -> Hazard | None:
        """The item of this code in any edition."""
        found = self._by_code.get(code)
        return None if found is None else found[1]

    @property
    def newest(self) -> HazardEdition:
        """The edition that counts for what is found from its day on."""
        return self.editions[-1]

    def judged_under(self, day: date) -> HazardEdition:
        """The edition in force on this day; for a day before all of them, the oldest."""
        in_force = [edition for edition in self.editions if edition.in_force_from <= day]
        return in_force[-1] if in_force else self.editions[0]

    def reference(self, code: str, day: date) -> HazardReference:
        """The hazard under the edition in force on this day, whichever edition's code is given, and its name in the
        other. Raises KeyError for a code that no edition has."""
        own, hazard = self._by_code[code]
        judged = self.judged_under(day)
        found = self._by_code.get(hazard.counterpart)
        other = found[0] if found else next((each for each in self.editions if each is not own), own)
        names = {own.edition: code, other.edition: hazard.counterpart}
        rest = next((name for name in names if name != judged.edition), judged.edition)
        return HazardReference(names.get(judged.edition, ""), judged.edition, names[rest], rest)


def day_of(at_ns: int) -> date:
    """The day in Beijing of a time in UTC ns: editions come into force by the calendar of the site."""
    return datetime.fromtimestamp(at_ns / 1e9, BEIJING).date()
