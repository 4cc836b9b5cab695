"""A link with a hot standby: two ways to the same units, one of them in use.

In: unit id and `Request`. Out: the words from whichever way is in use. Out to the log: one line at every switch. Knows
neither frames nor sockets: both ways are `WordSource`s.
"""

import logging
from typing import Protocol

from drivers.modbus.paths import FIRST, STANDBY, PathChoice
from drivers.modbus.plan import Request
from drivers.modbus.registers import Words
from drivers.modbus.replies import ExceptionReplyError
from gateway.model.errors import DecodeError, LinkError
from gateway.ports import Clock

logger = logging.getLogger(__name__)


class WordSource(Protocol):
    """A way to units that answer words."""

    @property
    def replies_may_be_late(self) -> bool:
        """Nothing on the wire ties a reply to its request: the first answer after a silence deserves suspicion."""
        ...

    @property
    def address(self) -> str:
        """The address that it asks at present."""
        ...

    @property
    def on_standby(self) -> bool:
        """It asks at its second address."""
        ...

    async def read(self, unit_id: int, request: Request) -> Words:
        """The words of one request; raises ExceptionReplyError, LinkError or UnreadableReplyError."""
        ...

    def close(self) -> None:
        """Let go of the connection; it serves nobody any more."""
        ...


class StandbyLink:
    """Two ways, and which one is asked. Implements `WordSource`."""

    def __init__(self, ways: tuple[WordSource, WordSource], choice: PathChoice, clock: Clock) -> None:
        self._ways = ways
        self._choice = choice
        self._clock = clock
        self.replies_may_be_late = ways[FIRST].replies_may_be_late

    @property
    def address(self) -> str:
        """The address in use: the first, or the one that stands by."""
        return self._ways[self._choice.active].address

    @property
    def on_standby(self) -> bool:
        """The second address is in use."""
        return self._choice.active == STANDBY

    async def read(self, unit_id: int, request: Request) -> Words:
        """As of the way in use; on the standby the first way is tried from time to time, at no poll's expense."""
        if self._choice.takes_probe(self._clock.monotonic_ns()):
            try:
                return await self._over(FIRST, unit_id, request)
            except ExceptionReplyError:
                raise
            except (LinkError, DecodeError):
                logger.debug("first address still silent address=%s", self._ways[FIRST].address)
        return await self._over(self._choice.active, unit_id, request)

    def close(self) -> None:
        """Let go of the connections to both addresses."""
        for way in self._ways:
            way.close()

    async def _over(self, path: int, unit_id: int, request: Request) -> Words:
        try:
            words = await self._ways[path].read(unit_id, request)
        except ExceptionReplyError:
            self._worked(path)
            raise
        except (LinkError, DecodeError) as error:
            if self._choice.failed(path, self._clock.monotonic_ns()):
                logger.warning("link switched address=%s error=%r", self.address, str(error))
            raise
        self._worked(path)
        return words

    def _worked(self, path: int) -> None:
        if self._choice.answered(path, self._clock.monotonic_ns()):
            logger.info("link switched back address=%s", self.address)
