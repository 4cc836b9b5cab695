"""The README's story, walked in Chromium from the demo's own logins: the real demo as a process, `--tour`, a few sites.

What the walk finds on the pages is held against the desk's database here; the pictures are those of the documents.
"""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from sitewarden.demo.browser import browser_missing
from sitewarden.demo.walk import DRAW, MOST_PICTURE_BYTES, STEPS, WINDOW

MOST_S = 180.0
MOST_FIRST_PICTURE_MS = 3000
PICTURES = {"site-zh-CN", "site-en", "desk-zh-CN", "desk-en"} | {f"walk-{number:02d}" for number in range(1, 9)}


def demo(*arguments: str, cwd: Path, within_s: float = MOST_S, **environment: str) -> subprocess.CompletedProcess[str]:
    """The demo as its own process, bounded."""
    command = [sys.executable, "-m", "sitewarden", "demo", *arguments]
    paths = {"PYTHONPATH": str(Path.cwd())}
    return subprocess.run(
        command, cwd=cwd, env=os.environ | paths | environment, capture_output=True, text=True, timeout=within_s,
        check=False,
    )  # fmt: skip


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The figures of one walk."""
    folder = tmp_path_factory.mktemp("walk")
    began = time.monotonic()
    done = demo("--tour", "--headless", "--json", "--sites", "6", "--folder", str(folder), cwd=folder)
    took_s = time.monotonic() - began
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    print(f"the walk took {took_s:.0f} s, the first live picture {found['tour']['found']['first_picture_ms']} ms")
    return found


@pytest.mark.alone
@pytest.mark.timeout(MOST_S + 20)
class TestWalk:
    def test_every_step_from_the_alarm_to_the_verified_package_is_done(self, walked: Mapping[str, Any]) -> None:
        assert walked["tour"]["failed"] == ""
        assert [step["name"] for step in walked["tour"]["steps"]] == [step.name for step in STEPS if step not in DRAW]
        for command in ("sitewarden verify", "python3 verify.py"):
            assert "everything holds" in walked["tour"]["found"][command]
        assert (walked["alerts_lost"], walked["alerts_duplicated"], walked["chain_holds"]) == (0, 0, True)

    def test_live_video_of_the_registered_camera_plays_within_three_seconds(self, walked: Mapping[str, Any]) -> None:
        assert int(walked["tour"]["found"]["first_picture_ms"]) <= MOST_FIRST_PICTURE_MS
        (live,) = rows(walked, "SELECT count(*) FROM live_sessions WHERE camera_id = 'cam-1' AND first_part_at_ns > 0")
        assert live[0] == 1

    def test_the_hazard_was_judged_and_closed_by_two_people_and_answered_by_the_site(
        self, walked: Mapping[str, Any]
    ) -> None:
        hazard = walked["tour"]["found"]["hazard"]
        ((state, box),) = rows(walked, "SELECT state, box_id FROM hazards WHERE hazard_id = ?", hazard)
        assert (state, box) == ("closed", "demo-box")
        deeds = dict(rows(walked, "SELECT kind, body FROM ledger_entries WHERE subject = ?", hazard))
        steps = ("hazard_confirm", "hazard_order", "hazard_submit", "hazard_close")
        people = [json.loads(deeds[kind])["actor"]["name"] for kind in steps]
        assert people == ["县级甲", "县级甲", "安全员 (anquan)", "县级乙"]
        assert rows(walked, "SELECT answer FROM hazard_replies WHERE hazard_id = ?", hazard) == [("rectified",)]

    def test_what_the_site_tells_is_passed_on_to_the_platform_above(self, walked: Mapping[str, Any]) -> None:
        told = rows(walked, "SELECT state, kind FROM docking_outbox WHERE box_id = 'demo-box' OR kind = 'hazard'")
        assert {"refused"}.isdisjoint(state for state, _ in told), told
        assert {("accepted", "alarm"), ("accepted", "ai_alarm"), ("accepted", "hazard")} <= set(told), told

    def test_the_pictures_are_there_whole_and_small(self, walked: Mapping[str, Any]) -> None:
        folder = Path(walked["tour"]["folder"])
        assert {path.stem for path in folder.glob("*.png")} == PICTURES
        for path in folder.glob("*.png"):
            assert path.stat().st_size <= MOST_PICTURE_BYTES, path
            with Image.open(path) as picture:
                assert picture.size == WINDOW, path


def test_without_playwright_one_sentence_names_what_to_install() -> None:
    assert browser_missing() == ""
    hidden = (
        "import sys, sitewarden.__main__ as m; sys.modules['playwright'] = None; sys.exit(m.main(['demo', '--tour']))"
    )
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "pip install" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def rows(walked: Mapping[str, Any], question: str, *values: str) -> list[tuple[Any, ...]]:
    """From the desk's database as the run left it."""
    with sqlite3.connect(Path(walked["folder"]) / "desk.db") as db:
        return db.execute(question, values).fetchall()
