"""The gateway's side of one camera's capture process: starts it, watches its heartbeat, kills it, starts it again.

In: the camera's settings and a clock. Out: the path of the frame slot (for `frame_slot.FrameSlotReader`, in any
process), the capture's state, clips and live video. Imports no libav. Knows nothing of what is judged.

Theory of operation. The capture process reconnects by itself when a stream fails; libav's own timeouts notice a frozen
peer after one read timeout. This side only cares for a process that says nothing any more (a call of libav that never
returns, a name server that hangs): it is killed and started again, with back-off.

    phase       its next report is due within
    starting    20 s                        interpreter and libraries are read from a slow disk
    opening     2.5 x read timeout + 2 s    two of libav's steps, each with its own timeout
    reading     1.4 x read timeout          a frozen peer is noticed within 1.5
    waiting     2 s, or 1.4 x read timeout  backing off; reports go on

It decodes what a camera sends, so nothing that it says is believed unseen (`heard`). One that says what is no message
is counted, killed and started again with back-off; its camera is offline meanwhile.

Silence is counted on this event loop's own ticks, so that a loop that was held up itself blames nobody.
"""

import asyncio
import contextlib
import logging
import os
import re
import shutil
import socket
import sys
import tempfile
from collections.abc import AsyncGenerator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from gateway.model.picture import CameraLink
from gateway.ports import Clock
from vision.camera.address import redact
from vision.camera.backoff import BackOff
from vision.camera.capture_state import CaptureReport, CaptureState, Clip, ClipHead
from vision.camera.conversation import Conversation
from vision.camera.heard import Done, Part
from vision.camera.own_folder import CLIPS, PICTURES, leave_folder, own_folder, remove_stale_folders
from vision.camera.plan import CapturePlan
from vision.camera.settings import CameraLinkSettings
from vision.camera.slot_file import SHARED_MEMORY, create_slot, remove_slot, remove_stale_slots
from vision.camera.wire import Message
from vision.process.garbage import GarbageError
from vision.process.process_end import end_process, words_of

logger = logging.getLogger(__name__)

_TICK_S = 0.1
_STARTING_S = 20.0
_ANSWER_S = 10.0
_CLIP_MAX_BYTES = 600_000_000
_LIVE_MAX_BYTES = 6_000_000
_STDERR_KEPT = 2_000
COMMAND = (sys.executable, "-m", "vision.camera.capture")
_CHILD_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "TMPDIR")
"""What a capture process inherits: no variable in which somebody may keep a secret."""


