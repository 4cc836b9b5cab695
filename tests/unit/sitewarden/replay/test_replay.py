"""A recorded series through the live line: the same alarms for the same readings; nothing of the site is touched."""

import asyncio
import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from gateway.line.pipeline import TICK_S
from gateway.model.alarm import Transition
from gateway.model.derivation import AssetEvent, Json, Times, Values
from gateway.model.quantity import Point
from gateway.model.reading import Readings
from gateway.settings import Settings
from sitewarden.replay.replay import ReplaySource, replay
from sitewarden.replay.report import replay_json, replay_text, run_replay
from sitewarden.replay.series import ReplayError, read_csv
from sitewarden.replay.tables import DeviceTables
from tests.fakes.replay_site import replay_site
from tests.fakes.site import Site, until

START = "2026-01-01T00:00:00Z"
START_NS = 1_767_225_600_000_000_000
Told = tuple[str, str, str, float]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replay_site(tmp_path / "site")


def write(folder: Path, text: str) -> Path:
    path = folder / "series.csv"
    path.write_text(text, encoding="utf-8")
    return path


def long_csv(folder: Path, rows: Sequence[tuple[float, str, object]]) -> Path:
    lines = [f"{START_NS + round(at_s * 1e9)},crane-1.{key},{value}" for at_s, key, value in rows]
    return write(folder, "\n".join(["time,point,value", *lines]))


def told(transitions: Sequence[Transition]) -> list[Told]:
    return [
        (str(each.kind), each.alarm.rule.rule_id, each.alarm.subject, round((each.at_ns - START_NS) / 1e9, 6))
        for each in transitions
    ]


def replayed(settings: Settings, path: Path, **more: object) -> list[Told]:
    return told(replay(settings, ReplaySource(path, **more)).transitions)  # type: ignore[arg-type]


def test_a_story_raises_its_alarms_at_its_times(settings: Settings, tmp_path: Path) -> None:
    moments = [(0.0, 50), (1.0, 104), (2.0, 104), (3.0, 104), (4.0, 96), (5.0, 90), (6.0, 90), (7.0, 90)]
    path = long_csv(tmp_path, [(at_s, "moment_pct", value) for at_s, value in moments])
    assert replayed(settings, path) == [
        ("raised", "moment.alarm", "crane-1.moment_pct", 2.0),
        ("returned", "moment.alarm", "crane-1.moment_pct", 7.0),
    ]


def test_the_boundary_of_a_limit_and_of_a_delay(settings: Settings, tmp_path: Path) -> None:
    below = long_csv(tmp_path, [(0.0, "moment_pct", 99.999), (1.0, "moment_pct", 99.999), (2.0, "moment_pct", 50)])
    assert replayed(settings, below) == []
    short = long_csv(tmp_path, [(0.0, "moment_pct", 100), (0.999, "moment_pct", 100), (1.0, "moment_pct", 50)])
    assert replayed(settings, short) == []
    reached = long_csv(tmp_path, [(0.0, "moment_pct", 100), (1.0, "moment_pct", 100)])
    assert replayed(settings, reached) == [("raised", "moment.alarm", "crane-1.moment_pct", 1.0)]


def test_silence_between_two_samples_is_noticed_when_a_running_box_would(settings: Settings, tmp_path: Path) -> None:
    path = long_csv(tmp_path, [(0.0, "moment_pct", 50), (3600.0, "moment_pct", 50), (3605.0, "moment_pct", 50)])
    assert replayed(settings, path) == [
        ("raised", "silent", "crane-1-host", 10.0),
        ("returned", "silent", "crane-1-host", 3603.0),
    ]
    assert replayed(settings, path, silence=False) == []


def test_what_the_recording_never_speaks_of_is_not_called_silent(settings: Settings, tmp_path: Path) -> None:
    path = long_csv(tmp_path, [(at_s, "moment_pct", 50) for at_s in range(0, 60, 2)])
    found = replay(settings, ReplaySource(path))
    assert found.transitions == ()
    assert found.not_in_recording == ("crane-1-tilt",)


def test_a_bad_or_unbelievable_value_clears_nothing(settings: Settings, tmp_path: Path) -> None:
    values = [(0.0, 13), (1.0, "nan"), (2.0, 99), (10.0, ""), (19.0, 5), (23.0, 5), (24.0, 5)]
    path = long_csv(tmp_path, [(at_s, "wind_ms", value) for at_s, value in values])
    assert replayed(settings, path) == [
        ("raised", "wind.alarm", "crane-1.wind_ms", 0.0),
        ("raised", "silent", "crane-1-host", 10.0),
        ("returned", "silent", "crane-1-host", 22.0),
        ("returned", "wind.alarm", "crane-1.wind_ms", 24.0),
    ]


def polls_of(settings: Settings, path: Path) -> list[Readings]:
    """A file's polls as a box would have had them from its drivers."""
    tables = DeviceTables(settings.links, settings.points)
    return [tables.judged(each) for each in read_csv(path, settings.points, frozenset()).polls]


