"""The arguments of `replay`. Arguments only: the work is in `sitewarden.replay.replay`.

In: the command line's sub-parsers, and how a site file is loaded. Out: a parser whose `command` does the work.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.logs import start_logging
from sitewarden.replay.replay import ReplaySource
from sitewarden.replay.report import run_replay
from sitewarden.replay.series import LineError, TimeReader

if TYPE_CHECKING:
    from gateway.settings import Settings

Load = Callable[[str], "Settings"]


def add_replay_arguments(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", load: Load) -> None:
    """Add the command and what it takes to the command line."""
    text = "say which alarms a recorded series would have raised, by a site's rules as they are now"
    parser = commands.add_parser("replay", help=text, description=text)
    parser.add_argument(
        "series",
        type=Path,
        help="CSV (time,point,value[,quality], or time and a column a point), history.db, or a data folder",
    )
    parser.add_argument("--site", required=True, help="site file (YAML), or the name of a shipped one")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--from", dest="from_time", help="leave out what is older (ISO 8601 or Unix time)")
    parser.add_argument("--to", dest="to_time", help="leave out what is newer")
    parser.add_argument(
        "--utc-offset-minutes",
        type=int,
        default=0,
        help="meant by CSV times without an offset: 480 for China; default 0, UTC",
    )
    parser.add_argument("--without-silence", action="store_true", help="leave silence rules out (a thinned-out series)")
    parser.add_argument(
        "--every-tick", action="store_true", help="look at every quarter of a second, in long holes too"
    )
    parser.add_argument("--keep", type=Path, help="make this folder and leave the replay's own data in it")
    parser.set_defaults(command=lambda args: _replay(args, load, parser))


def _replay(args: argparse.Namespace, load: Load, parser: argparse.ArgumentParser) -> int:
    start_logging("ERROR")
    times = TimeReader(args.utc_offset_minutes)
    try:
        from_ns = times.ns(args.from_time) if args.from_time else 0
        to_ns = times.ns(args.to_time) if args.to_time else 2**63 - 1
    except LineError as error:
        parser.error(str(error))
    source = ReplaySource(
        args.series,
        args.utc_offset_minutes,
        (from_ns, to_ns),
        silence=not args.without_silence,
        every_tick=args.every_tick,
        keep=args.keep,
    )
    return run_replay(load(args.site), source, as_json=args.json)
