"""One action on its way through the office: what was asked, by whom, of which hazard, under which rules."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, update

from regulator.base.desk import CauseListener
from regulator.base.model.actor import Actor
from regulator.base.model.hazard_states import HazardAction, HazardState
from regulator.base.records.ledger import Ledger
from regulator.base.records.tables.hazards import hazards
from regulator.base.rules import RegionRules
from regulator.parts.hazards.catalogue import HazardCatalogue
from regulator.parts.hazards.deadlines import Deadlines, Subject
from regulator.parts.hazards.evidence import EvidenceKind, NewEvidence
from regulator.parts.hazards.orders import OrderDesk
from regulator.parts.hazards.record import HazardRecord
from regulator.parts.hazards.sections import Section


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody wants done. `evidence` lies on the shelf. `grant`: for decisions. `due_day`: for extensions.

    `override`: why a hazard is closed although its rule is true. `grade_major`: confirm as major. `kind`: what loose
    evidence (ADD_EVIDENCE) shows. `order_id`: which order an answer is to.
    """

    action: HazardAction
    words: str = ""
    override: str = ""
    evidence: tuple[NewEvidence, ...] = ()
    section: Section | None = None
    due_day: date | None = None
    grant: bool = True
    grade_major: bool = False
    kind: EvidenceKind = EvidenceKind.SITE_CHECK
    order_id: str = ""
    answered_at_ns: int = 0
    reply_id: str = ""


@dataclass(frozen=True, slots=True)
class Offices:
    """What effects are carried out with. `cause_listeners`: the desk's list itself."""

    ledger: Ledger
    deadlines: Deadlines
    orders: OrderDesk
    catalogue: HazardCatalogue
    cause_listeners: Sequence[CauseListener]


@dataclass(frozen=True, slots=True)
class Step:
    """An action that was allowed. `hazard` is as it was before; `fresh` its new evidence; `target` the new state."""

    db: Connection
    offices: Offices
    hazard: HazardRecord
    ask: Ask
    actor: Actor
    rules: RegionRules
    now_ns: int
    fresh: tuple[NewEvidence, ...]
    target: HazardState

    @property
    def subject(self) -> Subject:
        """Whose deadlines are meant."""
        return Subject(self.hazard.hazard_id, self.hazard.project_code)

    def change(self, **values: object) -> None:
        """Set columns of the hazard's row; the ledger's entry of this step is written already."""
        self.db.execute(update(hazards).where(hazards.c.hazard_id == self.hazard.hazard_id).values(**values))
