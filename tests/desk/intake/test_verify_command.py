"""`sitewarden desk FILE verify`: a row with a receipt that was deleted is found, on both databases, by exit code 1."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import delete, update

from contract.keyfile import load_or_create
from regulator.base.records.engine import DeskDatabase
from regulator.base.records.tables.intake import items
from regulator.base.records.tables.ledger import ledger_entries
from sitewarden.__main__ import main
from tests.fakes.desk_database import DeskClock
from tests.fakes.sending_box import DeskIntake, SendingBox, desk_intake

Verify = Callable[[], tuple[int, list[dict[str, Any]]]]


@pytest.fixture
def intake(database: DeskDatabase, clock: DeskClock, tmp_path: Path) -> DeskIntake:
    return desk_intake(database, load_or_create(tmp_path / "desk.pem"), clock, tmp_path)


@pytest.fixture
def verify(tmp_path: Path, desk_url: str, capsys: pytest.CaptureFixture[str]) -> Verify:
    file = tmp_path / "desk.yaml"
    file.write_text(yaml.safe_dump({"database": desk_url, "blobs": "blobs", "key_file": "desk.pem"}))

    def run() -> tuple[int, list[dict[str, Any]]]:
        capsys.readouterr()
        code = main(["desk", str(file), "verify"])
        return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return run


async def a_day(intake: DeskIntake) -> SendingBox:
    intake.intake.reception.open()
    box = intake.box()
    await box.enrol()
    for words in ("one", "two", "three"):
        await box.record(words)
    await box.alarm()
    intake.run("anchors")
    intake.intake.reception.close()
    return box


async def test_a_deleted_item_and_a_changed_deed_are_told(intake: DeskIntake, verify: Verify) -> None:
    await a_day(intake)
    code, said = verify()
    counts = {"boxes": 1, "items": 4, "ledger_chains": said[-1]["ledger_chains"], "heads": 0, "stamps": 0}
    assert (code, said) == (0, [{"faults": 0} | counts])
    with intake.desk.database.transaction() as db:
        db.execute(delete(items).where(items.c.number == 2))
        anchored = ledger_entries.c.kind == "chain_anchored"
        db.execute(update(ledger_entries).where(anchored).values(signature="AA=="))
    code, said = verify()
    assert code == 1
    assert [line.get("fault") for line in said] == ["record_deleted", "ledger", None]
    assert said[0]["en"] == "items 2 of box-1, which had receipts, are gone"
    assert said[1]["en"].endswith("the signature does not fit")
    assert (said[-1]["faults"], said[-1]["items"]) == (2, 3)
