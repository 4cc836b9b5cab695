"""What cameras cost: the detector, a picture's whole path, six cameras on two cores, memory, and how late an alarm is.

    python -m bench.vision [--seconds 30] [--cameras 6] [--json]

Films and scenes are drawn here. Times of one thread are processor time of that thread, so that a busy machine measures
the same; the six cameras run for real, with their own processes, and need the machine for themselves.
"""

import argparse
import asyncio
import hashlib
import json
import math
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from drivers.sim.camera_scene import draw_scene, scene_survey
from drivers.sim.camera_story import CameraStory
from gateway.model.reading import Readings
from gateway.ports import BoundDevice, BoundLink
from kit.clock import SystemClock
from vision.camera.measure import capture_footprint, decode_cost, make_film
from vision.camera.settings import CameraLinkSettings
from vision.driver import CameraDriver
from vision.eye.mind import CameraMind
from vision.eye.models import ModelShelf
from vision.eye.parts import SiteDetector, open_model, open_parts
from vision.eye.settings import CameraDeviceSettings, CameraTable
from vision.eye.watched import Watched
from vision.eye_hub import EyeHub
from vision.picture.frame import Frame
from vision.site_eyes import SiteEyes

FULL_HD = (1920, 1080)
FPS, ANALYSED_PER_S = 15, 5.0
KEYS = ("bare_head_1", "usable", "heads", "judged_per_s")


def full_hd_frames(count: int) -> list[Frame]:
    """The drawn story at 1080p, a second apart."""
    story = CameraStory()
    frames = []
    for i in range(count):
        image = cv2.resize(draw_scene(story.state(8.0 + i), i), FULL_HD, interpolation=cv2.INTER_LINEAR)
        frames.append(Frame("cam", i + 1, (i + 1) * 200_000_000, (i + 1) * 200_000_000, False, 1, np.asarray(image)))
    return frames


def cpu_ms(work: Callable[[Frame], object], frames: list[Frame], rounds: int) -> float:
    """Median processor time of this thread for one frame, after a warm-up."""
    spent: list[float] = []
    for turn in range(rounds + 1):
        for frame in frames:
            began_s = time.thread_time()
            work(frame)
            if turn:
                spent.append(time.thread_time() - began_s)
    return 1000 * statistics.median(spent)


def whole_judging(detector: SiteDetector, edges: bool) -> Callable[[Frame], object]:
    """Everything that the eye does with a 1080p frame that moved: health, detector, tracks, helmets, edges, stills."""
    ok, encoded = cv2.imencode(".jpg", full_hd_frames(1)[0].image)
    assert ok
    survey = scene_survey("cam", 1, 0, "bench", hashlib.sha256(encoded.tobytes()).hexdigest())
    asked = CameraDeviceSettings(id="cam", link="cam", asset="cam", table="site-camera")
    watched = Watched("cam", "", asked, survey, encoded.tobytes() if edges else b"")
    mind = CameraMind(watched, open_parts(watched, ModelShelf(lambda _path, _backend, _provider: detector), 0, 0))
    clock = {"ns": 0}

    def judge(frame: Frame) -> object:
        clock["ns"] += 200_000_000
        mind.look(frame, clock["ns"], clock["ns"])
        (found,) = detector.detect([frame], [()])
        return mind.judge(frame, found, detector.version, clock["ns"], clock["ns"])

    return judge


def one_path(film: Path) -> dict[str, float]:
    """Milliseconds of one thread for a 1080p picture, by stage, and the whole against decoding and inference."""
    detector, frames = open_model(None, "onnxruntime"), full_hd_frames(8)
    decoding = decode_cost(film)
    plain = detector._detector
    spent = plain.spent
    detect_ms = cpu_ms(lambda frame: detector.detect([frame], [()]), frames, 6)
    infer_ms = spent.infer_ns / 1e6 / max(1, spent.pictures)
    judge_ms = cpu_ms(whole_judging(detector, edges=False), frames, 6)
    with_edges_ms = cpu_ms(whole_judging(detector, edges=True), frames, 6)
    whole_ms = decoding.decode_ms + decoding.convert_ms + judge_ms
    return {
        "detector_ms": detect_ms,
        "inference_wall_ms": infer_ms,
        "decode_ms": decoding.decode_ms,
        "convert_ms": decoding.convert_ms,
        "judge_ms": judge_ms,
        "judge_with_edges_ms": with_edges_ms,
        "whole_ms": whole_ms,
        "whole_against_decode_and_detector": whole_ms / (decoding.decode_ms + detect_ms),
    }


class Noting:
    """A sink that notes how late each reading is, by the frame that it is about."""

    def __init__(self) -> None:
        self.late_ms: list[float] = []
        self.rates: dict[str, float] = {}

    def offer(self, readings: Readings) -> bool:
        """Note it."""
        values = dict(zip(KEYS, readings.value.tolist(), strict=True))
        if math.isfinite(values["usable"]):
            self.late_ms.append((time.time_ns() - readings.received_at_ns) / 1e6)
        self.rates[readings.device] = values["judged_per_s"]
        return True

    async def put(self, _readings: Readings) -> Any:
        """Cameras poll: nothing of theirs waits for room."""
        raise AssertionError("a camera offers its readings")

    def set_aside(self, _device: str, _payload: bytes, reason: str) -> None:
        """Nothing of a camera is set aside."""
        raise AssertionError(reason)


