"""Links and devices that call, as a site file has them: the sample, and what a check says."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from drivers import frames
from drivers.frames.driver import KIND, FramesDriver, NobodyCalls
from drivers.frames.settings import FramesLink
from gateway.model.errors import ConfigError
from gateway.ports import BoundLink
from gateway.settings import Settings, check_report, load
from kit.clock import SimulatedClock
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.fakes.frames_box import BINARY, TEXT, bound_link, shipped

TITLES = {"title_zh": "塔机", "title_en": "Crane"}
LINK = {"id": "hosts", "driver": "tcp-frames", "host": "10.20.0.1", "port": 7001}


def device(number: int, **more: Any) -> dict[str, Any]:
    about = {"id": f"host-{number}", "link": "hosts", "asset": f"crane-{number}", "table": BINARY}
    return {**about, "identity": f"SIM-000{number}", **more}


def site(folder: Path, devices: list[dict[str, Any]], **link: Any) -> Path:
    cranes = [{"id": f"crane-{n}", "kind": "tower-crane", "serial": str(n), **TITLES} for n in (1, 2)]
    text = {
        "version": 1,
        "box": {"id": "box-1"},
        "site": {"project_code": "P-1", **TITLES},
        "storage": {"folder": str(folder / "data")},
        "rule_packs": ["national"],
        "assets": cranes[: len(devices)],
        "links": [LINK | link],
        "devices": devices,
        "uplinks": [],
    }
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(text, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return path


def checked(path: Path) -> Settings:
    return load(path, DRIVERS, UPLINKS, KINDS)


def faults(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as error:
        checked(path)
    return [f"{fault.key}: found {fault.found}, expected {fault.expected}" for fault in error.value.faults]


def warnings(path: Path) -> list[str]:
    return [f"{w.key}: {w.found}" for w in checked(path).warnings if w.code == "driver.remark"]


def test_the_sample_is_valid_and_its_table_ships() -> None:
    sample = yaml.safe_load((Path(frames.__file__).parent / "sample.yaml").read_text(encoding="utf-8"))
    assert KIND.link_settings.model_validate(sample["links"][0]).port == 7001
    for raw in sample["devices"]:
        assert shipped(KIND.device_settings.model_validate(raw).table).driver == KIND.name


def test_it_listens_on_this_machine_only_unless_told() -> None:
    link = FramesLink(id="hosts", port=7001)
    assert link.host == "127.0.0.1"
    assert not link.open_to_all


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_a_port_open_to_everybody_is_warned_of(tmp_path: Path, host: str) -> None:
    path = site(tmp_path, [device(1)], host=host)
    assert warnings(path) == [
        f"links[0].host: {host} without allow: whoever reaches this port may say that it is a device"
    ]
    assert f"{host} 且未设 allow：能连到此端口者均可冒充设备" in check_report(checked(path), "zh")


def test_an_allow_list_or_an_address_is_no_warning(tmp_path: Path) -> None:
    assert warnings(site(tmp_path, [device(1)], host="0.0.0.0", allow=["10.0.0.0/8"])) == []
    assert warnings(site(tmp_path, [device(1)])) == []


def test_two_devices_with_one_identity_are_refused(tmp_path: Path) -> None:
    path = site(tmp_path, [device(1), device(2, identity="SIM-0001")])
    assert faults(path) == [
        "devices[1].identity: found 'SIM-0001', which device host-1 on this link has too, "
        "expected an identity of its own"
    ]


def test_two_grammars_on_one_port_are_refused(tmp_path: Path) -> None:
    path = site(tmp_path, [device(1), device(2, table=TEXT)])
    assert faults(path) == [
        f"devices[1].table: found {TEXT}, whose grammar differs from that of {BINARY} on the same link, "
        "expected one grammar a port: a link of its own"
    ]


def test_a_table_with_fewer_points_shares_a_port(tmp_path: Path) -> None:
    (tmp_path / "devices").mkdir()
    raw = shipped(BINARY).model_dump(mode="json", by_alias=True, exclude_defaults=True)
    raw |= {"model": "no-wind", "driver": "tcp-frames", "version": 1}
    raw["points"] = [point for point in raw["points"] if "wind" not in point["key"]]
    path = tmp_path / "devices" / "no-wind.yaml"
    path.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    settings = checked(site(tmp_path, [device(1), device(2, table="no-wind")]))
    assert [len(bound.points) for bound in settings.links[0].devices] == [21, 19]


@pytest.mark.parametrize(
    ("link", "why"),
    [
        ({"host": "box.local"}, "expected an address of this machine"),
        ({"allow": ["10.0.0.1/8"]}, "expected an address, or a network"),
        ({"port": 70_000}, "at most 65535"),
        ({"max_callers": 0}, "at least 1"),
    ],
)
def test_a_link_that_cannot_be_is_said(tmp_path: Path, link: dict[str, Any], why: str) -> None:
    assert why in faults(site(tmp_path, [device(1)], **link))[0]


def test_an_identity_is_needed(tmp_path: Path) -> None:
    without = {key: value for key, value in device(1).items() if key != "identity"}
    assert faults(site(tmp_path, [without]))[0].startswith("devices[0].identity")
    with pytest.raises(ValidationError):
        KIND.device_settings.model_validate(device(1, identity=""))


async def test_a_link_without_a_device_listens_to_nobody() -> None:
    link = bound_link(7001)
    nobody = KIND.build(BoundLink(link.settings, ()), SimulatedClock())
    assert isinstance(nobody, NobodyCalls)
    assert nobody.health() == ()
    assert isinstance(KIND.build(link, SimulatedClock()), FramesDriver)
