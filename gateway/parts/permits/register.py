"""Permits and warnings of the box, folded from its own chain; what the asset models and the pages ask.

    chain (regulator_message, work_permit, weather_warning) --> permits, warnings, acknowledgements, checks

A later version takes an earlier one's place, whatever the order of arrival; nothing is ever taken out. In: sealed
records, oldest first. Out: answers at a time (UTC ns). Is the `SiteStanding` of the asset models. Lives in the event
loop.

What is not known here is not known: without a warning that says otherwise, and with a regulator whose mailbox has not
answered for an hour, nobody can say that there is none. A warning that is known stays known. A permit that has not
arrived is missing: the site can enter one by hand.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson
from pydantic import ValidationError

from contract import mailbox
from gateway.evidence.evidence import RecordKind
from gateway.evidence.sealed_messages import SealedRecord, sealed_message
from gateway.line.recorder import Told
from gateway.model.permit import CLIMBING_WORK, WorkKind, WorkPermit
from gateway.model.weather import STORMS, WarningKind, WarningLevel, WeatherWarning

log = logging.getLogger(__name__)
REGISTER_KINDS = (RecordKind.MESSAGE, RecordKind.WORK_PERMIT, RecordKind.WEATHER_WARNING)
SOURCE_STALE_NS = 3_600 * 1_000_000_000
"""A source that has not spoken for so long says nothing about the weather. PD"""
SCAFFOLD = "scaffold"
"""The item of the check after a storm that is no asset of the box (脚手架)."""

HeardAt = Callable[[], int | None]
"""When a regulator's mailbox answered last (UTC ns, 0 never); None: the box has no regulator."""


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """Somebody at the site has taken notice of one version of a warning."""

    warning_id: str
    version: int
    user: str
    at_ns: int
    words: str
    seq: int


@dataclass(frozen=True, slots=True)
class StormCheck:
    """One thing was looked at after a storm. `item` is an asset's id, or `SCAFFOLD`; `sound` False: not in order."""

    item: str
    sound: bool
    words: str
    user: str
    at_ns: int
    seq: int


