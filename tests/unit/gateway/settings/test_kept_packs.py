"""Packs that a regulator offered and the box took: they count, and never stop a box that would judge without them."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from contract.packs import pack_sha256
from gateway.model.errors import ConfigError
from gateway.model.rule_pack import PackOrigin
from gateway.settings import Settings, load
from gateway.settings.kept_packs import KeptPack, kept_packs, pack_root
from sitewarden.composition.kinds import KINDS
from tests.unit.gateway.settings.kinds import CASES, CONFIG, DRIVERS, UPLINKS, load_site

SITE = CASES / "good-minimal.yaml"


def wind(limit: float, **changes: Any) -> dict[str, str]:
    rule = {"id": "county.moment", "family": "threshold", "kind": "tower-crane", "key": "moment_pct", "high": limit}
    words = {"severity": "P2", "reportable": True, "title_zh": "县限值", "title_en": "County limit"}
    source = {"limit_source": "local_code", "clause": "made for the test", "certainty": "M-L"}
    pack = {"version": 1, "pack": "county", "title_zh": "县包", "title_en": "County", "rules": [rule | words | source]}
    return {"county.yaml": yaml.safe_dump(pack | changes, allow_unicode=True)}


def keep(folder: Path, files: dict[str, str], name: str = "county", sha256: str = "") -> KeptPack:
    """As the box's office lays a pack down and takes it."""
    digest = sha256 or pack_sha256(files)
    place = pack_root(folder, digest) / "rules"
    place = place / name if "pack.yaml" in files else place
    place.mkdir(parents=True)
    for file, text in files.items():
        (place / file).write_bytes(text.encode())
    (folder / "rule-packs" / "active.json").write_text(json.dumps({name: digest}))
    return KeptPack(name, digest, pack_root(folder, digest))


def loaded(folder: Path, **changes: Any) -> Settings:
    return load_site(SITE, **{"storage.folder": str(folder)} | changes)


def limits(settings: Settings) -> list[float]:
    return [row.limit for row in settings.rules if row.info.rule_id == "county.moment"]


def test_what_the_box_took_is_judged_by_beside_the_sites_own_packs(tmp_path: Path) -> None:
    before = loaded(tmp_path)
    pack = keep(tmp_path, wind(91))
    settings = loaded(tmp_path)
    assert (limits(before), limits(settings)) == ([], [91.0])
    assert [(each.name, each.origin) for each in settings.rule_packs] == [
        ("national", PackOrigin.SHIPPED),
        ("county", PackOrigin.REGULATOR),
    ]
    assert settings.rule_packs[1].sha256 == pack.sha256
    assert settings.digest != before.digest
    assert settings.rule_packs[0] == before.rule_packs[0]


def test_a_pack_takes_the_place_of_the_shipped_one_of_its_name(tmp_path: Path) -> None:
    files = {
        "pack.yaml": yaml.safe_dump({"version": 1, "pack": "national", "title_zh": "国", "title_en": "N"}),
        "some.yaml": yaml.safe_dump(
            {"version": 1, "pack": "national", "rules": yaml.safe_load(wind(92)["county.yaml"])["rules"]}
        ),
    }
    keep(tmp_path, files, "national")
    settings = loaded(tmp_path)
    assert {row.info.rule_id for row in settings.rules} == {"county.moment"}
    assert [each.origin for each in settings.rule_packs] == [PackOrigin.REGULATOR]


def test_a_pack_that_no_longer_fits_is_left_out_and_said(tmp_path: Path) -> None:
    keep(tmp_path, wind(91, rules=[{"id": "county.moment", "family": "no such family"}]))
    settings = loaded(tmp_path)
    assert limits(settings) == []
    assert [each.name for each in settings.rule_packs] == ["national"]
    warned = [str(each) for each in settings.warnings if each.code == "warn.pack_left_out"]
    assert any("county" in text and "no such family" in text for text in warned)


def test_a_candidate_with_a_fault_is_an_error(tmp_path: Path) -> None:
    pack = keep(tmp_path, wind(91, rules=[{"id": "county.moment", "family": "no such family"}]))
    with pytest.raises(ConfigError, match="no such family"):
        load_packs(tmp_path, pack)


def load_packs(folder: Path, *packs: KeptPack) -> Settings:
    replaced = {"storage.folder": str(folder)}
    return load(SITE, DRIVERS, UPLINKS, KINDS, config_root=CONFIG, replace=replaced, packs=packs)


def test_a_fault_of_the_site_file_is_not_blamed_on_a_pack(tmp_path: Path) -> None:
    keep(tmp_path, wind(91))
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, rule_packs=["nowhere"])
    assert all("county" not in fault.file for fault in caught.value.faults)


@pytest.mark.parametrize("content", ["", "[]", "{", '{"county": 3}', '{"county": "../../etc"}'])
def test_a_list_that_cannot_be_understood_costs_the_packs_and_nothing_else(tmp_path: Path, content: str) -> None:
    keep(tmp_path, wind(91))
    (tmp_path / "rule-packs" / "active.json").write_text(content)
    assert kept_packs(tmp_path) == ()
    assert limits(loaded(tmp_path)) == []


def test_a_pack_whose_file_was_changed_on_the_disk_does_not_count(tmp_path: Path) -> None:
    pack = keep(tmp_path, wind(91))
    assert kept_packs(tmp_path) == (pack,)
    (pack.root / "rules" / "county.yaml").write_bytes(wind(191)["county.yaml"].encode())
    assert kept_packs(tmp_path) == ()
    assert limits(loaded(tmp_path)) == []
