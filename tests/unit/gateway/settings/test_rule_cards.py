"""Rule cards: every alarming rule that ships has one, every card names a rule, and what a card file may get wrong."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from gateway.model.alarm import Severity
from gateway.model.errors import ConfigError
from gateway.model.rule_card import RuleCard
from gateway.parts.pit.model.items import ITEMS, DesignShare, PitItem
from gateway.parts.pit.settings.merged_tables import PitLimitTables
from gateway.settings import Settings
from gateway.settings.document import Document
from gateway.settings.library import Library, opened_once, parts_of
from gateway.settings.pack_reading import read_pack
from gateway.settings.rule_cards import CardLine, cards_of, read_cards
from gateway.settings.rulepack import Packs
from gateway.settings.shapes import shapes_of
from sitewarden.composition.kinds import KINDS
from tests.fakes.loaded_site import crane_asset, pit_asset, write_site
from tests.unit.gateway.settings.kinds import CONFIG, load_site

PACKS = sorted(Library((CONFIG,)).names("rules"))
GOOD = {
    "rules": ["crane.moment.alarm"],
    "cause_zh": "原因",
    "cause_en": "Cause",
    "consequence_zh": "后果",
    "consequence_en": "Consequence",
    "steps_zh": ["停"],
    "steps_en": ["Stop"],
    "respond_within_s": 60,
    "owner_zh": "安全员",
    "owner_en": "Safety officer",
    "source": "product advice",
    "source_zh": "产品建议",
    "certainty": "PD",
}


@pytest.fixture(scope="module")
def lines() -> tuple[CardLine, ...]:
    opened: dict[Path, Document] = {}
    found = read_cards(Library((CONFIG,)), opened)
    assert [fault for document in opened.values() for fault in document.faults] == []
    return found


@pytest.fixture(scope="module")
def packs() -> Packs:
    packs, opened = Packs(), dict[Path, Document]()
    for name in ("national", *[each for each in PACKS if each != "national"]):
        found = Library((CONFIG,)).find("rules", name)
        assert found is not None
        read_pack({part: opened_once(part, opened) for part in parts_of(found)}, packs, shapes_of(tuple(KINDS)))
    return packs


def _pit_rules(packs: Packs) -> Iterator[tuple[str, Severity]]:
    """Every rule that the packs' rows can become, on whichever item a pit measures."""
    for item, row in ((item, row) for item in PitItem for row in packs.table(PitLimitTables).rows.values()):
        told = packs.table(PitLimitTables).items.get(item)
        sides = [side.id for side in (told.high, told.low) if side is not None] if told else []
        for side in sides if sides and row.of == "cumulative" else [row.id.split(".")[0]]:
            yield f"pit.{item}.{side}.{row.id.split('.')[1]}", row.severity


def _shipped(packs: Packs) -> dict[str, Severity]:
    spelled = {rule.rule_id: rule.settings.severity for rule in packs.rules.values() if rule.settings is not None}
    return spelled | dict(_pit_rules(packs))


def _measures_everything(folder: Path) -> Settings:
    """A site whose pit has a point of every item, each with a limit of the designer's."""
    points: list[dict[str, object]] = []
    for item, facts in ITEMS.items():
        designed = {"preload_fy" if share is DesignShare.FY else f"design_{share}": 100.0 for share in facts.shares}
        control = {"clause": "S-01", "cumulative": 10.0, "rate_per_day": 1.0, **designed}
        points.append({"name": f"p-{len(points)}", "item": item.value, "by_hand": True, "control": control})
    return load_site(write_site(folder, [crane_asset(), pit_asset(points)]))


def test_every_shipped_rule_that_can_alarm_has_a_card(lines: tuple[CardLine, ...], packs: Packs) -> None:
    alarming = {rule_id for rule_id, severity in _shipped(packs).items() if severity is not Severity.LOG}
    assert len(alarming) > 300
    assert sorted(alarming - cards_of(alarming, lines).keys()) == []


def test_every_card_names_a_shipped_rule(lines: tuple[CardLine, ...], packs: Packs) -> None:
    shipped = _shipped(packs)
    assert [line.pattern for line in lines if not any(line.fits(rule_id) for rule_id in shipped)] == []


