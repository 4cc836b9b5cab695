"""Live video on request: the regulator asks by mailbox, the box pushes, and stops as soon as nobody watches.

    live_view_request -> site's record -> live_view_answer opening -> parts as the camera encoded them -> ended
                                      '-> refused: no H.264, offline, no such camera, too many

A part is one fragment of MP4, two a second. Its reply says whether anybody still watches. A part that is not answered
is sent again for `GIVE_UP_S`, then the view ends: what is late is of no use to anybody who looks at now.
"""

import asyncio
import contextlib
import hashlib
import logging
import re
from collections.abc import Coroutine
from typing import Any, Final

from contract.faults import ContractFault
from contract.mailbox import LiveViewRequest
from contract.messages import LIVE_PART, LivePart, LiveState, LiveViewAnswer
from gateway.media.fragments import Fragment, FragmentCutter
from gateway.model.picture import CameraLink, CameraState
from gateway.ports import Clock, Eyes
from gateway.uplinks.regulator_session import NoAnswerError, Question, RegulatorSession, Way
from gateway.uplinks.regulator_sights import Sights

logger = logging.getLogger(__name__)
MOST_LIVE: Final = 2
"""Views of one box at once: its line has to carry alarms, too."""
GIVE_UP_S: Final = 10.0
AGAIN_S: Final = 0.5
_PLAIN: Final = re.compile(r"[A-Za-z0-9_-]{1,100}")


class _UnwantedError(Exception):
    """Nobody watches any more."""


class LivePushing:
    """`asked` is called for each request; each view is a task of its own. `close` ends them."""

    def __init__(self, session: RegulatorSession, clock: Clock) -> None:
        self._session, self._clock = session, clock
        self._views: dict[str, asyncio.Task[None]] = {}
        self.sights: Sights | None = None
        self.pushed = 0

    @property
    def running(self) -> int:
        """How many live views are being pushed now."""
        return len(self._views)

    def asked(self, request: LiveViewRequest) -> None:
        """Begin a view beside everything else. One that runs already, or has a strange id, is left alone."""
        if request.request_id in self._views or not _PLAIN.fullmatch(request.request_id):
            return
        task = asyncio.create_task(self._serve(request), name=f"live-{request.camera_id}")
        self._views[request.request_id] = task
        task.add_done_callback(lambda _: self._views.pop(request.request_id, None))

    async def close(self) -> None:
        """End every live view that is being pushed."""
        tasks = list(self._views.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, request: LiveViewRequest) -> None:
        try:
            reason, words = self._why_not(request)
            if reason:
                await self._answer(request, "refused", reason, words)
                return
            await self._show(request)
        except (NoAnswerError, ContractFault, OSError) as error:
            logger.info("event=live_view_lost camera=%s reason=%r", request.camera_id, str(error))

    def _why_not(self, request: LiveViewRequest) -> tuple[str, str]:
        if self.sights is None:
            return "not_allowed", ""
        eyes = self.sights.eyes()
        state = _camera_of(eyes, request.camera_id)
        if state is None:
            return "no_camera", ""
        if len(self._views) > MOST_LIVE:
            return "busy", ""
        if state.link is not CameraLink.LIVE:
            return "offline", state.last_error
        return ("", "") if state.browser_video else ("not_playable", state.why_not)

    async def _show(self, request: LiveViewRequest) -> None:
        if not (await self._answer(request, "opening")).wanted:
            return
        assert self.sights is not None
        eyes = self.sights.eyes()
        assert eyes is not None
        await self.sights.seen(request)
        logger.info("event=live_view_begins camera=%s by=%r", request.camera_id, request.requested_by_role)
        reason, words = "ended", ""
        try:
            async with asyncio.timeout(request.duration_s):
                await self._push(request, eyes)
        except (TimeoutError, _UnwantedError):
            words = ""
        except LookupError as error:
            reason, words = "failed", str(error)
        logger.info("event=live_view_ends camera=%s reason=%s", request.camera_id, reason)
        await self._answer(request, "ended", reason, words)

    async def _push(self, request: LiveViewRequest, eyes: Eyes) -> None:
        state = _camera_of(eyes, request.camera_id)
        if state is None:
            raise LookupError("the camera no longer exists")
        cutter, stream = FragmentCutter(), eyes.live(state.camera)
        try:
            async for octets in stream:
                for fragment in cutter.feed(octets):
                    await self._send(request, fragment)
        finally:
            close = getattr(stream, "aclose", None)
            if close is not None:
                with contextlib.suppress(RuntimeError):
                    await close()

    async def _send(self, request: LiveViewRequest, fragment: Fragment) -> None:
        """Again until it is answered. Raises _UnwantedError, NoAnswerError, ContractFault."""
        part = LivePart(
            request_id=request.request_id,
            number=fragment.number,
            key=fragment.key,
            part_sha256=hashlib.sha256(fragment.body).hexdigest(),
        )
        way = Way(f"/v1/live/{request.request_id}", "PUT", fragment.body)
        question = Question(LIVE_PART, f"live:{request.request_id}:{fragment.number}", part.model_dump)
        give_up_ns = self._clock.monotonic_ns() + int(GIVE_UP_S * 1e9)
        while True:
            try:
                state = await self._session.ask(question, LiveState, way)
                break
            except NoAnswerError:
                if self._clock.monotonic_ns() > give_up_ns:
                    raise
                await self._clock.sleep(AGAIN_S)
        self.pushed += 1
        if not state.wanted:
            raise _UnwantedError

    def _answer(
        self, request: LiveViewRequest, answer: str, reason: str = "", words: str = ""
    ) -> Coroutine[Any, Any, LiveState]:
        said = LiveViewAnswer.model_validate(
            {"request_id": request.request_id, "answer": answer, "reason": reason, "words": words[:500]}
        )
        question = Question("live_view_answer", f"live:{request.request_id}", said.model_dump)
        return self._session.ask(question, LiveState)


def _camera_of(eyes: Eyes | None, name: str) -> CameraState | None:
    """By its own name, else by that of what it is registered as."""
    states = eyes.cameras() if eyes is not None else ()
    own = next((state for state in states if state.camera == name), None)
    return own or next((state for state in states if state.asset == name), None)
