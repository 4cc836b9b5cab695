"""One camera's person-seconds by hour, and what it learnt of its rows: what `CameraSight` is made of.

In: the people of each judged frame, or that there was nothing to judge, with both clocks. Out: `CameraSight`, and bytes
for a restart. Bounded: 14 days of hours. Pure: no clock and no file.

A frame stands for the time since the one before; a longer hole than a few frames was not watched and counts nowhere.
"""

import json
from math import isfinite
from typing import Any, Final

from gateway.model.sight import DAY_H, CameraSight, SightHour, Why, added
from vision.helmets.people import People
from vision.sight.reach import KEPT_H, ROWS, SIZES, SizesByRow

HOUR_NS: Final = 3_600_000_000_000
VERSION: Final = 1


class SightBook:
    """One camera. `longest_gap_s`: a longer time between two frames was not watched."""

    def __init__(self, kept: bytes = b"") -> None:
        """Goes on with what `kept` gave before. Raises ValueError for bytes that are none of it."""
        self._hours: dict[int, dict[str, float]] = {}
        self._sizes = SizesByRow()
        self._smallest = 0.0
        self._last_ns: int | None = None
        if kept:
            self._read(json.loads(kept))

    def take(self, people: People | None, longest_gap_s: float, now_ns: int, mono_ns: int) -> None:
        """One frame. None: the picture could not be used, or nothing judges it."""
        passed_s = 0.0 if self._last_ns is None else (mono_ns - self._last_ns) / 1e9
        self._last_ns = mono_ns
        if people is not None:
            self._smallest = people.smallest
        if not 0 < passed_s <= longest_gap_s:
            return
        hour = now_ns // HOUR_NS
        row = self._hours.setdefault(hour, {})
        camera = "blind" if people is None else "camera_judged" if people.judged else "camera_unjudged"
        row[camera] = row.get(camera, 0.0) + passed_s
        for person in people.seen if people is not None else ():
            row[person.why] = row.get(person.why, 0.0) + passed_s
            if person.head > 0:
                self._sizes.take(person.foot, person.head, passed_s, hour)
        if len(self._hours) > KEPT_H:
            del self._hours[min(self._hours)]

    def day(self, now_ns: int) -> SightHour:
        """The last 24 hours, the one that runs included."""
        first = now_ns // HOUR_NS - DAY_H + 1
        return added((_hour(hour, row) for hour, row in self._hours.items() if hour >= first), first)

    def view(self, now_ns: int) -> CameraSight:
        """All there is."""
        hours = tuple(_hour(hour, self._hours[hour]) for hour in sorted(self._hours))
        reach = self._sizes.reach(self._smallest, now_ns // HOUR_NS) if self._smallest else None
        return CameraSight(hours, self.day(now_ns), reach)

    def kept(self) -> bytes:
        """For a restart."""
        rows = [[round(each, 2) for each in row] for row in self._sizes.seconds]
        hours = {
            str(hour): {key: round(seconds, 2) for key, seconds in row.items()} for hour, row in self._hours.items()
        }
        sizes = {"rows": rows, "last_hour": self._sizes.last_hour}
        return json.dumps({"version": VERSION, "hours": hours, "smallest": self._smallest, **sizes}).encode()

    def _read(self, kept: Any) -> None:
        try:
            hours = {
                int(hour): {str(key): _seconds(each) for key, each in row.items()}
                for hour, row in kept["hours"].items()
            }
            rows = [[_seconds(each) for each in row] for row in kept["rows"]]
            last_hour = [int(hour) for hour in kept["last_hour"]]
            smallest, version = _seconds(kept["smallest"]), kept["version"]
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not what a camera's sight was kept as: {error!r}") from error
        if version != VERSION or [len(row) for row in rows] != [SIZES] * ROWS or len(last_hour) != ROWS:
            raise ValueError(f"version {version} with {len(rows)} rows, expected version {VERSION} with {ROWS}")
        newest = sorted(hours)[-KEPT_H:]
        self._hours = {hour: hours[hour] for hour in newest}
        self._sizes.seconds, self._sizes.last_hour, self._smallest = rows, last_hour, smallest


def _hour(hour: int, row: dict[str, float]) -> SightHour:
    person_s = {why: row.get(why, 0.0) for why in Why}
    camera = (row.get(key, 0.0) for key in ("camera_judged", "camera_unjudged", "blind"))
    return SightHour(hour, person_s, *camera)


def _seconds(value: Any) -> float:
    seconds = float(value)
    if not isfinite(seconds) or seconds < 0:
        raise ValueError(f"{value!r} seconds")
    return seconds
