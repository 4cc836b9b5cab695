"""The first print of a report is the report: kept in the data folder with its digest, and printed again byte for byte.

    <folder>/reports/<pit>/SHA256SUMS         one line a file, as `sha256sum -c SHA256SUMS` reads it
    <folder>/reports/<pit>/2026-11-22.html
    <folder>/reports/<pit>/2026-11-22.pdf

The digests are written before the files. So a file without a digest, a file that does not fit its digest and a digest
without a file are all damage and are said, never mended by printing anew; only when a print stopped half-way (the
power failed) and the same report gives the very bytes that were promised, they are written. Whoever alters a file and
its digest together is found by the evidence chain, where the digests are sealed. One writer.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path

from gateway.parts.pit.report.daily_html import daily_html
from gateway.parts.pit.report.daily_layout import lay_out
from gateway.parts.pit.report.daily_report import DailyReport
from kit.durable import sync_folder, write_whole

INDEX = "SHA256SUMS"
_PIT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LINE = re.compile(r"([0-9a-f]{64}) [ *](\d{4}-\d\d-\d\d\.(?:html|pdf))")


class ReportKind(StrEnum):
    """The file's ending."""

    HTML = "html"
    PDF = "pdf"


class ReportDamagedError(Exception):
    """A kept report is not what was first printed, or cannot be shown to be. It is never printed anew."""


@dataclass(frozen=True, slots=True)
class StoredReport:
    """The kept files, HTML and then PDF, and their digests. `first`: they were printed just now."""

    paths: tuple[Path, Path]
    sha256s: tuple[str, str]
    first: bool


def store_report(folder: Path, report: DailyReport) -> StoredReport:
    """Print and keep the report of its pit and day; when that day was printed before, find the first print sound and
    return it, whatever `report` says now.

    Raises ReportDamagedError when what is kept is damaged, ValueError when the pit's name is no file name, OSError when
    it cannot be written.
    """
    shelf, day = _shelf(folder, report.heading.pit), report.heading.day
    promised = _promised(shelf, day)
    if promised is not None and all(path.exists() for path in _paths(shelf, day)):
        return kept_report(folder, report.heading.pit, day)
    page = lay_out(report)
    from gateway.parts.pit.report.daily_pdf import daily_pdf  # noqa: PLC0415 - a box starts without ReportLab

    contents = (daily_html(page), daily_pdf(page))
    digests = (_digest(contents[0]), _digest(contents[1]))
    if promised is None:
        _promise(shelf, day, digests)
    elif promised != digests:
        raise ReportDamagedError(f"{shelf}: a print of {day} is missing and cannot be made again as it was")
    for path, content in zip(_paths(shelf, day), contents, strict=True):
        if path.exists():
            _sound(path, _digest(content))
        else:
            write_whole(path, content)
    return StoredReport(_paths(shelf, day), digests, first=True)


def kept_report(folder: Path, pit: str, day: date) -> StoredReport:
    """The first print, found sound. Raises ReportDamagedError when it is not, FileNotFoundError when there is none."""
    shelf = _shelf(folder, pit)
    promised = _promised(shelf, day)
    if promised is None:
        raise FileNotFoundError(f"{shelf}: no report of {day}")
    for path, digest in zip(_paths(shelf, day), promised, strict=True):
        _sound(path, digest)
    return StoredReport(_paths(shelf, day), promised, first=False)


def report_bytes(folder: Path, pit: str, day: date, kind: ReportKind) -> bytes:
    """One file of the first print, found sound: the bytes that were read are those that were judged."""
    shelf = _shelf(folder, pit)
    promised = _promised(shelf, day)
    if promised is None:
        raise FileNotFoundError(f"{shelf}: no report of {day}")
    position = list(ReportKind).index(kind)
    return _sound(_paths(shelf, day)[position], promised[position])


def kept_days(folder: Path, pit: str) -> tuple[date, ...]:
    """The days that were ever printed, as the list of digests says, in order. Raises ReportDamagedError."""
    names = _index(_shelf(folder, pit))
    return tuple(sorted({date.fromisoformat(name.partition(".")[0]) for name in names}))


def _shelf(folder: Path, pit: str) -> Path:
    if not _PIT.fullmatch(pit):
        raise ValueError(f"{pit!r} is no name for a folder of reports: letters, digits, dot, dash, underscore")
    return folder / "reports" / pit


def _paths(shelf: Path, day: date) -> tuple[Path, Path]:
    return (shelf / f"{day.isoformat()}.{ReportKind.HTML}", shelf / f"{day.isoformat()}.{ReportKind.PDF}")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _sound(path: Path, digest: str) -> bytes:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ReportDamagedError(f"{path}: the kept report is missing") from None
    if _digest(content) != digest:
        raise ReportDamagedError(f"{path}: its SHA-256 is not that of the first print; take it from a backup")
    return content


def _promised(shelf: Path, day: date) -> tuple[str, str] | None:
    """The digests of that day, None before its first print."""
    index = _index(shelf)
    html, pdf = _paths(shelf, day)
    if html.name in index and pdf.name in index:
        return index[html.name], index[pdf.name]
    if html.name in index or pdf.name in index or html.exists() or pdf.exists():
        raise ReportDamagedError(f"{shelf / INDEX}: has no whole entry for the report of {day}")
    return None


def _index(shelf: Path) -> Mapping[str, str]:
    path = shelf / INDEX
    try:
        lines = path.read_text("ascii").splitlines()
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError:
        raise ReportDamagedError(f"{path}: is not a list of digests") from None
    matches = [_LINE.fullmatch(line) for line in lines]
    found = {match[2]: match[1] for match in matches if match}
    if len(found) != len(lines):
        raise ReportDamagedError(f"{path}: holds a line that is no digest, or a file twice")
    return found


def _promise(shelf: Path, day: date, digests: tuple[str, str]) -> None:
    if not shelf.exists():
        shelf.mkdir(parents=True)
        sync_folder(shelf.parent)
        sync_folder(shelf.parent.parent)
    names = (path.name for path in _paths(shelf, day))
    index = dict(_index(shelf)) | dict(zip(names, digests, strict=True))
    write_whole(shelf / INDEX, "".join(f"{digest}  {name}\n" for name, digest in sorted(index.items())).encode())
