"""The arguments of `sitewarden accounts`, and the little work behind them.

In: the command line's sub-parsers, and how a site file is loaded. Out: parsers whose `command` does the work.
"""

import argparse
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway.accounts.account_rows import ACCOUNTS_FILE
from gateway.accounts.recovery import make_recovery_code
from gateway.clock import SystemClock
from gateway.ports import Clock

if TYPE_CHECKING:
    from gateway.settings import Settings

Load = Callable[[str], "Settings"]


def add_account_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", load: Load) -> None:
    """Add the command and its own commands."""
    text = "people who may log in to the box"
    accounts = commands.add_parser("accounts", help=text, description=text)
    sub = accounts.add_subparsers(required=True, metavar="COMMAND")
    text = "make a one-time code, good for an hour at /setup, for an administrator who has lost the password"
    reset = sub.add_parser("reset-code", help=text, description=text)
    reset.add_argument("file", help="site file (YAML), or the name of a shipped one")
    reset.set_defaults(command=lambda args: run_reset_code(load(args.file), SystemClock()))


def run_reset_code(settings: "Settings", clock: Clock) -> int:
    """Print the code; 1 when there is no account to come back to."""
    folder = settings.storage.folder
    if not (folder / ACCOUNTS_FILE).is_file():
        print(f"sitewarden: {folder}: holds no {ACCOUNTS_FILE}; a box prints its first code itself", file=sys.stderr)
        return 1
    print(f"code {make_recovery_code(folder, clock.now_ns())}: open /setup on the box within an hour")
    return 0