class CaptureHandle:
    """One camera's capture. Construction makes the frame slot and starts nothing; `run` until cancelled; `close` at the
    end removes the slot. Raises OSError when no folder has room for the slot."""

    def __init__(
        self,
        settings: CameraLinkSettings,
        clock: Clock,
        slot_folders: Sequence[Path] | None = None,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._command = tuple(command)
        temporary = Path(tempfile.gettempdir())
        folders = (SHARED_MEMORY, temporary) if slot_folders is None else slot_folders
        remove_stale_slots(folders)
        remove_stale_folders((*folders, temporary))
        self._slot_path = _slot_in(settings, folders)
        self._work_folder = _work_in(temporary, settings.id)
        self._talk: Conversation | None = None
        self._silence_s = 0.0
        self._password = ""
        self._state = CaptureState(
            settings.id, CameraLink.CONNECTING, clock.now_ns(), redact(settings.source), CaptureReport()
        )

    @property
    def camera(self) -> str:
        """The id of the camera, as the site file has it."""
        return self._settings.id

    @property
    def settings(self) -> CameraLinkSettings:
        """What the site file says of it; no secret is in it, only where one is."""
        return self._settings

    @property
    def slot_path(self) -> Path:
        """Where the newest picture is: stays the same over all restarts."""
        return self._slot_path

    def state(self) -> CaptureState:
        """What is known now; cheap, callable at any time."""
        return self._state

    async def run(self) -> None:
        """Keep a capture process alive until cancelled. A camera that cannot be reached is no error here."""
        back_off = BackOff(self._settings.reconnect_min_s, self._settings.reconnect_max_s)
        try:
            while True:
                lived = await self._one_process()
                if lived:
                    back_off.reset()
                await self._clock.sleep(back_off.next_s())
        finally:
            self._set_link(CameraLink.OFFLINE, "stopped")

    async def clip(self, from_ns: int, to_ns: int) -> Clip:
        """The packets between two times of the box's clock as an MP4, from the key frame at or before `from_ns`. Waits
        until `to_ns` has been recorded. Raises LookupError with the reason when there is none."""
        patience_s = max(0.0, (to_ns - self._clock.now_ns()) / 1e9) + 2 * self._settings.read_timeout_s + _ANSWER_S
        try:
            async with asyncio.timeout(patience_s):
                return await self._collect_clip(from_ns, to_ns)
        except TimeoutError:
            raise LookupError("the camera's capture did not answer in time") from None

    async def _collect_clip(self, from_ns: int, to_ns: int) -> Clip:
        body = bytearray()
        head: ClipHead | None = None
        async with contextlib.aclosing(self._ask("clip", {"from_ns": from_ns, "to_ns": to_ns}, _CLIP_MAX_BYTES)) as got:
            async for message in got:
                if isinstance(message, Done):
                    head = message.clip
                else:
                    body += message.body
                    if len(body) > _CLIP_MAX_BYTES:
                        raise LookupError(f"the clip has more than {_CLIP_MAX_BYTES} bytes")
        if head is None:
            raise LookupError("the camera's capture does not say what the clip holds")
        return Clip(**asdict(head), body=bytes(body))

    async def live(self) -> AsyncGenerator[bytes, None]:
        """Fragmented MP4, the initialisation segment first, beginning at the newest key frame. Raises LookupError with
        the reason when there is none, or when whoever reads is slower than the camera; ends when the stream ends."""
        if self._state.link is not CameraLink.LIVE:
            raise LookupError(self._state.last_error or "no picture has come yet")
        async with contextlib.aclosing(self._ask("live", {}, _LIVE_MAX_BYTES)) as parts:
            async for message in parts:
                if isinstance(message, Part) and message.body:
                    yield message.body

    def close(self) -> None:
        """Remove the slot. Readers that are attached keep the last picture."""
        remove_slot(self._slot_path)
        leave_folder(self._slot_path.parent)
        if self._work_folder is not None:
            shutil.rmtree(self._work_folder, ignore_errors=True)
            leave_folder(self._work_folder.parent)
            self._work_folder = None

    async def _ask(self, kind: str, about: dict[str, Any], max_bytes: int) -> AsyncGenerator[Part | Done, None]:
        if self._talk is None:
            raise LookupError(self._state.last_error or "the camera's capture does not run")
        async with contextlib.aclosing(self._talk.ask(kind, about, max_bytes)) as messages:
            async for message in messages:
                yield message

    # --- one process ---

    async def _one_process(self) -> bool:
        """Start it, talk to it, until it is gone. Whether it ever said anything."""
        try:
            plan = self._settings.plan(self._slot_path, self._state.report.session + 1, self._emptied_work_folder())
        except LookupError as error:
            self._set_link(CameraLink.OFFLINE, str(error))
            return False
        self._password = plan.password
        try:
            process, ours = await self._start()
        except OSError as error:
            self._set_link(CameraLink.OFFLINE, f"the capture process does not start: {error.strerror}")
            return False
        try:
            return await self._attend(process, ours, plan)
        finally:
            self._talk = None
            await end_process(process, at_once=True)
            self._state = replace(self._state, pid=None)

    def _emptied_work_folder(self) -> Path | None:
        """What a process that was killed has left in it is gone."""
        if self._work_folder is not None:
            shutil.rmtree(self._work_folder, ignore_errors=True)
            with contextlib.suppress(OSError):
                self._work_folder.mkdir(mode=0o700)
        return self._work_folder

    async def _start(self) -> tuple[asyncio.subprocess.Process, socket.socket]:
        ours, theirs = socket.socketpair()
        environment = {name: os.environ[name] for name in _CHILD_ENVIRONMENT if name in os.environ}
        try:
            process = await asyncio.create_subprocess_exec(
                *(*self._command, self.camera),
                stdin=theirs.fileno(),
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
                env={**environment, "MALLOC_ARENA_MAX": "2"},
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._silence_s = 0.0
        before = self._state.report
        starting = replace(CaptureReport(), session=before.session, lacks=before.lacks)
        self._state = replace(self._state, pid=process.pid, starts=self._state.starts + 1, report=starting)
        return process, ours

    async def _attend(self, process: asyncio.subprocess.Process, ours: socket.socket, plan: CapturePlan) -> bool:
        talk = Conversation(ours, self._on_report)
        said = asyncio.create_task(_last_words(process), name=f"{self.camera}: stderr")
        talking = asyncio.create_task(talk.run(Message("plan", body=plan.to_json())))
        watching = asyncio.create_task(self._watch())
        self._talk = talk
        heard_end, garbage = False, None
        try:
            await asyncio.wait({talking, watching}, return_when=asyncio.FIRST_COMPLETED)
            silent = watching.done()
            garbage = _garbage_of(talking)
            heard_end = not silent and garbage is None
        finally:
            for task in (talking, watching):
                task.cancel()
            await asyncio.gather(talking, watching, return_exceptions=True)
            ours.close()
            await end_process(process, at_once=not heard_end)
            words = await words_of(process, said)
        over = replace(self._state.report, link=CameraLink.OFFLINE, frames_per_s=0.0)
        self._state = replace(self._state, report=over, kills=self._state.kills + (silent and garbage is None))
        if garbage is not None:
            self._tell_garbage(garbage)
        elif silent:
            self._set_link(CameraLink.OFFLINE, f"no sign of life while {self._state.report.phase}; capture killed")
        else:
            self._set_link(CameraLink.OFFLINE, f"the capture process ended ({process.returncode}) {words}".strip())
        return self._state.report.phase != "starting" and garbage is None

    def _tell_garbage(self, garbage: GarbageError) -> None:
        self._state = replace(self._state, garbage=self._state.garbage + 1)
        logger.error(
            "event=capture_garbage camera=%s count=%d reason=%r", self.camera, self._state.garbage, str(garbage)
        )
        self._set_link(CameraLink.OFFLINE, f"the capture process said what is no message ({garbage}); capture killed")

    async def _watch(self) -> None:
        """Returns when the process has been silent for too long."""
        before_ns = self._clock.monotonic_ns()
        while self._silence_s < _patience_s(self._state.report.phase, self._settings.read_timeout_s):
            await self._clock.sleep(_TICK_S)
            now_ns = self._clock.monotonic_ns()
            self._silence_s += min((now_ns - before_ns) / 1e9, 2 * _TICK_S)
            before_ns = now_ns

    def _on_report(self, report: CaptureReport) -> None:
        self._silence_s = 0.0
        if report.lacks and report.lacks != self._state.report.lacks:
            logger.warning("event=capture_not_shut_in camera=%s lacks=%s", self.camera, report.lacks)
        self._state = replace(self._state, report=report)
        starting = report.link is CameraLink.CONNECTING and self._state.link is CameraLink.OFFLINE
        if not starting:
            self._set_link(report.link, report.last_error)

    def _set_link(self, link: CameraLink, error: str) -> None:
        """One line when the camera goes down, one when it is back."""
        error = redact(error, self._settings.username, self._password)
        before = self._state.link
        since_ns = self._state.since_ns if link is before else self._clock.now_ns()
        self._state = replace(self._state, link=link, since_ns=since_ns, last_error=error)
        if link is before:
            return
        if link is CameraLink.LIVE:
            logger.info("camera=%s state=live codec=%s", self.camera, self._state.report.codec)
        elif before is CameraLink.LIVE or link is CameraLink.OFFLINE:
            logger.warning("camera=%s state=%s error=%r", self.camera, link, error)


def _slot_in(settings: CameraLinkSettings, bases: Sequence[Path]) -> Path:
    """An empty slot in a folder of this gateway, in the first of the bases that has room."""
    failure = OSError(f"no folder for the frame slot of {settings.id}")
    for base in bases:
        try:
            folder = own_folder(base, PICTURES)
        except OSError as error:
            failure = error
            continue
        try:
            return create_slot(settings.id, settings.max_width_px, settings.max_height_px, [folder])
        except OSError as error:
            leave_folder(folder)
            failure = error
    raise failure


def _work_in(base: Path, camera: str) -> Path | None:
    """A name for a folder of one camera's clips; None where there is no room, and then there are no clips."""
    try:
        return own_folder(base, CLIPS) / re.sub(r"[^a-z0-9_.-]", "_", camera.lower())
    except OSError:
        return None


def _patience_s(phase: str, read_timeout_s: float) -> float:
    """How long a capture process may be silent; the table is at the top."""
    reading_s = max(1.4 * read_timeout_s, read_timeout_s + 0.4)
    return {
        "starting": _STARTING_S,
        "opening": 2.5 * read_timeout_s + 2.0,
        "reading": reading_s,
    }.get(phase, max(2.0, reading_s))


def _garbage_of(talking: "asyncio.Task[None]") -> GarbageError | None:
    fault = talking.exception() if talking.done() and not talking.cancelled() else None
    return fault if isinstance(fault, GarbageError) else None


async def _last_words(process: asyncio.subprocess.Process) -> str:
    """The end of what it wrote to stderr, on one line."""
    kept = b""
    assert process.stderr is not None
    while more := await process.stderr.read(4096):
        kept = (kept + more)[-_STDERR_KEPT:]
    lines = kept.decode(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