class SiteRegister:
    """`take` each record once, oldest first. `items()` are what is checked after a storm."""

    def __init__(self, heard_at: HeardAt, items: Callable[[], Sequence[str]]) -> None:
        self._heard_at = heard_at
        self._items = items
        self._permits: dict[str, WorkPermit] = {}
        self._warnings: dict[str, WeatherWarning] = {}
        self._acknowledged: dict[str, Acknowledgement] = {}
        self._checks: dict[str, list[StormCheck]] = {}

    @property
    def permits(self) -> list[WorkPermit]:
        """All of them, the newest first."""
        return sorted(self._permits.values(), key=lambda each: -each.valid_from_ns)

    @property
    def warnings(self) -> list[WeatherWarning]:
        """All of them, the newest first."""
        return sorted(self._warnings.values(), key=lambda each: -each.valid_from_ns)

    def permit(self, permit_id: str) -> WorkPermit | None:
        """One permit as it stands after its last version."""
        return self._permits.get(permit_id)

    def warning(self, warning_id: str) -> WeatherWarning | None:
        """One warning as it stands after its last version."""
        return self._warnings.get(warning_id)

    def acknowledgement(self, warning: WeatherWarning) -> Acknowledgement | None:
        """Who has taken notice of this very version; None: nobody."""
        found = self._acknowledged.get(warning.warning_id)
        return found if found is not None and found.version >= warning.version else None

    @property
    def checks(self) -> Mapping[str, Sequence[StormCheck]]:
        """All checks by item, oldest first."""
        return self._checks

    def items(self) -> Sequence[str]:
        """What is checked after a storm."""
        return self._items()

    def source_heard(self, now_ns: int) -> bool | None:
        """Whether the regulator has spoken lately; None: the box has none, and knows what the site enters."""
        heard_at_ns = self._heard_at()
        return None if heard_at_ns is None else now_ns - heard_at_ns <= SOURCE_STALE_NS

    def storm_end_ns(self, now_ns: int) -> int:
        """When the last storm was over, 0 without one."""
        ends = (each.until_ns for each in self._warnings.values() if each.kind in STORMS and each.passed(now_ns))
        return max(ends, default=0)

    def storm_now(self, now_ns: int) -> bool:
        """Whether a storm warning is in force."""
        return any(each.kind in STORMS and each.in_force(now_ns) for each in self._warnings.values())

    # What the asset models ask.

    def climbing_permitted(self, asset: str, now_ns: int) -> bool | None:
        """Whether a permit covers the crane. One that is not here is missing."""
        return any(each.covers(asset, CLIMBING_WORK, now_ns) for each in self._permits.values())

    def warning_level(self, kinds: Collection[WarningKind], now_ns: int) -> int | None:
        """The gravest in force; without one 0, or None when nobody can say so."""
        levels = (int(each.level) for each in self._warnings.values() if each.kind in kinds and each.in_force(now_ns))
        return max(levels, default=0) or self._nothing(now_ns)

    def unacknowledged_level(self, now_ns: int) -> int | None:
        """The gravest that waits for the site's word."""
        waiting = (each for each in self._warnings.values() if each.announced(now_ns))
        levels = (int(each.level) for each in waiting if self.acknowledgement(each) is None)
        return max(levels, default=0) or self._nothing(now_ns)

    def checks_open(self, now_ns: int) -> int | None:
        """How many items are not yet found in order after the last storm; during a storm none is due."""
        if self.storm_now(now_ns):
            return 0
        return sum(self.checked(item, now_ns) is False for item in self._items()) or self._nothing(now_ns)

    def checked(self, item: str, now_ns: int) -> bool | None:
        """Whether the item was found in order since the last storm, and not found wanting after that."""
        ended_ns = self.storm_end_ns(now_ns)
        if not ended_ns:
            return None if self._nothing(now_ns) is None else True
        since = [check for check in self._checks.get(item, ()) if check.at_ns >= ended_ns]
        return bool(since) and since[-1].sound

    def _nothing(self, now_ns: int) -> int | None:
        """What the absence of a warning is worth."""
        return None if self.source_heard(now_ns) is False else 0

    # What the chain holds.

    def read(self, records: Iterable[SealedRecord]) -> None:
        """Everything the chain holds, oldest first; once."""
        for record in records:
            self.take(record)

    def told(self, told: Sequence[Told]) -> None:
        """Told by the recorder of every record that it has committed."""
        for each in told:
            if each.record.kind in REGISTER_KINDS:
                self.take(each.record)

    def take(self, record: SealedRecord) -> None:
        """Read one record."""
        content = orjson.loads(record.body)["content"]
        try:
            if record.kind == RecordKind.MESSAGE:
                self._take_message(content, record)
            elif record.kind == RecordKind.WORK_PERMIT:
                self._keep_permit(_permit(content["permit"], record, user=content["user"]))
            elif record.kind == RecordKind.WEATHER_WARNING:
                self._take_weather(content, record)
        except (KeyError, ValueError, ValidationError) as error:
            log.warning("event=register_unread seq=%d kind=%s reason=%r", record.seq, record.kind, str(error))

    def _take_message(self, content: Mapping[str, Any], record: SealedRecord) -> None:
        message = sealed_message(content)
        if message is None:
            return
        origin = str(content.get("uplink", "")) or "regulator"
        if message.kind == "work_permit":
            self._keep_permit(_permit(message.body, record, origin=origin))
        elif message.kind == "weather_warning":
            self._keep_warning(_warning(message.body, record, origin=origin))

    def _take_weather(self, content: Mapping[str, Any], record: SealedRecord) -> None:
        event, user = content["event"], content["user"]
        if event == "acknowledged":
            said = Acknowledgement(
                content["warning_id"], content["version"], user, record.at_ns, content["words"], record.seq
            )
            self._acknowledged[said.warning_id] = said
        elif event == "checked":
            check = StormCheck(content["item"], content["sound"], content["words"], user, record.at_ns, record.seq)
            self._checks.setdefault(check.item, []).append(check)
        else:
            self._keep_warning(_warning(content["warning"], record, user=user))

    def _keep_permit(self, permit: WorkPermit) -> None:
        known = self._permits.get(permit.permit_id)
        if known is None or permit.version > known.version:
            self._permits[permit.permit_id] = permit

    def _keep_warning(self, warning: WeatherWarning) -> None:
        known = self._warnings.get(warning.warning_id)
        if known is None or warning.version > known.version:
            first_ns = warning.known_at_ns if known is None else known.known_at_ns
            self._warnings[warning.warning_id] = replace(warning, known_at_ns=first_ns)


def _permit(body: Mapping[str, Any], record: SealedRecord, *, origin: str = "", user: str = "") -> WorkPermit:
    said = mailbox.WorkPermit.model_validate(body)
    fields = said.model_dump() | {"work": WorkKind(said.work)}
    return WorkPermit(**fields, origin=origin, user=user, known_at_ns=record.at_ns, seq=record.seq)


def _warning(body: Mapping[str, Any], record: SealedRecord, *, origin: str = "", user: str = "") -> WeatherWarning:
    said = mailbox.WeatherWarning.model_validate(body)
    fields = said.model_dump() | {"kind": WarningKind(said.kind), "level": WarningLevel[said.level.upper()]}
    ended_ns = record.at_ns if said.withdrawn else 0
    return WeatherWarning(
        **fields, known_at_ns=record.at_ns, ended_at_ns=ended_ns, origin=origin, user=user, seq=record.seq
    )
