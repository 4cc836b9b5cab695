"""The catalogue of major hazards: complete in both editions, judged by the day, and what its files may get wrong."""

import re
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from gateway.model.errors import ConfigError
from gateway.model.hazard import HazardCatalogue, HazardEvidence, HazardReference, day_of
from gateway.settings import Settings
from gateway.settings.document import Document
from gateway.settings.hazard_catalogue import read_hazards
from gateway.settings.library import Library
from tests.unit.gateway.settings.kinds import CASES, CONFIG, load_case, load_site

ITEMS_2024 = {4: 5, 5: 4, 6: 4, 7: 3, 8: 9, 9: 5, 10: 2, 11: 4, 12: 2, 13: 7, 14: 3, 15: 3}
BEFORE, AFTER = date(2024, 6, 1), date(2025, 6, 1)


@pytest.fixture(scope="module")
def catalogue() -> HazardCatalogue:
    found = read_hazards(Library((CONFIG,)), {}).catalogue
    assert found is not None
    return found


def _first_level(codes: list[str]) -> dict[int, set[str]]:
    items: dict[int, set[str]] = {}
    for code in codes:
        article, *item = code.split("-")[1:]
        items.setdefault(int(article), set()).add(item[0] if item else "")
    return items


def test_the_2024_edition_has_its_51_items_and_articles_16_and_17(catalogue: HazardCatalogue) -> None:
    items = _first_level([hazard.code for hazard in catalogue.newest.hazards])
    assert {article: len(found) for article, found in items.items() if article < 16} == ITEMS_2024
    assert sum(ITEMS_2024.values()) == 51
    assert (items[16], items[17]) == ({""}, {""})
    assert len([hazard for hazard in catalogue.newest.hazards if hazard.code.startswith("MH24-5-4-")]) == 4


def test_every_item_says_what_shows_it_and_how_sure_it_is(catalogue: HazardCatalogue) -> None:
    for edition in catalogue.editions:
        for hazard in edition.hazards:
            assert hazard.evidence
            assert hazard.certainty in ("V1", "M-H")
            assert re.search("[一-鿿]", hazard.title_zh)
            assert not re.search("[一-鿿]", hazard.title_en)
            assert len(hazard.title_zh) <= 60, "our own short words, not the clause's"
    strong = catalogue.find("MH24-15-2")
    assert strong is not None
    assert strong.evidence == (HazardEvidence.SENSOR,)


def test_a_hazard_is_judged_under_the_edition_of_its_day_and_both_codes_are_shown(catalogue: HazardCatalogue) -> None:
    assert catalogue.reference("MH24-8-4", BEFORE) == HazardReference("MH22-8-5", "2022", "MH24-8-4", "2024")
    assert catalogue.reference("MH24-8-4", AFTER) == HazardReference("MH24-8-4", "2024", "MH22-8-5", "2022")
    assert catalogue.reference("MH22-8-5", AFTER) == HazardReference("MH24-8-4", "2024", "MH22-8-5", "2022")


def test_what_was_no_item_then_has_no_code_then(catalogue: HazardCatalogue) -> None:
    assert catalogue.reference("MH24-8-8", BEFORE) == HazardReference("", "2022", "MH24-8-8", "2024")
    assert catalogue.reference("MH24-8-8", AFTER) == HazardReference("MH24-8-8", "2024", "", "2022")
    assert catalogue.reference("MH22-7-5", AFTER) == HazardReference("", "2024", "MH22-7-5", "2022")


def test_an_edition_counts_from_its_first_day_on(catalogue: HazardCatalogue) -> None:
    first = catalogue.newest.in_force_from
    assert catalogue.judged_under(first).edition == "2024"
    assert catalogue.judged_under(first - timedelta(days=1)).edition == "2022"
    assert catalogue.judged_under(date(2000, 1, 1)).edition == "2022", "before all of them, the oldest"
    assert catalogue.newest.certainty == "M-M", "the day is to be confirmed"


def test_a_day_is_beijings() -> None:
    before_midnight = datetime(2024, 12, 12, 15, 59, 59, tzinfo=UTC)
    assert day_of(int(before_midnight.timestamp() * 1e9)) == date(2024, 12, 12)
    assert day_of(int(before_midnight.timestamp() * 1e9) + 10**9) == date(2024, 12, 13)


