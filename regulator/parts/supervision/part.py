"""Differentiated supervision as a part of the desk: risk scores, random draws, safety logs, calendar and themes."""

from functools import partial

from fastapi import FastAPI

from regulator.base.desk import Desk, Job
from regulator.base.model.heard import SetListener
from regulator.base.web.act_door import ActDoor
from regulator.base.web.pages import Pages
from regulator.base.web.part import Part
from regulator.parts.supervision.calendar_file import load_calendar
from regulator.parts.supervision.draw_file import load_draw
from regulator.parts.supervision.draw_office import REVEAL_EVERY_S, reveal_due
from regulator.parts.supervision.risk_file import load_risk
from regulator.parts.supervision.risk_office import DAY_EVERY_S, DIRTY_EVERY_S, RiskOffice
from regulator.parts.supervision.safety_file import load_safety
from regulator.parts.supervision.safety_hearing import SafetyHearing
from regulator.parts.supervision.safety_logs import FLAG_EVERY_S, flag_due
from regulator.parts.supervision.supervision_calendar import calendar_pages, theme_pages
from regulator.parts.supervision.supervision_draws import draw_pages
from regulator.parts.supervision.supervision_risk import risk_pages
from regulator.parts.supervision.supervision_safety import safety_pages
from regulator.parts.supervision.theme_file import load_themes


def part(desk: Desk) -> Part:
    """Raises PackError when a file of supervision is wrong."""
    file, logs, draw, calendar, themes = load_risk(), load_safety(), load_draw(), load_calendar(), load_themes()
    office = RiskOffice(desk.database, file, desk.settings.silent_box_s)

    def install(app: FastAPI, pages: Pages) -> None:
        door = ActDoor(desk, pages)
        risk_pages(app, door, file)
        draw_pages(app, door, draw)
        safety_pages(app, door, logs)
        calendar_pages(app, door, calendar)
        theme_pages(app, door, themes)

    return Part(
        install,
        jobs=(
            Job("risk-changed", DIRTY_EVERY_S, office.score_changed),
            Job("risk-day", DAY_EVERY_S, office.score_day),
            Job("draws-reveal", REVEAL_EVERY_S, partial(reveal_due, desk.database, desk.ledger)),
            Job("safety-logs", FLAG_EVERY_S, partial(flag_due, desk.database, desk.ledger, logs)),
        ),
        listeners={
            "alarm_transition": SetListener(office.hear_alarms),
            "evidence_record": SafetyHearing(desk.ledger).hear,
        },
    )
