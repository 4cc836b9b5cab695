"""What the box says of itself: from the settings in force, and nothing that it does not know."""

from dataclasses import replace
from pathlib import Path

import pytest

from gateway.line.box_state import BoxTelling, model_of
from gateway.line.clock_state import ClockState, Sync
from gateway.line.recorder import Recorder
from gateway.model.alert import OutboxItem
from gateway.model.picture import CameraLink, CameraState
from gateway.settings import Settings
from gateway.store.alert_store import AlertStore
from kit.clock import SimulatedClock
from tests.unit.gateway.settings.kinds import load_case

CAMERA = CameraState(
    camera="gate", asset="yard", title_zh="大门", title_en="Gate", link=CameraLink.LIVE, since_ns=0, address="",
    codec="h264", width_px=640, height_px=480, browser_video=True, why_not="", frames_per_s=1.0, judged_per_s=1.0,
    ailing=(), dangerous_works=False, model_version="heads 3 0123456789ab", survey_version=1,
)  # fmt: skip


class Box:
    def __init__(self, folder: Path) -> None:
        self.settings: Settings = load_case("good-minimal")
        self.cameras: list[CameraState] = []
        self.clock = SimulatedClock(1_000)
        self.alerts = AlertStore(folder, 1 << 20)
        self.recorder = Recorder(self.alerts, "box", "PROJECT-1", (), self.clock)
        known = (lambda: self.settings), (lambda: self.cameras), folder, self.alerts, self.recorder, self.clock
        self.telling = BoxTelling(*known, lambda: ClockState(Sync.FREE))


@pytest.fixture
def box(tmp_path: Path):
    box = Box(tmp_path)
    yield box
    box.alerts.close()


def test_the_state_is_that_of_the_settings_in_force(box: Box) -> None:
    state = box.telling.state()
    assert state.settings_sha256 == box.settings.digest
    assert [(pack.name, pack.origin) for pack in state.rule_packs] == [("national", "shipped")]
    assert (state.models, state.clock, state.started_at_ns) == ((), "free", 1_000)
    box.settings = replace(box.settings, digest="f" * 64)
    assert box.telling.state().settings_sha256 == "f" * 64


def test_a_camera_whose_picture_is_away_still_has_the_model_that_looked_last(box: Box) -> None:
    box.cameras = [CAMERA, replace(CAMERA, camera="crane", model_version="heads 3 0123456789ab")]
    assert [(each.name, each.sha256, each.cameras) for each in box.telling.state().models] == [
        ("heads 3", "0123456789ab", 2)
    ]
    box.cameras = [replace(CAMERA, model_version="")]
    assert [each.cameras for each in box.telling.state().models] == [1]
    box.cameras = []
    assert box.telling.state().models == ()


def test_a_figure_that_cannot_be_had_is_left_out(box: Box) -> None:
    """A new box has measured too little to say how long its disk lasts; an outbox that is away counts nothing."""
    assert box.telling.figures("regulator") == {"waiting": 0}
    box.alerts.path = Path("/nowhere/alerts.db")
    assert box.telling.figures("regulator") == {}


@pytest.mark.parametrize("version", ["", "heads", "heads 3", "heads 3 0123", "heads 3 not-a-digest!", "0123456789ab"])
def test_what_names_no_model_is_none(version: str) -> None:
    assert model_of(version) is None


async def test_a_disk_that_takes_nothing_is_told_with_what_waits_in_memory(box: Box) -> None:
    assert "store_failing" not in box.telling.figures("desk")
    box.alerts._writer._connection.execute("PRAGMA query_only=1")
    await box.recorder.probe()
    box.alerts.unsealed.tell([OutboxItem(0, "desk", "a:raised", "alarm_transition", b"{}", 0, 0)])
    found = box.telling.figures("desk")
    assert (found["store_failing"], found["unsealed"], found["waiting"]) == (1, 1, 1)
    assert box.telling.figures("city")["waiting"] == 0
    await box.recorder.probe()
    assert "store_failing" not in box.telling.figures("desk")
