"""Taking a list over: what came, what each line would do, and then doing it for the lines that are good.

    file --read--> lines --preview--> kept with their faults; nothing of the registry has changed
                                commit--> good lines go on one by one, the others stay kept aside with what was wrong

A preview really carries every line out and takes it all back (savepoints), so that it tells exactly what a commit would
refuse: an unknown city, a code that is taken, the same project twice. A list for the set makes proposals, which another
person decides.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, insert, select, update

from regulator.base.act import FIRMS_CHAIN, Act
from regulator.base.model.actor import Duty
from regulator.base.model.authority import require_duty
from regulator.base.model.refusals import RefusedError
from regulator.base.records.books import take_book
from regulator.base.records.locks import hold_boxes
from regulator.base.records.tables.imports import import_lines, imports
from regulator.base.records.tables.registry import projects
from regulator.base.texts import read_text
from regulator.parts.registry.importing.carrying import carry
from regulator.parts.registry.importing.columns import Header, ImportKind, find_header
from regulator.parts.registry.importing.csv_table import read_csv
from regulator.parts.registry.importing.lines import ReadLine, fault_at, read_lines
from regulator.parts.registry.importing.table import MAX_FILE_BYTES, Fault, Line, Sheet, UnreadableError, unreadable
from regulator.parts.registry.importing.workbook_table import read_workbook
from regulator.parts.registry.projects.set_office import SetRules, take_set

BOOK = "imports"
ZIP = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class ImportFile:
    """What somebody handed in. `name` is shown, never opened."""

    kind: ImportKind
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class _Read:
    header: Header | None
    line: ReadLine


def preview(act: Act, rules: SetRules, file: ImportFile) -> str:
    """Read, check and keep; the import's id. Raises RefusedError 403, UnreadableError for a file as a whole."""
    require_duty(act.actor, Duty.ADMINISTRATOR)
    name = read_text(file.name, "file")
    lines = _read_file(name, file)
    if not lines:
        raise unreadable(name, "应有表头和至少一行", "a header and at least one line")
    import_id = uuid.uuid4().hex
    trial = act.db.begin_nested()
    _hold(act, rules, file.kind, [each.line.values for each in lines])
    checked = [_carried(act, rules, name, file.kind, import_id, each) for each in lines]
    trial.rollback()
    _keep(act, file, name, import_id, checked)
    return import_id


def commit(act: Act, rules: SetRules, import_id: str) -> tuple[int, int]:
    """Take the good lines over: (taken, refused). Raises RefusedError: 403, 404, 409 already done."""
    require_duty(act.actor, Duty.ADMINISTRATOR)
    row = act.db.execute(select(imports).where(imports.c.import_id == import_id).with_for_update()).first()
    if row is None or row.user_id != act.actor.user_id:
        raise RefusedError(404, "no_such_import", "没有这份清单", "no such list", "import_id")
    if row.state != "preview":
        raise RefusedError(409, "already_committed", "该清单已导入", "this list was taken over", "import_id")
    taken = refused = 0
    at = import_lines.c
    good = select(import_lines).where(at.import_id == import_id, at.state == "good").order_by(at.number)
    rows = act.db.execute(good).all()
    _hold(act, rules, ImportKind(row.kind), [json.loads(each.cells) for each in rows])
    for each in rows:
        fault = _commit_line(act, rules, ImportKind(row.kind), import_id, row.file_name, each)
        taken, refused = taken + (fault is None), refused + (fault is not None)
    done = {"state": "committed", "committed_at_ns": act.now_ns}
    act.db.execute(update(imports).where(imports.c.import_id == import_id).values(**done))
    content = {"file": row.file_name, "sha256": row.sha256, "kind": row.kind, "taken": taken, "refused": refused}
    act.write("import_committed", import_id, content, chain=f"import:{import_id}")
    return taken, refused


def _hold(act: Act, rules: SetRules, kind: ImportKind, lines: Sequence[Mapping[str, str]]) -> None:
    """Take what the lines will take, in the one order (`records.locks`), whatever order they stand in: one list at a
    time, and neither an intake nor a person's form waits for it in a ring."""
    codes = sorted({line.get("project_code", "") for line in lines} - {""})
    if kind is not ImportKind.SET:
        hold_boxes(act.db, codes)
    take_book(act.db, BOOK)
    if kind is ImportKind.SET:
        take_set(act.db, rules)
    at = projects.c.project_code
    known = list(act.db.scalars(select(at).where(at.in_(codes)).order_by(at).with_for_update()))
    if kind is ImportKind.SET:
        act.ledger.hold(act.db, rules.chain)
    else:
        firms = [FIRMS_CHAIN] if kind is ImportKind.PROJECTS else []
        act.ledger.hold(act.db, *firms, *(f"project:{code}" for code in known))


