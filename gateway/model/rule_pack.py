"""A rule pack that is in force on the box."""

from dataclasses import dataclass
from enum import StrEnum


class PackOrigin(StrEnum):
    """Where a pack's files came from."""

    SHIPPED = "shipped"
    SITE = "site"
    REGULATOR = "regulator"


@dataclass(frozen=True, slots=True)
class PackInForce:
    """`sha256` as `contract.packs.pack_sha256` makes it: the same for the same files, wherever they lie."""

    name: str
    sha256: str
    origin: PackOrigin
