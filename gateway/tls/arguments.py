"""The arguments of `sitewarden tls`. Arguments only: the work is in `gateway.tls.command`.

In: the command line's sub-parsers, and how a site file is loaded. Out: parsers whose `command` does the work.
"""

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway.tls.command import run_init, run_renew, run_show
from kit.clock import SystemClock

if TYPE_CHECKING:
    from gateway.settings import Settings

Load = Callable[[str], "Settings"]


def add_tls_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", load: Load) -> None:
    """Add the three commands, each with what it takes."""
    text = "HTTPS for the box's page by an authority of its own"
    tls = commands.add_parser("tls", help=text, description=text).add_subparsers(required=True, metavar="COMMAND")
    init = _add(tls, "init", "make the authority and the first certificate; overwrites nothing")
    _add_names(init, "without any: what this machine calls itself")
    init.set_defaults(command=lambda args: run_init(load(args.site), args.name, args.address, SystemClock()))
    renew = _add(tls, "renew", "make a new server certificate by the same authority")
    _add_names(renew, "without any: the names of the old one")
    renew.set_defaults(command=lambda args: run_renew(load(args.site), args.name, args.address, SystemClock()))
    show = _add(tls, "show", "print fingerprint, names and ends")
    show.set_defaults(command=lambda args: run_show(load(args.site), SystemClock()))


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    parser.add_argument("--site", required=True, help="site file (YAML), or the name of a shipped one")
    return parser


def _add_names(parser: argparse.ArgumentParser, without: str) -> None:
    parser.add_argument("--name", action="append", default=[], help=f"host name, again for more; {without}")
    parser.add_argument("--address", action="append", default=[], help="IP address, again for more")
