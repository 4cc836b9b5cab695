"""From a site file's name to `Settings`, or to every fault at once.

In: the site file, what the drivers, the uplinks and the kinds of assets bring, the shipped configuration. Out:
`Settings`. Reads files; opens no connection.

    site file ---> sections ---> links, devices, tables ---> points --+
                        \\--> rule packs, overrides -------------------+--> rows --> Settings
                        \\--> uplinks ---------------------------------+
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

from gateway.model.errors import ConfigError, Fault
from gateway.model.rule import ResolvedRule
from gateway.model.rule_pack import PackInForce
from gateway.ports import DriverKind, UplinkKind
from gateway.settings.asset_plan import AssetPlanner, with_derived
from gateway.settings.binding import Binder, Field
from gateway.settings.digest import digest_of
from gateway.settings.document import Document
from gateway.settings.hazard_catalogue import Hazards, check_hazards, read_hazards
from gateway.settings.kept_packs import KeptPack, kept_packs
from gateway.settings.kind import AssetKind, AssetPlan, Planning
from gateway.settings.library import Library, site_path
from gateway.settings.library import config_root as shipped_root
from gateway.settings.open_doors import warn_of_open_doors
from gateway.settings.pack_reading import read_packs
from gateway.settings.replacing import replace_values
from gateway.settings.resolving import Resolver
from gateway.settings.rule_cards import CardLine, cards_of, read_cards, warn_of_missing_cards
from gateway.settings.rulepack import Packs
from gateway.settings.secrets import warn_of_missing_files
from gateway.settings.settings import BoundUplink, Settings
from gateway.settings.shapes import FileShapes, shapes_of
from gateway.settings.site import SiteParts
from gateway.settings.site_reading import read_site
from gateway.settings.source import read_document
from gateway.settings.tables import TableReader
from gateway.settings.uplinks import bind_uplinks


@dataclass(frozen=True, slots=True, eq=False)
class _Brought:
    """What drivers, uplinks and kinds of assets bring."""

    drivers: Mapping[str, DriverKind]
    uplinks: Mapping[str, UplinkKind]
    shapes: FileShapes


@dataclass(frozen=True, slots=True, eq=False)
class _Whole:
    """Everything that is valid of a site, whether or not the rest is."""

    site: SiteParts
    field: Field
    plan: AssetPlan
    rules: tuple[ResolvedRule, ...]
    hazards: Hazards
    cards: tuple[CardLine, ...]
    uplinks: tuple[BoundUplink, ...]
    packs: tuple[PackInForce, ...]


def load(
    site_file: Path | str,
    drivers: Mapping[str, DriverKind],
    uplinks: Mapping[str, UplinkKind],
    kinds: Sequence[AssetKind],
    *,
    config_root: Path | None = None,
    replace: Mapping[str, object] | None = None,
    packs: Sequence[KeptPack] | None = None,
) -> Settings:
    """Read, merge and check one site. Raises ConfigError with every fault of every file, in file and line order.

    `packs` are the regulator's that count; without it those that the box took. One that no longer fits the site is then
    left out with a warning: what a regulator offered must never stop the judging.
    """
    root = config_root or shipped_root()
    path = site_path(Path(site_file), root)
    brought = _Brought(drivers, uplinks, shapes_of(tuple(kinds)))
    known = packs if packs is not None else _taken(path, replace or {}, brought.shapes)
    try:
        return _load(path, root, brought, replace or {}, known)
    except ConfigError as error:
        if packs is not None or not known:
            raise
        settings = _load(path, root, brought, replace or {}, ())
        left_out = Document(settings.file)
        for fault in error.faults:
            left_out.add((), "warn.pack_left_out", packs=", ".join(pack.name for pack in known), fault=str(fault))
        return changed(settings, warnings=(*settings.warnings, *left_out.faults))


def _taken(path: Path, replaced: Mapping[str, object], shapes: FileShapes) -> tuple[KeptPack, ...]:
    """What lies in the data folder that the site file names."""
    document = read_document(path)
    if document.data is not None:
        replace_values(document, replaced)
    storage = read_site(document, shapes).storage
    return kept_packs(storage.folder) if storage is not None else ()


def _load(
    path: Path,
    root: Path,
    brought: _Brought,
    replaced: Mapping[str, object],
    kept: Sequence[KeptPack],
) -> Settings:
    opened: dict[Path, Document] = {path: read_document(path)}
    document, drivers, shapes = opened[path], brought.drivers, brought.shapes
    if document.data is not None:
        replace_values(document, replaced)
    library = Library.of_site(path, root)
    site = read_site(document, shapes)
    bound = Binder(document, site, drivers, TableReader(drivers, library, opened)).bind()
    read = read_packs(document, site, library, kept, opened, shapes)
    packs = read.packs
    hazards = _read_hazards(document, packs, library, opened)
    planner = AssetPlanner(Planning(document, site, root, opened), shapes.kinds, bound)
    plan = planner.plan(packs)
    derived = [point for model in plan.models() for point in model.outputs]
    field = with_derived(document, bound, [*planner.measured(), *derived])
    rows = Resolver(document, site, packs, field, planner.rules(packs, field.points), planner.ruled).resolve()
    cards = read_cards(library, opened)
    warn_of_missing_cards(packs, cards)
    told = bind_uplinks(document, site, brought.uplinks)
    whole = _Whole(site, field, plan.with_limits(rows), rows, hazards, cards, told, read.in_force)
    _warn_of_values(document, whole, shapes.kinds)
    faults = [fault for each in opened.values() for fault in each.faults]
    warnings = [warning for each in opened.values() for warning in each.warnings]
    if faults:
        raise ConfigError(faults, more_may_follow=any(each.cut_short for each in opened.values()))
    return _settle(document.file, whole, warnings, shapes.kinds)


def _settle(file: str, whole: _Whole, warnings: list[Fault], kinds: tuple[AssetKind, ...]) -> Settings:
    """The frozen whole of a site without faults."""
    site = whole.site
    sections: dict[str, Any] = {
        "box": site.box,
        "site": site.site,
        "storage": site.storage,
        "web": site.web,
        "alarms": site.alarms,
        "escalation": site.escalation,
        "identity": site.identity,
    }
    catalogue = whole.hazards.catalogue
    assert catalogue is not None, "no catalogue without a fault"
    assert None not in sections.values(), "no section is missing without a fault"
    files = {"assets": site.assets, "hazards": whole.hazards.files}
    digest = digest_of({**sections, **files}, whole.field.links, whole.rules, whole.uplinks)
    return Settings(
        file=file,
        assets=site.assets,
        links=whole.field.links,
        points=whole.field.points,
        plan=whole.plan,
        rules=whole.rules,
        hazards=catalogue,
        cards=cards_of((rule.info.rule_id for rule in whole.rules), whole.cards),
        uplinks=whole.uplinks,
        digest=digest,
        rule_packs=whole.packs,
        warnings=tuple(sorted(set(warnings))),
        kinds=kinds,
        **sections,
    )


def _read_hazards(document: Document, packs: Packs, library: Library, opened: dict[Path, Document]) -> Hazards:
    hazards = read_hazards(library, opened)
    if hazards.catalogue is not None:
        check_hazards(packs, hazards.catalogue)
    elif not library.names("hazards"):
        document.add((), "hazard.none")
    return hazards


def _warn_of_values(document: Document, whole: _Whole, kinds: Sequence[AssetKind]) -> None:
    storage, present = whole.site.storage, set(whole.site.asset_kinds.values())
    wanted_days = max((kind.history_days for kind in kinds if kind.id in present), default=0)
    if storage is not None and storage.history.max_days < wanted_days:
        path = ("storage", "history", "max_days")
        document.warn(path, "warn.retention_short", found=storage.history.max_days)
    warn_of_missing_files(document, whole.site, whole.field, whole.uplinks)
    warn_of_open_doors(document, whole.site, whole.field, whole.uplinks)
