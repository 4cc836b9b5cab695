"""The gateway's side of the eye, against a real process that speaks its wire: judging, dying, hanging, answering."""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.model.survey import empty_survey
from kit.clock import SystemClock
from tests.fakes.eye_parts import watched
from vision import eye_hub
from vision.eye.wire import MAX_MESSAGE_BYTES, packed, read_order
from vision.eye_hub import EyeHub, Listener
from vision.sight.edge_states import EdgeStates
from vision.sight.observation import Observation

TOLD_EYE = Path(__file__).parents[2] / "fakes" / "told_eye.py"
SETTINGS = watched().settings


class Heard:
    """What the hub told of a camera."""

    def __init__(self) -> None:
        self.observations: list[Observation] = []
        self.losses: list[str] = []
        self.listener = Listener(self.observations.append, self.losses.append)


async def until(condition: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.01)
    assert condition(), what


@contextlib.asynccontextmanager
async def running(
    what: str, clock: SystemClock | None = None, edge_states: EdgeStates | None = None
) -> AsyncIterator[EyeHub]:
    hub = EyeHub(clock or SystemClock(), (sys.executable, str(TOLD_EYE), what), edge_states)
    task = asyncio.create_task(hub.run())
    try:
        yield hub
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The eye finds this checkout, and inherits nothing that may be secret."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    monkeypatch.setenv("SECRET_OF_THE_TEST", "hunter2")


async def test_no_process_is_started_before_there_is_a_camera() -> None:
    async with running("judges") as hub:
        await asyncio.sleep(0.05)
        assert (hub.state.pid, hub.state.starts) == (None, 0)


async def test_each_camera_hears_its_own_and_a_camera_that_comes_later_is_judged_too() -> None:
    async with running("judges") as hub:
        first, later = Heard(), Heard()
        hub.watch("cam-1", "", SETTINGS, first.listener)
        await until(lambda: len(first.observations) >= 2, "observations")
        hub.watch("cam-2", "", SETTINGS, later.listener)
        await until(lambda: len(later.observations) >= 2, "observations")
        assert {each.camera for each in first.observations} == {"cam-1"}
        assert {each.camera for each in later.observations} == {"cam-2"}
        assert hub.state.starts == 1


async def test_a_survey_reaches_the_eye_and_counts_again_after_a_restart() -> None:
    async with running("judges") as hub:
        heard = Heard()
        hub.use_survey(replace(empty_survey("cam-1"), version=3), b"jpeg")
        hub.watch("cam-1", "", SETTINGS, heard.listener)
        await until(lambda: bool(heard.observations), "an observation")
        assert heard.observations[0].values["survey"] == 3.0
        hub.use_survey(replace(empty_survey("cam-1"), version=4), b"jpeg")
        await until(lambda: heard.observations[-1].values["survey"] == 4.0, "the new version")
        assert [survey.version for survey in hub.surveys("cam-1")] == [4]
        pid = hub.state.pid
        assert pid is not None
        os.kill(pid, 9)
        await until(lambda: hub.state.starts == 2 and hub.state.pid is not None, "a new eye")
        seen = len(heard.observations)
        await until(lambda: len(heard.observations) > seen, "observations of the new eye")
        assert heard.observations[-1].values["survey"] == 4.0
        assert len(heard.losses) == 1


async def test_the_reference_by_night_goes_with_its_survey() -> None:
    async with running("judges") as hub:
        hub.watch("cam-1", "", SETTINGS, Heard().listener)
        assert (hub._watched("cam-1").reference, hub._watched("cam-1").night) == (b"", b"")
        hub.use_survey(replace(empty_survey("cam-1"), version=3), b"by day", b"by night")
        told = hub._watched("cam-1")
        assert (told.survey.version, told.reference, told.night) == (3, b"by day", b"by night")
        hub.use_survey(replace(empty_survey("cam-1"), version=4), b"by day")
        assert hub._watched("cam-1").night == b""


async def test_the_eye_is_told_every_preset_with_what_its_edges_go_on_with() -> None:
    states = EdgeStates()
    hub = EyeHub(SystemClock(), edge_states=states)
    hub.watch("cam-1", "", SETTINGS, Heard().listener)
    hub.use_survey(replace(empty_survey("cam-1"), version=1), b"only")
    assert (hub._watched("cam-1").reference, hub._watched("cam-1").presets) == (b"only", ())
    hub.use_survey(replace(empty_survey("cam-1"), version=2, preset="gate"), b"gate", b"gate by night")
    hub._take(Observation("cam-1", 1, 1, {}, edge_state=b"kept", edge_preset="gate"))
    told = hub._watched("cam-1")
    assert (told.survey, told.reference) == (empty_survey("cam-1"), b"")
    found = [(each.survey.preset, each.reference, each.night, each.edge_state) for each in told.presets]
    assert found == [("", b"only", b"", b""), ("gate", b"gate", b"gate by night", b"kept")]
    hub.use_survey(replace(empty_survey("cam-1"), version=3, preset="gate"), b"")
    assert (hub._watched("cam-1").reference, hub._watched("cam-1").presets) == (b"only", ())


