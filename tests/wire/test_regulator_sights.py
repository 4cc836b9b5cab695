"""What a box shows a regulator of its cameras, over a real connection: stills that never queue up, live video that
stops when nobody watches, refusals with their reason."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from contract.mailbox import LiveViewRequest
from contract.messages import CameraStill, LivePart, LiveState, LiveViewAnswer
from gateway.media.rendition import SmallPicture
from gateway.model.picture import Picture
from gateway.uplinks.regulator import RegulatorUplink
from gateway.uplinks.regulator_sights import Sights
from gateway.uplinks.regulator_stills import REFUSED_S
from kit.clock import SystemClock
from regulator.base.model.heard import Heard
from tests.fakes.eyes import StillEyes, film, fragments, three_cameras
from tests.fakes.regulator import FakeRegulator, Fault
from tests.fakes.regulator_box import BOX, regulator_uplink, simulated, stop
from vision.privacy.still import blurred_thumbnail


class Desk:
    """Stands where the desk's areas hear what is said of now."""

    def __init__(self, regulator: FakeRegulator) -> None:
        self.stills: list[CameraStill] = []
        self.answers: list[LiveViewAnswer] = []
        self.parts: list[tuple[int, bool, bytes]] = []
        self.watched: Callable[[], bool] = lambda: True
        self.takers = {"camera_still": self.still, "live_view_answer": self.answer, "live_part": self.part}
        regulator.store.takers = self.takers

    def still(self, _db: Connection, heard: Heard, _now_ns: int) -> None:
        assert isinstance(heard.body, CameraStill)
        self.stills.append(heard.body)

    def answer(self, _db: Connection, heard: Heard, _now_ns: int) -> LiveState:
        assert isinstance(heard.body, LiveViewAnswer)
        self.answers.append(heard.body)
        return LiveState(request_id=heard.body.request_id, wanted=self.watched())

    def part(self, _db: Connection, heard: Heard, _now_ns: int) -> LiveState:
        assert isinstance(heard.body, LivePart)
        self.parts.append((heard.body.number, heard.body.key, heard.content))
        return LiveState(request_id=heard.body.request_id, wanted=self.watched())

    def said(self) -> list[tuple[str, str]]:
        return [(each.answer, each.reason) for each in self.answers]


@pytest.fixture
def regulator(tmp_path: Path):
    with FakeRegulator(tmp_path / "regulator") as regulator:
        yield regulator


@pytest.fixture
def desk(regulator: FakeRegulator) -> Desk:
    return Desk(regulator)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "box"
    folder.mkdir()
    return folder


class Site:
    """A box with the three rendered cameras."""

    def __init__(self, uplink: RegulatorUplink, eyes: StillEyes) -> None:
        self.uplink, self.eyes, self.seen = uplink, eyes, []
        uplink.show(Sights(lambda: eyes, _small, self._note))

    async def _note(self, request: LiveViewRequest) -> None:
        self.seen.append(request.camera_id)


def _small(still: Picture) -> SmallPicture:
    return SmallPicture(*blurred_thumbnail(still.body, (), 160))


@asynccontextmanager
async def site(folder: Path, regulator: FakeRegulator, **changes: Any) -> AsyncIterator[Site]:
    clock = changes.pop("clock", None) or SystemClock()
    eyes = StillEyes(three_cameras(clock.now_ns()), clock.now_ns, pace_s=0.0)
    async with regulator_uplink(folder, regulator, clock, mailbox_wait_s=1, **changes) as uplink:
        assert await uplink._enrol_if_needed() == ""
        yield Site(uplink, eyes)


def request(camera: str, name: str = "view-1") -> LiveViewRequest:
    return LiveViewRequest(
        request_id=name, camera_id=camera, duration_s=60, requested_by_role="reviewer, county", reason="复核"
    )


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.01)


async def test_each_camera_that_sees_sends_its_newest_still_and_none_twice(
    regulator: FakeRegulator, desk: Desk, folder: Path
) -> None:
    clock = simulated()
    async with site(folder, regulator, clock=clock) as box:
        stills = box.uplink._stills
        assert await stills.send_all() == 2
        assert {(each.camera_id, each.width_px, each.height_px) for each in desk.stills} == {
            ("cam-1", 160, 90),
            ("cam-2", 160, 90),
        }
        assert all(len(each.data_base64) < 12_000 for each in desk.stills)
        assert await stills.send_all() == 0
        await clock.advance(60)
        assert await stills.send_all() == 2
    assert regulator.store.items("camera_still") == []


