"""`sitewarden pit import | report`: the command line of the pit's office. The running box does the work.

In: the command line's sub-parsers, and how a site file is loaded. Out: parsers whose `command` does it and returns the
exit status: 0 done, 1 refused, or some lines were not taken.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.parts.pit.box_client import BoxRefusedError, ask_box

if TYPE_CHECKING:
    from gateway.settings import Settings

Load = Callable[[str], "Settings"]
SITE_HELP = "site file (YAML), or the name of a shipped one"
_ENDINGS = (".html", ".pdf")


def add_pit_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", load: Load) -> None:
    """Add `pit import` and `pit report`."""
    pit = commands.add_parser("pit", help="a surveyor's readings into the running box, daily reports out of it")
    pit_commands = pit.add_subparsers(required=True, metavar="COMMAND")
    text = "bring a table of readings (CSV or Excel); exit 1 when a line was not taken"
    bring = pit_commands.add_parser("import", help=text, description=text)
    _add_pit(bring)
    bring.add_argument("table", type=Path, help="the file; GB 18030 and UTF-8 are both read")
    bring.add_argument("--user", required=True, help="who brings it, for the record")
    bring.add_argument("--reason", required=True, help="why, for the record")
    bring.set_defaults(command=lambda args: _import(load(args.file), args))
    text = "the daily report of a finished day, as it was first printed"
    report = pit_commands.add_parser("report", help=text, description=text)
    _add_pit(report)
    report.add_argument("day", help="such as 2026-11-22")
    report.add_argument("--out", type=Path, required=True, help="where to write it; .html or .pdf says which")
    report.set_defaults(command=lambda args: _report(load(args.file), args))


def _add_pit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", help=SITE_HELP)
    parser.add_argument("pit", help="the asset's id")


def _import(settings: "Settings", args: argparse.Namespace) -> int:
    query = {"name": args.table.name, "user": args.user, "reason": args.reason}
    content = args.table.read_bytes()
    try:
        answer = json.loads(ask_box(settings, f"/api/pits/{args.pit}/readings", query, content))
    except BoxRefusedError as error:
        return _refused(error)
    for fault in answer["faults"]:
        print(f"  {fault['message_zh']} / {fault['message_en']}")
    counts = answer["accepted"], answer["known"], len(answer["faults"])
    print("接收 {0}，已有 {1}，未接收 {2} / accepted {0}, known {1}, not taken {2}".format(*counts))
    return 1 if answer["faults"] else 0


def _report(settings: "Settings", args: argparse.Namespace) -> int:
    if args.out.suffix not in _ENDINGS:
        print(f"sitewarden: {args.out}: expected a name that ends in .html or .pdf", file=sys.stderr)
        return 2
    try:
        content = ask_box(settings, f"/api/pits/{args.pit}/reports/{args.day}{args.out.suffix}", {})
    except BoxRefusedError as error:
        return _refused(error)
    args.out.write_bytes(content)
    print(f"{args.out}: {len(content)} bytes")
    return 0


def _refused(error: BoxRefusedError) -> int:
    print(f"sitewarden: {error}", file=sys.stderr)
    return 1
