"""`sitewarden desk`: the regulator's review desk as its own process. Arguments only; the desk knows nothing of a site.

The configuration file is read as a site file is: every fault at once, with its line and what was expected.
"""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from contract.extras import require
from gateway.logs import start_logging
from gateway.model.errors import ConfigError
from gateway.settings.checking import check
from gateway.settings.source import read_document
from regulator.base.settings import DeskSettings


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
    _add_box_commands(desk)


def _add_box_commands(desk: argparse.ArgumentParser) -> None:
    """`desk FILE issue-code | revoke-box | boxes | head | reset-second-factor | verify`: the desk may run meanwhile."""
    names = "issue-code | revoke-box | boxes | head | reset-second-factor | verify"
    acts = desk.add_subparsers(dest="act", metavar=names)
    issue = acts.add_parser(
        "issue-code", help="a one-time code for one box of one project, or for a list of boxes; end"
    )
    issue.add_argument("project", nargs="?", default="", help="project code")
    issue.add_argument("box", nargs="?", default="", help="box id")
    issue.add_argument("--list", type=Path, metavar="CSV", help="columns project_code and box_id, a line a box")
    issue.add_argument(
        "--to", type=Path, metavar="FILE", help="one code: a file (a stick); a list: .html to print, or .csv"
    )
    issue.add_argument("--hours", type=float, default=24, help="how long it is valid, at most 24")
    revoke = acts.add_parser("revoke-box", help="hear a box no more and take back its open code; end")
    revoke.add_argument("box", help="box id")
    revoke.add_argument("--reason", required=True, help="goes into the ledger")
    factor = acts.add_parser("reset-second-factor", help="take away the second factor of an account; end")
    factor.add_argument("login", help="login name")
    factor.add_argument("--reason", required=True, help="goes into the ledger")
    acts.add_parser("boxes", help="list boxes and open codes, a JSON line each; end")
    acts.add_parser("head", help="print the ledger's newest head, to be kept elsewhere; end")
    text = "look at every item, chain, file, deed and head again; a JSON line a fault, exit 1; end"
    verify = acts.add_parser("verify", help=text)
    verify.add_argument(
        "--head",
        action="append",
        default=[],
        metavar="CODE",
        help="a code of the ledger's head that was printed; a fault when no head has it (again for more)",
    )


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
        if args.act is not None:
            return _about_boxes(args, settings)
        if args.next_key is not None:
            return change_key(settings, args.next_key, leave_behind=args.leave_behind)
        if args.first_administrator is not None:
            login, name = args.first_administrator
            return add_first_administrator(settings, login, name, sys.stdin.readline().rstrip("\n"))
        run_desk(settings, args.lost_key or "")
    except (OSError, ValueError, SQLAlchemyError) as error:
        print(f"sitewarden: {str(error).splitlines()[0]}", file=sys.stderr)
        return 2
    return 0


def _about_boxes(args: argparse.Namespace, settings: DeskSettings) -> int:
    from regulator.console import list_boxes, reset_second_factor, revoke, show_head  # noqa: PLC0415
    from regulator.verifying import verify_desk  # noqa: PLC0415

    acts: dict[str, Callable[[], int]] = {
        "verify": lambda: verify_desk(settings, args.head),
        "head": lambda: show_head(settings),
        "boxes": lambda: list_boxes(settings),
        "reset-second-factor": lambda: reset_second_factor(settings, args.login, args.reason),
        "revoke-box": lambda: revoke(settings, args.box, args.reason),
        "issue-code": lambda: _issue(args, settings),
    }
    return acts[args.act]()


def _issue(args: argparse.Namespace, settings: DeskSettings) -> int:
    from regulator.base.intake.codes import MOST_HOURS, Wanted  # noqa: PLC0415
    from regulator.console import issue_code, issue_list  # noqa: PLC0415

    if not 0 < args.hours <= MOST_HOURS:
        raise ValueError(f"--hours: expected more than 0 and at most {MOST_HOURS}")
    if args.list is not None:
        if args.to is None or args.project:
            raise ValueError("--list: expected --to FILE beside it, and no PROJECT and BOX")
        return issue_list(settings, args.list, args.hours, args.to)
    if not args.project or not args.box:
        raise ValueError("issue-code: expected PROJECT and BOX, or --list CSV --to FILE")
    return issue_code(settings, Wanted(args.project, args.box), args.hours, args.to)
