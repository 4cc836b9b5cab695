"""From a site file's name to `Settings`, or to every fault at once.

In: the site file, what the drivers and the uplinks bring, the shipped configuration. Out: `Settings`. Reads files;
opens no connection.

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
from gateway.settings.asset_plan import AssetPlan, AssetPlanner, frequency_table, with_derived
from gateway.settings.binding import Binder, Field
from gateway.settings.digest import digest_of
from gateway.settings.document import Document
from gateway.settings.hazard_catalogue import Hazards, check_hazards, read_hazards
from gateway.settings.kept_packs import KeptPack, kept_packs
from gateway.settings.library import Library, site_path
from gateway.settings.library import config_root as shipped_root
from gateway.settings.open_doors import warn_of_open_doors
from gateway.settings.pack_reading import read_packs
from gateway.settings.replacing import replace_values
from gateway.settings.resolving import Resolver
from gateway.settings.rule_cards import CardLine, cards_of, read_cards, warn_of_missing_cards
from gateway.settings.rulepack import Packs
from gateway.settings.schema import AssetKind
from gateway.settings.secrets import warn_of_missing_files
from gateway.settings.settings import BoundUplink, Settings
from gateway.settings.site import SiteParts, read_site
from gateway.settings.source import read_document
from gateway.settings.tables import TableReader
from gateway.settings.uplinks import bind_uplinks

CRANE_HISTORY_DAYS = 42  # 30 working days, GB/T 28264-2017 acceptance (V2), as calendar days


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
    kinds, known = (drivers, uplinks), packs if packs is not None else _taken(path, replace or {})
    try:
        return _load(path, root, kinds, replace or {}, known)
    except ConfigError as error:
        if packs is not None or not known:
            raise
        settings = _load(path, root, kinds, replace or {}, ())
        left_out = Document(settings.file)
        for fault in error.faults:
            left_out.add((), "warn.pack_left_out", packs=", ".join(pack.name for pack in known), fault=str(fault))
        return changed(settings, warnings=(*settings.warnings, *left_out.faults))


def _taken(path: Path, replaced: Mapping[str, object]) -> tuple[KeptPack, ...]:
    """What lies in the data folder that the site file names."""
    document = read_document(path)
    if document.data is not None:
        replace_values(document, replaced)
    storage = read_site(document).storage
    return kept_packs(storage.folder) if storage is not None else ()


def _load(
    path: Path,
    root: Path,
    kinds: tuple[Mapping[str, DriverKind], Mapping[str, UplinkKind]],
    replaced: Mapping[str, object],
    kept: Sequence[KeptPack],
) -> Settings:
    opened: dict[Path, Document] = {path: read_document(path)}
    document, (drivers, uplinks) = opened[path], kinds
    if document.data is not None:
        replace_values(document, replaced)
    library = Library.of_site(path, root)
    site = read_site(document)
    bound = Binder(document, site, drivers, TableReader(drivers, library, opened)).bind()
    read = read_packs(document, site, library, kept, opened)
    packs = read.packs
    hazards = _read_hazards(document, packs, library, opened)
    planner = AssetPlanner(document, site, bound)
    plan = planner.plan(packs, frequency_table(root, opened) if planner.pits else None)
    derived = [point for model in plan.models() for point in model.outputs]
    field = with_derived(document, bound, [*planner.hand_points(), *derived])
    rows = Resolver(document, site, packs, field, planner.pits).resolve()
    cards = read_cards(library, opened)
    warn_of_missing_cards(packs, cards)
    told = bind_uplinks(document, site, uplinks)
    whole = _Whole(site, field, plan.with_marks(rows), rows, hazards, cards, told, read.in_force)
    _warn_of_values(document, whole)
    faults = [fault for each in opened.values() for fault in each.faults]
    warnings = [warning for each in opened.values() for warning in each.warnings]
    if faults:
        raise ConfigError(faults, more_may_follow=any(each.cut_short for each in opened.values()))
    return _settle(document.file, whole, warnings)


def _settle(file: str, whole: _Whole, warnings: list[Fault]) -> Settings:
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
        **sections,
    )


def _read_hazards(document: Document, packs: Packs, library: Library, opened: dict[Path, Document]) -> Hazards:
    hazards = read_hazards(library, opened)
    if hazards.catalogue is not None:
        check_hazards(packs, hazards.catalogue)
    elif not library.names("hazards"):
        document.add((), "hazard.none")
    return hazards


def _warn_of_values(document: Document, whole: _Whole) -> None:
    storage = whole.site.storage
    has_crane = AssetKind.TOWER_CRANE in whole.site.asset_kinds.values()
    if storage is not None and has_crane and storage.history.max_days < CRANE_HISTORY_DAYS:
        path = ("storage", "history", "max_days")
        document.warn(path, "warn.retention_short", found=storage.history.max_days)
    warn_of_missing_files(document, whole.site, whole.field, whole.uplinks)
    warn_of_open_doors(document, whole.site, whole.field, whole.uplinks)
