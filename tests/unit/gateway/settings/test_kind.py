"""A kind of thing that nobody knew before: what one record of it makes of site files, rule packs, models and rules."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

import jsonschema
import pytest
import yaml
from pydantic import Field

from gateway.model.derivation import Derivation
from gateway.model.errors import ConfigError
from gateway.model.papers import DriverLookup
from gateway.model.quantity import Point
from gateway.model.site_shapes import KeptOutArea, SiteShapes
from gateway.model.site_standing import SiteStanding
from gateway.parts.weather.site_watch import WeatherWatch
from gateway.settings import AssetKind, AssetSettings, Settings, load, rule_pack_schema, site_schema
from gateway.settings.document import Document
from gateway.settings.kind import AssetPlan, KindPlan, KindPlanner, PackTable, Planning, Section
from gateway.settings.rulepack import Packs
from gateway.settings.schema import SettingsModel
from gateway.web.site_plan import draw
from sitewarden.composition.kinds import KINDS
from tests.unit.gateway.settings.kinds import CASES, CONFIG, DRIVERS, UPLINKS

TITLES = {"title_zh": "施工升降机", "title_en": "Hoist"}


class HoistSettings(SettingsModel):
    """A hoist."""

    cages: Annotated[int, Field(ge=1, le=2)]
    """How many cages."""


class ShaftSettings(SettingsModel):
    """A shaft beside which nobody stands."""

    side_m: float
    """Its side, metres."""


@dataclass(slots=True)
class HoistTables:
    """How many cages a pack allows, the last word counts."""

    most: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class HoistPlan(KindPlan):
    """What was read."""

    cages: Mapping[str, int]
    shafts: tuple[float, ...]
    most: tuple[int, ...]

    @property
    def watched(self) -> Sequence[str]:
        return tuple(self.cages)

    def models(self, drivers: DriverLookup, standing: SiteStanding) -> Iterator[Derivation]:
        yield from ()


class HoistPlanner(KindPlanner):
    """Refuses a hoist without a section."""

    def __init__(self, planning: Planning) -> None:
        self._planning = planning
        said = [(path, asset, asset.section(HoistSettings)) for path, asset in planning.site.asset_paths]
        self._cages = {asset.id: hoist.cages for _, asset, hoist in said if hoist is not None}
        self.measured = tuple(_counted(asset) for asset in self._cages)

    def plan(self, points: Mapping[str, Point], packs: Packs, before: Sequence[KindPlan]) -> HoistPlan:
        assert set(before) == set()
        assert {f"{asset}.trips_hand" for asset in self._cages} <= points.keys()
        shafts = tuple(shaft.side_m for _, shaft in self._planning.site.lists["shafts"])
        return HoistPlan(self._cages, shafts, tuple(packs.table(HoistTables).most))


def _counted(asset: str) -> Point:
    return Point(f"{asset}.trips_hand", asset, "trips_hand", "", f"{asset}:trips_hand", "趟数", "Trips")


def _merge(read: int, document: Document, shown: str, packs: Packs) -> None:
    if read:
        packs.table(HoistTables).most.append(read)
        assert document.data["pack"] in shown


def _drawn(assets: Sequence[AssetSettings], plan: AssetPlan) -> SiteShapes:
    assert any(asset.section(HoistSettings) for asset in assets)
    sides = plan.of(HoistPlan).shafts
    return SiteShapes(areas=tuple(KeptOutArea("forbidden", 1, ((0, 0), (side, 0), (side, side))) for side in sides))


HOIST = AssetKind(
    "material-hoist",
    ("物料提升机", "material hoist"),
    sections=(Section("hoist", HoistSettings, "A hoist as built.", before="plan"),),
    site_sections=(Section("shafts", ShaftSettings, "Shafts.", before="identity"),),
    pack_tables=(PackTable("most_cages", int, 0, "How many cages.", _merge),),
    planner=HoistPlanner,
    measured_by_hand=lambda asset: "hoist" in asset,
    history_days=90,
    drawn=_drawn,
)
WITH_HOIST = (HOIST, *KINDS)


@pytest.fixture
def written() -> dict[str, Any]:
    """A good site with a hoist, which no device reads, and a pack of its own."""
    site: dict[str, Any] = yaml.safe_load((CASES / "good-minimal.yaml").read_text(encoding="utf-8"))
    hoist = {"id": "hoist-1", "kind": "material-hoist", "serial": "H", "hoist": {"cages": 2}}
    site["assets"].append(hoist | TITLES)
    site["shafts"] = [{"side_m": 50.0}]
    site["rule_packs"].append("hoists")
    return site


PACK: dict[str, Any] = {
    "version": 1,
    "pack": "hoists",
    "title_zh": "升降机",
    "title_en": "Hoists",
    "most_cages": 1,
    "rules": [
        {
            "id": "hoist.trips",
            "family": "threshold",
            "kind": "material-hoist",
            "key": "trips_hand",
            "high": 9,
            "deadband": 0,
            "on_delay_s": 0,
            "off_delay_s": 0,
            "severity": "P3",
            "reportable": False,
            "limit_source": "product_default",
            "clause": "own",
            "certainty": "PD",
        }
        | TITLES
    ],
}


def _load(folder: Path, site: Mapping[str, Any], kinds: Sequence[AssetKind] = WITH_HOIST) -> Settings:
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "hoists.yaml").write_text(yaml.safe_dump(PACK, allow_unicode=True), encoding="utf-8")
    file = folder / "site.yaml"
    file.write_text(yaml.safe_dump(dict(site), allow_unicode=True), encoding="utf-8")
    return load(file, DRIVERS, UPLINKS, kinds, config_root=CONFIG)


def test_its_sections_tables_and_rules_count(tmp_path: Path, written: dict[str, Any]) -> None:
    settings = _load(tmp_path, written)
    plan = settings.plan.of(HoistPlan)
    assert (plan.cages, plan.shafts, plan.most) == ({"hoist-1": 2}, (50.0,), (1,))
    assert "hoist-1.trips_hand" in settings.points.index_of
    (row,) = [row for row in settings.rules if row.asset == "hoist-1" and row.info.rule_id == "hoist.trips"]
    assert (row.asset_kind, row.limit) == ("material-hoist", 9.0)
    assert [shape.kind for shape in draw(settings).shapes][-1] == "forbidden"
    assert [warning.code for warning in settings.warnings if warning.code == "warn.retention_short"] != []
    assert not any(warning.code == "warn.asset_idle" for warning in settings.warnings), "people measure it"
    assert any(isinstance(model, WeatherWatch) for model in settings.plan.models()), "weather stops it"


def test_its_sections_are_in_what_editors_show(written: dict[str, Any]) -> None:
    site, pack = site_schema(DRIVERS, UPLINKS, WITH_HOIST), rule_pack_schema(WITH_HOIST)
    jsonschema.validate(written, site)
    jsonschema.validate(PACK, pack)
    keys = list(site["$defs"]["AssetSettings"]["properties"])
    assert keys.index("hoist") == keys.index("crane") - 1
    assert keys[-1] == "plan"
    assert "shafts" not in site_schema(DRIVERS, UPLINKS, KINDS)["properties"]


def test_its_section_belongs_to_it_alone(tmp_path: Path, written: dict[str, Any]) -> None:
    written["assets"][0]["hoist"] = {"cages": 1}
    with pytest.raises(ConfigError) as refused:
        _load(tmp_path, written)
    assert [(fault.key, fault.code) for fault in refused.value.faults] == [("assets[0]", "asset.section")]


def test_where_it_is_not_in_the_list_nothing_knows_it(tmp_path: Path, written: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as refused:
        _load(tmp_path, written, KINDS)
    faults = {fault.key: fault.code for fault in refused.value.faults}
    assert faults["assets[1].kind"].startswith("choice")
    assert {"assets[1].hoist", "shafts", "rules[0].kind", "most_cages"} <= faults.keys()
    with pytest.raises(LookupError):
        AssetPlan().of(HoistPlan)
