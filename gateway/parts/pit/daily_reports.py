"""The daily reports (监测日报) of the box's pits: printed once, sealed, and handed out again byte for byte.

    a few minutes after midnight --> each pit, the day before --+
    somebody asks for a finished day ---------------------------+--> printed before? --yes--> sound and as sealed?
                                                                          |no                      |no: damaged
                                                                          +--> print, keep, seal   +yes: the same bytes

In: settings, stores, the clock port. Out: files in the data folder, a record of each print in the chain. A damaged
print is said, never printed anew.
"""

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from contract.canonical import Canonical
from gateway.evidence.evidence import RecordKind
from gateway.line.recorder import Entry, Recorder
from gateway.parts.pit.day_report import DayStores, Print, day_report
from gateway.parts.pit.day_rows import span_of
from gateway.parts.pit.hand_points import pit_of
from gateway.parts.pit.model.description import PitDescription
from gateway.parts.pit.report.daily_report import ReadingState
from gateway.parts.pit.report.report_store import (
    ReportDamagedError,
    ReportKind,
    StoredReport,
    kept_days,
    kept_report,
    report_bytes,
    store_report,
)
from gateway.parts.pit.settings.plan import described_pits
from gateway.ports import Clock
from gateway.settings import Settings
from screens.formats import SITE_ZONE

log = logging.getLogger(__name__)
LOOK_EVERY_S = 30.0
AFTER_MIDNIGHT = timedelta(minutes=5)
"""How long after local midnight the day before is printed: what was on its way has arrived (PD)."""


class NoSuchReportError(LookupError):
    """The asset is no pit that the site describes."""


class DayNotOverError(ValueError):
    """A report is of a finished day."""


@dataclass(frozen=True, slots=True)
class KeptReport:
    """A printed report: the digests of its HTML and its PDF, and the record that seals them (0: not sealed yet)."""

    day: date
    html_sha256: str
    pdf_sha256: str
    evidence_seq: int


class DailyReports:
    """One report at a time."""

    def __init__(self, settings: Callable[[], Settings], stores: DayStores, recorder: Recorder, clock: Clock) -> None:
        self._settings = settings
        self._stores = stores
        self._recorder = recorder
        self._clock = clock
        self._turn = asyncio.Lock()
        self._settled: set[tuple[str, date]] = set()

    async def run(self) -> None:
        """Print the day before, each night, until cancelled. A box that was off at midnight does it when it is back."""
        while True:
            yesterday = (self._local_now() - AFTER_MIDNIGHT).date() - timedelta(days=1)
            for pit in described_pits(self._settings()):
                await self._print_due(pit.asset, yesterday)
            await self._clock.sleep(LOOK_EVERY_S)

    async def report(self, pit: str, day: date, kind: ReportKind) -> bytes:
        """The first print of a finished day; printed now if it never was.

        Raises NoSuchReportError, DayNotOverError, ReportDamagedError, and OSError when it cannot be written.
        """
        if self._described(pit) is None:
            raise NoSuchReportError(pit)
        if span_of(day).to_ns > self._clock.now_ns():
            raise DayNotOverError(day.isoformat())
        await self._printed(pit, day, asked=True)
        return await asyncio.to_thread(report_bytes, self._settings().storage.folder, pit, day, kind)

    def kept(self, pit: str) -> list[KeptReport]:
        """What was printed, the newest first, as the chain holds it. Raises NoSuchReportError, ReportDamagedError."""
        if self._described(pit) is None:
            raise NoSuchReportError(pit)
        days = kept_days(self._settings().storage.folder, pit)
        return [self._sealed(pit, day) or KeptReport(day, "", "", 0) for day in reversed(days)]

    async def _print_due(self, pit: str, day: date) -> None:
        """What is damaged is told once, in the log; whoever asks for it is told each time."""
        if (pit, day) in self._settled:
            return
        try:
            await self._printed(pit, day, asked=False)
        except ReportDamagedError as error:
            log.error("event=report_damaged pit=%s day=%s reason=%r", pit, day, str(error))
        self._settled.add((pit, day))

    async def _printed(self, pit: str, day: date, *, asked: bool) -> None:
        """The day is printed, sound and sealed. A pit of which nothing was ever heard is printed only when asked."""
        async with self._turn:
            sealed = self._sealed(pit, day)
            if sealed is not None:
                await asyncio.to_thread(self._find_sound, sealed, pit)
                return
            stored = await asyncio.to_thread(self._first_print, self._settings(), pit, day, asked=asked)
            if stored is not None:
                await self._recorder.record(self._entry(pit, day, stored))
                log.info("event=report_printed pit=%s day=%s", pit, day)

    def _find_sound(self, sealed: KeptReport, pit: str) -> None:
        """In a thread. Raises ReportDamagedError."""
        try:
            stored = kept_report(self._settings().storage.folder, pit, sealed.day)
        except FileNotFoundError:
            raise ReportDamagedError(f"{pit} {sealed.day}: was printed and sealed, and is gone") from None
        if stored.sha256s != (sealed.html_sha256, sealed.pdf_sha256):
            raise ReportDamagedError(f"{pit} {sealed.day}: its digests are not those that the evidence chain holds")

    def _first_print(self, settings: Settings, pit: str, day: date, *, asked: bool) -> StoredReport | None:
        """In a thread: the first print, or the one that a kill kept from being sealed."""
        folder, described = settings.storage.folder, pit_of(settings, pit)
        if described is None:
            return None
        days = kept_days(folder, pit)
        how = Print(1 + sum(each != day for each in days), self._clock.now_ns())
        report = day_report(settings, described, span_of(day), self._stores, how)
        readings = [row.reading for table in report.tables for row in table.rows]
        if not asked and not days and all(each is ReadingState.MISSING for each in readings):
            return None
        return store_report(folder, report)

    def _sealed(self, pit: str, day: date) -> KeptReport | None:
        """The first print as the chain holds it; None when it was not sealed."""
        records = self._stores.alerts.evidence_of(_about(pit, day))
        if not records:
            return None
        content = json.loads(records[0].body)["content"]
        return KeptReport(day, content["html_sha256"], content["pdf_sha256"], records[0].seq)

    def _entry(self, pit: str, day: date, stored: StoredReport) -> Entry:
        content: dict[str, Canonical] = {
            "asset": pit,
            "day": day.isoformat(),
            "html_sha256": stored.sha256s[0],
            "pdf_sha256": stored.sha256s[1],
        }
        return Entry(RecordKind.REPORT, self._clock.now_ns(), content, about=_about(pit, day))

    def _described(self, pit: str) -> PitDescription | None:
        return pit_of(self._settings(), pit)

    def _local_now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_ns() / 1e9, UTC).astimezone(SITE_ZONE)


def _about(pit: str, day: date) -> str:
    """What the record of a print is filed under."""
    return f"report:{pit}:{day.isoformat()}"
