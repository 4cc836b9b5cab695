"""When a refused case is handed over (移送线索), its evidence goes with it: one package, made once, kept as it was.

    hazard handed over --job--> package --> shelf, by digest --> row and entry of the project's ledger, together

A package that is downloaded later holds what was known later; this one is what was handed over. In: hazards, the shelf.
Out: rows. A shelf that does not answer is tried again with the next round.
"""

import logging
import tempfile
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select

from contract.canonical import Canonical
from regulator.base.desk import Desk
from regulator.base.intake.insertion import insert_once
from regulator.base.model.actor import SYSTEM, Actor
from regulator.base.model.refusals import RefusedError
from regulator.base.records.ledger import Deed
from regulator.base.records.scope import require_project
from regulator.base.records.tables.evidence import handed_packages
from regulator.base.records.tables.hazards import hazards
from regulator.parts.evidence.package import PackageOffice

log = logging.getLogger(__name__)
EVERY_S: Final = 60.0
AT_ONCE: Final = 10
IN_MEMORY_BYTES: Final = 8 * 1024 * 1024
ZIP_TYPE: Final = "application/zip"


@dataclass(frozen=True, slots=True)
class HandingOver:
    """A job. Two replicas may make the same package; one of them is the one."""

    desk: Desk

    def run(self, now_ns: int) -> None:
        """Packages of what was handed over since the last round. Raises OSError."""
        at = hazards.c
        made = select(handed_packages.c.hazard_id)
        wanted = select(at.hazard_id, at.project_code).where(at.handed_over_at_ns > 0, at.hazard_id.not_in(made))
        with self.desk.database.reading() as db:
            found = db.execute(wanted.order_by(at.handed_over_at_ns).limit(AT_ONCE)).all()
        for hazard in found:
            self._make(hazard.hazard_id, hazard.project_code, now_ns)

    def _make(self, hazard_id: str, project_code: str, now_ns: int) -> None:
        desk = self.desk
        with tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES) as file:
            name = PackageOffice(desk.database, desk.key, desk.shelf).write(hazard_id, SYSTEM, now_ns, file)
            file.seek(0)
            content = file.read()
        row = {
            "hazard_id": hazard_id,
            "project_code": project_code,
            "sha256": desk.shelf.put(content, ZIP_TYPE),
            "size_bytes": len(content),
            "name": name,
            "made_at_ns": now_ns,
        }
        with desk.database.transaction() as db:
            if insert_once(db, handed_packages, row):
                told: dict[str, Canonical] = {"sha256": str(row["sha256"]), "size_bytes": len(content)}
                deed = Deed("evidence_handed_over", hazard_id, told, project_code)
                desk.ledger.append(db, deed, SYSTEM, now_ns)
        log.info("event=evidence_handed_over hazard=%s bytes=%d", hazard_id, len(content))


def handed_package(db: Connection, actor: Actor, hazard_id: str) -> "Row[Any]":
    """What was handed over with a case. Raises RefusedError 404: nothing was (yet), or outside the scope."""
    row = db.execute(select(handed_packages).where(handed_packages.c.hazard_id == hazard_id)).first()
    if row is None:
        raise RefusedError(404, "no_such_package", "没有移送的证据包", "no package was handed over", "hazard_id")
    require_project(db, actor, row.project_code)
    return row
