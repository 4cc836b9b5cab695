import subprocess
import sys
from pathlib import Path

from gateway.alarms.drawing import drawing
from gateway.alarms.tables import DISPLAY, EPISODE, SUPPRESSION, Refusal
from gateway.model.alarm import AlarmBounds

PAGE = Path(__file__).parents[4] / "docs" / "alarms.md"


def test_the_page_is_what_the_tables_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == drawing(AlarmBounds())


def test_the_command_prints_the_page() -> None:
    command = [sys.executable, "-m", "gateway.alarms.drawing"]
    printed = subprocess.run(command, capture_output=True, check=True, cwd=PAGE.parents[1], timeout=60)
    assert printed.stdout.decode() == PAGE.read_text(encoding="utf-8")


def test_every_refusal_of_the_tables_is_on_the_page() -> None:
    text = drawing(AlarmBounds())
    refusals = {
        cell for cell in (*EPISODE.values(), *DISPLAY.values(), *SUPPRESSION.values()) if isinstance(cell, Refusal)
    }
    assert refusals
    assert all(f"*{refusal}*" in text for refusal in refusals)
