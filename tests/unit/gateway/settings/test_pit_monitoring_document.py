"""docs/pit-monitoring.md is read: its pit is a whole one, its table is taken, its ladder is the pack's."""

import re
from pathlib import Path

import pytest
import yaml

from gateway.parts.pit.hand_entry import When, parse
from gateway.parts.pit.hand_points import hand_points, pit_of
from gateway.settings import Settings, load
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.pit_box import write_pit_site

ROOT = Path(__file__).parents[4]
TEXT = (ROOT / "docs" / "pit-monitoring.md").read_text(encoding="utf-8")
SEVERITIES = {"attention": "log", "warning": "P3", "alarm": "P2", "danger": "P1"}


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The document's pit on a whole site."""
    path = write_pit_site(tmp_path)
    site = yaml.safe_load(path.read_text("utf-8"))
    site["assets"] = yaml.safe_load(block("yaml"))["assets"] + site["assets"][1:]
    path.write_text(yaml.safe_dump(site, allow_unicode=True), "utf-8")
    return load(str(path), DRIVERS, UPLINKS, KINDS)


def test_its_pit_is_a_whole_one_and_each_point_is_a_device_of_its_own(settings: Settings) -> None:
    devices = [point.device for point in settings.points.points if point.quantity.endswith("_hand")]
    assert devices == ["pit-1:zq-1_hand", "pit-1:dj-1_hand"]
    assert [fault.key for fault in settings.warnings if fault.code == "warn.asset_idle"] == ["assets[2].id"]
    judged = {rule.subject for rule in settings.rules}
    assert {"pit-1.zq-1", "pit-1.zq-1_rate", "pit-1.dj-1"} <= judged


def test_its_pit_alone_is_a_site_without_links(tmp_path: Path) -> None:
    path = write_pit_site(tmp_path)
    site = yaml.safe_load(path.read_text("utf-8"))
    site["assets"] = yaml.safe_load(block("yaml"))["assets"]
    del site["links"], site["devices"]
    path.write_text(yaml.safe_dump(site, allow_unicode=True), "utf-8")
    settings = load(str(path), DRIVERS, UPLINKS, KINDS)
    assert settings.links == ()
    assert {"pit-1.zq-1", "pit-1.dj-1_rate"} <= {rule.subject for rule in settings.rules}


def test_its_table_is_taken(settings: Settings) -> None:
    pit = pit_of(settings, "pit-1")
    assert pit is not None
    known = {each.point.name: each.known for each in hand_points(pit).values()}
    table = parse(block("csv").encode("gb18030"), "a.csv", known, When(2_000_000_000 * 10**9))
    assert [(row.point_id, row.value) for row in table.rows] == [("pit-1.zq-1_hand", 112.5), ("pit-1.dj-1_hand", 4.2)]
    assert table.faults == ()


@pytest.mark.parametrize("step", SEVERITIES)
def test_its_ladder_is_the_packs(settings: Settings, step: str) -> None:
    row = re.search(rf"^\| {step} .*?\| (?P<from>.*?) \| (?P<severity>\w+)", TEXT, re.MULTILINE)
    assert row is not None
    part = "warn" if step == "warning" else step
    rule = next(
        rule
        for rule in settings.rules
        if rule.subject == "pit-1.dj-1" and rule.info.rule_id == f"pit.surface_settlement.cumulative.{part}"
    )
    assert row["severity"] == SEVERITIES[step] == rule.info.severity.value
    ratio = 1.0 if row["from"] == "the limit" else float(re.findall(r"\d\.\d", row["from"])[0])
    assert rule.limit == pytest.approx(30 * ratio)