def _read_file(name: str, file: ImportFile) -> list[_Read]:
    if len(file.content) > MAX_FILE_BYTES:
        most = MAX_FILE_BYTES // 1024 // 1024
        raise unreadable(name, f"最大 {most} MB", f"at most {most} MB", found=f"{len(file.content)} bytes")
    if not file.content.strip():
        raise unreadable(name, "文件为空", "a file that is not empty")
    zipped = file.content.startswith(ZIP)
    sheets = read_workbook(name, file.content) if zipped else [read_csv(name, file.content)]
    return [each for sheet in sheets if sheet.lines for each in _read_sheet(name, file.kind, sheet)]


def _read_sheet(name: str, kind: ImportKind, sheet: Sheet) -> list[_Read]:
    """Every line; a sheet whose header is wrong is one bad line, its header."""
    header = find_header(name, kind, sheet)
    if isinstance(header, Header):
        return [_Read(header, line) for line in read_lines(name, kind, sheet, header)]
    return [_Read(None, ReadLine(sheet.lines[0], {}, tuple(header)))]


def _carried(act: Act, rules: SetRules, name: str, kind: ImportKind, import_id: str, read: _Read) -> ReadLine:
    if read.line.faults or read.header is None:
        return read.line
    refused = _tried(act.db, lambda: carry(act, rules, kind, import_id, read.line.values))
    if refused is None:
        return read.line
    found = read.line.values.get(refused.field, "")
    told = (found, refused.message_zh, refused.message_en)
    fault = fault_at(name, read.header, read.line.line, refused.field, *told)
    return ReadLine(read.line.line, read.line.values, (fault,))


def _commit_line(
    act: Act, rules: SetRules, kind: ImportKind, import_id: str, name: str, row: "object"
) -> RefusedError | None:
    """What was good when it was shown may not be any more: then it is kept aside, too."""
    values = dict(json.loads(row.cells))  # type: ignore[attr-defined]
    refused = _tried(act.db, lambda: carry(act, rules, kind, import_id, values))
    state, faults = "taken", "[]"
    if refused is not None:
        found = str(values.get(refused.field, ""))[:80]
        told = (refused.message_zh, refused.message_en)
        where = (row.sheet, row.row, 0, refused.field)  # type: ignore[attr-defined]
        state, faults = "refused", _faults_json((Fault(name, *where, found, *told),))
    at = import_lines.c
    ours = (at.import_id == import_id, at.number == row.number)  # type: ignore[attr-defined]
    act.db.execute(update(import_lines).where(*ours).values(state=state, faults=faults))
    return refused


def _tried(db: Connection, carried_out: Callable[[], None]) -> RefusedError | None:
    """Inside a savepoint of its own: what is refused leaves nothing behind."""
    try:
        with db.begin_nested():
            carried_out()
    except RefusedError as refused:
        return refused
    return None


def _keep(act: Act, file: ImportFile, name: str, import_id: str, lines: Sequence[ReadLine]) -> None:
    bad = sum(1 for each in lines if each.faults)
    sha256 = hashlib.sha256(file.content).hexdigest()
    row = {"import_id": import_id, "kind": file.kind.value, "file_name": name, "sha256": sha256}
    counts = {"good": len(lines) - bad, "bad": bad}
    act.db.execute(insert(imports).values(**row, **counts, user_id=act.actor.user_id, made_at_ns=act.now_ns))
    act.db.execute(insert(import_lines), [_line_row(import_id, i, each) for i, each in enumerate(lines)])
    content = {"file": name, "sha256": sha256, "kind": file.kind.value, **counts}
    act.write("import_previewed", import_id, content, chain=f"import:{import_id}")


def _line_row(import_id: str, number: int, read: ReadLine) -> dict[str, object]:
    line: Line = read.line
    cells = read.values or {str(i): cell.text for i, cell in enumerate(line.cells)}
    return {
        "import_id": import_id,
        "number": number,
        "sheet": line.sheet,
        "row": line.row,
        "state": "bad" if read.faults else "good",
        "cells": json.dumps(cells, ensure_ascii=False),
        "faults": _faults_json(read.faults),
    }


def _faults_json(faults: Sequence[Fault]) -> str:
    return json.dumps([asdict(fault) for fault in faults], ensure_ascii=False)


__all__ = ["ImportFile", "UnreadableError", "commit", "preview"]
