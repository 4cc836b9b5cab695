"""The calendar as iCalendar (RFC 5545): one all-day event an occurrence. Pure; the same bytes for the same input."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from regulator.parts.supervision.calendar_office import Line

OCTETS = 75
_ESCAPED = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


def ics(found: Iterable[Line], name: str, now_ns: int, *, chinese: bool) -> str:
    """The file's text, with CRLF and folded lines."""
    stamp = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC).strftime("%Y%m%dT%H%M%SZ")
    head = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Sitewarden//Desk//EN", f"X-WR-CALNAME:{_text(name)}"]
    events = [row for line in found for row in _event(line, stamp, chinese=chinese)]
    return "".join(_folded(row) for row in [*head, *events, "END:VCALENDAR"])


def _event(line: Line, stamp: str, *, chinese: bool) -> list[str]:
    entry, due = line.what.entry, line.what.due
    said = [entry.zh if chinese else entry.en]
    if line.state is not None:
        said.append(line.state.zh if chinese else line.state.en)
    return [
        "BEGIN:VEVENT",
        f"UID:{entry.id}-{due.isoformat()}@sitewarden",
        f"DTSTAMP:{stamp}",
        f"DTSTART;VALUE=DATE:{due:%Y%m%d}",
        f"DTEND;VALUE=DATE:{due + timedelta(days=1):%Y%m%d}",
        f"SUMMARY:{_text(' · '.join(said))}",
        f"DESCRIPTION:{_text(', '.join(each.zh if chinese else each.en for each in entry.notices))}",
        "END:VEVENT",
    ]


def _text(words: str) -> str:
    return words.translate(_ESCAPED)


def _folded(row: str) -> str:
    """At most 75 octets a line, and no character cut in two."""
    parts: list[bytes] = []
    part = b""
    for character in row:
        octets = character.encode()
        if len(part) + len(octets) > OCTETS - bool(parts):
            parts.append(part)
            part = b""
        part += octets
    return "\r\n ".join(each.decode() for each in [*parts, part]) + "\r\n"
