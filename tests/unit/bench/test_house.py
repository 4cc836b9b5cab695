"""The measures of the house on small made checkouts: all hold on a good one, each fails where only it is broken."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from bench.house import House, measured

LINTER = """
[tool.importlinter]
root_packages = ["sitewarden", "gateway", "regulator"]
[[tool.importlinter.contracts]]
type = "layers"
containers = ["sitewarden", "gateway", "regulator"]
layers = []
exhaustive = true
"""
GOOD = {
    "pyproject.toml": LINTER,
    "sitewarden/composition/box.py": "import gateway.web.page\nfrom gateway.model.reading import Reading\n",
    "gateway/__init__.py": "",
    "gateway/model/__init__.py": "",
    "gateway/model/reading.py": 'class Reading:\n    """One value of one point in SI."""\n',
    "gateway/web/page.py": "from gateway.model.reading import Reading\n",
    "regulator/base/records/migrations/versions/0001_desk.py": "\n" * 900,
}
BROAD = "try:\n    pass\nexcept (OSError, Exception):\n    pass\n"
BREAKS = {
    "folder circles": [
        {"gateway/model/reading.py": "from gateway.web.page import Reading\n"},
        {"gateway/model/reading.py": "from gateway.web import page\n"},
        {
            "gateway/model/deep/a.py": "import gateway.web.page\n",
            "gateway/web/page.py": "import gateway.model.reading\n",
        },
        {"gateway/model/reading.py": "def _late():\n    import sitewarden.composition.box\n"},
    ],
    "loose files in gateway/": [{f"gateway/loose_{number}.py": "" for number in range(8)}],
    "lines of sitewarden/composition/box.py": [{"sitewarden/composition/box.py": "\n" * 251}],
    "lines of the largest module": [{"gateway/web/page.py": "\n" * 501}],
    "catch-all excepts of all excepts": [
        {"gateway/web/page.py": BROAD},
        {"gateway/web/page.py": BROAD.replace(" (OSError, Exception)", "")},
    ],
    "public definitions with a docstring": [
        {"gateway/web/page.py": "class Page:\n    def shown(self):\n        pass\n"}
    ],
    "docstrings under six words": [{"gateway/web/page.py": 'def page():\n    """The page."""\n'}],
    "float parameters with a unit in the name": [
        {"gateway/web/page.py": "def _wide(*, width: float | None):\n    pass\n"}
    ],
    "names in _ms that are metres per second": [
        {"gateway/web/page.py": "gust_3s_ms = 3.0\n"},
        {"gateway/web/page.py": "def _stop(wind_ms: float): ...\n"},
    ],
    "packages without exhaustive import layers": [
        {"pyproject.toml": LINTER.replace("exhaustive = true", "")},
        {"pyproject.toml": LINTER.replace('"gateway", "regulator"]\nlayers', '"gateway"]\nlayers')},
    ],
    "jobs registered by pages": [
        {"gateway/web/page.py": "def _routes(desk):\n    desk.jobs.append(Job('draws', 60, None))\n"},
        {"regulator/parts/draw_routes.py": "def _routes(self):\n    self.supervisor.start('draws', None)\n"},
    ],
}


def test_a_good_house_holds_every_bound(tmp_path):
    assert _broken(tmp_path, {}) == []


@pytest.mark.parametrize(("name", "change"), [(name, change) for name, many in BREAKS.items() for change in many])
def test_each_measure_fails_alone(tmp_path, name, change):
    assert _broken(tmp_path, change) == [name]


def test_every_measure_is_tried(tmp_path):
    _build(tmp_path, GOOD)

    assert [measure.name for measure in measured(House(tmp_path))] == list(BREAKS)


def test_a_number_in_the_unit_of_its_point_needs_no_unit(tmp_path):
    named = (
        "def _said(value: float, pre_limit: float, timeout_s: float, window_d: float | None, count: int):\n    pass\n"
    )

    assert _broken(tmp_path, {"gateway/web/page.py": named}) == []


def test_a_broken_bound_is_named_with_its_place_and_ends_in_status_1(tmp_path):
    _build(tmp_path, GOOD | {"gateway/web/page.py": "low_wind_ms = 3\n"})

    ended = subprocess.run(
        [sys.executable, "-m", "bench.house", str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert "FAIL  names in _ms that are metres per second" in ended.stdout
    assert "          gateway/web/page.py:1 low_wind_ms\n" in ended.stdout
    assert ended.stdout.count("FAIL") == 1


def _broken(folder: Path, change: Mapping[str, str]) -> list[str]:
    _build(folder, GOOD | change)
    return [measure.name for measure in measured(House(folder)) if not measure.holds]


def _build(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
