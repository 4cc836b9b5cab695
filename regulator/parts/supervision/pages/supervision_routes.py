"""The pages of differentiated supervision, what they hear, and their jobs, hung on the desk's application."""

from fastapi import FastAPI

from regulator.base.desk import Desk, Job
from regulator.base.model.heard import SetListener
from regulator.base.web.act_door import ActDoor
from regulator.base.web.pages import Pages
from regulator.parts.supervision.calendar_file import load_calendar
from regulator.parts.supervision.draw_file import load_draw
from regulator.parts.supervision.draw_office import REVEAL_EVERY_S, reveal_due
from regulator.parts.supervision.pages.supervision_calendar import calendar_pages, theme_pages
from regulator.parts.supervision.pages.supervision_draws import draw_pages
from regulator.parts.supervision.pages.supervision_risk import risk_pages
from regulator.parts.supervision.pages.supervision_safety import safety_pages
from regulator.parts.supervision.risk_file import RiskFile, load_risk
from regulator.parts.supervision.risk_office import DAY_EVERY_S, DIRTY_EVERY_S, RiskOffice
from regulator.parts.supervision.safety_file import SafetyFile, load_safety
from regulator.parts.supervision.safety_hearing import SafetyHearing
from regulator.parts.supervision.safety_logs import FLAG_EVERY_S, flag_due
from regulator.parts.supervision.theme_file import load_themes


def install(desk: Desk, app: FastAPI, pages: Pages) -> None:
    """Ears, jobs and pages. Raises PackError when a file of supervision is wrong."""
    door, file = ActDoor(desk, pages), load_risk()
    _score(desk, file)
    risk_pages(app, door, file)
    desk.jobs.append(Job("draws-reveal", REVEAL_EVERY_S, lambda now_ns: _reveal(desk, now_ns)))
    draw_pages(app, door, load_draw())
    logs = load_safety()
    _flag(desk, logs)
    safety_pages(app, door, logs)
    calendar_pages(app, door, load_calendar())
    theme_pages(app, door, load_themes())


def _score(desk: Desk, file: RiskFile) -> None:
    office = RiskOffice(desk.database, file, desk.settings.silent_box_s)
    desk.listen("alarm_transition", SetListener(office.hear_alarm, office.hear_alarms))
    desk.jobs += [
        Job("risk-changed", DIRTY_EVERY_S, office.score_changed),
        Job("risk-day", DAY_EVERY_S, office.score_day),
    ]


def _reveal(desk: Desk, now_ns: int) -> None:
    reveal_due(desk.database, desk.ledger, now_ns)


def _flag(desk: Desk, file: SafetyFile) -> None:
    desk.listen("evidence_record", SafetyHearing(desk.ledger).hear)

    def due(now_ns: int) -> None:
        flag_due(desk.database, desk.ledger, file, now_ns)

    desk.jobs.append(Job("safety-logs", FLAG_EVERY_S, due))
