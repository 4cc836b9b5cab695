"""The arguments of `sitewarden verify` and `sitewarden export`: the chain of a data folder and the pictures it names,
or an evidence package of the desk.

In: the command line's sub-parsers. Out: parsers whose `command` does the work; exit 1 when what is there is not what
was sealed. Nothing is written into the data folder.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from contract.chain import ChainFault
from gateway.media.checking import check_bodies, export_bodies
from gateway.media.rendition import Blur
from gateway.store.alert_store import open_for_reading
from gateway.store.last_known import lost_stores, sealed_losses
from gateway.store.receipt_check import check_proofs

PackageCheck = Callable[[Path, str], int]


def add_chain_commands(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", blur: Blur, check_package: PackageCheck
) -> None:
    """Add the two commands. `blur` blurs the faces of stills that are exported without an open case; `check_package`
    checks a desk's evidence package against the fingerprint its key must have ('' for any)."""
    text = (
        "walk the evidence chain of a data folder, hold it against the receipts that a desk signed and read every kept"
        " picture, or check a desk's evidence package;"
        " exit 1 when something is not as sealed"
    )
    verify = commands.add_parser("verify", help=text, description=text)
    verify.add_argument("path", type=Path, help="data folder, or evidence package")
    verify.add_argument(
        "--key",
        default="",
        metavar="ID",
        help="fingerprint that the desk's key must have; without it a package ends with 3, and the receipts of a data"
        " folder are believed by the keys that lie beside them",
    )
    verify.set_defaults(
        command=lambda args: check_package(args.path, args.key) if args.path.is_file() else _verify(args.path, args.key)
    )
    text = "print every evidence record of a data folder, one JSON object a line; or copy its pictures"
    export = commands.add_parser("export", help=text, description=text)
    export.add_argument("folder", type=Path)
    text = "instead, copy the kept pictures into DIR; outside an open case faces are blurred and clips stay behind"
    export.add_argument("--bodies", type=Path, metavar="DIR", help=text)
    export.add_argument("--alarm", default="", metavar="ID", help="with --bodies: of one alarm only")
    export.set_defaults(command=lambda args: _export(args, blur))


def _verify(folder: Path, key_id: str) -> int:
    outcome = open_for_reading(folder).verify()
    if isinstance(outcome, ChainFault):
        print(f"chain broken at record {outcome.seq}: {outcome.reason}")
        return 1
    print(f"chain holds: {outcome.seq} records, head {outcome.sha256}")
    proofs = check_proofs(folder, outcome, key_id)
    for report in proofs:
        print(f"receipts: {report.text_en(outcome)}")
        if report.signers:
            print(f"receipts: signed with {', '.join(sorted(report.signers))}")
        if report.others:
            print(f"receipts: {report.others} by other keys, not looked at")
        for fault in report.faults:
            print(f"receipts do not hold: {fault.text_en}")
    if key_id and not proofs:
        print(f"receipts do not hold: nothing signed by the key {key_id} is kept here")
    proved = not any(report.faults for report in proofs) and (bool(proofs) or not key_id)
    lost = [each.text_en for each in lost_stores(folder)] + sealed_losses(folder)
    for each in lost:
        print(f"store lost: {each}")
    bodies = check_bodies(folder)
    for how, digests in (("damaged", bodies.damaged), ("gone", bodies.gone)):
        for sha256 in digests:
            print(f"media {how}: {sha256}")
    if bodies.sound or bodies.missing or bodies.expired or not bodies.holds:
        print(f"media: {bodies.sound} sound, {bodies.expired} expired, {bodies.missing} never kept")
    return 0 if bodies.holds and proved and not lost else 1


def _export(args: argparse.Namespace, blur: Blur) -> int:
    if args.bodies is None:
        for record in open_for_reading(args.folder).all_evidence():
            print(record.body.decode())
        return 0
    for exported in export_bodies(args.folder, args.bodies, args.alarm, blur):
        item = exported.item
        where = exported.path or f"left out: {exported.reason}"
        print(f"{item.alarm_id} {item.media_class} {item.place} {item.sha256 or '-'} {where}")
    return 0
