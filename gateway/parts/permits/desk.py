"""Permits and warnings that somebody at the site enters, withdraws, acknowledges or answers with a check.

    form --> checked --> chain (work_permit | weather_warning, filed under the thing) --> register --> models, pages

Every change is one more sealed record; nothing is taken out. What came from the regulator is withdrawn there, not here.
In: what a person typed, checked as to its form. Out: the record's number. Knows no page.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry, Recorder
from gateway.model.permit import WorkKind, WorkPermit
from gateway.model.weather import WarningKind, WarningLevel, WeatherWarning
from gateway.parts.permits.register import SiteRegister
from gateway.ports import Clock

MAX_LABEL = 200
MAX_WORDS = 2000
LONGEST_NS = 31 * 86_400 * 1_000_000_000
"""A permit or a warning that lasts longer than a month is a mistyped year. PD"""


Issued = TypeVar("Issued", WorkPermit, WeatherWarning)


class EntryRefusedError(Exception):
    """Nothing was sealed: why, in both languages; `field` is the part of the form."""

    def __init__(self, code: str, words_zh: str, words_en: str, field: str = "") -> None:
        self.code, self.words_zh, self.words_en, self.field = code, words_zh, words_en, field
        super().__init__(f"{code}: {words_en}")


@dataclass(frozen=True, slots=True)
class NewPermit:
    """What is typed. Times UTC ns."""

    number: str
    work: WorkKind
    asset: str
    place: str
    holder: str
    issued_by: str
    valid_from_ns: int
    valid_until_ns: int
    reason: str


@dataclass(frozen=True, slots=True)
class NewWarning:
    """What is typed. Times UTC ns."""

    kind: WarningKind
    level: WarningLevel
    source: str
    words: str
    valid_from_ns: int
    valid_until_ns: int


class PermitDesk:
    """The one door. `cranes()` are the assets that a permit may be for."""

    def __init__(
        self, register: SiteRegister, recorder: Recorder, clock: Clock, cranes: Callable[[], tuple[str, ...]]
    ) -> None:
        self.register = register
        self.cranes = cranes
        self._recorder = recorder
        self._clock = clock
        self._turn = asyncio.Lock()

    async def enter_permit(self, new: NewPermit, user: str) -> int:
        """A permit of the site's own. Raises EntryRefusedError."""
        _check_permit(new, self.cranes())
        content = _permit_content(new) | {"permit_id": _fresh("permit"), "version": 1, "withdrawn": False}
        return await self._seal_permit(content, "entered", user, "")

    async def withdraw_permit(self, permit_id: str, user: str, reason: str) -> int:
        """It covers nothing from now on. Raises LookupError, EntryRefusedError."""
        async with self._turn:
            permit = _own(self.register.permit(permit_id), permit_id)
            _check_reason(reason)
            content = _permit_content(permit) | {
                "permit_id": permit_id,
                "version": permit.version + 1,
                "withdrawn": True,
            }
            return await self._seal_permit(content, "withdrawn", user, reason)

    async def enter_warning(self, new: NewWarning, user: str) -> int:
        """A warning that the site has heard of by itself. Raises EntryRefusedError."""
        _check_warning(new)
        content = _warning_content(new) | {"warning_id": _fresh("warning"), "version": 1, "withdrawn": False}
        return await self._seal_warning(content, "entered", user, "")

    async def withdraw_warning(self, warning_id: str, user: str, reason: str) -> int:
        """It is over from now on; the check after a storm becomes due. Raises LookupError, EntryRefusedError."""
        async with self._turn:
            warning = _own(self.register.warning(warning_id), warning_id)
            _check_reason(reason)
            content = _warning_content(warning) | {
                "warning_id": warning_id,
                "version": warning.version + 1,
                "withdrawn": True,
            }
            return await self._seal_warning(content, "withdrawn", user, reason)

    async def acknowledge(self, warning_id: str, version: int, user: str, words: str) -> int:
        """Somebody has taken notice of what stands in this version. Raises LookupError, EntryRefusedError."""
        warning = self.register.warning(warning_id)
        if warning is None:
            raise LookupError(warning_id)
        if version != warning.version:
            raise EntryRefusedError(
                "warning_changed",
                "预警内容已更新，请阅读新内容后再签收",
                "the warning has changed: read it again, then acknowledge",
            )
        _check_length(words, MAX_WORDS, "words")
        content: dict[str, Canonical] = {"warning_id": warning_id, "version": version, "words": words}
        return await self._seal_weather("acknowledged", content, user, f"weather:{warning_id}")

    async def check(self, item: str, user: str, words: str, *, sound: bool) -> int:
        """One thing was looked at after the storm. Raises LookupError, EntryRefusedError."""
        if item not in self.register.items():
            raise LookupError(item)
        if self.register.storm_now(self._clock.now_ns()):
            raise EntryRefusedError(
                "storm_goes_on",
                "预警仍在生效，结束后再检查",
                "the warning is still in force: check after it has ended",
                "item",
            )
        if not sound and not words.strip():
            raise EntryRefusedError("words_missing", "不合格须写明问题", "say what is not in order", "words")
        _check_length(words, MAX_WORDS, "words")
        content: dict[str, Canonical] = {"item": item, "sound": sound, "words": words}
        return await self._seal_weather("checked", content, user, f"weather-check:{item}")

    async def _seal_permit(self, permit: dict[str, Canonical], event: str, user: str, reason: str) -> int:
        content: dict[str, Canonical] = {"event": event, "user": user, "reason": reason, "permit": permit}
        about = f"permit:{permit['permit_id']}"
        entry = Entry(RecordKind.WORK_PERMIT, self._clock.now_ns(), content, about=about)
        return (await self._recorder.record(entry)).seq

    async def _seal_warning(self, warning: dict[str, Canonical], event: str, user: str, reason: str) -> int:
        content: dict[str, Canonical] = {"reason": reason, "warning": warning}
        return await self._seal_weather(event, content, user, f"weather:{warning['warning_id']}")

    async def _seal_weather(self, event: str, content: dict[str, Canonical], user: str, about: str) -> int:
        whole: dict[str, Canonical] = {"event": event, "user": user, **content}
        entry = Entry(RecordKind.WEATHER_WARNING, self._clock.now_ns(), whole, about=about)
        return (await self._recorder.record(entry)).seq


