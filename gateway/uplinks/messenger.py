"""Uplinks that tell people: choose, put together, keep to the receiver's pace, and say what became of each row.

    outbox rows -> notices -> groups -> speaker.say(group) -> Answer -> one Receipt a row

Theory of operation
- A few rows leave as a message each. Many rows, or more than the receiver still takes this minute, are put together
  into as few messages as they fit into, the gravest first; each message says how many of what it holds. Nothing is
  left out: what does not fit today's room stays in the outbox (RETRY) for as long as the receiver asks.
- An answer that blames the message (REFUSED, UNCLEAR) is not the fault of all rows in it: the group is halved until
  the bad row stands alone. A row that is refused is REJECTED with the receiver's words. One that is answered with an
  unknown code is asked again, and REJECTED after `GIVE_UP_ATTEMPTS`, so that it cannot stop those behind it for ever.
- An answer that blames the moment, the way or the settings (LATER) ends the batch: everything left is RETRY.
- A message whose answer was lost is sent again: people may see it twice, with the same number in it.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal, Protocol, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from gateway.model.alarm import Severity, Transition, TransitionKind
from gateway.model.alert import OutboxItem, Receipt, ReceiptKind
from gateway.ports import ReadingBlock, UplinkContext
from gateway.uplinks.http_door import Answer, Outcome
from gateway.uplinks.notice import RANK, Language, Notice, Wording, read_notice
from gateway.uplinks.send_budget import SendBudget

GIVE_UP_ATTEMPTS = 20
_CLOSING = Answer(Outcome.LATER, "the uplink is closing")
T = TypeVar("T")


def _once_each(values: tuple[T, ...]) -> tuple[T, ...]:
    if not values or len(set(values)) < len(values):
        raise ValueError("at least one, and each once")
    return values


Chosen = Annotated[
    tuple[Literal[TransitionKind.RAISED, TransitionKind.ACKNOWLEDGED, TransitionKind.RETURNED], ...],
    AfterValidator(_once_each),
]


class ChoosySettings(BaseModel):
    """What every uplink with a choice has: its name, which transitions it wants, and how it is reached."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9_.-]{0,62}[a-z0-9])?$")]
    """Unique among the uplinks."""
    min_severity: Severity = Severity.P2
    """The least severity that is sent; P2 sends P1 and P2. Escalations are always sent."""
    transitions: Chosen = (TransitionKind.RAISED,)
    """Which transitions are sent: raised, acknowledged, returned."""
    timeout_ms: Annotated[int, Field(ge=100, le=60_000)] = 10_000
    """How long one request may take as a whole, milliseconds."""
    ca_file: Path | None = None
    """The authority that signed the receiver's certificate (PEM), when the system does not know it."""
    allow_plain_http: bool = False
    """Let the message leave this machine unencrypted."""

    def wants(self, transition: Transition) -> bool:
        """Whether the transition is one of those chosen."""
        return transition.kind in self.transitions and RANK[transition.alarm.rule.severity] <= RANK[self.min_severity]


class MessengerSettings(ChoosySettings):
    """How people are spoken to: languages, severities, quiet times."""

    languages: Annotated[tuple[Language, ...], AfterValidator(_once_each)] = ("zh",)
    """The languages of a message, one after the other: zh, en."""
    utc_offset_min: Annotated[int, Field(ge=-720, le=840)] = 480
    """How far local time is from UTC, minutes; China is 480."""
    combine_from: Annotated[int, Field(ge=2, le=50)] = 5
    """So many that wait at once, or more, are put together into one message."""

    @property
    def wordings(self) -> tuple[Wording, ...]:
        """The wordings to use, one for each language."""
        return tuple(Wording(language, self.utc_offset_min) for language in self.languages)


class Speaker(Protocol):
    """What differs between receivers: the form of a message, and what an answer means."""

    async def say(self, notices: Sequence[Notice]) -> Answer:
        """Send one message about these notices. Raises nothing for any answer or network fault."""
        ...

    def fits(self, notices: Sequence[Notice]) -> bool:
        """Whether these notices have room in one message."""
        ...

    async def close(self) -> None:
        """Let go of every socket that it holds open."""
        ...


_Row = tuple[int, Notice]


