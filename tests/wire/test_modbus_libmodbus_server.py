"""The test server's own failures: they must name what to do, not hang."""

import pytest

from tests.fakes import libmodbus_server
from tests.fakes.libmodbus_server import LibmodbusServer


def test_a_missing_library_names_its_package() -> None:
    with pytest.raises(SystemExit, match="apt-get install libmodbus5"):
        libmodbus_server._load("libmodbus-is-not-here.so.5")


def test_a_port_in_use_is_reported() -> None:
    with LibmodbusServer() as first, pytest.raises(RuntimeError, match="Address already in use"):
        LibmodbusServer(ports=[first.port])


def test_setting_beyond_the_map_is_refused() -> None:
    with LibmodbusServer(registers=10) as server:
        with pytest.raises(ValueError, match="address 8 \\+ 3 is outside the 10"):
            server.set_registers(8, [1, 2, 3])
        server.set_registers(7, [1, 2, 3])


def test_closing_twice_is_harmless() -> None:
    server = LibmodbusServer()
    server.close()
    server.close()
