"""One person of the identity file, and what of them may be shown.

In: fields as a person or a table gives them. Out: a checked `Person`, and `MaskedPerson`. The `repr` of a person holds
no name and no number, so that neither gets into a log or a traceback. Knows no file.
"""

import re
from dataclasses import dataclass, field, replace
from datetime import date
from enum import IntEnum, StrEnum

from gateway.model.id_numbers import is_id_number, mask_id_numbers
from gateway.model.papers import driver_number

_OTHER_DOCUMENT = re.compile(r"[A-Z][A-Z0-9]{4,16}|\d{5,10}", re.ASCII)
_NAME = re.compile(r"[^\W\d_](?:[^\W_]|[ .·'-]){0,49}")


class Role(IntEnum):
    """Identity codes on a platform (人员身份): Chongqing V2, V1 [S20]."""

    UNKNOWN = 0
    DRIVER = 1
    INSPECTOR = 2
    ERECTOR = 3
    MAINTENANCE = 4
    SIGNALLER = 5
    SUPERVISOR = 6
    PROJECT_MANAGER = 7
    SAFETY_OFFICER = 8
    OTHER = 9


class CertificateKind(StrEnum):
    """Special-work certificates (特种作业操作资格证) of 建设部令166号 Art. 25 (V1), by what they allow."""

    TOWER_CRANE_DRIVER = "tower-crane-driver"
    HOIST_DRIVER = "hoist-driver"
    SIGNALLER = "signaller"
    SLINGER = "slinger"
    ERECTOR = "erector"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate. Its number may hold the ID-card number, and is treated like one. ValueError: no number."""

    kind: CertificateKind
    number: str = field(repr=False)
    valid_until: date

    def __post_init__(self) -> None:
        if not 1 <= len(self.number) <= 64 or not self.number.isprintable():
            raise ValueError("certificate number: expected 1 to 64 characters")


@dataclass(frozen=True, slots=True)
class DriverNumber:
    """The number under which a device knows a driver: on one crane, or on all (`asset` empty)."""

    number: str = field(repr=False)
    asset: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """One person in clear. Raises ValueError that names the field, never its value."""

    name: str = field(repr=False)
    id_number: str = field(default="", repr=False)
    roles: tuple[Role, ...] = ()
    driver_numbers: tuple[DriverNumber, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    person_id: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise ValueError("name: expected 1 to 50 letters")
        if self.id_number and not is_id_number(self.id_number) and not _OTHER_DOCUMENT.fullmatch(self.id_number):
            raise ValueError(
                "id_number: expected 18 characters of an ID card, or a document with a letter first or 5 to 10 digits"
            )
        if any(given.number != driver_number(given.number) or not given.number for given in self.driver_numbers):
            raise ValueError("driver_numbers: expected numbers as a device sends them, without leading zeros, not 0")


@dataclass(frozen=True, slots=True)
class MaskedCertificate:
    """A certificate as it may be shown."""

    kind: CertificateKind
    number: str
    valid_until: date


@dataclass(frozen=True, slots=True)
class MaskedPerson:
    """A person as they may be shown: the family name's first character, no ID number but its ends."""

    person_id: str
    name: str
    id_number: str
    roles: tuple[Role, ...]
    driver_numbers: tuple[DriverNumber, ...]
    certificates: tuple[MaskedCertificate, ...]


def masked(person: Person) -> MaskedPerson:
    """The person as they may be shown."""
    return MaskedPerson(
        person.person_id,
        person.name[0] + "*" * (len(person.name) - 1),
        _starred(person.id_number),
        person.roles,
        tuple(replace(given, number=mask_id_numbers(given.number)) for given in person.driver_numbers),
        tuple(MaskedCertificate(held.kind, _starred(held.number), held.valid_until) for held in person.certificates),
    )


def _starred(number: str) -> str:
    """The ends of a long number, nothing of a short one."""
    return f"{number[:2]}{'*' * (len(number) - 4)}{number[-2:]}" if len(number) >= 10 else "*" * len(number)
