"""What a reviewer may say of an item, and how an item stands. Pure.

    OPEN --judge--> PROVISIONAL --10 s, or at once with an order--> FINAL --reopen, with a reason--> OPEN
      '<----undo----------'

A verdict is provisional for ten seconds, by the desk's clock, so that a slip of the finger never opens a legal object
that somebody has to take back: the hazard is opened when the verdict becomes final, in that same transaction.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

from regulator.base.model.actor import Actor, Duty, Level
from regulator.base.model.refusals import RefusedError

SECOND_NS: Final = 1_000_000_000
UNDO_NS: Final = 10 * SECOND_NS
LEASE_NS: Final = 60 * SECOND_NS
MAX_WORDS: Final = 2000
REVIEW_LEVELS: Final = (Level.PROVINCE, Level.CITY, Level.COUNTY)
READERS: Final = (Duty.REVIEWER, Duty.APPROVER, Duty.INSPECTOR, Duty.AUDITOR)


class Verdict(Enum):
    """What a reviewer said of an alarm: 属实 true, 误报 false, 存疑 doubtful."""

    TRUE = "true"
    FALSE = "false"
    DOUBTFUL = "doubtful"


class FalseReason(IntEnum):
    """Why an alarm was false; the number is its key."""

    LIGHT = 1
    WEATHER = 2
    OCCLUDED = 3
    NOT_A_PERSON = 4
    HELMET_WORN = 5
    GUARD_PRESENT = 6
    WRONG_CALIBRATION = 7
    DUPLICATE = 8
    OTHER = 9


class ItemState(Enum):
    """How far an item is judged: open, provisionally or for good."""

    OPEN = "open"
    PROVISIONAL = "provisional"
    FINAL = "final"


class EntryKind(Enum):
    """What a row of the verdicts is."""

    JUDGED = "judged"
    UNDONE = "undone"
    FINAL = "final"
    REFUSED = "refused"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a person decided. `reason` only, and always, with FALSE."""

    verdict: Verdict
    reason: FalseReason | None = None
    words: str = ""

    def __post_init__(self) -> None:
        if (self.verdict is Verdict.FALSE) != (self.reason is not None):
            raise RefusedError(
                422, "reason_needed", "误报须选择原因（1–9）", "a false alarm needs a reason, 1 to 9", "reason"
            )
        if len(self.words) > MAX_WORDS:
            raise RefusedError(422, "words_too_long", "说明过长", f"at most {MAX_WORDS} characters", "words")

    @property
    def reason_number(self) -> int:
        """The number of the reason, 0 where there is none."""
        return int(self.reason) if self.reason else 0


def read_judgement(verdict: str, reason: str, words: str) -> Judgement:
    """From a form's texts. Raises RefusedError that names the field."""
    try:
        said = Verdict(verdict)
    except ValueError:
        raise RefusedError(
            422, "no_such_verdict", "没有这种判定", "expected true, false or doubtful", "verdict"
        ) from None
    return Judgement(said, _reason(reason), words.strip())


def require_reader(actor: Actor) -> None:
    """Whether somebody may see the review desk. Raises RefusedError 403."""
    if actor.level not in REVIEW_LEVELS or not actor.has(*READERS):
        raise RefusedError(403, "no_review", "无权查看研判台", "the review desk is for supervision bodies", "")


def require_reviewer(actor: Actor) -> None:
    """Whether somebody may judge. Raises RefusedError 403."""
    if actor.level not in REVIEW_LEVELS or not actor.has(Duty.REVIEWER):
        raise RefusedError(403, "no_reviewer", "无研判权限", "judging needs the duty of a reviewer", "")


def _reason(text: str) -> FalseReason | None:
    if not text:
        return None
    if text not in "123456789" or len(text) != 1:
        raise RefusedError(422, "no_such_reason", "没有这个原因", "expected a reason from 1 to 9", "reason")
    return FalseReason(int(text))
