"""A report of faults says when parts of the site were not checked further, and only then."""

from pathlib import Path

import pytest
import yaml

from gateway.model.errors import ConfigError
from gateway.settings import check_report, load
from sitewarden.commands.desk import load_desk
from sitewarden.composition.kinds import KINDS
from tests.unit.gateway.settings.kinds import DRIVERS, ROOT, UPLINKS, load_case

MORE_EN = "; more may follow: what has a fault is not checked further"
MORE_ZH = "；改正后可能还有其他错误：有错误的部分未继续检查"


@pytest.fixture(autouse=True)
def _in_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def refused(name: str) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        load_case(name)
    return caught.value


@pytest.mark.parametrize(
    "name",
    [
        "broken-table",
        "broken-pack",
        "unknown-packs",
        "unclosed",
        "duplicate-keys",
        "missing-sections",
        "table-of-another-driver",
        "unknown-keys",
        "wrong-lists",
        "bad-uplinks",
        "dead-references",
        "device-of-broken-link",
        "table-of-unknown-driver",
        "driver-says-no",
    ],
)
def test_what_hides_later_stages_says_so_in_both_languages(name: str) -> None:
    error = refused(name)
    assert check_report(error).endswith(MORE_EN)
    assert check_report(error, "zh").endswith(MORE_ZH)


@pytest.mark.parametrize("name", ["duplicate-ids", "override-references", "point-twice", "rule-in-another-unit"])
def test_faults_that_hide_nothing_are_all(name: str) -> None:
    error = refused(name)
    assert "follow" not in check_report(error)
    assert "可能" not in check_report(error, "zh").splitlines()[-1]


def test_the_fault_of_the_next_stage_does_follow(tmp_path: Path) -> None:
    """The override of a rule that nobody has is found only once the override itself can be read."""
    site = yaml.safe_load((ROOT / "tests/cases/config/good-minimal.yaml").read_text(encoding="utf-8"))
    override = {"rule": "crane.nobody", "limit": "much", "reason": "a test"}
    first = _refused(tmp_path, site | {"rule_overrides": [override]})
    assert [fault.key for fault in first.faults] == ["rule_overrides[0].limit"]
    assert first.more_may_follow
    second = _refused(tmp_path, site | {"rule_overrides": [override | {"limit": 1.0}]})
    assert [fault.key for fault in second.faults] == ["rule_overrides[0].rule"]
    assert not second.more_may_follow


def test_a_desk_file_says_it_too(tmp_path: Path) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text("listen: 7\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_desk(file)
    assert check_report(caught.value).endswith(MORE_EN)


def _refused(folder: Path, site: dict[str, object]) -> ConfigError:
    file = folder / "site.yaml"
    file.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, DRIVERS, UPLINKS, KINDS)
    return caught.value
