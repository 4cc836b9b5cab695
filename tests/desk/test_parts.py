"""The desk is a list of parts: each folder of `regulator/parts` is one, and `hang_on` alone gives it jobs and ears."""

import re
from pathlib import Path

import regulator.parts
from contract.signing import SignKey
from regulator.application import PARTS
from regulator.base.desk import Desk, Job
from regulator.base.records.engine import DeskDatabase
from regulator.base.settings import DeskSettings
from regulator.base.web.part import Part, hang_on

FOLDER = Path(regulator.parts.__file__).parent
REGISTERS = re.compile(r"desk\.(jobs|listen|listeners|takers)\b|cause_listeners\.append")


def test_every_folder_is_a_part_of_the_desk() -> None:
    folders = {path.name for path in FOLDER.iterdir() if (path / "__init__.py").exists()}
    parts = {build.__module__.split(".")[2] for build in PARTS if build.__module__.startswith("regulator.parts.")}
    assert parts == folders


def test_pages_and_offices_register_nothing() -> None:
    """A part says what it brings; nobody reaches for the desk's lists."""
    reaching = [
        f"{path.relative_to(FOLDER)}: {line.strip()}"
        for path in sorted(FOLDER.rglob("*.py"))
        for line in path.read_text("utf-8").splitlines()
        if REGISTERS.search(line)
    ]
    assert reaching == []


def test_what_a_part_brings_comes_beside_what_was_there(desk_key: SignKey, tmp_path: Path) -> None:
    settings = DeskSettings(database="sqlite://", blobs="unused", key_file=tmp_path / "key")
    desk = Desk(settings, DeskDatabase("sqlite://"), desk_key)
    parts = [
        Part(
            lambda _app, _pages: None,
            jobs=(Job(name, 1.0, lambda _now_ns: None),),
            listeners={"item": lambda _db, _heard, _now_ns: None},
            takers={name: lambda _db, _heard, _now_ns: None},
            cause_listeners=(lambda _db, _ledger, _cause, _actor, _now_ns: None,),
        )
        for name in ("first", "second")
    ]
    for part in parts:
        hang_on(desk, part)
    assert [job.name for job in desk.jobs] == ["first", "second"]
    assert desk.listeners == {"item": [part.listeners["item"] for part in parts]}
    assert [*desk.takers] == ["first", "second"]
    assert desk.cause_listeners == [part.cause_listeners[0] for part in parts]
    desk.database.close()
