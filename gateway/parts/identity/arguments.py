"""The arguments of `sitewarden identity`. Arguments only: the work is in `gateway.parts.identity.command`.

No number of an ID card or a certificate is an argument: the list of processes and the shell's history would show it.
"""

import argparse
from datetime import date
from pathlib import Path

from gateway.model.papers import driver_number
from gateway.parts.identity.command import (
    Validity,
    Where,
    ask_id_number,
    run_add,
    run_certify,
    run_forget,
    run_import,
    run_list,
    run_rotate_key,
)
from gateway.parts.identity.person import CertificateKind, DriverNumber, Person, Role
from kit.secret import Secret


def add_identity_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its own commands."""
    text = "who drives: one encrypted file of names, ID numbers and certificates"
    identity = commands.add_parser("identity", help=text, description=text)
    sub = identity.add_subparsers(required=True, metavar="COMMAND")
    _add_add(_command(sub, "add", "add a person; the ID number is asked for, or read from standard input"))
    listing = _command(sub, "list", "list everybody, masked")
    listing.set_defaults(command=lambda args: run_list(_where(args)))
    _add_certify(_command(sub, "certify", "file a certificate; its number is asked for, or read from standard input"))
    taking = _command(sub, "import", "take a table (CSV) in, all of it or nothing")
    taking.add_argument(
        "file", type=Path, help="UTF-8 or GB 18030; 姓名,身份证号,司机编号,设备,岗位,证书类别,证书编号,有效期至"
    )
    taking.set_defaults(command=lambda args: run_import(_where(args), args.file))
    forget = _command(sub, "forget", "take a person out")
    forget.add_argument("person_id")
    forget.set_defaults(command=lambda args: run_forget(_where(args), args.person_id))
    _add_rotate(_command(sub, "rotate-key", "seal the file with a new key"))


def _command(
    sub: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, text: str
) -> argparse.ArgumentParser:
    parser = sub.add_parser(name, help=text, description=text)
    parser.add_argument("folder", type=Path, help="the box's data folder (storage.folder)")
    _add_key(parser, "key", "where the key is, when it is not identity.key in the folder")
    return parser


def _add_key(parser: argparse.ArgumentParser, name: str, text: str) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument(f"--{name}-file", type=Path, metavar="PATH", help=f"{text}: a file")
    group.add_argument(f"--{name}-env", metavar="NAME", help=f"{text}: an environment variable")


def _add_add(add: argparse.ArgumentParser) -> None:
    add.add_argument("name", help="姓名")
    add.add_argument("--role", type=_role, action="append", default=[], metavar="ROLE", help=f"岗位: {_roles()}")
    add.add_argument("--driver-no", metavar="NUMBER", help="司机编号: the number that the crane's device sends")
    add.add_argument("--asset", default="", help="the crane of that number; without it, every crane")
    add.add_argument("--without-id-number", action="store_true", help="file no ID number")
    add.set_defaults(command=_run_add)


def _add_certify(certify: argparse.ArgumentParser) -> None:
    certify.add_argument("person_id")
    certify.add_argument("--kind", type=CertificateKind, choices=list(CertificateKind), required=True, help="证书类别")
    certify.add_argument("--until", type=date.fromisoformat, required=True, help="last day of validity, YYYY-MM-DD")
    certify.set_defaults(
        command=lambda args: run_certify(_where(args), args.person_id, Validity(args.kind, args.until))
    )


def _add_rotate(rotate: argparse.ArgumentParser) -> None:
    _add_key(rotate, "new-key", "where the new key is, when keys come from elsewhere")
    rotate.set_defaults(command=lambda args: run_rotate_key(_where(args), _secret(args.new_key_file, args.new_key_env)))


def _run_add(args: argparse.Namespace) -> int:
    numbers = (DriverNumber(driver_number(args.driver_no), args.asset),) if args.driver_no else ()
    try:
        person = Person(args.name, roles=tuple(args.role), driver_numbers=numbers)
    except ValueError as error:
        raise LookupError(str(error)) from None
    return run_add(_where(args), person, None if args.without_id_number else ask_id_number)


def _where(args: argparse.Namespace) -> Where:
    return Where(args.folder, _secret(args.key_file, args.key_env))


def _secret(file: Path | None, env: str | None) -> Secret | None:
    return Secret(file=file, env=env) if file or env else None


def _role(text: str) -> Role:
    name = text.upper().replace("-", "_")
    if name not in Role.__members__:
        raise argparse.ArgumentTypeError(f"{text!r} is none of {_roles()}")
    return Role[name]


def _roles() -> str:
    return ", ".join(role.name.lower().replace("_", "-") for role in Role)
