"""What the eye says as readings in the box's point table: the golden frame, times that can be believed, a lost eye."""

import json
import math
from collections.abc import Awaitable
from typing import Any, get_args

import numpy as np
import pytest
import yaml
from pydantic import ValidationError

from gateway.model.camera_scores import CameraScores
from gateway.model.reading import Quality, Readings
from gateway.model.sight import Why
from gateway.ports import BoundDevice, BoundLink
from kit.clock import SimulatedClock
from tests.fakes.gateway_process import ROOT
from vision.camera.settings import CameraLinkSettings
from vision.driver import CameraDriver, camera_drivers
from vision.eye.judged import PLACES, finding_values
from vision.eye.settings import CameraDeviceSettings, CameraTable, Check
from vision.eye_hub import EyeHub
from vision.helmets.people import People, SeenPerson
from vision.picture.finding import ON_REQUEST, Ailment, FindingKind
from vision.sight.observation import Observation
from vision.site_eyes import SiteEyes

GOLDEN = yaml.safe_load((ROOT / "tests" / "cases" / "devices" / "site-camera.golden.yaml").read_text(encoding="utf-8"))
TABLE = CameraTable.model_validate(
    yaml.safe_load((ROOT / "config" / "devices" / "site-camera.yaml").read_text(encoding="utf-8"))
)
NOW_NS = 1_790_000_000_000_000_000
SECOND_NS = 1_000_000_000


class Kept:
    """A sink that keeps."""

    def __init__(self) -> None:
        self.polls: list[Readings] = []

    def offer(self, readings: Readings) -> bool:
        self.polls.append(readings)
        return True

    async def put(self, readings: Readings) -> Awaitable[None]:
        raise AssertionError("a camera polls")

    def set_aside(self, device: str, payload: bytes, reason: str) -> None:
        raise AssertionError(reason)


def driver() -> CameraDriver:
    device = CameraDeviceSettings(id="cam-1-eye", link="cam-1", asset="cam-1", table="site-camera")
    bound = BoundDevice(device, TABLE, (), np.arange(len(TABLE.points), dtype=np.int32))
    link = CameraLinkSettings(id="cam-1", source="rtsp://192.0.2.7/main")
    return CameraDriver(BoundLink(link, (bound,)), SimulatedClock(NOW_NS))


def heard(
    camera: CameraDriver, sink: Kept, captured_ns: int, received_ns: int | None = None, **values: float
) -> Readings:
    observation = Observation("cam-1-eye", captured_ns, received_ns or captured_ns, values, b'{"frame":1}')
    camera._listener(camera.seen["cam-1-eye"], sink).hear(observation)
    return sink.polls[-1]


def test_the_golden_frame() -> None:
    readings = heard(driver(), Kept(), NOW_NS, **GOLDEN["observation"])
    shown: dict[str, Any] = dict(zip([point.key for point in TABLE.points], readings.value.tolist(), strict=True))
    assert shown.keys() == GOLDEN["values"].keys()
    for key, wanted in GOLDEN["values"].items():
        assert math.isnan(shown[key]) if wanted is None else shown[key] == wanted, key
    bad = [Quality.BAD if wanted is None else Quality.GOOD for wanted in GOLDEN["values"].values()]
    assert readings.quality.tolist() == bad
    assert (readings.raw.payload, readings.device) == (b'{"frame":1}', "cam-1-eye")


def test_the_table_has_a_point_for_everything_that_the_eye_can_find() -> None:
    keys = {point.key for point in TABLE.points}
    assert set(finding_values((), FindingKind)) | {str(ailment) for ailment in Ailment} <= keys
    for kind, places in PLACES.items():
        assert [point.key for point in TABLE.points if point.item == kind] == [f"{kind}_{n + 1}" for n in range(places)]


@pytest.mark.parametrize("offset_s", [-4.0, 0.0, 4.0])
def test_the_time_of_the_picture_is_that_of_the_readings(offset_s: float) -> None:
    captured_ns = NOW_NS + round(offset_s * SECOND_NS)
    assert heard(driver(), Kept(), captured_ns, NOW_NS).observed_at_ns == captured_ns


@pytest.mark.parametrize("offset_s", [-3600.0, 3600.0])
def test_a_camera_whose_clock_is_off_does_not_move_the_box(offset_s: float) -> None:
    assert heard(driver(), Kept(), NOW_NS + round(offset_s * SECOND_NS), NOW_NS).observed_at_ns == NOW_NS


def test_times_never_go_back_unless_the_boxs_clock_was_set_back() -> None:
    camera, sink = driver(), Kept()
    first = heard(camera, sink, NOW_NS).observed_at_ns
    assert heard(camera, sink, NOW_NS - SECOND_NS).observed_at_ns == first + 1
    assert heard(camera, sink, NOW_NS - 3600 * SECOND_NS).observed_at_ns == NOW_NS - 3600 * SECOND_NS


def test_nothing_was_received_after_now_whatever_the_eye_says() -> None:
    readings = heard(driver(), Kept(), 2**61)
    assert (readings.observed_at_ns, readings.received_at_ns) == (NOW_NS, NOW_NS)


def test_a_lost_eye_makes_everything_unknown_and_shows_why() -> None:
    camera, sink = driver(), Kept()
    heard(camera, sink, NOW_NS, **GOLDEN["observation"])
    camera._listener(camera.seen["cam-1-eye"], sink).lost("no sign of life; the eye was killed")
    assert set(sink.polls[-1].quality.tolist()) == {Quality.BAD}
    (health,) = camera.health()
    assert (health.failures, health.last_error) == (1, "no sign of life; the eye was killed")
    heard(camera, sink, NOW_NS + SECOND_NS)
    assert camera.health()[0].last_error == ""