def _fresh(kind: str) -> str:
    return f"site-{kind}-{secrets.token_hex(8)}"


def _own(found: Issued | None, name: str) -> Issued:
    """What may be withdrawn here."""
    if found is None:
        raise LookupError(name)
    if found.origin:
        raise EntryRefusedError(
            "not_the_sites", "由监管部门下发，只能由其撤销", "the regulator issued it, and only they withdraw it"
        )
    if found.withdrawn:
        raise EntryRefusedError("withdrawn_already", "已撤销", "it is withdrawn already")
    return found


def _permit_content(said: NewPermit | WorkPermit) -> dict[str, Canonical]:
    return {
        "number": said.number,
        "work": str(said.work),
        "asset": said.asset,
        "place": said.place,
        "holder": said.holder,
        "issued_by": said.issued_by,
        "valid_from_ns": said.valid_from_ns,
        "valid_until_ns": said.valid_until_ns,
        "reason": said.reason,
    }


def _warning_content(said: NewWarning | WeatherWarning) -> dict[str, Canonical]:
    return {
        "kind": str(said.kind),
        "level": said.level.name.lower(),
        "source": said.source,
        "words": said.words,
        "valid_from_ns": said.valid_from_ns,
        "valid_until_ns": said.valid_until_ns,
    }


def _check_permit(new: NewPermit, cranes: tuple[str, ...]) -> None:
    for name in ("number", "holder", "issued_by"):
        _check_filled(getattr(new, name), name)
    for name in ("number", "holder", "issued_by", "place"):
        _check_length(getattr(new, name), MAX_LABEL, name)
    _check_length(new.reason, MAX_WORDS, "reason")
    _check_span(new.valid_from_ns, new.valid_until_ns)
    if new.work is WorkKind.HOT_WORK:
        _check_filled(new.place, "place")
    elif new.asset not in cranes:
        raise EntryRefusedError("no_such_crane", "请选择塔机", "choose the crane", "asset")


def _check_warning(new: NewWarning) -> None:
    _check_filled(new.source, "source")
    _check_length(new.source, MAX_LABEL, "source")
    _check_length(new.words, MAX_WORDS, "words")
    _check_span(new.valid_from_ns, new.valid_until_ns)


def _check_span(from_ns: int, until_ns: int) -> None:
    if until_ns <= from_ns:
        raise EntryRefusedError("span_backwards", "结束须晚于开始", "it must end after it begins", "valid_until")
    if until_ns - from_ns > LONGEST_NS:
        raise EntryRefusedError("span_too_long", "有效期最长31天", "at most 31 days", "valid_until")


def _check_reason(reason: str) -> None:
    _check_filled(reason, "reason")
    _check_length(reason, MAX_WORDS, "reason")


def _check_filled(text: str, field: str) -> None:
    if not text.strip():
        raise EntryRefusedError("missing", "此项必填", "this must be filled in", field)


def _check_length(text: str, most: int, field: str) -> None:
    if len(text) > most:
        raise EntryRefusedError(
            "too_long", f"共 {len(text)} 字，最多 {most} 字", f"{len(text)} characters, at most {most}", field
        )
