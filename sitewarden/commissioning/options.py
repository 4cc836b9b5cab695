"""The options of `sitewarden commission` and `sitewarden device test`, from parsed arguments.

In: what `sitewarden.commissioning.arguments` added to the parser. Out: options. Opens nothing.
"""

import argparse
from dataclasses import replace

from drivers.modbus.settings import ModbusRtuLink, ModbusRtuTcpLink, ModbusTcpLink
from sitewarden.commissioning.command import (
    CommissionError,
    CommissionOptions,
    DeviceTestOptions,
    load_device_table,
)
from sitewarden.commissioning.walk import Pacing

_ID = "device-test"


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
