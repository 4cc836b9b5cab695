"""The arguments of `backup`, `restore`, `bundle` and `doctor`. Arguments only: the work is in
`gateway.parts.operation.operation`.

In: the command line's sub-parsers, and how a site file is loaded. Out: parsers whose `command` does the work.
"""

import argparse
import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.parts.operation.doctor import examine, run_doctor
from gateway.parts.operation.operation import (
    Service,
    run_backup,
    run_bundle_apply,
    run_bundle_make,
    run_bundle_rollback,
    run_restore,
)
from gateway.parts.updates.bundle import VALID_DAYS, BundleAbout
from gateway.parts.updates.versions import Allowed
from kit.clock import SystemClock

if TYPE_CHECKING:
    from gateway.settings import Settings

Load = Callable[[str], "Settings"]
SITE_HELP = "site file (YAML), or the name of a shipped one"
HEALTH = "{root}/bin/sitewarden --version"


def add_operation_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", load: Load) -> None:
    """Add the four commands, each with what it takes."""
    _add_backup(commands, load)
    _add_restore(commands)
    _add_doctor(commands, load)
    bundle = commands.add_parser("bundle", help="offline updates: signed bundles of wheels")
    bundle_commands = bundle.add_subparsers(required=True, metavar="COMMAND")
    _add_make(bundle_commands.add_parser("make", help="pack and sign wheels"))
    apply = bundle_commands.add_parser("apply", help="verify, install beside, switch; back by itself when unhealthy")
    apply.add_argument("bundle", type=Path)
    apply.add_argument("--public-key", type=Path, required=True, help="PEM, the box's own copy")
    apply.add_argument("--allow-older", action="store_true", help="a bundle made before one that was in force here")
    apply.add_argument("--allow-expired", action="store_true", help="a bundle whose time is over, or a wrong clock")
    _add_service(apply)
    apply.set_defaults(command=_apply)
    rollback = bundle_commands.add_parser("rollback", help="back to the version before")
    _add_service(rollback)
    rollback.set_defaults(command=lambda args: run_bundle_rollback(_service(args)))


def _add_backup(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", load: Load) -> None:
    text = "copy a box into one verified archive, also while it runs"
    backup = commands.add_parser("backup", help=text, description=text)
    backup.add_argument("file", help=SITE_HELP)
    backup.add_argument("--to", type=Path, required=True, help="folder, or file that ends in .tar.gz")
    backup.add_argument("--passphrase-file", type=Path, help="include the keys, encrypted with its first line")
    backup.set_defaults(command=lambda args: run_backup(load(args.file), args.to, args.passphrase_file, SystemClock()))


def _add_restore(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    text = "verify an archive and make a data folder of it"
    restore = commands.add_parser("restore", help=text, description=text)
    restore.add_argument("archive", type=Path)
    restore.add_argument("--to", type=Path, required=True, help="empty or new folder")
    restore.add_argument("--passphrase-file", type=Path, help="of an archive with keys")
    restore.set_defaults(command=lambda args: run_restore(args.archive, args.to, args.passphrase_file))


def _add_doctor(commands: "argparse._SubParsersAction[argparse.ArgumentParser]", load: Load) -> None:
    text = "look a box over: files, disk, chain, clock, links, receivers; exit 1 on problems"
    doctor = commands.add_parser("doctor", help=text, description=text)
    doctor.add_argument("file", help=SITE_HELP)
    doctor.add_argument("--json", action="store_true", help="for machines")
    doctor.set_defaults(command=lambda args: run_doctor(examine(lambda: load(args.file), SystemClock()), args.json))


def _add_make(make: argparse.ArgumentParser) -> None:
    make.add_argument("--wheels", type=Path, required=True, help="folder of .whl files: the program and all it needs")
    make.add_argument("--lock", type=Path, required=True, help="the lock file they were resolved by")
    make.add_argument("--key", type=Path, required=True, help="Ed25519 private key (PEM)")
    make.add_argument("--bundle-version", required=True)
    make.add_argument(
        "--valid-days", type=float, default=VALID_DAYS, help=f"may be installed for (default {VALID_DAYS})"
    )
    make.add_argument("--out", type=Path, required=True)
    make.set_defaults(command=lambda args: run_bundle_make(args.wheels, args.lock, args.key, _about(args), args.out))


def _apply(args: argparse.Namespace) -> int:
    allowed = Allowed(older=args.allow_older, expired=args.allow_expired)
    return run_bundle_apply(args.bundle, args.public_key, _service(args), SystemClock(), allowed)


def _about(args: argparse.Namespace) -> BundleAbout:
    made_at = datetime.fromtimestamp(SystemClock().now_ns() // 10**9, UTC)
    return BundleAbout(args.bundle_version, made_at, args.valid_days)


def _add_service(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--root", type=Path, required=True, help="folder with versions/ and the symlink current")
    parser.add_argument("--restart", default="", help='for example "systemctl restart sitewarden"')
    parser.add_argument("--health", default=HEALTH, help='for example "{root}/bin/sitewarden health"')
    parser.add_argument("--healthy-within-s", type=float, default=60.0)


def _service(args: argparse.Namespace) -> Service:
    return Service(args.root, shlex.split(args.health), shlex.split(args.restart), args.healthy_within_s)
