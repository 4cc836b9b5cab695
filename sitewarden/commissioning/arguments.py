"""The arguments of `sitewarden commission` and `sitewarden device test`, for the command line's parser.

In: an argparse parser. Imports no driver: every command's help is made with it. `options` reads what was given.
"""

import argparse
from pathlib import Path


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
    parser.add_argument(
        "--listen-s", type=float, default=30, help="wait so long for what speaks by itself (default 30)"
    )


def add_device_test_arguments(parser: argparse.ArgumentParser) -> None:
    """Add every argument that `device_test_options` reads."""
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
