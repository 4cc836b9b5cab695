"""The registry as a part of a desk, with or without its pages: what it hears, and what it does with time."""

from typing import Final

from regulator.base.desk import Desk, Job
from regulator.base.model.heard import SetListener
from regulator.parts.registry.coverage.arrivals import note_minute, note_minutes, note_still, note_stills
from regulator.parts.registry.coverage.standings import freeze
from regulator.parts.registry.projects.set_office import SetRules
from regulator.parts.registry.rounds.key_risk import list_by_rules
from regulator.parts.registry.rounds.risk_reports import open_missing

FREEZE_S: Final = 60.0
RISKS_S: Final = 600.0


def set_code_of(desk: Desk) -> str:
    """How the set of the desk's province is called."""
    return desk.settings.province_code or "province"


def build_registry(desk: Desk) -> SetRules:
    """Hang ears and jobs on; the rules of the desk's set."""
    chosen = desk.settings.project_set
    rules = SetRules(set_code_of(desk), chosen.size, chosen.quotas)
    desk.listen("minute_summary", SetListener(note_minute, note_minutes))
    desk.listen("thumbnail", SetListener(note_still, note_stills))

    def end_of_day(now_ns: int) -> None:
        with desk.database.transaction() as db:
            freeze(db, rules.set_code, now_ns, desk.settings.silent_box_s)

    def key_risks(now_ns: int) -> None:
        with desk.database.transaction() as db:
            list_by_rules(db, desk.ledger, now_ns)
            open_missing(db, desk.ledger, now_ns)

    desk.jobs += [Job("coverage-day", FREEZE_S, end_of_day), Job("key-risks", RISKS_S, key_risks)]
    return rules
