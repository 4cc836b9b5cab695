"""The samples beside the driver must be ones that the driver takes."""

from pathlib import Path

import pytest
import yaml

from drivers import modbus
from drivers.modbus.driver import KIND, RTU_KIND, RTU_TCP_KIND
from tests.fakes.modbus_binding import shipped_table

KINDS = {kind.name: kind for kind in (KIND, RTU_KIND, RTU_TCP_KIND)}


@pytest.mark.parametrize(("file", "drivers"), [("sample.yaml", ["modbus-tcp"]), ("sample-rtu.yaml", list(KINDS)[1:])])
def test_the_sample_is_valid_and_its_tables_ship(file: str, drivers: list[str]) -> None:
    sample = yaml.safe_load((Path(modbus.__file__).parent / file).read_text(encoding="utf-8"))
    assert [link["driver"] for link in sample["links"]] == drivers
    links = {raw["id"]: KINDS[raw["driver"]] for raw in sample["links"]}
    for raw in sample["links"]:
        assert links[raw["id"]].link_settings.model_validate(raw).id == raw["id"]
    for raw in sample["devices"]:
        kind = links[raw["link"]]
        device = kind.device_settings.model_validate(raw)
        assert shipped_table(device.table).driver in (kind.name, *kind.tables_of)
