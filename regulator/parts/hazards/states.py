"""The hazard's state table: state x action x duty and level -> the next state, or why not. Total and pure.

    待研判 --confirm--> 属实 --order--> 已下达 --accept--> 整改中 --submit--> 待复查 --close--> 销号 --reopen--> 属实
      |  `--doubt--> 存疑 --confirm/reject--'    `-----------submit----------------^  |
      `--reject--> 误报 --reopen--> 待研判             整改中 <------send_back---------'
    已下达, 整改中 --record_refusal--> 拒改 (handed over as a clue) --resume_rectification--> 整改中

What depends on more than state and role (who answered, what evidence there is) stands in `guards`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from regulator.base.model.actor import Duty, Level
from regulator.base.model.hazard_states import HazardAction, HazardState, Refusal

A, S, D = HazardAction, HazardState, Duty
SUPERVISION = frozenset({Level.PROVINCE, Level.CITY, Level.COUNTY})
SITE = frozenset({Level.FIRM, Level.PROJECT})

_RANK = {Level.PROVINCE: 3, Level.CITY: 2, Level.COUNTY: 1, Level.FIRM: 0, Level.PROJECT: 0}
_JUDGES = frozenset({D.REVIEWER, D.APPROVER})
_FIELD = frozenset({D.INSPECTOR, D.REVIEWER, D.APPROVER})
_APPROVES = frozenset({D.APPROVER})
_ANSWERS = frozenset({D.RESPONDER})
_UNDER_ORDER = (S.ORDERED, S.RECTIFYING, S.AWAITING_RECHECK, S.REFUSED_BY_SITE)
_STANDING = (S.CONFIRMED, *_UNDER_ORDER)
_UNJUDGED = (S.PENDING, S.SITE_CHECK)


@dataclass(frozen=True, slots=True)
class Permit:
    """Who may do an action, and where it leads from each state in which it can be done."""

    duties: frozenset[Duty]
    levels: frozenset[Level]
    leads: Mapping[HazardState, HazardState]


def _stay(states: Iterable[HazardState]) -> dict[HazardState, HazardState]:
    return {state: state for state in states}


def _by(duties: frozenset[Duty], leads: Mapping[HazardState, HazardState]) -> Permit:
    return Permit(duties, SUPERVISION, leads)


def _site(leads: Mapping[HazardState, HazardState]) -> Permit:
    return Permit(_ANSWERS, SITE, leads)


PERMITS: Mapping[HazardAction, tuple[Permit, ...]] = {
    A.CONFIRM: (_by(_JUDGES, dict.fromkeys(_UNJUDGED, S.CONFIRMED)),),
    A.REJECT: (_by(_JUDGES, dict.fromkeys(_UNJUDGED, S.REJECTED)),),
    A.DOUBT: (_by(_JUDGES, {S.PENDING: S.SITE_CHECK}),),
    A.WITHDRAW: (_by(_APPROVES, {S.CONFIRMED: S.SITE_CHECK, S.ORDERED: S.SITE_CHECK}),),
    A.ORDER: (_by(_JUDGES, {S.CONFIRMED: S.ORDERED}),),
    A.ACCEPT: (_site({S.ORDERED: S.RECTIFYING}),),
    A.DISPUTE: (_site(_stay((S.ORDERED, S.RECTIFYING))),),
    A.SUBMIT: (_site({S.ORDERED: S.AWAITING_RECHECK, S.RECTIFYING: S.AWAITING_RECHECK}),),
    A.SEND_BACK: (_by(_JUDGES, {S.AWAITING_RECHECK: S.RECTIFYING}),),
    A.CLOSE: (_by(_JUDGES, {S.AWAITING_RECHECK: S.CLOSED}),),
    A.RECORD_REFUSAL: (_by(_JUDGES, {S.ORDERED: S.REFUSED_BY_SITE, S.RECTIFYING: S.REFUSED_BY_SITE}),),
    A.HAND_OVER: (_by(_APPROVES, _stay((S.REFUSED_BY_SITE,))),),
    A.RESUME_RECTIFICATION: (_by(_JUDGES, {S.REFUSED_BY_SITE: S.RECTIFYING}),),
    A.LOOK_BACK: (_by(_FIELD, _stay((S.CLOSED,))),),
    A.REOPEN: (_by(_JUDGES, {S.CLOSED: S.CONFIRMED, S.REJECTED: S.PENDING}),),
    A.ADD_EVIDENCE: (_by(_FIELD, _stay(S)), _site(_stay(_UNDER_ORDER))),
    A.WRITE_SECTION: (_by(_FIELD, _stay(_UNDER_ORDER)), _site(_stay(_UNDER_ORDER))),
    A.SIGN_SECTION: (_by(_JUDGES, _stay(_UNDER_ORDER)),),
    A.GRADE_UP: (_by(_JUDGES, _stay((*_UNJUDGED, *_STANDING))),),
    A.ASK_REGRADE: (_by(_JUDGES, _stay((*_UNJUDGED, *_STANDING))),),
    A.DECIDE_REGRADE: (_by(_APPROVES, _stay((*_UNJUDGED, *_STANDING))),),
    A.ASK_EXTENSION: (_by(_JUDGES, _stay(_UNDER_ORDER)), _site(_stay(_UNDER_ORDER))),
    A.DECIDE_EXTENSION: (_by(_APPROVES, _stay(_UNDER_ORDER)),),
    A.STOP_WORK: (_by(_JUDGES, _stay(_STANDING)),),
    A.RESUME_WORK: (_by(_APPROVES, _stay((S.CLOSED, S.REJECTED, S.SITE_CHECK))),),
    A.SUPERVISE: (_by(_APPROVES, _stay(_STANDING)),),
}


def decide(state: HazardState, action: HazardAction, level: Level, duties: Iterable[Duty]) -> HazardState | Refusal:
    """The next state (the same for what moves nothing), or why somebody of this level and these duties may not."""
    held = frozenset(duties)
    by_duty = [permit for permit in PERMITS[action] if permit.duties & held]
    if not by_duty:
        return Refusal.NOT_YOUR_DUTY
    by_level = [permit for permit in by_duty if level in permit.levels]
    if not by_level:
        return Refusal.NOT_YOUR_LEVEL
    found = (permit.leads[state] for permit in by_level if state in permit.leads)
    return next(found, Refusal.NOT_IN_THIS_STATE)


def is_higher(level: Level, than: Level) -> bool:
    """Whether one level supervises another."""
    return _RANK[level] > _RANK[than]


def level_above(level: Level) -> Level:
    """The next level up; the province above the province."""
    return {Level.COUNTY: Level.CITY, Level.CITY: Level.PROVINCE, Level.PROVINCE: Level.PROVINCE}.get(
        level, Level.COUNTY
    )