async def together(film: Path, cameras: int, seconds: float) -> dict[str, Any]:
    """So many cameras of 1080p at 15 a second, judged at 5: rates, processor time, lateness."""
    clock = SystemClock()
    points = [{"key": key, "title_zh": key, "title_en": key} for key in KEYS]
    about = {"version": 1, "model": "bench", "title_zh": "b", "title_en": "b", "source": "bench", "certainty": "PD"}
    table = CameraTable.model_validate({**about, "driver": "camera", "points": points})
    drivers = []
    for n in range(cameras):
        name = f"cam-{n}"
        link = CameraLinkSettings(id=name, source=str(film), loop=True)
        asked = CameraDeviceSettings(id=name, link=name, asset=name, table="bench", analyse_fps=ANALYSED_PER_S)
        bound = BoundDevice(asked, table, (), np.arange(len(points), dtype=np.int32))
        drivers.append(CameraDriver(BoundLink(link, (bound,)), clock))
    eyes, sink = SiteEyes(EyeHub(clock), dict), Noting()
    eyes.use(drivers)
    tasks = [asyncio.create_task(eyes.hub.run()), *(asyncio.create_task(driver.run(sink)) for driver in drivers)]
    try:
        await _all_judged(eyes, 90.0)
        await asyncio.sleep(6.0)
        sink.late_ms.clear()
        before, began_s = _processes(eyes, drivers), time.monotonic()
        await asyncio.sleep(seconds)
        passed_s, after = time.monotonic() - began_s, _processes(eyes, drivers)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return _figures(before, after, passed_s, sink)


async def _all_judged(eyes: SiteEyes, within_s: float) -> None:
    async with asyncio.timeout(within_s):
        while not all(state.model_version for state in eyes.cameras()):
            await asyncio.sleep(0.2)


def _processes(eyes: SiteEyes, drivers: list[CameraDriver]) -> dict[str, float]:
    """CPU seconds so far of the eye and of all captures."""
    pids = [driver.capture.state().pid for driver in drivers if driver.capture is not None]
    assert eyes.hub.state.pid is not None
    return {"eye": _cpu_s(eyes.hub.state.pid), "captures": sum(_cpu_s(pid) for pid in pids if pid is not None)}


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _figures(before: dict[str, float], after: dict[str, float], passed_s: float, sink: Noting) -> dict[str, Any]:
    eye, captures = ((after[name] - before[name]) / passed_s for name in ("eye", "captures"))
    late = sorted(sink.late_ms) or [float("nan")]
    return {
        "cameras": len(sink.rates),
        "judged_per_s": round(sum(sink.rates.values()), 1),
        "judged_per_s_least": round(min(sink.rates.values(), default=0.0), 2),
        "eye_cores": round(eye, 3),
        "capture_cores": round(captures, 3),
        "margin_of_two_cores": round(1 - (eye + captures) / 2, 3),
        "late_ms_p50": round(late[len(late) // 2], 1),
        "late_ms_p95": round(late[int(len(late) * 0.95)], 1),
        "late_ms_max": round(late[-1], 1),
        "machine_load": round(os.getloadavg()[0], 1),
    }


def measure(seconds: float = 30.0, cameras: int = 6) -> dict[str, Any]:
    """All figures."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        film = Path(folder) / "film.mp4"
        make_film(film, "h264", FULL_HD, FPS, 20.0)
        settings = CameraLinkSettings(id="cam", source=str(film), loop=True)
        footprint = asyncio.run(capture_footprint(settings, min(seconds, 20.0)))
        return {
            "path": {name: round(value, 2) for name, value in one_path(film).items()},
            "capture_rss_mb": round(footprint.peak_rss_mb, 1),
            "capture_own_mb": round(footprint.own_mb, 1),
            "together": asyncio.run(together(film, cameras, seconds)),
        }


def report(found: dict[str, Any]) -> str:
    """As `make bench` prints it."""
    path, run = found["path"], found["together"]
    return "\n".join(
        (
            "cameras, 1080p H.264, processor time of one thread for a picture, ms",
            f"  detector {path['detector_ms']}   aim <= 15",
            f"  decode {path['decode_ms']}, convert {path['convert_ms']}, all judging {path['judge_ms']}"
            f" (with edges {path['judge_with_edges_ms']})",
            f"  the whole {path['whole_ms']} = {path['whole_against_decode_and_detector']} x (decode + detector)"
            "   aim <= 1.3",
            f"  a capture process {found['capture_rss_mb']} MB, {found['capture_own_mb']} of its own   aim <= 100",
            f"{run['cameras']} cameras at {FPS}/s, analysed at {ANALYSED_PER_S:g}/s: {run['judged_per_s']} judged/s,"
            f" the slowest {run['judged_per_s_least']}",
            f"  cores: eye {run['eye_cores']}, captures {run['capture_cores']};"
            f" {100 * run['margin_of_two_cores']:.0f} % of two cores left (machine load {run['machine_load']})",
            f"  picture on the box -> reading, ms: p50 {run['late_ms_p50']}, p95 {run['late_ms_p95']},"
            f" max {run['late_ms_max']}   aim < 1000",
        )
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.vision", description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--cameras", type=int, default=6)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = measure(options.seconds, options.cameras)
    print(json.dumps(found) if options.json else report(found))


if __name__ == "__main__":
    main()
