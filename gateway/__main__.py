"""The command line: arguments only. Every command's work lives elsewhere.

Exit status: 0 done, 1 the check or the run failed, 2 the configuration or the arguments are wrong.
"""

import argparse
import json
import ssl
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from contract import __version__
from contract.extras import missing_extra, require
from gateway.accounts.arguments import add_account_commands
from gateway.commissioning.arguments import add_commission_arguments, add_device_test_arguments
from gateway.demo_arguments import add_demo_arguments, demo_options
from gateway.desk_arguments import add_desk_commands
from gateway.folder_lock import AlreadyRunning
from gateway.identity_arguments import add_identity_command
from gateway.logs import LogFile, start_logging
from gateway.media.arguments import add_chain_commands
from gateway.media.kept import MediaItem
from gateway.model.errors import ConfigError
from gateway.operation_arguments import add_operation_commands
from gateway.package_check import run_package_check
from gateway.pit_office.arguments import add_pit_commands
from gateway.replay_arguments import add_replay_arguments
from gateway.rule_listing import rules_json, rules_text
from gateway.settings import Settings, check_report, load, site_schema
from gateway.tls.arguments import add_tls_command
from gateway.tls.faults import TlsError
from gateway.uplink_check import run_uplink_check
from gateway.vision_arguments import add_vision_commands


def main(arguments: list[str] | None = None) -> int:
    """Parse and run one command."""
    args = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], int] = args.command
    try:
        return command(args)
    except ConfigError as error:
        print(check_report(error, getattr(args, "language", "en")), file=sys.stderr)
        return 2
    except (AlreadyRunning, LookupError, TlsError) as error:
        print(f"sitewarden: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if (missing := missing_extra(error)) is None:
            raise
        print(f"sitewarden: {missing}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"sitewarden: {error.filename or ''} {error.strerror}", file=sys.stderr)
        return 1


def _site(file: Path | str) -> Settings:
    from gateway.app import DRIVERS, UPLINKS  # noqa: PLC0415 - a desk is installed without a box's libraries

    return load(file, DRIVERS, UPLINKS)


def _run(args: argparse.Namespace) -> int:
    require("box")
    file = LogFile(args.log_file, args.log_max_mib, args.log_keep, args.log_daily) if args.log_file else None
    start_logging(args.log_level, file)
    from gateway.app import Gateway, run_until_signal  # noqa: PLC0415 - as above

    run_until_signal(Gateway(_site(args.file)))
    return 0


def _check(args: argparse.Namespace) -> int:
    settings = _site(args.file)
    print(check_report(settings, args.language))
    return 0


def _rules(args: argparse.Namespace) -> int:
    settings = _site(args.file)
    print(rules_json(settings) if args.json else rules_text(settings, args.language))
    return 0


def _schema(_args: argparse.Namespace) -> int:
    from gateway.app import DRIVERS, UPLINKS  # noqa: PLC0415 - as above

    print(json.dumps(site_schema(DRIVERS, UPLINKS), ensure_ascii=False, indent=2))
    return 0


def _demo(args: argparse.Namespace) -> int:
    require("demo")
    from gateway.demo import run_demo  # noqa: PLC0415 - a site's box starts without the desk's libraries

    start_logging("WARNING")
    return run_demo(demo_options(args))


def _blurred(body: bytes, item: MediaItem) -> bytes:
    from vision.still_privacy import blurred_still  # noqa: PLC0415 - only an export of pictures needs OpenCV

    return blurred_still(body, item.boxes)


def _health(args: argparse.Namespace) -> int:
    try:
        trust = ssl.create_default_context(cafile=args.ca) if args.ca else None
        with urllib.request.urlopen(f"{args.url.rstrip('/')}/healthz", timeout=5, context=trust) as reply:  # noqa: S310
            print(reply.read().decode())
            return 0
    except (urllib.error.URLError, OSError) as error:
        print(f"sitewarden: {args.url}: {error}", file=sys.stderr)
        return 1


def _test_uplink(args: argparse.Namespace) -> int:
    start_logging("WARNING")
    return run_uplink_check(_site(args.file), args.name)


def _commission(args: argparse.Namespace) -> int:
    from gateway.commissioning.command import run_commission  # noqa: PLC0415 - as above
    from gateway.commissioning.options import commission_options  # noqa: PLC0415

    start_logging("ERROR")
    return run_commission(_site(args.file), commission_options(args))


def _device_test(args: argparse.Namespace) -> int:
    from gateway.commissioning.command import run_device_test  # noqa: PLC0415 - as above
    from gateway.commissioning.options import device_test_options  # noqa: PLC0415

    start_logging("ERROR")
    return run_device_test(device_test_options(args))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sitewarden", description="Construction-site safety gateway.")
    parser.add_argument("--version", action="version", version=f"sitewarden {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, text: str, command: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=command)
        return sub

    run = add("run", "run the gateway on a site file", _run)
    run.add_argument("file", help="site file (YAML), or the name of a shipped one")
    run.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    run.add_argument("--log-file", type=Path, help="write the log to this file, bounded, instead of standard error")
    run.add_argument("--log-max-mib", type=float, default=10.0, help="turn the log file at this size")
    run.add_argument("--log-keep", type=int, default=7, help="older log files to keep")
    run.add_argument("--log-daily", action="store_true", help="turn the log file at midnight UTC instead of by size")
    check = add("check", "list every fault of a site file; exit 2 when there are any", _check)
    check.add_argument("file", help="site file (YAML), or the name of a shipped one")
    check.add_argument("--language", default="en", choices=["en", "zh"], help="of the answer")
    rules = add("rules", "print every rule in force on a site, and where each value comes from", _rules)
    rules.add_argument("file", help="site file (YAML), or the name of a shipped one")
    rules.add_argument("--language", default="en", choices=["en", "zh"], help="of the text")
    rules.add_argument("--json", action="store_true", help="one JSON object, with the titles in both languages")
    add("schema", "print the JSON Schema of site files, for editors", _schema)
    demo = add("demo", "run twins, broker, gateway and a regulator on this machine", _demo)
    add_demo_arguments(demo)
    add_chain_commands(commands, _blurred, run_package_check)
    health = add("health", "ask a running gateway whether it is alive", _health)
    health.add_argument("--url", default="http://127.0.0.1:8080")
    health.add_argument("--ca", type=Path, help="certificate of the authority (ca.crt) that vouches for an https box")
    test_uplink = add("test-uplink", "send a test message through an uplink to people; exit 1: not taken", _test_uplink)
    test_uplink.add_argument("file", help="site file (YAML), or the name of a shipped one")
    test_uplink.add_argument("name", help="the uplink's name in the site file")
    add_replay_arguments(commands, _site)
    add_commission_arguments(add("commission", "prove every device of a site before its alarms count", _commission))
    device = commands.add_parser("device", help="work with one device, without a site file")
    device_commands = device.add_subparsers(required=True, metavar="COMMAND")
    test = device_commands.add_parser("test", help="read a register table from a real device; exit 1: not all readable")
    test.set_defaults(command=_device_test)
    add_device_test_arguments(test)
    add_identity_command(commands)
    add_account_commands(commands, _site)
    add_operation_commands(commands, _site)
    add_pit_commands(commands, _site)
    add_tls_command(commands, _site)
    add_vision_commands(commands)
    add_desk_commands(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
