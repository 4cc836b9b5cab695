"""The helmet rule on real clips: alarms against what was written down by eye before (`bench/vision_clips.csv`).

    python -m bench.vision_clips FOLDER [--model YAML] [--fps 5] [--json]

Detector, tracker, camera health and helmet rule run as in the gateway, over every clip of the table that lies in the
folder. The clips are not part of the project. The last line is one JSON object (`--json`: the only one).

How an alarm is counted: by the row of the table that holds the frame in which it fired, and by the middle of its head.
In one of the row's `bare_regions` (fractions x1 y1 x2 y2, several with ;) it is true, in one of its `unclear_regions`
unclear, elsewhere false. In a row with truth `off_helmet` the first region is the man who took his helmet off. A clip
shorter than `SHORT_S` would be over before any head has votes enough; it is played forwards and backwards until 20 s.
"""

import argparse
import csv
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2

from gateway.model.survey import empty_survey
from vision.camera.plan import CapturePlan
from vision.detector import SHIPPED_MODEL, open_detector
from vision.eye.parts import SiteDetector
from vision.helmets.looks import Say
from vision.helmets.settings import HelmetSettings
from vision.picture.finding import Finding, FindingKind
from vision.picture.frame import Frame
from vision.watch.eye import Sight, WatchEye
from vision.watch.source import frames_of

TABLE = Path(__file__).with_suffix(".csv")
SHORT_S, LONG_ENOUGH_S = 10.0, 20.0
HELMET_FELL_FRAME = 292
BARE_TRUTHS = ("bare_head", "mixed")
Region = tuple[float, ...]


