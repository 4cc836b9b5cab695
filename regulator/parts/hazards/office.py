"""The hazards' office: does one action on one hazard, in one transaction, or refuses it by name.

    scope (404) -> state table -> facts -> guards -> ledger entry -> row and what follows (`effects`)

In: what somebody asks (`step.Ask`), who, now. Out: the new state. Nothing is done outside the caller's transaction.
"""

from sqlalchemy import Connection, update

from contract.canonical import Canonical
from regulator.base.desk import Desk
from regulator.base.model.actor import Actor, Duty
from regulator.base.model.hazard import NewHazard
from regulator.base.model.hazard_states import HazardAction, HazardState, Refusal
from regulator.base.records.ledger import Deed, Ledger
from regulator.base.records.locks import hold_boxes
from regulator.base.records.scope import require_project
from regulator.base.records.tables.hazards import hazards
from regulator.base.rules import RegionRules, RulePacks
from regulator.parts.hazards.catalogue import HazardCatalogue
from regulator.parts.hazards.deadlines import Deadlines
from regulator.parts.hazards.effects import EFFECTS, start_accident_clocks
from regulator.parts.hazards.evidence import EvidenceKind, Keep, keep_evidence, new_items, note_entry
from regulator.parts.hazards.facts import Asking, gather
from regulator.parts.hazards.guards import guard
from regulator.parts.hazards.opening import LateEntry, open_hazard
from regulator.parts.hazards.orders import OrderDesk
from regulator.parts.hazards.record import HazardRecord, find_hazard, regions_of
from regulator.parts.hazards.states import decide
from regulator.parts.hazards.step import Ask, Offices, Step
from regulator.parts.hazards.words import refused

A = HazardAction
KIND_OF_EVIDENCE = {
    A.SUBMIT: EvidenceKind.RECTIFIED,
    A.CLOSE: EvidenceKind.RECHECK,
    A.SEND_BACK: EvidenceKind.RECHECK,
    A.RECORD_REFUSAL: EvidenceKind.REFUSAL,
    A.HAND_OVER: EvidenceKind.REFUSAL,
    A.LOOK_BACK: EvidenceKind.LOOK_BACK,
    A.WRITE_SECTION: EvidenceKind.SECTION,
    A.CONFIRM: EvidenceKind.SITE_CHECK,
    A.REJECT: EvidenceKind.SITE_CHECK,
}
OPENERS = (Duty.INSPECTOR, Duty.REVIEWER, Duty.APPROVER, Duty.RESPONDER)


class HazardOffice:
    """Stateless but for what it was built with; any replica, any thread."""

    def __init__(self, desk: Desk, packs: RulePacks, catalogue: HazardCatalogue) -> None:
        self.packs, self.catalogue = packs, catalogue
        self.ledger: Ledger = desk.ledger
        self.parts = Offices(self.ledger, Deadlines(self.ledger), OrderDesk(desk), catalogue, desk.cause_listeners)

    def rules(self, db: Connection, project_code: str) -> RegionRules:
        """What counts for a project."""
        return self.packs.of(regions_of(db, project_code))

    def open(self, db: Connection, new: NewHazard, actor: Actor, now_ns: int, reason: str = "") -> str:
        """Open by hand; an accident's clocks start from when it happened. Raises RefusedError 403, 404 or 422."""
        if not actor.has(*OPENERS):
            raise refused(Refusal.NOT_YOUR_DUTY)
        require_project(db, actor, new.project_code)
        rules = self.rules(db, new.project_code)
        late = LateEntry(reason, rules.back_dated_days)
        hazard_id = open_hazard(db, self.ledger, new, actor, now_ns, late)
        start_accident_clocks(db, self.parts, find_hazard(db, actor, hazard_id, lock=True), rules, actor, now_ns)
        return hazard_id

    def act(self, db: Connection, hazard_id: str, ask: Ask, actor: Actor, now_ns: int) -> HazardState:
        """Do it. Raises RefusedError: 404 outside the scope, 403, 409 or 422 with the refusal's name as code."""
        hold_boxes(db, [find_hazard(db, actor, hazard_id).project_code])
        return self.act_held(db, hazard_id, ask, actor, now_ns)

    def act_held(self, db: Connection, hazard_id: str, ask: Ask, actor: Actor, now_ns: int) -> HazardState:
        """The same for a caller that holds the box in question: an intake that hears its answer."""
        hazard = find_hazard(db, actor, hazard_id, lock=True)
        target = decide(hazard.state, ask.action, actor.level, actor.duties)
        if isinstance(target, Refusal):
            raise refused(target)
        rules = self.rules(db, hazard.project_code)
        fresh = new_items(db, hazard_id, ask.evidence)
        asking = Asking(ask.action, ask.words, ask.override, ask.section, fresh)
        found = guard(ask.action, gather(db, hazard, asking, actor, rules.quiet_hours, now_ns))
        if found is not None:
            raise refused(found)
        self._do(db, Step(db, self.parts, hazard, ask, actor, rules, now_ns, fresh, target))
        return target

    def allowed(self, hazard: HazardRecord, actor: Actor) -> tuple[HazardAction, ...]:
        """What this actor may try in this state; the guards still speak when it is done."""
        every = ((action, decide(hazard.state, action, actor.level, actor.duties)) for action in HazardAction)
        return tuple(action for action, answer in every if isinstance(answer, HazardState))

    def _do(self, db: Connection, step: Step) -> None:
        hazard, ask = step.hazard, step.ask
        numbers = self._keep(db, step)
        deed = Deed(f"hazard_{ask.action.value}", hazard.hazard_id, _content(step, numbers), hazard.project_code)
        entry = self.ledger.append(db, deed, step.actor, step.now_ns)
        note_entry(db, hazard.hazard_id, numbers, entry.seq)
        mine = hazards.c.hazard_id == hazard.hazard_id
        db.execute(update(hazards).where(mine).values(state=step.target.value))
        effect = EFFECTS.get(ask.action)
        if effect is not None:
            effect(step)

    def _keep(self, db: Connection, step: Step) -> tuple[int, ...]:
        kind = KIND_OF_EVIDENCE.get(step.ask.action, step.ask.kind)
        keep = Keep(step.hazard.hazard_id, step.hazard.round, kind)
        return keep_evidence(db, keep, step.fresh, step.actor, step.now_ns)


def _content(step: Step, numbers: tuple[int, ...]) -> dict[str, Canonical]:
    ask = step.ask
    content: dict[str, Canonical] = {
        "from": step.hazard.state.value,
        "to": step.target.value,
        "round": step.hazard.round,
        "words": ask.words,
        "evidence": [item.sha256 for item in step.fresh],
        "evidence_numbers": list(numbers),
    }
    extra: dict[str, Canonical] = {
        "override": ask.override,
        "section": ask.section.value if ask.section else "",
        "due_day": ask.due_day.isoformat() if ask.due_day else "",
    }
    if ask.action in {A.DECIDE_EXTENSION, A.DECIDE_REGRADE}:
        extra["granted"] = ask.grant
    return content | {name: value for name, value in extra.items() if value != ""}
