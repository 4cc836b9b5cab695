"""The sample beside the driver must be one that the driver takes."""

from pathlib import Path

import yaml

from drivers import modbus
from drivers.modbus.driver import KIND
from tests.fakes.modbus_binding import shipped_table


def test_the_sample_is_valid_and_its_table_ships() -> None:
    sample = yaml.safe_load((Path(modbus.__file__).parent / "sample.yaml").read_text(encoding="utf-8"))
    (link,) = (KIND.link_settings.model_validate(entry) for entry in sample["links"])
    (device,) = (KIND.device_settings.model_validate(entry) for entry in sample["devices"])
    assert (link.driver, device.link) == (KIND.name, link.id)
    assert shipped_table(device.table).driver == KIND.name