def random_series(seed: int) -> list[tuple[float, str, object]]:
    """Two hours of three points at changing paces, with holes, bad values and values around the limits."""
    source = random.Random(seed)
    rows: list[tuple[float, str, object]] = []
    for key, around in (("moment_pct", 97.0), ("wind_ms", 11.5), ("tilt_deg", 0.2)):
        at_s, value = source.choice([0.0, 0.1]), around
        while at_s < 1200:
            at_s = round(at_s + source.choice([0.25, 0.3, 1.0, 1.0, 2.0, 7.0, source.uniform(4, 40)]), 3)
            value = source.choice([value, value, around, source.gauss(around, 0.08 * around), 400.0])
            rows.append((at_s, key, round(value, 3) if source.random() > 0.03 else "nan"))
    return rows


def series_on_the_grid(seed: int) -> list[tuple[float, str, object]]:
    """A tilt that speaks at every tick, so that a running pipeline wakes at every tick, and a host with holes."""
    source = random.Random(seed)
    rows: list[tuple[float, str, object]] = [(i * TICK_S, "tilt_deg", source.gauss(0.2, 0.1)) for i in range(480)]
    at_s = 0.0
    while at_s < 105:
        at_s += source.choice([0.25, 0.25, 0.5, 1.0, 2.0, 13.0])
        rows += [(at_s, "moment_pct", source.choice([90, 99, 104, 104, 500])), (at_s, "wind_ms", source.gauss(11.5, 1))]
    return rows


async def live(folder: Path, settings: Settings, polls: Sequence[Readings]) -> list[Told]:
    """The same polls offered to a running pipeline at their times."""
    site = Site(folder, settings.points, settings.rules)
    site.clock.step_wall((polls[0].observed_at_ns - site.clock.now_ns()) / 1e9)
    seen: list[Transition] = []
    site.recorder.listeners.append(lambda told: seen.extend(each.transition for each in told if each.transition))
    site.start()
    for judged, readings in enumerate(polls, start=1):
        await site.clock.advance((readings.observed_at_ns - site.clock.now_ns() + 0.5) / 1e9)
        site.intake.offer(readings)
        await until(lambda: site.pipeline.judged_polls == judged)  # noqa: B023 - asked within this round
    await until(lambda: site.pipeline.ticked_mono_ns == site.clock.monotonic_ns())
    await site.stop()
    return told(seen)


@pytest.mark.parametrize("seed", range(3))
async def test_the_alarms_are_those_of_a_running_box(settings: Settings, tmp_path: Path, seed: int) -> None:
    path = long_csv(tmp_path, series_on_the_grid(seed))
    polls = polls_of(settings, path)
    again = await asyncio.to_thread(replayed, settings, path)
    assert again == await live(tmp_path / "live", settings, polls)
    assert {"moment.alarm", "wind.alarm", "silent"} <= {name for _, name, _, _ in again}


@pytest.mark.parametrize("seed", range(8))
def test_moments_left_out_would_have_changed_nothing(settings: Settings, tmp_path: Path, seed: int) -> None:
    path = long_csv(tmp_path, random_series(100 + seed))
    planned = replayed(settings, path)
    assert planned == replayed(settings, path, every_tick=True)
    assert {"wind.alarm", "silent"} <= {name for _, name, _, _ in planned}


def test_the_sites_own_folder_is_not_touched(settings: Settings, tmp_path: Path) -> None:
    path = long_csv(tmp_path, [(0.0, "moment_pct", 120), (2.0, "moment_pct", 120)])
    before = sorted(str(each) for each in (tmp_path / "site").rglob("*"))
    kept = tmp_path / "kept"
    replay(settings, ReplaySource(path, keep=kept))
    assert sorted(str(each) for each in (tmp_path / "site").rglob("*")) == before
    assert not settings.storage.folder.exists()
    assert (kept / "alerts.db").is_file()
    with pytest.raises(ReplayError, match="not there yet"):
        replay(settings, ReplaySource(path, keep=kept))


class Doubling:
    """An asset model that says twice the moment, to see that replays run the asset models."""

    device = "crane-1:derived"
    inputs = ("crane-1.moment_pct",)
    period_s = 0.0

    def __init__(self, outputs: tuple[Point, ...]) -> None:
        self.outputs = outputs

    def step(self, value: Values, observed_at_ns: Times, now_ns: int) -> Values | None:
        return value * 2

    def take_events(self) -> Sequence[AssetEvent]:
        return ()

    def saved(self) -> Json:
        return None

    def restore(self, saved: Json) -> None:
        raise ValueError("a replay restores nothing")


def test_asset_models_run_and_what_they_make_is_not_read_from_the_file(settings: Settings, tmp_path: Path) -> None:
    output = next(point for point in settings.points.points if point.quantity == "wind_ms")
    path = long_csv(tmp_path, [(0.0, "moment_pct", 7.0), (1.0, "wind_ms", 3.0), (2.0, "moment_pct", 5.0)])
    found = replay(settings, ReplaySource(path), [Doubling((output,))])
    assert told(found.transitions)[:1] == [("raised", "wind.alarm", "crane-1.wind_ms", 0.0)]
    assert found.transitions[0].measured == 14.0
    assert found.recording.recomputed == {"crane-1.wind_ms": 1}


