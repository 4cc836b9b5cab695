"""`sitewarden desk`: the regulator's review desk as its own process. Arguments only; the desk knows nothing of a site.

The configuration file is read as a site file is: every fault at once, with its line and what was expected.
"""

import argparse
import sys
from pathlib import Path

from contract.extras import require
from gateway.logs import start_logging
from gateway.model.errors import ConfigError
from gateway.settings.checking import check
from gateway.settings.source import read_document
from regulator.settings import DeskSettings


def add_desk_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`desk CONFIG`, with what an administrator does to a desk from its own machine."""
    text = "run the regulator's review desk"
    desk = commands.add_parser("desk", help=text, description=text)
    desk.set_defaults(command=_desk)
    desk.add_argument("file", type=Path, help="desk file (YAML)")
    desk.add_argument(
        "--check", action="store_true", help="list every fault of the file and end; exit 2: there are any"
    )
    change = desk.add_mutually_exclusive_group()
    change.add_argument(
        "--next-key",
        choices=["announce", "use"],
        help="change the signing key: make the next one and tell the boxes; use it once they know it; end",
    )
    change.add_argument(
        "--first-administrator",
        nargs=2,
        metavar=("LOGIN", "NAME"),
        help="make one of the first two accounts; its password is the first line of the standard input; end",
    )
    change.add_argument("--lost-key", metavar="REASON", help="start with a new key: every box has to enrol again")
    desk.add_argument("--leave-behind", action="store_true", help="with --next-key use: also when boxes do not know it")
    desk.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])


def load_desk(path: Path) -> DeskSettings:
    """The settings in a desk file; paths in it are relative to its folder. Raises ConfigError with every fault."""
    document = read_document(path)
    settings = None if document.faults else check(DeskSettings, document, (), document.data)
    if settings is None:
        raise ConfigError(document.faults, more_may_follow=document.cut_short)
    return settings.beside(path.resolve().parent)


def _desk(args: argparse.Namespace) -> int:
    settings = load_desk(args.file)
    if args.check:
        print(f"{args.file}: no faults")
        return 0
    require("desk")
    from sqlalchemy.exc import SQLAlchemyError  # noqa: PLC0415 - a site's box does without the desk's libraries

    from regulator.running import add_first_administrator, change_key, run_desk  # noqa: PLC0415

    start_logging(args.log_level)
    try:
        if args.next_key is not None:
            return change_key(settings, args.next_key, leave_behind=args.leave_behind)
        if args.first_administrator is not None:
            login, name = args.first_administrator
            return add_first_administrator(settings, login, name, sys.stdin.readline().rstrip("\n"))
        run_desk(settings, args.lost_key or "")
    except (ValueError, SQLAlchemyError) as error:
        print(f"sitewarden: {str(error).splitlines()[0]}", file=sys.stderr)
        return 2
    return 0