class MessengerUplink:
    """One receiver of messages to people."""

    takes_alerts = True
    takes_evidence = False
    takes_readings = False
    takes_escalations = True

    def __init__(self, settings: MessengerSettings, context: UplinkContext, speaker: Speaker, per_minute: int) -> None:
        self.name = settings.name
        self._settings = settings
        self._clock = context.clock
        self._speaker = speaker
        self._budget = SendBudget(per_minute, context.clock)
        self._closed = False
        self._most_together: dict[str, int] = {}

    def wants(self, transition: Transition) -> bool:
        """Whether the transition is one of those chosen."""
        return self._settings.wants(transition)

    async def send_alerts(self, batch: Sequence[OutboxItem]) -> Sequence[Receipt]:
        """Tell people; exactly one Receipt an item, in the items' order."""
        receipts: dict[int, Receipt] = {}
        rows: list[_Row] = []
        for i, item in enumerate(batch):
            notice = read_notice(item, self._clock.now_ns())
            if notice is None:
                receipts[i] = Receipt.rejected(f"a row of kind {item.kind} that cannot be put into words")
            else:
                rows.append((i, notice))
        groups = self._groups(rows)
        while groups:
            group = groups.pop(0)
            answer = await self._say([notice for _, notice in group])
            if answer.outcome in (Outcome.REFUSED, Outcome.UNCLEAR) and len(group) > 1:
                groups[:0] = self._halves(group)
                continue
            receipts |= {i: _receipt(answer, notice, len(group)) for i, notice in group}
            if answer.outcome is Outcome.LATER:
                receipts |= {i: _receipt(answer, notice, 1) for later in groups for i, notice in later}
                break
        self._forget_settled(rows, receipts)
        return [receipts[i] for i in range(len(batch))]

    async def send_readings(self, blocks: Sequence[ReadingBlock]) -> Receipt:
        """Never called: people are told of alarms, not of readings."""
        return Receipt.rejected(f"{self.name} takes no readings ({len(blocks)} blocks)")

    async def close(self) -> None:
        """Send nothing more and let go of sockets."""
        self._closed = True
        await self._speaker.close()

    def _groups(self, rows: list[_Row]) -> list[list[_Row]]:
        """The gravest first; one each while there is room for that, else as few groups as they fit into."""
        rows = sorted(rows, key=lambda row: row[1].rank)
        if len(rows) < self._settings.combine_from and len(rows) <= self._budget.room:
            return [[row] for row in rows]
        groups: list[list[_Row]] = []
        for row in rows:
            if groups and self._may_join(groups[-1], row):
                groups[-1].append(row)
            else:
                groups.append([row])
        return groups

    def _may_join(self, group: list[_Row], row: _Row) -> bool:
        notices = [notice for _, notice in [*group, row]]
        most = min(self._most_together.get(notice.key, len(notices)) for notice in notices)
        return len(notices) <= most and self._speaker.fits(notices)

    def _halves(self, group: list[_Row]) -> list[list[_Row]]:
        """Both halves; remembered, so that a minute that ends here does not begin again with the whole group."""
        middle = len(group) // 2
        for _, notice in group:
            self._most_together[notice.key] = middle
        return [group[:middle], group[middle:]]

    def _forget_settled(self, rows: list[_Row], receipts: Mapping[int, Receipt]) -> None:
        for i, notice in rows:
            if receipts[i].kind is not ReceiptKind.RETRY:
                self._most_together.pop(notice.key, None)

    async def _say(self, notices: Sequence[Notice]) -> Answer:
        if self._closed:
            return _CLOSING
        if not self._budget.room:
            return Answer(
                Outcome.LATER, "as many messages as the receiver takes a minute are sent", self._budget.wait_s
            )
        self._budget.spend()
        answer = await self._speaker.say(notices)
        if answer.outcome is Outcome.LATER and answer.after_s:
            self._budget.be_silent(answer.after_s)
        return answer


def _receipt(answer: Answer, notice: Notice, together: int) -> Receipt:
    if answer.outcome is Outcome.TAKEN:
        one_of = f"one of {together} in one message" if together > 1 else ""
        return Receipt.accepted("; ".join(words for words in (one_of, answer.words) if words))
    if answer.outcome is Outcome.REFUSED:
        return Receipt.rejected(answer.words)
    if answer.outcome is Outcome.UNCLEAR and notice.attempts + 1 >= GIVE_UP_ATTEMPTS:
        return Receipt.rejected(f"given up after {notice.attempts + 1} attempts: {answer.words}")
    return Receipt.retry(answer.words, answer.after_s)


MessageForm = Literal["text", "markdown"]