def recorded_box(folder: Path, settings: Settings, rows: Sequence[tuple[float, str, object]]) -> list[Readings]:
    """A box's history of these readings, closed in order."""
    path = long_csv(folder, rows)
    polls = polls_of(settings, path)
    replay(settings, ReplaySource(path, keep=folder / "box"))
    return polls


def test_a_history_gives_the_alarms_that_its_readings_gave(settings: Settings, tmp_path: Path) -> None:
    rows = random_series(7)
    recorded_box(tmp_path, settings, rows)
    before = {each.name: each.read_bytes() for each in (tmp_path / "box").iterdir() if each.is_file()}
    from_file = replayed(settings, tmp_path / "series.csv")
    assert replayed(settings, tmp_path / "box") == from_file
    assert replayed(settings, tmp_path / "box" / "history.db") == from_file
    assert {each.name: each.read_bytes() for each in (tmp_path / "box").iterdir() if each.is_file()} == before


def test_a_span_cuts_the_series(settings: Settings, tmp_path: Path) -> None:
    rows = [(float(at_s), "moment_pct", 120) for at_s in range(10)]
    polls = recorded_box(tmp_path, settings, rows)
    span = (polls[4].observed_at_ns, polls[5].observed_at_ns)
    for source in (tmp_path / "series.csv", tmp_path / "box"):
        found = replay(settings, ReplaySource(source, span_ns=span))
        assert (found.polls, found.from_ns, found.to_ns) == (2, *span)
        assert told(found.transitions) == [("raised", "moment.alarm", "crane-1.moment_pct", 5.0)]


def test_a_history_that_is_none_is_told(settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "history.db"
    broken.write_bytes(b"no database at all" * 100)
    for path, words in ((broken, "cannot be read as a history"), (tmp_path / "nowhere.csv", "No such file")):
        assert run_replay(settings, ReplaySource(path), as_json=False) == 1
        assert words in capsys.readouterr().err


def test_the_report_says_by_which_limit_and_how_sure_it_is(settings: Settings, tmp_path: Path) -> None:
    text = f"time,point,value\n{START},crane-1.wind_ms,13.5\n{START},crane-9.wind_ms,1\noops,crane-1.wind_ms,1\n"
    found = replay(settings, ReplaySource(write(tmp_path, text)))
    report = json.loads(replay_json(found))
    assert report["alarms"] == [
        {
            "time": "2026-01-01T00:00:00.000Z",
            "transition": "raised",
            "severity": "P2",
            "rule": "wind.alarm",
            "title_zh": "测试",
            "title_en": "Test",
            "asset": "crane-1",
            "subject": "crane-1.wind_ms",
            "measured": 13.5,
            "limit": 12.0,
            "unit": "m/s",
            "clause": "GB 1, 2.3",
            "limit_source": "national_code",
            "certainty": "M-H",
            "suspected": False,
            "reason": "",
        }
    ]
    assert report["unknown_points"] == {"crane-9.wind_ms": 1}
    assert report["figures"]["readings"] == 1
    assert report["figures"]["faulty_lines"] == 1
    lines = replay_text(found).splitlines()
    assert "13.5 m/s / 12 m/s" in lines[0]
    assert "[GB 1, 2.3; national_code; M-H]" in lines[0]
    assert any(line.startswith("passed over: ") and "series.csv:4: found time 'oops'" in line for line in lines)
    assert "not known to this site: crane-9.wind_ms (1 readings)" in lines


def test_nothing_to_replay_is_exit_status_1(
    settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, f"time,point,value\n{START},crane-9.wind_ms,1\n")
    assert run_replay(settings, ReplaySource(path), as_json=True) == 1
    said = capsys.readouterr()
    assert json.loads(said.out)["figures"]["readings"] == 0
    assert "no reading of a point that the site knows" in said.err


async def test_the_history_of_a_running_box_is_read_beside_it(settings: Settings, tmp_path: Path) -> None:
    path = long_csv(tmp_path, [(float(at_s), "moment_pct", 120) for at_s in range(5)])
    site = Site(tmp_path / "running", settings.points, settings.rules)
    for readings in polls_of(settings, path):
        site.history.append(readings)
    await asyncio.wrap_future(site.history.flush(START_NS).done)
    assert (tmp_path / "running" / "history.db-wal").stat().st_size
    found = await asyncio.to_thread(replayed, settings, tmp_path / "running")
    assert found == [("raised", "moment.alarm", "crane-1.moment_pct", 1.0)]
    left = tmp_path / "left"
    left.mkdir()
    for name in ("history.db", "history.db-wal"):
        shutil.copyfile(tmp_path / "running" / name, left / name)
    assert await asyncio.to_thread(replayed, settings, left) == found, "what a kill leaves is read too"
    assert sorted(each.name for each in left.iterdir()) == ["history.db", "history.db-wal"]
    site.close()
