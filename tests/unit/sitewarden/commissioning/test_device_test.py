"""`sitewarden device test`: raw words, values, refused blocks; exit status 1 when something is unreadable."""

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from drivers.modbus.settings import ModbusRtuLink, ModbusRtuTcpLink, ModbusTcpLink
from sitewarden.__main__ import main
from sitewarden.commissioning.arguments import add_device_test_arguments
from sitewarden.commissioning.command import load_device_table
from sitewarden.commissioning.options import device_test_options
from tests.fakes.mosquitto import free_port
from tests.fakes.staged_crane import StagedCrane

SHIPPED = "crane-host-modbus"


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    """The command sets the log up for its process, which here is pytest's."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = main(["device", "test", *arguments])
    said = capsys.readouterr()
    return status, said.out, said.err


def test_a_sound_device_is_read_as_often_as_asked(capsys: pytest.CaptureFixture[str]) -> None:
    with StagedCrane() as crane:
        crane.hang(2.0)
        status, out, _ = run(
            capsys, SHIPPED, "--host", "127.0.0.1", "--port", str(crane.port), "--samples", "3", "--pause-ms", "1"
        )
    assert status == 0
    assert out.count("4000 0000") == 3, "2.0 as float32"
    assert out.endswith("every point was read\n")


def test_a_refused_block_is_shown_and_costs_the_exit_status(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = yaml.safe_load(Path("config/devices/crane-host-modbus.yaml").read_text(encoding="utf-8"))
    last = table["points"][-1]
    last["address"] = 500
    path = tmp_path / "far.yaml"
    path.write_text(yaml.safe_dump(table, allow_unicode=True), encoding="utf-8")
    with StagedCrane() as crane:
        status, out, _ = run(capsys, str(path), "--host", "127.0.0.1", "--port", str(crane.port))
    assert status == 1
    words = {"uint32": 2, "float32": 2}.get(last["type"], 1)
    assert f"function 3 address 500 words {words}: exception" in out
    assert "function 3 address 0 words 22: answered" in out
    assert "(not read)" in out
    assert "NOT every point could be read" in out


def test_nobody_there_is_an_answer_too(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, SHIPPED, "--host", "127.0.0.1", "--port", str(free_port()))
    assert status == 1
    assert "cannot connect" in out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("nowhere", "--host", "h"), "expected a register table or the name of a shipped one"),
        (("weather-mast-mqtt", "--host", "h"), "not a Modbus register table"),
        ((SHIPPED,), "either --host or --serial"),
        ((SHIPPED, "--host", "h", "--serial", "/dev/ttyS0"), "either --host or --serial"),
        ((SHIPPED, "--host", "h", "--unit", "300"), "expected 0 to 255"),
        ((SHIPPED, "--host", "h", "--port", "0"), "port"),
        ((SHIPPED, "--serial", "ttyS0"), "serial_port"),
        ((SHIPPED, "--host", "h", "--samples", "0"), "--samples: expected 1 to 10000"),
    ],
)
def test_wrong_arguments_are_told(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], expected: str
) -> None:
    status, _, error = run(capsys, *arguments)
    assert status == 2
    assert expected in error


def test_a_missing_serial_port_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, out, _ = run(capsys, SHIPPED, "--serial", str(tmp_path / "ttyUSB9"))
    assert status == 1
    assert "cannot open serial port" in out


def test_the_wire_is_chosen_by_the_arguments() -> None:
    def link_of(*arguments: str) -> object:
        parser = argparse.ArgumentParser()
        add_device_test_arguments(parser)
        return device_test_options(parser.parse_args([SHIPPED, *arguments])).link

    assert isinstance(link_of("--host", "h"), ModbusTcpLink)
    bus = link_of("--host", "h", "--port", "4001", "--baud", "19200")
    assert isinstance(bus, ModbusRtuTcpLink)
    assert bus.baud == 19200
    serial = link_of("--serial", "/dev/ttyUSB0", "--parity", "even")
    assert isinstance(serial, ModbusRtuLink)
    assert (serial.baud, serial.parity) == (9600, "even")


def test_a_shipped_table_goes_by_its_name() -> None:
    assert load_device_table(SHIPPED).model == SHIPPED
