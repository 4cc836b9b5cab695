"""What a good site becomes: bound links, one point table, uplinks, warnings; and what may be given beside the file."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel, field_validator

from drivers.modbus.settings import ModbusTcpLink
from drivers.schema import DeviceTable, TablePoint
from gateway.model.errors import ConfigError
from gateway.ports import UplinkKind
from gateway.settings import Settings, check_report, config_root, load
from gateway.settings.library import Library, site_path
from sitewarden.composition.kinds import KINDS
from tests.unit.gateway.settings.kinds import CASES, CONFIG, DRIVERS, UPLINKS, PlainRegulator, load_case, load_site


@pytest.fixture(scope="module")
def demo() -> Settings:
    return load_site("demo")


def warning_codes(settings: Settings) -> list[tuple[str, str]]:
    return [(warning.key, warning.code) for warning in settings.warnings]


def test_the_demo_site_is_found_by_its_bare_name_and_has_no_faults(demo: Settings) -> None:
    assert demo.file.endswith("config/sites/demo.yaml")
    assert demo.box.id == "demo-box"
    assert [asset.id for asset in demo.assets] == ["crane-1", "crane-2", "pit-1", "mast-1"]
    assert [link.settings.id for link in demo.links] == ["crane-1-tcp", "crane-2-tcp", "pit-1-tcp", "field-broker"]
    assert demo.storage.folder == Path("data/demo")
    assert demo.web.port == 15000


def test_devices_are_bound_to_their_places_in_the_point_table(demo: Settings) -> None:
    on_a_wire = [point for point in demo.points.points if ":" not in point.device]
    assert len(on_a_wire) == sum(len(device.points) for link in demo.links for device in link.devices)
    assert tuple(on_a_wire) == demo.points.points[: len(on_a_wire)]
    for link in demo.links:
        for device in link.devices:
            assert device.point_index.dtype == np.int32
            assert tuple(demo.points[i] for i in device.point_index) == device.points
            assert [point.quantity for point in device.points] == [point.key for point in device.table.points]
    assert isinstance(demo.links[0].settings, ModbusTcpLink)


def test_a_point_knows_its_asset_device_unit_and_range(demo: Settings) -> None:
    point = demo.points[demo.points.index_of["crane-2.moment_pct"]]
    assert (point.asset, point.device, point.unit) == ("crane-2", "crane-2-host", "%")
    assert (point.minimum, point.maximum) == (0, 655.35)
    assert point.title_zh == "力矩百分比"


def test_uplinks_come_with_their_kind_and_their_own_settings(demo: Settings) -> None:
    assert [(uplink.name, uplink.kind.name) for uplink in demo.uplinks] == [
        ("regulator", "regulator"),
        ("site-mqtt", "mqtt"),
    ]
    assert isinstance(demo.uplinks[0].settings, PlainRegulator)


def test_one_link_serves_several_devices() -> None:
    settings = load_case("good-anchors")
    assert [(link.settings.port, len(link.devices)) for link in settings.links] == [(15021, 1), (15022, 1)]
    assert settings.links[1].devices[0].settings.unit_id == 1


def test_values_can_be_given_beside_the_file() -> None:
    replaced = {
        "storage.folder": Path("/tmp/x"),
        "links[0].port": 1,
        "links[field-broker].port": 2,
        "uplinks[site-mqtt].port": 3,
        "web.token": {"env": "NO_SUCH_VARIABLE"},
        "storage.history": {"max_days": 50},
    }
    settings = load_site("demo", **replaced)
    assert settings.storage.folder == Path("/tmp/x")
    assert [link.settings.port for link in settings.links] == [1, 15022, 15023, 2]
    assert settings.uplinks[1].settings.port == 3
    assert settings.web.token is not None
    assert settings.web.token.env == "NO_SUCH_VARIABLE"
    assert settings.storage.history.max_days == 50
    assert settings.storage.history.flush_ms == 200


def test_a_value_given_beside_the_file_is_checked_like_one_in_it() -> None:
    with pytest.raises(ConfigError) as caught:
        load_site("demo", **{"web.port": 99_999, "links[0].port": "many"})
    lines = ["", *(CONFIG / "sites" / "demo.yaml").read_text(encoding="utf-8").splitlines()]
    told = {(fault.key, fault.found, lines[fault.line].split()[0]) for fault in caught.value.faults}
    assert told == {("web.port", "99999", "web:"), ("links[0].port", "'many'", "-")}


@pytest.mark.parametrize("key", ["links[99].port", "links[nobody].port", "web.host.deep", "nowhere.deep", "", "links"])
def test_a_value_for_a_key_without_room_is_a_fault(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_site("demo", **{key: 1})
    assert caught.value.faults[0].code in ("replace.path", "type.list")


def test_a_site_file_that_is_missing_is_one_fault(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load_site(tmp_path / "nothing.yaml")
    assert [fault.code for fault in caught.value.faults] == ["file.unreadable"]
    with pytest.raises(ConfigError, match=r"sites/no-such-site\.yaml"):
        load_site("no-such-site")


def test_a_sites_own_tables_and_packs_come_before_the_shipped_ones(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    own = tmp_path / "rules" / "national.yaml"
    own.write_text((CASES / "rules" / "province.yaml").read_text(encoding="utf-8").replace("province", "national"))
    library = Library.of_site(tmp_path / "site.yaml", CONFIG)
    assert library.find("rules", "national") == own
    assert library.find("devices", "crane-host-modbus") == CONFIG / "devices" / "crane-host-modbus.yaml"
    assert library.find("devices", "nothing") is None
    assert {"national", "crane-host-modbus"} <= library.names("rules") | library.names("devices")


def test_the_shipped_configuration_is_found_in_a_checkout() -> None:
    assert config_root() == CONFIG
    assert site_path(Path("demo"), CONFIG) == CONFIG / "sites" / "demo.yaml"
    assert site_path(Path("site.yaml"), CONFIG) == Path("site.yaml")
    assert site_path(Path("sub/demo"), CONFIG) == Path("sub/demo")


def test_what_is_allowed_but_odd_is_warned_of(tmp_path: Path) -> None:
    text = (CASES / "good-minimal.yaml").read_text(encoding="utf-8")
    text = text.replace("max_days: 60", "max_days: 20")
    text = text.replace("assets:", "assets:\n  - {id: idle-1, kind: other, serial: X, title_zh: 闲, title_en: Idle}")
    text = text.replace("links:", "links:\n  - {id: spare, driver: modbus-tcp, host: 127.0.0.1}")
    text = text.replace("web: {port: 15000}", "web: {port: 15000, token: {file: no/such/token}}")
    text += "rule_overrides:\n  - {rule: pit.deep_h.cumulative, limit: 10, reason: No pit here}\n"
    text += "  - {rule: crane.moment.info, limit: 700, limit_source: design, reason: Beyond the instrument}\n"
    path = tmp_path / "site.yaml"
    path.write_text(text, encoding="utf-8")
    settings = load_site(path)
    assert warning_codes(settings) == [
        ("storage.history.max_days", "warn.retention_short"),
        ("assets[0].id", "warn.asset_idle"),
        ("assets[1].kind", "warn.crane_undescribed"),
        ("links[0].id", "warn.link_idle"),
        ("web.token", "warn.web_token"),
        ("web.token", "warn.secret_missing"),
        ("rule_overrides[0]", "warn.override_without_point"),
        ("rule_overrides[1]", "warn.limit_beyond_range"),
    ]


def test_a_rule_that_no_device_can_feed_is_warned_of_where_such_an_asset_stands() -> None:
    settings = load_case("good-minimal", **{"devices[0].table": "weather-plain"})
    unfed = {warning.key for warning in settings.warnings if warning.code == "warn.rule_without_point"}
    assert unfed
    told = " ".join(warning.found for warning in settings.warnings)
    assert "crane.moment.alarm" in told
    assert "pit." not in told, "no pit stands on this site, so its rules are no news"


def test_a_table_without_points_is_a_fault_also_where_its_driver_allows_it(tmp_path: Path) -> None:
    class Lenient(DeviceTable):
        points: tuple[TablePoint, ...] = ()

    (tmp_path / "devices").mkdir()
    table = "version: 1\nmodel: empty\ndriver: modbus-tcp\ntitle_zh: 空\ntitle_en: E\nsource: test\ncertainty: PD\n"
    (tmp_path / "devices" / "empty.yaml").write_text(table, encoding="utf-8")
    site = tmp_path / "site.yaml"
    shutil.copy(CASES / "good-minimal.yaml", site)
    lenient = {"modbus-tcp": replace(DRIVERS["modbus-tcp"], table_settings=Lenient)}
    with pytest.raises(ConfigError) as caught:
        load(site, lenient, UPLINKS, KINDS, config_root=CONFIG, replace={"devices[0].table": "empty"})
    assert [(fault.key, fault.code) for fault in caught.value.faults] == [("points", "table.empty")]


def test_a_secret_that_is_there_is_not_warned_of_and_never_shown(tmp_path: Path) -> None:
    with tempfile.NamedTemporaryFile("w", dir=tmp_path, suffix=".token") as token:
        token.write("hunter2-in-a-file")
        token.flush()
        settings = load_case("good-minimal", **{"web.token": {"file": token.name}})
    assert warning_codes(settings) == [("assets[0].kind", "warn.crane_undescribed"), ("web.token", "warn.web_token")]
    assert settings.web.token is not None
    shown = repr(settings.web) + check_report(settings) + check_report(settings, "zh") + settings.digest
    assert "hunter2" not in shown


class ChattyUplink(BaseModel):
    """An uplink schema that keeps a key as text, and repeats it when it dislikes it."""

    api_key: str

    @field_validator("api_key")
    @classmethod
    def _dislike(cls, value: str) -> str:
        raise ValueError(f"{value} is too short")


def test_a_schema_that_repeats_a_secret_is_not_listened_to() -> None:
    kinds = {"chatty": UplinkKind("chatty", ChattyUplink, UPLINKS["mqtt"].build)}
    uplinks = [{"name": "up", "kind": "chatty", "api_key": "hunter2"}]
    with pytest.raises(ConfigError) as caught:
        load(CASES / "good-minimal.yaml", DRIVERS, kinds, KINDS, config_root=CONFIG, replace={"uplinks": uplinks})
    (fault,) = caught.value.faults
    assert (fault.key, fault.found, fault.expected) == (
        "uplinks[0].api_key",
        "a value that is not shown",
        "... is too short",
    )


def test_a_secret_file_that_is_no_text_is_warned_of(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_bytes(b"\xff\xfe")
    settings = load_case("good-minimal", **{"web.token": {"file": str(secret)}})
    assert ("web.token", "warn.secret_missing") in warning_codes(settings)


def test_no_address_needs_a_token_for_people_log_in() -> None:
    for host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "10.1.2.3", "gateway.local"):
        web = load_case("good-minimal", **{"web.host": host}).web
        assert (web.host, web.token, web.view_without_login, web.commands_over_plain_http) == (host, None, False, False)
    assert load_case("good-token").web.host == "0.0.0.0"
