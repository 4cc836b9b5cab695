"""Who may do what in the registry: duties, levels, and the second person. Pure.

Two-person rules compare everyone whose hand it is (`Actor.persons`): neither the same person nor whoever covers that
person's leave is a second person.
"""

from collections.abc import Set

from regulator.base.model.actor import Actor, Duty, Level
from regulator.base.model.refusals import RefusedError

REGULATOR = (Level.PROVINCE, Level.CITY, Level.COUNTY)


def require_duty(actor: Actor, *duties: Duty, levels: tuple[Level, ...] = REGULATOR) -> None:
    """Raises RefusedError 403 unless the actor holds one of the duties at one of the levels."""
    if actor.has(*duties) and actor.level in levels:
        return
    names = ", ".join(sorted(duty.value for duty in duties))
    at = ", ".join(level.value for level in levels)
    raise RefusedError(403, "not_your_duty", "您的职责或层级不允许这样做", f"needs one of: {names}; at: {at}")


def persons_of(user_id: str, on_behalf_of: str) -> frozenset[str]:
    """As `Actor.persons`, from two kept columns."""
    return frozenset({user_id, on_behalf_of} - {""})


def require_second_person(actor: Actor, first: Set[str]) -> None:
    """Raises RefusedError 403 when any hand of the actor was the first hand."""
    if actor.persons & first:
        raise RefusedError(
            403,
            "same_person",
            "须由另一人办理：提出人及其代理人不能作决定",
            "another person has to decide: neither the proposer nor a delegate of the proposer may",
        )
