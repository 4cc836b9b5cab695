"""Once a minute the newest small picture of each camera, to the regulator. Newest wins: nothing waits in a queue.

What could not be sent is not sent later; the next minute has a newer one. A regulator that does not know the kind is
asked again after an hour.
"""

import asyncio
import base64
import hashlib
import logging
import secrets
from collections.abc import Callable
from typing import Final

from contract.faults import ContractFault
from contract.messages import CameraStill, DownModel
from gateway.model.picture import CameraLink, CameraState, Picture
from gateway.ports import Clock
from gateway.uplinks.regulator_session import NoAnswerError, Question, RegulatorSession
from gateway.uplinks.regulator_sights import Sights

logger = logging.getLogger(__name__)
EVERY_S: Final = 60.0
FIRST_WITHIN_S: Final = 10.0
REFUSED_S: Final = 3600.0
MOST_BYTES: Final = 32_000


class StillSending:
    """`run` until cancelled. `sights` may be put in place later; without them there is nothing to send."""

    def __init__(self, session: RegulatorSession, clock: Clock, may_speak: Callable[[], bool]) -> None:
        self._session, self._clock, self._may_speak = session, clock, may_speak
        self._sent: dict[str, int] = {}
        self._refused_until_ns = 0
        self._random = secrets.SystemRandom()
        self.sights: Sights | None = None
        self.sent = 0

    async def run(self) -> None:
        """Every minute, from a moment of its own: 500 boxes do not speak at once. Sooner until the first was taken."""
        await self._clock.sleep(self._random.uniform(0.5, FIRST_WITHIN_S))
        while True:
            await self.send_all()
            every_s = EVERY_S if self._sent else FIRST_WITHIN_S
            await self._clock.sleep(every_s * self._random.uniform(0.95, 1.05))

    async def send_all(self) -> int:
        """The newest of each camera that has a newer one; how many were taken."""
        eyes = self.sights.eyes() if self.sights is not None else None
        if eyes is None or not self._may_speak() or self._clock.monotonic_ns() < self._refused_until_ns:
            return 0
        taken = 0
        for state in [each for each in eyes.cameras() if each.link is CameraLink.LIVE]:
            still = eyes.still(state.camera)
            if still is None or self._sent.get(state.camera) == still.captured_at_ns:
                continue
            if not await self._send(state, still):
                break
            taken += 1
        self.sent += taken
        return taken

    async def _send(self, state: CameraState, still: Picture) -> bool:
        """Whether to go on with the next camera."""
        camera = state.camera
        assert self.sights is not None
        try:
            small = await asyncio.to_thread(self.sights.small, still)
        except ValueError as error:
            logger.warning("a still could not be scaled down: camera=%s reason=%s", camera, error)
            return True
        if len(small.body) > MOST_BYTES:
            return True
        body = CameraStill(
            camera_id=camera,
            asset=state.asset,
            captured_at_ns=still.captured_at_ns,
            media_type="image/jpeg",
            width_px=small.width_px,
            height_px=small.height_px,
            sha256=hashlib.sha256(small.body).hexdigest(),
            data_base64=base64.b64encode(small.body).decode(),
        )
        try:
            await self._session.ask(Question("camera_still", f"still:{camera}"[:200], body.model_dump), DownModel)
        except NoAnswerError:
            return False
        except ContractFault as fault:
            if fault.about_item:
                self._refused_until_ns = self._clock.monotonic_ns() + int(REFUSED_S * 1e9)
                logger.info("the regulator accepts no stills: code=%s; next try in an hour", fault.code)
            return False
        self._sent[camera] = still.captured_at_ns
        return True
