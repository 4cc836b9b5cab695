"""The walk over real wires: channels swapped in the cabinet, devices that are gone, devices that say nothing."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from gateway.line.arming import Arming, AssetArming
from gateway.settings import Settings, config_root, load
from kit.clock import SystemClock
from sitewarden.commissioning.findings import Commissioning
from sitewarden.commissioning.movement import Finding
from sitewarden.commissioning.operator import Nobody, Operator
from sitewarden.commissioning.sheet import sheet_html
from sitewarden.commissioning.walk import Pacing, Walk
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.mosquitto import free_port
from tests.fakes.staged_crane import StagedCrane

NOTHING = Arming({}, {})


class Hands:
    """Does what each question asks for, by the last part of its key."""

    def __init__(self, **do: Callable[[], str | None]) -> None:
        self._do = do

    def answer(self, key: str, question: str) -> str:
        movement = self._do.get(key.rsplit(".", 1)[-1])
        return (movement() or "") if movement else "skip"


def site(folder: Path, crane_port: int, swapped: tuple[str, str] | None = None) -> Settings:
    """The shipped demo site with only crane 1 and the mast; two keys of the crane's table trade places."""
    demo = yaml.safe_load((config_root() / "sites" / "demo.yaml").read_text(encoding="utf-8"))
    table = yaml.safe_load((config_root() / "devices" / "crane-host-modbus.yaml").read_text(encoding="utf-8"))
    if swapped:
        point = {one["key"]: one for one in table["points"]}
        first, second = (point[key]["address"] for key in swapped)
        point[swapped[0]]["address"], point[swapped[1]]["address"] = second, first
    (folder / "devices").mkdir()
    (folder / "devices" / "crane-host-modbus.yaml").write_text(yaml.safe_dump(table, allow_unicode=True))
    demo["links"] = [demo["links"][0] | {"port": crane_port}, demo["links"][3]]
    demo["devices"] = [demo["devices"][0], demo["devices"][3]]
    demo["storage"]["folder"] = str(folder / "data")
    demo["rule_overrides"] = demo["uplinks"] = []
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(demo, allow_unicode=True), encoding="utf-8")
    return load(path, DRIVERS, UPLINKS, KINDS)


async def walked(settings: Settings, operator: Operator, arming: Arming = NOTHING) -> tuple[Commissioning, list[str]]:
    said: list[str] = []
    walk = Walk(settings, arming, operator, SystemClock(), Pacing(2, 0.001, 0.2), said.append)
    return await walk.run(), said


async def test_two_sensors_on_each_others_terminals_are_found(tmp_path: Path) -> None:
    with StagedCrane() as crane:
        settings = site(tmp_path, crane.port, ("radius_m", "hook_m"))
        hands = Hands(
            slew_right=lambda: crane.slew(-12),
            slew_left=lambda: crane.slew(12),
            trolley_out=lambda: crane.trolley(2),
            trolley_in=lambda: crane.trolley(-2),
            hoist_up=lambda: crane.hoist(2),
            hoist_down=lambda: crane.hoist(-2),
        )
        found, said = await walked(settings, Operator(hands))
    slew, slew_back, trolley, trolley_back, hoist, hoist_back = found.cranes[0].movements
    assert (slew_back.finding, slew_back.change) == (Finding.REVERSED, pytest.approx(12, abs=0.01))
    assert [(one.finding, one.instead) for one in (trolley_back, hoist_back)] == [
        (Finding.SWAPPED, "hook_m"),
        (Finding.SWAPPED, "radius_m"),
    ]
    assert (slew.finding, slew.change) == (Finding.REVERSED, pytest.approx(-12, abs=0.01))
    assert (trolley.finding, trolley.instead) == (Finding.SWAPPED, "hook_m")
    assert (hoist.finding, hoist.instead) == (Finding.SWAPPED, "radius_m")
    assert "crane-1: trolley_out: swapped, radius_m changed by 0.00, hook_m changed instead" in said
    assert "通道接错 / swapped channels" in sheet_html(found).decode()
    assert not found.sound


async def test_a_dead_device_and_a_silent_one_are_on_the_sheet(tmp_path: Path) -> None:
    found, said = await walked(site(tmp_path, free_port()), Operator(Nobody()))
    crane, mast = found.devices
    assert "cannot connect" in crane.refused[0]
    assert {point.quality for point in crane.points} == {"BAD"}
    assert mast.refused[0].startswith("no message within 0.2 s")
    assert {point.quality for point in mast.points} == {"BAD"}
    assert any("refused: no message within 0.2 s" in line for line in said)
    assert not found.cranes[0].armed


async def test_a_load_check_on_a_dead_device_fails(tmp_path: Path) -> None:
    answers = {"crane-1.known_load_t": "2"}
    found, _ = await walked(site(tmp_path, free_port()), Operator(Nobody(), answers))
    (crane,) = found.cranes
    assert crane.load is not None
    assert not crane.load.passed
    assert "could not be read" in crane.reason_en


@pytest.mark.parametrize("armed", [True, False])
async def test_without_a_new_check_only_an_earlier_pass_counts(tmp_path: Path, armed: bool) -> None:
    entry = AssetArming(asset="crane-1", armed=armed, at_ns=1, sheet_sha256="ab")
    with StagedCrane() as crane:
        found, _ = await walked(site(tmp_path, crane.port), Operator(Nobody()), Arming({"crane-1": entry}, {}))
    assert found.cranes[0].armed is armed
    assert found.cranes[0].kept_from == ("ab" if armed else "")