@pytest.mark.parametrize("site", ["afternoon", "demo"])
def test_every_row_of_the_shipped_sites_that_can_alarm_has_its_card(site: str) -> None:
    settings = load_site(site)
    rows = [rule.info for rule in settings.rules if rule.info.severity is not Severity.LOG]
    assert len(rows) > 50
    assert [info.rule_id for info in rows if info.rule_id not in settings.cards] == []


def test_a_pit_steps_up_from_warning_to_danger_with_another_card(lines: tuple[CardLine, ...]) -> None:
    steps = ["warn", "alarm", "danger"]
    ids = [f"pit.{PitItem.WALL_TOP_HORIZONTAL}.cumulative.{step}" for step in steps]
    cards = cards_of(ids, lines)
    times = [cards[rule_id].respond_within_s for rule_id in ids]
    assert times == sorted(times, reverse=True)
    assert cards[ids[2]].steps_zh[0] == "停止坑内作业，人员撤离"
    assert cards[f"pit.{PitItem.WALL_TOP_HORIZONTAL}.cumulative.danger"] is not cards[ids[1]]


def test_the_gravest_are_acted_on_at_once(lines: tuple[CardLine, ...], packs: Packs) -> None:
    for rule_id, severity in _shipped(packs).items():
        if severity is Severity.P1:
            assert cards_of([rule_id], lines)[rule_id].respond_within_s <= 120, rule_id


def test_a_card_is_short_and_each_language_stands_in_its_place(lines: tuple[CardLine, ...]) -> None:
    owners: dict[str, str] = {}
    for card in {line.card for line in lines}:
        chinese = (card.cause_zh, card.consequence_zh, card.owner_zh, *card.steps_zh)
        english = (card.cause_en, card.consequence_en, card.owner_en, *card.steps_en)
        assert all(re.search("[一-鿿]", text) for text in chinese), card
        assert not any(re.search("[一-鿿]", text) for text in english), card
        assert not any(text.endswith((".", "。")) for text in (*chinese, *english)), card
        assert owners.setdefault(card.owner_zh, card.owner_en) == card.owner_en
        figures = re.findall(r"\d[\d.]*", card.source)
        assert sorted(figures) == sorted(re.findall(r"\d[\d.]*", card.source_zh)), "the same clauses and figures"


def test_a_loss_of_preload_is_told_apart_from_too_much_force(lines: tuple[CardLine, ...]) -> None:
    high, low = (f"pit.{PitItem.STRUT_FORCE}.{side}.danger" for side in ("load_high", "load_low"))
    cards = cards_of([high, low], lines)
    assert "骤降" in cards[low].cause_zh
    assert "骤降" not in cards[high].cause_zh


def _card(**changes: object) -> dict[str, object]:
    return {key: value for key, value in (GOOD | changes).items() if value is not None}


def _site_with(folder: Path, cards: list[dict[str, object]], name: str = "own.yaml") -> Settings:
    path = write_site(folder, [crane_asset()])
    (folder / "cards").mkdir()
    written = yaml.safe_dump({"version": 1, "cards": cards}, allow_unicode=True)
    (folder / "cards" / name).write_text(written, encoding="utf-8")
    return load_site(path)


def test_a_sites_own_card_beats_the_shipped_one_and_leaves_the_others(tmp_path: Path) -> None:
    settings = _site_with(
        tmp_path / "site", [_card(steps_zh=["按本工地预案处置"], steps_en=["Follow the site's plan"])]
    )
    assert settings.cards["crane.moment.alarm"].steps_zh == ("按本工地预案处置",)
    assert settings.cards["crane.moment.violation"].steps_zh != ("按本工地预案处置",)


def test_a_sites_own_pattern_beats_a_shipped_id(tmp_path: Path) -> None:
    settings = _site_with(tmp_path / "site", [_card(rules=["crane.moment.*"])])
    assert settings.cards["crane.moment.alarm"].cause_zh == "原因"
    assert settings.cards["crane.load.alarm"].cause_zh != "原因"


