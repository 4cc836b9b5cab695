"""What a part brings of a kind of thing that a site watches: one record, `AssetKind`.

    site file  --sections-->  planner  --plan-->  models of the kind's assets, in an order in which each reads
    rule packs --tables---->     |                only what stands before it
                                 +--rows-->       rules that the kind makes of its tables

In: what a part says of itself. Out: the record that `load` takes, beside those of drivers and uplinks. A kind is made
known in one place, the list that `load` is given; nothing here knows which kinds there are.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from gateway.model.derivation import Derivation
from gateway.model.papers import DriverLookup, nobody_known
from gateway.model.quantity import Point, PointTable
from gateway.model.rule import ResolvedRule
from gateway.model.site_shapes import NOTHING_DRAWN, SiteShapes
from gateway.model.site_standing import NOTHING_KNOWN, SiteStanding
from gateway.settings.document import Document
from gateway.settings.rulepack import MadeRule, Packs
from gateway.settings.site import SiteParts
from gateway.settings.site_file import AssetSettings

Planned = TypeVar("Planned", bound="KindPlan")


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """A key of an asset or of the site file: an entry of `schema` in an asset, a list of them in the site file.

    `text` is what editors show. It stands ahead of the key `before` there.
    """

    key: str
    schema: type[BaseModel]
    text: str
    before: str


@dataclass(frozen=True, slots=True, eq=False)
class PackTable:
    """A key of rule packs. `annotation` and `default` are what pydantic takes; `text` and `before` as in `Section`, at
    the end where `before` is ''. `merge(read, document, shown, packs)` puts what one file says into the packs; `shown`
    is the file's name."""

    key: str
    annotation: Any
    default: Any
    text: str
    merge: Callable[[Any, Document, str, Packs], None]
    before: str = ""


class KindPlan:
    """What the models of a kind's assets are built from. The same plan builds the same models, each with a state of its
    own. A kind that derives nothing has none."""

    __slots__ = ()

    @property
    def watched(self) -> Collection[str]:
        """The assets that are worked at, so that bad weather stops work there."""
        return ()

    def models(self, drivers: DriverLookup, standing: SiteStanding) -> Iterator[Derivation]:
        """The models, none of which has seen anything yet."""
        raise NotImplementedError

    def with_limits(self: Planned, rows: Sequence[ResolvedRule]) -> Planned:  # noqa: ARG002
        """The same plan, told the limits in force."""
        return self


@dataclass(frozen=True, slots=True, eq=False)
class Planning:
    """What a planner reads: the site's document, where faults go, and its valid parts. `root` is the shipped
    configuration, `opened` the files read so far."""

    document: Document
    site: SiteParts
    root: Path
    opened: dict[Path, Document]


class KindPlanner:
    """One site's assets of a kind, described. Notes faults in the site's document."""

    measured: Sequence[Point] = ()
    """The points that people measure: no device delivers them."""
    ruled: Collection[str] = ()
    """The assets whose own description makes rules; those for undescribed ones leave them out."""

    def plan(self, points: Mapping[str, Point], packs: Packs, before: Sequence[KindPlan]) -> KindPlan:
        """Everything that is valid. `points` are all that devices and people deliver, `before` the plans of the kinds
        ahead."""
        raise NotImplementedError

    def rules(self, packs: Packs, points: PointTable) -> Sequence[MadeRule]:  # noqa: ARG002
        """The rules that the kind makes of its tables, on points of the box."""
        return ()


def _never(_written: Mapping[str, Any]) -> bool:
    return False


@dataclass(frozen=True, slots=True, eq=False)
class AssetPlan:
    """What the models of a site are built from, kind by kind."""

    plans: tuple[KindPlan, ...] = ()

    def of(self, plan: type[Planned]) -> Planned:
        """The plan of one kind. Raises LookupError when the site was loaded without that kind."""
        for each in self.plans:
            if isinstance(each, plan):
                return each
        raise LookupError(plan.__name__)

    def models(
        self, drivers: DriverLookup = nobody_known, standing: SiteStanding = NOTHING_KNOWN
    ) -> tuple[Derivation, ...]:
        """All models of the box, none of which has seen anything yet."""
        return tuple(model for plan in self.plans for model in plan.models(drivers, standing))

    def with_limits(self, rows: Sequence[ResolvedRule]) -> "AssetPlan":
        """The same plan, told the limits in force."""
        return AssetPlan(tuple(plan.with_limits(rows) for plan in self.plans))


def _undrawn(_assets: Sequence[AssetSettings], _plan: AssetPlan) -> SiteShapes:
    return NOTHING_DRAWN


@dataclass(frozen=True, slots=True, eq=False)
class AssetKind:
    """A kind of thing that is watched. `titles` are Chinese and English.

    `id` is its one spelling in site files, rules, alarms, the contract and docking: the desk's alarms have it as the
    box wrote it. The desk's register of devices is another list, of what an authority registers whether or not a box
    watches it, and has words of its own (`tower_crane`, `regulator/base/kinds.py`).

    `sections` are keys of its assets, `site_sections` lists of the site file, `pack_tables` keys of rule packs.
    `planner` builds its models; a kind without one derives nothing. `measured_by_hand` says of an asset as written
    whether people measure it, so that it needs no device. `history_days` of raw data must be kept. `drawn` is what of
    it has a place of its own on the site plan.
    """

    id: str
    titles: tuple[str, str]
    sections: tuple[Section, ...] = ()
    site_sections: tuple[Section, ...] = ()
    pack_tables: tuple[PackTable, ...] = ()
    planner: Callable[[Planning], KindPlanner] | None = None
    measured_by_hand: Callable[[Mapping[str, Any]], bool] = _never
    history_days: int = 0
    drawn: Callable[[Sequence[AssetSettings], AssetPlan], SiteShapes] = _undrawn


OTHER = AssetKind("other", ("其他", "other"))
"""What is watched by points and rules alone."""
