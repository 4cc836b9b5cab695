"""The walk of devices that speak by themselves, over a real broker."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from gateway.line.arming import Arming
from gateway.settings import Settings, load
from kit.clock import SystemClock
from sitewarden.commissioning.findings import Commissioning
from sitewarden.commissioning.movement import Finding
from sitewarden.commissioning.operator import Nobody, Operator
from sitewarden.commissioning.sheet import sheet_html
from sitewarden.commissioning.walk import Pacing, Walk
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.gateway_process import ROOT
from tests.fakes.mosquitto import Mosquitto, free_port
from tests.fakes.mqtt_peer import publish_all
from tests.fakes.talking_crane import TABLE, TalkingCrane

TITLES = {"title_zh": "塔机", "title_en": "Crane"}
TOPIC = "site/crane-1"


class Hands:
    """Does what each question asks for, by the last part of its key."""

    def __init__(self, do: dict[str, Callable[[], str | None]]) -> None:
        self._do = do

    def answer(self, key: str, question: str) -> str:
        movement = self._do.get(key.rsplit(".", 1)[-1])
        return (movement() or "") if movement else "skip"


@pytest.fixture(scope="module")
def broker() -> Iterator[Mosquitto]:
    with Mosquitto() as broker:
        yield broker


def site(folder: Path, port: int) -> Settings:
    (folder / "devices").mkdir()
    (folder / "devices" / "crane-mqtt.yaml").write_text(yaml.safe_dump(TABLE, allow_unicode=True), encoding="utf-8")
    path = folder / "site.yaml"
    text = {
        "version": 1,
        "box": {"id": "box-1"},
        "site": {"project_code": "P-1", **TITLES},
        "storage": {"folder": str(folder / "data")},
        "rule_packs": ["national"],
        "assets": [{"id": "crane-1", "kind": "tower-crane", "serial": "1", **TITLES}],
        "links": [{"id": "broker", "driver": "mqtt", "host": "127.0.0.1", "port": port}],
        "devices": [{"id": "host-1", "link": "broker", "asset": "crane-1", "table": "crane-mqtt", "topic": TOPIC}],
        "uplinks": [],
    }
    path.write_text(yaml.safe_dump(text, allow_unicode=True), encoding="utf-8")
    return load(path, DRIVERS, UPLINKS, KINDS)


async def walked(settings: Settings, operator: Operator, listen_s: float = 10.0) -> tuple[Commissioning, list[str]]:
    said: list[str] = []
    walk = Walk(settings, Arming({}, {}), operator, SystemClock(), Pacing(3, 0.001, listen_s), said.append)
    return await walk.run(), said


def hands(crane: TalkingCrane) -> Operator:
    moves = {
        "slew_right": ("slew_deg", 15.0),
        "slew_left": ("slew_deg", -12.0),
        "trolley_out": ("radius_m", 2.5),
        "trolley_in": ("radius_m", -2.0),
        "hoist_up": ("hook_m", 3.0),
        "hoist_down": ("hook_m", -2.0),
    }
    do: dict[str, Callable[[], str | None]] = {
        name: lambda key=key, by=by: crane.move(key, by) for name, (key, by) in moves.items()
    }

    def hang() -> str:
        crane.state["load_t"] = 2.04
        return "2"

    return Operator(Hands(do | {"known_load_t": hang, "operator": lambda: "李电工"}))


async def test_a_crane_that_publishes_is_moved_loaded_and_armed(tmp_path: Path, broker: Mosquitto) -> None:
    with TalkingCrane(broker.port, TOPIC) as crane:
        found, said = await walked(site(tmp_path, broker.port), hands(crane))
    (device,), (moved,) = found.devices, found.cranes
    assert [check.finding for check in moved.movements] == [Finding.RIGHT] * 6
    assert moved.movements[0].change == pytest.approx(15.0), "through north"
    assert moved.load is not None
    assert (moved.load.load_error_pct, moved.armed) == (pytest.approx(2.0), True)
    assert (device.samples >= 3, device.sound, found.sound) == (True, True, True)
    radius = next(point for point in device.points if point.key == "radius_m")
    assert (radius.place, radius.words, radius.value, radius.quality) == ("$.radius_m", "20.0", "20", "GOOD")
    assert any("$.radius_m" in line for line in said)
    assert "$.radius_m" in sheet_html(found).decode()


async def test_swapped_keys_are_found(tmp_path: Path, broker: Mosquitto) -> None:
    with TalkingCrane(broker.port, TOPIC, swap=("radius_m", "hook_m")) as crane:
        found, _ = await walked(site(tmp_path, broker.port), hands(crane))
    findings = {check.movement.name: check.finding for check in found.cranes[0].movements}
    assert findings["slew_left"] is Finding.RIGHT
    assert {findings[name] for name in ("trolley_out", "trolley_in", "hoist_up", "hoist_down")} == {Finding.SWAPPED}


async def test_messages_that_nobody_understands_are_on_the_sheet(tmp_path: Path, broker: Mosquitto) -> None:
    with TalkingCrane(broker.port, TOPIC, garbled=True):
        found, said = await walked(site(tmp_path, broker.port), Operator(Nobody()))
    assert any("message set aside: not JSON" in why for why in found.devices[0].refused)
    assert any("message set aside" in line for line in said)
    assert not found.devices[0].sound


@pytest.mark.parametrize(("alive", "why"), [(True, "no message within 0.3 s"), (False, "refused")])
async def test_a_device_that_says_nothing_is_not_sound(
    tmp_path: Path, broker: Mosquitto, alive: bool, why: str
) -> None:
    settings = site(tmp_path, broker.port if alive else free_port())
    found, _ = await walked(settings, Operator(Nobody(), {"crane-1.known_load_t": "2"}), listen_s=0.3)
    (device,), (crane,) = found.devices, found.cranes
    assert why in device.refused[0]
    assert {point.quality for point in device.points} == {"BAD"}
    assert (device.sound, crane.armed) == (False, False)
    assert "could not be read" in crane.reason_en


async def test_the_gateways_own_session_loses_nothing(tmp_path: Path, broker: Mosquitto) -> None:
    """The walk takes copies: what waits for the gateway at the broker still waits."""
    before = broker.log.count("as sitewarden-broker ")
    with TalkingCrane(broker.port, TOPIC):
        await walked(site(tmp_path, broker.port), Operator(Nobody()))
    assert "as sitewarden-broker-commissioning " in broker.log
    assert broker.log.count("as sitewarden-broker ") == before


def node_site(folder: Path, port: int) -> Settings:
    """A LoRaWAN node with the shipped table, told by its key."""
    device = {"id": "node-1", "link": "broker", "asset": "mast-1", "table": "lorawan-wind-tilt-chirpstack"}
    text = {
        "version": 1,
        "box": {"id": "box-1"},
        "site": {"project_code": "P-1", **TITLES},
        "storage": {"folder": str(folder / "data")},
        "rule_packs": ["national"],
        "assets": [{"id": "mast-1", "kind": "weather-mast", "serial": "1", **TITLES}],
        "links": [{"id": "broker", "driver": "mqtt", "host": "127.0.0.1", "port": port}],
        "devices": [device | {"topic": "application/+/device/{key}/event/up", "key": "0101010101010101"}],
        "uplinks": [],
    }
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(text, allow_unicode=True), encoding="utf-8")
    return load(path, DRIVERS, UPLINKS, KINDS)


def node_message() -> bytes:
    golden = ROOT / "tests" / "cases" / "devices" / "lorawan-wind-tilt-chirpstack.golden.yaml"
    payload: str = yaml.safe_load(golden.read_text(encoding="utf-8"))["payload"]
    return payload.encode()


@pytest.mark.parametrize("port", [2, 5])
async def test_a_nodes_bytes_are_shown_as_they_came_and_another_port_is_told(
    tmp_path: Path, broker: Mosquitto, port: int
) -> None:
    message = node_message().replace(b'"fPort": 2', b'"fPort": %d' % port)
    topic = "application/1/device/0101010101010101/event/up"
    await asyncio.to_thread(publish_all, broker, [(topic, message)], retain=True)
    found, _ = await walked(node_site(tmp_path, broker.port), Operator(Nobody()), listen_s=1.0)
    (device,) = found.devices
    assert device.address == "topic application/+/device/0101010101010101/event/up"
    shown = [(point.place, point.words, point.value) for point in device.points[:2]]
    if port == 2:
        assert shown == [("byte 1 uint16", "02 82", "6.42"), ("byte 3 uint16", "03 DB", "9.87")]
    else:
        assert shown == [("byte 1 uint16", "", "-"), ("byte 3 uint16", "", "-")]
        assert device.refused == ("no message within 1 s: passed over: 5 at $.fPort, expected 2",)