def test_a_file_of_the_same_name_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    settings = _site_with(tmp_path / "site", [_card()], "crane.yaml")
    assert settings.cards["crane.moment.alarm"].cause_zh == "原因"
    assert "crane.load.alarm" not in settings.cards
    assert "device.silence" in settings.cards


def test_cards_are_no_part_of_what_a_box_judges_by(tmp_path: Path) -> None:
    plain = load_site(write_site(tmp_path / "site", [crane_asset()]))
    assert _site_with(tmp_path / "site", [_card()]).digest == plain.digest


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"steps_zh": ["停", "看"]}, "cards[0]"),
        ({"steps_zh": []}, "cards[0].steps_zh"),
        ({"steps_zh": ["一", "二", "三", "四"]}, "cards[0].steps_zh"),
        ({"steps_zh": ["长" * 25]}, "cards[0].steps_zh[0]"),
        ({"respond_within_s": 0}, "cards[0].respond_within_s"),
        ({"owner_en": None}, "cards[0].owner_en"),
        ({"certainty": "V1"}, "cards[0]"),
        ({"source": "GB 5144-2006 6.1.2"}, "cards[0]"),
        ({"source_zh": "GB 5144-2006 6.1.2"}, "cards[0]"),
        ({"source_zh": None}, "cards[0].source_zh"),
        ({"rules": []}, "cards[0].rules"),
        ({"rules": ["Crane Moment"]}, "cards[0].rules[0]"),
        ({"rules": ["crane.swing", "crane.swing"]}, "cards[0].rules[1]"),
        ({"cure": "wait"}, "cards[0].cure"),
    ],
)
def test_a_fault_in_a_card_says_its_file_and_place(tmp_path: Path, changes: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _site_with(tmp_path / "site", [_card(**changes)])
    assert [(Path(fault.file).name, fault.key) for fault in caught.value.faults] == [("own.yaml", key)]


def test_a_rule_of_the_site_that_alarms_without_a_card_is_told(tmp_path: Path) -> None:
    (tmp_path / "site" / "rules").mkdir(parents=True)
    shape = {"family": "threshold", "kind": "tower-crane", "key": "moment_pct", "high": 95, "reportable": False}
    shape |= {"title_zh": "自有规则", "title_en": "Own rule", "limit_source": "product_default", "clause": "own"}
    rules = [{"severity": severity, "certainty": "PD", **shape} for severity in ("P3", "log")]
    pack = {"version": 1, "pack": "own", "title_zh": "自有", "title_en": "Own", "rules": rules}
    rules[0]["id"], rules[1]["id"] = "own.alarms", "own.notes"
    (tmp_path / "site" / "rules" / "own.yaml").write_text(yaml.safe_dump(pack, allow_unicode=True), encoding="utf-8")
    path = write_site(tmp_path / "site", [crane_asset()], packs=("national", "own"))
    told = [fault for fault in load_site(path).warnings if fault.code == "warn.no_card"]
    assert [(Path(fault.file).name, fault.key) for fault in told] == [("own.yaml", "rules[0].id")]
    assert "own.alarms" in told[0].found


def test_an_id_is_not_read_as_a_pattern() -> None:
    card = RuleCard(**{key: value for key, value in GOOD.items() if key != "rules"})  # type: ignore[arg-type]
    assert not CardLine("crane.moment.alarm", card, own=False).fits("crane-moment-alarm")
    assert not CardLine("crane.moment", card, own=False).fits("crane.moment.alarm")
    assert CardLine("crane.*.alarm", card, own=False).fits("crane.moment.alarm")


def test_a_pit_that_measures_everything_has_a_card_for_every_row(tmp_path: Path) -> None:
    settings = _measures_everything(tmp_path / "site")
    rows = {rule.info.rule_id for rule in settings.rules if rule.info.severity is not Severity.LOG}
    items = {rule_id.split(".")[1] for rule_id in rows if rule_id.startswith("pit.")}
    assert {item.value for item in PitItem} <= items
    assert f"pit.{PitItem.STRUT_FORCE}.load_low.danger" in rows
    assert sorted(rows - settings.cards.keys()) == []
