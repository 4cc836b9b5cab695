"""The shift handover (交接班): who goes says how the site stands and signs; who comes takes it over, with an own login.

    nothing --save--> draft --hand--> handed --take--> taken
                        ^                |
                        +--- withdraw ---+      (before anybody has taken it; the notes stay)

In: notes, who writes, what the box knows. Out: `Handover`s. What the box knows is frozen when the shift is handed over.
Nobody takes over from themselves. One handover is open at a time. Knows no HTTP.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.parts.shift.free_text import free_text
from gateway.parts.shift.paper_desk import KeptPaper, NewVersion, PaperDesk
from gateway.parts.shift.paper_store import PaperHead, PaperStore
from gateway.parts.shift.safety_log import LogHead
from gateway.ports import Clock
from gateway.web.sheet import Sheet, content_of, sheet_of

PREFIX = "handover:"
_DIGITS = 8


class HandoverStage(StrEnum):
    """What a version of a handover is."""

    DRAFT = "draft"
    HANDED = "handed"
    TAKEN = "taken"
    WITHDRAWN = "withdrawn"


class HandoverState(StrEnum):
    """How far a handover of the shift has come."""

    EMPTY = "empty"
    DRAFT = "draft"
    HANDED = "handed"
    TAKEN = "taken"


class NotHandedError(Exception):
    """There is nothing to take over, or it has been taken or withdrawn meanwhile."""


class HandedAlreadyError(Exception):
    """The shift is handed over and waits for whoever comes; the notes change no more."""


class SamePersonError(Exception):
    """Whoever handed over cannot take over."""


class NotYoursError(Exception):
    """Only whoever handed over may withdraw."""


@dataclass(frozen=True, slots=True)
class Handover:
    """One handover. `sheet` is frozen once it is handed over; `versions` is how many were kept."""

    number: int
    state: HandoverState
    notes: str
    sheet: Sheet
    versions: int
    last_draft: KeptPaper | None
    handed: KeptPaper | None
    taken: KeptPaper | None


class Handovers:
    """The handovers of the site, numbered from 1."""

    def __init__(
        self,
        desk: PaperDesk,
        store: PaperStore,
        gather: Callable[[int], Awaitable[Sheet]],
        head: Callable[[], LogHead],
        clock: Clock,
    ) -> None:
        self._desk = desk
        self._store = store
        self._gather = gather
        self._head = head
        self._clock = clock

    async def open(self) -> Handover:
        """The handover that is being written or waits; a new one when the last is done. Raises PaperDamagedError."""
        number = await asyncio.to_thread(self._number)
        return await self.handover(number)

    async def handover(self, number: int) -> Handover:
        """One by its number. Raises PaperDamagedError."""
        versions = await self._desk.versions(RecordKind.HANDOVER, _about(number))
        handed, taken = _handed(versions), _last(versions, HandoverStage.TAKEN)
        sheet = sheet_of(handed.content["sheet"]) if handed else await self._gather(self._clock.now_ns())
        written = handed or _written(versions)
        return Handover(
            number=number,
            state=_state(versions),
            notes=str(written.content.get("notes", "")) if written else "",
            sheet=sheet,
            versions=len(versions),
            last_draft=_last(versions, HandoverStage.DRAFT),
            handed=handed,
            taken=taken,
        )

    async def save(self, notes: str, user: str, based_on: int) -> KeptPaper:
        """Save the notes as a draft. Raises TextTooLongError, HandedAlreadyError, OvertakenError, StoreError."""
        content: dict[str, Canonical] = {"notes": free_text("notes", notes)}
        return await self._add(HandoverStage.DRAFT, content, user, based_on)

    async def hand(self, notes: str, user: str, based_on: int) -> KeptPaper:
        """Sign as whoever goes. Raises as `save`."""
        text = free_text("notes", notes)
        sheet = await self._gather(self._clock.now_ns())
        content: dict[str, Canonical] = {"notes": text, "sheet": content_of(sheet)}
        return await self._add(HandoverStage.HANDED, content, user, based_on)

    async def take(self, number: int, remark: str, user: str) -> KeptPaper:
        """Sign as whoever comes. Raises NotHandedError, SamePersonError, TextTooLongError, StoreError."""
        content: dict[str, Canonical] = {"remark": free_text("remark", remark)}

        def may(versions: Sequence[KeptPaper]) -> None:
            if _waiting(versions).user == user:
                raise SamePersonError

        return await self._answer(number, HandoverStage.TAKEN, content, user, may)

    async def withdraw(self, number: int, user: str) -> KeptPaper:
        """Back to a draft, before anybody has taken over. Raises NotHandedError, NotYoursError, StoreError."""

        def may(versions: Sequence[KeptPaper]) -> None:
            if _waiting(versions).user != user:
                raise NotYoursError

        return await self._answer(number, HandoverStage.WITHDRAWN, {}, user, may)

    def past(self, limit: int) -> list[PaperHead]:
        """The newest handovers that were taken over, newest first. Blocks."""
        heads = self._store.newest(PREFIX, limit + 1)
        return [head for head in heads if head.stage == HandoverStage.TAKEN][:limit]

    def _number(self) -> int:
        """That of the open one."""
        newest = self._store.newest(PREFIX, 1)
        if not newest:
            return 1
        return number_of(newest[0]) + (newest[0].stage == HandoverStage.TAKEN)

    async def _add(self, stage: HandoverStage, content: Mapping[str, Canonical], user: str, based_on: int) -> KeptPaper:
        number = await asyncio.to_thread(self._number)
        body = self._heading(number) | dict(content)
        new = NewVersion(RecordKind.HANDOVER, _about(number), stage, user, body, based_on, _may_write)
        return await self._desk.add(new)

    async def _answer(
        self,
        number: int,
        stage: HandoverStage,
        content: Mapping[str, Canonical],
        user: str,
        may: Callable[[Sequence[KeptPaper]], None],
    ) -> KeptPaper:
        handed = _handed(await self._desk.versions(RecordKind.HANDOVER, _about(number)))
        to: dict[str, Canonical] = {"to_sha256": handed.sha256 if handed else ""}
        body = self._heading(number) | dict(content) | to
        return await self._desk.add(NewVersion(RecordKind.HANDOVER, _about(number), stage, user, body, may=may))

    def _heading(self, number: int) -> dict[str, Canonical]:
        head = self._head()
        return {
            "number": number,
            "site": [head.site_zh, head.site_en],
            "project_code": head.project_code,
            "box_id": head.box_id,
        }


def number_of(head: PaperHead) -> int:
    """Which handover of the day it is, counted from 1."""
    return int(head.about.removeprefix(PREFIX))


def _about(number: int) -> str:
    """Digits of one length, so that names sort as numbers do."""
    return f"{PREFIX}{number:0{_DIGITS}d}"


def _last(versions: Sequence[KeptPaper], stage: HandoverStage) -> KeptPaper | None:
    return next((each for each in reversed(versions) if each.stage == stage), None)


def _written(versions: Sequence[KeptPaper]) -> KeptPaper | None:
    """The newest version with notes: a draft, or what was withdrawn."""
    return next((each for each in reversed(versions) if "notes" in each.content), None)


def _handed(versions: Sequence[KeptPaper]) -> KeptPaper | None:
    """What was handed over and not withdrawn."""
    if not versions or versions[-1].stage not in (HandoverStage.HANDED, HandoverStage.TAKEN):
        return None
    return _last(versions, HandoverStage.HANDED)


def _state(versions: Sequence[KeptPaper]) -> HandoverState:
    if not versions:
        return HandoverState.EMPTY
    stage = HandoverStage(versions[-1].stage)
    return HandoverState.DRAFT if stage is HandoverStage.WITHDRAWN else HandoverState(stage.value)


def _waiting(versions: Sequence[KeptPaper]) -> KeptPaper:
    """What waits to be taken over. Raises NotHandedError."""
    if _state(versions) is not HandoverState.HANDED:
        raise NotHandedError
    handed = _handed(versions)
    assert handed is not None
    return handed


def _may_write(versions: Sequence[KeptPaper]) -> None:
    if _state(versions) in (HandoverState.HANDED, HandoverState.TAKEN):
        raise HandedAlreadyError
