"""A capture or eye process that a camera took over: the gateway lives, executes nothing and says so."""

import asyncio
import contextlib
import json
import os
import resource
import signal
import struct
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.model.picture import CameraLink
from gateway.model.sight import Why
from kit.clock import SystemClock
from tests.fakes.eye_parts import watched
from tests.fakes.gateway_process import ROOT
from tests.fakes.hostile_child import OBSERVATION, OBSERVATION_BODY, PICTURE, REPORT, other_types
from tests.fakes.rtsp_viewer import camera_settings
from vision.camera.capture_handle import CaptureHandle
from vision.camera.capture_state import CaptureReport
from vision.camera.heard import heard
from vision.camera.wire import Message
from vision.eye.said import decoded, lengths, said_bytes
from vision.eye_hub import EyeHub, Listener
from vision.helmets.people import People, SeenPerson
from vision.process.garbage import GarbageError
from vision.sight.observation import Observation

CHILD = ROOT / "tests" / "fakes" / "hostile_child.py"
FACES = ("eye", "capture")
GARBAGE = [
    "pickle",
    "pickled",
    "oversize",
    "broken",
    "deep",
    "types",
    "extra",
    "nan",
    "infinite",
    "zeros",
    "endless",
    "binary",
    "stderr",
]
GROWN_MB = 200


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child finds this checkout."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def leftovers() -> Iterator[list[int]]:
    """Process groups that a test leaves behind, ended after it."""
    groups: list[int] = []
    yield groups
    for group in groups:
        with contextlib.suppress(ProcessLookupError):
            os.kill(group, signal.SIGKILL)


class Watch:
    """A gateway's side with a hostile child behind it: how often it was started, what was counted and said."""

    def __init__(self, face: str, what: str, folder: Path) -> None:
        self.mark = folder / "executed"
        self.losses: list[str] = []
        self.heard: list[Observation] = []
        command = (sys.executable, str(CHILD), face, what, str(self.mark))
        self._eye = EyeHub(SystemClock(), command) if face == "eye" else None
        self._capture = CaptureHandle(camera_settings("rtsp://127.0.0.1:1/site"), SystemClock(), [folder], command)

    async def run(self) -> None:
        if self._eye is None:
            return await self._capture.run()
        self._eye.watch("cam-1", "", watched().settings, Listener(self.heard.append, self.losses.append))
        return await self._eye.run()

    def close(self) -> None:
        self._capture.close()

    @property
    def state(self) -> tuple[int, int, str]:
        """Starts, messages that were none, and the newest words."""
        state = self._eye.state if self._eye is not None else self._capture.state()
        return state.starts, state.garbage, state.last_error

    @property
    def unknown(self) -> bool:
        """Whether nothing is believed of the camera."""
        if self._eye is not None:
            return bool(self.losses)
        return self._capture.state().link is CameraLink.OFFLINE


@contextlib.asynccontextmanager
async def watching(face: str, what: str, folder: Path) -> AsyncIterator[Watch]:
    watch = Watch(face, what, folder)
    task = asyncio.create_task(watch.run())
    try:
        yield watch
        assert not task.done(), "the gateway's side goes on"
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        watch.close()


async def until(condition: Callable[[], object], what: str, seconds: float = 40.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
    assert condition(), what


@pytest.mark.parametrize("what", GARBAGE)
@pytest.mark.parametrize("face", FACES)
async def test_garbage_is_counted_said_and_answered_by_another_process(face: str, what: str, tmp_path: Path) -> None:
    before_kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    async with watching(face, what, tmp_path) as watch:
        await until(lambda: watch.state[1] >= 1, "counted")
        await until(lambda: watch.unknown, "unknown")
        assert "said what is no message" in watch.state[2]
        await until(lambda: watch.state[0] >= 2, "started again")
    assert not watch.mark.exists(), "nothing that came was executed"
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kb) / 1024 < GROWN_MB


@pytest.mark.parametrize("face", FACES)
async def test_nobody_waits_for_a_process_that_a_child_left_behind(
    face: str, tmp_path: Path, leftovers: list[int]
) -> None:
    async with watching(face, "grandchild", tmp_path) as watch:
        await until(lambda: watch.state[0] >= 2, "started again")
        leftovers += left_behind(watch.mark)
        assert leftovers, "one is left behind, and holds the pipes"


def left_behind(mark: Path) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if str(mark).encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
    return found


EVERY_KEY_OF_AN_OBSERVATION = sorted(OBSERVATION)
EVERY_KEY_OF_A_REPORT = sorted(set(REPORT) - {"kind"})


