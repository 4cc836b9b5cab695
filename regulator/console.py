"""What an administrator does about boxes and lost phones at the desk's own machine, while the desk
runs or not, on either database.

In: settings and what was typed. Out: JSON lines on standard output, files, exit codes 0 (done) or 1 (refused: nothing
was changed, why stands on standard error). A code is written before it is valid: one that nobody holds lets nobody in.
"""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, select

from contract.keyfile import write_durably
from regulator.base.accounts.rows import account_by_login
from regulator.base.accounts.second_factor import reset
from regulator.base.accounts.sessions import normal_login
from regulator.base.act import Act
from regulator.base.desk import Desk
from regulator.base.documents.exports import csv_bytes
from regulator.base.intake.codes import Issued, Wanted, issue_codes
from regulator.base.model.actor import CONSOLE
from regulator.base.model.refusals import RefusedError
from regulator.base.records.among import among
from regulator.base.records.tables.registry import projects
from regulator.base.settings import DeskSettings
from regulator.parts.fleet.code_sheet import list_faults, read_boxes, sheet_html, sheet_table
from regulator.parts.fleet.enrolling import Standings, faults_of, revoke_box, standings
from regulator.parts.registry.importing.table import Fault, UnreadableError
from regulator.parts.witness.heads import newest_head
from regulator.running import open_desk

SHEETS: Final = (".html", ".csv")


def issue_code(settings: DeskSettings, wanted: Wanted, hours: float, to: Path | None) -> int:
    """A code for one box, printed, or written into a file (a stick). Raises OSError, ValueError."""
    with _opened(settings) as desk, desk.database.transaction() as db:
        act = _act(desk, db)
        for refused in faults_of(act, [wanted], registered=False).values():
            return _refused(refused.message_en)
        _warn_of_unregistered(act, [wanted])
        (issued,) = issue_codes(db, desk.ledger, [wanted], CONSOLE, act.now_ns, hours)
        if to is not None:
            write_durably(to, f"{issued.code}\n".encode())
        _print(**_told(issued), **({"code": issued.code} if to is None else {"file": str(to)}))
    return 0


def issue_list(settings: DeskSettings, list_file: Path, hours: float, to: Path) -> int:
    """Codes for a list (CSV: project_code, box_id) as a page to print (.html) or as .csv.

    Raises OSError, ValueError.
    """
    if to.suffix not in SHEETS:
        raise ValueError(f"{to}: expected a name that ends with {' or '.join(SHEETS)}")
    try:
        entries = read_boxes(str(list_file), list_file.read_bytes())
    except UnreadableError as unreadable:
        return _refused(_line_of(unreadable.fault))
    wanted = [entry.wanted for entry in entries]
    with _opened(settings) as desk, desk.database.transaction() as db:
        act = _act(desk, db)
        faults = faults_of(act, wanted, registered=False)
        if faults:
            return _refused(*(_line_of(fault) for fault in list_faults(str(list_file), entries, faults)))
        names = _warn_of_unregistered(act, wanted)
        issued = issue_codes(db, desk.ledger, wanted, CONSOLE, act.now_ns, hours)
        write_durably(to, _sheet(settings, to, issued, names, act.now_ns))
        _print(file=str(to), codes=len(issued), expires_at=_time(issued[0].expires_at_ns))
    return 0


def revoke(settings: DeskSettings, box_id: str, reason: str) -> int:
    """The box is not heard any more, and its open code is worth nothing."""
    with _opened(settings) as desk:
        try:
            with desk.database.transaction() as db:
                revoke_box(Act(db, desk.ledger, CONSOLE, desk.now_ns(), reason), box_id)
        except RefusedError as refused:
            return _refused(refused.message_en)
    _print(box_id=box_id, revoked=True)
    return 0


def reset_second_factor(settings: DeskSettings, login: str, reason: str) -> int:
    """For a lost phone, where no administrator is left who could do it: the account's logins end."""
    with _opened(settings) as desk, desk.database.transaction() as db:
        account = account_by_login(db, normal_login(login))
        if account is None:
            return _refused(f"no account has the login name {login}")
        reset(db, desk.ledger, account.user_id, CONSOLE, desk.now_ns(), reason)
    _print(login=account.login, second_factor=False)
    return 0


def list_boxes(settings: DeskSettings) -> int:
    """Every box and every open code, a JSON line each."""
    with _opened(settings) as desk, desk.database.reading() as db:
        found = standings(db, CONSOLE, desk.now_ns())
    for line in _lines(found):
        _print(**line)
    return 0


def show_head(settings: DeskSettings) -> int:
    """The newest head of the ledger, a JSON line, to be sent to whoever keeps it."""
    with _opened(settings) as desk, desk.database.reading() as db:
        head = newest_head(db)
    if head is None:
        return _refused("there is no head yet: the desk publishes one a day while it runs")
    _print(day=head.day, number=head.number, code=head.code, sha256=head.sha256, desk_key=desk.key.public.key_id)
    return 0


def _lines(found: Standings) -> Iterator[dict[str, object]]:
    for box in found.boxes:
        standing = "revoked" if box.revoked_at_ns else "waits_for_an_approver" if box.waiting else "in_force"
        yield {
            "box_id": box.box_id,
            "project_code": box.project_code,
            "standing": standing,
            "orders": bool(box.assigned),
            "last_heard": _time(box.last_seen_ns),
        }
    for code in found.codes:
        yield {
            "box_id": code.box_id,
            "project_code": code.project_code,
            "standing": "code_open",
            "expires_at": _time(code.expires_at_ns),
        }


def _sheet(settings: DeskSettings, to: Path, issued: list[Issued], names: dict[str, str], now_ns: int) -> bytes:
    if to.suffix == ".csv":
        return csv_bytes(sheet_table(issued))
    return sheet_html(settings.name_zh, settings.name_en, issued, names, now_ns)


def _warn_of_unregistered(act: Act, wanted: list[Wanted]) -> dict[str, str]:
    """Names of the projects that are registered; the others are told, as their box will be a finding."""
    at = projects.c
    codes = {each.project_code for each in wanted}
    asked = select(at.project_code, at.name).where(among(at.project_code, codes))
    names = {row.project_code: row.name for row in act.db.execute(asked)}
    for code in sorted(codes - names.keys()):
        print(f"sitewarden: project {code} is not registered; its box will be a finding", file=sys.stderr)
    return names


@contextmanager
def _opened(settings: DeskSettings) -> Iterator[Desk]:
    desk = open_desk(settings)
    try:
        yield desk
    finally:
        desk.database.close()


def _act(desk: Desk, db: Connection) -> Act:
    return Act(db, desk.ledger, CONSOLE, desk.now_ns(), "")


def _told(issued: Issued) -> dict[str, object]:
    return {
        "project_code": issued.project_code,
        "box_id": issued.box_id,
        "expires_at": _time(issued.expires_at_ns),
    }


def _line_of(fault: Fault) -> str:
    found = f", found {fault.found!r}" if fault.found else ""
    return f"{fault.file}:{fault.row}: {fault.expected_en}{found}"


def _refused(*lines: str) -> int:
    for line in lines:
        print(f"sitewarden: {line}", file=sys.stderr)
    print("sitewarden: nothing was changed", file=sys.stderr)
    return 1


def _time(at_ns: int) -> str:
    return datetime.fromtimestamp(at_ns // 10**9, UTC).isoformat() if at_ns else ""


def _print(**said: object) -> None:
    print(json.dumps(said, ensure_ascii=False), flush=True)
