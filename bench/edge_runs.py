"""What a run of the edge benchmark has counted so far, as lines of JSON: a run that is cut off counts what it saw.

    {"generator": 2, "seed": 3000, "every_s": 1, "from_s": 0, "to_s": 3600, "ms_per_judged_frame": 4.1, "tally": {...}}

One line is added for each simulated quarter of an hour of a camera and replaces the camera's line before it. `summed`
adds the last lines of several files, so that cameras may be judged by several processes.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from vision.edges.scoring import Chased, MissingSection, Tally, summary

KEYS: Final = ("generator", "seed", "every_s", "from_s", "to_s", "ms_per_judged_frame", "tally")


def append(path: Path, about: dict[str, Any], tally: Tally) -> None:
    """Add the newest count of one camera."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**about, "tally": _kept(tally)}, ensure_ascii=False) + "\n")


def summed(paths: Iterable[Path]) -> dict[str, Any]:
    """The summary over the newest line of each camera in the files, and which hours of which cameras that were."""
    newest: dict[tuple[int, int, float], dict[str, Any]] = {}
    for path in paths:
        for row in _rows(path):
            newest[row["generator"], row["seed"], row["from_s"]] = row
    rows = list(newest.values())
    if not rows:
        raise SystemExit("no line of a run, expected what `run --log FILE` wrote")
    said = summary([_tally(row["tally"]) for row in rows], rows[0]["every_s"])
    weight = sum(row["tally"]["frames"] for row in rows)
    said["ms_per_judged_frame"] = round(
        sum(row["ms_per_judged_frame"] * row["tally"]["frames"] for row in rows) / weight, 2
    )
    said["ran"] = [{key: row[key] for key in ("generator", "seed", "from_s", "to_s")} for row in rows]
    return said


def _rows(path: Path) -> Iterable[dict[str, Any]]:
    """The lines of one file. One without an end was cut off and is left out; any other that is none is refused."""
    for number, line in enumerate(path.read_text("utf-8").splitlines(keepends=True), start=1):
        if not line.endswith("\n"):
            return
        try:
            row = json.loads(line)
            missing = [key for key in KEYS if key not in row]
        except (ValueError, TypeError) as error:
            raise SystemExit(f"{path}, line {number}: {error}, expected what `run --log FILE` wrote") from None
        if missing:
            raise SystemExit(f"{path}, line {number}: no {missing[0]}, expected what `run --log FILE` wrote")
        yield row


def _kept(tally: Tally) -> dict[str, Any]:
    return {
        "frames": tally.frames,
        "metre_frames": round(tally.metre_frames, 2),
        "unknown_metre_frames": round(tally.unknown_metre_frames, 2),
        "false": [dict(one) for one in tally.false],
        "chased": [asdict(one) for one in tally.chased],
    }


def _tally(kept: dict[str, Any]) -> Tally:
    chased = [Chased(**{**one, "section": MissingSection(**one["section"])}) for one in kept["chased"]]
    tally = Tally([one.section for one in chased])
    tally.chased, tally.false = chased, kept["false"]
    tally.frames, tally.metre_frames = kept["frames"], kept["metre_frames"]
    tally.unknown_metre_frames = kept["unknown_metre_frames"]
    return tally
