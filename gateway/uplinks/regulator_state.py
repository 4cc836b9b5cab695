"""Times of the box-state message to the regulator: at the start, after a change, and once a day.

In: a state, as often as there is a moment. Out: `box_state` messages. A regulator that is older than the message
refuses its kind; then it is not told again before the next start, and everything else goes on.
"""

import logging
from collections.abc import Mapping
from typing import Protocol

from contract.faults import ContractFault
from contract.messages import BoxState, DownModel
from gateway.ports import Clock
from gateway.uplinks.regulator_session import NoAnswerError, Question, RegulatorSession

logger = logging.getLogger(__name__)
KIND = "box_state"
AGAIN_AFTER_NS = 24 * 3_600_000_000_000


class BoxTeller(Protocol):
    """Knows what the box is, and what it counted."""

    def figures(self, uplink: str) -> Mapping[str, int]:
        """Counters of a heartbeat that speak of now; a figure that is not known is left out. Called in a thread."""

    def state(self) -> BoxState:
        """What the box is and judges by. Called on the event loop: reads no file."""


class StateTelling:
    """Tells one regulator of the box when that has changed."""

    def __init__(self, session: RegulatorSession, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._said: BoxState | None = None
        self._said_mono_ns = 0
        self._unwanted = False

    async def tell(self, state: BoxState) -> None:
        """Say it when it is due; what does not arrive is said again the next time."""
        if self._unwanted or not self._due(state):
            return
        try:
            await self._session.ask(Question(KIND, KIND, lambda: state.model_dump(mode="json")), DownModel)
        except NoAnswerError as error:
            logger.debug("box_state not answered, sent again: %s", error)
        except ContractFault as fault:
            self._unwanted = fault.about_item
            logger.warning("box_state refused: again=%s reason=%s", not fault.about_item, fault)
        else:
            self._said, self._said_mono_ns = state, self._clock.monotonic_ns()

    def _due(self, state: BoxState) -> bool:
        return state != self._said or self._clock.monotonic_ns() - self._said_mono_ns >= AGAIN_AFTER_NS