@dataclass(slots=True)
class Row:
    """One row of the table, and what was seen in its frames."""

    clip: str
    from_frame: int
    to_frame: int
    truth: str
    bare: list[Region]
    unclear: list[Region]
    frames: int = 0
    unusable: int = 0
    looks: Counter[str] = field(default_factory=Counter)
    alarms: list[dict[str, Any]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """For JSON."""
        head = {"from": self.from_frame, "to": self.to_frame, "truth": self.truth, "judged": self.frames}
        return {**head, "unusable": self.unusable, "looks": dict(self.looks), "alarms": self.alarms}


def read_table(path: Path = TABLE) -> dict[str, list[Row]]:
    """The rows of each clip, in order. Raises ValueError where a frame is in two rows or in none."""
    rows: dict[str, list[Row]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for entry in csv.DictReader(file):
            bare, unclear = _regions(entry["bare_regions"]), _regions(entry["unclear_regions"])
            row = Row(entry["clip"], int(entry["from_frame"]), int(entry["to_frame"]), entry["truth"], bare, unclear)
            before = rows.setdefault(row.clip, [])
            expected = before[-1].to_frame + 1 if before else 0
            if row.from_frame != expected or row.to_frame < row.from_frame:
                raise ValueError(f"{path}: {row.clip} {row.from_frame}-{row.to_frame}: expected to begin at {expected}")
            before.append(row)
    return rows


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.vision_clips", description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, default=SHIPPED_MODEL)
    parser.add_argument("--fps", type=float, default=5.0)
    parser.add_argument("--json", action="store_true")
    args = parser.parse_args(argv)
    cv2.setNumThreads(1)
    detector = SiteDetector(open_detector(args.model))
    clips: dict[str, Any] = {}
    for name, rows in read_table().items():
        if not (args.folder / name).is_file():
            print(f"{name}: not in {args.folder}, left out", file=sys.stderr)
            continue
        clips[name] = run_clip(detector, args.folder / name, rows, args.fps)
        if not args.json:
            print("\n".join(_lines(name, rows, clips[name])), flush=True)
    figures = {"model": detector.version, "fps": args.fps, **_totals(clips), "clips": clips}
    print(json.dumps(figures))
    return 0 if clips else 2


def run_clip(
    detector: SiteDetector, path: Path, rows: list[Row], fps: float, settings: HelmetSettings | None = None
) -> dict[str, Any]:
    """Look at one clip; fills its rows."""
    eye = WatchEye(detector, empty_survey(path.name), settings)
    end_s = 0.0
    fps_of_clip = 0.0
    for number, frame in _frames(path, fps):
        sight = eye.look(frame)
        row = next(row for row in rows if row.from_frame <= number <= row.to_frame)
        _count(row, sight, number)
        end_s = frame.captured_at_ns / 1e9
        fps_of_clip = fps_of_clip or (number / end_s if number and end_s else 0.0)
    clip = {"seconds": round(end_s, 1), "frames_per_s": round(fps_of_clip, 2), "rows": [row.document() for row in rows]}
    return {**clip, **_found(rows, fps_of_clip)}


def _frames(path: Path, fps: float) -> Iterator[tuple[int, Frame]]:
    """Frames with their number in the clip; a short clip to and fro."""
    frames = frames_of(CapturePlan(path.name, str(path), realtime=False), fps)
    kept: list[Frame] = []
    for frame in frames:
        yield frame.seq, frame
        if frame.captured_at_ns < SHORT_S * 1e9:
            kept.append(frame)
    if not kept or frame is not kept[-1]:
        return
    at_ns, seq, step_ns = kept[-1].captured_at_ns, kept[-1].seq, round(1e9 / fps)
    to_and_fro = kept[-2:0:-1] + kept[:-1]
    while at_ns < LONG_ENOUGH_S * 1e9 and to_and_fro:
        for shown in to_and_fro:
            at_ns, seq = at_ns + step_ns, seq + 1
            yield shown.seq, replace(shown, captured_at_ns=at_ns, seq=seq)


def _count(row: Row, sight: Sight, number: int) -> None:
    row.frames += 1
    row.unusable += not sight.health.usable
    row.looks.update(view.look.say.value for view in sight.views)
    for finding in sight.findings:
        if finding.kind is FindingKind.BARE_HEAD and finding.fired:
            row.alarms.append(_alarm(row, finding, sight, number))


def _alarm(row: Row, finding: Finding, sight: Sight, number: int) -> dict[str, Any]:
    assert finding.box_px is not None
    x = (finding.box_px[0] + finding.box_px[2]) / 2 / sight.frame.width_px
    y = (finding.box_px[1] + finding.box_px[3]) / 2 / sight.frame.height_px
    within = [_in(region, x, y) for region in row.bare]
    what = "true" if any(within) else "unclear" if any(_in(region, x, y) for region in row.unclear) else "false"
    first = bool(within) and within[0]
    about = {key: finding.about[key] for key in ("track", "head_px", "bare_share", "score")}
    return {"frame": number, "at": [round(x, 3), round(y, 3)], "what": what, "first_region": first, **about}


def _found(rows: list[Row], fps: float) -> dict[str, Any]:
    """What was to be found in this clip, and how long it took; stretches shorter than the votes are left out."""
    figures: dict[str, Any] = {}
    bare = [row for row in rows if row.bare and row.truth in BARE_TRUTHS and row.to_frame - row.from_frame >= 5 * fps]
    if bare:
        first = [next((alarm for alarm in row.alarms if alarm["what"] == "true"), None) for row in bare]
        delays = [
            round((alarm["frame"] - row.from_frame) / fps, 1) if alarm else None
            for row, alarm in zip(bare, first, strict=True)
        ]
        found = sum(alarm is not None for alarm in first)
        figures["bare_stretches"] = {"n": len(bare), "found": found, "delay_s": delays}
    off = [row for row in rows if row.truth == "off_helmet"]
    if off:
        alarms = [alarm for row in off for alarm in row.alarms if alarm["first_region"]]
        usable_from = next(row.from_frame for row in off if row.from_frame > HELMET_FELL_FRAME)
        figures["helmet_taken_off"] = {
            "found": bool(alarms),
            "frame": alarms[0]["frame"] if alarms else None,
            "delay_after_fall_s": round((alarms[0]["frame"] - HELMET_FELL_FRAME) / fps, 1) if alarms else None,
            "delay_after_upright_s": round((alarms[0]["frame"] - usable_from) / fps, 1) if alarms else None,
        }
    return figures


def _totals(clips: dict[str, Any]) -> dict[str, Any]:
    rows = [row for clip in clips.values() for row in clip["rows"]]
    looks: Counter[str] = Counter()
    for row in rows:
        looks.update(row["looks"])
    compliant = [row for row in rows if row["truth"] == "compliant"]
    votes = {say: sum(row["looks"].get(say, 0) for row in compliant) for say in (Say.BARE, Say.WORN, Say.ALONE)}
    false = [alarm for row in rows for alarm in row["alarms"] if alarm["what"] == "false"]
    return {
        "alarms_in_compliant_stretches": sum(len(row["alarms"]) for row in compliant),
        "votes_in_compliant_stretches": {say.value: n for say, n in votes.items()},
        "false_alarms_anywhere": len(false),
        "unclear_alarms": sum(alarm["what"] == "unclear" for row in rows for alarm in row["alarms"]),
        "true_alarms": sum(alarm["what"] == "true" for row in rows for alarm in row["alarms"]),
        "unusable_frames": sum(row["unusable"] for row in rows),
        "abstentions": {say.value: looks[say] for say in Say if say not in (Say.BARE, Say.WORN, Say.ALONE)},
    }


def _lines(name: str, rows: list[Row], clip: dict[str, Any]) -> list[str]:
    lines = [f"{name}: {clip['seconds']} s"]
    for row in rows:
        looks = ", ".join(f"{say} {n}" for say, n in row.looks.most_common())
        alarms = "; ".join(f"ALARM {alarm['what']} at frame {alarm['frame']}" for alarm in row.alarms)
        unusable = f"{row.unusable} unusable, " if row.unusable else ""
        where = f"  {row.from_frame:5}-{row.to_frame:<5} {row.truth:16}"
        lines.append(f"{where} {row.frames:4} judged, {unusable}{looks or 'nobody seen'}  {alarms}")
    for key in ("bare_stretches", "helmet_taken_off"):
        if key in clip:
            lines.append(f"  {key}: {clip[key]}")
    return lines


def _regions(text: str) -> list[Region]:
    regions = [tuple(float(side) for side in part.split()) for part in text.split(";") if part.strip()]
    if any(len(region) != 4 for region in regions):
        raise ValueError(f"{text!r}: four numbers a region expected")
    return regions


def _in(region: Region, x: float, y: float) -> bool:
    x1, y1, x2, y2 = region
    return x1 <= x <= x2 and y1 <= y <= y2


if __name__ == "__main__":
    sys.exit(main())
