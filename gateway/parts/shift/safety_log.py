"""The safety log of a day (施工安全日志): the box fills in what it knows, the officer writes the rest and signs.

    nothing --save--> draft --save--> draft --sign--> signed --add--> signed, with a supplement
        \\-----------------sign----------------------/   (never changed again)

In: a day, texts, who writes. Out: `DayLog`s. What the box knows is as of now in a draft, and frozen by the signature.
The provincial notice asks for the log (its item II(2)7); no list of its fields was found, so they are product design
(PD). Knows no HTTP.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.model.errors import StoreError
from gateway.parts.shift.free_text import free_text
from gateway.parts.shift.paper_desk import KeptPaper, NewVersion, PaperDesk
from gateway.parts.shift.paper_store import PaperStore
from gateway.ports import Clock
from gateway.web.sheet import Sheet, content_of, sheet_of
from screens.formats import SITE_ZONE, site_time

PREFIX = "safety_log:"
FIRST_DAY = date(2000, 1, 1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class LogField(StrEnum):
    """What the safety officer writes into a log."""

    ON_DUTY = "on_duty"
    INSPECTION = "inspection"
    HAZARDS = "hazards"
    MEASURES = "measures"
    REMARKS = "remarks"


class LogStage(StrEnum):
    """What a version of a log is."""

    DRAFT = "draft"
    SIGNED = "signed"
    SUPPLEMENT = "supplement"


class LogState(StrEnum):
    """How far a day's log is. MISSING: the day is over and nobody has signed."""

    EMPTY = "empty"
    DRAFT = "draft"
    SIGNED = "signed"
    MISSING = "missing"


class SignedAlreadyError(Exception):
    """The log is signed and changes no more; what was forgotten is a supplement."""


class NotSignedYetError(Exception):
    """A supplement belongs to a signed log; a draft is simply written on."""


class NothingWrittenError(Exception):
    """What must not be empty is: the field's name."""


class DayNotBegunError(ValueError):
    """A log is of today or of a day that has been."""


Texts = Mapping[LogField, str]


@dataclass(frozen=True, slots=True)
class LogDay:
    """A local day as UTC ns, the end excluded."""

    day: date
    from_ns: int
    to_ns: int


