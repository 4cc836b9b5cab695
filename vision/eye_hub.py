"""The gateway's side of the one eye process: starts it for the first camera, watches it turn, kills and restarts it.

In: cameras to judge, surveys. Out: every `Observation` to whoever asked for its camera, and word when the eye is lost.
The eye can always be killed: it holds nothing but what is told to it again at the next start, what its edge check
wanted kept among it. Imports no OpenCV and no model. Silence is counted on this event loop's own ticks, so that a loop
that was held up itself blames nobody. Nothing that it says is believed unseen (`vision.eye.said`): an eye that says
what is no message is counted, killed and started again, and its cameras are unknown meanwhile.
"""

import asyncio
import itertools
import logging
import os
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from gateway.model.camera_scores import CameraScores
from gateway.model.hook import HookPose
from gateway.model.picture import Picture
from gateway.model.survey import Survey, empty_survey
from gateway.ports import Clock
from vision.camera.backoff import BackOff
from vision.eye.needs import arguments_for
from vision.eye.said import Said, receive
from vision.eye.settings import CameraDeviceSettings
from vision.eye.watched import Alive, AskReference, Drawing, Forget, Hooks, Order, Redraw, ReferenceFrame, Watched
from vision.eye.wire import packed
from vision.process.garbage import Allowance, GarbageError, printable
from vision.process.process_end import end_process, words_of
from vision.sight.edge_states import EdgeStates
from vision.sight.observation import Observation

