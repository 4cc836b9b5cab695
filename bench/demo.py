"""The first minutes of a stranger with the demo: when its pages are there, what the desk's first page says, live video,
and a draw that the documented script draws again.

    python -m bench.demo                 # the whole province; one JSON object; exit status 1: an aim was missed
    python -m bench.demo --sites 100

The demo runs as `sitewarden demo --tour`, as its own process; times count from its start, imports included. The site
page's time is taken from a run without a tour, which is interrupted as soon as its first address is there.
"""

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

AIMS: dict[str, float] = {"first_address_s": 6, "first_page_s": 90, "coverage_percent": 80, "first_picture_ms": 3000}
SITE, DESK, FIRST_PAGE = "现场页 site page", "审查台 review desk", "✔ 总览"


def measure(sites: int) -> dict[str, Any]:
    """Everything; `missed` names the aims that were missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found: dict[str, Any] = {"first_address_s": round(_first_address(folder, sites), 1)}
        seen, figures = _tour(folder, sites)
        tour = figures["tour"]
        said = tour["found"]
        found |= {"desk_address_s": round(seen[DESK], 1), "first_page_s": round(seen.get(FIRST_PAGE, 0), 1)}
        found |= {
            "coverage_percent": float(said.get("coverage_percent", "nan")),
            "statistics_unknown": said.get("statistics_unknown", "?").split(),
            "first_picture_ms": int(said.get("first_picture_ms", -1)),
            "steps_failed": tour["failed"],
            "drawn_again_alike": "draw_seed" in said and _drawn_again(Path(tour["folder"]), said["draw_seed"]),
        }
    return found | {"missed": _missed(found)}


def _missed(found: dict[str, Any]) -> list[str]:
    late = [
        name for name in ("first_address_s", "first_page_s", "first_picture_ms") if not 0 < found[name] <= AIMS[name]
    ]
    bare = [] if found["coverage_percent"] >= AIMS["coverage_percent"] else ["coverage_percent"]
    wrong = [name for name in ("statistics_unknown", "steps_failed") if found[name]]
    return late + bare + wrong + ([] if found["drawn_again_alike"] else ["drawn_again_alike"])


def _demo(folder: Path, sites: int, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "gateway", "demo", "--sites", str(sites), "--folder", str(folder), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _first_address(folder: Path, sites: int) -> float:
    began = time.monotonic()
    with _demo(folder, sites) as running:
        assert running.stdout is not None
        took_s = next((time.monotonic() - began for line in running.stdout if SITE in line), float("nan"))
        running.send_signal(signal.SIGINT)
        running.stdout.read()
    return took_s


def _tour(folder: Path, sites: int) -> tuple[dict[str, float], dict[str, Any]]:
    """When each wanted line was printed, seconds, and the figures."""
    began, seen, last = time.monotonic(), dict[str, float](), "{}"
    with _demo(folder, sites, "--tour", "--json") as running:
        assert running.stdout is not None
        for line in running.stdout:
            for wanted in (SITE, DESK, FIRST_PAGE):
                if wanted in line:
                    seen.setdefault(wanted, time.monotonic() - began)
            last = line
    return seen, json.loads(last)


def _drawn_again(folder: Path, seed: str) -> bool:
    """Whether the script of docs/supervision.md gives the targets that the desk published."""
    page = Path("docs/supervision.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    (folder / "draw.py").write_text(script)
    command = [sys.executable, "draw.py", "draw-pool.json", seed]
    told = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout
    published = json.loads((folder / "draw-result.json").read_bytes())["targets"]
    return told.splitlines() == [" ".join([each["code"], *each["inspectors"]]) for each in published]


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sites", type=int, default=500)
    found = measure(parser.parse_args().sites)
    print(json.dumps(found, ensure_ascii=False))
    return 1 if found["missed"] else 0


if __name__ == "__main__":
    sys.exit(main())
