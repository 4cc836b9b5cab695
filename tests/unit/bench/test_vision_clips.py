from pathlib import Path

import pytest

from bench.vision_clips import TABLE, Row, read_table, run_clip
from tests.fakes.block_clip import write_clip
from tests.fakes.block_model import write_block_model
from vision.detector import open_detector
from vision.eye.parts import SiteDetector
from vision.helmets.settings import HelmetSettings

TRUTHS = {"compliant", "bare_head", "off_helmet", "mixed", "no_usable_heads", "empty"}

SETTINGS = HelmetSettings(min_head_px=12.0)
"""The model's input is half as wide as the clips: their heads of 32 px are 16 px there."""


def test_the_table_covers_every_clip_without_gaps() -> None:
    table = read_table()
    assert len(table) == 5
    assert {row.truth for rows in table.values() for row in rows} == TRUTHS
    assert all(row.bare for rows in table.values() for row in rows if row.truth in {"bare_head", "off_helmet"})


def test_a_table_with_a_gap_is_refused(tmp_path: Path) -> None:
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    (tmp_path / "t.csv").write_text("\n".join([lines[0], *lines[4:]]), encoding="utf-8")
    with pytest.raises(ValueError, match=r"people_indoor\.mp4 64-195: expected to begin at 0"):
        read_table(tmp_path / "t.csv")


def test_alarms_are_counted_by_where_and_when_they_fired(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "c.mp4", lambda at_s: [("head", 3, 4), ("head", 12, 4)] if at_s < 6 else [], 12.0)
    rows = [
        Row("c.mp4", 0, 29, "bare_head", [(0.0, 0.0, 0.5, 1.0)], [(0.9, 0.0, 1.0, 1.0)]),
        Row("c.mp4", 30, 59, "empty", [], []),
    ]
    detector = SiteDetector(open_detector(write_block_model(tmp_path / "model")))
    figures = run_clip(detector, clip, rows, 5.0, SETTINGS)
    assert [(alarm["frame"], alarm["what"]) for alarm in rows[0].alarms] == [(25, "true"), (25, "false")]
    assert rows[1].alarms == []
    assert figures["bare_stretches"] == {"n": 1, "found": 1, "delay_s": [5.0]}
    assert (rows[0].frames, rows[1].frames, rows[0].looks["bare"]) == (30, 30, 60)


def test_a_short_clip_is_played_to_and_fro(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "c.mp4", lambda _: [("head", 3, 4)], 3.0)
    rows = [Row("c.mp4", 0, 14, "bare_head", [(0.0, 0.0, 1.0, 1.0)], [])]
    detector = SiteDetector(open_detector(write_block_model(tmp_path / "model")))
    assert run_clip(detector, clip, rows, 5.0, SETTINGS)["seconds"] >= 20
    assert len(rows[0].alarms) == 1
