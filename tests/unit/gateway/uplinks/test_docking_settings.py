"""The site file's entry: what it names must be there, and the map's faults carry the map's lines."""

import pytest
from pydantic import ValidationError

from docking.loading import load_platform
from docking.quantities import RecordKind
from docking.shelf import map_path
from gateway.uplinks.docking_settings import DockingSettings, docking_faults

BASE = {
    "name": "town",
    "kind": "docking",
    "platform": "pattern-c-api-key",
    "url": "https://town.example/api",
    "secrets": {"api_key": {"env": "KEY"}},
    "devices": {"crane-1": {"sn": "SN-1"}},
}


def faults(**changes):
    found = docking_faults(DockingSettings.model_validate(BASE | changes), {"crane-1"})
    return [(fault.path or (fault.line,), fault.found_en) for fault in found]


def test_a_sound_entry_has_no_fault():
    assert faults() == []


@pytest.mark.parametrize(
    ("changes", "path", "found"),
    [
        ({"platform": "pattern-z"}, ("platform",), "pattern-z"),
        ({"platform": "town.yaml"}, ("platform",), "town.yaml, where no file is"),
        ({"secrets": {}}, ("secrets",), "no api_key"),
        ({"secrets": {"api_key": {"env": "K"}, "key": {"env": "K"}}}, ("secrets", "key"), "the credential key"),
        ({"ids": {"api_key": "x"}}, ("ids", "api_key"), "api_key, also under secrets"),
        ({"devices": {"crane-7": {"sn": "SN"}}}, ("devices", "crane-7"), "the asset crane-7"),
    ],
)
def test_what_it_names_must_be_there(changes, path, found):
    assert (path, found) in faults(**changes)


def test_a_secret_in_clear_among_the_ids_is_refused_and_not_repeated():
    settings = DockingSettings.model_validate(
        BASE
        | {"platform": "pattern-i-sorted-parameters", "ids": {"app_key": "K", "app_secret": "9f8d7e"}, "secrets": {}}
    )
    (fault,) = docking_faults(settings, {"crane-1"})
    assert fault.path == ("ids", "app_secret")
    assert fault.expected_en == "secrets: {app_secret: {file: PATH}}"
    assert "9f8d7e" not in repr(fault)


def test_a_record_that_the_map_does_not_have_is_named(tmp_path):
    text = map_path("pattern-c-api-key").read_text().split("  ai_alarm:")[0]
    (tmp_path / "small.yaml").write_text(text)
    found = faults(platform=str(tmp_path / "small.yaml"), records=["ai_alarm"])
    assert found == [(("records", 0), "the record ai_alarm")]


def test_hazards_are_told_by_a_desk_and_by_no_box():
    assert faults(records=["hazard"]) == [(("records", 0), "the record hazard")]
    settings, platform = DockingSettings.model_validate(BASE), load_platform(map_path("pattern-c-api-key"))
    assert settings.chosen(platform) == set(platform.records) - {RecordKind.HAZARD}


def test_the_maps_faults_carry_the_maps_lines(tmp_path):
    shipped = map_path("pattern-c-api-key").read_text()
    text = shipped.replace("of: wind_ms, type: N5.2, unit: m/s", "of: wind_ms, unit: t")
    line = text[: text.index("of: wind_ms, unit: t")].count("\n") + 1
    (tmp_path / "mine.yaml").write_text(text)
    assert faults(platform=str(tmp_path / "mine.yaml")) == [((line,), "unit t for wind_ms in m/s")]


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "http://town.example/"},
        {"url": "https://town.example/?a=1"},
        {"devices": {}},
        {"secrets": {"api_key": "plain"}},
        {"devices": {"crane-1": {}}},
        {"identities": "always"},
    ],
)
def test_what_the_schema_refuses(changes):
    with pytest.raises(ValidationError):
        DockingSettings.model_validate(BASE | changes)
