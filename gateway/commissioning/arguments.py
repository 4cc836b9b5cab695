"""The arguments of `sitewarden commission` and `sitewarden device test`, for the command line's parser.

In: an argparse parser. Out: options. Opens nothing.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from drivers.modbus.settings import ModbusRtuLink, ModbusRtuTcpLink, ModbusTcpLink
from gateway.commissioning.command import (
    CommissionError,
    CommissionOptions,
    DeviceTestOptions,
    load_device_table,
)
from gateway.commissioning.walk import Pacing

_ID = "device-test"


def add_commission_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything that `commission_options` reads, and `file`."""
    parser.add_argument("file", help="site file (YAML), or the name of a shipped one")
    parser.add_argument("--scan", default="", metavar="LINK", help="only list the units of a link that answer")
    parser.add_argument("--units", default="1-32", help="with --scan: unit ids (default 1-32)")
    parser.add_argument("--addresses", default="0-100", help="with --scan: register addresses from 0 (default 0-100)")
    parser.add_argument("--answers", type=Path, help="YAML file of answers; what it answers is not asked")
    parser.add_argument("--yes", action="store_true", help="ask nothing: what the answers leave open is skipped")
    parser.add_argument("--offline-buses", action="store_true", help="the gateway runs, but does not read these buses")
    parser.add_argument("--dry-run", action="store_true", help="write nothing: no sheet, no arming, no chain record")
    parser.add_argument("--print", dest="print_sheet", action="store_true", help="print the newest sealed sheet (HTML)")
    parser.add_argument("--samples", type=int, default=5, help="reads of each device (default 5)")
    parser.add_argument("--pause-ms", type=int, default=300, help="between reads (default 300)")
    parser.add_argument("--listen-s", type=float, default=30, help="wait so long for an MQTT device (default 30)")


def commission_options(args: argparse.Namespace) -> CommissionOptions:
    """The options. Raises CommissionError for numbers that make no sense."""
    return CommissionOptions(
        scan=args.scan,
        units=args.units,
        addresses=args.addresses,
        answers=args.answers,
        yes=args.yes,
        offline_buses=args.offline_buses,
        dry_run=args.dry_run,
        print_sheet=args.print_sheet,
        pacing=replace(_pacing(args), listen_s=_listen_s(args.listen_s)),
    )


def add_device_test_arguments(parser: argparse.ArgumentParser) -> None:
    """Everything that `device_test_options` reads."""
    parser.add_argument("table", help="register table (YAML), or the name of a shipped one")
    parser.add_argument("--host", help="Modbus TCP, or with --baud a serial server in raw mode")
    parser.add_argument("--port", type=int, default=502)
    parser.add_argument("--serial", metavar="PATH", help="serial port, for example /dev/ttyUSB0")
    parser.add_argument("--baud", type=int, help="of the RTU bus (default 9600 with --serial)")
    parser.add_argument("--parity", default="none", choices=["none", "even", "odd"])
    parser.add_argument("--stop-bits", type=int, default=1, choices=[1, 2])
    parser.add_argument("--timeout-ms", type=int, default=1000)
    parser.add_argument("--unit", type=int, default=1, help="unit id (default 1)")
    parser.add_argument("--samples", type=int, default=1, help="how often to read (default 1)")
    parser.add_argument("--pause-ms", type=int, default=1000, help="between reads (default 1000)")


def device_test_options(args: argparse.Namespace) -> DeviceTestOptions:
    """The options. Raises CommissionError when the address or the table is wrong."""
    pacing = _pacing(args)
    if (args.host is None) == (args.serial is None):
        raise CommissionError("device test: give either --host or --serial")
    if not 0 <= args.unit <= 255:
        raise CommissionError(f"--unit: found {args.unit}, expected 0 to 255")
    try:
        link = _link(args)
    except ValueError as error:
        raise CommissionError(f"device test: {error}") from None
    return DeviceTestOptions(load_device_table(args.table), link, args.unit, pacing.samples, pacing.pause_s)


def _link(args: argparse.Namespace) -> ModbusTcpLink | ModbusRtuLink | ModbusRtuTcpLink:
    common = {"id": _ID, "timeout_ms": args.timeout_ms}
    if args.serial is not None:
        wire = {"serial_port": args.serial, "parity": args.parity, "stop_bits": args.stop_bits}
        return ModbusRtuLink.model_validate({**common, **wire, "driver": "modbus-rtu", "baud": args.baud or 9600})
    address = {"host": args.host, "port": args.port}
    if args.baud is not None:
        return ModbusRtuTcpLink.model_validate({**common, **address, "driver": "modbus-rtu-tcp", "baud": args.baud})
    return ModbusTcpLink.model_validate({**common, **address, "driver": "modbus-tcp"})


def _listen_s(seconds: float) -> float:
    if not 0.1 <= seconds <= 86_400:
        raise CommissionError("--listen-s: expected 0.1 to 86400")
    return seconds


def _pacing(args: argparse.Namespace) -> Pacing:
    if not 1 <= args.samples <= 10_000 or not 0 <= args.pause_ms <= 3_600_000:
        raise CommissionError("--samples: expected 1 to 10000; --pause-ms: expected 0 to 3600000")
    return Pacing(args.samples, args.pause_ms / 1000)
