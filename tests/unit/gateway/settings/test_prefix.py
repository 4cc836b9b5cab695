"""A device model that stands several times on one asset: its points take the device's prefix, its rules do not."""

from pathlib import Path

import yaml

from drivers.schema import DeviceSettings
from gateway.settings import site_schema
from sitewarden.composition.kinds import KINDS
from tests.unit.gateway.settings.kinds import CONFIG, DRIVERS, UPLINKS, load_case, load_site


def test_points_take_the_prefix_and_rules_call_them_by_the_tables_key() -> None:
    points = [point for point in load_case("good-prefix").points.points if point.asset == "crane-1"]
    assert [point.point_id for point in points] == ["crane-1.gust_ms", "crane-1.jib_gust_ms", "crane-1.tail_gust_ms"]
    assert [point.quantity for point in points] == ["gust_ms", "jib_gust_ms", "tail_gust_ms"]
    assert [point.role for point in points] == ["gust_ms"] * 3


def test_each_device_lands_on_its_own_points() -> None:
    settings = load_case("good-prefix")
    assert [device.point_index.tolist() for device in settings.links[0].devices] == [[0], [1], [2]]
    assert [device.points[0].device for device in settings.links[0].devices] == ["plain-1", "plain-2", "plain-3"]


def test_without_a_prefix_nothing_changes() -> None:
    assert DeviceSettings(id="d", link="l", asset="a", table="t").prefix == ""
    assert all(point.item == "" for point in load_case("good-minimal").points.points)


def test_editors_are_told_of_it() -> None:
    definitions = site_schema(DRIVERS, UPLINKS, KINDS)["$defs"]
    assert {"prefix" in definitions[name]["properties"] for name in ("ModbusDevice", "MqttDevice")} == {True}


def test_the_places_of_a_cameras_findings_share_one_name_for_the_rules(tmp_path: Path) -> None:
    site = yaml.safe_load((CONFIG / "sites" / "demo.yaml").read_text(encoding="utf-8"))
    site["assets"] = [
        {"id": "cam-1", "kind": "camera-post", "serial": "C-1", "title_zh": "摄像机", "title_en": "Camera"}
    ]
    site["rule_overrides"] = []
    site["links"] = [{"id": "cam-1", "driver": "camera", "source": "rtsp://192.0.2.7/main"}]
    site["devices"] = [{"id": "cam-1-eye", "link": "cam-1", "asset": "cam-1", "table": "site-camera"}]
    path = tmp_path / "site.yaml"
    path.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    settings = load_site(path)
    roles = [point.role for point in settings.points.points]
    assert (roles.count("bare_head"), roles.count("edge_open"), roles.count("offline")) == (8, 4, 1)
    rows = [rule.subject for rule in settings.rules if rule.info.rule_id == "vision.edge_open"]
    assert rows == [f"cam-1.edge_open_{place}" for place in (1, 2, 3, 4)]
