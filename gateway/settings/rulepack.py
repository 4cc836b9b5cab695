"""Rule packs: the shape of a pack's files, and the packs of a site merged into one set of rules.

In: made by `pack_reading`. Out: one `PackRule` an id, with where it is written, and the tables that kinds of assets
make rules of. What the kinds bring is put into the shape by `shapes`. Knows nothing of points and devices.
"""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

from pydantic import Field

from gateway.settings.document import Document, KeyPath
from gateway.settings.rule_families import AnyRule, OnePointRule
from gateway.settings.schema import Certainty, Name, SettingsModel, Title

T = TypeVar("T")


class Deadline(SettingsModel):
    """How soon something has to be done, by a notice or a code. Data for those who run clocks."""

    id: Name
    """Unique in all packs."""
    within_h: Annotated[float, Field(gt=0, le=87_600)]
    """Hours from the start."""
    start: Annotated[str, Field(min_length=1, max_length=100)]
    """What starts the clock."""
    title_zh: Title
    """Chinese title."""
    title_en: Title
    """English title."""
    clause: Annotated[str, Field(min_length=1, max_length=300)]
    """Notice or clause."""
    certainty: Certainty
    """How sure it is."""


class RulePackPart(SettingsModel):
    """A file beside a pack's `pack.yaml`: some of its rules."""

    version: Literal[1]
    """Version of this file format."""
    pack: Name
    """The pack's name, which is also the folder's."""
    rules: Annotated[tuple[Any, ...], Field(min_length=1)] = ()
    """The rules; `family` chooses the other keys."""
    deadlines: tuple[Deadline, ...] = ()
    """How soon things have to be done."""


class RulePack(RulePackPart):
    """A set of rules with a name; sites list the packs they use."""

    title_zh: Title
    """Chinese title."""
    title_en: Title
    """English title."""


@dataclass(frozen=True, slots=True)
class PackRule:
    """A rule and where it is written. `settings` is None when the rule itself has faults."""

    rule_id: str
    settings: AnyRule | None
    pack: str
    origin: str
    document: Document
    path: KeyPath


@dataclass(frozen=True, slots=True)
class MadeRule:
    """A rule that a kind of asset makes of its tables, on one point. `settings` are its own.

    `while_point` is the position of a point that must say 1 for the rule to count, -1 without. `exact` False: the limit
    is an upper bound only, so that a value below it is not known to be right. `suppressed_here` names the graver rules
    of the same limit at the same point.
    """

    rule: PackRule
    settings: OnePointRule
    point_index: int
    while_point: int
    exact: bool
    suppressed_here: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NamedHazard:
    """A hazard that an entry of a table names, and where it is written."""

    code: str
    document: Document
    path: KeyPath


@dataclass(slots=True)
class Packs:
    """Everything that a site's packs say, merged. `rules` and `deadlines` are by id; `hazards` are those that tables
    name, by what names them."""

    rules: dict[str, PackRule] = field(default_factory=dict)
    deadlines: dict[str, Deadline] = field(default_factory=dict)
    hazards: dict[str, NamedHazard] = field(default_factory=dict)
    _tables: dict[type[Any], Any] = field(default_factory=dict)

    def table(self, kind: type[T]) -> T:
        """What the packs say in the tables of one kind of asset, merged so far; empty when they say nothing."""
        table: T = self._tables.setdefault(kind, kind())
        return table
