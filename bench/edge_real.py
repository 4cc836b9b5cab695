"""The edge check over scenes made of real photographs (`bench.edge_real_scenes`), by kind of protection, as JSON.

    python -m bench.edge_real FOLDER                     24 scenes for trying, of every second series of pictures
    python -m bench.edge_real FOLDER --report            24 others, of the other series: nothing is tuned on them
    python -m bench.edge_real FOLDER --guarded-s 3600    nothing is taken away: false sections and UNKNOWN alone

`told`: sections of which true findings named six tenths of the metres within 60 s. `bare_called_ok`: share of the metre
seconds of what is away, from the second in which it went. Tape is counted apart: it is never protection, so the whole
edge is away from the first second on, whether tape hangs there or not.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from bench.edge_real_scenes import LENGTH_S, Folder, RealScene
from gateway.model.verdict import Truth
from vision.edges.scoring import MissingSection, Tally
from vision.edges.taped import guarded as guarded_edges
from vision.edges.taped import taped_edges
from vision.edges.watch import EdgeWatch, Section
from vision.picture.finding import Finding, FindingKind
from vision.picture.frame import Frame

SECOND: Final = 1_000_000_000
WITHIN_S: Final = 60
ENOUGH: Final = 0.6
TRYING, REPORTING = 0, 9000


@dataclass(slots=True)
class Count:
    """Of one or several scenes of a kind. Metre seconds by verdict, of what was away and of what stood."""

    asked: int = 0
    told: int = 0
    named: list[float] = field(default_factory=list)
    away_ms: dict[str, float] = field(default_factory=dict)
    late_ms: dict[str, float] = field(default_factory=dict)
    guarded_ms: dict[str, float] = field(default_factory=dict)
    false: int = 0
    frames: int = 0
    spent_s: float = 0.0

    def add(self, other: "Count") -> None:
        """Take another one in."""
        self.asked, self.told, self.false = self.asked + other.asked, self.told + other.told, self.false + other.false
        self.frames, self.spent_s = self.frames + other.frames, self.spent_s + other.spent_s
        self.named += other.named
        for mine, theirs in (
            (self.away_ms, other.away_ms), (self.late_ms, other.late_ms), (self.guarded_ms, other.guarded_ms)
        ):  # fmt: skip
            for verdict, metres in theirs.items():
                mine[verdict] = mine.get(verdict, 0.0) + metres

    def said(self) -> dict[str, Any]:
        """For JSON."""
        whole = {v: self.away_ms.get(v, 0) + self.guarded_ms.get(v, 0) for v in {*self.away_ms, *self.guarded_ms}}
        days = self.frames / 86_400
        return {
            "gaps": self.asked,
            "told": self.told,
            "told_share": _share(self.told, self.asked),
            "metres_named_at_60_s": round(float(np.mean(self.named)), 3) if self.named else None,
            "bare_called_ok": _part(self.away_ms, "ok"),
            "bare_called_ok_after_60_s": _part(self.late_ms, "ok"),
            "bare_unknown": _part(self.away_ms, "unknown"),
            "guarded_unknown": _part(self.guarded_ms, "unknown"),
            "guarded_ok": _part(self.guarded_ms, "ok"),
            "unknown": _part(whole, "unknown"),
            "false": self.false,
            "camera_days": round(days, 4),
            "ms_per_frame": round(self.spent_s * 1000 / max(1, self.frames), 2),
        }


def judged(scene: RealScene, seconds: int, guarded: bool) -> Count:
    """One scene from its first second on."""
    truth = () if guarded and scene.kind != "tape" else scene.truth
    watch, tally, count = EdgeWatch(guarded_edges(scene.survey), scene.reference), Tally(truth), Count()
    taped = taped_edges(scene.survey)
    best = [0.0] * len(truth)
    for second in range(seconds):
        image, persons = scene.frame_at(second, whole=guarded)
        now = second * SECOND
        begun = time.process_time()
        frame = Frame("real", second, now, now, True, 1, image)
        findings = (
            *watch.step(frame, persons, True, now),
            *(each for edge in taped for each in edge.step(frame, persons, True, now)),
        )
        count.spent_s += time.process_time() - begun
        sections = (*watch.sections(now), *(edge.section for edge in taped))
        tally.take(second, findings, sections)
        for n, section in enumerate(truth):
            if section.from_s <= second <= section.from_s + WITHIN_S:
                best[n] = max(best[n], _named(findings, section))
        _sort(count, sections, [one for one in truth if one.from_s <= second < one.to_s], second)
    count.frames, count.false, count.named = seconds, len(tally.false), best
    count.asked, count.told = len(truth), sum(one >= ENOUGH for one in best)
    return count


def _named(findings: Sequence[Finding], section: MissingSection) -> float:
    """Which part of a section true findings name now."""
    told = [one for one in findings if one.kind is FindingKind.EDGE_OPEN and one.truth is Truth.TRUE]
    if section.what == "cover":
        return float(bool(told))
    ends = [(float(one.about["from_m"]), float(one.about["to_m"])) for one in told]
    return _common(ends, section) / (section.to_m - section.from_m)


def _common(ends: Sequence[tuple[float, float]], section: MissingSection) -> float:
    return sum(max(0.0, min(b, section.to_m) - max(a, section.from_m)) for a, b in ends)


def _sort(count: Count, sections: Sequence[Section], away: Sequence[MissingSection], second: int) -> None:
    for part in sections:
        bare = sum(_common([(part.from_m, part.to_m)], one) for one in away)
        count.away_ms[part.verdict] = count.away_ms.get(part.verdict, 0.0) + bare
        if away and second >= away[0].from_s + WITHIN_S:
            count.late_ms[part.verdict] = count.late_ms.get(part.verdict, 0.0) + bare
        stood = part.to_m - part.from_m - bare
        count.guarded_ms[part.verdict] = count.guarded_ms.get(part.verdict, 0.0) + stood


def _part(metres: dict[str, float], verdict: str) -> float | None:
    return _share(metres.get(verdict, 0.0), sum(metres.values()))


def _share(part: float, whole: float) -> float | None:
    return round(part / whole, 4) if whole else None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--report", action="store_true", help="the seeds and pictures that nothing is tuned on")
    parser.add_argument("--scenes", type=int, default=24)
    parser.add_argument("--first", type=int, default=0, help="leave out so many scenes before")
    parser.add_argument("--guarded-s", type=int, help="so many seconds of each scene, nothing is taken away")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    folder, by_kind, backgrounds = Folder(options.folder, options.report), {}, set()
    begin = (REPORTING if options.report else TRYING) + options.first
    for seed in range(begin, begin + options.scenes):
        scene = RealScene(folder, seed)
        backgrounds.add(scene.background)
        count = judged(scene, options.guarded_s or LENGTH_S, options.guarded_s is not None)
        row = {"seed": seed, "kind": scene.kind, "weather": scene.weather.name, "background": scene.background}
        print(json.dumps(row | count.said()), flush=True)
        by_kind.setdefault(scene.kind, Count()).add(count)
    total = Count()
    for kind, count in by_kind.items():
        if kind != "tape":
            total.add(count)
    said = {"all_but_tape": total.said(), "by_kind": {kind: count.said() for kind, count in by_kind.items()}}
    print(json.dumps(said | {"seeds": [begin, begin + options.scenes - 1], "backgrounds": len(backgrounds)}))


if __name__ == "__main__":
    main()
