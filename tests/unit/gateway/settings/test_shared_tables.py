"""A register table is written once: every Modbus driver reads it, and no other driver does."""

from pathlib import Path

import pytest

from gateway.model.errors import ConfigError
from gateway.settings import Settings, load
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.unit.gateway.settings.kinds import CONFIG

TCP_LINK = "{id: pit-1-tcp, driver: modbus-tcp, host: 127.0.0.1, port: 15023, timeout_ms: 500}"
RTU_LINK = "{id: pit-1-tcp, driver: modbus-rtu, serial_port: /dev/ttyS0}"
RTU_TCP_LINK = "{id: pit-1-tcp, driver: modbus-rtu-tcp, host: 10.0.0.9, port: 4001}"


def demo_with(folder: Path, link: str, unit_id: int = 1) -> Settings:
    """The demo site, with its pit on another kind of link."""
    demo = (CONFIG / "sites" / "demo.yaml").read_text(encoding="utf-8")
    device = "asset: pit-1, table: pit-logger-modbus, unit_id: 1"
    assert TCP_LINK in demo
    assert device in demo
    path = folder / "site.yaml"
    changed = demo.replace(TCP_LINK, link).replace(device, device.replace("unit_id: 1", f"unit_id: {unit_id}"))
    path.write_text(changed, encoding="utf-8")
    return load(str(path), DRIVERS, UPLINKS, KINDS, config_root=CONFIG)


@pytest.mark.parametrize("link", [RTU_LINK, RTU_TCP_LINK])
def test_a_table_written_for_tcp_is_read_over_rtu(tmp_path: Path, link: str) -> None:
    settings = demo_with(tmp_path, link)
    (bound,) = [each for each in settings.links if each.settings.id == "pit-1-tcp"]
    assert bound.settings.driver in link
    assert bound.devices[0].table.model == "pit-logger-modbus"


def test_a_table_of_another_protocol_is_still_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="pit-logger-modbus"):
        demo_with(tmp_path, '{id: pit-1-tcp, driver: mqtt, host: 127.0.0.1, port: 15883, protocol: "3.1.1"}')


def test_a_unit_number_that_no_bus_has_is_refused_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        demo_with(tmp_path, RTU_LINK, unit_id=248)
    (fault,) = caught.value.faults
    assert (fault.line, fault.key, fault.found) == (24, "devices[2].unit_id", "248")