def log_day(day: date) -> LogDay:
    """The day from local midnight to the next. Raises DayNotBegunError before the year 2000."""
    if day < FIRST_DAY:
        raise DayNotBegunError(day.isoformat())
    begin = datetime.combine(day, time(), SITE_ZONE)
    ends = [(each - _EPOCH) // timedelta(microseconds=1) * 1000 for each in (begin, begin + timedelta(days=1))]
    return LogDay(day, ends[0], ends[1])


@dataclass(frozen=True, slots=True)
class DayLog:
    """A day's log. `texts` are those of the newest draft or of the signed log; `sheet` is frozen once it is signed.

    `versions` is how many were kept: a form that was opened on fewer has been overtaken.
    """

    day: date
    state: LogState
    texts: Texts
    sheet: Sheet
    versions: int
    last_draft: KeptPaper | None
    signed: KeptPaper | None
    supplements: tuple[KeptPaper, ...]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One day in the list of logs."""

    day: date
    state: LogState


Gather = Callable[[LogDay, int], Awaitable[Sheet]]
"""(day, now) -> what the box knows of it."""


@dataclass(frozen=True, slots=True)
class LogHead:
    """What stands above every safety log of the site."""

    site_zh: str
    site_en: str
    project_code: str
    box_id: str


class SafetyLogs:
    """The logs of the site, one a day."""

    def __init__(
        self,
        desk: PaperDesk,
        store: PaperStore,
        gather: Gather,
        head: Callable[[], LogHead],
        begun_ns: Callable[[], int],
        clock: Clock,
    ) -> None:
        """`begun_ns()` is when the box first ran (0: never); it may block."""
        self._desk = desk
        self._store = store
        self._gather = gather
        self._head = head
        self._begun_ns = begun_ns
        self._clock = clock

    def today(self) -> date:
        """The calendar day that it is on the site."""
        return site_time(self._clock.now_ns()).date()

    async def log(self, day: date) -> DayLog:
        """A day's log as it stands. Raises DayNotBegunError, PaperDamagedError."""
        span = self._begun(day)
        versions = await self._desk.versions(RecordKind.SAFETY_LOG, _about(day))
        signed = _signed(versions)
        sheet = sheet_of(signed.content["sheet"]) if signed else await self._gather(span, self._clock.now_ns())
        drafts = [each for each in versions if each.stage == LogStage.DRAFT]
        written = signed or (drafts[-1] if drafts else None)
        return DayLog(
            day=day,
            state=self._state({each.stage for each in versions}, day),
            texts=_texts(written),
            sheet=sheet,
            versions=len(versions),
            last_draft=drafts[-1] if drafts else None,
            signed=signed,
            supplements=tuple(each for each in versions if each.stage == LogStage.SUPPLEMENT),
        )

    async def save(self, day: date, texts: Texts, user: str, based_on: int) -> KeptPaper:
        """Keep the texts as a draft.

        Raises TextTooLongError, SignedAlreadyError, OvertakenError, DayNotBegunError, StoreError.
        """
        self._begun(day)
        return await self._add(day, LogStage.DRAFT, {"texts": _tidied(texts)}, user, based_on)

    async def sign(self, day: date, texts: Texts, user: str, based_on: int) -> KeptPaper:
        """Sign the texts together with what the box knows of the day now; nothing of it changes any more.

        Raises as `save`, and NothingWrittenError when the inspection is empty.
        """
        span, tidied = self._begun(day), _tidied(texts)
        if not tidied[LogField.INSPECTION]:
            raise NothingWrittenError(LogField.INSPECTION)
        sheet = await self._gather(span, self._clock.now_ns())
        return await self._add(day, LogStage.SIGNED, {"texts": tidied, "sheet": content_of(sheet)}, user, based_on)

    async def supplement(self, day: date, text: str, user: str) -> KeptPaper:
        """Add to a signed log. Raises NotSignedYetError, NothingWrittenError, TextTooLongError, StoreError."""
        added = free_text(LogStage.SUPPLEMENT, text)
        if not added:
            raise NothingWrittenError(LogStage.SUPPLEMENT)
        signed = _signed(await self._desk.versions(RecordKind.SAFETY_LOG, _about(day)))
        if signed is None:
            raise NotSignedYetError(day.isoformat())
        content: dict[str, Canonical] = self._heading(day) | {"text": added, "to_sha256": signed.sha256}
        about = _about(day)
        return await self._desk.add(NewVersion(RecordKind.SAFETY_LOG, about, LogStage.SUPPLEMENT, user, content))

    def recent(self, days: int) -> list[LogLine]:
        """The newest days since the box first ran or a log was first written, today first. Blocks."""
        first = self._first_day()
        newest = [self.today() - timedelta(days=back) for back in range(days)]
        wanted = [day for day in newest if day >= first] or newest[:1]
        stages = self._store.stages([_about(day) for day in wanted])
        return [LogLine(day, self._state(stages.get(_about(day), set()), day)) for day in wanted]

    def _first_day(self) -> date:
        """Today when the box never ran before. A log of an earlier day may have been written by hand."""
        begun_ns, heads = self._begun_ns(), self._store.newest(PREFIX, 100_000)
        known = [site_time(begun_ns).date()] if begun_ns else []
        known += [date.fromisoformat(head.about.removeprefix(PREFIX)) for head in heads[-1:]]
        return min(known, default=self.today())

    def _begun(self, day: date) -> LogDay:
        span = log_day(day)
        if span.from_ns > self._clock.now_ns():
            raise DayNotBegunError(day.isoformat())
        return span

    def _state(self, stages: "set[str]", day: date) -> LogState:
        if LogStage.SIGNED in stages:
            return LogState.SIGNED
        if day < self.today():
            return LogState.MISSING
        return LogState.DRAFT if LogStage.DRAFT in stages else LogState.EMPTY

    def _heading(self, day: date) -> dict[str, Canonical]:
        head = self._head()
        return {
            "day": day.isoformat(),
            "site": [head.site_zh, head.site_en],
            "project_code": head.project_code,
            "box_id": head.box_id,
        }

    async def _add(
        self, day: date, stage: LogStage, content: Mapping[str, Canonical], user: str, based_on: int
    ) -> KeptPaper:
        body = self._heading(day) | dict(content)
        about = _about(day)
        return await self._desk.add(NewVersion(RecordKind.SAFETY_LOG, about, stage, user, body, based_on, _may_write))


def _may_write(versions: Sequence[KeptPaper]) -> None:
    if _signed(versions) is not None:
        raise SignedAlreadyError


def _signed(versions: Sequence[KeptPaper]) -> KeptPaper | None:
    return next((each for each in versions if each.stage == LogStage.SIGNED), None)


def _about(day: date) -> str:
    """What the records of a day's log are filed under."""
    return f"{PREFIX}{day.isoformat()}"


def _tidied(texts: Texts) -> dict[str, str]:
    return {field: free_text(field, texts.get(field, "")) for field in LogField}


def _texts(paper: KeptPaper | None) -> Texts:
    said = paper.content.get("texts", {}) if paper is not None else {}
    if not isinstance(said, Mapping):
        raise StoreError("a kept log has no texts")
    return {field: str(said.get(field, "")) for field in LogField}
