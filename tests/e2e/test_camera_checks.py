"""A danger zone all the way: drawn, tried out by `commission` with the real capture and the real eye, armed, and then
an alarm of the gateway. Before it is tried out the same scene raises nothing and is unknown, with the reason.

Real time, bounded: the file plays for half a minute and begins again.
"""

import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from drivers.sim.camera_figure import Pose, Worker
from drivers.sim.camera_scene import SceneState, Standing, draw_scene
from gateway.model.survey import Survey, Zone, ZoneUse
from gateway.parts.camera.survey_store import SurveyStore
from gateway.settings import load
from sitewarden.commissioning.command import CommissionOptions, run_commission
from sitewarden.commissioning.walk import Pacing
from sitewarden.composition.box import DRIVERS, UPLINKS
from sitewarden.composition.kinds import KINDS
from tests.e2e.test_camera_line import records
from tests.fakes.camera_file import write_video
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.mosquitto import free_port
from tests.fakes.waiting import wait_until
from vision.survey.parsing import read_survey

TITLES = {"title_zh": "测试", "title_en": "Test"}
FPS, PLAYS_S, INSIDE_S = 8, 32, 14  # whoever is gone has left the zone after 10 s
RULE = "vision.in_danger_zone"
LEFT_HALF = ((0.0, 0.5), (0.5, 0.5), (0.5, 1.0), (0.0, 1.0))


def somebody_steps_in(i: int) -> np.ndarray:
    """Somebody is in the left half for the first part of the film; somebody else stays in the right one."""
    sway = 20 * np.sin(i / 9)
    far = Standing(760 + sway, 470, 260, Worker(helmet=(60, 60, 220)), Pose())
    near = Standing(280 + sway, 515, 320, Worker(), Pose(turn=0.2))
    return draw_scene(SceneState((far, near) if i < FPS * INSIDE_S else (far,)), i)


def write_site(folder: Path, video: Path, port: int) -> Path:
    device = {"id": "cam-1-eye", "link": "cam-1", "asset": "cam-1", "table": "site-camera"}
    site = {
        "version": 1,
        "box": {"id": "camera-box"},
        "site": {"project_code": "E2E-9", **TITLES},
        "storage": {"folder": str(folder / "box"), "reserve_mib": 1, "history": {"flush_ms": 100}},
        "rule_packs": ["national"],
        "assets": [{"id": "cam-1", "kind": "camera-post", "serial": "C-1", **TITLES}],
        "links": [{"id": "cam-1", "driver": "camera", "source": str(video), "loop": True}],
        "devices": [device | {"checks": ["in_danger_zone"]}],
        "uplinks": [],
        "web": {"host": "127.0.0.1", "port": port},
    }
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    return path


def keep_zone(box: Path) -> None:
    body = bytes(cv2.imencode(".jpg", somebody_steps_in(FPS * INSIDE_S))[1])
    zone = Zone("pit", "基坑", ZoneUse.DANGER, LEFT_HALF)
    survey = Survey("cam-1-eye", 1, 1, "an", hashlib.sha256(body).hexdigest(), (zone,))
    SurveyStore(box, read_survey).keep(survey, body)


def raised(box: Path) -> list[str]:
    sealed = [content["alarm"] for content in records(box, "alarm_transition") if content["transition"] == "raised"]
    return [alarm["subject"] for alarm in sealed if alarm["rule_id"] == RULE]


def reasons(gateway: GatewayProcess) -> str:
    """Why the first place cannot be judged, as the box says it."""
    rows = gateway.get("/api/alarms")["unknown"]
    return " ".join(row["reason_en"] for row in rows if row["subject"] == "cam-1.in_danger_zone_1")


@pytest.mark.timeout(300)
def test_a_danger_zone_raises_nothing_before_it_was_tried_out_and_an_alarm_after(tmp_path: Path) -> None:
    cv2.setNumThreads(1)
    box, port = tmp_path / "box", free_port()
    video = write_video(tmp_path / "pit.mp4", somebody_steps_in, FPS * PLAYS_S, FPS)
    site = write_site(tmp_path, video, port)
    keep_zone(box)
    with GatewayProcess(site, f"http://127.0.0.1:{port}") as gateway:
        wait_until(lambda: "has not confirmed" in reasons(gateway), f"the reason why it is off, see {gateway.log}", 60)
        assert raised(box) == []
    answers = tmp_path / "answers.yaml"
    answers.write_text("cam-1: {in_danger_zone: done, in_danger_zone_ends: done}\n", encoding="utf-8")
    said: list[str] = []
    options = CommissionOptions(answers=answers, yes=True, pacing=Pacing(1, 0.1, 60.0))
    run_commission(load(site, DRIVERS, UPLINKS, KINDS), options, said.append)
    assert "cam-1: in_danger_zone: confirmed" in said
    with GatewayProcess(site, f"http://127.0.0.1:{port}") as gateway:
        wait_until(lambda: raised(box), f"somebody in the zone, see {gateway.log}", 60)
    assert raised(box)[0] == "cam-1.in_danger_zone_1"
