"""Guards: what has to be so besides state and role before an action is done. Pure; the facts are given.

two persons     who answered does not recheck; who asked does not decide; who wrote a section does not sign it
evidence        no submission, recheck or refusal without a new item
live data       a hazard that a rule raised is not closed while the rule is still true, unless overridden with words
four sections   a major hazard is not closed before cause, people, measures and education are signed (四不放过)
higher level    an extension is decided above the level whose deadline it is
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from regulator.base.model.actor import Level
from regulator.base.model.hazard_states import HazardAction, Refusal
from regulator.parts.hazards.states import is_higher

A, R = HazardAction, Refusal


@dataclass(frozen=True, slots=True)
class Facts:
    """What the guards look at. Persons are user ids, delegates and whom they stand in for alike.

    `words`: what the actor gives as reason. `new_evidence`: an item that is none of the hazard's yet comes with the
    action, or (for a recheck) came since the last answer from somebody who did not answer. `rule_true`: the alarm that
    raised it is active, or nothing is known of it. `unsigned`: names of sections that still lack something.
    """

    persons: frozenset[str] = frozenset()
    level: Level = Level.COUNTY
    words: str = ""
    major: bool = False
    needs_sections: bool = False
    new_evidence: bool = False
    rule_true: bool = False
    override: str = ""
    unsigned: tuple[str, ...] = ()
    section_ready: bool = False
    section_writers: frozenset[str] = frozenset()
    repliers: frozenset[str] = frozenset()
    confirmers: frozenset[str] = frozenset()
    askers: frozenset[str] = frozenset()
    asked: bool = False
    deadline_level: Level = Level.COUNTY
    stopped: bool = False
    handed_over: bool = False
    listed: bool = False


def guard(action: HazardAction, facts: Facts) -> Refusal | None:
    """Why an action that the state table allows is refused all the same; None when it may be done."""
    for check in CHECKS.get(action, ()):
        found = check(facts)
        if found is not None:
            return found
    return None


Check = Callable[[Facts], Refusal | None]


def _reason(facts: Facts) -> Refusal | None:
    return None if facts.words.strip() else R.REASON_MISSING


def _evidence(facts: Facts) -> Refusal | None:
    return None if facts.new_evidence else R.NO_NEW_EVIDENCE


def _not_replier(facts: Facts) -> Refusal | None:
    return R.SAME_PERSON if facts.persons & facts.repliers else None


def _not_confirmer(facts: Facts) -> Refusal | None:
    return R.SAME_PERSON if facts.persons & facts.confirmers else None


def _not_asker(facts: Facts) -> Refusal | None:
    return R.SAME_PERSON if facts.persons & facts.askers else None


def _not_writer(facts: Facts) -> Refusal | None:
    return R.SAME_PERSON if facts.persons & facts.section_writers else None


def _asked(facts: Facts) -> Refusal | None:
    return None if facts.asked else R.NOTHING_ASKED


def _not_asked(facts: Facts) -> Refusal | None:
    return R.ALREADY_ASKED if facts.asked else None


def _rule_false(facts: Facts) -> Refusal | None:
    return R.ALARM_STILL_ACTIVE if facts.rule_true and not facts.override.strip() else None


def _sections(facts: Facts) -> Refusal | None:
    return R.SECTIONS_MISSING if facts.needs_sections and facts.unsigned else None


def _section_ready(facts: Facts) -> Refusal | None:
    return None if facts.section_ready else R.EVIDENCE_MISSING


def _higher(facts: Facts) -> Refusal | None:
    top = facts.level is Level.PROVINCE
    return None if top or is_higher(facts.level, facts.deadline_level) else R.HIGHER_LEVEL_NEEDED


def _major(facts: Facts) -> Refusal | None:
    return None if facts.major else R.MAJOR_ONLY


def _general(facts: Facts) -> Refusal | None:
    return R.GENERAL_ONLY if facts.major else None


def _stopped(facts: Facts) -> Refusal | None:
    return None if facts.stopped else R.NOT_STOPPED


def _running(facts: Facts) -> Refusal | None:
    return R.ALREADY_DONE if facts.stopped else None


def _not_handed_over(facts: Facts) -> Refusal | None:
    return R.ALREADY_DONE if facts.handed_over else None


def _not_listed(facts: Facts) -> Refusal | None:
    return R.ALREADY_DONE if facts.listed else None


CHECKS: Mapping[HazardAction, tuple[Check, ...]] = {
    A.REJECT: (_reason,),
    A.DOUBT: (_reason,),
    A.WITHDRAW: (_reason, _not_confirmer),
    A.DISPUTE: (_reason,),
    A.SUBMIT: (_evidence,),
    A.SEND_BACK: (_reason, _not_replier),
    A.CLOSE: (_not_replier, _evidence, _sections, _rule_false),
    A.RECORD_REFUSAL: (_reason, _evidence),
    A.HAND_OVER: (_reason, _not_handed_over),
    A.RESUME_RECTIFICATION: (_reason,),
    A.LOOK_BACK: (_reason, _evidence),
    A.REOPEN: (_reason,),
    A.ADD_EVIDENCE: (_evidence,),
    A.WRITE_SECTION: (_reason,),
    A.SIGN_SECTION: (_section_ready, _not_writer),
    A.GRADE_UP: (_reason, _general),
    A.ASK_REGRADE: (_reason, _major, _not_asked),
    A.DECIDE_REGRADE: (_asked, _not_asker),
    A.ASK_EXTENSION: (_reason, _not_asked),
    A.DECIDE_EXTENSION: (_asked, _not_asker, _higher),
    A.STOP_WORK: (_reason, _running),
    A.RESUME_WORK: (_reason, _stopped),
    A.SUPERVISE: (_reason, _not_listed),
}
"""In the order in which they are looked at. Confirming, ordering and accepting need no more than state and role."""
