"""The command line: arguments only. Every command's work lives elsewhere.

Exit status: 0 done, 1 the check or the run failed, 2 the configuration or the arguments are wrong.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract import __version__
from contract.extras import missing_extra, require
from gateway.model.errors import ConfigError
from gateway.tls.faults import TlsError
from kit.folder_lock import AlreadyRunning
from sitewarden.command_table import COMMANDS, grouped_help

if TYPE_CHECKING:
    from gateway.media.kept import MediaItem
    from gateway.settings import Settings


def main(arguments: list[str] | None = None) -> int:
    """Parse and run one command."""
    told = sys.argv[1:] if arguments is None else arguments
    if told in ([], ["-h"], ["--help"]):
        print(grouped_help())
        return 0 if told else 2
    args = parser_for(told).parse_args(told)
    command: Callable[[argparse.Namespace], int] = args.command
    try:
        return command(args)
    except ConfigError as error:
        from gateway.settings import check_report  # noqa: PLC0415 - only what a command needs is imported

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


def _site(file: Path | str) -> "Settings":
    from gateway.settings import load  # noqa: PLC0415
    from sitewarden.composition.box import DRIVERS, UPLINKS  # noqa: PLC0415 - a desk is installed without a box's libraries
    from sitewarden.composition.kinds import KINDS  # noqa: PLC0415 - as above

    return load(file, DRIVERS, UPLINKS, KINDS)


def _run(args: argparse.Namespace) -> int:
    require("box")
    from gateway.logs import LogFile, start_logging  # noqa: PLC0415 - only what a command needs is imported

    file = LogFile(args.log_file, args.log_max_mib, args.log_keep, args.log_daily) if args.log_file else None
    start_logging(args.log_level, file)
    from sitewarden.composition.box import Gateway, run_until_signal  # noqa: PLC0415 - as above

    gateway = Gateway(_site(args.file))
    run_until_signal(gateway)
    if gateway.outlets.left_behind:
        _leave()
    return 0


def _leave() -> None:
    """End now, with exit code 0: all is written and closed, and a thread that waits for a receiver holds nothing up."""
    import logging  # noqa: PLC0415 - as above
    import os  # noqa: PLC0415

    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _check(args: argparse.Namespace) -> int:
    from gateway.settings import check_report  # noqa: PLC0415 - as above
    from sitewarden.commands.machine_check import with_machine_warnings  # noqa: PLC0415 - only what a command needs is imported

    settings = with_machine_warnings(_site(args.file))
    print(check_report(settings, args.language))
    return 0


def _rules(args: argparse.Namespace) -> int:
    from sitewarden.commands.rule_listing import rules_json, rules_text  # noqa: PLC0415 - as above

    settings = _site(args.file)
    print(rules_json(settings) if args.json else rules_text(settings, args.language))
    return 0


def _schema(_args: argparse.Namespace) -> int:
    import json  # noqa: PLC0415

    print(json.dumps(_site_schema(), ensure_ascii=False, indent=2))
    return 0


def _site_schema() -> dict[str, Any]:
    from gateway.settings import site_schema  # noqa: PLC0415
    from sitewarden.composition.box import DRIVERS, UPLINKS  # noqa: PLC0415 - as above
    from sitewarden.composition.kinds import KINDS  # noqa: PLC0415 - as above

    return site_schema(DRIVERS, UPLINKS, KINDS)


def _demo(args: argparse.Namespace) -> int:
    require("demo")
    from gateway.logs import start_logging  # noqa: PLC0415
    from sitewarden.demo.arguments import demo_options  # noqa: PLC0415
    from sitewarden.demo.demo import run_demo  # noqa: PLC0415 - a site's box starts without the desk's libraries

    start_logging("WARNING")
    return run_demo(demo_options(args))


def _blurred(body: bytes, item: "MediaItem") -> bytes:
    from vision.privacy.still import blurred_still  # noqa: PLC0415 - only an export of pictures needs OpenCV

    return blurred_still(body, item.boxes)


def _health(args: argparse.Namespace) -> int:
    import ssl  # noqa: PLC0415 - only this command asks over HTTP
    import urllib.error  # noqa: PLC0415
    import urllib.request  # noqa: PLC0415

    try:
        trust = ssl.create_default_context(cafile=args.ca) if args.ca else None
        with urllib.request.urlopen(f"{args.url.rstrip('/')}/healthz", timeout=5, context=trust) as reply:  # noqa: S310
            print(reply.read().decode())
            return 0
    except (urllib.error.URLError, OSError) as error:
        print(f"sitewarden: {args.url}: {error}", file=sys.stderr)
        return 1


def _test_uplink(args: argparse.Namespace) -> int:
    from gateway.logs import start_logging  # noqa: PLC0415 - as above
    from sitewarden.commands.uplink_check import run_uplink_check  # noqa: PLC0415

    start_logging("WARNING")
    return run_uplink_check(_site(args.file), args.name)


def _commission(args: argparse.Namespace) -> int:
    from gateway.logs import start_logging  # noqa: PLC0415
    from sitewarden.commissioning.command import run_commission  # noqa: PLC0415 - as above
    from sitewarden.commissioning.options import commission_options  # noqa: PLC0415

    start_logging("ERROR")
    return run_commission(_site(args.file), commission_options(args))


def _device_test(args: argparse.Namespace) -> int:
    from gateway.logs import start_logging  # noqa: PLC0415
    from sitewarden.commissioning.command import run_device_test  # noqa: PLC0415 - as above
    from sitewarden.commissioning.options import device_test_options  # noqa: PLC0415

    start_logging("ERROR")
    return run_device_test(device_test_options(args))


def parser_for(told: list[str]) -> argparse.ArgumentParser:
    """A parser that knows every command by name, and the arguments of the one that was told."""
    wanted = next((word for word in told if not word.startswith("-")), "")
    return _parser([wanted] if wanted in ADDERS else [])


def whole_parser() -> argparse.ArgumentParser:
    """A parser with the arguments of every command: slow, since it imports them all."""
    return _parser(list(ADDERS))


def _parser(wanted: list[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sitewarden", description="Construction-site safety gateway.")
    parser.add_argument("--version", action="version", version=f"sitewarden {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for adder in dict.fromkeys(ADDERS[name] for name in wanted):
        adder(commands)
    for name in COMMANDS:
        if name not in commands.choices:
            commands.add_parser(name)
    return parser


def _add(commands: Any, name: str, command: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
    sub: argparse.ArgumentParser = commands.add_parser(name, help=COMMANDS[name].en, description=COMMANDS[name].en)
    sub.set_defaults(command=command)
    return sub


SITE_FILE = "site file (YAML), or the name of a shipped one"


def _add_init(commands: Any) -> None:
    from sitewarden.commands.init import add_init_arguments  # noqa: PLC0415 - only what a command needs is imported

    add_init_arguments(_add(commands, "init", _schema), _site_schema)


def _add_simulate(commands: Any) -> None:
    from sitewarden.commands.init import add_simulate_arguments  # noqa: PLC0415

    add_simulate_arguments(_add(commands, "simulate", _schema))


def _add_run(commands: Any) -> None:
    run = _add(commands, "run", _run)
    run.add_argument("file", help=SITE_FILE)
    run.add_argument("--log-level", default="INFO", choices=["DEBUG", "INFO", "WARNING", "ERROR"])
    run.add_argument("--log-file", type=Path, help="write the log to this file, bounded, instead of standard error")
    run.add_argument("--log-max-mib", type=float, default=10.0, help="turn the log file at this size")
    run.add_argument("--log-keep", type=int, default=7, help="older log files to keep")
    run.add_argument("--log-daily", action="store_true", help="turn the log file at midnight UTC instead of by size")


def _add_check(commands: Any) -> None:
    check = _add(commands, "check", _check)
    check.add_argument("file", help=SITE_FILE)
    check.add_argument("--language", default="en", choices=["en", "zh"], help="of the answer")


def _add_rules(commands: Any) -> None:
    rules = _add(commands, "rules", _rules)
    rules.add_argument("file", help=SITE_FILE)
    rules.add_argument("--language", default="en", choices=["en", "zh"], help="of the text")
    rules.add_argument("--json", action="store_true", help="one JSON object, with the titles in both languages")


def _add_schema(commands: Any) -> None:
    _add(commands, "schema", _schema)


def _add_demo(commands: Any) -> None:
    from sitewarden.demo.arguments import add_demo_arguments  # noqa: PLC0415

    add_demo_arguments(_add(commands, "demo", _demo))


def _add_chain(commands: Any) -> None:
    from gateway.media.arguments import add_chain_commands  # noqa: PLC0415
    from sitewarden.commands.package_check import run_package_check  # noqa: PLC0415

    add_chain_commands(commands, _blurred, run_package_check)


def _add_health(commands: Any) -> None:
    health = _add(commands, "health", _health)
    health.add_argument("--url", default="http://127.0.0.1:8080")
    health.add_argument("--ca", type=Path, help="certificate of the authority (ca.crt) that vouches for an https box")


def _add_test_uplink(commands: Any) -> None:
    test_uplink = _add(commands, "test-uplink", _test_uplink)
    test_uplink.add_argument("file", help=SITE_FILE)
    test_uplink.add_argument("name", help="the uplink's name in the site file")


def _add_replay(commands: Any) -> None:
    from sitewarden.replay.arguments import add_replay_arguments  # noqa: PLC0415

    add_replay_arguments(commands, _site)


def _add_commission(commands: Any) -> None:
    from sitewarden.commissioning.arguments import add_commission_arguments  # noqa: PLC0415

    add_commission_arguments(_add(commands, "commission", _commission))


def _add_device(commands: Any) -> None:
    from sitewarden.commissioning.arguments import add_device_test_arguments  # noqa: PLC0415

    device = commands.add_parser("device", help=COMMANDS["device"].en)
    device_commands = device.add_subparsers(required=True, metavar="COMMAND")
    test = device_commands.add_parser("test", help="read a register table from a real device; exit 1: not all readable")
    test.set_defaults(command=_device_test)
    add_device_test_arguments(test)


def _add_identity(commands: Any) -> None:
    from gateway.parts.identity.arguments import add_identity_command  # noqa: PLC0415

    add_identity_command(commands)


def _add_accounts(commands: Any) -> None:
    from gateway.accounts.arguments import add_account_commands  # noqa: PLC0415

    add_account_commands(commands, _site)


def _add_operation(commands: Any) -> None:
    from gateway.parts.operation.arguments import add_operation_commands  # noqa: PLC0415

    add_operation_commands(commands, _site)


def _add_pit(commands: Any) -> None:
    from gateway.parts.pit.arguments import add_pit_commands  # noqa: PLC0415

    add_pit_commands(commands, _site)


def _add_tls(commands: Any) -> None:
    from gateway.tls.arguments import add_tls_command  # noqa: PLC0415

    add_tls_command(commands, _site)


def _add_vision(commands: Any) -> None:
    from sitewarden.commands.vision import add_vision_commands  # noqa: PLC0415

    add_vision_commands(commands)


def _add_desk(commands: Any) -> None:
    from sitewarden.commands.desk import add_desk_commands  # noqa: PLC0415

    add_desk_commands(commands)


def _completion(args: argparse.Namespace) -> int:
    from sitewarden.completion import completion_script  # noqa: PLC0415

    print(completion_script(args.shell, whole_parser()))
    return 0


def _add_completion(commands: Any) -> None:
    _add(commands, "completion", _completion).add_argument("shell", choices=["bash", "zsh", "fish"])


ADDERS: Mapping[str, Callable[[Any], None]] = {
    "init": _add_init,
    "check": _add_check,
    "run": _add_run,
    "rules": _add_rules,
    "commission": _add_commission,
    "device": _add_device,
    "simulate": _add_simulate,
    "test-uplink": _add_test_uplink,
    "replay": _add_replay,
    "vision": _add_vision,
    "pit": _add_pit,
    "identity": _add_identity,
    "desk": _add_desk,
    "verify": _add_chain,
    "export": _add_chain,
    "demo": _add_demo,
    "doctor": _add_operation,
    "health": _add_health,
    "accounts": _add_accounts,
    "tls": _add_tls,
    "backup": _add_operation,
    "restore": _add_operation,
    "bundle": _add_operation,
    "schema": _add_schema,
    "completion": _add_completion,
}


if __name__ == "__main__":
    sys.exit(main())
