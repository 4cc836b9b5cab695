"""The command line of `replay`: arguments in, text or JSON out, and the exit status."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from sitewarden.__main__ import main
from tests.fakes.replay_site import replay_site


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """The command sets the process's logging up; the next test wants its own."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture
def site(tmp_path: Path) -> str:
    replay_site(tmp_path)
    return str(tmp_path / "site.yaml")


@pytest.fixture
def series(tmp_path: Path) -> str:
    path = tmp_path / "series.csv"
    lines = [f"2026-01-01 08:00:0{i},crane-1.moment_pct,120" for i in range(5)]
    path.write_text("\n".join(["time,point,value", *lines, "later,crane-1.moment_pct,1"]))
    return str(path)


def test_alarms_as_text(site: str, series: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", series, "--site", site]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(
        "2026-01-01T08:00:01.000Z  raised     P1  moment.alarm  crane-1.moment_pct  120 % / 100 %"
    )
    assert any(line.startswith("passed over: ") and "series.csv:7: " in line for line in lines)
    assert "not in the recording: crane-1-tilt" in lines
    assert "alarms raised: 1" in lines


def test_alarms_as_json_in_the_sites_own_time(site: str, series: str, capsys: pytest.CaptureFixture[str]) -> None:
    more = ["--json", "--utc-offset-minutes", "480", "--from", "2026-01-01 08:00:02"]
    assert main(["replay", series, "--site", site, *more]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [(alarm["time"], alarm["rule"]) for alarm in said["alarms"]] == [
        ("2026-01-01T00:00:03.000Z", "moment.alarm")
    ]
    assert (said["figures"]["polls"], said["figures"]["from"]) == (3, "2026-01-01T00:00:02.000Z")


def test_what_is_kept_can_be_verified(site: str, series: str, tmp_path: Path) -> None:
    assert main(["replay", series, "--site", site, "--keep", str(tmp_path / "kept")]) == 0
    assert main(["verify", str(tmp_path / "kept")]) == 0


def test_what_cannot_be_replayed_is_said(
    site: str, series: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(tmp_path / "nowhere.csv"), "--site", site]) == 1
    assert "nowhere.csv: No such file" in capsys.readouterr().err
    assert main(["replay", series, "--site", str(tmp_path / "nowhere.yaml")]) == 2
    with pytest.raises(SystemExit) as ended:
        main(["replay", series, "--site", site, "--to", "tomorrow"])
    assert ended.value.code == 2
    assert "found time 'tomorrow', expected ISO 8601" in capsys.readouterr().err
