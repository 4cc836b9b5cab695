"""The arguments of `sitewarden accounts`, and the little work behind them.

In: the command line's sub-parsers, and how a site file is loaded. Out: parsers whose `command` does the work.
"""

import argparse
import json
import sqlite3
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from contract.keyfile import write_durably
from gateway.accounts.account_rows import ACCOUNTS_FILE
from gateway.accounts.faults import AccountError, AccountFault
from gateway.accounts.recovery import make_recovery_code
from gateway.accounts.token_desk import list_tokens, make_token, take_back_token
from gateway.accounts.tokens import MOST_DAYS, USUAL_DAYS, Draft, TokenScope, Wanted
from gateway.model.errors import StoreError
from gateway.ports import Clock
from kit.clock import SystemClock

if TYPE_CHECKING:
    from gateway.settings import Settings

Load = Callable[[str], "Settings"]
SAID = {
    AccountFault.BAD_TITLE: "--title: 1 to 24 visible characters",
    AccountFault.BAD_SCOPE: f"--scope: one or more of {', '.join(TokenScope)}",
    AccountFault.BAD_DAYS: f"--days: 1 to {MOST_DAYS}",
    AccountFault.TOO_MANY_TOKENS: "100 tokens are in force: revoke one first",
    AccountFault.NO_SUCH_TOKEN: "there is no such token, or it has been revoked",
}
"""What may be wrong with a token, for the console."""


def add_account_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", load: Load) -> None:
    """Add the command and its own commands."""
    text = "people who may log in to the box, and tokens of programs"
    accounts = commands.add_parser("accounts", help=text, description=text)
    sub = accounts.add_subparsers(required=True, metavar="COMMAND")
    text = "make a one-time code, good for an hour at /setup, for an administrator who has lost the password"
    reset = sub.add_parser("reset-code", help=text, description=text)
    reset.add_argument("file", help="site file (YAML), or the name of a shipped one")
    reset.set_defaults(command=lambda args: run_reset_code(load(args.file), SystemClock()))
    _add_token_commands(sub, load)


def _add_token_commands(sub: "argparse._SubParsersAction[argparse.ArgumentParser]", load: Load) -> None:
    text = "make a token for a program; the box may run meanwhile"
    make = sub.add_parser("make-token", help=text, description=text)
    make.add_argument("file", help="site file (YAML), or the name of a shipped one")
    make.add_argument("--title", required=True, help="which program, at most 24 characters")
    make.add_argument(
        "--scope", required=True, action="append", choices=[str(scope) for scope in TokenScope], help="what it may do"
    )
    make.add_argument("--days", type=int, default=USUAL_DAYS, help=f"when it ends, 1 to {MOST_DAYS} (default 90)")
    make.add_argument("--to", type=Path, metavar="FILE", help="write it there (0600) instead of printing it")
    make.set_defaults(command=lambda args: run_make_token(load(args.file), args, SystemClock()))
    text = "list the tokens of programs, a JSON line each"
    tokens = sub.add_parser("tokens", help=text, description=text)
    tokens.add_argument("file", help="site file (YAML), or the name of a shipped one")
    tokens.set_defaults(command=lambda args: run_tokens(load(args.file), SystemClock()))
    text = "take a program's token back"
    revoke = sub.add_parser("revoke-token", help=text, description=text)
    revoke.add_argument("file", help="site file (YAML), or the name of a shipped one")
    revoke.add_argument("token_id", help="as `tokens` lists it")
    revoke.set_defaults(command=lambda args: run_revoke_token(load(args.file), args.token_id, SystemClock()))


def run_reset_code(settings: "Settings", clock: Clock) -> int:
    """Print the code; 1 when there is no account to come back to."""
    folder = settings.storage.folder
    if not (folder / ACCOUNTS_FILE).is_file():
        return _failed(f"{folder}: holds no {ACCOUNTS_FILE}; a box prints its first code itself")
    print(f"code {make_recovery_code(folder, clock.now_ns())}: open /setup on the box within an hour")
    return 0


def run_make_token(settings: "Settings", args: argparse.Namespace, clock: Clock) -> int:
    """Print the token, or write it into a file; 1 when nothing was made."""
    wanted = Wanted(args.title, args.scope, args.days)

    def hand_over(draft: Draft) -> None:
        if args.to is not None:
            write_durably(args.to, f"{draft.secret}\n".encode())

    def job(folder: Path) -> None:
        draft = make_token(folder, wanted, clock.now_ns(), hand_over)
        told = {"token_id": draft.token.token_id, "until": _time(draft.token.expires_at_ns)}
        print(json.dumps(told | ({"file": str(args.to)} if args.to is not None else {"token": draft.secret})))

    return _done(settings, job)


def run_tokens(settings: "Settings", clock: Clock) -> int:
    """Print the list; 1 when there is no file."""
    now_ns = clock.now_ns()

    def job(folder: Path) -> None:
        for token in list_tokens(folder):
            state = "revoked" if token.revoked_at_ns else "expired" if token.expired(now_ns) else "in_force"
            line = {"token_id": token.token_id, "title": token.title, "scopes": sorted(token.scopes), "state": state}
            line |= {"until": _time(token.expires_at_ns), "last_used": _time(token.seen_at_ns)}
            print(json.dumps(line, ensure_ascii=False))

    return _done(settings, job)


def run_revoke_token(settings: "Settings", token_id: str, clock: Clock) -> int:
    """1 when there is none in force with this id."""

    def job(folder: Path) -> None:
        take_back_token(folder, token_id, clock.now_ns())
        print(json.dumps({"token_id": token_id, "revoked": True}))

    return _done(settings, job)


def _done(settings: "Settings", job: Callable[[Path], None]) -> int:
    folder = settings.storage.folder
    if not (folder / ACCOUNTS_FILE).is_file():
        return _failed(f"{folder}: holds no {ACCOUNTS_FILE}; the box makes it at its first start")
    try:
        job(folder)
    except AccountError as error:
        return _failed(SAID[error.fault])
    except (StoreError, sqlite3.Error, OSError) as error:
        return _failed(f"{folder}: {error}")
    return 0


def _time(at_ns: int) -> str:
    """ISO 8601 in UTC; empty for never."""
    return datetime.fromtimestamp(at_ns // 1_000_000_000, UTC).isoformat() if at_ns else ""


def _failed(why: str) -> int:
    print(f"sitewarden: {why}", file=sys.stderr)
    return 1