def test_the_share_of_people_judged_is_unknown_until_enough_were_seen() -> None:
    camera, sink = driver(), Kept()
    far = People(0.03, (SeenPerson(Why.TOO_SMALL, 0.4, 0.01), SeenPerson(Why.JUDGED, 0.8, 0.09)))
    column = [point.key for point in TABLE.points].index("judged_share")
    shares = []
    for second in range(400):
        at_ns = NOW_NS + second * SECOND_NS
        camera._clock.move_to(at_ns)
        observation = Observation("cam-1-eye", at_ns, at_ns, {}, b"{}", people=far)
        camera._listener(camera.seen["cam-1-eye"], sink).hear(observation)
        shares.append(float(sink.polls[-1].value[column]))
    assert all(math.isnan(share) for share in shares[:300])
    assert shares[-1] == 50.0
    assert sink.polls[0].quality[column] == Quality.BAD


async def test_the_sites_eyes_know_their_cameras_and_no_other() -> None:
    camera = driver()
    eyes = SiteEyes(EyeHub(SimulatedClock()), lambda: {"cam-1": ("摄像机", "Camera")})
    assert not eyes
    eyes.use(camera_drivers([camera]))
    (state,) = eyes.cameras()
    assert (state.camera, state.title_zh, state.link, state.model_version) == ("cam-1-eye", "摄像机", "connecting", "")
    assert (eyes.still("cam-1-eye"), eyes.fired("cam-1-eye", "bare_head_1")) == (None, None)
    assert await eyes.reference("cam-1-eye") is None
    with pytest.raises(LookupError, match="started"):
        await eyes.clip("cam-1-eye", 0, 1)
    for ask in (eyes.still, eyes.surveys, eyes.live):
        with pytest.raises(KeyError):
            ask("cam-9")


def test_what_is_wrong_with_the_picture_is_in_the_cameras_state() -> None:
    camera = driver()
    eyes = SiteEyes(EyeHub(SimulatedClock()), dict)
    eyes.use([camera])
    heard(camera, Kept(), NOW_NS, blurred=1.0, black=0.0, frozen=math.nan, judged_per_s=4.8)
    (state,) = eyes.cameras()
    assert (state.ailing, state.judged_per_s) == (("blurred",), 4.8)


def test_the_cameras_state_says_at_which_scores_it_is_judged() -> None:
    camera = driver()
    eyes = SiteEyes(EyeHub(SimulatedClock()), dict)
    eyes.use([camera])
    said = {"model": "blocks 1 abc", "scores": "helmet 0.500, head 0.612, person 0.500", "scores_version": "3"}
    eyes.use_scores(CameraScores("cam-1-eye", 3, "blocks 1 abc", {"head": 0.612}, 7, "wang"))
    (state,) = eyes.cameras()
    assert (state.scores, state.own_scores, state.own_scores_used) == ("", 3, False)
    camera.seen["cam-1-eye"].newest = Observation("cam-1-eye", NOW_NS, NOW_NS, {}, json.dumps(said).encode())
    (state,) = eyes.cameras()
    assert (state.scores, state.own_scores_used, state.scores_since_ns) == (said["scores"], True, 7)
    eyes.use_scores(CameraScores("cam-1-eye", 4, "blocks 1 abc", {}, 8, "wang", 3, 0))
    (state,) = eyes.cameras()
    assert (state.own_scores, state.own_scores_used, state.own_scores_undone) == (4, False, True)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"analyse_fps": 0}, "analyse_fps"),
        ({"vote_s": 1}, "vote_s"),
        ({"tiles": 9}, "tiles"),
        ({"backend": "tensorflow"}, "backend"),
        ({"polls": 5}, "polls"),
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(changes: dict[str, object], key: str) -> None:
    good = {"id": "a", "link": "b", "asset": "c", "table": "site-camera"}
    with pytest.raises(ValueError, match=key):
        CameraDeviceSettings.model_validate(good | changes)


def test_the_gateway_can_be_imported_without_opencv_libav_and_onnxruntime() -> None:
    import subprocess
    import sys

    heavy = "{'cv2', 'av', 'onnxruntime', 'torch'}"
    code = f"import sitewarden.composition.box, sys; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


def test_a_camera_has_the_points_of_the_checks_that_it_is_asked_for() -> None:
    def items(*checks: str) -> set[str]:
        asked = {"id": "eye", "link": "l", "asset": "a", "table": "site-camera", "checks": checks}
        settings = CameraDeviceSettings.model_validate(asked)
        return {point.item for point in TABLE.for_device(settings).points if point.on_request}

    assert items() == set()
    assert items("in_danger_zone", "person_down") == {"in_danger_zone", "person_down"}
    every = {point.item for point in TABLE.points if point.on_request}
    assert every == set(ON_REQUEST), "the table, the eye and the settings know the same checks"
    assert every == set(get_args(Check))


def test_under_the_hook_needs_a_crane_and_a_fall_zone() -> None:
    asked = {"id": "eye", "link": "l", "asset": "a", "table": "site-camera", "checks": ["under_hook"]}
    for given in ({}, {"hook_cranes": ["crane-1"]}, {"hook_radius_m": 6}):
        with pytest.raises(ValidationError, match="under_hook needs hook_cranes and hook_radius_m"):
            CameraDeviceSettings.model_validate(asked | given)
    assert CameraDeviceSettings.model_validate(asked | {"hook_cranes": ["crane-1"], "hook_radius_m": 6}).checks
