"""A device model that stands several times on one asset: its points take the device's prefix, its rules do not."""

from drivers.schema import DeviceSettings
from gateway.settings import site_schema
from tests.unit.settings.kinds import DRIVERS, UPLINKS, load_case


def test_points_take_the_prefix_and_rules_call_them_by_the_tables_key() -> None:
    points = load_case("good-prefix").points.points
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
    definitions = site_schema(DRIVERS, UPLINKS)["$defs"]
    assert {"prefix" in definitions[name]["properties"] for name in ("ModbusDevice", "MqttDevice")} == {True}