async def test_an_eye_that_ends_is_told_to_every_camera_and_started_again() -> None:
    async with running("dies") as hub:
        heard = Heard()
        hub.watch("cam-1", "", SETTINGS, heard.listener)
        await until(lambda: hub.state.starts >= 2, "a second start")
        assert heard.losses[0] == "the eye ended (3) the eye fell over"
        assert hub.state.kills == 0


@pytest.mark.parametrize("what", ["hangs", "mute"])
async def test_an_eye_that_says_nothing_is_killed(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Hurried(SystemClock):
        """A minute passes with every tick."""

        minutes = 0

        def monotonic_ns(self) -> int:
            return super().monotonic_ns() + self.minutes * 60_000_000_000

        async def sleep(self, seconds: float) -> None:
            self.minutes += 1
            await super().sleep(0.02)

    assert eye_hub.SILENT_S <= 10.0
    async with running(what, Hurried()) as hub:
        heard = Heard()
        hub.watch("cam-1", "", SETTINGS, heard.listener)
        await until(lambda: hub.state.kills >= 1, "a kill")
        await until(lambda: bool(heard.losses), "word of it")
        assert heard.losses[0] == "no sign of life; the eye was killed"


async def test_a_reference_is_asked_for_and_nobody_waits_for_a_lost_eye() -> None:
    async with running("judges") as hub:
        assert await hub.reference("cam-1") is None
        heard = Heard()
        hub.watch("cam-1", "", SETTINGS, heard.listener)
        await until(lambda: bool(heard.observations), "an eye")
        picture = await hub.reference("cam-1")
        assert picture is not None
        assert picture.camera == "cam-1"


async def test_a_camera_that_is_forgotten_hears_nothing_more() -> None:
    async with running("judges") as hub:
        gone, here = Heard(), Heard()
        hub.watch("cam-1", "", SETTINGS, gone.listener)
        await until(lambda: len(gone.observations) == 2, "observations")
        hub.forget("cam-1")
        hub.watch("cam-1x", "", SETTINGS, here.listener)
        await until(lambda: len(here.observations) == 2, "observations of the other")
        assert len(gone.observations) == 2


def test_a_message_that_is_cut_off_or_out_of_step_is_an_end_not_a_picture(tmp_path: Path) -> None:
    whole = packed({"a": 1})
    path = tmp_path / "pipe"
    for body in (b"", whole[:2], whole[:-1], (MAX_MESSAGE_BYTES + 1).to_bytes(4, "big") + b"x"):
        path.write_bytes(body)
        with path.open("rb") as stream, pytest.raises(EOFError):
            read_order(stream)
    path.write_bytes(whole)
    with path.open("rb") as stream:
        assert read_order(stream) == {"a": 1}
    with pytest.raises(ValueError, match="at most"):
        packed(bytes(MAX_MESSAGE_BYTES + 1))


async def test_what_the_edge_check_wants_kept_is_given_to_the_next_eye_and_lies_on_the_disk(tmp_path: Path) -> None:
    states = EdgeStates(tmp_path)
    states.take("cam-1", b"before")
    states.flush()
    async with running("dies", edge_states=EdgeStates(tmp_path)) as hub:
        heard = Heard()
        hub.watch("cam-1", "", SETTINGS, heard.listener)
        await until(lambda: len({each.edge_state for each in heard.observations}) >= 2, "two eyes")
        said = [each.edge_state for each in heard.observations]
        assert (said[0], b"before++" in said) == (b"before+", True)
        file = tmp_path / "edge_states" / "cam-1.edges"
        await until(lambda: file.read_bytes().startswith(b"before+"), "a newer file")


class HeldStates(EdgeStates):
    """On a disk that takes its time."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.goes_on = threading.Event()
        self.flushes = 0

    def flush(self) -> None:
        self.flushes += 1
        assert self.goes_on.wait(30)
        super().flush()


async def test_an_eye_that_has_kept_again_and_again_holds_one_thread_and_the_newest_is_written(tmp_path: Path) -> None:
    states, heard = HeldStates(tmp_path), Heard()
    hub = EyeHub(SystemClock(), ("nobody",), states)
    hub.watch("cam-1", "", SETTINGS, heard.listener)
    for number in range(1, 101):
        hub._take(Observation("cam-1", 1, 1, {}, edge_state=f"state {number}".encode()))
        await asyncio.sleep(0)
    states.goes_on.set()
    file = tmp_path / "edge_states" / "cam-1.edges"
    await until(lambda: file.exists() and file.read_bytes() == b"state 100", "the newest on the disk")
    await until(lambda: not hub._writing, "the thread free again")
    assert states.flushes <= 2
