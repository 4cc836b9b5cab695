"""The first minutes of a stranger with the demo: when its pages are there, what the desk's first page says, live video,
and a draw that the documented script draws again.

    python -m bench.demo                 # the whole province; one JSON object; exit status 1: an aim was missed
    python -m bench.demo --sites 100

The demo runs as its own process, twice; times count from its start, imports included. The first run is the interactive
one: somebody of the province logs in as soon as the desk's address is printed, and looks at the first page and the
statistics of thirty days until both are as wanted. The second is `--tour`, for live video and the draw.
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

import httpx

from sitewarden.demo.walk import OVERLOOKER

AIMS: dict[str, float] = {"first_address_s": 6, "first_page_s": 90, "coverage_percent": 80, "first_picture_ms": 3000}
SITE, DESK = "现场页 site page", "审查台 review desk"
PATIENCE_S = 180.0


def measure(sites: int) -> dict[str, Any]:
    """Everything; `missed` names the aims that were missed."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = _first_pages(folder, sites)
        tour = _tour(folder, sites)["tour"]
        said = tour["found"]
        found |= {
            "first_picture_ms": int(said.get("first_picture_ms", -1)),
            "steps_failed": tour["failed"],
            "drawn_again_alike": "draw_seed" in said and _drawn_again(Path(tour["folder"]), said["draw_seed"]),
        }
    return found | {"missed": _missed(found)}


def _missed(found: dict[str, Any]) -> list[str]:
    times = ("first_address_s", "first_page_s", "first_picture_ms")
    late = [name for name in times if not 0 < found[name] <= AIMS[name]]
    bare = [] if found["coverage_percent"] >= AIMS["coverage_percent"] else ["coverage_percent"]
    wrong = [name for name in ("statistics_unknown", "steps_failed") if found[name]]
    return late + bare + wrong + ([] if found["drawn_again_alike"] else ["drawn_again_alike"])


def _demo(folder: Path, sites: int, *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "sitewarden", "demo", "--sites", str(sites), "--folder", str(folder), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _first_pages(folder: Path, sites: int) -> dict[str, Any]:
    """From the prompt to the two addresses, and to a first page that tells what it is to tell."""
    began, found = time.monotonic(), dict[str, Any]()
    with _demo(folder, sites) as running:
        assert running.stdout is not None
        for line in running.stdout:
            for name, words in (("first_address_s", SITE), ("desk_address_s", DESK)):
                if words in line:
                    found[name] = round(time.monotonic() - began, 1)
            if DESK in line:
                found |= _looked_at(line.split()[-1].rstrip("/"), began)
                break
        running.send_signal(signal.SIGINT)
        running.stdout.read()
    return found


def _looked_at(desk: str, began: float) -> dict[str, Any]:
    """The first page and the statistics, until they are as wanted or too late."""
    with httpx.Client(base_url=desk, headers={"origin": desk}, timeout=60, trust_env=False) as client:
        token = re.search(r'name="csrf" value="([^"]+)"', client.get("/login").text)
        assert token is not None
        named = {"csrf": token[1], "login": OVERLOOKER, "password": f"{OVERLOOKER}-demo-2026"}
        assert client.post("/login", data=named).status_code == 303
        while True:
            headline = re.search(r'href="/coverage"><b[^>]*>([\d.]+) %', client.get("/").text)
            page = client.get("/statistics", params={"period": "30d"}).text
            unknown = re.findall(r'id="figure-(\w+)" class="unknown"', page)
            covered = float(headline[1]) if headline else 0.0
            took_s = time.monotonic() - began
            if (covered >= AIMS["coverage_percent"] and not unknown) or took_s > PATIENCE_S:
                found = {"first_page_s": round(took_s, 1), "coverage_percent": covered}
                return found | {"statistics_unknown": unknown}
            time.sleep(0.5)


def _tour(folder: Path, sites: int) -> dict[str, Any]:
    """The figures of a walk."""
    with _demo(folder, sites, "--tour", "--json") as running:
        assert running.stdout is not None
        *_, last = running.stdout
    return dict(json.loads(last))


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
