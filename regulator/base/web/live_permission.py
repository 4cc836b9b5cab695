"""Permission for live video: reviewers, inspectors and approvers. Live video shows faces and makes a box send."""

from typing import Final

from regulator.base.model.actor import Actor, Duty

ASKERS: Final = (Duty.INSPECTOR, Duty.REVIEWER, Duty.APPROVER)


def may_watch(actor: Actor) -> bool:
    """Whether the duties allow it; whether the project is in the scope is asked elsewhere."""
    return actor.has(*ASKERS)