def test_a_code_that_no_edition_has_is_an_error(catalogue: HazardCatalogue) -> None:
    assert catalogue.find("MH24-8-10") is None
    with pytest.raises(KeyError):
        catalogue.reference("MH24-8-10", AFTER)


def _broken(tmp_path: Path, change: str, to: str) -> list[tuple[str, str]]:
    """The faults of the 2024 file with one piece of text changed."""
    folder = tmp_path / "hazards"
    shutil.copytree(CONFIG / "hazards", folder)
    text = (folder / "2024.yaml").read_text(encoding="utf-8")
    assert change in text
    (folder / "2024.yaml").write_text(text.replace(change, to, 1), encoding="utf-8")
    opened: dict[Path, Document] = {}
    assert read_hazards(Library((tmp_path,)), opened).catalogue is None
    return [(fault.code, fault.found) for document in opened.values() for fault in document.faults]


@pytest.mark.parametrize(
    ("change", "to", "code"),
    [
        ("code: MH24-8-4,", "code: MH24-8-3,", "hazard.missing"),
        ("code: MH24-8-4,", "code: MH22-8-4,", "hazard.code"),
        ("counterpart: MH22-8-5", "counterpart: MH22-8-9", "choice.near"),
        ('edition: "2024"', 'edition: "2023"', "pack.name"),
        ("evidence: [S]", "evidence: [X]", "choice"),
        ('"2024-12-13"', '"soon"', "other"),
    ],
)
def test_a_broken_catalogue_is_refused(tmp_path: Path, change: str, to: str, code: str) -> None:
    assert code in {found for found, _ in _broken(tmp_path, change, to)}


def test_a_site_may_correct_the_day_beside_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "hazards").mkdir()
    text = (CONFIG / "hazards" / "2024.yaml").read_text(encoding="utf-8").replace("2024-12-13", "2024-12-26")
    (tmp_path / "hazards" / "2024.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "site.yaml").write_text((CASES / "good-minimal.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    own, shipped = load_site(tmp_path / "site.yaml"), load_case("good-minimal")
    assert own.hazards.judged_under(date(2024, 12, 20)).edition == "2022"
    assert shipped.hazards.judged_under(date(2024, 12, 20)).edition == "2024"
    assert own.digest != shipped.digest


@pytest.fixture(scope="module")
def demo() -> Settings:
    return load_site("demo")


def test_every_hazard_that_a_rule_names_is_in_the_catalogue_and_only_suspected(demo: Settings) -> None:
    named = [rule for rule in demo.rules if rule.info.hazard]
    assert {"MH24-8-4", "MH24-5-4-1"} <= {rule.info.hazard for rule in named}
    for rule in named:
        assert demo.hazards.find(rule.info.hazard) is not None
        assert rule.suspected


def _pack_with(tmp_path: Path, **keys: object) -> list[str]:
    rule = {"id": "own.rule", "family": "threshold", "kind": "tower-crane", "key": "moment_pct", "high": 120}
    words = {"severity": "P2", "reportable": True, "title_zh": "规则", "title_en": "Rule"}
    source = {"limit_source": "product_default", "clause": "product default", "certainty": "PD"}
    pack = {"version": 1, "pack": "own", "title_zh": "包", "title_en": "Pack", "rules": [rule | words | source | keys]}
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "own.yaml").write_text(yaml.safe_dump(pack, allow_unicode=True), encoding="utf-8")
    (tmp_path / "site.yaml").write_text((CASES / "good-minimal.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_site(tmp_path / "site.yaml", rule_packs=["own"])
    return [fault.code for fault in caught.value.faults]


def test_a_rule_with_an_unknown_hazard_is_refused(tmp_path: Path) -> None:
    assert _pack_with(tmp_path, hazard="MH24-8-14", suspected=True) == ["choice.near"]


def test_a_rule_never_confirms_a_hazard(tmp_path: Path) -> None:
    assert _pack_with(tmp_path, hazard="MH24-8-4") == ["rule.hazard_suspected"]