async def test_what_could_not_be_sent_is_not_sent_later(regulator: FakeRegulator, desk: Desk, folder: Path) -> None:
    clock = simulated()
    async with site(folder, regulator, clock=clock) as box:
        regulator.fail_next(Fault.CLOSED, times=3)
        for _ in range(3):
            assert await box.uplink._stills.send_all() == 0
            await clock.advance(60)
        assert desk.stills == []
        assert await box.uplink._stills.send_all() == 2
        assert len(desk.stills) == 2


async def test_a_regulator_that_knows_no_stills_is_asked_again_after_an_hour(
    regulator: FakeRegulator, folder: Path
) -> None:
    clock = simulated()
    async with site(folder, regulator, clock=clock) as box:
        before = regulator.requests
        for _ in range(5):
            assert await box.uplink._stills.send_all() == 0
        assert regulator.requests == before + 1
        desk = Desk(regulator)
        await clock.advance(REFUSED_S + 1)
        assert await box.uplink._stills.send_all() == 2
        assert len(desk.stills) == 2


async def test_live_video_comes_whole_and_in_order_after_it_is_on_the_sites_record(
    regulator: FakeRegulator, desk: Desk, folder: Path
) -> None:
    async with site(folder, regulator) as box:
        desk.watched = lambda: len(desk.parts) < 6
        running = asyncio.create_task(box.uplink.run())
        regulator.post(BOX, "live_view_request", request("cam-1"))
        await until(lambda: desk.said() == [("opening", ""), ("ended", "ended")])
        await stop(running)
        assert box.seen == ["cam-1"]
        assert box.eyes.live_open == 0
    assert [number for number, _, _ in desk.parts] == list(range(6))
    assert [body for _, _, body in desk.parts] == fragments(film(60, fragmented=True))[:6]
    assert [key for _, key, _ in desk.parts] == [False, True, True, True, True, True]


async def test_a_request_that_nobody_waits_for_any_more_opens_no_camera(
    regulator: FakeRegulator, desk: Desk, folder: Path
) -> None:
    async with site(folder, regulator) as box:
        desk.watched = lambda: False
        box.uplink._live.asked(request("cam-1"))
        await until(lambda: box.uplink._live.running == 0)
    assert (desk.said(), desk.parts, box.seen) == ([("opening", "")], [], [])


@pytest.mark.parametrize(
    ("camera", "reason", "words"),
    [("cam-2", "not_playable", "H.265"), ("cam-3", "offline", "no answer"), ("cam-9", "no_camera", "")],
)
async def test_a_camera_that_gives_no_live_video_says_why(
    regulator: FakeRegulator, desk: Desk, folder: Path, camera: str, reason: str, words: str
) -> None:
    async with site(folder, regulator) as box:
        box.uplink._live.asked(request(camera))
        await until(lambda: bool(desk.answers))
    assert desk.said() == [("refused", reason)]
    assert words in desk.answers[0].words
    assert box.seen == []


async def test_a_site_that_allows_neither_sends_nothing_and_says_so(
    regulator: FakeRegulator, desk: Desk, folder: Path
) -> None:
    async with site(folder, regulator, stills=False, live_video=False) as box:
        assert await box.uplink._stills.send_all() == 0
        box.uplink._live.asked(request("cam-1"))
        await until(lambda: bool(desk.answers))
    assert desk.said() == [("refused", "not_allowed")]
    assert desk.stills == []


async def test_the_third_view_at_once_is_refused(regulator: FakeRegulator, desk: Desk, folder: Path) -> None:
    async with site(folder, regulator) as box:
        for number in range(3):
            box.uplink._live.asked(request("cam-1", f"view-{number}"))
        await until(lambda: ("refused", "busy") in desk.said())
        assert box.uplink._live.running <= 2 + 1


async def test_a_reply_that_is_lost_neither_doubles_nor_loses_a_part(
    regulator: FakeRegulator, desk: Desk, folder: Path
) -> None:
    async with site(folder, regulator) as box:
        desk.watched = lambda: len(desk.parts) < 5
        regulator.fail_next(Fault.LOST_REPLY, address="/v1/live/view-1")
        box.uplink._live.asked(request("cam-1"))
        await until(lambda: ("ended", "ended") in desk.said())
    assert [number for number, _, _ in desk.parts] == [0, 0, 1, 2, 3]


async def test_an_id_that_is_no_plain_name_is_no_address(regulator: FakeRegulator, desk: Desk, folder: Path) -> None:
    async with site(folder, regulator) as box:
        box.uplink._live.asked(request("cam-1", "../messages"))
        assert box.uplink._live.running == 0
    assert desk.answers == []
