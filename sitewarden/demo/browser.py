"""The browser of `sitewarden demo --tour`: Playwright and the system's Chromium, and what to install without them."""

import importlib.util
import shutil
from typing import Final

NAMES: Final = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FOLDERS: Final = ":/usr/bin:/usr/lib/chromium:/snap/bin"


def chromium_path() -> str:
    """The program; empty when none is installed."""
    found = (shutil.which(name) or shutil.which(name, path=FOLDERS) for name in NAMES)
    return next((path for path in found if path), "")


def browser_missing() -> str:
    """What a tour lacks, in one sentence; empty when nothing is missing."""
    if importlib.util.find_spec("playwright") is None:
        return "the tour needs Playwright; install it with: pip install playwright"
    if not chromium_path():
        return "the tour needs a Chromium; install it with: apt-get install chromium-headless-shell"
    return ""
