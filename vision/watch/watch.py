"""`sitewarden vision watch SOURCE`: what the eye makes of a clip, a folder of pictures or a stream.

In: arguments. Out: one line on standard output for every change of a finding and of the camera's health (`--json`: JSON
lines, the last one a summary), and with `--out` a video file, with `--window` a window with boxes, tracks and votes
drawn. Exit status: 0 the source was watched to its end or until the user stopped, 1 it broke off, 2 nothing could be
watched. Nothing is kept and nobody is alarmed.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from gateway.model.survey import Survey, SurveyError, empty_survey
from gateway.model.verdict import Truth
from vision.camera.address import checked_source, redact
from vision.camera.faults import CaptureFault
from vision.camera.plan import CapturePlan
from vision.detector import SHIPPED_MODEL, Backend, ModelError, open_detector
from vision.edges.taped import guarded, taped_edges
from vision.edges.watch import EdgeWatch
from vision.eye.parts import SiteDetector
from vision.eye.view_edges import EdgesByView, ViewEdges
from vision.helmets.settings import settings_at
from vision.survey.parsing import read_survey
from vision.watch.eye import Sight, WatchEye
from vision.watch.picture import VideoFile, WatchError, Window, draw
from vision.watch.source import frames_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that this command takes."""
    parser.add_argument("source", help="video file, folder of pictures, rtsp://host/path or v4l2:/dev/video0")
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL, help="registry entry (YAML); the shipped one")
    parser.add_argument("--backend", default="onnxruntime", choices=[str(backend) for backend in Backend])
    parser.add_argument("--survey", type=Path, help="JSON of a survey: its zones, and its edges with --reference")
    parser.add_argument("--reference", type=Path, help="the picture that the survey was drawn on, for its edges")
    parser.add_argument("--night-reference", type=Path, help="the same view by lamps, for edges by night")
    parser.add_argument("--fps", type=float, default=5.0, help="frames a second that are judged, at most")
    parser.add_argument(
        "--min-head-px", type=float, default=20.0, help="smaller heads abstain; as the network sees them"
    )
    parser.add_argument(
        "--vote-s", type=float, default=5.0, help="seconds of votes before a head is believed to be bare"
    )
    parser.add_argument("--frames", type=int, help="stop after so many judged frames")
    parser.add_argument("--username", default="", help="of the camera; its password is read from --password-file")
    parser.add_argument("--password-file", type=Path, help="file whose first line is the camera's password")
    parser.add_argument("--out", type=Path, metavar="FILE.mp4", help="write a video with what was seen drawn in")
    parser.add_argument("--window", action="store_true", help="show it in a window (needs the desktop extra)")
    parser.add_argument("--json", action="store_true", help="JSON lines instead of text")


def run(args: argparse.Namespace) -> int:
    """Watch until the source ends."""
    try:
        plan, eye = _plan(args), _eye(args)
        screens = _screens(args)
    except (ModelError, SurveyError, WatchError, OSError, ValueError) as error:
        return _refuse(str(error))
    report = Report(as_json=args.json)
    try:
        return _watch(args, plan, eye, screens, report)
    except CaptureFault as fault:
        return _refuse(redact(f"{plan.source}: {fault}", plan.username, plan.password), 1 if report.frames else 2)
    except WatchError as error:
        return _refuse(str(error))
    except KeyboardInterrupt:
        return 0
    finally:
        for screen in screens:
            screen.close()
        report.end(eye.helmets.counts)