@pytest.mark.parametrize("key", EVERY_KEY_OF_A_REPORT)
def test_a_report_with_one_value_of_another_type_or_without_it_is_refused(key: str) -> None:
    about = {name: value for name, value in REPORT.items() if name != "kind"}
    assert heard(Message("report", about)) == CaptureReport(phase="opening")
    for wrong in ({**about, key: other_types(about[key])}, {n: v for n, v in about.items() if n != key}):
        with pytest.raises(GarbageError, match=f"report: {key}"):
            heard(Message("report", wrong))


@pytest.mark.parametrize("key", EVERY_KEY_OF_AN_OBSERVATION)
def test_an_observation_with_one_value_of_another_type_or_without_it_is_refused(key: str) -> None:
    good = json.dumps(OBSERVATION).encode()
    assert isinstance(decoded(good, OBSERVATION_BODY), Observation)
    for wrong in (
        {**OBSERVATION, key: other_types(OBSERVATION[key])},
        {name: value for name, value in OBSERVATION.items() if name != key},
    ):
        with pytest.raises(GarbageError):
            decoded(json.dumps(wrong).encode(), OBSERVATION_BODY)


def test_who_was_in_sight_comes_as_it_was_said() -> None:
    people = People(0.03, (SeenPerson(Why.JUDGED, 0.9, 0.1), SeenPerson(Why.TOO_SMALL, 1.4, 0.0)))
    said = said_bytes(Observation("cam-1", 1, 1, {}, people=people))
    head, _ = lengths(said[:8])
    heard_again = decoded(said[8 : 8 + head], said[8 + head :])
    assert isinstance(heard_again, Observation)
    assert heard_again.people == People(0.03, (people.seen[0], SeenPerson(Why.TOO_SMALL, 1.0, 0.0)))


FIRED = {"captured_at_ns": 1, "frame": PICTURE, "strip": [], "about": {}, "versions": {}}


@pytest.mark.parametrize(
    ("changes", "body", "said"),
    [
        ({}, b"{}\xff\xd8", "fewer than the lengths"),
        ({}, OBSERVATION_BODY + b"x", "belong to nothing"),
        ({}, b"[]\xff\xd8\xff\xd9", "no JSON object"),
        ({}, b"\xff\xfe\xff\xd8\xff\xd9", "no JSON object"),
        ({}, b"{}<svg", "no JPEG"),
        ({"fired": [{"key": "admin", **FIRED}]}, OBSERVATION_BODY + b"\xff\xd8\xff\xd9", "which there is none"),
        ({"still": {**PICTURE, "length": 2**31}}, OBSERVATION_BODY, "still.length"),
        ({"still": {**PICTURE, "boxes": [[0, 0, 1, 1, 0, 0.5, 1]] * 1001}}, OBSERVATION_BODY, "still.boxes"),
        ({"values": {f"key_{n}": 0.0 for n in range(300)}}, OBSERVATION_BODY, "values"),
        ({"camera": "x" * 65}, OBSERVATION_BODY, "camera"),
        ({"captured_at_ns": 2**63}, OBSERVATION_BODY, "captured_at_ns"),
        ({"people": {"smallest": 0.1, "seen": [["admin", 0.5, 0.1]]}}, OBSERVATION_BODY, "became of a person"),
        ({"people": {"smallest": 0.1, "seen": [["judged", 0.5, 7.0]]}}, OBSERVATION_BODY, "people.seen"),
        ({"people": {"smallest": 0.1, "seen": [["judged", 0.5, 0.1]] * 301}}, OBSERVATION_BODY, "people.seen"),
    ],
)
def test_what_an_observation_cannot_hold(changes: dict[str, object], body: bytes, said: str) -> None:
    with pytest.raises(GarbageError, match=said):
        decoded(json.dumps({**OBSERVATION, **changes}).encode(), body)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=400), st.binary(max_size=50))
def test_any_bytes_are_a_message_or_garbage_and_nothing_else(head: bytes, body: bytes) -> None:
    with contextlib.suppress(GarbageError):
        decoded(head, body)


WORDS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(["report", "part", "done", "refused", "plan"]), st.dictionaries(st.text(max_size=9), WORDS))
def test_any_object_is_an_answer_or_garbage_and_nothing_else(kind: str, about: dict[str, object]) -> None:
    with contextlib.suppress(GarbageError):
        heard(Message(kind, about))


def test_words_of_a_child_are_one_line_that_a_terminal_takes_for_text() -> None:
    about = {name: value for name, value in REPORT.items() if name != "kind"}
    report = heard(Message("report", {**about, "last_error": "a\n\x1b[2Jb\u202e" + "x" * 5000}))
    assert isinstance(report, CaptureReport)
    assert report.last_error.isprintable()
    assert len(report.last_error) <= 500


def test_lengths_are_looked_at_before_anything_is_read() -> None:
    for octets in (struct.pack("!II", 0, 0), struct.pack("!II", 2**20 + 1, 0), struct.pack("!II", 1, 2**26 + 1)):
        with pytest.raises(GarbageError, match="no message begins"):
            lengths(octets)
