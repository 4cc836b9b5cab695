"""`sitewarden check` refuses a map with a wrong field, unit or value, with its file and line, in both languages."""

import re

import pytest

from docking.shelf import map_path
from gateway.model.errors import ConfigError
from gateway.settings import load
from gateway.settings.report import check_report
from sitewarden.__main__ import main
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.field_site import write_site

SHIPPED = map_path("pattern-b-header-signature")


def site(tmp_path, map_text=None, **changes):
    uplink = {
        "name": "town",
        "kind": "docking",
        "platform": SHIPPED.stem,
        "url": "https://town.example",
        "ids": {"supplier": "s", "project": "p"},
        "secrets": {"supplier_secret": {"env": "A"}, "project_secret": {"env": "B"}},
        "devices": {"crane-1": {"sn": "SN-1"}},
    }
    if map_text is not None:
        (tmp_path / "mine.yaml").write_text(map_text)
        uplink["platform"] = str(tmp_path / "mine.yaml")
    return write_site(tmp_path, crane_port=1, broker_port=2, web_port=3, uplinks=[uplink | changes])


def refused(path):
    with pytest.raises(ConfigError) as caught:
        load(path, DRIVERS, UPLINKS, KINDS)
    return caught.value


def test_a_site_that_docks_is_sound(tmp_path):
    settings = load(site(tmp_path), DRIVERS, UPLINKS, KINDS)
    assert [uplink.name for uplink in settings.uplinks] == ["town"]
    assert {warning.key for warning in settings.warnings if "uplinks" in warning.key} == {
        "uplinks[0].secrets.supplier_secret",
        "uplinks[0].secrets.project_secret",
    }


@pytest.mark.parametrize(
    ("old", "new", "zh"),
    [
        ("of: radius_m,", "of: radius,", "未知的量 radius"),
        ("of: radius_m, type: N5.2, unit: m", "of: radius_m, type: N5.2, unit: kg", "kg"),
        ('run: "0"', 'run: "running"', "最多 1 个字符"),
    ],
)
def test_a_wrong_field_unit_or_value_is_refused_with_its_line(tmp_path, old, new, zh):
    text = SHIPPED.read_text()
    line = text[: text.index(old)].count("\n") + 1
    error = refused(site(tmp_path, text.replace(old, new, 1)))
    report = check_report(error)
    assert f"mine.yaml:{line}: records.crane_realtime.fields[" in report
    assert report.endswith("1 fault in 1 file")
    assert zh in check_report(error, "zh")


def test_a_fault_of_the_entry_stands_at_its_own_line(tmp_path):
    (fault,) = refused(site(tmp_path, devices={"crane-7": {"sn": "SN"}})).faults
    assert fault.key == "uplinks[0].devices.crane-7"
    assert (tmp_path / "site.yaml").read_text().splitlines()[fault.line - 1].strip() == "crane-7:"


@pytest.mark.parametrize(
    ("language", "said"), [("en", r"found .B., expected header_signature\?"), ("zh", "发现 .B.，应为 header_signature")]
)
def test_the_command_answers_in_the_language_that_is_asked_for(tmp_path, capsys, language, said):
    path = site(tmp_path, SHIPPED.read_text().replace("pattern: header_signature", "pattern: B", 1))
    assert main(["check", str(path), "--language", language]) == 2
    answer = capsys.readouterr().err
    assert re.search(said, answer)
    assert "mine.yaml:11: transport.pattern" in answer