class Report:
    """Prints what changed from frame to frame. `frames` counts judged ones."""

    def __init__(self, as_json: bool) -> None:
        self.frames = 0
        self._json = as_json
        self._truths: dict[str, Truth] = {}
        self._usable: bool | None = None
        self._totals: Counter[str] = Counter()
        self._began_s = time.perf_counter()

    def take(self, sight: Sight) -> None:
        """Say what is new in this frame."""
        self.frames += 1
        self._totals["unusable_frames"] += not sight.health.usable
        self._totals["cuts"] += sight.cut
        at = {"at_s": round(sight.frame.captured_at_ns / 1e9, 3), "frame": sight.frame.seq}
        if sight.health.usable is not self._usable:
            self._usable = sight.health.usable
            ailing = [str(ailment) for ailment, truth in sight.health.ailing.items() if truth is Truth.TRUE]
            self._print({**at, "usable": self._usable, "ailing": ailing})
        for finding in sight.findings:
            before = self._truths.get(finding.key, Truth.FALSE)
            self._truths[finding.key] = finding.truth
            if finding.fired or (Truth.TRUE in (before, finding.truth) and before is not finding.truth):
                self._totals["fired"] += finding.fired
                truth = {"truth": finding.truth.name.lower(), "fired": finding.fired}
                box = [round(side, 1) for side in finding.box_px] if finding.box_px else None
                self._print({**at, "key": finding.key, **truth, "about": dict(finding.about), "box_px": box})

    def end(self, counts: Mapping[str, int]) -> None:
        """The summary."""
        spent_s = round(time.perf_counter() - self._began_s, 2)
        totals = {key: self._totals[key] for key in ("fired", "cuts", "unusable_frames")}
        self._print({"frames_judged": self.frames, "spent_s": spent_s, **totals, "looks": dict(counts)})

    def _print(self, said: dict[str, Any]) -> None:
        line = json.dumps(said) if self._json else "  ".join(f"{key}={_plain(value)}" for key, value in said.items())
        print(line, flush=True)


def _watch(
    args: argparse.Namespace, plan: CapturePlan, eye: WatchEye, screens: list[VideoFile | Window], report: Report
) -> int:
    for frame in frames_of(plan, args.fps):
        sight = eye.look(frame)
        report.take(sight)
        if screens:
            picture = draw(sight)
            if not all(screen.show(picture) is not False for screen in screens):
                break
        if report.frames == args.frames:
            break
    return 0


def _plan(args: argparse.Namespace) -> CapturePlan:
    if not args.fps > 0:
        raise ValueError(f"--fps is {args.fps:g}, expected more than 0")
    password = ""
    if args.password_file is not None:
        password = args.password_file.read_text(encoding="utf-8").partition("\n")[0].strip()
    try:
        source = checked_source(args.source)
    except ValueError as error:
        raise ValueError(f"source: expected {error}") from None
    return CapturePlan("watch", source, username=args.username, password=password, realtime=False)


def _eye(args: argparse.Namespace) -> WatchEye:
    survey = _survey(args.survey)
    detector = SiteDetector(open_detector(args.model, args.backend, threads=1))
    settings = settings_at(args.fps, detector.vote_scores(detector.thresholds), args.min_head_px, args.vote_s)
    reference, night = _picture(args.reference), _picture(args.night_reference)
    if reference is None:
        if night is not None:
            raise ValueError("--night-reference without --reference; the edges are drawn on that")
        return WatchEye(detector, survey, settings)
    grey = np.asarray(cv2.cvtColor(reference, cv2.COLOR_BGR2GRAY), np.uint8)
    watch = EdgeWatch(guarded(survey), reference, night_image=night)
    edges = EdgesByView([ViewEdges("", watch, taped_edges(survey))])
    edges.look_at("")
    return WatchEye(detector, survey, settings, edges, grey)


def _picture(path: Path | None) -> NDArray[np.uint8] | None:
    if path is None:
        return None
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path}: not a picture (JPEG or PNG expected)")
    return np.asarray(image, np.uint8)


def _survey(path: Path | None) -> Survey:
    if path is None:
        return empty_survey("watch")
    try:
        return read_survey(json.loads(path.read_text(encoding="utf-8")))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: not JSON: {error}") from None
    except SurveyError as error:
        raise ValueError(f"{path}: {error}") from None


def _screens(args: argparse.Namespace) -> list[VideoFile | Window]:
    screens: list[VideoFile | Window] = []
    if args.out is not None:
        if args.out.exists() and Path(args.source).exists() and args.out.samefile(args.source):
            raise WatchError(f"{args.out}: --out is the source itself; another file expected")
        screens.append(VideoFile(args.out, args.fps))
    if args.window:
        screens.append(Window())
    return screens


def _refuse(text: str, status: int = 2) -> int:
    print(f"sitewarden: {text}", file=sys.stderr)
    return status


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}:{each}" for key, each in value.items())
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
