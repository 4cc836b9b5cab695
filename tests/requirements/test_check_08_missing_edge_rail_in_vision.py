"""Check 8: a missing rail is a general hazard with its place; frames sent again make no second one; only a clear view
closes it.

The drawn scene (`drivers.sim.camera_scene`) passes the real edge check, the real mind of a camera, the camera driver
and the judging line of a loaded site, a picture a second on simulated time.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivers.sim.camera_figure import Pose, Worker
from drivers.sim.camera_scene import SceneState, Standing, draw_scene, scene_survey
from gateway.model.verdict import Truth
from tests.fakes.eye_parts import WELL, CountingTracker, ToldHealth, ToldHelmets, boxes, parts
from tests.fakes.loaded_site import TITLES, LoadedSite, utc_ns
from vision.driver import CameraDriver, camera_drivers
from vision.edges.watch import EdgeWatch
from vision.eye.mind import CameraMind
from vision.eye.settings import CameraDeviceSettings
from vision.eye.watched import Watched
from vision.picture.finding import Ailment, PictureHealth
from vision.picture.frame import Frame

START = "2026-03-02T08:00:00+08:00"
CAMERA = {"id": "cam-1", "kind": "camera-post", "serial": "C-1", **TITLES}
RULE, PLACE = "vision.edge_open", "cam-1.edge_open_1"
WHOLE = SceneState()
MISSING = SceneState(gone=frozenset({3}))
AT_THE_GAP = Standing(565.0, 300.0, 150.0, Worker(), Pose())
NOISES = 6


@cache
def picture(state: SceneState, noise: int) -> np.ndarray:
    return draw_scene(state, noise)


class SceneCamera:
    """A camera of the site that sees what it is told, once a second."""

    def __init__(self, box: LoadedSite) -> None:
        (link,) = [link for link in box.settings.links if link.settings.driver == "camera"]
        self.box = box
        self.driver = CameraDriver(link, box.clock)
        self.health = ToldHealth()
        self._survey = scene_survey("cam-1-eye", 1, 0, "surveyor", "0" * 64)
        settings: CameraDeviceSettings = link.devices[0].settings
        watch = EdgeWatch(self._survey, picture(WHOLE, 0))
        told = parts(health=self.health, tracker=CountingTracker(), helmets=ToldHelmets(), edges=watch)
        self.mind = CameraMind(Watched("cam-1-eye", "", settings, self._survey), told)
        self._now_ns = utc_ns(START)
        self._seq = 0
        self.last: Frame | None = None

    async def sees(self, seconds: int, state: SceneState, people: Sequence[Standing] = ()) -> None:
        for _ in range(seconds):
            self._now_ns += 1_000_000_000
            self._seq += 1
            image = picture(replace(state, workers=tuple(people)), self._seq % NOISES)
            await self.shown(Frame("cam-1-eye", self._seq, self._now_ns, self._now_ns, False, 1, image), people)

    async def shown(self, frame: Frame, people: Sequence[Standing] = ()) -> None:
        """Judge this frame now."""
        self.last = frame
        rows = [_box(each) for each in people]
        self.mind.look(frame, self._now_ns, self._now_ns)
        said = self.mind.judge(frame, boxes(frame, *rows), "test model", self._now_ns, self._now_ns)
        seen = self.driver.seen["cam-1-eye"]
        self.driver._listener(seen, self.box.site.intake).hear(said)
        await self.box.takes(self._now_ns)

    async def is_silent(self, seconds: int) -> None:
        self._now_ns += seconds * 1_000_000_000
        for second in range(seconds):
            await self.box.takes(self._now_ns - (seconds - second - 1) * 1_000_000_000)


def _box(each: Standing) -> tuple[float, float, float, float, int]:
    half = each.tall_px * 0.22
    return each.x_px - half, each.y_px - each.tall_px, each.x_px + half, each.y_px, 2


@pytest.fixture
async def box(tmp_path: Path):
    async with LoadedSite(tmp_path, [CAMERA], START) as box:
        yield box


@pytest.fixture
async def camera(box: LoadedSite) -> SceneCamera:
    camera = SceneCamera(box)
    await camera.sees(40, WHOLE)
    assert box.truth(RULE, PLACE) is Truth.FALSE
    return camera


async def with_a_gap(camera: SceneCamera) -> dict[str, Any]:
    """The panel goes, and is told of."""
    await camera.sees(75, MISSING)
    (sealed,) = await camera.box.sealed(RULE)
    return sealed


async def test_a_missing_rail_is_a_general_hazard_with_its_place(box: LoadedSite, camera: SceneCamera) -> None:
    await camera.sees(25, MISSING)
    assert await box.sealed(RULE) == [], "not before thirty seconds"
    await camera.sees(50, MISSING)
    (sealed,) = await box.sealed(RULE)
    assert (sealed["alarm"]["subject"], sealed["alarm"]["severity"], sealed["hazard"]) == (PLACE, "P2", None)
    assert not sealed["alarm"]["suspected"], "a missing rail is on neither list of major hazards"
    (told,) = await box.told(RULE)
    assert (told["subject"], told["asset"]) == (PLACE, "cam-1")
    gap = json.loads(bytes.fromhex(sealed["samples"][-1]["raw_payload_hex"]))["findings"]["edge_open_1"]
    assert gap["edge"] == "north-edge"
    assert 5.4 < gap["from_m"] < gap["to_m"] < 8.6
    assert len(gap["frame_sha256"]) == 64


async def test_frames_that_are_sent_again_make_no_second_hazard(box: LoadedSite, camera: SceneCamera) -> None:
    await with_a_gap(camera)
    again = camera.last
    assert again is not None
    for _ in range(30):
        await camera.shown(again)
    await camera.sees(60, MISSING)
    assert len(await box.sealed(RULE)) == 1
    assert len(await box.told(RULE)) == 1


async def test_only_a_clear_view_of_the_rail_closes_it(box: LoadedSite, camera: SceneCamera) -> None:
    await with_a_gap(camera)
    camera.health.health = PictureHealth(WELL | {Ailment.COVERED: Truth.TRUE}, False)
    await camera.sees(60, WHOLE)
    assert box.truth(RULE, PLACE) is Truth.UNKNOWN
    await camera.is_silent(60)
    camera.health.health = PictureHealth(WELL, True)
    crowd = [Standing(x, 330.0, 250.0, Worker(), Pose()) for x in (480.0, 530.0, 580.0, 630.0, 680.0)]
    await camera.sees(60, WHOLE, crowd)
    assert await box.sealed(RULE, "returned") == [], "hidden by people is not closed"
    await camera.sees(10, WHOLE)
    assert await box.sealed(RULE, "returned") == [], "a moment is not yet clear"
    await camera.sees(80, WHOLE)
    assert len(await box.sealed(RULE, "returned")) == 1
    assert len(await box.told(RULE, "returned")) == 1
    assert box.truth(RULE, PLACE) is Truth.FALSE


async def test_a_person_at_the_gap_is_graver_and_at_the_same_place(box: LoadedSite, camera: SceneCamera) -> None:
    await camera.sees(10, WHOLE, [AT_THE_GAP])
    assert await box.sealed("vision.person_at_edge") == [], "a rail protects him"
    await with_a_gap(camera)
    await camera.sees(10, MISSING, [AT_THE_GAP])
    (sealed,) = await box.sealed("vision.person_at_edge")
    assert (sealed["alarm"]["subject"], sealed["alarm"]["severity"]) == ("cam-1.person_at_edge_1", "P1")


def test_it_is_the_drivers_of_the_site_that_are_cameras(box: LoadedSite, camera: SceneCamera) -> None:
    assert camera_drivers([camera.driver]) == [camera.driver]
