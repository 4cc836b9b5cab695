"""An order as the site sees it: what the regulator said, what the site answered, where it stands.

    ordered -> (site answers: seen, accepted, rectified, disputed) -> awaiting_recheck -> returned -> ... -> closed
                                                                                       '-> withdrawn

Where an order stands is the regulator's word alone; an answer changes nothing but what the site has said. Pure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Answer(StrEnum):
    """What the site may say of an order (the contract's `order_reply`)."""

    SEEN = "seen"
    ACCEPTED = "accepted"
    RECTIFIED = "rectified"
    DISPUTED = "disputed"


class Standing(StrEnum):
    """Where an order stands, as the regulator tells (the contract's `order_state`)."""

    ORDERED = "ordered"
    AWAITING_RECHECK = "awaiting_recheck"
    RETURNED = "returned"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


ENDED = frozenset({Standing.CLOSED, Standing.WITHDRAWN})


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture that proves something: the bytes lie on the shelf under `sha256`, as they were sent."""

    sha256: str
    size_bytes: int
    media_type: str
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer as it was sealed; `seq` is its record. `reply_id` is the form's: the same form counts once."""

    reply_id: str
    answer: Answer
    words: str
    user: str
    answered_at_ns: int
    photos: tuple[Photo, ...]
    seq: int


@dataclass(frozen=True, slots=True)
class Word:
    """One time the regulator said where the order stands. `deadline_at_ns` 0: nothing new about it."""

    standing: Standing
    words: str
    changed_at_ns: int
    deadline_at_ns: int = 0
    seq: int = 0


@dataclass(frozen=True, slots=True)
class SiteOrder:
    """One order. Times UTC ns. `seq` is the record that sealed it first, and names it on pages; `uplink` is where
    answers go, empty where an older program sealed it without."""

    order_id: str
    number: str
    title_zh: str
    title_en: str
    words: str
    legal_basis: str
    severity: str
    ordered_deadline_ns: int
    issued_at_ns: int
    kept_at_ns: int
    seq: int
    uplink: str
    told: tuple[Word, ...] = ()
    replies: tuple[Reply, ...] = ()

    @property
    def standing(self) -> Standing:
        """Where it stands: the word said last."""
        return self.told[-1].standing if self.told else Standing.ORDERED

    @property
    def deadline_ns(self) -> int:
        """The deadline in force: the last one that was said."""
        return next((word.deadline_at_ns for word in reversed(self.told) if word.deadline_at_ns), None) or (
            self.ordered_deadline_ns
        )

    @property
    def ended(self) -> bool:
        """Nothing is left to be done at the site."""
        return self.standing in ENDED

    @property
    def last_answer(self) -> Answer | None:
        """What the site has answered last, None before that."""
        return self.replies[-1].answer if self.replies else None

    def overdue(self, now_ns: int) -> bool:
        """Past its deadline and not ended, whatever was answered."""
        return not self.ended and now_ns > self.deadline_ns

    def find_reply(self, reply_id: str) -> Reply | None:
        """The answer that this form has given already."""
        return next((reply for reply in self.replies if reply.reply_id == reply_id), None)

    @property
    def answers(self) -> tuple[Answer, ...]:
        """What may be said now, in the order in which a page offers it."""
        if self.ended:
            return ()
        if self.standing is Standing.RETURNED:
            return (Answer.RECTIFIED, Answer.DISPUTED)
        return _AFTER[self.last_answer]


_AFTER: Mapping[Answer | None, tuple[Answer, ...]] = {
    None: (Answer.SEEN, Answer.ACCEPTED, Answer.RECTIFIED, Answer.DISPUTED),
    Answer.SEEN: (Answer.ACCEPTED, Answer.RECTIFIED, Answer.DISPUTED),
    Answer.ACCEPTED: (Answer.RECTIFIED, Answer.DISPUTED),
    Answer.RECTIFIED: (Answer.RECTIFIED,),
    Answer.DISPUTED: (Answer.ACCEPTED, Answer.RECTIFIED, Answer.DISPUTED),
}
"""Who has said that it is done may add to that, not take it back; who disputes may still comply."""
