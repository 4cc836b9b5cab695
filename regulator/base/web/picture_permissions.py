"""Who may look at pictures, clips and live video. Live video shows faces and makes a box send."""

from typing import Final

from regulator.base.model.actor import Actor, Duty

ASKERS: Final = (Duty.INSPECTOR, Duty.REVIEWER, Duty.APPROVER)
"""Who may ask for live video."""
WATCHERS: Final = (*ASKERS, Duty.AUDITOR)
"""Who may watch clips as they were captured."""
LOOKERS: Final = (Duty.VIEWER, Duty.RESPONDER, *WATCHERS)
"""Who may look at stills."""


def may_watch(actor: Actor) -> bool:
    """Whether the duties allow live video; whether the project is in the scope is asked elsewhere."""
    return actor.has(*ASKERS)