log = logging.getLogger(__name__)
COMMAND = (sys.executable, "-m", "vision.eye")
STARTING_S = 60.0
SILENT_S = 10.0
_TICK_S = 0.25
_ANSWER_S = 10.0
_STDERR_KEPT = 4000
MOST_STATES_BYTES = 32 * 2**20
"""Of all presets of a camera together; an order to the eye has 64 MiB for that and the pictures."""
_BURST, _PER_S = 2_000, 500
"""Messages of an eye: sixteen cameras at 30 judged frames a second say fewer."""
_CHILD_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "PYTHONHOME", "LD_LIBRARY_PATH", "TMPDIR")
"""What the eye inherits: no variable in which somebody may keep a secret."""


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears of one camera: its observations, and the reason when the eye is lost (everything is then unknown)."""

    hear: Callable[[Observation], None]
    lost: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class _Camera:
    slot: str
    settings: CameraDeviceSettings
    listener: Listener


@dataclass(slots=True)
class EyeState:
    """How the eye process is. `alive` is what it said last; counts since the gateway's start. `kills` of silent ones,
    `garbage` of those that said what is no message."""

    pid: int | None = None
    starts: int = 0
    kills: int = 0
    garbage: int = 0
    last_error: str = ""
    alive: Alive | None = None


class EyeHub:
    """One eye process for all cameras of a gateway. `run` until cancelled; cameras come and go meanwhile."""

    def __init__(self, clock: Clock, command: Sequence[str] = COMMAND, edge_states: EdgeStates | None = None) -> None:
        self._clock = clock
        self._command = tuple(command)
        self._cameras: dict[str, _Camera] = {}
        self._surveys: dict[str, dict[str, Drawing]] = {}
        self._scores: dict[str, CameraScores] = {}
        self._edge_states = edge_states or EdgeStates()
        self._writing: set[asyncio.Task[None]] = set()
        self._wanted = asyncio.Event()
        self._widened = asyncio.Event()
        self._may: set[str] = set()
        self._process: asyncio.subprocess.Process | None = None
        self._silence_s = 0.0
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Picture | None]] = {}
        self.state = EyeState()

    def watch(self, camera: str, slot: str, settings: CameraDeviceSettings, listener: Listener) -> None:
        """Judge this camera from now on. Where the eye that turns may not read its pictures or its model, another one
        is started: it is shut in for as long as it lives."""
        self._cameras[camera] = _Camera(slot, settings, listener)
        self._wanted.set()
        if set(self._arguments()) <= self._may:
            self._send(self._watched(camera))
        else:
            self._widened.set()

    def forget(self, camera: str) -> None:
        """Judge it no more; its listener hears nothing more."""
        if self._cameras.pop(camera, None) is not None:
            self._send(Forget(camera))

    def surveys(self, camera: str) -> tuple[Survey, ...]:
        """What is drawn for the camera now: of one that turns, for each of its presets."""
        return tuple(drawing.survey for drawing in self._surveys.get(camera, {}).values())

    def use_survey(self, survey: Survey, reference: bytes, night: bytes = b"") -> None:
        """Judge the camera, where it is at the survey's preset, by another drawing from now on, and after every restart
        of the eye."""
        drawings = self._surveys.setdefault(survey.camera, {})
        drawings[survey.preset] = Drawing(survey, reference, night)
        if not reference:
            del drawings[survey.preset]
        if survey.camera in self._cameras:
            watched = self._watched(survey.camera)
            self._send(Redraw(watched.survey, watched.reference, watched.night, watched.presets))

    def scores(self, camera: str) -> CameraScores | None:
        """The newest version of the camera's own operating scores."""
        return self._scores.get(camera)

    def use_scores(self, scores: CameraScores) -> None:
        """Judge the camera by these from now on. It begins anew, as after a restart: its tracks and votes were made by
        others. Edges go on with what was kept."""
        if self._scores.get(scores.camera) == scores:
            return
        self._scores[scores.camera] = scores
        if scores.camera in self._cameras:
            self._send(self._watched(scores.camera))

    def use_hooks(self, hooks: Sequence[HookPose]) -> None:
        """Where hooks are now. Not kept: an eye that is started again knows none until the next."""
        self._send(Hooks(tuple(hooks)))

    async def reference(self, camera: str) -> Picture | None:
        """A whole frame at full size, faces blurred; None without a frame or without an eye."""
        if self._process is None:
            return None
        number = next(self._numbers)
        answer: asyncio.Future[Picture | None] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        self._send(AskReference(camera, number))
        try:
            return await asyncio.wait_for(answer, _ANSWER_S)
        except TimeoutError:
            return None
        finally:
            self._asked.pop(number, None)

    async def run(self) -> None:
        """Keep the eye turning while there is a camera to judge."""
        back_off = BackOff(1.0, 30.0)
        while True:
            await self._wanted.wait()
            lived = await self._one_process()
            self._tell_lost()
            if lived:
                back_off.reset()
            if not self._widened.is_set():
                await self._clock.sleep(back_off.next_s())

    # --- one process ---

    async def _one_process(self) -> bool:
        """Start it, listen until it is gone or silent. Whether it ever turned."""
        try:
            process = await self._start()
        except OSError as error:
            self.state.last_error = f"the eye process does not start: {error.strerror}"
            return False
        self._process, self._silence_s, self.state.alive = process, 0.0, None
        self.state.pid, self.state.starts = process.pid, self.state.starts + 1
        log.info("event=eye_started pid=%d cameras=%d", process.pid, len(self._cameras))
        words = asyncio.create_task(_last_words(process))
        tasks = [asyncio.create_task(self._listen(process)), asyncio.create_task(self._watch_silence())]
        widened = asyncio.create_task(self._widened.wait())
        for camera in self._cameras:
            self._send(self._watched(camera))
        heard_end = False
        try:
            await asyncio.wait([*tasks, widened], return_when=asyncio.FIRST_COMPLETED)
            silent = tasks[1].done()
            heard_end = tasks[0].done() and not isinstance(tasks[0].exception(), GarbageError)
        finally:
            self._process, self.state.pid = None, None
            for task in (*tasks, widened):
                task.cancel()
            outcome = await asyncio.gather(*tasks, return_exceptions=True)
            await end_process(process, at_once=not heard_end)
            said = await words_of(process, words)
        garbage = next((each for each in outcome if isinstance(each, GarbageError)), None)
        fault = next((each for each in outcome if isinstance(each, Exception) and not isinstance(each, EOFError)), None)
        if garbage is not None:
            self.state.garbage += 1
            self.state.last_error = f"the eye said what is no message ({garbage}); the eye was killed"
            log.error("event=eye_garbage count=%d reason=%r", self.state.garbage, str(garbage))
        elif silent:
            self.state.kills += 1
            self.state.last_error = "no sign of life; the eye was killed"
        elif self._widened.is_set():
            self.state.last_error = "the eye is started again for another camera"
        else:
            ended = f"the eye ended ({process.returncode}) {said}".strip()
            self.state.last_error = ended if fault is None else f"{fault}"
        log.error("event=eye_lost reason=%r", self.state.last_error)
        return self.state.alive is not None and garbage is None

    async def _start(self) -> asyncio.subprocess.Process:
        environment = {name: os.environ[name] for name in _CHILD_ENVIRONMENT if name in os.environ}
        environment |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
        pipe = asyncio.subprocess.PIPE
        arguments = self._arguments()
        self._may = set(arguments)
        self._widened.clear()
        return await asyncio.create_subprocess_exec(
            *(*self._command, *arguments), stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True, env=environment
        )

    def _arguments(self) -> tuple[str, ...]:
        return arguments_for((camera.slot, camera.settings) for camera in self._cameras.values())

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        allowance = Allowance(_BURST, _PER_S)
        while True:
            message = await receive(process.stdout)
            allowance.take(time.monotonic_ns())
            self._silence_s = 0.0
            self._take(message)

    def _take(self, message: Said) -> None:
        if isinstance(message, Observation):
            if (camera := self._cameras.get(message.camera)) is not None:
                if message.edge_state:
                    self._keep(message)
                camera.listener.hear(message)
        elif isinstance(message, Alive):
            if message.lacks and self.state.alive is None:
                log.warning("event=eye_not_shut_in lacks=%s", message.lacks)
            self.state.alive = message
        elif isinstance(message, ReferenceFrame):
            asked = self._asked.get(message.number)
            if asked is not None and not asked.done():
                asked.set_result(message.picture)

    def _keep(self, observation: Observation) -> None:
        """Written in a thread, one at a time: what comes meanwhile is written after it, the newest only."""
        self._edge_states.take(observation.camera, observation.edge_state, observation.edge_preset)
        if not self._writing:
            self._write_states()

    def _write_states(self) -> None:
        task = asyncio.create_task(asyncio.to_thread(self._edge_states.flush))
        self._writing.add(task)
        task.add_done_callback(self._written)

    def _written(self, task: "asyncio.Task[None]") -> None:
        self._writing.discard(task)
        if not task.cancelled() and task.exception() is None and self._edge_states.unwritten:
            self._write_states()

    async def _watch_silence(self) -> None:
        """Returns when the eye has been silent for too long."""
        before_ns = self._clock.monotonic_ns()
        while self._silence_s < (SILENT_S if self.state.alive is not None else STARTING_S):
            await self._clock.sleep(_TICK_S)
            now_ns = self._clock.monotonic_ns()
            self._silence_s += min((now_ns - before_ns) / 1e9, 2 * _TICK_S)
            before_ns = now_ns

    def _watched(self, camera: str) -> Watched:
        known, drawings = self._cameras[camera], self._surveys.get(camera, {})
        scores = self._scores.get(camera)
        nothing = Drawing(empty_survey(camera), b"")
        if any(drawings):
            presets = self._with_states(camera, drawings.values())
            return Watched(camera, known.slot, known.settings, nothing.survey, presets=presets, scores=scores)
        only = drawings.get("", nothing)
        kept = self._edge_states.newest(camera)
        return Watched(camera, known.slot, known.settings, only.survey, only.reference, kept, only.night, scores=scores)

    def _with_states(self, camera: str, drawings: Iterable[Drawing]) -> tuple[Drawing, ...]:
        """Presets with what their edges go on with, as far as one order holds it."""
        told, room = [], MOST_STATES_BYTES
        for drawing in drawings:
            state = self._edge_states.newest(camera, drawing.survey.preset)
            room -= len(state)
            told.append(replace(drawing, edge_state=state if room >= 0 else b""))
        return tuple(told)

    def _send(self, order: Order) -> None:
        process = self._process
        if process is not None and process.stdin is not None and not process.stdin.is_closing():
            process.stdin.write(packed(order))

    def _tell_lost(self) -> None:
        for answer in self._asked.values():
            if not answer.done():
                answer.set_result(None)
        for camera in list(self._cameras.values()):
            camera.listener.lost(self.state.last_error)


async def _last_words(process: asyncio.subprocess.Process) -> str:
    """The last line that it wrote to standard error; all lines go to the log, cut off where they are too long."""
    assert process.stderr is not None
    last, begun = "", b""
    while more := await process.stderr.read(_STDERR_KEPT):
        *whole, begun = (begun + more).split(b"\n")
        if len(begun) > _STDERR_KEPT:
            whole, begun = [*whole, begun], b""
        for line in whole:
            last = _said(line) or last
    return _said(begun) or last


def _said(line: bytes) -> str:
    text = printable(line.decode(errors="replace"), _STDERR_KEPT)
    if text:
        log.info("event=eye_said text=%r", text)
    return text
