"""What drivers and uplinks bring, for tests of the settings: the real schemas, and builders that nobody calls."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from drivers.frames.settings import FramesDevice, FramesLink, FramesTable
from drivers.modbus.settings import ModbusDevice, ModbusTable, ModbusTcpLink
from drivers.mqtt.settings import MqttDevice, MqttLink, MqttTable
from gateway.ports import BoundLink, Clock, Driver, DriverKind, Uplink, UplinkContext, UplinkKind
from gateway.settings import Settings, load
from gateway.uplinks.mqtt_settings import MqttUplinkSettings
from kit.secret import Secret
from sitewarden.composition.kinds import KINDS
from vision.camera.settings import CameraLinkSettings
from vision.eye.settings import CameraDeviceSettings, CameraTable

ROOT = Path(__file__).parents[4]
CONFIG = ROOT / "config"
CASES = ROOT / "tests" / "cases" / "config"


class PlainRegulator(BaseModel):
    """A regulator's address and a one-time code, as the demo site gives them; no `name` and `kind` of its own."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(pattern="^https?://")]
    enrol_code: Secret
    mode: Literal["quick", "thorough"] = "quick"


def _no_driver(link: BoundLink, clock: Clock) -> Driver:
    raise AssertionError(f"settings build no driver, also not for {link} at {clock}")


def _no_uplink(settings: Any, context: UplinkContext) -> Uplink:
    raise AssertionError(f"settings build no uplink, also not {settings} for {context}")


DRIVERS = {
    "modbus-tcp": DriverKind("modbus-tcp", ModbusTcpLink, ModbusDevice, ModbusTable, _no_driver, asks=True),
    "mqtt": DriverKind("mqtt", MqttLink, MqttDevice, MqttTable, _no_driver),
    "tcp-frames": DriverKind("tcp-frames", FramesLink, FramesDevice, FramesTable, _no_driver),
    "camera": DriverKind("camera", CameraLinkSettings, CameraDeviceSettings, CameraTable, _no_driver),
}
UPLINKS = {
    "regulator": UplinkKind("regulator", PlainRegulator, _no_uplink),
    "mqtt": UplinkKind("mqtt", MqttUplinkSettings, _no_uplink),
}


def load_case(name: str, **replace: object) -> Settings:
    """Load one of the site files in `tests/cases/config`."""
    return load(CASES / f"{name}.yaml", DRIVERS, UPLINKS, KINDS, config_root=CONFIG, replace=replace)


def load_site(path: Path | str, **replace: object) -> Settings:
    """Load any site file with the shipped tables and rule packs."""
    return load(path, DRIVERS, UPLINKS, KINDS, config_root=CONFIG, replace=replace)
