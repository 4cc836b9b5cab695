"""Asset models between window and rules: what sets them off, what they are given, what becomes of what they say."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.line.deriving import Deriving
from gateway.model.derivation import AssetEvent, Json, Times, Values
from gateway.model.quantity import Point, PointTable
from gateway.model.reading import Quality
from gateway.rules.window import Window
from gateway.store.history_reader import HistoryReader
from tests.fakes.site import NOW_NS, SECOND_NS, Site, layout, points, poll, threshold, until

S = SECOND_NS


def _output(device: str, quantity: str) -> Point:
    return Point(f"crane-1.{quantity}", "crane-1", quantity, "t", device, "派生量", "Derived", stale_after_s=3.0)


class Sum:
    """Adds its inputs, counts its steps, and notes an event for every sum above 100."""

    def __init__(self, name: str, inputs: Sequence[str], period_s: float = 0.0) -> None:
        self.device = f"crane-1:{name}"
        self.inputs = tuple(inputs)
        self.outputs: tuple[Point, ...] = (_output(self.device, name),)
        self.period_s = period_s
        self.steps: list[tuple[list[float], list[int], int]] = []
        self.mute = False
        self._events: list[AssetEvent] = []

    def step(self, value: Values, observed_at_ns: Times, now_ns: int) -> Values | None:
        self.steps.append((value.tolist(), observed_at_ns.tolist(), now_ns))
        total = float(value.sum())
        if total > 100:
            self._events.append(AssetEvent("crane-1", "over_100", now_ns, {"sum": total}))
        return None if self.mute else np.array([total])

    def take_events(self) -> Sequence[AssetEvent]:
        events, self._events = self._events, []
        return events

    def saved(self) -> Json:
        return {"steps": len(self.steps)}

    def restore(self, saved: Json) -> None:
        if not isinstance(saved, dict) or "steps" not in saved:
            raise ValueError("no steps")
        self.steps = [([], [], 0)] * int(saved["steps"])


def _table(*models: Sum) -> PointTable:
    return PointTable((*points(4).points, *(point for model in models for point in model.outputs)))


def _fed(models: Sequence[Sum]) -> tuple[Deriving, Window]:
    table = _table(*models)
    return Deriving(models, table), Window(table, 0)


def test_a_poll_sets_off_the_models_that_read_it_and_then_those_behind_them() -> None:
    first, second = Sum("a", ["crane-1.q0", "crane-1.q1"]), Sum("b", ["crane-1.a", "crane-1.q3"])
    deriving, window = _fed([first, second])
    readings = poll(layout(), [1.0, 2.0, 4.0, 8.0])
    window.remember(readings, 0)
    said = []
    for derived in deriving.on_readings(readings, window, 0):
        window.remember(derived, 0)
        said.append((derived.device, derived.value.tolist(), derived.observed_at_ns))
    assert said[0] == ("crane-1:a", [3.0], NOW_NS)
    assert said[-1] == ("crane-1:b", [11.0], NOW_NS)
    assert deriving.sources_of("crane-1:b") == ("host-1",)
    assert deriving.sources_of("host-1") == ()


def test_a_model_that_reads_the_poll_and_what_is_derived_from_it_steps_once() -> None:
    first, second = Sum("a", ["crane-1.q0"]), Sum("b", ["crane-1.a", "crane-1.q1"])
    deriving, window = _fed([first, second])
    readings = poll(layout(), [1.0, 2.0, 4.0, 8.0])
    window.remember(readings, 0)
    said = []
    for derived in deriving.on_readings(readings, window, 0):
        window.remember(derived, 0)
        said.append((derived.device, derived.value.tolist()))
    assert said == [("crane-1:a", [1.0]), ("crane-1:b", [3.0])]


@pytest.mark.parametrize("quality", [Quality.BAD, Quality.SUSPECT])
def test_what_is_not_good_goes_in_as_nan_and_comes_out_bad(quality: Quality) -> None:
    model = Sum("a", ["crane-1.q0", "crane-1.q1"])
    deriving, window = _fed([model])
    readings = poll(layout(), [1.0, 2.0, 4.0, 8.0], quality=[0, int(quality), 0, 0])
    window.remember(readings, 0)
    (derived,) = deriving.on_readings(readings, window, 0)
    assert np.isnan(model.steps[0][0][1])
    assert np.isnan(derived.value[0])
    assert derived.quality.tolist() == [Quality.BAD]


def test_a_stale_input_and_one_that_the_asset_does_not_have_are_not_known() -> None:
    model = Sum("a", ["crane-1.q0", "crane-1.nothing"])
    deriving, window = _fed([model])
    window.remember(poll(layout(), 1.0), 0)
    later = poll(layout(1, 3), 5.0, NOW_NS + S)
    assert not list(deriving.on_readings(later, window, S))
    other = Sum("b", ["crane-1.q0", "crane-1.q3"])
    deriving, window = _fed([other])
    window.remember(poll(layout(), 1.0), 0)
    late = poll(layout(1, 3), 5.0, NOW_NS + 60 * S)
    window.remember(late, 60 * S)
    list(deriving.on_readings(late, window, 60 * S))
    assert np.isnan(other.steps[0][0][0])
    assert other.steps[0][0][1] == 5.0
    assert other.steps[0][1] == [NOW_NS, NOW_NS + 60 * S]


def test_a_model_with_a_period_steps_when_it_is_due_and_sets_off_others() -> None:
    slow, behind = Sum("a", ["crane-1.q0"], period_s=1.0), Sum("b", ["crane-1.a"])
    deriving, window = _fed([slow, behind])
    window.remember(poll(layout(), 7.0), 0)

    def pass_to(mono_ns: int) -> list[str]:
        said = []
        for derived in deriving.on_tick(window, mono_ns, NOW_NS + mono_ns):
            window.remember(derived, mono_ns)
            said.append(derived.device)
        return said

    assert pass_to(0) == ["crane-1:a", "crane-1:b"]
    assert pass_to(S // 2) == []
    assert pass_to(S) == ["crane-1:a", "crane-1:b"]
    assert not list(deriving.on_readings(poll(layout(), 8.0), window, S))


def test_nothing_new_to_say_is_no_poll_but_its_events_are_kept() -> None:
    model = Sum("a", ["crane-1.q0"])
    model.mute = True
    deriving, window = _fed([model])
    readings = poll(layout(), 200.0)
    window.remember(readings, 0)
    assert list(deriving.on_readings(readings, window, 0)) == []
    assert [event.kind for event in deriving.take_events()] == ["over_100"]
    assert deriving.take_events() == []


def test_a_skipped_sample_makes_what_is_derived_from_it_unknown_too() -> None:
    first, second = Sum("a", ["crane-1.q0"]), Sum("b", ["crane-1.a"])
    deriving, window = _fed([first, second])
    readings = poll(layout(), 1.0)
    window.remember(readings, 0)
    for derived in deriving.on_readings(readings, window, 0):
        window.remember(derived, 0)
    assert (window.quality == Quality.GOOD).all()
    deriving.forget(readings.point_index, window)
    assert window.quality.tolist() == [Quality.GOOD] * 4 + [Quality.BAD] * 2


def test_a_model_may_only_read_what_stands_before_its_own_points() -> None:
    first, second = Sum("a", ["crane-1.b"]), Sum("b", ["crane-1.q0"])
    with pytest.raises(ValueError, match="crane-1:a: reads a point"):
        _fed([first, second])


def test_states_are_kept_by_device_and_one_that_does_not_fit_is_refused_by_name() -> None:
    models = [Sum("a", ["crane-1.q0"]), Sum("b", ["crane-1.q0"])]
    deriving, _ = _fed(models)
    models[0].steps = [([], [], 0)] * 5
    saved = deriving.saved()
    fresh = [Sum("a", ["crane-1.q0"]), Sum("b", ["crane-1.q0"])]
    again, _ = _fed(fresh)
    assert again.restore({**saved, "crane-1:b": "what?", "gone": 1}) == ["crane-1:b"]
    assert (len(fresh[0].steps), len(fresh[1].steps)) == (5, 0)


@pytest.fixture
async def derived_site(tmp_path: Path) -> AsyncIterator[tuple[Site, list[AssetEvent]]]:
    model = Sum("a", ["crane-1.q0", "crane-1.q1"])
    table = _table(model)
    rule = replace(threshold(4), subject="crane-1.a", asset="crane-1")
    site = Site(tmp_path, table, [rule], models=[model])
    site.start()
    yield site, site.events
    await site.stop()


async def test_a_derived_value_is_judged_sealed_and_kept_as_history(
    derived_site: tuple[Site, list[AssetEvent]],
) -> None:
    site, events = derived_site
    assert site.intake.offer(poll(layout(), [90.0, 60.0, 0.0, 0.0]))
    async with asyncio.timeout(10):
        await until(lambda: site.alerts.head().seq == 1)
    content = json.loads(next(site.alerts.all_evidence()).body)["content"]
    assert [sample["device"] for sample in content["samples"]] == ["host-1", "crane-1:a"]
    assert content["samples"][0]["raw_words"] == [[0, [1, 65535]]]
    assert [event.content["sum"] for event in events] == [150.0]
    await site.clock.advance(0.2)
    await until(lambda: site.flushed == 1)
    assert site.reader.trace("crane-1.a", 0, 2**62, 10).value.tolist() == [150.0]


class Seldom(Sum):
    """A model that stands by what it said."""

    def __init__(self, said: tuple[int, Values] | None) -> None:
        super().__init__("a", ["crane-1.q0"])
        self._last = said

    def last_said(self) -> tuple[int, Values] | None:
        return self._last


def test_what_was_said_before_a_restart_stands_until_it_is_stale() -> None:
    deriving, _ = _fed([Seldom((NOW_NS, np.array([7.0]))), Sum("b", ["crane-1.q0"])])
    (said,) = deriving.last_said(NOW_NS + 2 * S)
    assert (said.device, said.value.tolist(), said.observed_at_ns) == ("crane-1:a", [7.0], NOW_NS)
    assert list(deriving.last_said(NOW_NS + 4 * S)) == []
    assert list(deriving.last_said(NOW_NS - S)) == [], "a clock that was set back says nothing of the age"
    silent, _ = _fed([Seldom(None)])
    assert list(silent.last_said(NOW_NS)) == []


async def test_a_resumed_value_is_judged_ages_on_and_is_not_written_twice(tmp_path: Path) -> None:
    model = Seldom((NOW_NS - S, np.array([150.0])))
    table = _table(model)
    site = Site(tmp_path, table, [replace(threshold(4), subject="crane-1.a", asset="crane-1")], models=[model])
    site.start()
    deriving = Deriving([model], table)
    for said in deriving.last_said(NOW_NS):
        site.pipeline.resume(said, NOW_NS - said.observed_at_ns)
    await until(lambda: site.alerts.head().seq == 1)
    assert site.window.age_s(site.clock.monotonic_ns())[4] == 1.0
    await site.stop()
    assert site.flushed == 1
    assert len(HistoryReader(tmp_path / "history.db", table).trace("crane-1.a", 0, 2**62, 10).value) == 0


def test_a_device_whose_clock_runs_ahead_makes_what_is_derived_unknown() -> None:
    model = Sum("a", ["crane-1.q0"])
    deriving, window = _fed([model])
    for ahead_s, known in ((300, True), (301, False)):
        readings = poll(layout(), 1.0, NOW_NS + ahead_s * S, received_at_ns=NOW_NS)
        window.remember(readings, 0)
        (derived,) = deriving.on_readings(readings, window, 0)
        assert bool(np.isfinite(derived.value[0])) is known


def test_periods_lie_on_a_grid_and_say_how_long_nothing_is_due() -> None:
    fast = Sum("a", ["crane-1.q0"], period_s=0.1)
    deriving, window = _fed([fast])
    window.remember(poll(layout(), 7.0), 0)
    stepped = [ms for ms in range(0, 1000, 30) if list(deriving.on_tick(window, ms * 10**6, NOW_NS + ms * 10**6))]
    assert stepped == [0, 120, 210, 300, 420, 510, 600, 720, 810, 900]
    assert deriving.wait_s(930 * 10**6, 0.125) == pytest.approx(0.07)
    assert deriving.wait_s(2 * S, 0.125) == 0.0
    assert _fed([])[0].wait_s(0, 0.125) == 0.125
