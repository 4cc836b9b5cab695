"""What a run of the edge benchmark keeps of its counts: cut off, taken up by another process, added."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from bench import edges
from bench.edge_runs import append, summed
from gateway.model.verdict import Truth
from tests.fakes.edge_site import Look, painted
from tests.fakes.edge_site import survey as site_survey
from vision.edges.scoring import MissingSection, Tally, summary
from vision.edges.watch import Section
from vision.picture.finding import Finding, FindingKind

BARE = MissingSection("north", 2.0, 5.0, 100.0, 400.0, "bays")
LATER = MissingSection("north", 8.0, 9.5, 900.0, 1400.0, "slit", counts=False)


def told(from_m: float, to_m: float, since_s: int) -> Finding:
    about: dict[str, str | int | float] = {
        "edge": "north",
        "title": "北边",
        "from_m": from_m,
        "to_m": to_m,
        "what": "gap",
        "frames": 31,
        "since_ns": since_s * 1_000_000_000,
    }
    return Finding(FindingKind.EDGE_OPEN, 1, Truth.TRUE, to_m - from_m, None, about)


def tally(until: int = 600, false_at: int | None = None) -> Tally:
    """One camera of 12 m: the bare section is found after 40 s; a third of the edge cannot be judged."""
    one = Tally((BARE, LATER))
    for second in range(0, until, 5):
        findings = [told(2.1, 4.9, 140)] if 140 <= second < 400 else []
        if false_at is not None and second >= false_at:
            findings = [told(10.0, 11.0, false_at)]
        one.take(second, findings, [Section("north", 0.0, 8.0, "ok"), Section("north", 8.0, 12.0, "unknown")])
    return one


def about(seed: int, from_s: int = 0, ms: float = 4.0) -> dict[str, object]:
    return {
        "generator": 2,
        "seed": seed,
        "every_s": 5,
        "from_s": from_s,
        "to_s": from_s + 600,
        "ms_per_judged_frame": ms,
    }


def without_ran(said: dict[str, object]) -> dict[str, object]:
    return {key: value for key, value in said.items() if key not in ("ran", "ms_per_judged_frame")}


def test_what_was_kept_sums_to_what_was_counted(tmp_path: Path) -> None:
    first, second = tally(), tally(false_at=500)
    append(tmp_path / "a.jsonl", about(5000), first)
    append(tmp_path / "a.jsonl", about(5001), second)
    said = summed([tmp_path / "a.jsonl"])
    assert without_ran(said) == summary([first, second], 5)
    assert said["sections"] == said["found"] == 2
    assert said["false_sections"] == 1
    assert said["delay_s"]["p50"] == 40.0
    assert said["unknown_share"] == pytest.approx(1 / 3, abs=0.001)


def test_the_newest_line_of_a_camera_replaces_the_ones_before(tmp_path: Path) -> None:
    """A line is added each quarter of an hour, and each holds all counts until then."""
    file = tmp_path / "a.jsonl"
    for until in (120, 300, 600):
        append(file, about(5000), tally(until))
    assert len(file.read_text("utf-8").splitlines()) == 3
    assert summed([file])["frames"] == tally().frames


def test_parts_of_one_camera_at_other_hours_and_other_files_are_added(tmp_path: Path) -> None:
    append(tmp_path / "a.jsonl", about(5000), tally())
    append(tmp_path / "a.jsonl", about(5000, from_s=21_600), tally())
    append(tmp_path / "b.jsonl", about(5001), tally())
    said = summed([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])
    assert said["cameras"] == 3
    assert [(row["seed"], row["from_s"]) for row in said["ran"]] == [(5000, 0), (5000, 21_600), (5001, 0)]
    assert said["camera_days"] == pytest.approx(3 * 600 / 86_400, abs=0.001)


def test_the_cost_of_a_frame_is_weighed_by_frames(tmp_path: Path) -> None:
    append(tmp_path / "a.jsonl", about(5000, ms=4.0), tally(600))
    append(tmp_path / "a.jsonl", about(5001, ms=10.0), tally(300))
    assert summed([tmp_path / "a.jsonl"])["ms_per_judged_frame"] == 6.0


def test_sections_that_need_not_be_found_are_not_asked_for(tmp_path: Path) -> None:
    append(tmp_path / "a.jsonl", about(5000), tally(1500))
    said = summed([tmp_path / "a.jsonl"])
    assert said["sections"] == 1
    assert "slit" not in said["by_what"]


def test_files_without_a_line_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("", "utf-8")
    with pytest.raises(SystemExit, match="no line of a run, expected what `run --log FILE` wrote"):
        summed([tmp_path / "a.jsonl"])


def test_a_file_that_is_no_log_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"generator": 2}\n', "utf-8")
    with pytest.raises(SystemExit, match=r"a\.jsonl, line 1: .*expected what `run --log FILE` wrote"):
        summed([tmp_path / "a.jsonl"])


def test_a_line_that_was_cut_off_is_left_out(tmp_path: Path) -> None:
    """The process may be killed while it writes; the line before it counts."""
    append(tmp_path / "a.jsonl", about(5000), tally(300))
    with (tmp_path / "a.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(about(5000))[:40])
    assert summed([tmp_path / "a.jsonl"])["frames"] == tally(300).frames


@pytest.mark.parametrize(
    ("verdict", "unknown", "wrong"), [("ok", 0, 1), ("unknown", 1, 0), ("gap", 0, 0)], ids=["ok", "unknown", "gap"]
)
def test_a_bare_section_that_was_called_ok_is_counted_apart(verdict: str, unknown: int, wrong: int) -> None:
    one = Tally((BARE,))
    for second in range(0, 600, 5):
        one.take(second, [], [Section("north", 0.0, 12.0, verdict), Section("west", 0.0, 12.0, "ok")])
    said = summary([one], 5)
    assert (said["found"], said["missed_while_unknown"], said["missed_and_called_ok"]) == (0, unknown, wrong)


def test_a_section_that_was_found_was_not_called_ok_for_good() -> None:
    assert summary([tally()], 5)["missed_and_called_ok"] == 0


class QuietScene:
    """Two sections, one by day; nothing to see."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.asked: list[int] = []
        self.survey, self.reference = site_survey(), painted(Look())
        first = MissingSection("north", 2.0, 5.0, 1000.4, 1040.0, "bays")
        self.events = (first, MissingSection("north", 2.0, 5.0, 40_000.0, 60_000.0, "bays"))

    def frame_at(self, second: float) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        self.asked.append(int(second))
        return self.reference, np.empty((0, 4), np.float32)


@pytest.mark.parametrize(("by", "spans"), [("night", [(995, 1009)]), ("both", [(995, 1009), (39_995, 40_009)])])
def test_only_the_time_around_a_section_is_judged(by: str, spans: list[tuple[int, int]]) -> None:
    scene = QuietScene(7)
    ran = list(edges.events(iter([(scene, 86_400)]), by, before_s=5, watch_s=10, by_night=False))
    assert [(one.tally.frames, one.tally.chased[0].frames) for one in ran] == [(15, 9), (15, 10)][: len(spans)]
    assert scene.asked == [second for first, last in spans for second in range(first, last + 1)]
