"""The walk over an RTU bus: two cranes as units of one pseudo-terminal, the second wired with swapped words."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from drivers.numbers.types import ByteOrder
from gateway.line.arming import Arming
from gateway.settings import Settings, config_root, load
from kit.clock import SystemClock
from sitewarden.commissioning.command import CommissionOptions, run_commission
from sitewarden.commissioning.findings import Commissioning
from sitewarden.commissioning.movement import Finding
from sitewarden.commissioning.operator import Operator
from sitewarden.commissioning.walk import Pacing, Walk
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.staged_crane import StagedBus, StagedCrane

TITLES = {"title_zh": "塔机", "title_en": "Crane"}
Cranes = dict[str, StagedCrane]


class Hands:
    """Does what each question asks for, on the crane that it names."""

    def __init__(self, cranes: Mapping[str, StagedCrane]) -> None:
        self._cranes = cranes

    def answer(self, key: str, question: str) -> str:
        name, _, what = key.rpartition(".")
        if not name:
            return "李电工"
        return self._do(self._cranes[name], what) if name in self._cranes else "skip"

    def _do(self, crane: StagedCrane, what: str) -> str:
        moves: dict[str, Callable[[], None]] = {
            "slew_right": lambda: crane.slew(15),
            "slew_left": lambda: crane.slew(-12),
            "trolley_out": lambda: crane.trolley(2.5),
            "trolley_in": lambda: crane.trolley(-2),
            "hoist_up": lambda: crane.hoist(3),
            "hoist_down": lambda: crane.hoist(-2),
            "known_load_t": lambda: crane.hang(2.0),
        }
        moves.get(what, lambda: None)()
        return "2" if what == "known_load_t" else "" if what in moves else "skip"


@pytest.fixture
def cranes() -> Iterator[Cranes]:
    with StagedCrane() as first, StagedCrane(ByteOrder.CDAB) as second:
        yield {"crane-1": first, "crane-2": second}


@pytest.fixture
def bus(cranes: Cranes) -> Iterator[StagedBus]:
    with StagedBus(dict(enumerate(cranes.values(), start=1))) as bus:
        yield bus


def site(folder: Path, path: str, tables: Mapping[str, str], units: tuple[int, ...] = (1, 2)) -> Settings:
    shipped = yaml.safe_load((config_root() / "devices" / "crane-host-modbus.yaml").read_text(encoding="utf-8"))
    (folder / "devices").mkdir(exist_ok=True)
    turned = shipped | {"model": "crane-host-cdab", "order": "CDAB"}
    (folder / "devices" / "crane-host-cdab.yaml").write_text(yaml.safe_dump(turned, allow_unicode=True), "utf-8")
    text = {
        "version": 1,
        "box": {"id": "box-1"},
        "site": {"project_code": "P-1", **TITLES},
        "storage": {"folder": str(folder / "data"), "reserve_mib": 1},
        "rule_packs": ["national"],
        "assets": [{"id": name, "kind": "tower-crane", "serial": name, **TITLES} for name in tables],
        "links": [{"id": "bus", "driver": "modbus-rtu", "serial_port": path, "baud": 115200, "timeout_ms": 500}],
        "devices": [
            {"id": f"{name}-host", "link": "bus", "asset": name, "table": table, "unit_id": unit}
            for unit, (name, table) in zip(units, tables.items(), strict=False)
        ],
        "uplinks": [],
    }
    file = folder / "site.yaml"
    file.write_text(yaml.safe_dump(text, allow_unicode=True), encoding="utf-8")
    return load(file, DRIVERS, UPLINKS, KINDS)


async def walked(settings: Settings, cranes: Cranes, samples: int = 3) -> tuple[Commissioning, list[str]]:
    said: list[str] = []
    pacing = Pacing(samples, 0.001)
    walk = Walk(settings, Arming({}, {}), Operator(Hands(cranes)), SystemClock(), pacing, said.append)
    return await walk.run(), said


async def test_swapped_words_are_found_on_the_bus_and_gone_with_the_right_table(
    tmp_path: Path, cranes: Cranes, bus: StagedBus
) -> None:
    wrong = site(tmp_path, bus.path, dict.fromkeys(cranes, "crane-host-modbus"))
    found, said = await walked(wrong, cranes)
    straight, swapped = found.devices
    assert (straight.looks_like, swapped.looks_like) == (None, ByteOrder.CDAB)
    assert (straight.address, swapped.address) == (f"{bus.path} unit 1", f"{bus.path} unit 2")
    assert [crane.armed for crane in found.cranes] == [True, False]
    assert all(check.passed for check in found.cranes[0].movements)
    assert not any(check.passed for check in found.cranes[1].movements)
    assert any("this looks like CDAB" in line for line in said)

    for crane in cranes.values():
        crane.hang(0.0)
    right = site(tmp_path, bus.path, {"crane-1": "crane-host-modbus", "crane-2": "crane-host-cdab"})
    found, _ = await walked(right, cranes)
    assert {check.finding for crane in found.cranes for check in crane.movements} == {Finding.RIGHT}
    assert [(len(crane.movements), crane.armed) for crane in found.cranes] == [(6, True), (6, True)]


async def test_a_unit_that_was_not_wired_is_silent_and_the_others_are_walked(
    tmp_path: Path, cranes: Cranes, bus: StagedBus
) -> None:
    settings = site(tmp_path, bus.path, dict.fromkeys(cranes, "crane-host-modbus"), (1, 7))
    found, _ = await walked(settings, {"crane-1": cranes["crane-1"]}, samples=1)
    assert found.devices[1].refused
    assert [crane.armed for crane in found.cranes] == [True, False]


def test_the_bus_is_scanned(tmp_path: Path, cranes: Cranes, bus: StagedBus) -> None:
    settings = site(tmp_path, bus.path, dict.fromkeys(cranes, "crane-host-modbus"))
    said: list[str] = []
    options = CommissionOptions(scan="bus", units="1-3", addresses="0-5")
    assert run_commission(settings, options, said.append) == 0
    assert said[-1] == "2 of 3 units show words on bus"
