"""The names of a hazard's states, of what people do to it, and of why they may not. Pure."""

from enum import Enum


class HazardState(Enum):
    """Where a hazard stands (screens: 待研判、属实、误报、存疑、已下达、整改中、待复查、销号、拒改)."""

    PENDING = "pending"
    SITE_CHECK = "site_check"
    REJECTED = "rejected"
    CONFIRMED = "confirmed"
    ORDERED = "ordered"
    RECTIFYING = "rectifying"
    AWAITING_RECHECK = "awaiting_recheck"
    CLOSED = "closed"
    REFUSED_BY_SITE = "refused_by_site"


SETTLED = frozenset({HazardState.CLOSED, HazardState.REJECTED})
"""States in which nothing is owed."""


class HazardAction(Enum):
    """What somebody does to a hazard. Deadlines that pass and warnings are no actions: nobody does them."""

    CONFIRM = "confirm"
    REJECT = "reject"
    DOUBT = "doubt"
    WITHDRAW = "withdraw"
    ORDER = "order"
    ACCEPT = "accept"
    DISPUTE = "dispute"
    SUBMIT = "submit"
    SEND_BACK = "send_back"
    CLOSE = "close"
    RECORD_REFUSAL = "record_refusal"
    HAND_OVER = "hand_over"
    RESUME_RECTIFICATION = "resume_rectification"
    LOOK_BACK = "look_back"
    REOPEN = "reopen"
    ADD_EVIDENCE = "add_evidence"
    WRITE_SECTION = "write_section"
    SIGN_SECTION = "sign_section"
    GRADE_UP = "grade_up"
    ASK_REGRADE = "ask_regrade"
    DECIDE_REGRADE = "decide_regrade"
    ASK_EXTENSION = "ask_extension"
    DECIDE_EXTENSION = "decide_extension"
    STOP_WORK = "stop_work"
    RESUME_WORK = "resume_work"
    SUPERVISE = "supervise"


class Refusal(Enum):
    """Why an action is refused; the first that applies."""

    NOT_IN_THIS_STATE = "not_in_this_state"
    NOT_YOUR_DUTY = "not_your_duty"
    NOT_YOUR_LEVEL = "not_your_level"
    REASON_MISSING = "reason_missing"
    EVIDENCE_MISSING = "evidence_missing"
    NO_NEW_EVIDENCE = "no_new_evidence"
    SAME_PERSON = "same_person"
    ALARM_STILL_ACTIVE = "alarm_still_active"
    SECTIONS_MISSING = "sections_missing"
    MAJOR_ONLY = "major_only"
    GENERAL_ONLY = "general_only"
    NOTHING_ASKED = "nothing_asked"
    ALREADY_ASKED = "already_asked"
    HIGHER_LEVEL_NEEDED = "higher_level_needed"
    NOT_STOPPED = "not_stopped"
    ALREADY_DONE = "already_done"
