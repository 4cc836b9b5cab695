from drivers.mqtt.routes import Route, routes_of
from drivers.mqtt.settings import MqttDevice

UP = "application/+/device/{key}/event/up"


def device(name: str, topic: str, key: str | None = None) -> tuple[MqttDevice, str]:
    return MqttDevice(id=name, link="l", asset="a", table="t", topic=topic, key=key), name


def test_devices_of_one_topic_share_a_filter_and_are_told_apart_by_their_key() -> None:
    routes = routes_of([device("n1", UP, "0101"), device("n2", UP, "0202"), device("n2-status", UP, "0202")])
    (route,) = routes.values()
    assert list(routes) == ["application/+/device/+/event/up"]
    assert route.to("application/7/device/0101/event/up") == ["n1"]
    assert route.to("application/8/device/0202/event/up") == ["n2", "n2-status"]
    assert route.to("application/7/device/0303/event/up") == []


def test_a_key_that_nobody_has_is_named() -> None:
    route = routes_of([device("n1", UP, "0101")])["application/+/device/+/event/up"]
    assert route.keys_in("application/7/device/0101/event/up") == []
    assert route.keys_in("application/7/device/0A01/event/up") == ["0A01"]


def test_a_device_without_a_key_gets_every_message_of_its_filter() -> None:
    routes = routes_of([device("all", "site/+/up"), device("one", "site/{key}/up", "7"), device("else", "site/#")])
    assert routes["site/+/up"].to("site/7/up") == ["all", "one"]
    assert routes["site/+/up"].to("site/8/up") == ["all"]
    assert routes["site/#"].to("site/8/up") == ["else"]


def test_two_topics_with_the_key_at_different_levels_can_be_one_filter() -> None:
    routes = routes_of([device("first", "s/{key}/+", "a"), device("second", "s/+/{key}", "b")])
    assert routes["s/+/+"].to("s/a/b") == ["first", "second"]
    assert routes["s/+/+"].keys_in("s/x/b") == ["x"]


def test_a_route_without_anybody_says_nothing() -> None:
    empty: Route[str] = Route()
    assert (empty.to("a"), empty.keys_in("a")) == ([], [])
