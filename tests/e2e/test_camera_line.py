"""One camera all the way: a drawn scene in a video file, the real capture process, the eye with the shipped model, the
alarm, its sealed pictures, and the same bodies at the regulator.

Real time, bounded: the file plays for fourteen seconds and begins again.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml

from contract.chain import ChainHead
from drivers.sim.camera_figure import Pose, Worker
from drivers.sim.camera_scene import SceneState, Standing, draw_scene
from gateway.store.alert_store import open_for_reading
from tests.fakes.camera_file import write_video
from tests.fakes.gateway_process import GatewayProcess
from tests.fakes.mosquitto import free_port
from tests.fakes.regulator import FakeRegulator
from tests.fakes.waiting import wait_until

TITLES = {"title_zh": "测试", "title_en": "Test"}
FPS, PLAYS_S = 8, 14
RULE = "vision.bare_head"


def bare_headed(i: int) -> np.ndarray:
    """Somebody without a helmet in the middle of the floor, one with in the back."""
    sway = 30 * np.sin(i / 9)
    near = Standing(320 + sway, 522, 340, Worker(), Pose(helmet_on=False, turn=0.2))
    far = Standing(800 - sway / 2, 452, 236, Worker(helmet=(60, 60, 220)), Pose())
    return draw_scene(SceneState((far, near)), i)


def write_site(folder: Path, video: Path, regulator_url: str, port: int) -> Path:
    site = {
        "version": 1,
        "box": {"id": "camera-box"},
        "site": {"project_code": "E2E-8", **TITLES},
        "storage": {"folder": str(folder / "box"), "reserve_mib": 1, "history": {"flush_ms": 100}},
        "rule_packs": ["national"],
        "assets": [{"id": "cam-1", "kind": "camera-post", "serial": "C-1", **TITLES}],
        "links": [{"id": "cam-1", "driver": "camera", "source": str(video), "loop": True}],
        "devices": [{"id": "cam-1-eye", "link": "cam-1", "asset": "cam-1", "table": "site-camera", "vote_s": 3}],
        "uplinks": [
            {"name": "desk", "kind": "regulator", "url": regulator_url, "enrol_code": {"file": str(folder / "code")}}
        ],
        "web": {"host": "127.0.0.1", "port": port},
    }
    path = folder / "site.yaml"
    path.write_text(yaml.safe_dump(site, allow_unicode=True), encoding="utf-8")
    return path


def records(folder: Path, kind: str) -> list[dict[str, Any]]:
    found = [json.loads(record.body) for record in open_for_reading(folder).all_evidence()]
    return [record["content"] for record in found if record["kind"] == kind]


def alarms(folder: Path) -> list[dict[str, Any]]:
    sealed = [content for content in records(folder, "alarm_transition") if content["transition"] == "raised"]
    return [content for content in sealed if content["alarm"]["rule_id"] == RULE]


def kept(folder: Path, media_class: str) -> list[dict[str, Any]]:
    """Items of this class that the chain says are kept."""
    items = [item for content in records(folder, "media") for item in content["items"]]
    return [item for item in items if item["class"] == media_class and "sha256" in item]


@pytest.mark.timeout(240)
def test_a_bare_head_is_an_alarm_with_pictures_that_the_regulator_holds(tmp_path: Path) -> None:
    cv2.setNumThreads(1)
    video = write_video(tmp_path / "floor.mp4", bare_headed, FPS * PLAYS_S, FPS)
    box = tmp_path / "box"
    with FakeRegulator(tmp_path, max_blob_bytes=16 << 20) as regulator:
        (tmp_path / "code").write_text(regulator.code_for("camera-box", "E2E-8"))
        port = free_port()
        site = write_site(tmp_path, video, regulator.url, port)
        with GatewayProcess(site, f"http://127.0.0.1:{port}") as gateway:
            wait_until(lambda: alarms(box), f"a bare head, see {gateway.log}", 60)
            wait_until(lambda: len(kept(box, "strip")) >= 2, f"the strip in the chain, see {gateway.log}", 40)
            digests = {item["sha256"] for name in ("frame", "strip") for item in kept(box, name)}
            wait_until(lambda: digests <= blobs(regulator), f"the pictures at the regulator, see {gateway.log}", 40)
        held = {alert["subject"] for alert in regulator.store.alerts() if alert["rule_id"] == RULE}
    assert_evidence(box, held)
    assert isinstance(open_for_reading(box).verify(), ChainHead)


def blobs(regulator: FakeRegulator) -> set[str]:
    """Digests of the bodies that the regulator holds, each read and digested again."""
    return {hashlib.sha256(body).hexdigest() for body in regulator_bodies(regulator)}


def regulator_bodies(regulator: FakeRegulator) -> list[bytes]:
    folder = regulator.folder / "blobs"
    return [path.read_bytes() for path in folder.rglob("*") if path.is_file()] if folder.is_dir() else []


def assert_evidence(box: Path, held: set[str]) -> None:
    """The alarm names its place, and the frame that fired is in the samples as well as in the media record."""
    alarm = alarms(box)[0]
    assert held >= {alarm["alarm"]["subject"]}
    assert alarm["alarm"]["subject"].startswith("cam-1.bare_head_")
    assert alarm["alarm"]["severity"] == "P2"
    key = alarm["alarm"]["subject"].removeprefix("cam-1.")
    said = json.loads(bytes.fromhex(alarm["samples"][-1]["raw_payload_hex"]))
    frame = said["findings"][key]["frame_sha256"]
    assert frame in {item["sha256"] for item in kept(box, "frame")}
    (sealed,) = [item for item in kept(box, "frame") if item["sha256"] == frame]
    assert (sealed["width_px"], sealed["height_px"]) == (960, 540)
    assert any(row[4] == 1 for row in sealed["boxes"]), "the bare head's box lies beside the pixels"
