"""The live event, once a second: texts of cells, number of calling alarms, time to escalation of each P1.

In: the view over the running parts, a callable for the cells of the screens, the watch over unanswered alarms. Out:
JSON-ready rows. The picture is made anew each time and kept nowhere. Knows no client and no connection.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from gateway.line.escalation import EscalationOutlook
from gateway.model.alarm import Severity
from gateway.web.read_model import BoxView, Row

MOST_OUTLOOKS = 50
Cells = Callable[[], Mapping[str, Row]]


class Outlooks(Protocol):
    """Who knows when an unanswered P1 is told to somebody else."""

    def outlook(self) -> Sequence[EscalationOutlook]:
        """One entry for each P1 that still calls, the most urgent first."""
        ...


class LivePicture:
    """Makes the data of a `live` event. `cells` and `escalation` may be put in place later."""

    def __init__(self, view: BoxView, cells: Cells | None = None, escalation: Outlooks | None = None) -> None:
        self._view = view
        self.cells = cells or self._point_cells
        self.escalation = escalation

    def row(self) -> Row:
        """Everything that changes by itself: `at_ns`, `config`, `cells`, `sound`, `escalation`."""
        parts = self._view.parts
        return {
            "at_ns": parts.clock.now_ns(),
            "config": parts.config.digest,
            "store_failing": bool(parts.recorder.failing_since_ns),
            "cells": self.cells(),
            "sound": self.sound(),
            "escalation": self._escalation_rows(),
        }

    def sound(self) -> Row:
        """How many alarms call: not acknowledged, not shelved, in service and not suppressed. Counted from the alarms
        as they are judged now, so that a failing disk keeps nobody from hearing them."""
        counts = {Severity.P1: 0, Severity.P2: 0}
        for alarm in self._view.parts.alarms.open_alarms():
            calls = not (alarm.acknowledged or alarm.silenced or alarm.withheld)
            if calls and alarm.rule.severity in counts:
                counts[alarm.rule.severity] += 1
        return {"p1": counts[Severity.P1], "p2": counts[Severity.P2]}

    def _escalation_rows(self) -> list[Row]:
        if self.escalation is None:
            return []
        return [
            {"alarm_id": each.alarm_id, "in_s": each.in_s, "to": each.to, "done": each.done}
            for each in self.escalation.outlook()[:MOST_OUTLOOKS]
        ]

    def _point_cells(self) -> dict[str, Row]:
        """A cell for each point, by its id: for screens that bring no cells of their own."""
        return {
            row["point_id"]: {
                "t": "" if row["value"] is None else f"{row['value']:.4g}",
                "s": "unknown" if row["value"] is None else "ok",
                "a": row["age_s"],
            }
            for row in self._view.points()
        }
