"""The ledger's heads as a part of the desk: one is published a day."""

from functools import partial

from regulator.base.desk import Desk, Job
from regulator.base.web.part import Part
from regulator.parts.witness.office import EVERY_S, WitnessJob, time_stamper
from regulator.parts.witness.witness_routes import witness_pages


def part(desk: Desk) -> Part:
    """Raises OSError or ValueError for certificates that cannot be read."""
    stamper = time_stamper(desk.settings.witness)
    job = Job("ledger-heads", EVERY_S, WitnessJob(desk.database, desk.ledger, stamper).run)
    return Part(partial(witness_pages, desk, stamper), jobs=(job,))
